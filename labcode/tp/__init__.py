"""Les questions de TP : ``question("…")`` montre une question, ``verifier("…", ma_fonction)`` essaie le code d'une réponse."""

from labcode.tp.report import Report, compte_rendu
from labcode.tp.verify import Verification, verifier
from labcode.tp.widget import Question, question

__all__ = ["Question", "Report", "Verification", "compte_rendu", "question", "verifier"]
