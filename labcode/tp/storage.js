/*
 * Les réponses gardées par le navigateur, une clé par question. Ce qui ne se lit
 * pas (contenu altéré, autre version, stockage interdit) est ignoré sans bruit.
 */
const VERSION = 1;
const keyOf = (question) => `labcode.question.${question.id}`;
const isCount = (value) => Number.isInteger(value) && value >= 0 && value < 10000;
const isAnswer = (value) =>
  (typeof value === "string" && value.length <= 600) || isCount(value) || (Array.isArray(value) && value.length < 100 && value.every(isCount));

/** L'état gardé, ou null. Si la question a changé depuis, on ne garde que la réponse écrite. */
export function load(question) {
  try {
    const { version, revision, answer, attempts, hints, verdict } = JSON.parse(localStorage.getItem(keyOf(question)));
    if (version !== VERSION) return null;
    const same = revision === question.revision;
    if (!same && typeof answer !== "string") return null;
    return {
      answer: isAnswer(answer) ? answer : null,
      attempts: same && isCount(attempts) ? attempts : 0,
      hints: same && isCount(hints) ? Math.min(hints, question.hints?.length ?? 0) : 0,
      verdict: same && isAnswer(answer) && ["right", "wrong", "recorded"].includes(verdict) ? verdict : "",
    };
  } catch {
    return null;
  }
}

export function save(question, state) {
  try {
    localStorage.setItem(keyOf(question), JSON.stringify({ version: VERSION, revision: question.revision, ...state }));
  } catch {
    // Navigation privée, quota : la question marche, sans mémoire.
  }
}

export function forget(question) {
  try {
    localStorage.removeItem(keyOf(question));
  } catch {
    // Rien à oublier.
  }
}
