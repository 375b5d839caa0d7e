/*
 * Le widget : construit la question, corrige, garde la réponse. Le même code vit
 * dans le carnet (anywidget) et dans la page du livre (page.js lui tient lieu de
 * noyau). `model` offre get, set, save_changes, on et, dans la page, typeset (MathJax).
 */
import { check } from "./checks.js";
import { fromBank, h } from "./dom.js";
import { inputFor } from "./inputs.js";
import { forget, forgetAside, load, save, setAside } from "./storage.js";

const ATTEMPTS_BEFORE_SOLUTION = 3;
const SYMBOLS = { right: "✓", recorded: "●", invalid: "?", broken: "!" };
const LABELS = { right: "Juste.", recorded: "", invalid: "", broken: "Question en panne." };
const SUBMIT = { prediction: "Enregistrer ma prédiction", text: "Enregistrer ma réponse", code: "J’ai essayé" };
const STATE = ["answer", "attempts", "hints", "verdict"];
let counter = 0;

/** Une formule, un tableau ou un programme trop larges défilent : le clavier doit pouvoir les atteindre. */
function watchOverflow(root) {
  new ResizeObserver(() => {
    for (const wide of root.querySelectorAll(".math.block, .lc-echo, table, pre")) {
      if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
      else wide.removeAttribute("tabindex");
    }
  }).observe(root);
}

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

/** Ce que le navigateur n'a pas pu relire : à télécharger, ou à oublier. */
function asideNote(question) {
  const text = setAside(question);
  if (text === null) return null;
  const download = h("a", { download: `${question.id}.json`, href: URL.createObjectURL(new Blob([text], { type: "application/json" })) }, "Télécharger");
  const drop = h("button", { type: "button" }, "Oublier");
  const note = h("p", { class: "lc-note" }, "Une réponse gardée n’a pas pu être relue : ", download, " ", drop);
  drop.addEventListener("click", () => {
    forgetAside(question);
    note.closest(".lc-card").querySelector(".lc-primary").focus();
    note.remove();
  });
  return note;
}

