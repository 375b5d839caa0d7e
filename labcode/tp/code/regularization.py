"""Chapitre 6 : l'abandon."""

import numpy as np

from labcode.tp.code.reference import Trial, reference


def _trials(rng):
    trials = [Trial((rng.normal(size=shape), rng.random(shape), p), label)
              for shape, p, label in (((4, 6), 0.5, ""), ((5, 3), 0.2, "un abandon rare"), ((1, 8), 0.8, "un seul exemple"))]
    return [*trials, Trial((rng.normal(size=(2, 3)), rng.random((2, 3)), 0.0), "aucun abandon")]


@reference(trials=_trials)
def dropout(H, u, p):
    """L'abandon pendant l'apprentissage (eq-dropout), les tirages u étant donnés."""
    return H * (u >= p) / (1 - p)


@dropout.mistake("Les composantes gardées ne sont pas **agrandies** : l'espérance de la sortie n'est plus celle de `H`.")
def _(H, u, p):
    return H * (u >= p)


@dropout.mistake("Vous multipliez par $1 - p$. Pour rétablir l'espérance, il faut **diviser** par la probabilité de garder.")
def _(H, u, p):
    return H * (u >= p) * (1 - p)


@dropout.mistake("Votre masque garde ce qu'il fallait **abandonner** : une composante est gardée quand `u >= p`.")
def _(H, u, p):
    return H * (u < p) / (1 - p)


@dropout.mistake("Les composantes à abandonner sont encore là : on les remplace par **zéro**, on n'agrandit que les autres.")
def _(H, u, p):
    return np.where(u >= p, H / (1 - p), H)
