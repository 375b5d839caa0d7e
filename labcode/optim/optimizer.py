"""Ce que tous les optimiseurs ont en commun : des paramètres, un taux d'apprentissage, un pas."""

from math import isfinite
from numbers import Real

from labcode.nn.module import Parameter


class Optimizer:
    """Optimiseur : ``step()`` change les paramètres sur place d'après leurs gradients, ``zero_grad()`` oublie ceux-ci.

    ``parameters`` est une liste de Parameter (``model.parameters()``), ``lr`` le taux d'apprentissage, que
    l'on peut changer en cours de route. Lève TypeError ou ValueError si l'un ou l'autre ne convient pas.
    """

    def __init__(self, parameters, lr):
        if hasattr(parameters, "parameters"):
            raise TypeError(f"{type(self).__name__} : donner model.parameters(), et non le modèle")
        self.parameters = list(parameters)
        if not self.parameters:
            raise ValueError(f"{type(self).__name__} : la liste de paramètres est vide")
        for parameter in self.parameters:
            if not isinstance(parameter, Parameter):
                raise TypeError(f"{type(self).__name__} : liste de Parameter attendue, reçu {type(parameter).__name__}")
        self.lr = lr

    @property
    def lr(self):
        """Taux d'apprentissage η, un nombre fini, positif ou nul."""
        return self._lr

    @lr.setter
    def lr(self, value):
        if not isinstance(value, Real) or isinstance(value, bool):
            raise TypeError(f"{type(self).__name__} : lr doit être un nombre, reçu {value!r}")
        if not (isfinite(value) and value >= 0):
            raise ValueError(f"{type(self).__name__} : lr doit être fini, positif ou nul, reçu {value!r}")
        self._lr = float(value)

    def step(self):
        """Fait un pas : met à jour tous les paramètres, sur place."""
        raise NotImplementedError(f"{type(self).__name__} ne définit pas step")

    def zero_grad(self):
        """Remet à zéro le gradient de tous les paramètres, avant un nouveau calcul."""
        for parameter in self.parameters:
            parameter.zero_grad()

    def __repr__(self):
        return f"{type(self).__name__}(lr={self.lr:g})"
