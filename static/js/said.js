// [data-said-of]: says in full what a select has chosen, which a phone cuts.
(() => {
  "use strict";

  const say = (place) => {
    const select = document.getElementById(place.dataset.saidOf);
    place.textContent = select.value && select.selectedOptions[0].text;
  };
  const sayAll = () => document.querySelectorAll("[data-said-of]").forEach(say);

  document.addEventListener("DOMContentLoaded", sayAll);
  document.addEventListener("change", sayAll);
})();
