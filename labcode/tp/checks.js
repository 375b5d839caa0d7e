/*
 * La correction, type de question par type de question. Chaque vérificateur reçoit
 * la question et la réponse et rend {ok, kind, message, html} :
 *   ok    true (juste), false (faux), null (enregistré sans jugement) ;
 *   kind  "right", "mistake" (faute reconnue), "wrong", "shape", "recorded",
 *         "invalid" (illisible ou vide : ne compte pas comme un essai), "broken" ;
 *   html  vrai si `message` vient de la banque (du HTML), faux si c'est du texte brut.
 */
import { checkFormula, readNumber } from "./formula.js";
import { checkShape } from "./shapes.js";
import { LONGEST_TEXT } from "./storage.js";

const outcome = (ok, kind, message = "", html = false) => ({ ok, kind, message, html });
const invalid = (message) => outcome(false, "invalid", message);
const recorded = (message = "Réponse enregistrée.") => outcome(null, "recorded", message);

function checkChoice(question, answer) {
  const option = question.options[answer];
  if (!option) return invalid("Choisissez une réponse.");
  if (option.correct) return outcome(true, "right", option.message, true);
  return outcome(false, "mistake", option.message || "Ce n’est pas la bonne réponse.", Boolean(option.message));
}

function checkChoices(question, answer) {
  const ticked = Array.isArray(answer) ? answer : [];
  if (!ticked.length) return invalid("Cochez au moins une réponse.");
  const wrong = question.options.filter((option, i) => ticked.includes(i) && !option.correct);
  const missing = question.options.filter((option, i) => !ticked.includes(i) && option.correct);
  const messages = wrong.map((option) => option.message).filter(Boolean);
  if (messages.length) return outcome(false, "mistake", messages.join(""), true);
  if (wrong.length) return outcome(false, "wrong", "L’une des réponses cochées est fausse.");
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
  if (!read.ok && /(^|[^\p{L}\d])e([^\p{L}]|$)|\de\s*[\^*]/u.test(text)) return invalid("L’exponentielle s’écrit exp(2), et non e^2.");
  if (!read.ok) return invalid(/\p{L}/u.test(text) ? "On attend un nombre, comme 0,25 ou 1/4." : read.message);
  const near = (expected, tolerance) => Math.abs(read.value - expected) <= tolerance + 1e-12 * Math.max(1, Math.abs(expected));
  const { answer: expected, tolerance = 0, mistakes = [] } = question;
  if (near(expected, tolerance)) return outcome(true, "right");
  const mistake = mistakes.find((candidate) => near(candidate.value, candidate.tolerance ?? tolerance));
  if (mistake) return outcome(false, "mistake", mistake.message, true);
  if (tolerance > 0 && near(expected, 10 * tolerance)) return outcome(false, "wrong", "Vous y êtes presque : donnez un chiffre de plus, ou vérifiez l’arrondi.");
  if (expected !== 0 && near(-expected, tolerance)) return outcome(false, "wrong", "La valeur est bonne, le signe ne l’est pas.");
  return outcome(false, "wrong", "Ce n’est pas la bonne valeur.");
}

function checkMatching({ left, key, messages }, answer) {
  if (!Array.isArray(answer) || key.some((_, i) => !Number.isInteger(answer[i]))) return invalid("Choisissez une lettre pour chaque élément.");
  const wrong = left.flatMap((text, i) => (answer[i] === key[i] ? [] : [`<li>${text} : ${messages[i]}</li>`]));
  if (!wrong.length) return outcome(true, "right");
  const fine = key.length - wrong.length;
  return outcome(false, "mistake", `<p>${fine || "Aucune"} sur ${key.length} ${fine > 1 ? "sont justes" : "est juste"}.</p><ul>${wrong.join("")}</ul>`, true);
}

/** La première étape qui précède celle dont elle dépend reçoit son message. */
function checkOrdering({ key, messages }, answer) {
  if (!Array.isArray(answer) || answer.length !== key.length) return invalid("Rangez toutes les étapes.");
  const place = (k) => answer.indexOf(key[k]);
  const early = key.findIndex((_, k) => k > 0 && place(k) < place(k - 1));
  return early < 0 ? outcome(true, "right") : outcome(false, "mistake", messages[early], true);
}

/** Un texte libre n'est pas jugé : l'élève le compare à la réponse type et coche ce qu'il contient. */
function checkText({ criteria }, answer) {
  const { text, ticked } = answer ?? {};
  if (!text?.trim()) return invalid("Écrivez d’abord votre réponse.");
  if (!ticked?.length) return recorded("Réponse enregistrée. Comparez-la à la solution, puis cochez ce qu’elle contient.");
  return recorded(`Réponse enregistrée. Votre évaluation : ${ticked.length} sur ${criteria.length}.`);
}

/** Le code se juge en Python : `verifier`, dans le carnet, donne son verdict et son message. */
function checkCode(question, answer, { verdict, feedback } = {}) {
  if (verdict === "right") return feedback ? outcome(true, "right", feedback, true) : outcome(true, "right", "Votre fonction a été vérifiée dans le carnet.");
  if (verdict !== "wrong") return recorded("C’est noté. La solution est ci-dessous ; votre fonction, elle, se vérifie dans le carnet.");
  return feedback ? outcome(false, "mistake", feedback, true) : outcome(false, "wrong", "Corrigez votre fonction, puis vérifiez-la de nouveau dans le carnet.");
}

const CHECKS = {
  choice: checkChoice,
  choices: checkChoices,
  prediction: checkPrediction,
  number: checkNumber,
  formula: checkFormula,
  shape: checkShape,
  matching: checkMatching,
  ordering: checkOrdering,
  text: checkText,
  code: checkCode,
};

const writtenIn = (answer) => (typeof answer === "string" ? answer : answer?.text);

function isEmpty(answer) {
  if (Array.isArray(answer)) return answer.every((entry) => entry === null);
  return !Number.isInteger(answer) && !writtenIn(answer)?.trim();
}

/** `state` : le verdict et le message venus du noyau, pour une question de code. */
export function check(question, answer, state) {
  const checker = CHECKS[question.type];
  if (answer && typeof answer === "object" && !Array.isArray(answer) && typeof answer.text !== "string") return check(question, null, state);
  if (!checker) return outcome(false, "broken", "Ce type de question n’est pas connu de cette page.");
  if (writtenIn(answer)?.length > LONGEST_TEXT) return invalid(`Votre réponse dépasse ${LONGEST_TEXT} caractères : raccourcissez-la.`);
  // L'édition d'examen n'a pas le corrigé : elle garde la réponse, sans juger.
  if (question.edition === "examen") return isEmpty(answer) && question.type !== "code" ? invalid("Répondez avant d’enregistrer.") : recorded();
  return checker(question, answer, state);
}
