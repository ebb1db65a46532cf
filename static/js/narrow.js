// input[data-narrow]: keeps, of the list it names, what contains the typed words.
(() => {
  "use strict";

  document.addEventListener("input", ({ target }) => {
    if (!target.matches("[data-narrow]")) return;
    const list = document.getElementById(target.dataset.narrow);
    const words = target.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    list.querySelectorAll(list.dataset.narrowed).forEach((item) => {
      const text = item.textContent.toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
      left += !item.hidden;
    });
    document.getElementById(`${target.dataset.narrow}-count`).textContent = `${left} left.`;
  });

  // The box belongs to no form: Enter sends nothing.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[data-narrow]")) event.preventDefault();
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-narrow]")) event.stopPropagation();
  }, true);
})();
