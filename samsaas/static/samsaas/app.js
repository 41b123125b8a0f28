// Conveniences; every page works without this file. Listeners are on the document, so content that htmx swaps in needs no setup.
(() => {
  "use strict";
  const one = (selector, scope = document) => scope.querySelector(selector);
  const all = (selector, scope = document) => [...scope.querySelectorAll(selector)];

  const announce = (text) => {
    const region = one("#announcements");
    if (region) region.textContent = text;
  };

  // --- a page that loads itself again waits for one who is going elsewhere ------------------------------------------------
  // The reload would end the navigation: the link was clicked, and nothing came of it. Who saved a file has not left.
  const LEAVES_WITHIN = 15_000;
  let leavingSince = -LEAVES_WITHIN;
  const isLeaving = () => performance.now() - leavingSince < LEAVES_WITHIN;
  const reload = () => {
    if (!isLeaving()) location.reload();
  };

  addEventListener("beforeunload", () => (leavingSince = performance.now()));
  addEventListener("pageshow", () => (leavingSince = -LEAVES_WITHIN));
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    if (isLeaving() && event.detail.xhr.getResponseHeader("HX-Refresh")) event.preventDefault(); // it asks again
  });

  // --- theme: auto, light or dark, kept in this browser ---------------------------------------------------------------
  const markTheme = () =>
    all("[data-theme-option]").forEach((button) =>
      button.setAttribute("aria-pressed", String(button.dataset.themeOption === document.documentElement.dataset.themeChoice)),
    );

  const chooseTheme = (choice) => {
    document.documentElement.dataset.themeChoice = choice;
    try {
      localStorage.setItem("samsaas-theme", choice);
    } catch {
      // Storage is switched off: the choice lasts until the next page.
    }
    document.dispatchEvent(new Event("samsaas:theme"));
    markTheme();
  };

  // --- copy buttons ---------------------------------------------------------------------------------------------------
  const copy = async (button) => {
    const label = one("[data-copy-label]", button) || button;
    const before = label.textContent;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      label.textContent = "Copied";
    } catch {
      // Plain HTTP has no clipboard: select the text, so that the user can copy it with one key press.
      const source = one("[data-copy-source]", button.parentElement);
      if (source) getSelection().selectAllChildren(source);
      label.textContent = "Press Ctrl+C";
    }
    announce(label.textContent);
    setTimeout(() => (label.textContent = before), 2000);
  };

  // --- forms with a confirmation -------------------------------------------------------------------------------------------
  const askFirst = (event, form) => {
    const dialog = one("#confirm-dialog");
    if (form.dataset.confirmed || !dialog) return;
    event.preventDefault();
    const submitter = event.submitter;
    one("[data-confirm-text]", dialog).textContent = form.dataset.confirm;
    const yes = one("[value=yes]", dialog);
    const dangerous = submitter?.matches(".btn-danger, .btn-outline-danger");
    yes.textContent = form.dataset.confirmLabel || "Continue";
    yes.className = `btn ${dangerous ? "btn-danger" : "btn-primary"}`;
    dialog.returnValue = "";
    dialog.addEventListener(
      "close",
      () => {
        if (dialog.returnValue !== "yes") return;
        form.dataset.confirmed = "yes";
        form.requestSubmit(submitter);
        delete form.dataset.confirmed;
      },
      { once: true },
    );
    dialog.showModal();
  };

  // --- Get OAuth Token in a pop-up ------------------------------------------------------------------------------------
  // The windows use a BroadcastChannel, because on the way back there is no opener, and the page also polls the server.
  // A vendor's page may cut the windows apart, and then the handle says "closed" although the window is open. So a closed
  // window ends the waiting in words only: an answer that comes all the same is still taken.
  const CHANNEL = "samsaas-oauth";
  const POLL_EVERY = 3000;
  const GIVE_UP_AFTER = 10 * 60 * 1000; // an OAuth state expires then

  const CLOSED =
    "The vendor’s window was closed before an answer came. Nothing was changed. If it is still open, go on there; this page notices.";
  let stopWaiting = () => {};

  const waitForAuthorization = (popup, tryAgain) => {
    stopWaiting();
    const place = one("[data-authorization-poll]");
    const text = place && one("[data-authorization-text]", place);
    const say = (words) => {
      if (text && text.textContent !== words) text.textContent = words;
    };
    const offerAgain = (ended) => {
      if (!place) return;
      one(".spin", place).toggleAttribute("hidden", ended);
      one("[data-authorization-again]", place).hidden = !ended;
    };
    if (place) place.hidden = false;
    offerAgain(false);
    say("Waiting for your answer in the vendor’s window.");
    const channel = new BroadcastChannel(CHANNEL);
    channel.onmessage = reload;
    if (!place) return;
    one("[data-authorization-again]", place).onclick = tryAgain;
    const since = Date.now();
    let seenClosed = 0; // the window also counts as closed while it comes back with the answer, so once is not enough
    stopWaiting = () => {
      clearInterval(timer);
      channel.close();
    };
    const timer = setInterval(async () => {
      if (Date.now() - since > GIVE_UP_AFTER) {
        stopWaiting();
        offerAgain(true);
        say("No answer came within ten minutes. Press the button again to start over.");
        return;
      }
      try {
        const answer = await fetch(place.dataset.authorizationPoll, { headers: { Accept: "application/json" } });
        if (answer.redirected) return reload(); // the session is over: this leads to the sign-in page
        if (!answer.ok) return;
        const state = await answer.json();
        if (!state.waiting) return reload();
        seenClosed = popup.closed ? seenClosed + 1 : 0;
        if (seenClosed > 1) offerAgain(true);
        say(seenClosed > 1 ? CLOSED : state.text || "Still waiting for the vendor.");
      } catch {
        say("Still waiting for the vendor. The connection to this application was lost for a moment.");
      }
    }, POLL_EVERY);
  };

  const openPopup = (form, submitter) => {
    const popup = window.open("", "oauth", "popup,width=720,height=820");
    if (!popup) return; // blocked: the form continues in this window
    form.target = "oauth";
    if (!form.elements.namedItem("popup")) {
      const field = Object.assign(document.createElement("input"), { type: "hidden", name: "popup", value: "1" });
      form.append(field);
    }
    popup.focus();
    waitForAuthorization(popup, () => form.requestSubmit(submitter));
  };

  const reportResult = () => {
    const result = one("[data-oauth-result]");
    if (!result) return;
    const channel = new BroadcastChannel(CHANNEL);
    channel.postMessage({ result: result.dataset.oauthResult });
    if ("popup" in result.dataset && result.dataset.oauthResult === "success") setTimeout(() => window.close(), 1500);
  };

  // --- on a phone the filters are folded unless one is in use ----------------------------------------------------
  const foldFilters = () => {
    if (!matchMedia("(max-width: 40rem)").matches || one(".chips")) return;
    all("details[data-fold]").forEach((details) => (details.open = false));
  };

  // --- a refused form: focus the first field to correct ---------------------------------------------------------------
  const focusFirstError = () => {
    const field = one('main [aria-invalid="true"]');
    if (!field) return;
    const folded = field.closest("details");
    if (folded) folded.open = true;
    if (!field.closest(".filters")) field.focus();
  };

  // --- leaving a form that is not saved asks: one that was changed, or one that came back refused with what was typed --------
  const LONG_FORMS = "main form:is(.form-card, .rule-form)";
  let sent = null; // the form that is on its way; a file may be the answer, and then one goes on typing

  const isChanged = (field) => {
    if (!field.name || ["hidden", "submit", "button"].includes(field.type)) return false;
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (!field.options) return field.value !== field.defaultValue;
    const options = [...field.options];
    const firstOne = !field.multiple && !options.some((option) => option.defaultSelected); // is chosen by the browser
    return options.some((option, at) => option.selected !== (firstOne ? at === 0 : option.defaultSelected));
  };
  const REFUSED = '[aria-invalid="true"], .errorlist, [role="alert"]';
  const isUnsaved = (form) =>
    form.method === "post" && form !== sent && (one(REFUSED, form) || [...form.elements].some(isChanged));

  addEventListener("beforeunload", (event) => {
    if (all(LONG_FORMS).some(isUnsaved)) event.preventDefault();
  });
  document.addEventListener("input", (event) => {
    if (event.target.form === sent) sent = null;
  });

  // --- one listener per event -----------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const option = event.target.closest("[data-theme-option]");
    if (option) return chooseTheme(option.dataset.themeOption);
    const button = event.target.closest("[data-copy]");
    if (button) return void copy(button);
    const opener = event.target.closest("[data-dialog]");
    if (opener) return one(`#${CSS.escape(opener.dataset.dialog)}`)?.showModal();
    if (event.target.closest("[data-close]")) return window.close();
    if (event.target.closest("[data-print]")) return window.print();
    const row = event.target.closest("tr[data-row-link]");
    const busy = event.target.closest("a, button, input, select, label, summary") || String(getSelection());
    if (row && !busy) one("a", row)?.click();
  });

  // --- a menu that drops down closes on a click elsewhere and on Escape ------------------------------------------------
  const closeDrops = (target) =>
    all("details[data-drop][open]").forEach((drop) => {
      if (drop.contains(target)) return;
      drop.open = false;
    });
  document.addEventListener("click", (event) => closeDrops(event.target));
  document.addEventListener("keydown", (event) => {
    const drop = event.key === "Escape" && event.target.closest("details[data-drop][open]");
    if (!drop) return;
    drop.open = false;
    one("summary", drop).focus();
  });

  // --- tick boxes of a filter: the line that opens them names what is ticked ---------------------------------------------
  document.addEventListener("change", (event) => {
    const ticks = event.target.closest("details[data-ticks]");
    if (!ticks) return;
    const chosen = all("input:checked", ticks).map((box) => box.parentElement.textContent.trim());
    one("summary", ticks).textContent = chosen.join(", ") || "Any";
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.confirm) askFirst(event, form);
    if (!event.defaultPrevented && form.dataset.popup === "oauth") openPopup(form, event.submitter);
    if (!event.defaultPrevented) sent = form;
  });

  document.addEventListener("change", (event) => {
    const folded = one(`details[data-opened-by="${CSS.escape(event.target.name)}"]`);
    if (folded && event.target.value === folded.dataset.openedAt) folded.open = true;
    if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
  });

  // Filters leave empty fields out of the address.
  document.addEventListener("formdata", (event) => {
    if (event.target.method !== "get") return;
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea, [contenteditable], dialog")) return;
    const filter = one("[data-page-filter]");
    if (!filter) return;
    event.preventDefault();
    filter.focus();
    filter.select();
  });

  document.addEventListener("htmx:afterSwap", () => announce(one("[data-row-count]")?.textContent.trim() || ""));

  markTheme();
  foldFilters();
  focusFirstError();
  reportResult();
})();
