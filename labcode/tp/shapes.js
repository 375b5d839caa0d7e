/*
 * Les tailles de tableaux : « (N, n_y) », « n_h × n_x », « 784, » ou « () ». Chaque axe est
 * une petite expression, calculée pour des tailles d'essai : « k·k·C » et « C*k^2 » se valent.
 */
import { readNumber } from "./formula.js";

const TRIALS = [[11, 13, 17, 19, 23, 29, 31, 37], [41, 31, 53, 29, 47, 61, 43, 59], [7, 67, 5, 71, 73, 3, 79, 83]];
const unreadable = (message) => ({ ok: false, kind: "invalid", message });
const incorrect = (message, html = false) => ({ ok: false, kind: html ? "mistake" : "shape", message, html });

/** Les écritures des axes, sans les parenthèses qui les entourent. */
export function axesOf(text) {
  const written = String(text ?? "").trim().replace(/^\[(.*)\]$/s, "($1)");
  const axes = [""];
  let depth = 0;
  const enclosed = written.startsWith("(") && closing(written) === written.length - 1;
  const inside = enclosed ? written.slice(1, -1) : written;
  for (const piece of inside.split(/([(),;×]|(?<=[\d\s])[xX](?=[\d\s]))/)) {
    depth += (piece === "(") - (piece === ")");
    if (depth === 0 && /^[,;×xX]$/.test(piece)) axes.push("");
    else axes.push(axes.pop() + piece);
  }
  if (!axes.at(-1).trim()) axes.pop(); // (784,) et ()
  return axes.map((axis) => axis.trim());
}

/** Où se ferme la parenthèse qui ouvre le texte. */
function closing(text) {
  let depth = 0;
  return [...text].findIndex((character) => {
    depth += (character === "(") - (character === ")");
    return depth === 0;
  });
}

/** Chaque axe, par ses valeurs aux tailles d'essai : deux axes égaux ont la même. */
function readShape(text, symbols) {
  const values = [];
  for (const axis of axesOf(text)) {
    if (!axis) return { ok: false, message: "Il manque une taille entre deux séparateurs." };
    const results = TRIALS.map((sizes) => readNumber(axis, Object.fromEntries(symbols.map((name, i) => [name, sizes[i % 8]]))));
    const failed = results.find(({ ok }) => !ok);
    if (failed) return failed;
    values.push(results.map(({ value }) => Number(value.toPrecision(9))).join(" "));
  }
  return { ok: true, values };
}

const sameAxes = (a, b) => a.length === b.length && a.every((axis, i) => axis === b[i]);
const without = (axes, i) => axes.filter((_, j) => j !== i);
/** Le rang d'un axe de `longer` dont l'absence donne `shorter`, ou -1. */
const extraAxis = (longer, shorter) => longer.findIndex((_, i) => sameAxes(without(longer, i), shorter));
const count = (axes) => TRIALS.map((_, k) => axes.reduce((total, axis) => total * Number(axis.split(" ")[k]), 1)).join(" ");

function shapeRemark(given, expected, batch) {
  if (sameAxes([...given].sort(), [...expected].sort())) {
    return expected.length === 2 ? "Les deux tailles sont les bonnes, mais c’est la transposée." : "Les tailles sont les bonnes, mais pas dans cet ordre.";
  }
  const missing = extraAxis(expected, given);
  if (missing === 0) return batch ? "Il manque le premier axe, celui des exemples du lot." : "Il manque un axe, le premier.";
  if (missing > 0) return "Il manque un axe.";
  const extra = extraAxis(given, expected);
  if (extra >= 0) return /^1 1/.test(given[extra]) ? "Il y a un axe de trop, de taille 1." : "Il y a un axe de trop.";
  const wanted = expected.length > 1 ? `${expected.length} axes` : expected.length ? "un axe" : "un nombre, sans aucun axe";
  if (count(given) === count(expected)) return `Le nombre d’éléments est le bon, mais on attend ${wanted}${given.length === expected.length ? " d’autres tailles" : ""}.`;
  if (given.length !== expected.length) return `Ce n’est pas le bon nombre d’axes : on attend ${wanted}.`;
  return "Le nombre d’axes est le bon, mais pas toutes les tailles.";
}

export function checkShape({ answer, symbols = [], mistakes = [] }, text) {
  if (!String(text ?? "").trim()) return unreadable("Écrivez une taille, par exemple (3, 4).");
  const given = readShape(text, symbols);
  if (!given.ok) return unreadable(given.message);
  const expected = readShape(answer, symbols);
  if (!expected.ok) return { ...unreadable(`Cette question est mal posée (${expected.message}).`), kind: "broken" };
  if (sameAxes(given.values, expected.values)) return { ok: true, kind: "right", message: "" };
  const mistake = mistakes.find(({ shape }) => sameAxes(given.values, readShape(shape, symbols).values ?? [NaN]));
  return mistake ? incorrect(mistake.message, true) : incorrect(shapeRemark(given.values, expected.values, axesOf(answer)[0] === "N"));
}
