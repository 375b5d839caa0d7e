/*
 * La saisie, selon le type de question : {element, read, write, focus}, et `review`,
 * ce qui se montre avec la solution. `describedBy` désigne l'énoncé.
 */
import { fromBank, h } from "./dom.js";
import { formulaHelp } from "./help.js";
import { echo, echoShape } from "./typeset.js";

/** Une étiquette faite d'une seule formule n'a pas de texte une fois composée : on nomme alors la case par son LaTeX. */
function nameFormula(input, label, name) {
  const formulas = label.querySelectorAll(".math");
  const latex = label.textContent.trim().replaceAll(/\\[()]/g, "");
  const inside = [...formulas].map((formula) => formula.textContent.trim()).join("");
  if (formulas.length && label.textContent.trim().length - inside.length < 3) input.setAttribute("aria-label", `${name} : ${latex}`);
}

/** Des boutons radio ou des cases à cocher, et le rang de ceux qui le sont. */
function ticks(texts, { id, type, legend, describedBy }) {
  const inputs = texts.map((_, i) => h("input", { type, name: id, value: i, id: `${id}-${i}` }));
  const rows = texts.map((text, i) => h("div", { class: "lc-option" }, inputs[i], fromBank("label", { for: `${id}-${i}` }, text)));
  inputs.forEach((input, i) => nameFormula(input, input.nextSibling, `Réponse ${i + 1}`));
  return {
    inputs,
    element: h("fieldset", { "aria-describedby": describedBy }, h("legend", {}, legend), ...rows),
    ticked: () => inputs.flatMap((input, i) => (input.checked ? [i] : [])),
    tick: (ranks) => inputs.forEach((input, i) => { input.checked = ranks.includes(i); }),
  };
}

function optionsInput(question, ids) {
  const multiple = question.type === "choices";
  const legend = { choice: "Une seule réponse est juste", choices: "Cochez toutes les réponses justes", prediction: "Votre prédiction" }[question.type];
  const { element, inputs, ticked, tick } = ticks(question.options.map(({ text }) => text), { ...ids, type: multiple ? "checkbox" : "radio", legend });
  return {
    element,
    read: () => (multiple ? ticked() : ticked()[0] ?? null),
    write: (answer) => tick([answer].flat()),
    focus: () => inputs[0].focus(),
  };
}

const ECHOES = { formula: echo, shape: echoShape };
const ASKED = { formula: "Votre formule", shape: "Votre taille", number: "Votre réponse" };

function lineInput(question, { id, describedBy }) {
  const { type, unit, symbols = [], variables = {} } = question;
  const input = h("input", { type: "text", id, autocomplete: "off", autocapitalize: "off", spellcheck: "false", maxlength: 600, "aria-describedby": describedBy });
  const label = h("label", { for: id }, ASKED[type] + (unit ? ` (en ${unit})` : ""));
  // L'écho double le champ pour l'œil ; un lecteur d'écran a déjà le texte saisi.
  const echoed = ECHOES[type] ? h("div", { class: "lc-echo", "aria-hidden": "true" }) : null;
  const refresh = () => ECHOES[type]?.(echoed, input.value.trim(), [...Object.keys(variables), ...symbols]);
  input.addEventListener("input", refresh);
  const help = { formula: () => formulaHelp(question, h), shape: () => shapeHelp(symbols) }[type]?.();
  return {
    element: h("div", { class: "lc-text" }, label, input, echoed, help),
    read: () => input.value.trim(),
    write: (answer) => {
      input.value = typeof answer === "string" ? answer : "";
      refresh();
    },
    focus: () => input.focus(),
  };
}

function shapeHelp(symbols) {
  const codes = symbols.flatMap((name, i) => [i ? ", " : " : ", h("code", {}, name)]);
  return h("p", { class: "lc-help" }, "Une virgule, ou ×, sépare les axes : ", h("code", {}, "(3, 4)"), ", ", h("code", {}, "(3,)"),
    ". Un produit s’écrit *.", ...(codes.length ? [" Symboles", ...codes, "."] : []));
}

