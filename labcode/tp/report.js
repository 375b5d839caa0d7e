/*
 * Le compte-rendu : lire un fichier de réponses, réunir deux jeux de réponses, écrire le
 * Markdown et le HTML. Rien que des fonctions pures ; report.py en est le double en Python,
 * et un test compare ce que les deux écrivent.
 *   livre    {book, style, chapters: [{title, questions}]}
 *   rapport  {format, version, names, date, edition, remark, answers: {id: état et remark}}
 */
import { decode } from "./storage.js";

export const FORMAT = "labcode-compte-rendu";
export const REPORT_VERSION = 1;
export const LONGEST_FILE = 5_000_000;
const MONTHS = ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"];

export const plural = (n, word) => `${n} ${word}${n > 1 ? "s" : ""}`;
const trimmed = (value, limit) => (typeof value === "string" ? value.replaceAll(/[\u0000-\u0008\u000B-\u001F\u007F\u202A-\u202E\u2066-\u2069]/g, "").trim().slice(0, limit) : "");

// ── Lire et réunir ─────────────────────────────────────────────────────────

/** {report, skipped, error} : un fichier de réponses, dont chaque réponse est vérifiée ; `skipped` compte celles qu'on laisse. */
export function readReport(text, questions) {
  const refused = (error) => ({ report: null, skipped: 0, error });
  if (typeof text !== "string") return refused("Ce fichier ne se lit pas.");
  if (text.length > LONGEST_FILE) return refused("Ce fichier est trop gros pour être un compte-rendu.");
  let file;
  try {
    file = JSON.parse(text);
  } catch {
    return refused("Ce fichier n’est pas du JSON lisible : il est abîmé, incomplet, ou d’une autre sorte.");
  }
  if (file?.format !== FORMAT) return refused("Ce fichier n’est pas un compte-rendu exporté par ce livre.");
  if (!Number.isInteger(file.version) || file.version < 1) return refused("Ce compte-rendu n’a pas de numéro de version lisible.");
  if (file.version > REPORT_VERSION) return refused("Ce compte-rendu vient d’une version plus récente du livre.");
  const { answers: given } = file;
  if (given === null || typeof given !== "object" || Array.isArray(given)) return refused("Ce compte-rendu n’a pas de réponses lisibles.");
  const answers = {};
  for (const question of questions) {
    if (!Object.hasOwn(given, question.id)) continue;
    const state = decode(question, JSON.stringify({ ...given[question.id], version: 2 }));
    if (state) answers[question.id] = { revision: question.revision, ...state, remark: trimmed(given[question.id].remark, 2000) };
  }
  const names = (Array.isArray(file.names) ? file.names : []).map((name) => trimmed(name, 100)).filter(Boolean).slice(0, 10);
  const date = trimmed(file.date, 20);
  const report = {
    format: FORMAT, version: REPORT_VERSION, names, date: /^\d{4}-\d\d-\d\d$/.test(date) ? date : "",
    edition: trimmed(file.edition, 20), remark: trimmed(file.remark, 5000), answers,
  };
  return { report, skipped: Object.keys(given).length - Object.keys(answers).length, error: "" };
}

const RANKS = { right: 3, recorded: 2, wrong: 1 };
const rank = (state) => (state && state.answer !== null ? RANKS[state.verdict] ?? 0 : -1);

/** Pour chaque réponse reçue : `taken` si elle est meilleure que celle d'ici, `kept` si l'on garde celle d'ici alors qu'elles diffèrent. */
export function compareAnswers(mine, theirs) {
  const taken = [], kept = [];
  for (const [id, state] of Object.entries(theirs)) {
    if (rank(state) > rank(mine[id])) taken.push(id);
    else if (state.answer !== null && JSON.stringify(state.answer) !== JSON.stringify(mine[id]?.answer)) kept.push(id);
  }
  return { taken, kept };
}

