"""Le compte-rendu : des réponses (widgets du carnet, fichier exporté par la page) au Markdown, au HTML imprimable et au JSON.

Le format du fichier est celui de la page du livre, et ``report.js`` en est le double en JavaScript : un test compare ce
que les deux écrivent.
"""

import datetime
import html
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from labcode.tp import bank

FORMAT, VERSION = "labcode-compte-rendu", 1
BOOK = "Réseaux de neurones à partir de rien"
LONGEST_FILE = 5_000_000
MONTHS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()
RANKS = {"right": 3, "recorded": 2, "wrong": 1}
SHOWN = ("id", "type", "title", "difficulty", "minutes", "source", "unit", "revision", "statement", "function", "signature",
         "left", "right", "items", "criteria")


class ReportError(ValueError):
    """Un fichier qui n'est pas un compte-rendu lisible."""


# ── Le livre ─────────────────────────────────────────────────────────────────


def load_chapters(folder: Path | None = None, edition: str = "eleve") -> list[dict]:
    """Les chapitres et leurs questions, telles que le compte-rendu les montre : aucun corrigé n'y est."""
    folder = Path(folder or bank.find_folder())
    return [{"title": chapter_title(path), "stem": path.stem, "questions": [shown(question, edition) for question in bank.load_file(path)]}
            for path in sorted(folder.glob("*.yml"))]


def chapter_title(path: Path) -> str:
    """Le titre du carnet qui va avec un fichier de questions ; à défaut, le nom du fichier."""
    notebook = path.parent.parent / f"{path.stem}.ipynb"
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"] if notebook.is_file() else []
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    found = re.search(r"^# (.+)$", text, re.MULTILINE)
    return found.group(1).strip() if found else re.sub(r"^\d+[a-z]?_", "", path.stem).replace("_", " ").capitalize()


def shown(question: dict, edition: str = "eleve") -> dict:
    """Ce que l'élève voit d'une question, en HTML et (champ ``markdown``) tel que la banque l'écrit."""
    written = [{**compiled, "options": [{"text": option["text"]} for option in compiled.get("options", [])]}
               for compiled in (bank.compiled(question, math, edition) for math in ("mathml", None))]
    page, source = ({name: compiled[name] for name in (*SHOWN, "options") if name in compiled} for compiled in written)
    texts = {name: source[name] for name in ("statement", "options", "left", "right", "items", "criteria") if name in source}
    return page | {"hints": [""] * len(question.get("hints", [])), "markdown": texts}


def stylesheet() -> str:
    """La feuille de style du compte-rendu imprimable."""
    return Path(__file__).with_name("report.css").read_text(encoding="utf-8")


# ── Lire ─────────────────────────────────────────────────────────────────────


def decode(question: dict, state) -> dict | None:
    """L'état d'une question, vérifié ; None s'il est illisible. Question récrite : seul le texte de l'élève reste, à rejuger."""
    if not isinstance(state, dict):
        return None
    answer, same = state.get("answer"), state.get("revision") == question["revision"]
    if not same and answer is not None:
        answer = _rewritten(question["type"], answer)
        if answer is None:
            return None
    if not _fits(question, answer):
        return None
    verdict, date = state.get("verdict"), state.get("date")
    return {
        "revision": question["revision"], "answer": answer,
        "attempts": state["attempts"] if same and _is_count(state.get("attempts")) else 0,
        "hints": min(state["hints"], len(question["hints"])) if same and _is_count(state.get("hints")) else 0,
        "verdict": verdict if same and answer is not None and verdict in list(RANKS) else "",
        "date": date if _is_short(date) else "", "remark": _trimmed(state.get("remark"), 2000),
    }


def _fits(question, answer):
    kind = question["type"]
    options, left, right, items, criteria = (len(question.get(name, [])) for name in ("options", "left", "right", "items", "criteria"))
    match kind, answer:
        case _, None:
            return True
        case "choice" | "prediction", _:
            return _is_count(answer, options)
        case "choices", _:
            return _are_ranks(answer, options)
        case "matching", list():
            return len(answer) == left and all(rank is None or _is_count(rank, right) for rank in answer)
        case "ordering", _:
            return _are_ranks(answer, items) and len(set(answer)) == items
        case "text", dict():
            return _is_short(answer.get("text")) and _are_ranks(answer.get("ticked"), criteria)
        case "matching" | "text", _:
            return False
    return _is_short(answer)


def _rewritten(kind, answer):
    if kind == "text":
        return {"text": answer.get("text"), "ticked": []} if isinstance(answer, dict) else None
    return answer if _is_short(answer) and kind not in ("choice", "choices", "prediction") else None


