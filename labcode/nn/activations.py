"""Les fonctions d'activation, et ce que chacune fait du gradient qui la traverse.

Aucune n'appelle ``exp`` sur un nombre positif : rien ne déborde, même pour des entrées de ±10⁴ ou infinies.
"""

import numpy as np

from labcode.nn.module import Module, as_float, as_generator, as_gradient, is_number
from labcode.nn.parallel import WORTH_SHARING, share

# --- Les fonctions ---------------------------------------------------------------------------------


def sigmoid(x):
    """Sigmoïde 1/(1 + e⁻ˣ), entre 0 et 1 (eq-sigmoid) ; même forme que ``x``."""
    x = as_float(x, "sigmoid")
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, x.dtype.type(1), e) / (1 + e)  # pour x < 0 : eˣ/(1 + eˣ), la même valeur


def tanh(x):
    """Tangente hyperbolique, entre −1 et 1 (eq-tanh) ; même forme que ``x``."""
    return np.tanh(as_float(x, "tanh"))


def relu(x):
    """Partie positive max(0, x) (Nair et Hinton, 2010) (eq-relu) ; même forme que ``x``."""
    return np.clip(as_float(x, "relu"), 0, np.inf)  # trois fois plus rapide que np.maximum


def leaky_relu(x, negative_slope=0.01):
    """x s'il est positif, ``negative_slope``·x sinon (eq-leaky-relu) ; même forme que ``x``."""
    x = as_float(x, "leaky_relu")
    if not is_number(negative_slope):
        raise ValueError(f"leaky_relu : negative_slope doit être un nombre fini, reçu {negative_slope!r}")
    return np.where(x > 0, x, negative_slope * x)


def softplus(x):
    """ln(1 + eˣ), une ReLU adoucie (Dugas et al., 2001) (eq-softplus) ; même forme que ``x``."""
    x = as_float(x, "softplus")
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def softmax(x, axis=-1):
    """Transforme des scores en probabilités : exponentielles divisées par leur somme (Bridle, 1990) (eq-softmax).

    Même forme que ``x`` ; les valeurs sont positives et de somme 1 le long de ``axis``.
    """
    e = np.exp(shifted(x, axis, "softmax"))
    e /= e.sum(axis=axis, keepdims=True)
    return e


def log_softmax(x, axis=-1):
    """Logarithme de softmax, calculé sans passer par softmax (eq-log-softmax) ; même forme que ``x``."""
    z = shifted(x, axis, "log_softmax")
    z -= np.log(np.exp(z).sum(axis=axis, keepdims=True))
    return z


def shifted(x, axis, owner):
    """Nouveau tableau x − max(x) : softmax n'en change pas, et la plus grande exponentielle vaut 1.

    Le maximum donne 0 même s'il est infini : −∞ exclut une classe, +∞ l'impose.
    """
    x = as_float(x, owner)
    if x.ndim == 0 or x.size == 0:
        raise ValueError(f"{owner} : entrée de forme {x.shape}, attendu au moins un score")
    largest = x.max(axis=axis, keepdims=True)
    if np.isfinite(largest).all():
        return x - largest
    return np.subtract(x, largest, out=np.zeros_like(x), where=x != largest)


def in_memory_order(x, *arrays):
    """Vues des ``arrays``, de la forme de ``x``, dont le premier axe est celui des plus grands blocs de ``x`` en mémoire."""
    order = sorted(range(x.ndim), key=lambda axis: -x.strides[axis])
    return [array.transpose(order) for array in arrays]


# --- Les couches -----------------------------------------------------------------------------------


class Activation(Module):
    """Activation φ appliquée à chaque composante : entrée et sortie ont la même forme, quelconque.

    Une sous-classe donne ``function(x)`` et ``derivative(x, y)``, où y = φ(x) est déjà calculé.
    """

    _x = _y = _shape = None

    def forward(self, x):
        """Renvoie y = φ(x), de la forme de ``x``."""
        self._x = as_float(x, self)
        self._y = self.function(self._x)
        self._shape = self._x.shape
        return self._y

    def backward(self, dy):
        """Renvoie dx = dy ⊙ φ′(x) (eq-activation-backward)."""
        dy, x, y = as_gradient(dy, self, self._shape), self._x, self._y
        if x.size < WORTH_SHARING:
            return dy * self.derivative(x, y)
        dx = np.empty_like(x, dtype=np.result_type(dy, x))
        dy, x, y, out = in_memory_order(x, dy, x, y, dx)
        share(lambda part: np.multiply(dy[part], self.derivative(x[part], y[part]), out=out[part]), len(x), work=x.size)
        return dx

    def function(self, x):
        """Valeur de φ en ``x``."""
        raise NotImplementedError(f"{type(self).__name__} ne définit pas function")

    def derivative(self, x, y):
        """Valeur de φ′ en ``x``, sachant y = φ(x)."""
        raise NotImplementedError(f"{type(self).__name__} ne définit pas derivative")


class Identity(Activation):
    """Ne change rien : φ(x) = x (eq-identity), la sortie d'un modèle de régression."""

    def function(self, x):
        return x.copy()  # modifier la sortie ne doit pas changer l'entrée

    def derivative(self, x, y):
        return 1


class Sigmoid(Activation):
    """Sigmoïde, voir :func:`sigmoid`."""

    def function(self, x):
        return sigmoid(x)

    def derivative(self, x, y):
        """σ′(x) = y (1 − y), au plus 1/4 (eq-sigmoid-derivative)."""
        return y * (1 - y)


class Tanh(Activation):
    """Tangente hyperbolique, voir :func:`tanh`."""

    def function(self, x):
        return tanh(x)

    def derivative(self, x, y):
        """tanh′(x) = 1 − y², au plus 1 (eq-tanh-derivative)."""
        squares = y * y
        return np.subtract(1, squares, out=squares)


