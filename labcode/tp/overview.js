/*
 * La page « Questions et compte-rendu » : le tableau de toutes les questions, avec leur état ;
 * le compte-rendu à rendre ; la reprise de réponses exportées. Tout se passe dans le navigateur.
 */
import { fromBank, h } from "./dom.js";
import { decode, keyOf, load, read, save, write } from "./storage.js";
import { FORMAT, REPORT_VERSION, answerHtml, compareAnswers, metaText, plural, replaced, writeHtml, writeMarkdown } from "./report.js";
import { download, dropZone, fileName, preview, readFile } from "./files.js";
import { STATES, follow, isDone, showProgressIn, stateName } from "./progress.js";

const DRAFT = "labcode.compte-rendu"; // noms et remarques, gardés avec les réponses
const NOT_SAVED = "Ce navigateur ne garde rien (navigation privée, ou stockage plein) : la reprise n’a pas pu se faire.";

const loadState = (question) => decode(question, read(keyOf(question)));

// ── Le tableau ─────────────────────────────────────────────────────────────

function startTable(root, book) {
  const rows = new Map([...root.querySelectorAll("tr[data-question]")].map((row) => [row.dataset.question, row]));
  const filters = root.querySelector(".suivi-filtres"), count = root.querySelector(".suivi-compte");

  function filter() {
    const wanted = Object.entries(Object.fromEntries(new FormData(filters))).filter(([, value]) => value);
    let seen = 0;
    for (const row of rows.values()) {
      row.hidden = !wanted.every(([name, value]) => row.dataset[name] === value);
      seen += !row.hidden;
    }
    for (const body of root.querySelectorAll("tbody")) body.hidden = !body.querySelector("tr[data-question]:not([hidden])");
    count.textContent = !wanted.length ? "" : seen ? `${plural(seen, "question")} sur ${rows.size}` : "Aucune question ne répond à ces critères.";
  }

  follow(() => {
    const all = [];
    for (const [rank, chapter] of book.chapters.entries()) {
      const questions = chapter.questions.map((question) => {
        const state = loadState(question), row = rows.get(question.id), name = stateName(state);
        row.dataset.state = name;
        row.querySelector(".suivi-etat").textContent = STATES[name];
        return { minutes: question.minutes, done: isDone(state) };
      });
      showProgressIn(root.querySelector(`[data-chapter-progress="${rank}"]`), questions);
      all.push(...questions);
    }
    showProgressIn(root.querySelector(".suivi-total"), all);
    filter();
  });
  filters.addEventListener("input", filter);
  filters.addEventListener("reset", () => setTimeout(filter));
  filters.addEventListener("submit", (event) => event.preventDefault());
  filters.hidden = false;
}

// ── Le compte-rendu ────────────────────────────────────────────────────────

/** {names, remark, remarks} : ce que l'élève écrit dans la page, en plus de ses réponses. */
function loadDraft() {
  const text = (value) => (typeof value === "string" ? value : "");
  try {
    const { names, remark, remarks } = JSON.parse(read(DRAFT)) ?? {};
    return { names: text(names), remark: text(remark), remarks: Object.fromEntries(Object.entries(remarks ?? {}).filter(([, value]) => text(value))) };
  } catch {
    return { names: "", remark: "", remarks: {} };
  }
}

/** Si rien ne se garde, le compte-rendu reste possible tant que la page est ouverte. */
const saveDraft = (draft) => write(DRAFT, JSON.stringify({ version: 1, ...draft }));

const today = () => new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 10);

function startReport(form, book, draft) {
  const { names, remark, subject, note } = form.elements;
  const frame = form.querySelector("iframe"), status = form.querySelector("[role=status]");
  const chosen = () => [...form.querySelectorAll("[name=chapter]")].flatMap((box, i) => (box.checked ? [book.chapters[i]] : []));

  function build() {
    const answers = {};
    for (const question of book.chapters.flatMap((chapter) => chapter.questions)) {
      const state = loadState(question) ?? { answer: null, attempts: 0, hints: 0, verdict: "", date: "" };
      const about = draft.remarks[question.id] ?? "";
      if (state.answer !== null || state.attempts || state.hints || about) answers[question.id] = { revision: question.revision, ...state, remark: about };
    }
    const people = draft.names.split(/[,;\n]/).map((name) => name.trim()).filter(Boolean);
    return { format: FORMAT, version: REPORT_VERSION, names: people, date: today(), edition: book.edition, remark: draft.remark.trim(), answers };
  }

  const actions = {
    preview: () => preview(frame, build(), { ...book, chapters: chosen() }),
    print() {
      frame.addEventListener("load", () => frame.contentWindow.print(), { once: true });
      actions.preview();
    },
    markdown: (report) => download(`${fileName(report.names)}.md`, "text/markdown", writeMarkdown(report, { ...book, chapters: chosen() })),
    html: (report) => download(`${fileName(report.names)}.html`, "text/html", writeHtml(report, { ...book, chapters: chosen() })),
    json: (report) => download(`${fileName(report.names)}.json`, "application/json", `${JSON.stringify(report, null, 1)}\n`),
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const action = event.submitter?.value ?? "preview", report = build();
    if (action !== "json" && !chosen().length) status.textContent = "Choisissez au moins un chapitre.";
    else {
      actions[action](report);
      status.textContent = report.names.length ? "" : "Votre nom manque : le compte-rendu est anonyme.";
    }
  });

  const show = () => {
    names.value = draft.names;
    remark.value = draft.remark;
    note.value = draft.remarks[subject.value] ?? "";
  };
  subject.addEventListener("change", show);
  form.addEventListener("input", ({ target }) => {
    if (target === names) draft.names = names.value;
    else if (target === remark) draft.remark = remark.value;
    else if (target === note) draft.remarks[subject.value] = note.value;
    else return;
    saveDraft(draft);
  });
  // Par défaut, les chapitres où l'on a répondu ; tous, si l'on n'a répondu nulle part.
  const answered = book.chapters.map((chapter) => chapter.questions.some((question) => loadState(question)));
  form.querySelectorAll("[name=chapter]").forEach((box, i) => { box.checked = answered[i] || !answered.includes(true); });
  show();
  form.hidden = false;
  return show;
}