def _is_count(value, limit=10_000):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < limit


def _is_short(value):
    return isinstance(value, str) and len(value) <= 5000


def _are_ranks(value, limit):
    return isinstance(value, list) and len(value) <= limit and all(_is_count(rank, limit) for rank in value)


def _trimmed(value, limit):
    text = value if isinstance(value, str) else ""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", "", text).strip()[:limit]


# ── Dire ─────────────────────────────────────────────────────────────────────


def _plural(n, word):
    return f"{n} {word}s" if n > 1 else f"{n} {word}"


def french_date(date: str) -> str:
    """« 1er mars 2026 » pour ``2026-03-01`` ; une chaîne vide si la date n'en est pas une."""
    year, month, day = ([int(part) for part in date.split("-")] if re.fullmatch(r"\d{4}-\d\d-\d\d", date) else (0, 0, 0))
    return f"{'1er' if day == 1 else day} {MONTHS[month - 1]} {year}" if 1 <= month <= 12 and day else ""


def verdict_text(question: dict, state: dict | None) -> str:
    """« ✓ Juste », « ● Auto-évaluation : 2 critères sur 3 »…"""
    if not state or state["answer"] is None:
        return "○ Sans réponse"
    if state["verdict"] != "recorded":
        unchecked = "◐ Brouillon" if question["type"] == "text" else "◐ À vérifier de nouveau"
        return {"right": "✓ Juste", "wrong": "✗ Pas encore juste"}.get(state["verdict"], unchecked)
    if question["type"] in ("prediction", "code"):
        return {"prediction": "● Prédiction", "code": "● Essayée, sans vérification"}[question["type"]]
    total = len(question.get("criteria", []))
    return f"● Auto-évaluation\u00a0: {_plural(len(state['answer']['ticked']), 'critère')} sur {total}" if total else "● Enregistrée"


def meta_text(question: dict, state: dict | None) -> str:
    """Le verdict, les essais, les indices et la source, sur une ligne."""
    counted = bool(state) and question["type"] != "prediction"
    parts = [verdict_text(question, state)]
    parts += [_plural(state[name], word) for name, word in (("attempts", "essai"), ("hints", "indice")) if counted and state[name]]
    return " · ".join([*parts, *([question["source"]] if question.get("source") else [])])


def answer_parts(question: dict, answer, texts: dict) -> list[tuple[str, object]]:
    """La réponse en morceaux (genre, contenu) ; les textes de la banque sont pris dans ``texts``."""
    def pick(name, ranks):
        entries = [texts[name][rank] for rank in ranks]
        return [entry["text"] if isinstance(entry, dict) else entry for entry in entries]

    if answer is None or answer == "":
        return []
    match question["type"]:
        case "choice" | "choices" | "prediction":
            return [("list", pick("options", answer if isinstance(answer, list) else [answer]))]
        case "matching":
            rights = ["…" if rank is None else texts["right"][rank] for rank in answer]
            return [("list", [f"{left} → {right}" for left, right in zip(texts["left"], rights)])]
        case "ordering":
            return [("steps", pick("items", answer))]
        case "text":
            ticked = [("label", "Critères cochés"), ("list", pick("criteria", answer["ticked"]))] if answer["ticked"] else []
            return [("prose", answer["text"]), *ticked]
        case "code":
            return [("program", answer)]
    unit = question.get("unit", "")
    return [("code", f"{answer} {unit}" if unit and unit not in answer else answer)]


def summary(answers: dict, chapters: list[dict]) -> str:
    """« 5 justes sur 9 questions, 2 enregistrées, 1 sans réponse » : les prédictions n'ont pas de juste."""
    questions = [question for chapter in chapters for question in chapter["questions"]]
    states = [answers.get(question["id"]) for question in questions]
    verdicts = [state["verdict"] if state else "" for state in states]
    judged = sum(question["type"] != "prediction" for question in questions)
    empty = sum(not state or state["answer"] is None for state in states)
    parts = [f"{_plural(verdicts.count('right'), 'juste')} sur {_plural(judged, 'question')}"]
    parts += [_plural(verdicts.count("recorded"), "enregistrée")] if "recorded" in verdicts else []
    return ", ".join([*parts, *([f"{empty} sans réponse"] if empty else [])])


# ── Écrire ───────────────────────────────────────────────────────────────────


def _escape(text):
    return html.escape(text, quote=False).replace('"', "&quot;")


def _items(tag, items):
    return f"<{tag}>{''.join(f'<li>{item}</li>' for item in items)}</{tag}>"


