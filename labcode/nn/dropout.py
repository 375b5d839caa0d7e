"""L'extinction aléatoire de neurones."""

import numpy as np

from labcode.nn.module import Module, as_float, as_generator, as_gradient, is_number


class Dropout(Module):
    """En apprentissage, met chaque composante à 0 avec la probabilité ``p`` et divise les autres par 1 − p.

    L'espérance de la sortie est ainsi l'entrée, et l'évaluation n'a rien à changer (eq-dropout ; Srivastava et al.,
    2014). Même forme que ``x``. Lève ValueError si ``p`` n'est pas entre 0 et 1.
    """

    _mask = _shape = None

    def __init__(self, p=0.5, *, rng=None):
        if not (is_number(p) and 0 <= p <= 1):
            raise ValueError(f"Dropout : p doit être entre 0 et 1, reçu {p!r}")
        self.p = float(p)
        self.rng = as_generator(rng, "Dropout")

    def forward(self, x):
        """Renvoie x ⊙ masque en apprentissage, ``x`` lui-même en évaluation."""
        x = as_float(x, self)
        self._shape, self._mask = x.shape, None
        if not self.training or self.p == 0:
            return x
        kept = self.rng.random(x.shape, np.float32) >= self.p
        self._mask = kept * x.dtype.type(1 / (1 - self.p) if self.p < 1 else 0)
        return x * self._mask

    def backward(self, dy):
        """Renvoie dx = dy ⊙ masque, celui du dernier ``forward`` (eq-dropout-backward)."""
        dy = as_gradient(dy, self, self._shape)
        return dy if self._mask is None else dy * self._mask

    def __repr__(self):
        return f"Dropout({self.p:g})"
