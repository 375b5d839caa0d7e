"""L'état de départ des paramètres : zéros, tirages simples, et tirages à l'échelle du nombre de connexions."""

import difflib
from math import prod, sqrt

import numpy as np

from labcode.nn.module import Module, Parameter, as_generator

GAINS = {"linear": 1, "identity": 1, "sigmoid": 1, "tanh": 5 / 3, "relu": sqrt(2), "leaky_relu": None, "selu": 3 / 4}
SYNONYMS = {"glorot_normal": "xavier_normal", "glorot_uniform": "xavier_uniform",
            "he_normal": "kaiming_normal", "he_uniform": "kaiming_uniform"}


def initialize(target, scheme, *, gain=None, nonlinearity=None, mode="fan_in", biases="zeros", rng=None):
    """Donne leur valeur de départ à un Parameter, à une couche ou à tout un modèle ; renvoie ``target``.

    ``scheme`` règle les noyaux, c'est-à-dire les paramètres d'au moins deux axes :

    ==================================  =============================================================================
    ``zeros``, ``ones``                 constants
    ``normal``, ``uniform``             N(0, 1), U(0, 1)
    ``xavier_normal``                   N(0, σ²), σ² = 2/(fan_in + fan_out) (Glorot et Bengio, 2010 ; eq-glorot)
    ``xavier_uniform``                  de même variance, uniforme entre ±√3·σ (eq-uniform-bound)
    ``kaiming_normal``                  N(0, σ²), σ² = gain²/fan_in (He et al., 2015 ; eq-he)
    ``kaiming_uniform``                 de même variance, uniforme entre ±√3·σ (eq-uniform-bound)
    ``lecun_normal``                    N(0, σ²), σ² = 1/fan_in (LeCun et al., 1998 ; eq-lecun)
    ``orthogonal``                      lignes (ou colonnes) orthonormées, tirées uniformément (Saxe et al., 2014 ;
                                        eq-orthogonal)
    ==================================  =============================================================================

    fan_in et fan_out sont le nombre d'entrées d'une sortie et de sorties d'une entrée : n_x et n_y pour un noyau
    (n_y, n_x), C_in·k et C_out·k pour une convolution à noyau de k cases (sans compter ``stride``, comme PyTorch).
    ``mode="fan_out"`` met l'un à la place de l'autre dans ``kaiming_…``.

    ``gain`` multiplie le tirage, quel qu'il soit : ``initialize(model, "normal", gain=0.01)`` donne N(0, 0,01²). Par
    défaut, c'est 1 pour les quatre premiers schémas, et ``calculate_gain(nonlinearity)`` pour les autres, l'activation
    étant ReLU pour ``kaiming_…`` et aucune sinon.

    ``biases`` règle les biais, paramètres à un axe d'une couche qui a un noyau : un schéma sans fan, ``"same"`` pour le
    tirage du noyau avec ses fans (ainsi fait la source), ou None pour n'y pas toucher. La normalisation par lots, qui
    n'a pas de noyau, garde ses valeurs. ``rng`` : graine ou générateur.

    Lève ValueError si le schéma est inconnu, ou n'a pas de sens pour ce paramètre ; TypeError si ``target`` n'est ni un
    Parameter, ni un Module.
    """
    rng, scheme = as_generator(rng, "initialize"), _scheme("scheme", scheme, DRAWS)
    if gain is not None and not np.isfinite(gain):
        raise ValueError(f"initialize : gain doit être un nombre fini, reçu {gain!r}")
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"initialize : mode doit être 'fan_in' ou 'fan_out', reçu {mode!r}")
    if gain is None:
        kaiming = scheme in ("kaiming_normal", "kaiming_uniform")
        gain = 1 if scheme in WITHOUT_FANS else calculate_gain(nonlinearity or ("relu" if kaiming else "linear"))

    def fill(parameter, scheme, gain, fans):
        fan_in, fan_out = fans
        kaiming_fan = fan_in if mode == "fan_in" else fan_out
        parameter.data = gain * DRAWS[scheme](rng, parameter.shape, fan_in, fan_out, kaiming_fan)

    if isinstance(target, Parameter):
        fill(target, scheme, gain, (None, None) if scheme in WITHOUT_FANS else fans(target.shape))
        return target
    if not isinstance(target, Module):
        raise TypeError(f"initialize : Parameter ou Module attendu, reçu {type(target).__name__}")
    if biases is not None and biases != "same":
        biases = _scheme("biases", biases, [*WITHOUT_FANS, "same"])
    if biases == "same" and scheme == "orthogonal":
        raise ValueError("initialize : un biais n'est pas une matrice, orthogonal ne s'y applique pas ; choisir biases='zeros'")
    found = _layers_with_kernels(target)
    if not found:
        raise ValueError(f"initialize : {type(target).__name__} n'a aucun noyau à initialiser")
    for layer, kernels, vectors in found:
        layer_fans = [fans(kernel.shape, getattr(layer, "transposed", False)) for kernel in kernels]
        for kernel, kernel_fans in zip(kernels, layer_fans):
            fill(kernel, scheme, gain, kernel_fans)
        for bias in vectors:
            if biases == "same":
                fill(bias, scheme, gain, layer_fans[0])
            elif biases is not None:
                fill(bias, biases, 1, layer_fans[0])
    return target