HTML = {
    "texts": lambda question: question,
    "heading": lambda level, text: f"<h{level}>{_escape(text)}</h{level}>",
    "line": lambda text: f"<p>{_escape(text)}</p>",
    "meta": lambda text: f'<p class="meta">{_escape(text)}</p>',
    "label": lambda text: f'<p class="label">{_escape(text)}</p>',
    "bank": lambda text: f'<div class="statement">{text}</div>',
    "list": lambda items: _items("ul", items),
    "steps": lambda items: _items("ol", items),
    "code": lambda text: f"<p><code>{_escape(text)}</code></p>",
    "program": lambda text: f"<pre><code>{_escape(text)}</code></pre>",
    "prose": lambda text: f"<blockquote>{_escape(text)}</blockquote>",
}


def _flat(text):
    return re.sub(r"\s*\n\s*", " ", text).strip()


def _fence(text, least):
    """Une suite d'accents graves plus longue que toutes celles du texte."""
    return "`" * max([least, *(len(run) + 1 for run in re.findall("`+", text))])


def _escape_markdown(text):
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", _flat(text))


def _quote(text):
    """Une citation ; une balise ne commence que si « < » touche un nom : une espace la désarme, et laisse les formules intactes."""
    return "\n".join(f"> {line}".rstrip() for line in re.sub(r"<(?=[a-zA-Z/!?])", "< ", text).split("\n"))


def _code(text):
    marks, text = _fence(text, 1), _flat(text)
    gap = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{marks}{gap}{text}{gap}{marks}"


def _program(text):
    marks = _fence(text, 3)
    return f"{marks}python\n{text}\n{marks}"


MARKDOWN = {
    "texts": lambda question: question["markdown"],
    "heading": lambda level, text: f"{'#' * level} {_escape_markdown(text)}",
    "line": _escape_markdown,
    "meta": lambda text: f"*{_escape_markdown(text)}*",
    "label": lambda text: f"**{_escape_markdown(text)}**",
    "bank": str.strip,
    "list": lambda items: "\n".join(f"- {_flat(item)}" for item in items),
    "steps": lambda items: "\n".join(f"{rank}. {_flat(item)}" for rank, item in enumerate(items, start=1)),
    "code": _code,
    "program": _program,
    "prose": _quote,
}