class ReLU(Activation):
    """Partie positive, voir :func:`relu`."""

    def function(self, x):
        if x.size < WORTH_SHARING:
            return relu(x)
        y = np.empty_like(x)
        source, out = in_memory_order(x, x, y)
        share(lambda part: np.clip(source[part], 0, np.inf, out=out[part]), len(out), work=x.size)
        return y

    def derivative(self, x, y):
        """1 si x > 0, 0 sinon ; en 0, où elle n'existe pas, on convient de 0 (eq-relu-derivative)."""
        return x > 0


class LeakyReLU(Activation):
    """ReLU qui laisse passer un peu des valeurs négatives (Maas et al., 2013), voir :func:`leaky_relu`."""

    def __init__(self, negative_slope=0.01):
        if not is_number(negative_slope):
            raise ValueError(f"LeakyReLU : negative_slope doit être un nombre fini, reçu {negative_slope!r}")
        self.negative_slope = float(negative_slope)

    def function(self, x):
        return leaky_relu(x, self.negative_slope)

    def derivative(self, x, y):
        """1 si x > 0, ``negative_slope`` sinon, y compris en 0 par convention (eq-leaky-relu-derivative)."""
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(self.negative_slope))

    def __repr__(self):
        return f"LeakyReLU({self.negative_slope:g})"


class Softplus(Activation):
    """ReLU adoucie, voir :func:`softplus`."""

    def function(self, x):
        return softplus(x)

    def derivative(self, x, y):
        """La dérivée de softplus est la sigmoïde (eq-softplus-derivative)."""
        return sigmoid(x)


class Softmax(Module):
    """Probabilités le long du dernier axe, voir :func:`softmax` ; (N, n_y) donne (N, n_y).

    Pour apprendre un classifieur, préférer CrossEntropyLoss, qui part des logits.
    """

    _y = _shape = None

    def forward(self, x):
        """Renvoie les probabilités, de la forme de ``x``."""
        self._y = softmax(as_float(x, self))
        self._shape = self._y.shape
        return self._y

    def backward(self, dy):
        """Renvoie dx = y ⊙ (dy − ⟨dy, y⟩) : chaque sortie dépend de tous les scores (eq-softmax-backward)."""
        dy, y = as_gradient(dy, self, self._shape), self._y
        return y * (dy - (dy * y).sum(axis=-1, keepdims=True))


class LogSoftmax(Module):
    """Log-probabilités le long du dernier axe, voir :func:`log_softmax` ; (N, n_y) donne (N, n_y)."""

    _y = _shape = None

    def forward(self, x):
        """Renvoie les log-probabilités, de la forme de ``x``."""
        self._y = log_softmax(as_float(x, self))
        self._shape = self._y.shape
        return self._y

    def backward(self, dy):
        """Renvoie dx = dy − softmax(x) Σ_j dy_j (eq-log-softmax-backward)."""
        dy = as_gradient(dy, self, self._shape)
        return dy - np.exp(self._y) * dy.sum(axis=-1, keepdims=True)


class Threshold(Module):
    """Neurone à seuil : 1 si x ≥ 0, 0 sinon (McCulloch et Pitts, 1943) (eq-threshold) ; même forme que ``x``."""

    def forward(self, x):
        """Renvoie des 0 et des 1, de la forme et du type de ``x``."""
        return np.heaviside(as_float(x, self), 1)

    def backward(self, dy):
        """Lève toujours NotImplementedError : ce neurone n'apprend pas par le gradient."""
        raise NotImplementedError(
            "Threshold n'a pas de gradient utile : la dérivée d'un seuil est nulle presque partout, "
            "et n'existe pas là où il saute. Utiliser Sigmoid, ou la règle du perceptron.")


class StochasticNeuron(Module):
    """Neurone stochastique : 1 avec la probabilité σ(x/T), 0 sinon (eq-stochastic-neuron).

    C'est l'unité de la machine de Boltzmann (Ackley, Hinton et Sejnowski, 1985). ``temperature`` T > 0 règle le
    hasard : proche de 0, c'est le neurone à seuil ; très grande, un tirage à pile ou face. Même forme que ``x``.
    Lève ValueError si T n'est pas un nombre strictement positif.
    """

    def __init__(self, temperature=1.0, rng=None):
        if not (is_number(temperature) and temperature > 0):
            raise ValueError(f"StochasticNeuron : temperature doit être strictement positive, reçu {temperature!r}")
        self.temperature = float(temperature)
        self.rng = as_generator(rng, "StochasticNeuron")

    def forward(self, x):
        """Tire des 0 et des 1, de la forme et du type de ``x`` ; nan donne nan."""
        x = as_float(x, self)
        limits = np.finfo(x.dtype)
        temperature = x.dtype.type(min(max(self.temperature, float(limits.tiny)), float(limits.max)))
        with np.errstate(over="ignore"):  # x/T peut devenir infini : c'est la bonne limite, un neurone à seuil
            p = sigmoid(x / temperature)
        fires = (self.rng.random(x.shape, x.dtype) < p).astype(x.dtype)
        return np.where(np.isnan(p), p, fires)

    def backward(self, dy):
        """Lève toujours NotImplementedError : la sortie est un tirage au hasard."""
        raise NotImplementedError(
            "StochasticNeuron n'a pas de gradient : la sortie est un tirage au hasard, constant par morceaux "
            "en fonction de l'entrée. Seule sa probabilité σ(x/T) se dérive : utiliser Sigmoid.")

    def __repr__(self):
        return f"StochasticNeuron(temperature={self.temperature:g})"
