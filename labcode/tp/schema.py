"""Le schéma des questions : chaque problème nomme le champ, et dit ce qu'il doit contenir."""

import difflib
import keyword
import re

from labcode.tp.render import render

DOMAINS = ("real", "positive", "unit", "probability", "onehot", "binary", "sign")
COMMON_FIELDS = {"id", "type", "title", "statement", "difficulty", "minutes", "source", "equations",
                 "hints", "solution", "tests"}
TYPE_FIELDS = {
    "choice": {"options"},
    "choices": {"options"},
    "prediction": {"options"},
    "number": {"answer", "tolerance", "unit", "mistakes"},
    "formula": {"answer", "variables", "mistakes", "forbidden"},
    "shape": {"answer", "symbols", "mistakes"},
    "matching": {"pairs", "distractors"},
    "ordering": {"items"},
    "text": {"criteria"},
    "code": {"function", "signature", "reference", "seconds"},
}
TYPES = tuple(TYPE_FIELDS)
TYPED = ("number", "formula", "shape")  # l'élève écrit une réponse courte : il faut des essais


def validate(question, stem: str = "") -> list[str]:
    """Les problèmes d'une question, chacun commençant par le champ concerné (liste vide : tout va bien)."""
    if not isinstance(question, dict):
        return ["elle doit être une suite de champs «\u00a0nom: valeur\u00a0»"]
    kind = question.get("type")
    if kind not in TYPES:
        return [_field("type", f"«\u00a0{kind}\u00a0» n'existe pas\u00a0; types connus\u00a0: {', '.join(TYPES)}")]
    return [*_check_fields(question, kind), *_check_common(question, stem), *_check_texts(question),
            *_CHECKS[kind](question), *_check_tests(question)]


def number(value) -> float | None:
    """Un nombre de la banque, où « 0,25 » est permis ; None si ce n'en est pas un."""
    if isinstance(value, bool):
        return None
    try:
        return float(str(value).replace(",", "."))
    except ValueError:
        return None


# ── Ce que toutes les questions ont ──────────────────────────────────────────


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
    prefix = re.sub(r"^\d+[a-z]?_", "", stem).replace("_", "-")
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
    for field, text in texts(question):
        try:
            render(text, "mathml")
        except Exception as error:
            yield _field(field, f"formule LaTeX illisible ({type(error).__name__})")


def texts(question: dict):
    """Tous les textes rédigés d'une question, avec le nom de leur champ."""
    for field in ("statement", "solution"):
        yield field, question.get(field)
    for field in ("hints", "options", "mistakes", "pairs", "distractors", "items", "criteria"):
        for entry in _entries(question, field):
            values = [entry.get(key) for key in ("text", "left", "right", "message")] if isinstance(entry, dict) else [entry]
            yield from ((field, value) for value in values if isinstance(value, str))


def _check_tests(question):
    tests = question.get("tests", {})
    if question["type"] in ("text", "code") and "tests" in question:
        yield _field("tests", "une question de ce type n'a pas d'essais ici")
    if not isinstance(tests, dict) or set(tests) - {"accepted", "rejected"}:
        yield _field("tests", "les deux listes accepted et rejected sont attendues")
        return
    if not all(isinstance(case, dict) and "answer" in case and _is_text(case.get("message")) for case in tests.get("rejected", [])):
        yield _field("tests", "chaque réponse de rejected a un champ answer et un champ message (un extrait du message montré)")
    if question["type"] in TYPED:
        if len(tests.get("accepted", [])) < 2:
            yield _field("tests", "au moins deux autres réponses justes (accepted) sont attendues")
        if len(tests.get("rejected", [])) < 3:
            yield _field("tests", "au moins trois réponses fausses (rejected) sont attendues")


# ── Ce qui est propre à chaque type ──────────────────────────────────────────


def _check_options(question):
    options = question.get("options")
    if not isinstance(options, list) or len(options) < 2 or not all(isinstance(o, dict) and _is_text(o.get("text")) for o in options):
        yield _field("options", "au moins deux options {text, correct, message} sont attendues")
        return
    if _repeated(option["text"] for option in options):
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
    if number(question.get("answer")) is None:
        yield _field("answer", "un nombre est attendu")
    if number(question.get("tolerance", 0)) is None or number(question.get("tolerance", 0)) < 0:
        yield _field("tolerance", "un nombre positif est attendu")
    if "unit" in question and not _is_text(question["unit"]):
        yield _field("unit", "un texte est attendu")
    for mistake in _entries(question, "mistakes"):
        if not isinstance(mistake, dict) or number(mistake.get("value")) is None or not _is_text(mistake.get("message")):
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
    if not _is_name(name):
        yield _field("variables", f"«\u00a0{name}\u00a0» n'est pas un nom de symbole")
    shape = declared.get("shape") if isinstance(declared, dict) else declared
    if not isinstance(shape, list) or len(shape) > 2 or not all(_is_size(size) for size in shape):
        yield _field("variables", f"la taille de «\u00a0{name}\u00a0» est une liste d'au plus deux tailles\u00a0: [], [n_y] ou [n_y, n_h]")
    if isinstance(declared, dict):
        if extra := set(declared) - {"shape", "domain", "definition"}:
            yield _field("variables", f"«\u00a0{name}\u00a0»\u00a0: champ inconnu «\u00a0{extra.pop()}\u00a0»")
        if declared.get("domain", "real") not in DOMAINS:
            yield _field("variables", f"le domaine de «\u00a0{name}\u00a0» est l'un de\u00a0: {', '.join(DOMAINS)}")


