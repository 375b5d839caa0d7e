"""Résumer plusieurs graines : moyenne et intervalle de confiance."""

import numpy as np


def mean_interval(values, confidence=0.95):
    """Moyenne sur le premier axe et demi-largeur de son intervalle de confiance, par la loi de Student (1908).

    ``values`` : (S,) ou (S, …), une ligne par graine. Renvoie deux nombres, ou deux tableaux de la forme d'une ligne. La
    demi-largeur est t·s/√S, s étant l'écart-type estimé à S − 1 degrés de liberté ; elle est NaN pour une seule graine,
    qui ne dit rien de la dispersion. Lève ValueError s'il n'y a aucune valeur, ou si ``confidence`` n'est pas dans ]0 ; 1[.
    """
    from scipy.stats import t as student  # seul usage de scipy dans ce paquet : on ne le charge qu'ici

    values = np.asarray(values, dtype=np.float64)
    if values.ndim == 0 or not len(values):
        raise ValueError("mean_interval : aucune valeur reçue, une ligne par graine attendue")
    if not 0 < confidence < 1:
        raise ValueError(f"mean_interval : confidence doit être entre 0 et 1, exclus, reçu {confidence!r}")
    n, mean = len(values), values.mean(axis=0)
    if n == 1:
        return mean, np.full_like(mean, np.nan)[()]
    spread = values.std(axis=0, ddof=1) / np.sqrt(n)
    return mean, student.ppf((1 + confidence) / 2, n - 1) * spread
