"""Les rappels : ce qui s'exécute entre deux époques, sans alourdir la boucle. Le premier d'entre eux, l'arrêt anticipé."""

import math

from labcode.datasets.arguments import integer
from labcode.training.history import MEASURES


class Callback:
    """Rappel de ``fit`` : une simple fonction ``(epoch, history)`` suffit ; cette classe ajoute le début, la fin et la
    mémoire.

    ``state_dict`` et ``load_state_dict`` (nombres, textes, tableaux, listes et dictionnaires de ceux-ci) rendent au
    rappel sa mémoire quand l'apprentissage reprend depuis un point de reprise.
    """

    def on_start(self, model):
        """Avant la première époque de cet appel de ``fit`` (et avant que l'état d'une reprise soit rétabli)."""

    def __call__(self, epoch, history):
        """Après chaque époque ; renvoyer True arrête l'apprentissage."""

    def on_end(self, history):
        """À la fin, que les époques soient épuisées, ou que l'on ait été arrêté par un rappel, Ctrl-C ou la divergence."""

    def state_dict(self):
        """Ce dont le rappel doit se souvenir d'une époque à l'autre."""
        return {}

    def load_state_dict(self, state):
        """Rétablit ce que ``state_dict`` a gardé."""


class EarlyStopping(Callback):
    """Arrêt anticipé : on s'arrête quand ``monitor`` n'a pas baissé pendant ``patience`` époques (Prechelt, 1998).

    ``monitor`` est une mesure de l'historique : « val_loss », « val_error », « train_loss » ou « train_error ». Une
    baisse compte si elle dépasse ``min_delta``. À la fin, et de quelque façon que l'on s'arrête, ``restore_best`` rend
    au modèle ses poids (et ses statistiques) de la meilleure époque, ``best_epoch``, où la mesure valait
    ``best_value``.
    Lève ValueError si un argument ne convient pas, ou, après la première époque, si la mesure n'existe pas.
    """

    def __init__(self, monitor="val_loss", patience=5, min_delta=0.0, restore_best=True):
        if monitor not in MEASURES:
            raise ValueError(f"monitor : {monitor!r} reçu, l'une de ces mesures attendue : {', '.join(MEASURES)}.")
        if isinstance(min_delta, bool) or not isinstance(min_delta, (int, float)) or not 0 <= min_delta < math.inf:
            raise ValueError(f"min_delta : {min_delta!r} reçu, un nombre positif ou nul attendu.")
        self.monitor, self.patience, self.min_delta = monitor, integer("patience", patience, 1), float(min_delta)
        self.restore_best = bool(restore_best)
        self._forget()

    def on_start(self, model):
        """Oublie l'apprentissage précédent."""
        self._model = model
        self._forget()

    def __call__(self, epoch, history):
        value = float(getattr(history, self.monitor)[-1])
        if math.isnan(value):
            needed = "donnez validation=(X_val, y_val) à fit" if self.monitor.startswith("val") else "les cibles ne sont pas des classes"
            raise ValueError(f"EarlyStopping : la mesure {self.monitor} n'existe pas dans cet apprentissage ; {needed}.")
        if value < self.best_value - self.min_delta:
            self.best_value, self.best_epoch = value, epoch
            self._best = self._model.state_dict() if self.restore_best else None
        return epoch - self.best_epoch >= self.patience

    def on_end(self, history):
        """Rend au modèle ce qu'il était à la meilleure époque."""
        if self._best is not None:
            self._model.load_state_dict(self._best)

    def state_dict(self):
        """La meilleure époque, sa mesure, et le modèle d'alors."""
        return {"best_value": self.best_value, "best_epoch": self.best_epoch, "best": self._best}

    def load_state_dict(self, state):
        """Rétablit la meilleure époque, sa mesure, et le modèle d'alors."""
        self.best_value, self.best_epoch, self._best = state["best_value"], state["best_epoch"], state["best"]

    def _forget(self):
        self.best_value, self.best_epoch, self._best = math.inf, 0, None

    def __repr__(self):
        return f"EarlyStopping({self.monitor}, patience={self.patience})"
