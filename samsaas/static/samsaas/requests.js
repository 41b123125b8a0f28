// A load that failed is told, whatever part of a page asked for it: what happened, Retry, and filters as the table shows them.
// htmx alone would say nothing: the filter would name one thing and the table show another.
(() => {
  "use strict";
  const one = (selector, scope = document) => scope.querySelector(selector);
  const place = one("#failed-load");
  if (!place) return;

  // --- what the controls of a filter say, so that they can go back to it --------------------------------------------------
  const isFilter = (element) => element instanceof HTMLFormElement && element.hasAttribute("hx-get");
  const controlsOf = (form) => [...form.elements].filter((control) => control.name && control.type !== "hidden");
  const isBox = (control) => control.type === "checkbox" || control.type === "radio";

  const read = (control) => {
    if (isBox(control)) return control.checked;
    return control.options ? [...control.options].map((option) => option.selected) : control.value;
  };

  const write = (control, said) => {
    if (isBox(control)) control.checked = said;
    else if (control.options) [...control.options].forEach((option, index) => (option.selected = said[index]));
    else control.value = said;
  };

  // What the server wrote into the page: a browser that goes back may have filled in something else since.
  const readWritten = (control) => {
    if (isBox(control)) return control.defaultChecked;
    if (!control.options) return control.defaultValue;
    const chosen = [...control.options].map((option) => option.defaultSelected);
    if (control.type === "select-one" && !chosen.includes(true)) chosen[0] = true;
    return chosen;
  };

  const stateOf = (form, how) => new Map(controlsOf(form).map((control) => [control, how(control)]));
  const restore = (state) => state.forEach((said, control) => write(control, said));

  const shown = new WeakMap(); // form → what the table shows
  const wanted = new WeakMap(); // request → what the form said when it was sent

  document.querySelectorAll("form[hx-get]").forEach((form) => shown.set(form, stateOf(form, readWritten)));

  // --- the message --------------------------------------------------------------------------------------------------------
  const REASONS = {
    403: "Your account may not do this.",
    404: "It is not there any more.",
    413: "Too much was sent at once.",
    414: "The address became too long. Use fewer or shorter filters.",
    429: "There were too many requests. Wait a moment.",
    503: "The server is busy, or being restarted.",
  };

  const explain = (kind, xhr) => {
    if (kind === "htmx:timeout") return "The server took too long.";
    if (kind === "htmx:sendError") return "The server did not answer.";
    if (REASONS[xhr.status]) return REASONS[xhr.status];
    return xhr.status >= 500 ? `The server had a problem (${xhr.status}).` : `The server refused the request (${xhr.status}).`;
  };

  let failed = null; // the last request that failed
  let leaving = false; // a browser that goes to another page ends its requests

  const tell = (kind, detail) => {
    const { elt, xhr } = detail;
    if (elt.closest("dialog")) return; // an open dialog covers the message and tells it itself
    const before = isFilter(elt) && shown.get(elt);
    if (before) restore(before);
    failed = { ...detail.requestConfig, said: wanted.get(xhr) };
    const stays = before ? " The filters and the table are as before." : " What you see is as it was before.";
    one("[data-failed-load-text]", place).textContent = explain(kind, xhr) + stays;
    place.hidden = false;
  };

  const retry = () => {
    const { elt, path, verb, target, said } = failed;
    place.hidden = true;
    if (!elt.isConnected || !target.isConnected) return location.reload();
    if (said) restore(said);
    elt.focus?.({ preventScroll: true });
    htmx.ajax(verb, path, { source: elt, target });
  };

  // --- what htmx tells ----------------------------------------------------------------------------------------------------
  document.addEventListener("htmx:beforeSend", ({ detail }) => {
    if (isFilter(detail.elt)) wanted.set(detail.xhr, stateOf(detail.elt, read));
  });

  for (const kind of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(kind, ({ detail }) => {
      if (!leaving) tell(kind, detail);
    });
  }

  document.addEventListener("htmx:afterOnLoad", ({ detail }) => {
    if (detail.xhr.status >= 400) return;
    if (wanted.has(detail.xhr)) shown.set(detail.elt, wanted.get(detail.xhr));
    if (failed?.elt === detail.elt || failed?.target === detail.target) place.hidden = true; // it has come by itself
  });

  addEventListener("pagehide", () => (leaving = true));
  addEventListener("pageshow", () => (leaving = false));

  place.addEventListener("click", (event) => {
    if (event.target.closest("[data-retry]")) retry();
    else if (event.target.closest("[data-dismiss]")) place.hidden = true;
  });
})();
