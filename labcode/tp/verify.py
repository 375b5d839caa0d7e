"""``verifier("id", ma_fonction)`` : la fonction d'un élève passe des essais cachés, et le verdict dit ce qui ne va pas."""

import inspect
import re
import zlib

from labcode.tp import bank, code
from labcode.tp.widget import record

BAR = {True: "#1a7f37", False: "#c2410c"}


class Verification:
    """Le verdict d'une vérification : ``ok``, ``message`` (Markdown), et la question qu'elle concerne."""

    def __init__(self, question: dict, ok: bool, message: str):
        self.question, self.ok, self.message = question, ok, message

    def __bool__(self):
        return self.ok

    @property
    def verdict(self) -> str:
        """« ✓ Juste. » ou « ✗ À reprendre. », lisible sans la couleur."""
        return "✓ Juste." if self.ok else "✗ À reprendre."

    def __repr__(self):
        return f"{self.verdict} {_plain(self.message)}"

    def _repr_html_(self):
        body = bank.render(f"**{self.verdict}** {self.message}", "mathml")
        return f'<div role="status" style="border-left: 4px solid {BAR[self.ok]}; padding: 0 0 0 0.8em">{body}</div>'


def verifier(name: str, function) -> Verification:
    """Vérifie ``function``, la réponse à la question de code ``name``, et inscrit le verdict dans la question affichée.

    La fonction est appelée sur des copies d'entrées tirées au hasard, de plusieurs tailles, chaque fois pendant une durée
    limitée : ni boucle sans fin ni exception n'arrêtent le carnet. ``KeyError`` si la question n'existe pas, avec les noms
    proches ; ``ValueError`` si ce n'est pas une question de code.
    """
    question = _code_question(name)
    reference = code.REFERENCES[question["reference"]]
    judgement = code.judge(reference, function, question["seconds"], question["function"], seed=zlib.crc32(name.encode()))
    record(name, judgement.ok, judgement.message, answer=_source(function))
    return Verification(question, judgement.ok, judgement.message)


def _code_question(name):
    if not isinstance(name, str):
        raise TypeError('verifier attend d\'abord le nom de la question, entre guillemets, puis la fonction : verifier("…", ma_fonction)')
    question = bank.find_question(name, bank.load_bank(), "code")
    if question["type"] != "code":
        raise ValueError(f"la question « {name} » ne demande pas de code : répondez dans la question elle-même")
    return question


def _source(function):
    """Le code de l'élève, ou rien : une fonction écrite ailleurs que dans un carnet ou un fichier n'en a pas."""
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return ""


def _plain(markdown):
    """Le message sans ses marques : accents graves et étoiles retirés, formules laissées en LaTeX."""
    return re.sub(r"`([^`]*)`|\*\*|\$", r"\1", markdown).replace("\n\n", "\n")
