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

// The theme listens to the first menu button and the first contents button of a page, and hides both: those
// that a reader sees pass their clicks on.
addEventListener("DOMContentLoaded", () => {
  for (const name of [".primary-toggle", ".secondary-toggle"]) {
    const [heard, ...seen] = document.querySelectorAll(name);
    for (const button of seen) button.addEventListener("click", () => heard.click());
  }
});
