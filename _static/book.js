// What scrolls inside itself can be reached by the keyboard: wide formulas, tables and outputs.
const SCROLLS = "mjx-container[display], .cell_output .text_html, .cell_output .output, .pst-scrollable-table-container, pre";

// Sizes change when the window does, and when a fold opens.
const watcher = new ResizeObserver(changes => {
  for (const {target} of changes)
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
});

addEventListener("load", async () => {
  await window.MathJax?.startup?.promise;
  for (const element of document.querySelectorAll(SCROLLS)) watcher.observe(element);
});
