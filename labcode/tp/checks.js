/*
 * La correction, type de question par type de question. Chaque vérificateur reçoit
 * la question et la réponse et rend {ok, kind, message, html} :
 *   ok    true (juste), false (faux), null (enregistré sans jugement) ;
 *   kind  "right", "mistake" (faute reconnue), "wrong", "shape", "recorded",
 *         "invalid" (illisible ou vide : ne compte pas comme un essai), "broken" ;
 *   html  vrai si `message` vient de la banque (du HTML), faux si c'est du texte brut.
 */
import { checkFormula, readNumber } from "./formula.js";

const outcome = (ok, kind, message = "", html = false) => ({ ok, kind, message, html });
const invalid = (message) => outcome(false, "invalid", message);
const recorded = () => outcome(null, "recorded", "Réponse enregistrée.");

/** En édition d'examen, le corrigé n'est pas dans la page : on enregistre, sans juger. */
const hasKey = (question) => question.answer !== undefined || question.options?.some((option) => option.correct);

function checkChoice(question, answer) {
  const option = question.options[answer];
  if (!option) return invalid("Choisissez une réponse.");
  if (!hasKey(question)) return recorded();
  if (option.correct) return outcome(true, "right", option.message, true);
  return outcome(false, "mistake", option.message || "Ce n'est pas la bonne réponse.", Boolean(option.message));
}

function checkChoices(question, answer) {
  const ticked = Array.isArray(answer) ? answer : [];
  if (!ticked.length) return invalid("Cochez au moins une réponse.");
  if (!hasKey(question)) return recorded();
  const wrong = question.options.filter((option, i) => ticked.includes(i) && !option.correct);
  const missing = question.options.filter((option, i) => !ticked.includes(i) && option.correct);
  const messages = wrong.map((option) => option.message).filter(Boolean);
  if (messages.length) return outcome(false, "mistake", messages.join(""), true);
  if (wrong.length) return outcome(false, "wrong", "L'une des réponses cochées est fausse.");
  if (missing.length) {
    return outcome(false, "wrong", missing.length > 1 ? `Ce qui est coché est juste, mais il manque ${missing.length} réponses.` : "Ce qui est coché est juste, mais il manque une réponse.");
  }
  return outcome(true, "right", question.options.map((option) => (option.correct ? option.message ?? "" : "")).join(""), true);
}

function checkPrediction(question, answer) {
  const option = question.options[answer];
  if (!option) return invalid("Choisissez une réponse.");
  if (option.message) return outcome(null, "recorded", option.message, true);
  return outcome(null, "recorded", "Prédiction enregistrée. Comparez-la maintenant au résultat.");
}

/** « 784 200 » et « 50 % » se lisent comme « 784200 » et « 50 » (si l'unité est %). */
function cleanNumber(text, unit) {
  let cleaned = String(text ?? "").trim();
  if (unit && cleaned.toLowerCase().endsWith(unit.toLowerCase())) cleaned = cleaned.slice(0, -unit.length);
  return cleaned.replace(/(\d)\s(?=\d{3}(?!\d))/g, "$1").trim();
}

function checkNumber(question, answer) {
  const text = cleanNumber(answer, question.unit);
  if (!text) return invalid("Écrivez un nombre.");
  const read = readNumber(text);
  // « e^3 », mais pas « 1e-3 », qui se lit, ni « exp », où une lettre suit le e.
  if (!read.ok && /(^|[^\p{L}\d])e([^\p{L}]|$)|\de\s*[\^*]/u.test(text)) return invalid("L'exponentielle s'écrit exp(2), et non e^2.");
  if (!read.ok) return invalid(/\p{L}/u.test(text) ? "On attend un nombre, comme 0,25 ou 1/4." : read.message);
  if (!hasKey(question)) return recorded();
  const near = (expected, tolerance) => Math.abs(read.value - expected) <= tolerance + 1e-12 * Math.max(1, Math.abs(expected));
  const { answer: expected, tolerance = 0, mistakes = [] } = question;
  if (near(expected, tolerance)) return outcome(true, "right");
  const mistake = mistakes.find((candidate) => near(candidate.value, candidate.tolerance ?? tolerance));
  if (mistake) return outcome(false, "mistake", mistake.message, true);
  if (tolerance > 0 && near(expected, 10 * tolerance)) return outcome(false, "wrong", "Vous y êtes presque : donnez un chiffre de plus, ou vérifiez l'arrondi.");
  if (expected !== 0 && near(-expected, tolerance)) return outcome(false, "wrong", "La valeur est bonne, le signe ne l'est pas.");
  return outcome(false, "wrong", "Ce n'est pas la bonne valeur.");
}

const CHECKS = {
  choice: checkChoice,
  choices: checkChoices,
  prediction: checkPrediction,
  number: checkNumber,
  formula: checkFormula,
};

export function check(question, answer) {
  const checker = CHECKS[question.type];
  return checker ? checker(question, answer) : outcome(false, "broken", "Ce type de question n'est pas connu de cette page.");
}
