"""La banque de questions : lecture, validation et rendu des fichiers ``chapters/questions/*.yml``."""

import difflib
import functools
import hashlib
import html
import json
import re
from pathlib import Path

import yaml
from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

TYPES = ("choice", "choices", "prediction", "number", "formula")
DOMAINS = ("real", "positive", "unit", "probability", "onehot", "binary", "sign")
COMMON_FIELDS = {"id", "type", "title", "statement", "difficulty", "minutes", "source", "equations",
                 "hints", "solution", "tests"}
TYPE_FIELDS = {
    "choice": {"options"},
    "choices": {"options"},
    "prediction": {"options"},
    "number": {"answer", "tolerance", "unit", "mistakes"},
    "formula": {"answer", "variables", "mistakes", "forbidden"},
}


class BankError(ValueError):
    """Une banque mal écrite : chaque ligne nomme le fichier, la question et le champ."""


# ── Trouver et lire ──────────────────────────────────────────────────────────


def find_folder() -> Path:
    """Le dossier des questions : au-dessus du dossier courant, sinon à côté du paquet."""
    here = Path.cwd()
    roots = [here, *here.parents, Path(__file__).resolve().parents[2]]
    for root in roots:
        if (folder := root / "chapters" / "questions").is_dir():
            return folder
    raise FileNotFoundError("dossier chapters/questions introuvable\u00a0: lancez le carnet depuis le livre")


def load_bank(folder: Path | None = None) -> dict[str, dict]:
    """Toutes les questions d'un dossier, par identifiant ; ``BankError`` si l'une est mal écrite."""
    bank, origin = {}, {}
    for path in sorted(Path(folder or find_folder()).glob("*.yml")):
        for question in load_file(path):
            if question["id"] in bank:
                raise BankError(f"{path.name}\u00a0: la question «\u00a0{question['id']}\u00a0» existe déjà dans "
                                f"{origin[question['id']]}")
            bank[question["id"]], origin[question["id"]] = question, path.name
    return bank


