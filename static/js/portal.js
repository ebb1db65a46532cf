// Small behaviours that pages ask for with data attributes; all of them are comforts.
(() => {
  "use strict";

  // form[data-confirm]: ask first.
  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !window.confirm(question)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, true);

  // button[data-once]: one click, one request. Disabled a moment later, so that the
  // browser still sends the button's own value. Uploads see to their own.
  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-upload]")) return;
    const buttons = event.target.querySelectorAll("[data-once]");
    window.setTimeout(() => buttons.forEach((button) => (button.disabled = true)));
  });
  const release = (place) =>
    place.querySelectorAll("[data-once]").forEach((button) => (button.disabled = false));
  window.addEventListener("pageshow", () => release(document));
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.matches("form")) release(event.detail.elt);
  });

  // button[data-copy]: put the text on the clipboard, and say so.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    document.getElementById("announcements").textContent = "Copied.";
    button.dataset.copied = "";
    window.setTimeout(() => delete button.dataset.copied, 2000);
  });

  // details[data-menu]: closes on Escape and on a click elsewhere.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details[data-menu][open]").forEach((menu) => {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details[data-menu][open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });

  // [data-key]: this key, pressed outside of a field, puts the cursor there.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea, [contenteditable]")) return;
    const field = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!field) return;
    event.preventDefault();
    field.focus();
  });

  // htmx found the server away or failing: say so, once, where messages stand.
  const sayFailure = () => {
    const alert = document.createElement("div");
    alert.className = "usa-alert usa-alert--error usa-alert--slim";
    alert.innerHTML = '<div class="usa-alert__body"><p class="usa-alert__text"></p></div>';
    alert.querySelector("p").textContent =
      "The portal did not answer as it should. Reload the page to see where things stand.";
    document.getElementById("messages").replaceChildren(alert);
  };
  document.addEventListener("htmx:responseError", sayFailure);
  document.addEventListener("htmx:sendError", sayFailure);

  // [data-focus]: takes the focus when it appears, as a summary of errors does.
  const focusNews = (event) => event.target.querySelector("[data-focus]")?.focus();
  document.addEventListener("DOMContentLoaded", focusNews);
  document.addEventListener("htmx:afterSettle", focusNews);

  // A part of the page that htmx fetches anew keeps the focus that it held: on the
  // control that is called the same, or on the part itself.
  let held = null;
  document.addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
    const focus = document.activeElement;
    const isInside = focus !== document.body && target.id && target.contains(focus);
    held = isInside && { part: target.id, tag: focus.tagName, name: focus.textContent.trim() };
  });
  document.addEventListener("htmx:afterSettle", () => {
    const part = held && document.getElementById(held.part);
    if (!part || document.activeElement !== document.body) return;
    const named = (one) => one.textContent.trim() === held.name && !one.disabled;
    const same = [...part.querySelectorAll(held.tag)].find(named);
    if (!same) part.tabIndex = -1;
    (same ?? part).focus({ preventScroll: true });
    held = null;
  });
})();