function render({ model, el }) {
  const question = model.get("question");
  const id = `lc-${question.id}-${++counter}`;
  const { type, edition } = question;
  const hints = question.hints ?? [];
  const open = edition === "professeur";
  const counted = !["prediction", "text", "code"].includes(type) && edition !== "examen";
  const typeset = (node) => model.typeset?.(node);
  let tried = false; // « J'ai essayé », d'une question de code

  const input = inputFor(question, { id: `${id}-answer`, describedBy: `${id}-statement`, changed: edited });
  const submit = h("button", { type: "submit", class: "lc-primary" }, SUBMIT[type] ?? (edition === "examen" ? "Enregistrer" : "Vérifier"));
  const hintButton = hints.length && !open ? h("button", { type: "button" }) : null;
  const reset = h("button", { type: "button" }, "Recommencer");
  const attemptsText = h("span", { class: "lc-attempts" });
  const status = h("div", { class: "lc-status", role: "status" });
  const hintList = h("ol", { class: "lc-hints", "aria-live": "polite", "aria-label": "Indices" });
  const solutionSlot = h("div");
  const form = h("form", { novalidate: true }, input.element, h("div", { class: "lc-buttons" }, submit, hintButton, reset, attemptsText));

  const state = () => Object.fromEntries(STATE.map((name) => [name, model.get(name)]));
  const assign = (values) => {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  };
  function tell() {
    const { verdict, attempts } = state();
    el.dispatchEvent(new CustomEvent("labcode:etat", { bubbles: true, detail: { id: question.id, verdict, attempts } }));
  }
  function keep() {
    const kept = save(question, state());
    root.querySelector(".lc-unsaved")?.remove();
    if (!kept) form.after(h("p", { class: "lc-note lc-unsaved" }, "Ce navigateur ne garde pas les réponses : celle-ci sera perdue en quittant la page."));
    tell();
  }
  const change = (values) => {
    assign(values);
    keep();
  };
  const judge = (answer) => check(question, answer, { verdict: model.get("verdict"), feedback: model.get("feedback") });
  const verdictOf = ({ ok }) => (ok === null ? "recorded" : ok ? "right" : "wrong");

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
    const word = type === "code" ? "vérification" : "essai";
    attemptsText.textContent = (counted || type === "code") && attempts ? `${attempts} ${word}${attempts > 1 ? "s" : ""}` : "";
    while (hintList.childElementCount < (open ? hints.length : shown)) {
      hintList.append(fromBank("li", {}, hints[hintList.childElementCount]));
      typeset(hintList.lastElementChild);
    }
    hintList.hidden = hintList.childElementCount === 0;
    if (hintButton) {
      const left = shown < hints.length;
      hintButton.textContent = left ? `Indice ${shown + 1}/${hints.length}` : "Plus d’indice";
      hintButton.setAttribute("aria-disabled", String(!left));
    }
    const earned = open || tried || verdict === "right" || (verdict === "recorded" && !counted) || attempts >= ATTEMPTS_BEFORE_SOLUTION;
    if (earned && question.solution && !solutionSlot.childElementCount) {
      const unfolded = open || tried || type === "text";
      solutionSlot.append(h("details", { class: "lc-solution", open: unfolded }, h("summary", {}, "Solution"), fromBank("div", {}, question.solution)));
      if (input.review) solutionSlot.append(input.review);
      typeset(solutionSlot);
    }
    if (!earned) solutionSlot.replaceChildren();
  }

  function submitAnswer() {
    const answer = input.read();
    tried = type === "code" && edition !== "examen";
    const result = judge(answer);
    showStatus(result);
    if (result.kind === "invalid" || result.kind === "broken") return;
    const again = type === "code" || (JSON.stringify(answer) === JSON.stringify(model.get("answer")) && model.get("verdict") !== "");
    change({ answer, verdict: verdictOf(result), attempts: model.get("attempts") + (again ? 0 : 1) });
    showProgress();
  }

  /** Un texte libre se garde pendant qu'il s'écrit ; cocher la grille le réévalue. */
  function edited(reviewed) {
    const answer = input.read();
    const result = judge(answer);
    const tooLong = result.kind === "invalid" && answer.text.trim();
    if (reviewed || tooLong) showStatus(result);
    else if (status.classList.contains("lc-invalid")) {
      status.className = "lc-status";
      status.replaceChildren();
    }
    if (result.kind !== "invalid" || !answer.text) change({ answer });
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
    tried = false;
    assign({ answer: null, attempts: 0, hints: 0, verdict: "" });
    forget(question);
    tell();
    input.write(null);
    hintList.replaceChildren();
    showStatus({ ok: null, kind: "recorded", message: "Votre réponse est effacée." });
    showProgress();
    input.focus();
  });

  function restore() {
    const { answer, verdict } = state();
    input.write(answer);
    if (!verdict) return;
    const result = judge(answer);
    const believed = result.kind === "invalid" || result.kind === "broken" ? "" : verdictOf(result);
    if (believed) showStatus(result);
    if (believed !== verdict) assign({ verdict: believed });
  }

  const root = h("div", { class: "lc-card", role: "group", "aria-labelledby": `${id}-title`, "data-lm-suppress-shortcuts": "true" },
    heading(question, `${id}-title`),
    fromBank("div", { class: "lc-statement", id: `${id}-statement` }, question.statement),
    form, status, hintList, solutionSlot,
  );
  // La réponse gardée par le navigateur revient ; elle est rejugée, jamais crue sur parole (le code, seul, ne peut l'être ici).
  const { date, ...stored } = load(question) ?? {};
  const live = model.get("attempts") > 0;
  if (!live) assign(stored);
  restore();
  showProgress();
  el.replaceChildren(root);
  el.classList.add("lc-question");
  const note = asideNote(question);
  if (note) form.after(note);
  if (live) keep();
  typeset(el);
  watchOverflow(root);

  // `verifier`, dans le carnet, inscrit ici son verdict.
  if (type === "code") {
    const received = () => {
      restore();
      showProgress();
      keep();
    };
    model.on("change:feedback change:attempts", received);
    return () => model.off("change:feedback change:attempts", received);
  }
}

export default { render };
