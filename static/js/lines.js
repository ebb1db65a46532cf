// textarea[data-lines]: numbers its lines, and takes the reader to a line at fault.
(() => {
  "use strict";

  const number = (area) => {
    const gutter = document.createElement("pre");
    gutter.className = "lines__numbers";
    gutter.setAttribute("aria-hidden", "true");
    const frame = document.createElement("div");
    frame.className = "lines";
    area.replaceWith(frame);
    frame.append(gutter, area);
    const count = () => {
      const lines = area.value.split("\n").length;
      gutter.textContent = Array.from({ length: lines }, (_, n) => n + 1).join("\n");
    };
    area.addEventListener("input", count);
    area.addEventListener("scroll", () => (gutter.scrollTop = area.scrollTop));
    count();
  };

  const goTo = (area, line) => {
    const lines = area.value.split("\n");
    const start = lines.slice(0, line - 1).join("\n").length + (line > 1);
    area.focus();
    area.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("textarea[data-lines]").forEach(number);
    const fault = document.querySelector("[data-error-line]");
    const area = document.querySelector("textarea[data-lines]");
    if (fault && area) goTo(area, Number(fault.dataset.errorLine));
  });
})();
