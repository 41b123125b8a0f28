// The search for everything as a dialog. Without this file its button leads to the same search as a page.
(() => {
  "use strict";
  const finder = document.querySelector("#finder");
  if (!finder) return;
  const text = finder.querySelector("#finder-text");
  const place = finder.querySelector("#finder-found");
  const options = () => [...place.querySelectorAll("[role=option]")];
  let active = null; // the option that Enter opens
  let shownFor = null; // the text that the options belong to

  const announce = (words) => {
    const region = document.querySelector("#announcements");
    if (region) region.textContent = words;
  };

  const mark = (option) => {
    active?.setAttribute("aria-selected", "false");
    active = option || null;
    text.setAttribute("aria-expanded", String(options().length > 0));
    if (!active) {
      text.removeAttribute("aria-activedescendant");
      return;
    }
    active.setAttribute("aria-selected", "true");
    text.setAttribute("aria-activedescendant", active.id);
    active.scrollIntoView({ block: "nearest" });
  };

  const move = (steps) => {
    const all = options();
    if (!all.length) return;
    mark(all[(all.indexOf(active) + steps + all.length) % all.length]);
  };

  const open = () => {
    if (document.querySelector("dialog[open]")) return;
    finder.showModal();
    text.focus();
    text.select();
    htmx.trigger(text, "finder-opened");
  };

  // --- keys ---------------------------------------------------------------------------------------------------------------
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
      event.preventDefault();
      open();
    }
    // A page with a list has this key for the search of the list.
    const isTyping = event.target.closest("input, select, textarea, [contenteditable], dialog");
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
    if (document.querySelector("[data-page-filter]")) return;
    event.preventDefault();
    open();
  });

  text.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (steps) {
      event.preventDefault();
      move(steps);
    }
    // Faster than the answer: the form leads to the page, which searches for what is typed now.
    if (event.key === "Enter" && !event.isComposing && active && shownFor === text.value) {
      event.preventDefault();
      active.click();
    }
  });

  // --- the mouse ----------------------------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-finder-open]");
    if (opener && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      open();
    } else if (event.target === finder || event.target.closest("[data-finder-close]")) finder.close();
  });

  // --- answers ------------------------------------------------------------------------------------------------------------
  document.addEventListener("htmx:beforeRequest", ({ detail }) => {
    if (detail.elt === text) detail.xhr.searched = text.value;
  });

  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target !== place) return;
    shownFor = detail.xhr.searched;
    mark(options()[0]);
    if (active) text.setAttribute("aria-controls", "finder-list");
    else text.removeAttribute("aria-controls");
    announce(active ? `${options().length} found` : place.textContent.trim());
  });

  for (const kind of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(kind, ({ detail }) => {
      if (detail.elt !== text) return;
      place.replaceChildren(Object.assign(document.createElement("p"), { className: "none" }));
      place.firstChild.textContent = "The search did not answer. Press Enter to search again on a page of its own.";
      mark(null);
      announce(place.textContent);
    });
  }
})();
