// Selecting rows of a list. Without this file the same form does it, with a button for each step.
// The server keeps what is ticked. A page sends it at every tick, and whatever leads to another place of the list waits for that.
(() => {
  "use strict";
  const one = (selector, scope = document) => scope.querySelector(selector);
  const form = () => one("#selection-form");
  const ticks = () => [...document.querySelectorAll("[data-tick]")];

  // --- what the bar says: the same words as samsaas/lib/selection_bar.py ----------------------------------------------
  const words = (count, of) => {
    const shown = (value) => value.toLocaleString("en-US");
    if (of !== undefined) return count === Number(of) ? `All ${shown(count)} selected` : `${shown(count)} of ${shown(Number(of))} selected`;
    return count ? `${shown(count)} selected` : "Nothing selected";
  };

  const show = () => {
    const bar = form();
    if (!bar) return;
    const boxes = ticks();
    const here = boxes.filter((box) => box.checked).length;
    const count = Number(bar.dataset.elsewhere) + here;
    const text = words(count, bar.dataset.of);
    bar.dataset.count = count;
    if (one("[data-selection-text]", bar).textContent !== text) one("[data-selection-text]", bar).textContent = text;
    const all = one("[data-tick-page]");
    if (!all) return;
    all.checked = here > 0 && here === boxes.length;
    all.indeterminate = here > 0 && here < boxes.length;
  };

  const announce = () => (one("#announcements").textContent = one("[data-selection-text]").textContent);

  // --- sending: one request at a time, each with all ticks of the page, so the last one is right ----------------------
  let sending = null;
  let again = false;

  const send = async () => {
    const bar = form();
    if (!bar) return;
    const fields = new URLSearchParams(new FormData(bar));
    fields.set("do", "keep");
    try {
      const answer = await fetch(bar.action, { method: "POST", body: fields, keepalive: true, redirect: "manual" });
      if (answer.status === 400) one("#announcements").textContent = one("[data-selection-text]").textContent = await answer.text();
    } catch {
      // Offline for a moment: the next tick, and every button of the bar, sends the same again.
    }
    if (!again) return;
    again = false;
    await send();
  };

  const keep = () => {
    const address = new URL(location.href);
    address.searchParams.set("selection", form().elements.namedItem("selection").value);
    history.replaceState(history.state, "", address); // back to this page brings the ticks back
    if (sending) again = true;
    else sending = send().finally(() => (sending = null));
  };

  // --- ticking --------------------------------------------------------------------------------------------------------
  let last = null;

  document.addEventListener("click", (event) => {
    const box = event.target.closest("[data-tick]");
    if (!box) return;
    const boxes = ticks();
    const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
    if (event.shiftKey && from >= 0) boxes.slice(from, to + 1).forEach((between) => (between.checked = box.checked));
    last = box;
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-tick-page]")) ticks().forEach((box) => (box.checked = event.target.checked));
    else if (!event.target.matches("[data-tick]")) return;
    show();
    announce();
    keep();
  });

  // --- going on: wait until the ticks have arrived --------------------------------------------------------------------
  document.addEventListener("htmx:confirm", (event) => {
    if (!sending || event.defaultPrevented) return;
    event.preventDefault();
    sending.then(() => event.detail.issueRequest());
  });

  document.addEventListener("submit", (event) => {
    if (event.target !== form() || !sending) return;
    event.preventDefault();
    sending.then(() => event.target.requestSubmit(event.submitter));
  });

  document.addEventListener("htmx:afterSwap", () => {
    show();
    const text = one("[data-selection-text]");
    if (text && form().dataset.count !== "0") one("#announcements").textContent += `, ${text.textContent}`;
    if (text && document.activeElement === document.body && focusGone) text.focus();
    focusGone = false;
  });

  // The button that was pressed may not be there any more after the list was swapped.
  let focusGone = false;
  document.addEventListener("htmx:beforeRequest", (event) => (focusGone = event.target.closest("#selection-form") !== null));

  show();
})();
