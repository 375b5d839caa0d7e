"""Les unités : probabilités et tirages, calculés sur place, car l'apprentissage y passe le tiers de son temps."""

import numpy as np


def sigmoid_(x):
    """Remplace ``x`` par 1/(1 + e⁻ˣ) = ½ tanh(x/2) + ½, sans débordement ; renvoie ``x``."""
    x *= 0.5
    np.tanh(x, out=x)
    x *= 0.5
    x += 0.5
    return x


def bernoulli_(p, rng):
    """Remplace chaque probabilité de ``p`` par 1 ou 0, tiré avec cette probabilité ; renvoie ``p``."""
    return np.less(rng.random(p.shape, p.dtype), p, out=p)


def log_sum_exp(x):
    """ln Σ eˣ, calculé sans débordement."""
    largest = np.max(x)
    return float(largest + np.log(np.sum(np.exp(x - largest))))
