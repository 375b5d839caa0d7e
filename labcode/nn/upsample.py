"""L'agrandissement par répétition."""

import numpy as np

from labcode.nn.images import batch_first, batch_last, per_axis, short
from labcode.nn.module import Module, as_float, as_gradient


class Upsample(Module):
    """Répète chaque valeur ``scale_factor`` fois le long de chaque axe d'espace (plus proche voisin).

    (N, C, L) donne (N, C, s·L) ; (N, C, H, W) donne (N, C, s_h·H, s_w·W), ``scale_factor`` étant un entier, ou deux. Lève
    ValueError pour une entrée d'une autre forme.
    """

    _shape = _output_shape = None

    def __init__(self, *, scale_factor):
        n_axes = len(scale_factor) if isinstance(scale_factor, (tuple, list)) else 1
        self.scale_factor = per_axis("scale_factor", scale_factor, "Upsample", n_axes, 1)

    def forward(self, x):
        """Renvoie ``x`` agrandi."""
        x = as_float(x, self)
        n_axes = x.ndim - 2
        if n_axes not in (1, 2) or len(self.scale_factor) not in (1, n_axes) or not x.size:
            raise ValueError(f"{self} : entrée de forme {x.shape}, attendu (N, C, L) ou (N, C, H, W) avec N ≥ 1")
        x = batch_last(x)
        factors = self.scale_factor * (n_axes // len(self.scale_factor))
        small = [length for pair in zip(x.shape[1:-1], (1,) * n_axes) for length in pair]
        large = [length for pair in zip(x.shape[1:-1], factors) for length in pair]
        self._shape = len(x), *large, x.shape[-1]  # (C, H, s_h, W, s_w, N)
        y = np.broadcast_to(x.reshape(len(x), *small, x.shape[-1]), self._shape)
        y = batch_first(y.reshape(len(x), *(n * s for n, s in zip(x.shape[1:-1], factors)), x.shape[-1]))
        self._output_shape = y.shape
        return y

    def backward(self, dy):
        """Renvoie dx : chaque valeur reçoit la somme des gradients de ses copies."""
        dy = batch_last(as_gradient(dy, self, self._output_shape))
        dx = dy.reshape(self._shape).sum(axis=tuple(range(2, len(self._shape) - 1, 2)))
        return batch_first(dx)

    def __repr__(self):
        return f"Upsample(scale_factor={short(self.scale_factor)})"
