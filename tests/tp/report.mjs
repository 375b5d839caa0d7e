/*
 * Pour test_report.py. `ecrire` : {report, book} sur l'entrée standard, {markdown, html} en retour.
 * `lire` : [texte…] et les questions, ce que readReport en fait. `decoder` : [[question, état]…]. `fuzz` : des fichiers au hasard.
 */
import { readFileSync } from "node:fs";
import { decode } from "../../labcode/tp/storage.js";
import { gradeReport, sortStudents, writeCsv } from "../../labcode/tp/grades.js";
import { check } from "../../labcode/tp/checks.js";
import { compareAnswers, readReport, replaced, writeHtml, writeMarkdown } from "../../labcode/tp/report.js";
import { duration, isDone, progressText, stateName } from "../../labcode/tp/progress.js";
import { fileName } from "../../labcode/tp/files.js";

const input = JSON.parse(readFileSync(0, "utf8"));
const actions = {
  ecrire: ({ report, book }) => ({ markdown: writeMarkdown(report, book), html: writeHtml(report, book) }),
  lire: ({ texts, questions }) => texts.map((text) => readReport(text, questions)),
  decoder: ({ cases }) => cases.map(([question, state]) => decode(question, JSON.stringify({ version: 2, ...state }))),
  comparer: ({ mine, theirs }) => compareAnswers(mine, theirs),
  remplacer: ({ mine, theirs }) => replaced(mine, theirs),
  avancer: ({ cases }) => cases.map((questions) => progressText(questions)),
  etats: ({ states }) => states.map((state) => [stateName(state), isDone(state)]),
  durees: ({ minutes }) => minutes.map(duration),
  nommer: ({ names }) => names.map(fileName),
  noter: ({ reports, chapters, key, descending }) => {
    const students = reports.map((report) => ({ name: report.names.join(", "), file: "f.json", report, ...gradeReport(report, chapters, check) }));
    return { students, order: sortStudents(students, key, descending).map(({ name }) => name), csv: writeCsv(students, chapters) };
  },
  fuzz,
};
process.stdout.write(JSON.stringify(actions[process.argv[2]](input)));

/** `count` fichiers abîmés ou hostiles : jamais d'exception, et tout ce qui en sort se relit, se réunit, s'écrit et se note. */
function fuzz({ book, chapters, valid, count, seed }) {
  let state = seed;
  const random = () => { state = (state * 1664525 + 1013904223) % 4294967296; return state / 4294967296; };
  const pick = (list) => list[Math.floor(random() * list.length)];
  const questions = book.chapters.flatMap((chapter) => chapter.questions);
  const keys = ["format", "version", "names", "answers", "remark", "answer", "verdict", "attempts", "hints", "revision", "text", "ticked", "__proto__", "constructor", "toString", ...questions.map(({ id }) => id)];
  const odd = [null, true, -1, 0, 1, 2.5, 1e308, "", "right", "<script>pwned()</script>", "\u0000\u202E", "`".repeat(50), "=1+1", [], {}, [[]], [0], [0, 0], "x".repeat(6000), { text: "</blockquote><img src=x onerror=pwned()>", ticked: [0] }];
  const value = (depth) => (depth > 3 || random() < 0.6 ? pick(odd) : random() < 0.5 ? Array.from({ length: Math.floor(random() * 4) }, () => value(depth + 1)) : Object.fromEntries(Array.from({ length: Math.floor(random() * 4) }, () => [pick(keys), value(depth + 1)])));
  function altered(file) {
    const copy = JSON.parse(JSON.stringify(file));
    for (let n = 1 + Math.floor(random() * 4); n > 0; n -= 1) {
      const places = [copy, copy.answers, ...Object.values(copy.answers ?? {})].filter((place) => place && typeof place === "object" && !Array.isArray(place));
      const place = pick(places);
      if (place) Object.defineProperty(place, random() < 0.7 ? pick(Object.keys(place).concat("answer")) : pick(keys), { value: value(0), enumerable: true, configurable: true, writable: true });
    }
    return JSON.stringify(copy);
  }
  const cut = (text) => text.slice(0, Math.floor(random() * text.length)) + (random() < 0.5 ? "" : pick(["}", "]", "\"", "\uFFFD", "[".repeat(20000)]));
  const outcomes = { read: 0, refused: 0, answers: 0, problems: [] };
  for (let i = 0; i < count; i += 1) {
    const kind = random();
    const text = kind < 0.6 ? altered(valid) : kind < 0.8 ? cut(JSON.stringify(valid)) : JSON.stringify(value(0));
    try {
      const { report, error } = readReport(text, questions);
      if (error) { outcomes.refused += 1; if (report) outcomes.problems.push(["refusé et lu", text]); continue; }
      outcomes.read += 1;
      outcomes.answers += Object.keys(report.answers).length;
      const again = readReport(JSON.stringify(report), questions).report;
      if (JSON.stringify(again) !== JSON.stringify(report)) outcomes.problems.push(["ne se relit pas", text]);
      compareAnswers(valid.answers, report.answers);
      const html = writeHtml(report, book);
      if (/<script|<img|<\/blockquote><img/i.test(html)) outcomes.problems.push(["HTML actif", text]);
      const prose = writeMarkdown(report, book).replaceAll(/(`+)[^`][\s\S]*?[^`]\1(?!`)/g, ""); // hors du code
      if (/(?<!\\)<(script|img)/i.test(prose)) outcomes.problems.push(["Markdown actif", text]);
      const student = { name: report.names.join(", "), file: "x", report, ...gradeReport(report, chapters, check) };
      if (!(student.total >= 0 && student.total <= questions.length)) outcomes.problems.push(["note", text]);
      writeCsv([student], chapters);
    } catch (problem) {
      outcomes.problems.push([String(problem?.stack ?? problem), text.slice(0, 500)]);
    }
    if (outcomes.problems.length > 3) break;
  }
  if ({}.pwned || {}.answer) outcomes.problems.push(["prototype", ""]);
  return outcomes;
}
