/*
 * Les réponses gardées par le navigateur, une clé par question. Ce qui ne se lit pas
 * (contenu altéré, question changée depuis) est mis de côté, à télécharger ou à oublier ;
 * si le navigateur ne garde rien (navigation privée, plein), la question marche sans mémoire.
 */
const VERSION = 2; // la version 1, sans date, se lit encore
export const LONGEST_TEXT = 5000; // caractères : au-delà, une réponse ne se vérifie ni ne se garde
export const keyOf = ({ id }) => `labcode.question.${id}`;
const asideOf = ({ id }) => `labcode.illisible.${id}`;
const unsaved = new Map(); // mis de côté, mais le navigateur n'en veut pas

const isCount = (value, limit = 10000) => Number.isInteger(value) && value >= 0 && value < limit;
const isShort = (value) => typeof value === "string" && value.length <= LONGEST_TEXT;
const areRanks = (value, limit) => Array.isArray(value) && value.length <= limit && value.every((rank) => isCount(rank, limit));

/** Cette réponse est-elle de celles qu'une question de ce type peut recevoir ? */
function fits({ type, options = [], left = [], right = [], items = [], criteria = [] }, answer) {
  if (answer === null) return true;
  if (type === "choice" || type === "prediction") return isCount(answer, options.length);
  if (type === "choices") return areRanks(answer, options.length);
  if (type === "matching") return Array.isArray(answer) && answer.length === left.length && answer.every((rank) => rank === null || isCount(rank, right.length));
  if (type === "ordering") return areRanks(answer, items.length) && new Set(answer).size === items.length;
  if (type === "text") return isShort(answer.text) && areRanks(answer.ticked, criteria.length);
  return isShort(answer);
}

/** Une question récrite ne reprend que ce que l'élève avait rédigé, à juger de nouveau. */
function rewritten(type, answer) {
  if (type === "text") return { text: answer.text, ticked: [] };
  return isShort(answer) && !["choice", "choices", "prediction"].includes(type) ? answer : undefined;
}

/** L'état écrit dans `text`, ou null s'il est illisible. */
export function decode(question, text) {
  try {
    const { version, revision, answer, attempts, hints, verdict, date } = JSON.parse(text);
    if (version !== 1 && version !== VERSION) return null;
    const same = revision === question.revision;
    const kept = same || answer === null ? answer : rewritten(question.type, answer);
    if (kept === undefined || !fits(question, kept)) return null;
    return {
      answer: kept,
      attempts: same && isCount(attempts) ? attempts : 0,
      hints: same && isCount(hints) ? Math.min(hints, question.hints?.length ?? 0) : 0,
      verdict: same && kept !== null && ["right", "wrong", "recorded"].includes(verdict) ? verdict : "",
      date: isShort(date) ? date : "",
    };
  } catch {
    return null;
  }
}

export function read(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Faux si le navigateur refuse. */
export function write(key, text) {
  try {
    if (text === null) localStorage.removeItem(key);
    else localStorage.setItem(key, text);
    return true;
  } catch {
    return false;
  }
}

/** L'état gardé {answer, attempts, hints, verdict, date}, ou null. */
export function load(question) {
  const text = read(keyOf(question));
  if (text === null) return null;
  const state = decode(question, text);
  if (!state && !unsaved.has(question.id)) {
    const all = [setAside(question), text].filter(Boolean).join("\n");
    if (write(asideOf(question), all)) write(keyOf(question), null);
    else unsaved.set(question.id, all);
  }
  return state;
}

/** Garde l'état ; faux si le navigateur ne le peut pas. */
export function save(question, { answer, attempts, hints, verdict }) {
  const state = { version: VERSION, revision: question.revision, answer, attempts, hints, verdict, date: new Date().toISOString() };
  return write(keyOf(question), JSON.stringify(state));
}

export const forget = (question) => write(keyOf(question), null);

/** Ce qui a été mis de côté pour cette question, ou null. */
export const setAside = (question) => read(asideOf(question)) ?? unsaved.get(question.id) ?? null;

export function forgetAside(question) {
  unsaved.delete(question.id);
  write(asideOf(question), null);
}
