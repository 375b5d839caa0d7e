"""Ce que le vérificateur sait d'une fonction de TP : la bonne, les essais à lui faire passer, les fautes prévues."""

import inspect
from dataclasses import dataclass

import numpy as np

REFERENCES: dict[str, "Reference"] = {}


@dataclass(frozen=True)
class Trial:
    """Un essai : ses arguments, et ce qu'il a de particulier (« un seul exemple », « de grandes valeurs »…)."""

    arguments: tuple
    label: str = ""


class Reference:
    """Une fonction juste et de quoi juger les autres.

    ``trials(rng)`` rend la liste des essais ; ``outputs`` nomme les résultats quand il y en a plusieurs ; ``batch``
    nomme l'argument dont la longueur est N ; ``speed(rng)`` rend les arguments de l'essai de vitesse.
    """

    def __init__(self, function, trials, outputs=(), batch="", tolerance=1e-6, speed=None):
        self.function, self.outputs, self.batch, self.tolerance, self.speed = function, outputs, batch, tolerance, speed
        self.arguments = tuple(inspect.signature(function).parameters)
        self.mistakes = []
        self._trials = trials

    def __call__(self, *arguments):
        return self.function(*arguments)

    def trials(self, seed: int) -> list[Trial]:
        """Les essais, toujours les mêmes pour une même graine : le message ne change pas d'une fois à l'autre."""
        return self._trials(np.random.default_rng(seed))

    def mistake(self, message):
        """Décorateur : une réponse fausse prévue, reconnue à ses valeurs, et le message qu'elle reçoit."""
        def keep(function):
            self.mistakes.append((message, function))
            return function
        return keep


def reference(**options):
    """Décorateur : inscrit la fonction, sous son nom, parmi les références."""
    def keep(function):
        REFERENCES[function.__name__] = found = Reference(function, **options)
        return found
    return keep
