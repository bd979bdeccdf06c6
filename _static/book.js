// What scrolls inside itself can be reached by the keyboard: wide formulas, tables and outputs.
const SCROLLS = "mjx-container[display], .cell_output .text_html, .cell_output .output, table.table, pre";

function reachWhatScrolls() {
  for (const element of document.querySelectorAll(SCROLLS))
    if (element.scrollWidth > element.clientWidth) element.tabIndex = 0;
}

addEventListener("load", async () => {
  await window.MathJax?.startup?.promise;
  reachWhatScrolls();
  addEventListener("resize", reachWhatScrolls);
});