/** La réponse reçue prend la place de l'autre ; essais et indices ne diminuent jamais. */
export const replaced = (mine, theirs) => ({
  ...theirs,
  attempts: Math.max(mine?.attempts ?? 0, theirs.attempts),
  hints: Math.max(mine?.hints ?? 0, theirs.hints),
});

// ── Dire ───────────────────────────────────────────────────────────────────

export function frenchDate(date) {
  const [year, month, day] = date.split("-").map(Number);
  return MONTHS[month - 1] && day ? `${day === 1 ? "1er" : day} ${MONTHS[month - 1]} ${year}` : "";
}

/** « ✓ Juste », « ● Auto-évaluation : 2 critères sur 3 »… */
export function verdictText(question, state) {
  if (!state || state.answer === null) return "○ Sans réponse";
  if (state.verdict === "right") return "✓ Juste";
  if (state.verdict === "wrong") return "✗ Pas encore juste";
  if (state.verdict !== "recorded") return question.type === "text" ? "◐ Brouillon" : "◐ À vérifier de nouveau";
  if (question.type === "prediction") return "● Prédiction";
  if (question.type === "code") return "● Essayée, sans vérification";
  const total = question.criteria?.length;
  return total ? `● Auto-évaluation : ${plural(state.answer.ticked.length, "critère")} sur ${total}` : "● Enregistrée";
}

/** Le verdict, les essais, les indices et la source, sur une ligne. */
export function metaText(question, state) {
  const counted = state && question.type !== "prediction";
  const parts = [verdictText(question, state)];
  if (counted && state.attempts) parts.push(plural(state.attempts, "essai"));
  if (counted && state.hints) parts.push(plural(state.hints, "indice"));
  if (question.source) parts.push(question.source);
  return parts.join(" · ");
}

/** La réponse en morceaux [genre, contenu] ; les textes de la banque sont pris dans `texts`. */
export function answerParts(question, answer, texts = question) {
  if (answer === null || answer === undefined || answer === "") return [];
  const pick = (list, ranks) => [ranks].flat().map((i) => list[i]?.text ?? list[i]);
  switch (question.type) {
    case "choice": case "choices": case "prediction":
      return [["list", pick(texts.options, answer)]];
    case "matching":
      return [["list", texts.left.map((left, i) => `${left} → ${answer[i] === null ? "…" : texts.right[answer[i]]}`)]];
    case "ordering":
      return [["steps", pick(texts.items, answer)]];
    case "text":
      return [["prose", answer.text], ...(answer.ticked.length ? [["label", "Critères cochés"], ["list", pick(texts.criteria, answer.ticked)]] : [])];
    case "code":
      return [["program", answer]];
    default:
      return [["code", question.unit && !answer.includes(question.unit) ? `${answer} ${question.unit}` : answer]];
  }
}

