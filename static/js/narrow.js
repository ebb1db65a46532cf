// input[data-narrow]: keeps, of the list it names, what contains the typed words.
(() => {
  "use strict";

  const narrow = (box) => {
    const list = document.getElementById(box.dataset.narrow);
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    list.querySelectorAll(list.dataset.narrowed).forEach((item) => {
      const text = item.textContent.toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
      left += !item.hidden;
    });
    document.getElementById(`${box.dataset.narrow}-count`).textContent = `${left} left.`;
  };

  document.addEventListener("input", ({ target }) => {
    if (target.matches("[data-narrow]")) narrow(target);
  });
  // A list that was fetched anew shows everything at first.
  document.addEventListener("htmx:afterSettle", () => {
    document.querySelectorAll("[data-narrow]").forEach((box) => box.value && narrow(box));
  });

  // The box belongs to no form: Enter sends nothing.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[data-narrow]")) event.preventDefault();
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-narrow]")) event.stopPropagation();
  }, true);
})();
