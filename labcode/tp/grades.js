/* La table du professeur, sans la page : noter, trier, écrire en CSV. Les verdicts des élèves ne sont pas crus : on recorrige. */

export const MARKS = { right: "✓", wrong: "✗", recorded: "●", declared: "(✓)", none: "–" };
export const MARK_NAMES = { right: "juste", wrong: "faux", recorded: "enregistrée", declared: "juste d’après l’élève", none: "sans réponse" };

/** {mark, score, attempts, doubt} d'une réponse ; `check` est la correction des questions, `doubt` dit si elle contredit le fichier. */
export function gradeAnswer(question, state, check) {
  const attempts = state?.attempts ?? 0;
  const result = (mark, score = 0, doubt = false) => ({ mark, score, attempts, doubt });
  if (!state || state.answer === null) return result("none");
  if (question.type === "prediction") return result("recorded");
  if (question.type === "text") return result("recorded", question.criteria?.length ? state.answer.ticked.length / question.criteria.length : 0);
  if (question.type === "code") return state.verdict === "right" ? result("declared", 1) : result(state.verdict === "wrong" ? "wrong" : "recorded");
  let outcome;
  try {
    outcome = check(question, state.answer);
  } catch {
    return result("wrong", 0, state.verdict === "right");
  }
  if (outcome.ok === null) return result("recorded");
  return outcome.ok ? result("right", 1, state.verdict === "wrong") : result("wrong", 0, state.verdict === "right");
}

/** Les points possibles : une prédiction ne se note pas. */
export const worth = (questions) => questions.filter((question) => question.type !== "prediction").length;

/** {grades: {id: note}, scores: [un par chapitre], total, answered} d'un compte-rendu lu. */
export function gradeReport(report, chapters, check) {
  const grades = {};
  const scores = chapters.map(({ questions }) => questions.reduce((sum, question) => {
    grades[question.id] = gradeAnswer(question, report.answers[question.id], check);
    return sum + grades[question.id].score;
  }, 0));
  return { grades, scores, total: scores.reduce((a, b) => a + b, 0), answered: Object.values(grades).filter(({ mark }) => mark !== "none").length };
}

/** « 2,5 » : la virgule, et jamais plus de deux décimales. */
export const points = (value) => String(Math.round(value * 100) / 100).replace(".", ",");

const ORDER = ["right", "declared", "recorded", "wrong", "none"];
const compareNames = new Intl.Collator("fr", { numeric: true }).compare;

/** Trie les élèves ; `key` : "name", "total", "answered", {chapter: rang} ou {question: id}. */
export function sortStudents(students, key, descending) {
  const byMark = (student) => { const { mark, attempts } = student.grades[key.question]; return ORDER.indexOf(mark) * 1e5 + attempts; };
  const value = key.question ? byMark : key.chapter !== undefined ? (student) => student.scores[key.chapter] : (student) => student[key];
  const compare = key === "name" ? (a, b) => compareNames(a.name, b.name) : (a, b) => value(a) - value(b) || compareNames(a.name, b.name);
  return [...students].sort((a, b) => (descending ? -compare(a, b) : compare(a, b)));
}

/** Un tableur exécuterait une cellule qui commence par = + - @ : une apostrophe l'en empêche. */
const cell = (value) => {
  const text = String(value).replaceAll(/[\t\r\n]+/g, " ");
  return `"${(/^\s*[=+\-@|]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
};

/** Le tableau entier, pour un tableur français : point-virgule, virgule décimale. */
export function writeCsv(students, chapters) {
  const questions = chapters.flatMap((chapter) => chapter.questions);
  const head = ["Nom", "Fichier", "Date", ...chapters.map(({ title, questions: asked }) => `${title} (sur ${worth(asked)})`), `Total (sur ${worth(questions)})`,
    ...questions.flatMap(({ id }) => [id, `${id} (essais)`])];
  const rows = students.map(({ name, file, report, scores, total, grades }) => [name, file, report.date, ...scores.map(points), points(total),
    ...questions.flatMap(({ id }) => [MARK_NAMES[grades[id].mark], grades[id].attempts])]);
  return `\uFEFF${[head, ...rows].map((row) => row.map(cell).join(";")).join("\r\n")}\r\n`;
}
