"""Layca : faire tourner chaque noyau d'un angle choisi, sans en changer la norme."""

from math import sqrt

import numpy as np

from labcode.optim.optimizer import Optimizer

NEGLIGIBLE = 1e-7  # un pas dont la norme ne dépasse pas ce seuil n'a plus de direction : on ne tourne pas


class Layca:
    """Enveloppe d'un optimiseur, qui contrôle la rotation des couches (Carbonnelle et De Vleeschouwer, 2019).

    ``Layca(SGD(model.parameters(), lr=3**-3))`` : à chaque pas, chaque noyau (tenseur d'au moins deux axes) tourne dans
    la direction que propose l'optimiseur, d'un angle arctan ρ exactement, et garde sa norme. Le taux ρ est ``lr``, celui
    de l'optimiseur, que l'on change donc ici ou là ; la longueur du pas proposé ne compte plus, ni ce qu'il y met le
    long du noyau, comme une décroissance découplée.

    Les autres paramètres (biais, normalisation par lots) suivent l'optimiseur ; ``freeze_biases=True`` les laisse tels
    quels, ainsi que le font les auteurs dans le code de leurs expériences.

    Lève TypeError si ``optimizer`` n'est pas un Optimizer qui définit ``compute_step``, et, au premier pas, ValueError
    si un noyau est nul : il n'a pas de direction à faire tourner.
    """

    def __init__(self, optimizer, *, freeze_biases=False):
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"Layca : un Optimizer est attendu, reçu {type(optimizer).__name__}")
        if type(optimizer).step is not Optimizer.step:
            raise TypeError(f"Layca : {type(optimizer).__name__} redéfinit step ; Layca a besoin de sa règle, compute_step")
        self.optimizer, self.freeze_biases = optimizer, bool(freeze_biases)

    @property
    def lr(self):
        """Taux de rotation ρ, qui est aussi le taux d'apprentissage de l'optimiseur enveloppé."""
        return self.optimizer.lr

    @lr.setter
    def lr(self, value):
        self.optimizer.lr = value

    @property
    def parameters(self):
        """Liste des paramètres de l'optimiseur enveloppé."""
        return self.optimizer.parameters

    @property
    def before_step(self):
        """Fonctions appelées au début de chaque pas, celles de l'optimiseur enveloppé."""
        return self.optimizer.before_step

    def step(self):
        """Fait un pas, sur place : une rotation pour les noyaux, le pas de l'optimiseur pour le reste."""
        for index, parameter in enumerate(self.parameters):
            if parameter.data.ndim > 1 and not parameter.data.any():
                raise ValueError(f"Layca : le paramètre n° {index} est nul, Layca garderait sa norme nulle ; l'initialiser autrement")
        self.optimizer.begin_step()
        for index, parameter in enumerate(self.parameters):
            if parameter.data.ndim > 1:
                rotate(parameter.data, self.optimizer.proposed_step(index), self.lr)
            elif not self.freeze_biases:
                parameter.data -= self.optimizer.proposed_step(index)

    def zero_grad(self):
        """Remet à zéro le gradient de tous les paramètres."""
        self.optimizer.zero_grad()

    def state_dict(self):
        """État de l'optimiseur enveloppé : Layca n'en a pas d'autre."""
        return self.optimizer.state_dict()

    def load_state_dict(self, state):
        """Rétablit l'état de l'optimiseur enveloppé ; lève ValueError s'il ne convient pas."""
        self.optimizer.load_state_dict(state)

    def __repr__(self):
        return f"Layca({self.optimizer!r}{', freeze_biases=True' if self.freeze_biases else ''})"


def rotate(p, s, rate):
    """Fait tourner ``p``, sur place, à l'opposé du pas ``s`` (que ce calcul défait), d'un angle arctan(``rate``) (eq-layca).

    n ← ‖p‖ ; s ← s − (⟨s, p⟩/n²) p ; s ← s n/‖s‖ (ou 0 si ‖s‖ ≤ 10⁻⁷) ; q ← p − ρs ; p ← q n/‖q‖.
    """
    norm = _norm(p)
    s -= (float(np.vdot(s, p)) / norm**2) * p  # reste la part du pas tangente à la sphère de rayon n
    tangent = _norm(s)
    if tangent <= NEGLIGIBLE:
        return
    s *= rate * norm / tangent
    p -= s
    np.multiply(p, norm / _norm(p), out=p, dtype=np.float64, casting="same_kind")


def _norm(array):
    """Norme de Frobenius, additionnée en float64.

    En float32, l'arrondi de la norme, comme celui du facteur qui la rétablit, est à peu près le même à chaque pas : la
    norme dériverait lentement.
    """
    return sqrt(np.square(array).sum(dtype=np.float64))
