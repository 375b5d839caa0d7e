"""La descente de gradient stochastique."""

from labcode.optim.optimizer import Optimizer


class SGD(Optimizer):
    """Descente de gradient : chaque paramètre recule le long de son gradient (Robbins et Monro, 1951).

    « Stochastique », parce que le gradient est celui d'un lot tiré au hasard, et non de toutes les données.
    """

    def step(self):
        """θ ← θ − η ∇θ L, sur place (eq-sgd)."""
        for parameter in self.parameters:
            parameter.data -= self.lr * parameter.grad
