/* Ce que la page fait une fois ouverte : formules larges, clavier, impression. */
(function () {
  // Une formule trop large défile dans son propre cadre, que le clavier atteint et qu'un lecteur d'écran nomme.
  const FORMULAS = "mjx-container";

  function mark(formula) {
    const display = formula.hasAttribute("display");
    const room = display ? formula.clientWidth : formula.parentElement.closest("p, li, td, dd, div").clientWidth;
    const wide = (display ? formula.scrollWidth : formula.offsetWidth) > room + 1;
    formula.classList.toggle("trop-large", wide || (!display && formula.classList.contains("trop-large")));
    if (!formula.classList.contains("trop-large")) {
      ["tabindex", "role", "aria-label"].forEach((name) => formula.removeAttribute(name));
      return;
    }
    const number = formula.parentElement.querySelector(":scope > .eqno");
    formula.setAttribute("tabindex", "0");
    formula.setAttribute("role", "group");
    formula.setAttribute("aria-label", "Formule" + (number ? " " + number.firstChild.textContent : "") + ", à faire défiler");
  }

  const sizes = new ResizeObserver((entries) => entries.forEach((entry) => mark(entry.target)));
  const seen = new WeakSet();
  // En-tête de colonne fait d'une seule formule : son MathML ne lui donne pas de nom, on le lui donne.
  function nameHeaders() {
    document.querySelectorAll("th mjx-container:not([aria-label])").forEach((formula) => {
      const text = formula.querySelector("mjx-assistive-mml")?.textContent.trim();
      if (!text) return;
      formula.setAttribute("role", "math");
      formula.setAttribute("aria-label", text);
    });
  }
  function watch() {
    nameHeaders();
    document.querySelectorAll(FORMULAS).forEach((formula) => {
      if (!seen.has(formula)) { seen.add(formula); sizes.observe(formula); }
    });
  }
  document.addEventListener("DOMContentLoaded", () => {
    watch();
    new MutationObserver(watch).observe(document.getElementById("main-content"), { childList: true, subtree: true });
  });

  // Le thème retire le focus de ses boutons : qui vient du clavier (detail vaut 0) le retrouve, tout de suite ou en fermant le volet.
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".sidebar-toggle, .theme-switch-button, .search-button");
    if (!button || event.detail) return;
    setTimeout(() => {
      const panel = document.querySelector("dialog[open]");
      if (panel) panel.addEventListener("close", () => setTimeout(() => button.focus()), { once: true });
      else button.focus();
    });
  }, true);
  document.addEventListener("DOMContentLoaded", () => {
    const names = { "pst-primary-sidebar-modal": "Sommaire du livre", "pst-secondary-sidebar-modal": "Sommaire de la page", "pst-search-dialog": "Recherche" };
    for (const [id, name] of Object.entries(names)) document.getElementById(id)?.setAttribute("aria-label", name);
  });

  // À l'impression : thème clair, tout déplié ; puis tout revient comme avant.
  let before = null;
  window.addEventListener("beforeprint", () => {
    const root = document.documentElement;
    before = { theme: root.dataset.theme, closed: [...document.querySelectorAll("details.repli:not([open])")] };
    root.dataset.theme = "light";
    before.closed.forEach((details) => (details.open = true));
  });
  window.addEventListener("afterprint", () => {
    if (!before) return;
    document.documentElement.dataset.theme = before.theme;
    before.closed.forEach((details) => (details.open = false));
    before = null;
  });
})();
