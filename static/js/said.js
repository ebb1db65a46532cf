// [data-said-of]: says in full what a select has chosen, where its box is too narrow.
(() => {
  "use strict";

  const pen = document.createElement("canvas").getContext("2d");
  const fits = (select, text) => {
    const style = getComputedStyle(select);
    pen.font = style.font;
    const edges = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
    return pen.measureText(text).width <= select.clientWidth - edges;
  };
  const say = (place) => {
    const select = document.getElementById(place.dataset.saidOf);
    const text = select.selectedOptions[0].text;
    place.textContent = fits(select, text) ? "" : text;
  };
  const sayAll = () => document.querySelectorAll("[data-said-of]").forEach(say);

  document.addEventListener("DOMContentLoaded", sayAll);
  document.addEventListener("change", sayAll);
  window.addEventListener("resize", sayAll);
})();
