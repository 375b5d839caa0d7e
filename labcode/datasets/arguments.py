"""Les vérifications d'arguments que partagent les données, l'apprentissage et le perceptron."""

from math import isfinite
from numbers import Integral, Real

import numpy as np


def array(values, name):
    """``values`` en tableau NumPy ; ValueError si les lignes n'ont pas toutes la même longueur, ou si une valeur est masquée."""
    if np.ma.is_masked(values):
        raise ValueError(f"{name} : tableau masqué reçu, des valeurs toutes présentes attendues.")
    try:
        return np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} : lignes de longueurs différentes reçues, un tableau régulier attendu.") from None


def generator(rng):
    """Le générateur aléatoire que désigne ``rng`` : une graine entière, un Generator, ou None (tirage imprévisible)."""
    if rng is None or isinstance(rng, np.random.Generator):
        return np.random.default_rng(rng)
    if isinstance(rng, bool) or not isinstance(rng, Integral):
        raise TypeError(f"rng : {type(rng).__name__} reçu, une graine entière, un numpy.random.Generator ou None attendu.")
    if rng < 0:
        raise ValueError(f"rng : graine {rng} reçue, un entier positif ou nul attendu.")
    return np.random.default_rng(rng)


def integer(name, value, low, high=None):
    """``value`` en int s'il est entier et d'au moins ``low`` (et d'au plus ``high``)."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} : {value!r} reçu, un entier attendu.")
    if value < low or (high is not None and value > high):
        bounds = f"au moins égal à {low}" if high is None else f"de {low} à {high}"
        raise ValueError(f"{name} : {value} reçu, un entier {bounds} attendu.")
    return int(value)


def number(name, value, low=0.0, high=None):
    """``value`` en float s'il est réel, fini et d'au moins ``low`` (et d'au plus ``high``)."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} : {value!r} reçu, un nombre attendu.")
    if not isfinite(value) or value < low or (high is not None and value > high):
        bounds = f"entre {low:g} et {high:g}" if high is not None else f"fini, au moins égal à {low:g}" if isfinite(low) else "fini"
        raise ValueError(f"{name} : {value!r} reçu, un nombre {bounds} attendu.")
    return float(value)


def samples(X, name="X"):
    """``X`` en tableau de nombres finis, non vide, à au moins une dimension."""
    X = array(X, name)
    if X.dtype.kind not in "biuf":
        raise TypeError(f"{name} : tableau de type {X.dtype} reçu, des nombres attendus.")
    if X.ndim == 0 or X.size == 0:
        raise ValueError(f"{name} : forme {X.shape} reçue, un tableau non vide (N, …) attendu.")
    if X.dtype.kind == "f" and not np.isfinite(X).all():
        raise ValueError(f"{name} : contient NaN ou une valeur infinie.")
    return X


def floats(X, name="X"):
    """``X`` vérifié, en float : float32, ou float64 s'il l'était déjà."""
    X = samples(X, name)
    return X if X.dtype in (np.float32, np.float64) else X.astype(np.float32)


def labels(y):
    """``y`` en tableau (N,) de classes entières, non vide."""
    y = array(y, "y")
    if y.ndim != 1 or y.size == 0:
        raise ValueError(f"y : forme {y.shape} reçue, un vecteur non vide (N,) de classes attendu.")
    if y.dtype.kind not in "iu":
        raise TypeError(f"y : tableau de type {y.dtype} reçu, des classes entières attendues.")
    return y
