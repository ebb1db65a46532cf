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

  const draw = async (place) => {
    place.dataset.drawn = "yes";
    const figure = JSON.parse(document.getElementById(place.dataset.figure).textContent);
    const plotly = await loadPlotly();
    await plotly.newPlot(place, figure.data, figure.layout, settings);
  };

  const drawAll = (root) =>
    root.querySelectorAll("[data-figure]:not([data-drawn])").forEach(draw);

  document.addEventListener("DOMContentLoaded", () => drawAll(document));
  document.addEventListener("htmx:afterSettle", () => drawAll(document));
})();