def _check_shape(question):
    if not _is_text(question.get("answer")):
        yield _field("answer", 'une taille est attendue, entre guillemets\u00a0: "(N, n_y)"')
    if not all(map(_is_name, _entries(question, "symbols"))):
        yield _field("symbols", "une liste de noms de tailles est attendue, p. ex. [N, n_y]")
    for mistake in _entries(question, "mistakes"):
        if not isinstance(mistake, dict) or not _is_text(mistake.get("shape")) or not _is_text(mistake.get("message")):
            yield _field("mistakes", "chaque faute a une taille (shape) et un message")


def _check_matching(question):
    pairs = question.get("pairs")
    if not isinstance(pairs, list) or len(pairs) < 2:
        yield _field("pairs", "au moins deux paires {left, right, message} sont attendues")
        return
    for rank, pair in enumerate(pairs, start=1):
        if not isinstance(pair, dict) or set(pair) != {"left", "right", "message"} or not all(map(_is_text, pair.values())):
            yield _field("pairs", f"paire {rank}\u00a0: trois textes sont attendus, left, right et message (montré quand elle est fausse)")
            return
    if _repeated(pair["left"] for pair in pairs):
        yield _field("pairs", "deux paires ont le même élément de gauche")
    distractors = _entries(question, "distractors")
    if not all(map(_is_text, distractors)) or _repeated(distractors) or {pair["right"] for pair in pairs} & set(distractors):
        yield _field("distractors", "une liste de textes de droite, qui ne sont dans aucune paire, est attendue")
    elif len({pair["right"] for pair in pairs} | set(distractors)) < 2:
        yield _field("pairs", "au moins deux éléments de droite différents sont attendus")


def _check_ordering(question):
    items = question.get("items")
    if not isinstance(items, list) or len(items) < 3:
        yield _field("items", "au moins trois étapes {text, message}, dans le bon ordre, sont attendues")
        return
    for rank, item in enumerate(items, start=1):
        if not isinstance(item, dict) or not _is_text(item.get("text")) or set(item) - {"text", "message"}:
            yield _field("items", f"étape {rank}\u00a0: un texte (text) et un message sont attendus")
            return
        if rank > 1 and not _is_text(item.get("message")):
            yield _field("items", f"étape {rank}\u00a0: un message dit pourquoi elle vient après la précédente")
    if _repeated(item["text"] for item in items):
        yield _field("items", "deux étapes ont le même texte")


def _check_text(question):
    criteria = question.get("criteria")
    if not isinstance(criteria, list) or not 2 <= len(criteria) <= 8 or not all(map(_is_text, criteria)):
        yield _field("criteria", "deux à huit critères sont attendus, que l'élève coche en relisant sa réponse")


def _check_code(question):
    name = question.get("function")
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        yield _field("function", "le nom Python de la fonction à écrire est attendu")
    for field in ("signature", "reference"):
        if field in question and not _is_text(question[field]):
            yield _field(field, "un texte est attendu")
    seconds = number(question.get("seconds", 2))
    if seconds is None or not 0 < seconds <= 60:
        yield _field("seconds", "une limite de temps, de 0 à 60 secondes, est attendue")
    if _is_text(question.get("solution")) and "```python" not in question["solution"]:
        yield _field("solution", "elle doit contenir le code de la fonction (un bloc ```python)")


_CHECKS = {"choice": _check_options, "choices": _check_options, "prediction": _check_options, "number": _check_number,
           "formula": _check_formula, "shape": _check_shape, "matching": _check_matching, "ordering": _check_ordering,
           "text": _check_text, "code": _check_code}


def _is_text(value):
    return isinstance(value, str) and bool(value.strip())


def _is_name(value):
    return isinstance(value, str) and bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", value))


def _is_size(size):
    return isinstance(size, int) and 1 <= size <= 9 or _is_name(size)


def _repeated(values):
    values = list(values)
    return len(set(values)) < len(values)


def _entries(question, field):
    entries = question.get(field) or []
    return entries if isinstance(entries, list) else [None]
