/* L'avancement : des phrases pour dire où l'on en est, et la marque de chaque chapitre, tenue à jour. */
import { keyOf } from "./storage.js";

export const STATES = { todo: "○ à faire", started: "◐ en cours", recorded: "● enregistrée", right: "✓ juste" };

/** « à faire », « en cours », « enregistrée » ou « juste », sous son nom anglais. */
export function stateName(state) {
  if (!state) return "todo";
  if (state.verdict === "right" || state.verdict === "recorded") return state.verdict;
  return state.verdict || state.attempts || state.hints || state.answer?.text ? "started" : "todo";
}

export const isDone = (state) => ["right", "recorded"].includes(stateName(state));

/** « 40 min », « 1 h 05 ». */
export const duration = (minutes) => (minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${String(minutes % 60).padStart(2, "0")}` : ""}`);

/** « 3 questions sur 9 faites, encore 25 min environ » ; `questions` : [{done, minutes}]. */
export function progressText(questions) {
  const done = questions.filter((question) => question.done).length, total = questions.length;
  if (done === total) return total > 1 ? `Les ${total} questions sont faites` : "La question est faite";
  const left = questions.reduce((sum, question) => sum + (question.done ? 0 : question.minutes), 0);
  return `${done || "Aucune"} question${done > 1 ? "s" : ""} sur ${total} ${done === 0 ? "n’est faite" : done > 1 ? "faites" : "faite"}, encore ${duration(left)} environ`;
}

/** L'état gardé d'une question, sans le vérifier ni le déplacer ; null s'il est d'une autre version. */
export function peek({ id, revision }) {
  try {
    const state = JSON.parse(localStorage.getItem(keyOf({ id })));
    return state?.revision === revision ? state : null;
  } catch {
    return null;
  }
}

/** Écrit dans `place` (un <progress> et un .suivi-texte) l'avancement de ces questions. */
export function showProgressIn(place, questions) {
  const bar = place.querySelector("progress");
  bar.max = questions.length;
  bar.value = questions.filter((question) => question.done).length;
  bar.hidden = false;
  place.querySelector(".suivi-texte").textContent = progressText(questions);
}

/** Appelle `refresh` maintenant, puis à chaque réponse, ici ou dans un autre onglet. */
export function follow(refresh) {
  refresh();
  document.addEventListener("labcode:etat", () => setTimeout(refresh)); // la carte aura fini d'écrire
  window.addEventListener("storage", refresh);
  window.addEventListener("pageshow", (event) => event.persisted && refresh());
}

/** La marque d'un chapitre : son attribut data-questions donne [identifiant, version, minutes]. */
export function startMark(mark) {
  const questions = JSON.parse(mark.dataset.questions).map(([id, revision, minutes]) => ({ id, revision, minutes }));
  follow(() => showProgressIn(mark, questions.map((question) => ({ ...question, done: isDone(peek(question)) }))));
}