// ── Écrire ─────────────────────────────────────────────────────────────────

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escapeHtml = (text) => text.replaceAll(/[&<>"]/g, (sign) => ENTITIES[sign]);

export const html = {
  texts: (question) => question,
  heading: (level, text) => `<h${level}>${escapeHtml(text)}</h${level}>`,
  line: (text) => `<p>${escapeHtml(text)}</p>`,
  meta: (text) => `<p class="meta">${escapeHtml(text)}</p>`,
  label: (text) => `<p class="label">${escapeHtml(text)}</p>`,
  bank: (text) => `<div class="statement">${text}</div>`,
  list: (items) => `<ul>${items.map((item) => `<li>${item}</li>`).join("")}</ul>`,
  steps: (items) => `<ol>${items.map((item) => `<li>${item}</li>`).join("")}</ol>`,
  code: (text) => `<p><code>${escapeHtml(text)}</code></p>`,
  program: (text) => `<pre><code>${escapeHtml(text)}</code></pre>`,
  prose: (text) => `<blockquote>${escapeHtml(text)}</blockquote>`,
};

/** La réponse d'un élève, en HTML : ce qu'il a écrit y est échappé. */
export const answerHtml = (question, answer) => answerParts(question, answer).map(([kind, content]) => html[kind](content)).join("");

const flat = (text) => text.replaceAll(/\s*\n\s*/g, " ").trim();
/** Une suite d'accents graves plus longue que toutes celles du texte. */
const fence = (text, least) => "`".repeat(Math.max(least, ...(text.match(/`+/g) ?? []).map((run) => run.length + 1)));
const escapeMarkdown = (text) => flat(text).replaceAll(/[\\`*_[\]<>#|]/g, "\\$&");

export const markdown = {
  texts: (question) => question.markdown,
  heading: (level, text) => `${"#".repeat(level)} ${escapeMarkdown(text)}`,
  line: (text) => escapeMarkdown(text),
  meta: (text) => `*${escapeMarkdown(text)}*`,
  label: (text) => `**${escapeMarkdown(text)}**`,
  bank: (text) => text.trim(),
  list: (items) => items.map((item) => `- ${flat(item)}`).join("\n"),
  steps: (items) => items.map((item, i) => `${i + 1}. ${flat(item)}`).join("\n"),
  code: (text) => { const marks = fence(text, 1), gap = /^`|`$/.test(flat(text)) ? " " : ""; return marks + gap + flat(text) + gap + marks; },
  program: (text) => { const marks = fence(text, 3); return `${marks}python\n${text}\n${marks}`; },
  // Une balise ne commence que si « < » touche un nom : une espace la désarme, et laisse les formules intactes.
  prose: (text) => text.replaceAll(/<(?=[a-zA-Z/!?])/g, "< ").split("\n").map((line) => `> ${line}`.trimEnd()).join("\n"),
};

/** Le compte-rendu, morceau par morceau, dans l'écriture de `writer`. */
function compose(report, book, writer) {
  const out = [writer.heading(1, "Compte-rendu"), writer.line(book.book)];
  if (report.names.length) out.push(writer.label(report.names.join(", ")));
  out.push(writer.meta([frenchDate(report.date), summary(report, book)].filter(Boolean).join(" · ")));
  if (report.remark) out.push(writer.prose(report.remark));
  for (const chapter of book.chapters) {
    out.push(writer.heading(2, chapter.title));
    chapter.questions.forEach((question, i) => {
      const state = report.answers[question.id], texts = writer.texts(question);
      const parts = answerParts(question, state?.answer, texts);
      out.push(writer.heading(3, `${i + 1}. ${question.title}`), writer.bank(texts.statement));
      if (parts.length) out.push(writer.label("Réponse"), ...parts.map(([kind, content]) => writer[kind](content)));
      out.push(writer.meta(metaText(question, state)));
      if (state?.remark) out.push(writer.label("Remarque"), writer.prose(state.remark));
    });
  }
  return out;
}

/** « 5 justes sur 9, 2 enregistrées, 1 sans réponse » : les prédictions n'ont pas de juste. */
export function summary(report, { chapters }) {
  const questions = chapters.flatMap((chapter) => chapter.questions);
  const states = questions.map((question) => report.answers[question.id]);
  const count = (test) => states.filter(test).length;
  const judged = questions.filter((question) => question.type !== "prediction").length;
  const recorded = count((state) => state?.verdict === "recorded"), empty = count((state) => !state || state.answer === null);
  const parts = [`${plural(count((state) => state?.verdict === "right"), "juste")} sur ${plural(judged, "question")}`];
  if (recorded) parts.push(plural(recorded, "enregistrée"));
  if (empty) parts.push(`${empty} sans réponse`);
  return parts.join(", ");
}

export const writeMarkdown = (report, book) => `${compose(report, book, markdown).join("\n\n")}\n`;

/** Un document complet, sans script, que le navigateur imprime. */
export function writeHtml(report, book) {
  const title = escapeHtml(["Compte-rendu", ...report.names].join(", "));
  return `<!DOCTYPE html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>
${book.style}</style>
</head>
<body>
<main>
${compose(report, book, html).join("\n")}
</main>
</body>
</html>
`;
}