/** Associer : à droite, une liste lettrée ; à gauche, une lettre à choisir par élément. */
function matchingInput({ left, right }, { id, describedBy }) {
  const letter = (k) => String.fromCharCode(65 + k);
  const texts = right.map((text, k) => fromBank("li", { id: `${id}-r${k}` }, text));
  const name = (k) => (texts[k].querySelector(".math") ? letter(k) : `${letter(k)}. ${texts[k].textContent}`);
  const selects = left.map((_, i) => h("select", { id: `${id}-${i}` }, h("option", { value: "" }, "Choisir…"), ...right.map((_, k) => h("option", { value: k }, name(k)))));
  const rows = left.map((text, i) => h("div", { class: "lc-pair" }, fromBank("label", { for: `${id}-${i}` }, text), selects[i]));
  selects.forEach((select, i) => nameFormula(select, select.previousSibling, `Élément ${i + 1}`));
  return {
    element: h("fieldset", { "aria-describedby": describedBy }, h("legend", {}, "À chaque élément, une lettre"), h("ol", { class: "lc-letters", type: "A" }, ...texts), ...rows),
    read: () => selects.map(({ value }) => (value === "" ? null : Number(value))),
    write: (answer) => selects.forEach((select, i) => { select.value = answer?.[i] ?? ""; }),
    focus: () => selects[0].focus(),
  };
}

/** Ordonner : deux boutons par étape, et la nouvelle place dite à voix haute. */
function orderingInput({ items }, { id, describedBy }) {
  const said = h("span", { class: "lc-hidden", "aria-live": "polite" });
  const list = h("ol", { class: "lc-steps" });
  const move = (step, button, by) => {
    const [from, last] = [[...list.children].indexOf(step), items.length - 1];
    const to = Math.min(last, Math.max(0, from + by));
    if (to === from) return;
    list.insertBefore(step, by < 0 ? list.children[to] : list.children[to].nextSibling);
    button.focus();
    said.textContent = `Place ${to + 1} sur ${items.length}`;
    refresh();
  };
  const steps = items.map((text, i) => {
    const step = h("li", { "data-rank": i }, fromBank("span", { id: `${id}-${i}` }, text));
    const buttons = [["Monter", "↑", -1], ["Descendre", "↓", 1]].map(([name, arrow, by]) => {
      const button = h("button", { type: "button", id: `${id}-${i}${by}`, "aria-label": name, "aria-labelledby": `${id}-${i}${by} ${id}-${i}` }, arrow);
      button.addEventListener("click", () => move(step, button, by));
      return button;
    });
    step.append(h("span", { class: "lc-moves" }, ...buttons));
    return step;
  });
  const refresh = () => [...list.children].forEach((step, place) => step.querySelectorAll("button").forEach((button, down) =>
    button.setAttribute("aria-disabled", String(place === (down ? items.length - 1 : 0)))));
  return {
    element: h("fieldset", { "aria-describedby": describedBy }, h("legend", {}, "Rangez les étapes, de la première à la dernière"), list, said),
    read: () => [...list.children].map((step) => Number(step.dataset.rank)),
    write: (answer) => {
      list.replaceChildren(...(Array.isArray(answer) ? answer : items.keys()).map((rank) => steps[rank]));
      refresh();
    },
    focus: () => list.querySelector("button[aria-disabled=false]").focus(),
  };
}

/** Rédiger, puis se relire : la grille se montre avec la solution. */
function proseInput({ criteria = [] }, { id, describedBy, changed }) {
  const area = h("textarea", { id, rows: 6, "aria-describedby": describedBy });
  const grid = ticks(criteria, { id: `${id}-grid`, type: "checkbox", legend: "Relisez-vous : cochez ce que votre réponse contient." });
  area.addEventListener("input", () => changed(false)); // un brouillon survit à la fermeture de la page
  grid.element.addEventListener("change", () => changed(true));
  return {
    element: h("div", { class: "lc-text" }, h("label", { for: id }, "Votre réponse"), area),
    review: criteria.length ? grid.element : null,
    read: () => ({ text: area.value, ticked: grid.ticked() }),
    write: (answer) => {
      area.value = answer?.text ?? "";
      grid.tick(answer?.ticked ?? []);
    },
    focus: () => area.focus(),
  };
}

/** Programmer : la fonction s'écrit dans le carnet, qui la vérifie. */
function codeInput(question) {
  let source = "";
  const call = `def ${question.signature}:\n    …\n\nverifier("${question.id}", ${question.function})`;
  const element = h("div", { class: "lc-text", tabindex: -1 }, h("p", {}, "Dans le carnet, écrivez la fonction, puis vérifiez-la :"), h("pre", {}, h("code", {}, call)));
  return { element, read: () => source, write: (answer) => { source = answer ?? ""; }, focus: () => element.focus() };
}

const INPUTS = {
  choice: optionsInput, choices: optionsInput, prediction: optionsInput, number: lineInput, formula: lineInput, shape: lineInput,
  matching: matchingInput, ordering: orderingInput, text: proseInput, code: codeInput,
};
export const inputFor = (question, ids) => INPUTS[question.type](question, ids);
