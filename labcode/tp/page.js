/*
 * Les questions dans la page du livre, sans noyau : un modèle minuscule tient lieu
 * de celui de Jupyter, et MathJax compose ce que le widget insère.
 */
import widget from "./question.js";

function pageModel(question) {
  const values = { question, answer: null, attempts: 0, hints: 0, verdict: "", feedback: "" };
  return {
    get: (name) => values[name],
    set: (name, value) => { values[name] = value; },
    save_changes() {},
    on() {},
    off() {},
    typeset(node) {
      const { MathJax } = window;
      // Avant que MathJax ne soit prêt, sa première passe composera toute la page.
      if (!MathJax?.typesetPromise) return;
      MathJax.startup.promise = MathJax.startup.promise.then(() => MathJax.typesetPromise([node])).catch(() => {});
    },
  };
}

function mountAll() {
  for (const el of document.querySelectorAll(".lc-question[data-question]")) {
    try {
      const question = JSON.parse(el.querySelector("script[type='application/json']").textContent);
      window.MathJax?.typesetClear?.([el]);
      widget.render({ model: pageModel(question), el });
    } catch (error) {
      console.error(`Question ${el.dataset.question} :`, error);
    }
  }
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", mountAll);
else mountAll();
