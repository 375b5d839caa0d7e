"""Petites machines aux poids tirés au hasard, et leur loi exacte, calculée sans passer par labcode.boltzmann.likelihood."""

import itertools

import numpy as np

from labcode.boltzmann import RBM


def machine(n_visible=4, n_hidden=3, *, seed=0, scale=1.0, kind=RBM, **options):
    """Une machine en float64, de poids et de biais N(0, scale²)."""
    rbm = kind(n_hidden, rng=seed, **options).initialize(n_visible, np.float64)
    for array in (rbm.weight_, rbm.visible_bias_, rbm.hidden_bias_):
        array[:] = scale * np.random.default_rng([seed, array.size]).standard_normal(array.shape)
    return rbm


def bits(n):
    return np.array(list(itertools.product((0.0, 1.0), repeat=n)))


def joint(rbm, temperature=1.0):
    """p(v, h), tableau (2^p, 2^q), par la définition : e^(−E/T)/Z, énergie écrite terme à terme."""
    V, H = bits(rbm.weight_.shape[1]), bits(rbm.weight_.shape[0])
    energy = np.array([[-sum(rbm.visible_bias_ * v) - sum(rbm.hidden_bias_ * h) - sum(h[j] * rbm.weight_[j, i] * v[i]
                        for i in range(len(v)) for j in range(len(h))) for h in H] for v in V])
    p = np.exp(-energy / temperature)
    return p / p.sum()


def sample_indices(V):
    """Rang de chaque ligne de V dans ``bits`` : son écriture en base 2."""
    return (V @ 2 ** np.arange(V.shape[1])[::-1]).astype(int)
