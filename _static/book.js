// What scrolls inside itself can be reached by the keyboard: wide formulas, tables and outputs.
const SCROLLS = "mjx-container[display], .cell_output .text_html, .cell_output .output, .pst-scrollable-table-container, pre";

// Sizes change when the window does, and when a fold opens. Its last stretch is faded until it has come to the end.
const watcher = new ResizeObserver(changes => {
  for (const {target} of changes) {
    if (target.scrollWidth > target.clientWidth) {
      target.tabIndex = 0;
      target.classList.add("scrolls");
    }
    fade(target);
  }
});
const fade = part => part.classList.toggle("goes-on", part.scrollWidth - part.clientWidth - part.scrollLeft > 1);

addEventListener("load", async () => {
  await document.fonts.ready; // a table that fits may be too wide in another typeface
  await window.MathJax?.startup?.promise;
  for (const element of document.querySelectorAll(SCROLLS)) {
    watcher.observe(element);
    element.addEventListener("scroll", () => fade(element), {passive: true});
  }
});

// A figure is a link to its file. One that is shown much smaller than it was drawn opens on the page instead, as large.
const widthOf = figure => parseFloat(figure.style.width) || figure.naturalWidth;
addEventListener("load", () => {
  const view = document.createElement("dialog");
  view.className = "enlarged";
  view.innerHTML = "<button type=button>Close</button>";
  view.addEventListener("click", () => view.close());
  // A phone's way back leads to the page, not away from it.
  addEventListener("popstate", () => view.close());
  view.addEventListener("close", () => history.state?.enlarged && history.back());
  document.body.append(view);
  const shrinks = new ResizeObserver(changes => {
    for (const {target} of changes)
      target.parentNode.classList.toggle("shrunk", target.clientWidth < 0.8 * widthOf(target));
  });
  for (const figure of document.querySelectorAll("a.image-reference > img")) {
    shrinks.observe(figure);
    figure.parentNode.addEventListener("click", event => {
      if (!figure.parentNode.classList.contains("shrunk") || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      const copy = Object.assign(new Image(), {src: figure.currentSrc, alt: figure.alt, width: widthOf(figure)});
      view.replaceChildren(view.firstChild, copy);
      view.showModal();
      history.pushState({enlarged: true}, "");
    });
  }
});

// Pages that lie on a disk may not be fetched, so results there have no lines from them.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// The theme listens to the first menu button and the first contents button of a page, and hides both: those
// that a reader sees pass their clicks on.
addEventListener("DOMContentLoaded", () => {
  for (const name of [".primary-toggle", ".secondary-toggle"]) {
    const [heard, ...seen] = document.querySelectorAll(name);
    for (const button of seen) button.addEventListener("click", () => heard.click());
  }
});