// ── La reprise ─────────────────────────────────────────────────────────────

function startImport(zone, book, draft, showDraft) {
  const told = zone.querySelector("[role=status]"), questions = book.chapters.flatMap((chapter) => chapter.questions);
  const byId = new Map(questions.map((question) => [question.id, question]));
  const refresh = () => window.dispatchEvent(new Event("storage"));
  const put = (id, state) => save(byId.get(id), replaced(load(byId.get(id)), state)); // l'illisible est mis de côté

  function choice(id, theirs) {
    const question = byId.get(id), mine = loadState(question);
    const show = (label, state) =>
      h("div", {}, h("p", {}, h("strong", {}, label), ` ${metaText({ ...question, source: "" }, state)}`), fromBank("div", {}, answerHtml(question, state.answer)));
    const take = h("button", { type: "button" }, "Prendre celle du fichier");
    const item = h("li", {}, h("p", { class: "suivi-titre" }, question.title), h("div", { class: "suivi-deux" }, show("Ici : ", mine), show("Dans le fichier : ", theirs)), take);
    take.addEventListener("click", () => {
      const done = put(id, theirs);
      item.replaceChildren(h("p", { class: "suivi-titre" }, question.title), h("p", {}, done ? "La réponse du fichier a pris la place de la vôtre." : NOT_SAVED));
      refresh();
    });
    return item;
  }

  async function receive([file]) {
    if (!file) return;
    const { report, skipped, error } = await readFile(file, questions);
    if (error) return told.replaceChildren(h("p", { class: "suivi-erreur" }, `« ${file.name} » n’est pas repris. ${error} Vos réponses n’ont pas changé.`));
    const mine = Object.fromEntries(questions.map((question) => [question.id, loadState(question)]));
    const { taken, kept } = compareAnswers(mine, report.answers);
    const written = taken.filter((id) => put(id, report.answers[id]));
    draft.names ||= report.names.join(", ");
    draft.remark ||= report.remark;
    for (const [id, { remark }] of Object.entries(report.answers)) if (remark) draft.remarks[id] ||= remark;
    saveDraft(draft);
    showDraft();
    const say = (n, one, many) => h("p", {}, n > 1 ? `${n} ${many}` : one);
    told.replaceChildren(
      written.length < taken.length ? h("p", { class: "suivi-erreur" }, NOT_SAVED) : say(written.length, written.length ? "Une réponse reprise." : "Aucune réponse à reprendre.", "réponses reprises."),
      skipped ? say(skipped, "Une réponse est laissée de côté : illisible, ou d’une autre version du livre.", "réponses sont laissées de côté : illisibles, ou d’une autre version du livre.") : "",
      kept.length ? say(kept.length, "Une de vos réponses est gardée, au moins aussi bonne que celle du fichier. Vous pouvez en décider autrement :", "de vos réponses sont gardées, au moins aussi bonnes que celles du fichier. Vous pouvez en décider autrement :") : "",
      kept.length ? h("ul", { class: "suivi-choix" }, ...kept.map((id) => choice(id, report.answers[id]))) : "",
    );
    refresh();
  }

  dropZone(zone, receive);
  zone.hidden = false;
}

export function startOverview(root) {
  const book = JSON.parse(document.getElementById("suivi-livre").textContent), draft = loadDraft();
  startTable(root, book);
  const form = document.querySelector(".suivi-rapport"), zone = document.querySelector(".suivi-reprise");
  const showDraft = form ? startReport(form, book, draft) : () => {};
  if (zone) startImport(zone, book, draft, showDraft);
}
