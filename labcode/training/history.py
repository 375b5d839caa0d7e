"""L'historique d'un apprentissage : les mesures de chaque époque, en tableaux, en texte ou en JSON."""

import json
import math

import numpy as np

from labcode.checks import french_number

MEASURES = ("train_loss", "train_error", "val_loss", "val_error")
HEADINGS = ("époque", "perte (app.)", "erreur (app.)", "perte (val.)", "erreur (val.)")


class History:
    """Historique d'un apprentissage : une valeur par époque achevée, NaN quand la mesure n'existe pas.

    ``epochs`` vaut [1, 2, …, E] ; ``train_loss``, ``train_error``, ``val_loss`` et ``val_error`` sont des tableaux (E,)
    de float64. Les erreurs sont des proportions. Les mesures d'apprentissage sont prises sur les lots au fil de
    l'époque, pendant que les poids changent (moyenne pondérée par la taille des lots) ; celles de validation, après
    l'époque. ``premier + second`` met bout à bout deux apprentissages qui se suivent.
    """

    def __init__(self):
        for name in MEASURES:
            setattr(self, name, np.empty(0))

    @property
    def epochs(self):
        """Numéros des époques achevées, à partir de 1."""
        return np.arange(1, len(self) + 1)

    def append(self, **measures):
        """Ajoute une époque ; une mesure qui manque vaut NaN."""
        for name in MEASURES:
            setattr(self, name, np.append(getattr(self, name), measures.get(name, np.nan)))

    def as_dict(self):
        """Dictionnaire de listes, prêt pour JSON ou un tableur ; une mesure qui n'existe pas y est None."""
        return {"epochs": self.epochs.tolist()} | {
            name: [None if math.isnan(value) else value for value in getattr(self, name).tolist()] for name in MEASURES}

    @classmethod
    def from_dict(cls, measures):
        """L'historique qu'a décrit ``as_dict``. Lève ValueError s'il manque une mesure, ou si leurs longueurs diffèrent."""
        if not isinstance(measures, dict) or not set(MEASURES) <= set(measures):
            raise ValueError(f"History : un dictionnaire de {', '.join(MEASURES)} était attendu.")
        history = cls()
        for name in MEASURES:
            setattr(history, name, np.array(measures[name], dtype=np.float64))  # None devient NaN
        if len({getattr(history, name).shape for name in MEASURES}) > 1 or history.train_loss.ndim != 1:
            raise ValueError("History : toutes les mesures doivent avoir une valeur par époque.")
        return history

    def to_json(self):
        """Le même dictionnaire, en texte JSON : relu par ``from_json``, il rend les mêmes nombres, au bit près."""
        return json.dumps(self.as_dict(), allow_nan=False)

    @classmethod
    def from_json(cls, text):
        """L'historique qu'a écrit ``to_json``. Lève ValueError si ``text`` n'en est pas un."""
        return cls.from_dict(json.loads(text))

    def table(self):
        """Tableau en texte, une ligne par époque, erreurs en pour cent."""
        lines = ["  ".join(f"{heading:>13}" for heading in HEADINGS)]
        for epoch, *measures in zip(self.epochs, *(getattr(self, name) for name in MEASURES)):
            cells = [cell(value, percent="error" in name) for name, value in zip(MEASURES, measures)]
            lines.append("  ".join(f"{text:>13}" for text in [str(epoch), *cells]))
        return "\n".join(lines)

    def __add__(self, other):
        if not isinstance(other, History):
            return NotImplemented
        return History.from_dict({name: np.append(getattr(self, name), getattr(other, name)) for name in MEASURES})

    def __len__(self):
        return len(self.train_loss)

    def __repr__(self):
        return f"History({len(self)} époque{'s' * (len(self) > 1)})"


def cell(value, percent=False):
    """Une mesure écrite à la française : « 0,2500 », « 12,50 % », ou un tiret si elle n'existe pas."""
    if math.isnan(value):
        return "–"
    return french_number(100 * value, 2) + "\u00a0%" if percent else french_number(value, 4)
