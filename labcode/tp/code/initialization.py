"""Chapitre 5 : des poids tirés selon He."""

import numpy as np

from labcode.tp.code.reference import Trial, reference

SHAPES = (((3, 5), ""), ((6, 2), "plus de sorties que d'entrées"), ((1, 4), "une seule sortie"), ((4, 1), "une seule entrée"))


def _trials(rng):
    return [Trial((rng.random(shape),), label) for shape, label in SHAPES]


@reference(trials=_trials)
def he_uniform(u):
    """Des poids uniformes de variance 2/n_in (eq-he, eq-uniform-bound), à partir de tirages de U(0, 1)."""
    return np.sqrt(6 / u.shape[1]) * (2 * u - 1)


@he_uniform.mistake("La borne est celle de l'**écart-type**, $\\sqrt{2/n_{\\text{in}}}$. La variance de $U(-a, a)$ vaut $a^2/3$, et non $a^2$.")
def _(u):
    return np.sqrt(2 / u.shape[1]) * (2 * u - 1)


@he_uniform.mistake("C'est la borne de **Glorot** : celle de He ne regarde que $n_{\\text{in}}$.")
def _(u):
    return np.sqrt(6 / sum(u.shape)) * (2 * u - 1)


@he_uniform.mistake("C'est la borne de **LeCun** : la ReLU, qui annule la moitié du signal, demande une variance double.")
def _(u):
    return np.sqrt(3 / u.shape[1]) * (2 * u - 1)


@he_uniform.mistake("Vous divisez par $n_{\\text{out}}$. Les poids ont la forme ($n_{\\text{out}}$, $n_{\\text{in}}$) : le nombre d'entrées est `u.shape[1]`.")
def _(u):
    return np.sqrt(6 / u.shape[0]) * (2 * u - 1)


@he_uniform.mistake("Ces poids vont de 0 à $a$ : leur moyenne n'est pas **nulle**. Il faut les étaler de $-a$ à $a$.")
def _(u):
    return np.sqrt(6 / u.shape[1]) * u


@he_uniform.mistake("Ces poids vont de $-a/2$ à $a/2$ : l'intervalle est **deux fois trop court**.")
def _(u):
    return np.sqrt(6 / u.shape[1]) * (u - 0.5)


@he_uniform.mistake("$6/n_{\\text{in}}$ est le **carré** de la borne.")
def _(u):
    return 6 / u.shape[1] * (2 * u - 1)