def load_file(path: Path) -> list[dict]:
    """Les questions d'un fichier, validées ; ``BankError`` liste tout ce qui ne va pas."""
    path = Path(path)
    return _load_version(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _load_version(path: Path, _mtime: int) -> list[dict]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", ligne {mark.line + 1}" if mark else ""
        raise BankError(f"{path.name}{where}\u00a0: ce n'est pas du YAML lisible ({getattr(error, 'problem', error)})") from None
    if not isinstance(content, list):
        raise BankError(f"{path.name}\u00a0: le fichier doit être une liste de questions (chacune commence par «\u00a0- id: …\u00a0»)")
    problems = []
    for rank, question in enumerate(content, start=1):
        name = question.get("id", f"n° {rank}") if isinstance(question, dict) else f"n° {rank}"
        problems += [f"{path.name}\u00a0: question «\u00a0{name}\u00a0», {problem}" for problem in validate(question, path.stem)]
    ids = [question.get("id") for question in content if isinstance(question, dict)]
    problems += [f"{path.name}\u00a0: l'identifiant «\u00a0{name}\u00a0» sert deux fois" for name in dict.fromkeys(ids) if ids.count(name) > 1]
    if problems:
        raise BankError("\n".join(problems))
    return [_normalised(question) for question in content]


def nearest_ids(name: str, bank: dict) -> list[str]:
    """Les identifiants qui ressemblent à ``name``, les plus proches d'abord."""
    return difflib.get_close_matches(str(name), bank, n=3, cutoff=0.4)


# ── Valider ──────────────────────────────────────────────────────────────────


def validate(question, stem: str = "") -> list[str]:
    """Les problèmes d'une question, chacun commençant par le champ concerné (liste vide : tout va bien)."""
    if not isinstance(question, dict):
        return ["elle doit être une suite de champs «\u00a0nom: valeur\u00a0»"]
    kind = question.get("type")
    if kind not in TYPES:
        return [_field("type", f"«\u00a0{kind}\u00a0» n'existe pas\u00a0; types connus\u00a0: {', '.join(TYPES)}")]
    return [*_check_fields(question, kind), *_check_common(question, stem), *_check_texts(question),
            *_CHECKS[kind](question), *_check_tests(question)]


def _field(name, problem):
    return f"champ «\u00a0{name}\u00a0»\u00a0: {problem}"


def _check_fields(question, kind):
    allowed = COMMON_FIELDS | TYPE_FIELDS[kind]
    for name in question:
        if name not in allowed:
            near = difflib.get_close_matches(str(name), allowed, n=1)
            yield _field(name, "champ inconnu" + (f"\u00a0; vouliez-vous dire «\u00a0{near[0]}\u00a0»\u00a0?" if near else ""))


def _check_common(question, stem):
    name = question.get("id")
    prefix = re.sub(r"^\d+_", "", stem).replace("_", "-")
    if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", name):
        yield _field("id", "il faut des mots en minuscules sans accent, séparés par des tirets")
    elif prefix and not name.startswith(f"{prefix}-"):
        yield _field("id", f"il doit commencer par «\u00a0{prefix}-\u00a0», le nom du fichier")
    for field in ("title", "statement"):
        if not _is_text(question.get(field)):
            yield _field(field, "un texte est attendu")
    if question.get("difficulty") not in (1, 2, 3):
        yield _field("difficulty", "1, 2 ou 3 est attendu")
    if not isinstance(question.get("minutes"), int) or not 0 < question["minutes"] <= 120:
        yield _field("minutes", "un nombre entier de minutes est attendu")
    if "source" in question and not _is_text(question["source"]):
        yield _field("source", "un texte est attendu")
    equations = question.get("equations", [])
    if not isinstance(equations, list) or not all(isinstance(e, str) and re.fullmatch(r"(eq|calc)-[a-z0-9-]+", e) for e in equations):
        yield _field("equations", "une liste d'étiquettes eq-… est attendue")
    if question["type"] != "prediction":
        hints = question.get("hints")
        if not isinstance(hints, list) or len(hints) != 3 or not all(map(_is_text, hints)):
            yield _field("hints", "trois indices gradués sont attendus")
        if not _is_text(question.get("solution")):
            yield _field("solution", "une solution rédigée est attendue")


def _check_texts(question):
    for field, text in _texts(question):
        try:
            render(text, "mathml")
        except Exception as error:
            yield _field(field, f"formule LaTeX illisible ({type(error).__name__})")


def _texts(question):
    """Tous les textes rédigés d'une question, avec le nom de leur champ."""
    for field in ("statement", "solution"):
        yield field, question.get(field)
    for field in ("hints", "options", "mistakes"):
        for entry in question.get(field) or []:
            values = [entry.get("text"), entry.get("message")] if isinstance(entry, dict) else [entry]
            yield from ((field, value) for value in values)


def _check_options(question):
    options = question.get("options")
    if not isinstance(options, list) or len(options) < 2 or not all(isinstance(o, dict) and _is_text(o.get("text")) for o in options):
        yield _field("options", "au moins deux options {text, correct, message} sont attendues")
        return
    texts = [option["text"] for option in options]
    if len(set(texts)) < len(texts):
        yield _field("options", "deux options ont le même texte")
    for rank, option in enumerate(options, start=1):
        extra = set(option) - {"text", "correct", "message"}
        if extra:
            yield _field("options", f"option {rank}\u00a0: champ inconnu «\u00a0{extra.pop()}\u00a0»")
        if question["type"] == "prediction":
            if "correct" in option:
                yield _field("options", f"option {rank}\u00a0: une prédiction n'a pas de «\u00a0correct\u00a0»")
        elif not isinstance(option.get("correct", False), bool):
            yield _field("options", f"option {rank}\u00a0: «\u00a0correct\u00a0» vaut true ou false")
        elif not option.get("correct") and not _is_text(option.get("message")):
            yield _field("options", f"option {rank}\u00a0: une option fausse a un message qui dit pourquoi")
    correct = [option for option in options if option.get("correct") is True]
    if question["type"] == "choice" and len(correct) != 1:
        yield _field("options", f"une seule option juste est attendue, il y en a {len(correct)}")
    if question["type"] == "choices" and not correct:
        yield _field("options", "au moins une option juste est attendue")


def _check_number(question):
    if _number(question.get("answer")) is None:
        yield _field("answer", "un nombre est attendu")
    if _number(question.get("tolerance", 0)) is None or _number(question.get("tolerance", 0)) < 0:
        yield _field("tolerance", "un nombre positif est attendu")
    if "unit" in question and not _is_text(question["unit"]):
        yield _field("unit", "un texte est attendu")
    for mistake in _entries(question, "mistakes"):
        if not isinstance(mistake, dict) or _number(mistake.get("value")) is None or not _is_text(mistake.get("message")):
            yield _field("mistakes", "chaque faute a une valeur (value) et un message")


def _check_formula(question):
    if not _is_text(question.get("answer")):
        yield _field("answer", "une formule est attendue, entre guillemets")
    variables = question.get("variables")
    if not isinstance(variables, dict) or not variables:
        yield _field("variables", "les symboles et leurs tailles sont attendus, p. ex. {y: [n_y]}")
        variables = {}
    for name, declared in variables.items():
        yield from _check_variable(name, declared)
    for mistake in _entries(question, "mistakes"):
        if not isinstance(mistake, dict) or not _is_text(mistake.get("formula")) or not _is_text(mistake.get("message")):
            yield _field("mistakes", "chaque faute a une formule (formula) et un message")
    if not all(map(_is_text, _entries(question, "forbidden"))):
        yield _field("forbidden", "une liste de noms de fonctions est attendue")


def _check_variable(name, declared):
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        yield _field("variables", f"«\u00a0{name}\u00a0» n'est pas un nom de symbole")
    shape = declared.get("shape") if isinstance(declared, dict) else declared
    if not isinstance(shape, list) or len(shape) > 2 or not all(_is_size(size) for size in shape):
        yield _field("variables", f"la taille de «\u00a0{name}\u00a0» est une liste d'au plus deux tailles\u00a0: [], [n_y] ou [n_y, n_h]")
    if isinstance(declared, dict):
        if extra := set(declared) - {"shape", "domain", "definition"}:
            yield _field("variables", f"«\u00a0{name}\u00a0»\u00a0: champ inconnu «\u00a0{extra.pop()}\u00a0»")
        if declared.get("domain", "real") not in DOMAINS:
            yield _field("variables", f"le domaine de «\u00a0{name}\u00a0» est l'un de\u00a0: {', '.join(DOMAINS)}")


def _check_tests(question):
    tests = question.get("tests", {})
    if not isinstance(tests, dict) or set(tests) - {"accepted", "rejected"}:
        yield _field("tests", "les deux listes accepted et rejected sont attendues")
        return
    if not all(isinstance(case, dict) and "answer" in case and _is_text(case.get("message")) for case in tests.get("rejected", [])):
        yield _field("tests", "chaque réponse de rejected a un champ answer et un champ message (un extrait du message montré)")
    if question["type"] in ("number", "formula"):
        if len(tests.get("accepted", [])) < 2:
            yield _field("tests", "au moins deux autres réponses justes (accepted) sont attendues")
        if len(tests.get("rejected", [])) < 3:
            yield _field("tests", "au moins trois réponses fausses (rejected) sont attendues")


_CHECKS = {"choice": _check_options, "choices": _check_options, "prediction": _check_options,
           "number": _check_number, "formula": _check_formula}


def _is_text(value):
    return isinstance(value, str) and bool(value.strip())


def _is_size(size):
    return (isinstance(size, int) and 1 <= size <= 9) or (isinstance(size, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", size))


def _entries(question, field):
    entries = question.get(field) or []
    return entries if isinstance(entries, list) else [None]


def _number(value):
    """Un nombre de la banque, où « 0,25 » est permis ; None si ce n'en est pas un."""
    if isinstance(value, bool):
        return None
    try:
        return float(str(value).replace(",", "."))
    except ValueError:
        return None


def _normalised(question):
    """Les écritures abrégées du YAML ramenées à une seule forme."""
    question = dict(question)
    if question["type"] == "number":
        question["answer"] = _number(question["answer"])
        question["tolerance"] = _number(question.get("tolerance", 0))
        question["mistakes"] = [
            {key: _number(value) if key in ("value", "tolerance") else value for key, value in mistake.items()}
            for mistake in question.get("mistakes") or []
        ]
    if question["type"] == "formula":
        question["variables"] = {
            name: declared if isinstance(declared, dict) else {"shape": declared}
            for name, declared in question["variables"].items()
        }
    return question


# ── Rendre ───────────────────────────────────────────────────────────────────


def render(text: str | None, math: str, inline: bool = False) -> str:
    r"""Le HTML d'un texte Markdown, ses formules en MathML (``"mathml"``) ou en ``\(…\)`` pour MathJax (``"mathjax"``)."""
    if not text:
        return ""
    markdown = _markdown(math)
    return markdown.renderInline(text.strip()) if inline else markdown.render(text).strip()


def _mathml(latex, options):
    return convert(latex.strip(), display="block" if options["display_mode"] else "inline")


def _mathjax(latex, options):
    opening, closing = (r"\[", r"\]") if options["display_mode"] else (r"\(", r"\)")
    return opening + html.escape(latex.strip()) + closing


@functools.cache
def _markdown(math):
    renderer = {"mathml": _mathml, "mathjax": _mathjax}[math]
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    return markdown.use(dollarmath_plugin, renderer=renderer, allow_labels=False, double_inline=True)


def compiled(question: dict, math: str | None = "mathml", edition: str = "eleve") -> dict:
    """La question telle que le JavaScript la reçoit ; ``math=None`` laisse les textes bruts.

    L'édition « examen » n'emporte ni corrigé, ni indice, ni message.
    """
    write = (lambda text, inline=False: text or "") if math is None else functools.partial(render, math=math)
    exam = edition == "examen"
    data = {key: question[key] for key in ("id", "type", "title", "difficulty", "minutes", "source", "unit", "forbidden")
            if question.get(key) is not None}
    data |= {"edition": edition, "revision": _revision(question), "statement": write(question["statement"])}
    if "variables" in question:
        data["variables"] = question["variables"]
    if "options" in question:
        data["options"] = [{"text": write(option["text"], inline=True)} for option in question["options"]]
    if exam:
        return data
    for option, source in zip(data.get("options", []), question.get("options", [])):
        option |= {"correct": bool(source.get("correct")), "message": write(source.get("message"))}
    data |= {key: question[key] for key in ("answer", "tolerance") if key in question}
    if question.get("mistakes"):
        data["mistakes"] = [mistake | {"message": write(mistake["message"])} for mistake in question["mistakes"]]
    data["hints"] = [write(hint) for hint in question.get("hints", [])]
    data["solution"] = write(question.get("solution"))
    return data


def _revision(question):
    """Une empreinte courte : une réponse gardée pour une autre version de la question n'est pas crue."""
    content = json.dumps(question, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:8]
