// The slider beside a chart: range and number field follow each other, and the chart says what the chosen point means.
// Without this file the number field and its button do it.
(() => {
  "use strict";
  const part = (event) => event.target.closest("[data-slider]");

  const choose = (slider, value) => {
    const one = (selector) => slider.querySelector(selector);
    const range = one("[data-slider-range]");
    const fields = slider.querySelectorAll(".chart-field");
    const place = Number(value) - Number(range.min);
    const field = fields[place];
    if (!field) return;
    const words = field.querySelector("title").textContent.trim();
    slider.querySelectorAll("rect.chart-bar:not(.chart-key *)").forEach((bar, at) => bar.classList.toggle("chart-chosen", at === place));
    one(".chart-plot .chart-threshold").setAttribute("d", `M${Number(field.getAttribute("x")) + Number(field.getAttribute("width")) / 2} 0v${field.getAttribute("height")}`);
    one(".chart-now strong").textContent = words;
    range.setAttribute("aria-valuetext", words);
    slider.querySelectorAll("tbody tr").forEach((row, at) => row.classList.toggle("chart-row-now", at === place));
  };

  document.addEventListener("input", (event) => {
    const slider = part(event);
    if (!slider || !event.target.matches("[data-slider-range], [data-slider-days]")) return;
    const isRange = event.target.matches("[data-slider-range]");
    const other = slider.querySelector(isRange ? "[data-slider-days]" : "[data-slider-range]");
    if (event.target.value === "") return;
    other.value = event.target.value;
    choose(slider, event.target.value);
  });

  // A click on the chart chooses that point.
  document.addEventListener("click", (event) => {
    const slider = part(event);
    const field = slider && event.target.closest(".chart-field");
    if (!field) return;
    const range = slider.querySelector("[data-slider-range]");
    const value = Number(range.min) + [...slider.querySelectorAll(".chart-field")].indexOf(field);
    range.value = slider.querySelector("[data-slider-days]").value = value;
    choose(slider, value);
  });
})();