def calculate_gain(nonlinearity, param=None):
    """Gain qui garde la variance d'une couche à l'autre à travers une activation (eq-gain) : un nom, ou une couche
    (``ReLU()``).

    linear, identity, sigmoid : 1 ; tanh : 5/3 ; relu : √2 ; leaky_relu : √(2/(1 + a²)), a étant ``param`` ou la pente de
    la couche donnée (0,01 par défaut) ; selu : 3/4. Ce sont les valeurs de PyTorch. Lève ValueError pour une autre.
    """
    if isinstance(nonlinearity, Module):
        param = getattr(nonlinearity, "negative_slope", param)
        nonlinearity = {"LeakyReLU": "leaky_relu"}.get(type(nonlinearity).__name__, type(nonlinearity).__name__.lower())
    if _known("calculate_gain : nonlinearity doit être une activation connue", nonlinearity, GAINS) == "leaky_relu":
        return sqrt(2 / (1 + (0.01 if param is None else param)**2))
    return GAINS[nonlinearity]


def fans(shape, transposed=False):
    """Couple (fan_in, fan_out) d'un noyau de forme ``shape`` = (sorties, entrées, …), les axes qui suivent étant ceux
    de la fenêtre d'une convolution (eq-fans). ``transposed=True`` : (entrées, sorties, …), comme une convolution transposée.

    Lève ValueError si ``shape`` a moins de deux axes.
    """
    if len(shape) < 2:
        raise ValueError(f"initialize : fan_in et fan_out demandent un noyau d'au moins deux axes, reçu la forme {shape}")
    outputs, inputs = reversed(shape[:2]) if transposed else shape[:2]
    return inputs * prod(shape[2:]), outputs * prod(shape[2:])


def _orthogonal(rng, shape, *_):
    rows, columns = shape[0], prod(shape[1:])
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q *= np.where(np.diag(r) < 0, -1, 1)  # sans ce choix des signes, la loi ne serait pas uniforme (Mezzadri, 2007)
    return (q if rows >= columns else q.T).reshape(shape)


def _normal(variance):
    return lambda rng, shape, *fans: sqrt(variance(*fans)) * rng.standard_normal(shape)


def _uniform(variance):
    def draw(rng, shape, *fans):
        bound = sqrt(3 * variance(*fans))  # une loi uniforme entre ±b a pour variance b²/3
        return rng.uniform(-bound, bound, shape)
    return draw


DRAWS = {
    "zeros": lambda rng, shape, *_: np.zeros(shape),
    "ones": lambda rng, shape, *_: np.ones(shape),
    "normal": lambda rng, shape, *_: rng.standard_normal(shape),
    "uniform": lambda rng, shape, *_: rng.random(shape),
    "xavier_normal": _normal(lambda fan_in, fan_out, _: 2 / (fan_in + fan_out)),
    "xavier_uniform": _uniform(lambda fan_in, fan_out, _: 2 / (fan_in + fan_out)),
    "kaiming_normal": _normal(lambda fan_in, fan_out, chosen: 1 / chosen),
    "kaiming_uniform": _uniform(lambda fan_in, fan_out, chosen: 1 / chosen),
    "lecun_normal": _normal(lambda fan_in, fan_out, _: 1 / fan_in),
    "orthogonal": _orthogonal,
}
WITHOUT_FANS = ("zeros", "ones", "normal", "uniform")


def _layers_with_kernels(module, seen=None):
    """Couches qui ont un noyau, dans l'ordre : triplets (couche, ses noyaux, ses biais) ; un paramètre partagé n'y est
    qu'une fois.
    """
    seen = set() if seen is None else seen
    inner = {id(p) for _, child in module.children() for p in child.parameters()}
    own = [p for p in module.parameters() if id(p) not in inner and id(p) not in seen]
    seen.update(map(id, own))
    kernels, vectors = [p for p in own if len(p.shape) > 1], [p for p in own if len(p.shape) == 1]
    found = [(module, kernels, vectors)] if kernels else []
    for _, child in module.children():
        found += _layers_with_kernels(child, seen)
    return found


def _scheme(argument, name, known):
    name = SYNONYMS.get(name, name) if isinstance(name, str) else name
    return _known(f"initialize : {argument} doit être un schéma connu", name, known)


def _known(message, name, known):
    """Rend ``name`` s'il est parmi ``known`` ; sinon lève ValueError, avec les noms les plus proches."""
    if isinstance(name, str) and name in known:
        return name
    near = difflib.get_close_matches(str(name), known, n=2, cutoff=0.4) or known
    raise ValueError(f"{message}, reçu {name!r} ; au plus près : {', '.join(near)}")
