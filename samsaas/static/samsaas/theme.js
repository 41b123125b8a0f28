// Runs before the first paint, so that a dark page never flashes light. It blocks the page on purpose; keep it small.
(() => {
  "use strict";
  const root = document.documentElement;
  let chosen = "auto";
  try {
    chosen = localStorage.getItem("samsaas-theme") || "auto";
  } catch {
    // Storage is switched off: the system's theme is used.
  }
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    root.dataset.bsTheme = root.dataset.themeChoice === "auto" ? (dark.matches ? "dark" : "light") : root.dataset.themeChoice;
  };
  root.dataset.themeChoice = ["light", "dark"].includes(chosen) ? chosen : "auto";
  root.classList.add("js");
  apply();
  dark.addEventListener("change", apply);
  document.addEventListener("samsaas:theme", apply);
})();