@dataclass
class Report:
    """Un compte-rendu : ``markdown()``, ``html()``, ``json()``, et ``enregistrer()`` pour les trois fichiers."""

    names: list[str]
    answers: dict[str, dict]
    chapters: list[dict]
    remark: str = ""
    date: str = field(default_factory=lambda: datetime.date.today().isoformat())
    edition: str = "eleve"

    @classmethod
    def read(cls, text: str, chapters: list[dict] | None = None) -> "Report":
        """Un fichier exporté par la page ou par un carnet ; ``ReportError`` dit en français ce qui ne va pas."""
        chapters = load_chapters() if chapters is None else chapters
        if len(text) > LONGEST_FILE:
            raise ReportError("ce fichier est trop gros pour être un compte-rendu")
        try:
            content = json.loads(text)
        except (ValueError, RecursionError):
            raise ReportError("ce fichier n'est pas du JSON lisible\u00a0: il est abîmé, incomplet, ou d'une autre sorte") from None
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ReportError("ce fichier n'est pas un compte-rendu exporté par ce livre")
        version, given = content.get("version"), content.get("answers")
        if not _is_count(version) or version < 1:
            raise ReportError("ce compte-rendu n'a pas de numéro de version lisible")
        if version > VERSION:
            raise ReportError("ce compte-rendu vient d'une version plus récente du livre")
        if not isinstance(given, dict):
            raise ReportError("ce compte-rendu n'a pas de réponses lisibles")
        questions = (question for chapter in chapters for question in chapter["questions"])
        answers = {question["id"]: decode(question, given.get(question["id"])) for question in questions}
        names = content.get("names") if isinstance(content.get("names"), list) else []
        date = content.get("date")
        return cls([name for name in (_trimmed(name, 100) for name in names) if name][:10],
                   {name: state for name, state in answers.items() if state}, chapters, _trimmed(content.get("remark"), 5000),
                   date if isinstance(date, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", date) else "", _trimmed(content.get("edition"), 20))

    def json(self) -> str:
        """Le fichier que la page du livre et la table du professeur savent relire."""
        content = {"format": FORMAT, "version": VERSION, "names": self.names, "date": self.date, "edition": self.edition,
                   "remark": self.remark, "answers": self.answers}
        return json.dumps(content, ensure_ascii=False, indent=1) + "\n"

    def markdown(self) -> str:
        """Le compte-rendu en Markdown, formules en LaTeX."""
        return "\n\n".join(self._compose(MARKDOWN)) + "\n"

    def html(self) -> str:
        """Un document complet, sans script, à ouvrir dans un navigateur pour l'imprimer ou en faire un PDF."""
        body = "\n".join(self._compose(HTML))
        return f"""<!DOCTYPE html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{_escape(", ".join(["Compte-rendu", *self.names]))}</title>
<style>
{stylesheet()}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""

    def enregistrer(self, dossier: str | Path = ".", nom: str = "compte-rendu") -> list[Path]:
        """Écrit ``compte-rendu.md``, ``.html`` et ``.json`` dans ``dossier`` ; rend leurs chemins."""
        folder = Path(dossier)
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / f"{nom}.{suffix}" for suffix in ("md", "html", "json")]
        for path, text in zip(paths, (self.markdown(), self.html(), self.json())):
            path.write_text(text, encoding="utf-8")
        return paths

    def _repr_markdown_(self):
        return self.markdown()

    def __repr__(self):
        return f"Compte-rendu de {', '.join(self.names) or 'personne'}\u00a0: {summary(self.answers, self.chapters)}"

    def _compose(self, writer):
        """Le compte-rendu, morceau par morceau, dans l'écriture de ``writer``."""
        yield writer["heading"](1, "Compte-rendu")
        yield writer["line"](BOOK)
        if self.names:
            yield writer["label"](", ".join(self.names))
        yield writer["meta"](" · ".join(filter(None, [french_date(self.date), summary(self.answers, self.chapters)])))
        if self.remark:
            yield writer["prose"](self.remark)
        for chapter in self.chapters:
            yield writer["heading"](2, chapter["title"])
            for rank, question in enumerate(chapter["questions"], start=1):
                yield from self._compose_question(writer, rank, question)

    def _compose_question(self, writer, rank, question):
        state, texts = self.answers.get(question["id"]), writer["texts"](question)
        parts = answer_parts(question, state and state["answer"], texts)
        yield writer["heading"](3, f"{rank}. {question['title']}")
        yield writer["bank"](texts["statement"])
        if parts:
            yield writer["label"]("Réponse")
        for kind, content in parts:
            yield writer[kind](content)
        yield writer["meta"](meta_text(question, state))
        if state and state["remark"]:
            yield writer["label"]("Remarque")
            yield writer["prose"](state["remark"])


# ── Depuis un carnet ─────────────────────────────────────────────────────────


def compte_rendu(noms: list[str] | str = (), remarque: str = "", fichier: str | Path | None = None) -> Report:
    """Le compte-rendu des questions répondues dans ce carnet ; ``fichier`` y ajoute des réponses exportées par la page.

    De deux réponses à une même question, la meilleure est gardée. Seuls les chapitres où l'on a répondu paraissent.
    ``ReportError`` si ``fichier`` est illisible.
    """
    chapters = load_chapters()
    questions = {question["id"]: question for chapter in chapters for question in chapter["questions"]}
    read = Report.read(_text(fichier), chapters) if fichier else Report([], {}, chapters)
    answers = dict(read.answers)
    for name, state in widget_states():
        state = decode(questions[name], state) if name in questions else None
        if state and _rank(state) >= _rank(answers.get(name)):
            known = answers.get(name, {"attempts": 0, "hints": 0, "remark": ""})
            answers[name] = state | {"remark": known["remark"]} | {count: max(state[count], known[count]) for count in ("attempts", "hints")}
    names = [noms] if isinstance(noms, str) else list(noms)
    answered = [chapter for chapter in chapters if any(question["id"] in answers for question in chapter["questions"])]
    return Report(names or read.names, answers, answered or chapters, remarque or read.remark)


def _text(path):
    try:
        return Path(path).read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise ReportError(f"« {path} » ne peut être lu : est-ce le bon dossier, et le bon nom ?") from error


def widget_states():
    """L'état de chaque widget de question qui vit dans ce noyau."""
    from labcode.tp.widget import Question

    for widget in sorted(Question.instances, key=lambda widget: widget.attempts):
        if widget.answer is not None or widget.attempts or widget.hints:
            yield widget.question.get("id"), {name: getattr(widget, name) for name in ("answer", "attempts", "hints", "verdict")} | {
                "revision": widget.question.get("revision"), "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")}


def _rank(state):
    return -1 if not state or state["answer"] is None else RANKS.get(state["verdict"], 0)
