/* La page du professeur : des fichiers d'élèves à la table, puis au détail d'une réponse. Rien ne quitte le navigateur. */
import { check } from "./checks.js";
import { fromBank, h } from "./dom.js";
import { MARKS, MARK_NAMES, gradeReport, points, sortStudents, worth, writeCsv } from "./grades.js";
import { download, dropZone, preview, readFile } from "./files.js";
import { answerHtml, frenchDate, metaText } from "./report.js";

export function startTeacher(root) {
  const book = JSON.parse(document.getElementById("suivi-livre").textContent);
  const questions = book.chapters.flatMap((chapter) => chapter.questions);
  const [zone, told, tools, table, detail, frame] = ["zone", "messages", "outils", "table", "detail", "apercu"].map((name) => root.querySelector(`.suivi-${name}`));
  const view = tools.querySelector("select");
  let students = [], sorting = { key: "name", descending: false };

  // ── Recevoir les fichiers ──

  async function receive(files) {
    const problems = [], before = students.length;
    for (const file of files) {
      const { text, report, skipped, error } = await readFile(file, questions);
      if (error) problems.push(`« ${file.name} » est laissé de côté. ${error}`);
      else if (students.some((student) => student.text === text)) problems.push(`« ${file.name} » est déjà dans la table.`);
      else students.push({ text, file: file.name, report, skipped, name: report.names.join(", ") || `Sans nom (${file.name})`, ...gradeReport(report, book.chapters, check) });
    }
    const added = students.length - before;
    told.replaceChildren(
      h("p", {}, added > 1 ? `${added} comptes-rendus ajoutés.` : added ? "Un compte-rendu ajouté." : "Aucun compte-rendu ajouté."),
      ...problems.map((problem) => h("p", { class: "suivi-erreur" }, problem)),
    );
    show();
  }

  // ── La table ──

  /** Les colonnes de la vue choisie : {key, label, title, cell}. */
  function columns() {
    const chapter = book.chapters[view.value];
    if (chapter) {
      return [
        ...chapter.questions.map((question, i) => ({ key: { question: question.id }, label: String(i + 1), title: question.title, cell: (student) => answerCell(student, question) })),
        { key: { chapter: Number(view.value) }, label: `Points sur ${worth(chapter.questions)}`, cell: (student) => points(student.scores[view.value]) },
      ];
    }
    return [
      { key: "total", label: `Total (sur ${worth(questions)})`, cell: (student) => points(student.total) },
      { key: "answered", label: "Réponses", cell: (student) => `${student.answered} sur ${questions.length}` },
      ...book.chapters.map(({ title, questions: asked }, i) => ({ key: { chapter: i }, label: `${title} (sur ${worth(asked)})`, cell: (student) => points(student.scores[i]) })),
    ];
  }

  function answerCell(student, question) {
    const { mark, attempts, doubt } = student.grades[question.id];
    if (mark === "none") return h("span", { class: "suivi-vide" }, h("span", { "aria-hidden": "true" }, MARKS.none), h("span", { class: "suivi-cache" }, MARK_NAMES.none));
    const label = `${student.name}, ${question.title} : ${MARK_NAMES[mark]}${attempts ? `, ${attempts} essai${attempts > 1 ? "s" : ""}` : ""}${doubt ? ", le fichier dit autre chose" : ""}`;
    const button = h("button", { type: "button", class: `suivi-note ${mark}`, "aria-label": label, title: question.title }, `${MARKS[mark]}${attempts ? ` ${attempts}` : ""}${doubt ? " !" : ""}`);
    button.addEventListener("click", () => showAnswer(student, question));
    return button;
  }

  function header({ key, label, title }) {
    const active = JSON.stringify(key) === JSON.stringify(sorting.key);
    const button = h("button", { type: "button", title: title ?? null, "aria-label": title ? `${label}. ${title}` : null }, label, active ? h("span", { "aria-hidden": "true" }, sorting.descending ? " ▼" : " ▲") : null);
    button.addEventListener("click", () => {
      sorting = { key, descending: active && !sorting.descending };
      show();
      table.querySelector("[aria-sort] button")?.focus();
    });
    return h("th", { scope: "col", "aria-sort": active ? (sorting.descending ? "descending" : "ascending") : null }, button);
  }

  function nameCell(student) {
    const button = h("button", { type: "button", class: "suivi-nom" }, student.name);
    button.addEventListener("click", () => showReport(student));
    return h("th", { scope: "row" }, button);
  }

  function show() {
    const shown = columns();
    if (sorting.key !== "name" && !shown.some(({ key }) => JSON.stringify(key) === JSON.stringify(sorting.key))) sorting = { key: "name", descending: false };
    table.hidden = tools.hidden = !students.length;
    table.querySelector("thead").replaceChildren(h("tr", {}, header({ key: "name", label: "Nom" }), ...shown.map(header)));
    table.querySelector("tbody").replaceChildren(...sortStudents(students, sorting.key, sorting.descending).map((student) =>
      h("tr", {}, nameCell(student), ...shown.map((column) => h("td", {}, column.cell(student))))));
  }

  // ── Le détail ──

  function openDetail(title, ...content) {
    const heading = h("h2", { tabindex: -1 }, title), close = h("button", { type: "button" }, "Fermer");
    const opener = document.activeElement;
    close.addEventListener("click", () => {
      detail.hidden = frame.hidden = true;
      (opener?.isConnected ? opener : view).focus();
    });
    detail.replaceChildren(heading, ...content.filter(Boolean), close);
    frame.hidden = true;
    detail.hidden = false;
    heading.focus();
  }

  function showAnswer(student, question) {
    const state = student.report.answers[question.id], { mark, doubt } = student.grades[question.id];
    const answer = fromBank("div", { class: "suivi-reponse" }, answerHtml(question, state.answer)); // les textes de l'élève y sont échappés
    openDetail(student.name, h("p", { class: "suivi-titre" }, question.title), fromBank("div", {}, question.statement), h("p", { class: "suivi-titre" }, "Réponse"), answer,
      h("p", {}, metaText(question, state)),
      doubt ? h("p", { class: "suivi-erreur" }, `Corrigée ici, la réponse est : ${MARK_NAMES[mark]}. Le fichier dit le contraire.`) : null,
      state.remark ? h("p", {}, h("strong", {}, "Remarque : "), state.remark) : null);
  }

  function showReport(student) {
    const { report, skipped } = student;
    openDetail(student.name,
      h("p", {}, [student.file, frenchDate(report.date)].filter(Boolean).join(", ")),
      skipped ? h("p", {}, `Réponses illisibles ou d’une autre version du livre, laissées de côté : ${skipped}.`) : null);
    const answered = book.chapters.filter((chapter) => chapter.questions.some(({ id }) => report.answers[id]));
    preview(frame, report, { ...book, chapters: answered });
  }

  dropZone(zone, receive);
  view.addEventListener("change", show);
  tools.querySelector("[value=csv]").addEventListener("click", () => download("notes.csv", "text/csv", writeCsv(sortStudents(students, "name"), book.chapters)));
  tools.querySelector("[value=vider]").addEventListener("click", () => {
    students = [];
    detail.hidden = frame.hidden = true;
    told.replaceChildren(h("p", {}, "La table est vide."));
    show();
    zone.querySelector("input").focus();
  });
  zone.hidden = false;
}
