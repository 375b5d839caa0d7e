"""La couche linéaire, qui porte les poids, et les changements de forme : mise à plat, et retour à une image."""

import math

import numpy as np

from labcode.nn.module import Module, Parameter, as_float, as_float_type, as_generator, as_gradient, is_integer


class Linear(Module):
    """Couche linéaire (ou dense) : chaque sortie est une somme pondérée de toutes les entrées, plus un biais.

    ``weight.data`` a la forme (out_features, in_features), ``bias.data`` la forme (out_features,) ; ``bias``
    vaut None si ``bias=False``. Au départ, les poids sont uniformes, de moyenne nulle et de variance
    1/in_features (LeCun et al., 1998), et les biais nuls. Le calcul se fait dans le type ``dtype`` : une entrée
    d'un autre type est convertie.
    """

    _x = _output_shape = None

    def __init__(self, in_features, out_features, bias=True, *, rng=None, dtype=np.float32):
        for name, size in (("in_features", in_features), ("out_features", out_features)):
            if not is_integer(size, 1):
                raise ValueError(f"Linear : {name} doit être un entier au moins égal à 1, reçu {size!r}")
        self.in_features, self.out_features = int(in_features), int(out_features)
        dtype, bound = as_float_type(dtype, "Linear"), np.sqrt(3 / in_features)
        weight = as_generator(rng, "Linear").uniform(-bound, bound, (out_features, in_features))
        self.weight = Parameter(weight.astype(dtype))
        self.bias = Parameter(np.zeros(out_features, dtype)) if bias else None

    def forward(self, x):
        """Renvoie y = x Wᵀ + b (eq-linear) ; x : (N, in_features), y : (N, out_features).

        Lève ValueError si ``x`` n'a pas cette forme ou si le lot est vide.
        """
        x = self._converted(as_float(x, self))
        if x.ndim != 2 or x.shape[1] != self.in_features or not len(x):
            raise ValueError(self._shape_message(x))
        y = (self.weight.data @ x.T).T  # = x Wᵀ ; le lot en dernier en mémoire, jusqu'à deux fois plus rapide s'il est petit
        if self.bias is not None:
            y += self.bias.data
        self._x, self._output_shape = x, y.shape
        return y

    def backward(self, dy):
        """Renvoie dx = dy W (eq-linear-backward-input) et ajoute aux paramètres leurs gradients."""
        self.backward_parameters(dy)
        return (self.weight.data.T @ self._converted(np.asarray(dy)).T).T

    def backward_parameters(self, dy):
        """Ajoute dyᵀ x à ∇W (eq-linear-backward-weight) et Σ_n dy_n à ∇b (eq-linear-backward-bias)."""
        dy = self._converted(as_gradient(dy, self, self._output_shape))
        self.weight.accumulate(np.matmul, dy.T, self._x)
        if self.bias is not None:
            self.bias.accumulate(np.add.reduce, dy)  # somme sur l'axe 0, celui du lot

    def _converted(self, array):
        return array.astype(self.weight.data.dtype, copy=False)

    def _shape_message(self, x):
        message = f"{self} : entrée de forme {x.shape}, attendu (N, {self.in_features}) avec N ≥ 1"
        if x.shape == (self.in_features,):
            message += " ; pour un seul exemple, donner x[None, :]"
        return message

    def __repr__(self):
        return f"Linear({self.in_features}, {self.out_features}{'' if self.bias is not None else ', bias=False'})"


class Flatten(Module):
    """Met à plat chaque exemple du lot : (N, a, b, …) devient (N, a·b·…).

    Lève ValueError si l'entrée n'est pas un lot d'au moins un exemple.
    """

    _input_shape = _output_shape = None

    def forward(self, x):
        """Renvoie ``x`` sous la forme (N, nombre de composantes d'un exemple)."""
        x = as_float(x, self)
        if x.ndim < 2 or not len(x):
            raise ValueError(f"{self} : entrée de forme {x.shape}, attendu (N, …) avec N ≥ 1")
        y = x.reshape(len(x), -1)
        self._input_shape, self._output_shape = x.shape, y.shape
        return y

    def backward(self, dy):
        """Rend à ``dy`` la forme de l'entrée : les valeurs ne changent pas."""
        return as_gradient(dy, self, self._output_shape).reshape(self._input_shape)


class Reshape(Module):
    """Donne à chaque exemple du lot la forme ``shape`` : ``Reshape(1, 28, 28)`` rend une image à ce qu'on a mis à plat.

    (N, …) devient (N, *shape), sans changer les valeurs ; une des tailles peut être −1, à déduire des autres. Lève
    ValueError si le nombre de composantes ne convient pas.
    """

    _input_shape = _output_shape = None

    def __init__(self, *shape):
        self.shape = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
        if not all(is_integer(size, 1) or size == -1 for size in self.shape) or self.shape.count(-1) > 1:
            raise ValueError(f"{self} : des entiers au moins égaux à 1 étaient attendus, dont un peut être −1")

    def forward(self, x):
        """Renvoie ``x`` sous la forme (N, *shape)."""
        x = as_float(x, self)
        try:
            if x.ndim < 1 or not x.size:
                raise ValueError
            y = x.reshape(len(x), *self.shape)
        except ValueError:
            expected = f"{math.prod(self.shape)} composantes par exemple" if -1 not in self.shape else "une taille divisible"
            raise ValueError(f"{self} : entrée de forme {x.shape}, attendu N ≥ 1 et {expected}") from None
        self._input_shape, self._output_shape = x.shape, y.shape
        return y

    def backward(self, dy):
        """Rend à ``dy`` la forme de l'entrée."""
        return as_gradient(dy, self, self._output_shape).reshape(self._input_shape)

    def __repr__(self):
        return f"Reshape({', '.join(map(str, self.shape))})"
