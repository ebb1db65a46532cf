// Tables of runs: completes filters as they are written, and counts what is chosen.
(() => {
  "use strict";

  // input[data-complete]: a combobox. What could come next is fetched by htmx into the
  // list; arrow keys go through it, Enter and Tab take, Escape closes.
  const complete = (field) => {
    const list = document.querySelector(field.getAttribute("hx-target"));
    let active = -1;
    const options = () => [...list.children];

    const mark = (place) => {
      active = place;
      options().forEach((option, n) => option.setAttribute("aria-selected", n === place));
      const chosen = options()[place];
      if (chosen) {
        field.setAttribute("aria-activedescendant", chosen.id);
        chosen.scrollIntoView({ block: "nearest" });
      } else {
        field.removeAttribute("aria-activedescendant");
      }
    };
    // What is listed belongs to a text that was changed since.
    const isStale = () => "stale" in list.dataset;
    const show = (wanted) => {
      list.hidden = !wanted;
      delete list.dataset.stale;
      field.setAttribute("aria-expanded", String(wanted));
      mark(-1);
    };
    const take = (option) => {
      field.value = option.dataset.filter;
      field.setSelectionRange(option.dataset.at, option.dataset.at);
      field.focus();
      show(false);
      htmx.trigger(field, "complete");
    };
    const step = (by) => {
      const count = options().length;
      if (!count || isStale()) return;
      mark(active < 0 && by < 0 ? count - 1 : (active + by + count) % count);
    };

    field.setAttribute("role", "combobox");
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", list.id);
    show(false);
    field.addEventListener("keydown", (event) => {
      const isOpen = !list.hidden;
      if (event.key === "ArrowDown" && !isOpen) {
        htmx.trigger(field, "complete");
      } else if (event.key === "ArrowDown" || (event.key === "ArrowUp" && isOpen)) {
        step(event.key === "ArrowDown" ? 1 : -1);
      } else if (event.key === "Escape" && isOpen) {
        show(false);
      } else if ((event.key === "Enter" || event.key === "Tab") && isOpen && active >= 0) {
        take(options()[active]);
      } else {
        return;
      }
      event.preventDefault();
    });
    field.addEventListener("input", () => {
      mark(-1);
      list.dataset.stale = "";
    });
    field.addEventListener("blur", () => show(false));
    // Before the field loses the focus, so that the list is still there.
    list.addEventListener("mousedown", (event) => {
      const option = event.target.closest("[role=option]");
      event.preventDefault();
      if (option && !isStale()) take(option);
    });
    field.addEventListener("htmx:configRequest", (event) => {
      event.detail.parameters.at = field.selectionStart;
    });
    document.addEventListener("htmx:afterSwap", (event) => {
      if (event.detail.target !== list) return;
      show(document.activeElement === field && options().length > 0);
    });
  };

  // form[data-choices]: says how many runs are chosen; [data-choose-all] in its table
  // holds a box that ticks all of the table.
  const count = (form) => {
    const place = form.querySelector("[data-count]");
    const all = form.querySelector("[data-choose-all]");
    const box = all?.querySelector("input");
    const listed = () => [...(all?.closest("table").querySelectorAll("[name=run]") ?? [])];
    const tell = () => {
      const chosen = form.querySelectorAll("[name=run]:checked").length;
      if (place) place.textContent = `${chosen} chosen.`;
      if (box) box.checked = listed().every((run) => run.checked);
    };
    form.addEventListener("change", ({ target }) => {
      if (target === box) listed().forEach((run) => (run.checked = box.checked));
      tell();
    });
    window.addEventListener("pageshow", tell);
    if (all) all.hidden = false;
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-complete]").forEach(complete);
    document.querySelectorAll("[data-choices]").forEach(count);
  });
})();
