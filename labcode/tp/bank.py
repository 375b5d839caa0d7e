"""La banque de questions : lecture des fichiers ``chapters/questions/*.yml``, et ce qu'en reçoit le JavaScript."""

import difflib
import functools
import hashlib
import json
import random
from pathlib import Path

import yaml

from labcode.tp.render import render
from labcode.tp.schema import TYPES, number, validate

__all__ = ["TYPES", "BankError", "UnknownQuestion", "compiled", "find_folder", "find_question", "load_bank", "load_file", "render", "validate"]
SHOWN = ("id", "type", "title", "difficulty", "minutes", "source", "unit", "forbidden", "symbols", "function", "signature")


class BankError(ValueError):
    """Une banque mal écrite : chaque ligne nomme le fichier, la question et le champ."""


class UnknownQuestion(KeyError):
    """L'identifiant demandé n'est pas dans la banque."""

    def __str__(self):
        return self.args[0]


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


def find_question(name: str, bank: dict, kind: str | None = None) -> dict:
    """La question ``name`` de la banque ; sinon UnknownQuestion, avec les noms proches, parmi celles du type ``kind`` s'il est donné."""
    if name in bank:
        return bank[name]
    candidates = [key for key, question in bank.items() if kind in (None, question["type"])]
    near = difflib.get_close_matches(str(name), candidates, n=3, cutoff=0.4)
    hint = f" ; vouliez-vous dire {' ou '.join(near)} ?" if near else ""
    raise UnknownQuestion(f"la question « {name} » n'existe pas dans chapters/questions{hint}")


def _normalised(question):
    """Les écritures abrégées du YAML ramenées à une seule forme."""
    question = dict(question)
    if question["type"] == "number":
        question["answer"] = number(question["answer"])
        question["tolerance"] = number(question.get("tolerance", 0))
        question["mistakes"] = [
            {key: number(value) if key in ("value", "tolerance") else value for key, value in mistake.items()}
            for mistake in question.get("mistakes") or []
        ]
    if question["type"] == "formula":
        question["variables"] = {
            name: declared if isinstance(declared, dict) else {"shape": declared}
            for name, declared in question["variables"].items()
        }
    if question["type"] == "code":
        question["signature"] = question.get("signature", f"{question['function']}(…)")
        question["reference"] = question.get("reference", question["function"])
        question["seconds"] = number(question.get("seconds", 2))
    return question


# ── Donner au JavaScript ─────────────────────────────────────────────────────


def compiled(question: dict, math: str | None = "mathml", edition: str = "eleve") -> dict:
    """La question telle que le JavaScript la reçoit ; ``math=None`` laisse les textes bruts.

    L'édition « examen » n'emporte ni corrigé, ni indice, ni message : la réponse y est gardée sans être jugée.
    """
    write = (lambda text, inline=False: text or "") if math is None else functools.partial(render, math=math)
    data = {key: question[key] for key in SHOWN if question.get(key) is not None}
    data |= {"edition": edition, "revision": _revision(question), "statement": write(question["statement"])}
    shown, key = _material(question, write)
    return data | shown if edition == "examen" else data | shown | key


def _material(question, write):
    """Ce que l'élève voit d'une question, et à part ce qui permet de la corriger."""
    line = functools.partial(write, inline=True)
    shown, key = {}, {name: question[name] for name in ("answer", "tolerance") if name in question}
    key |= {"hints": [write(hint) for hint in question.get("hints", [])], "solution": write(question.get("solution"))}
    if question.get("mistakes"):
        key["mistakes"] = [mistake | {"message": write(mistake["message"])} for mistake in question["mistakes"]]
    match question["type"]:
        case "choice" | "choices" | "prediction":
            shown["options"] = [{"text": line(option["text"])} for option in question["options"]]
            key["options"] = [{"text": line(option["text"]), "correct": bool(option.get("correct")), "message": write(option.get("message"))}
                              for option in question["options"]]
        case "formula":
            shown["variables"] = {name: {"shape": declared["shape"]} for name, declared in question["variables"].items()}
            key["variables"] = question["variables"]
        case "matching":
            rights = shuffled([pair["right"] for pair in question["pairs"]] + question.get("distractors", []), question["id"])
            shown |= {"left": [line(pair["left"]) for pair in question["pairs"]], "right": [line(text) for text in rights]}
            key |= {"key": [rights.index(pair["right"]) for pair in question["pairs"]],
                    "messages": [line(pair["message"]) for pair in question["pairs"]]}
        case "ordering":
            items = shuffled([item["text"] for item in question["items"]], question["id"])
            shown["items"] = [line(text) for text in items]
            key |= {"key": [items.index(item["text"]) for item in question["items"]],
                    "messages": [write(item.get("message")) for item in question["items"]]}
        case "text":
            key["criteria"] = [line(text) for text in question["criteria"]]
    return shown, key


def shuffled(texts: list[str], seed: str) -> list[str]:
    """Les textes, sans doublon, dans un désordre toujours le même et qui n'est pas l'ordre donné."""
    given = list(dict.fromkeys(texts))
    order, generator = list(given), random.Random(seed)
    while order == given:
        generator.shuffle(order)
    return order


UNJUDGED = {"difficulty", "equations", "minutes", "source", "tests"}  # les changer ne change ni la question ni sa correction


def _revision(question):
    """Une empreinte courte : une réponse gardée pour une autre version de la question n'est pas crue."""
    judged = {name: value for name, value in question.items() if name not in UNJUDGED}
    content = json.dumps(judged, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:8]
