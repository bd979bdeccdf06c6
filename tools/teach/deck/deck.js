// Typeset, make every slide fit its box, then start. Sizes are those of a slide of 1280 x 720.
const SMALLEST = 75; // per cent of the type's size: what a room can still read
const BESIDE = {width: 760, height: 676}; // room for a figure that stands beside the words

const items = slide => [...slide.querySelectorAll(".jp-RenderedHTMLCommon, .jp-Editor, .jp-OutputArea-output")]
  .filter(item => !item.closest("aside"));
const tooWide = box => box.scrollWidth > box.clientWidth + 1;

function tooHigh(slide) {
  const floor = slide.getBoundingClientRect().bottom - parseFloat(getComputedStyle(slide).paddingBottom);
  return items(slide).some(item => item.getBoundingClientRect().bottom > floor + 1);
}
const tooFull = slide => tooHigh(slide) || items(slide).some(tooWide);

// Lower a size until the box fits; return what it came to.
function shrink(box, name, from, to, doesNotFit) {
  let size = from;
  box.style.setProperty(name, size / 100);
  while (size > to && doesNotFit(box)) box.style.setProperty(name, --size / 100);
  return size;
}

// Return what the smallest type on the slide came to, in per cent; 0 if there is too much all the same.
function fitType(slide) {
  items(slide).forEach(item => item.style.setProperty("--wide", 1));
  const height = shrink(slide, "--high", 100, SMALLEST, tooHigh), least = Math.ceil(100 * SMALLEST / height);
  const width = Math.min(...items(slide).map(item => shrink(item, "--wide", 100, least, tooWide)));
  return tooFull(slide) ? 0 : height * width / 100;
}

// No head breaks at a hyphen (R-hat). pandas writes an index's name in a row of its own: it moves up where it can.
function tidyHead(table) {
  for (const cell of table.tHead.querySelectorAll("th")) cell.textContent = cell.textContent.replaceAll("-", "\u2011");
  const [upper, lower, ...more] = table.tHead.rows;
  if (!lower || more.length || upper.cells.length !== lower.cells.length) return;
  const said = row => [...row.cells].map(cell => cell.textContent.trim());
  if (said(lower).some((text, column) => text && said(upper)[column])) return;
  [...lower.cells].forEach((cell, column) => upper.cells[column].append(...cell.childNodes));
  lower.remove();
}

// A figure stands beside the words where that makes it larger and leaves the type hardly smaller.
function placeFigure(slide, stacked) {
  const [figure, ...more] = slide.querySelectorAll(".jp-RenderedImage img");
  if (!figure || more.length || items(slide).length === 1) return;
  const shape = figure.naturalWidth / figure.naturalHeight;
  const under = Math.min(figure.clientWidth, figure.clientHeight * shape);
  const beside = Math.min(BESIDE.width, BESIDE.height * shape);
  if (stacked && beside < 1.04 * under) return;
  slide.style.setProperty("--beside", beside + "px");
  slide.classList.add("figure-beside");
  if (fitType(slide) >= Math.max(stacked - 5, 1)) return;
  slide.classList.remove("figure-beside");
  fitType(slide);
}

// A table stands beside its code where that leaves the type hardly smaller: words keep their size.
function placeTable(slide, stacked) {
  if (stacked > 90 || !slide.querySelector("table.dataframe") || !slide.querySelector(".jp-Editor")) return;
  slide.classList.add("table-beside");
  if (fitType(slide) >= Math.max(stacked - 5, 1)) return;
  slide.classList.remove("table-beside");
  fitType(slide);
}

function fit(slide) {
  slide.classList.add("sheet");
  slide.classList.toggle("only-figure", items(slide).every(item => item.matches(".jp-RenderedImage")));
  slide.querySelectorAll("table.dataframe:has(thead)").forEach(tidyHead);
  const stacked = fitType(slide);
  placeFigure(slide, stacked);
  placeTable(slide, stacked);
}

async function start() {
  await MathJax.startup.promise;
  await Promise.allSettled([...document.fonts].map(font => font.load()));
  await Promise.allSettled([...document.images].map(image => image.decode()));
  document.querySelectorAll(".slides > section > section").forEach(fit);
  const reveal = document.querySelector(".reveal");
  reveal.classList.remove("measured");
  // To start is not to have laid out the pages of a print: that takes some frames more.
  const printed = new Promise(done => reveal.addEventListener("pdf-ready", done, {once: true}));
  await Reveal.initialize({
    width: 1280,
    height: 720,
    margin: 0,
    center: false,
    display: "flex",
    hash: true,
    slideNumber: "c/t",
    controlsLayout: "edges",
    transition: "none",
    scrollActivationWidth: null,
    pdfMaxPagesPerSlide: 1,
    pdfSeparateFragments: false,
    plugins: [RevealNotes, RevealZoom],
  });
  if (Reveal.isPrintView()) await printed;
  document.documentElement.dataset.ready = "yes";
}

start();
