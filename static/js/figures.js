// Draws every [data-figure] with Plotly, which is fetched only by pages that have one.
(() => {
  "use strict";

  const source = document.currentScript.dataset.plotly;
  const settings = { displayModeBar: false, responsive: true };
  let library;

  const loadPlotly = () =>
    (library ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = source;
      script.onload = () => resolve(window.Plotly);
      script.onerror = reject;
      document.head.append(script);
    }));

  const shown = new WeakMap();

  const draw = async (place) => {
    const numbers = document.getElementById(place.dataset.figure).textContent;
    if (numbers === shown.get(place)) return;
    shown.set(place, numbers);
    place.dataset.drawn = "yes";
    const figure = JSON.parse(numbers);
    const plotly = await loadPlotly();
    await plotly.react(place, figure.data, figure.layout, settings);
  };

  // A figure is drawn once; one with data-live again whenever its numbers are others.
  const drawAll = (root) =>
    root.querySelectorAll("[data-figure]:not([data-drawn]), [data-live]").forEach(draw);

  document.addEventListener("DOMContentLoaded", () => drawAll(document));
  document.addEventListener("htmx:afterSettle", () => drawAll(document));
})();
