"""La descente de gradient stochastique, avec ou sans inertie."""

import numpy as np

from labcode.optim.optimizer import FRACTION, Optimizer, Setting


class SGD(Optimizer):
    """Descente de gradient : chaque paramètre recule le long de son gradient (Robbins et Monro, 1951).

    « Stochastique », parce que le gradient est celui d'un lot tiré au hasard, et non de toutes les données.
    Avec ``momentum`` μ, dans [0 ; 1[, le pas suit une vitesse v, somme des gradients passés, pondérés par les
    puissances de μ (Polyak, 1964) : elle s'accumule là où ils s'accordent, et s'annule là où ils oscillent.
    ``nesterov=True`` prend le gradient là où la vitesse va mener (Nesterov, 1983 ; sous cette forme : Sutskever et
    al., 2013). La vitesse se compte en gradients, comme dans PyTorch : changer ``lr`` change aussitôt tout le pas.
    """

    momentum = Setting(FRACTION, default=0)
    memory_names = ("momentum_buffer",)

    def __init__(self, parameters, lr, momentum=0, nesterov=False, **decay):
        super().__init__(parameters, lr, **decay)
        self.momentum, self.nesterov = momentum, bool(nesterov)
        if nesterov and not momentum:
            raise ValueError("SGD : nesterov demande une inertie, momentum > 0")

    def compute_step(self, grad, memory, out):
        """θ ← θ − η ∇θ L, sur place (eq-sgd) ; avec inertie, v ← μv + g puis θ ← θ − ηv (eq-momentum).

        Avec Nesterov, le même v et θ ← θ − η(g + μv) (eq-nesterov).
        """
        if not self.momentum:
            np.multiply(grad, self.lr, out=out)
            return
        velocity = memory["momentum_buffer"]
        velocity *= self.momentum
        velocity += grad
        if self.nesterov:
            np.multiply(velocity, self.momentum, out=out)
            out += grad
            out *= self.lr
        else:
            np.multiply(velocity, self.lr, out=out)

    def needs_memory(self):
        """La vitesse n'existe que s'il y a de l'inertie."""
        return self.momentum > 0

    def __repr__(self):
        return super().__repr__()[:-1] + (", nesterov=True)" if self.nesterov else ")")
