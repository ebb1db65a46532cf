// [data-keep]: stays open, and where it was scrolled to, when htmx fetches its part of
// the page anew. What was scrolled to its end follows the end; [data-tail] begins there.
(() => {
  "use strict";

  const kept = new Map();
  const NEAR = 8;

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-tail]").forEach((place) => {
      place.scrollTop = place.scrollHeight;
    });
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    event.detail.target.querySelectorAll("[data-keep][id]").forEach((place) => {
      const below = place.scrollHeight - place.clientHeight - place.scrollTop;
      kept.set(place.id, { open: place.open, top: place.scrollTop, atEnd: below < NEAR });
    });
  });

  document.addEventListener("htmx:afterSwap", () => {
    document.querySelectorAll("[data-keep][id]").forEach((place) => {
      const state = kept.get(place.id);
      if (!state) return;
      if (state.open) place.open = true;
      place.scrollTop = state.atEnd ? place.scrollHeight : state.top;
    });
    kept.clear();
  });
})();
