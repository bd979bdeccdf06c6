async ({ parts, about }) => {
  // The one page of HTML, made ready for paper.
  await window.MathJax?.startup.promise;
  const article = document.querySelector("article");
  const make = (tag, text, parent, name) => {
    const element = parent.appendChild(document.createElement(tag));
    element.textContent = text;
    if (name) element.className = name;
    return element;
  };
  const heading = section => section.querySelector(":is(h1, h2)").firstChild.textContent.trim();

  // What only a screen can do goes; so does folded code, except a solution's.
  article.querySelectorAll("details.above-input").forEach(details => {
    if (!details.closest(".solution")) details.remove();
  });
  article.querySelectorAll("details > summary").forEach(summary => {
    if (summary.closest(".cell")) summary.remove();
  });
  article.querySelectorAll("details").forEach(details => (details.open = true));
  document.querySelectorAll(".toggle-hidden").forEach(e => e.classList.remove("toggle-hidden"));
  article.querySelectorAll("a[href*='index.html#']").forEach(link => (link.href = link.hash));
  const images = [...document.images];
  images.forEach(image => (image.loading = "eager"));
  await Promise.allSettled(images.map(image => image.decode()));

  // Chapters, each with its running head; solutions go to the end, by chapter.
  const chapters = [...article.querySelectorAll(".toctree-wrapper > section")];
  const end = make("section", "", article, "chapter solutions");
  end.id = "solutions";
  make("h2", "Solutions", end);
  chapters.forEach(chapter => {
    chapter.classList.add("chapter");
    const anchor = chapter.previousElementSibling;
    if (anchor?.tagName == "SPAN") chapter.prepend(anchor);
    const solutions = chapter.querySelectorAll(".solution");
    if (solutions.length) make("h3", heading(chapter), end);
    solutions.forEach(solution => end.append(solution));
  });
  const heads = [...chapters, end].map((chapter, k) => {
    chapter.style.page = `chapter${k}`;
    const words = JSON.stringify(heading(chapter));
    return `@page chapter${k} { @top-left { content: ${words}; font: 8.5pt sans-serif; color: #444; } }`;
  });
  make("style", heads.join("\n"), document.head);

  // Title page and contents, before the first page.
  const first = article.querySelector("section");
  const title = document.createElement("section");
  title.className = "front title";
  make("p", heading(first), title, "name");
  about.forEach(([words, name]) => make("p", words, title, name));
  const contents = document.createElement("section");
  contents.className = "front contents";
  make("h2", "Contents", contents);
  first.classList.add("front");
  article.prepend(title, contents);
  for (const [part, pages] of [...parts, ["Solutions", ["solutions"]]]) {
    make("p", part, contents);
    for (const id of pages) {
      const link = make("a", "", contents);
      link.href = `#${id}`;
      make("span", heading(document.getElementById(id).closest(".chapter")), link);
      make("span", "000", link);
    }
  }
}
