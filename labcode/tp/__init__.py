"""Les questions de TP : ``question("retropropagation-gradient-sortie")`` en fin de cellule montre la question."""

from labcode.tp.widget import Question, question

__all__ = ["Question", "question"]
