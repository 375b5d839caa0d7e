/* Chargé après require.js et avant embed-amd.js : les widgets enregistrés vivent sans aucun autre serveur. */
(function () {
  const vendor = new URL("vendor/", document.currentScript.src).href;
  window.requirejs.config({
    paths: {
      anywidget: vendor + "anywidget/index",
      "@jupyter-widgets/html-manager/dist": vendor + "widgets", // dossier des polices d'html-manager
    },
  });

  // html-manager parle l'interface de MathJax 2 (Hub.Queue) : on la traduit pour MathJax 3.
  const hub = {
    Queue(call) {
      const element = call && call[2], startup = window.MathJax.startup;
      if (element && startup && startup.promise) startup.promise.then(() => window.MathJax.typesetPromise([element]));
    },
  };
  let mathjax = window.MathJax;
  Object.defineProperty(window, "MathJax", {
    configurable: true,
    get: () => mathjax,
    set(value) { mathjax = value; if (value) value.Hub = hub; },
  });
  window.MathJax = mathjax;

  // Curseurs : nom lu par les lecteurs d'écran, virgule décimale à l'écran.
  const toComma = (text) => text.replace(/(\d)\.(\d)/g, "$1,$2");
  const toPoint = (text) => text.replace(/(\d),(\d)/g, "$1.$2");

  function repair() {
    document.querySelectorAll(".widget-slider, .widget-hprogress, .widget-vprogress").forEach((widget) => {
      const label = widget.querySelector(".widget-label"), name = label && label.textContent.trim();
      const control = widget.querySelector('[role="slider"], .progress');
      if (control && control.matches(".progress")) control.setAttribute("role", "group");
      if (control && name) control.setAttribute("aria-label", name);
      const readout = widget.querySelector(".widget-readout");
      if (!readout) return;
      if (name) readout.setAttribute("aria-label", name + " (valeur)");
      if (readout !== document.activeElement && readout.textContent !== toComma(readout.textContent)) readout.textContent = toComma(readout.textContent);
      const value = control && control.getAttribute("aria-valuetext");
      if (value && value !== toComma(value)) control.setAttribute("aria-valuetext", toComma(value));
    });
  }
  new MutationObserver(repair).observe(document.documentElement, { childList: true, subtree: true, characterData: true, attributeFilter: ["aria-valuetext"] });

  // Le widget relit ce que l'on tape : on lui rend le point décimal juste avant.
  const giveBack = (event) => {
    if (event.target.matches && event.target.matches(".widget-readout") && (event.type === "blur" || event.key === "Enter"))
      event.target.textContent = toPoint(event.target.textContent);
  };
  document.addEventListener("blur", giveBack, true);
  document.addEventListener("keydown", giveBack, true);
})();
