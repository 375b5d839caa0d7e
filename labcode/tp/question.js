/*
 * Le widget : construit la question, corrige, garde la réponse. Le même code vit
 * dans le carnet (anywidget) et dans la page du livre (page.js lui tient lieu de
 * noyau). `model` offre get, set, save_changes et, dans la page, typeset (MathJax).
 */
import { check } from "./checks.js";
import { formulaHelp } from "./help.js";
import { echo } from "./typeset.js";
import { load, save, forget } from "./storage.js";

const ATTEMPTS_BEFORE_SOLUTION = 3;
const SYMBOLS = { right: "✓", recorded: "●", invalid: "?", broken: "!" };
const LABELS = { right: "Juste.", recorded: "", invalid: "", broken: "Question en panne." };
let counter = 0;

/** Crée un élément : h("p", {class: "x"}, "texte", autreÉlément). */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Du HTML de la banque (rendu par nos soins, jamais du texte de l'élève). */
function fromBank(tag, attributes, html) {
  const element = h(tag, attributes);
  element.innerHTML = html ?? "";
  return element;
}

/** Une étiquette faite d'une seule formule n'a pas de texte une fois composée : on nomme alors la case par son LaTeX. */
function nameFormula(input, label, i) {
  const formulas = label.querySelectorAll(".math");
  const latex = label.textContent.trim().replaceAll(/\\[()]/g, "");
  const inside = [...formulas].map((formula) => formula.textContent.trim()).join("");
  if (formulas.length && label.textContent.trim().length - inside.length < 3) input.setAttribute("aria-label", `Réponse ${i + 1} : ${latex}`);
}

// ── Saisie, selon le type ──────────────────────────────────────────────────

/** Boutons radio ou cases à cocher : {element, read, write, focus}. */
function optionsInput(question, { id, describedBy, multiple }) {
  const inputs = question.options.map((_, i) =>
    h("input", { type: multiple ? "checkbox" : "radio", name: id, value: i, id: `${id}-${i}` }),
  );
  const legend = { choice: "Une seule réponse est juste", choices: "Cochez toutes les réponses justes", prediction: "Votre prédiction" };
  const element = h(
    "fieldset",
    { "aria-describedby": describedBy },
    h("legend", {}, legend[question.type]),
    ...question.options.map((option, i) =>
      h("div", { class: "lc-option" }, inputs[i], fromBank("label", { for: `${id}-${i}` }, option.text)),
    ),
  );
  inputs.forEach((input, i) => nameFormula(input, input.nextSibling, i));
  const ticked = () => inputs.flatMap((input, i) => (input.checked ? [i] : []));
  return {
    element,
    read: () => (multiple ? ticked() : ticked()[0] ?? null),
    write: (answer) => inputs.forEach((input, i) => { input.checked = multiple ? Array.isArray(answer) && answer.includes(i) : answer === i; }),
    focus: () => inputs[0].focus(),
  };
}

function textInput(question, { id, describedBy }) {
  const isFormula = question.type === "formula";
  const input = h("input", {
    type: "text", id, autocomplete: "off", autocapitalize: "off", spellcheck: "false",
    inputmode: isFormula ? null : "text", maxlength: 600, "aria-describedby": describedBy,
  });
  const label = h("label", { for: id }, isFormula ? "Votre formule" : question.unit ? `Votre réponse (en ${question.unit})` : "Votre réponse");
  // L'écho double le champ pour l'œil ; un lecteur d'écran a déjà le texte saisi.
  const echoed = isFormula ? h("div", { class: "lc-echo", "aria-hidden": "true" }) : null;
  const refresh = () => echoed && echo(echoed, input.value, Object.keys(question.variables));
  input.addEventListener("input", refresh);
  return {
    element: h("div", { class: "lc-text" }, label, input, echoed, isFormula ? formulaHelp(question, h) : null),
    read: () => input.value.trim(),
    write: (answer) => {
      input.value = typeof answer === "string" ? answer : "";
      refresh();
    },
    focus: () => input.focus(),
  };
}

const INPUTS = {
  choice: (question, ids) => optionsInput(question, ids),
  prediction: (question, ids) => optionsInput(question, ids),
  choices: (question, ids) => optionsInput(question, { ...ids, multiple: true }),
  number: textInput,
  formula: textInput,
};

/** Une formule ou un tableau trop larges défilent : le clavier doit pouvoir les atteindre. */
function watchOverflow(root) {
  new ResizeObserver(() => {
    for (const wide of root.querySelectorAll(".math.block, .lc-echo, table")) {
      if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
      else wide.removeAttribute("tabindex");
    }
  }).observe(root);
}

// ── La question ────────────────────────────────────────────────────────────

function heading(question, id) {
  const stars = "★".repeat(question.difficulty) + "☆".repeat(3 - question.difficulty);
  const meta = h("p", { class: "lc-meta" },
    h("span", { "aria-hidden": "true", class: "lc-stars" }, stars),
    h("span", { class: "lc-hidden" }, `Difficulté : ${question.difficulty} sur 3`),
    h("span", {}, `${question.minutes} min`),
  );
  if (question.source) meta.append(h("span", {}, question.source));
  const kind = question.type === "prediction" ? "Prédiction" : "Question";
  return h("div", { class: "lc-head" }, h("p", { class: "lc-title", id }, `${kind} : ${question.title}`), meta);
}

function render({ model, el }) {
  const question = model.get("question");
  const id = `lc-${question.id}-${++counter}`;
  const ids = { id: `${id}-answer`, describedBy: `${id}-statement` };
  const input = INPUTS[question.type](question, ids);
  const judged = question.type !== "prediction";
  const hints = question.hints ?? [];
  const open = question.edition === "professeur";
  const typeset = (node) => model.typeset?.(node);

  const submit = h("button", { type: "submit", class: "lc-primary" }, judged ? "Vérifier" : "Enregistrer ma prédiction");
  const hintButton = hints.length && !open ? h("button", { type: "button" }) : null;
  const reset = h("button", { type: "button" }, "Recommencer");
  const attemptsText = h("span", { class: "lc-attempts" });
  const status = h("div", { class: "lc-status", role: "status" });
  const hintList = h("ol", { class: "lc-hints", "aria-live": "polite", "aria-label": "Indices" });
  const solutionSlot = h("div");
  const form = h("form", { novalidate: true }, input.element, h("div", { class: "lc-buttons" }, submit, hintButton, reset, attemptsText));

  const root = h("div", { class: "lc-card", role: "group", "aria-labelledby": `${id}-title`, "data-lm-suppress-shortcuts": "true" },
    heading(question, `${id}-title`),
    fromBank("div", { class: "lc-statement", id: ids.describedBy }, question.statement),
    form, status, hintList, solutionSlot,
  );

  const state = () => ({ answer: model.get("answer"), attempts: model.get("attempts"), hints: model.get("hints"), verdict: model.get("verdict") });
  const change = (values) => {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
    save(question, state());
  };

  function showStatus(result) {
    status.className = `lc-status lc-${result.ok === null ? "recorded" : result.ok ? "right" : result.kind === "invalid" ? "invalid" : "wrong"}`;
    const label = LABELS[result.kind] ?? "Pas encore.";
    status.replaceChildren(
      h("span", { class: "lc-symbol", "aria-hidden": "true" }, SYMBOLS[result.kind] ?? "✗"),
      h("div", {}, label ? h("strong", {}, label) : null, result.html ? fromBank("div", {}, result.message) : h("p", {}, result.message)),
    );
    if (result.html) typeset(status);
  }

  function showProgress() {
    const { attempts, hints: shown, verdict } = state();
    attemptsText.textContent = judged && attempts ? `${attempts} essai${attempts > 1 ? "s" : ""}` : "";
    while (hintList.childElementCount < (open ? hints.length : shown)) {
      hintList.append(fromBank("li", {}, hints[hintList.childElementCount]));
      typeset(hintList.lastElementChild);
    }
    hintList.hidden = hintList.childElementCount === 0;
    if (hintButton) {
      const left = shown < hints.length;
      hintButton.textContent = left ? `Indice ${shown + 1}/${hints.length}` : "Plus d'indice";
      hintButton.setAttribute("aria-disabled", String(!left));
    }
    const earned = open || verdict === "right" || attempts >= ATTEMPTS_BEFORE_SOLUTION;
    if (earned && question.solution && !solutionSlot.childElementCount) {
      solutionSlot.append(h("details", { class: "lc-solution", open }, h("summary", {}, "Solution"), fromBank("div", {}, question.solution)));
      typeset(solutionSlot);
    }
    if (!earned) solutionSlot.replaceChildren();
  }

  function submitAnswer() {
    const answer = input.read();
    const result = check(question, answer);
    showStatus(result);
    if (result.kind === "invalid" || result.kind === "broken") return;
    const again = JSON.stringify(answer) === JSON.stringify(model.get("answer")) && model.get("verdict") !== "";
    const verdict = result.ok === null ? "recorded" : result.ok ? "right" : "wrong";
    change({ answer, verdict, attempts: model.get("attempts") + (again ? 0 : 1) });
    showProgress();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submitAnswer();
  });
  // JupyterLab garde pour lui la touche Entrée : on l'entend avant lui.
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.tagName !== "INPUT" || event.shiftKey || event.ctrlKey || event.altKey || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    submitAnswer();
  });
  hintButton?.addEventListener("click", () => {
    if (model.get("hints") >= hints.length) return;
    change({ hints: model.get("hints") + 1 });
    showProgress();
  });
  reset.addEventListener("click", () => {
    change({ answer: null, attempts: 0, hints: 0, verdict: "" });
    forget(question);
    input.write(null);
    hintList.replaceChildren();
    showStatus({ ok: null, kind: "recorded", message: "Votre réponse est effacée." });
    showProgress();
    input.focus();
  });

  // La réponse gardée par le navigateur revient ; elle est rejugée, jamais crue sur parole.
  const stored = load(question);
  if (stored && !model.get("attempts")) change(stored);
  const { answer, verdict } = state();
  input.write(answer);
  if (verdict) {
    const result = check(question, answer);
    if (result.kind === "invalid" || result.kind === "broken") change({ answer: null, attempts: 0, verdict: "" });
    else {
      showStatus(result);
      change({ verdict: result.ok === null ? "recorded" : result.ok ? "right" : "wrong" });
    }
  }
  showProgress();
  el.replaceChildren(root);
  el.classList.add("lc-question");
  typeset(el);
  watchOverflow(root);
}

export default { render };
