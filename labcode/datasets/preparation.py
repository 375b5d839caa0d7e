"""Préparer des données : binariser, coder les classes, bruiter. Aucune de ces fonctions ne modifie ce qu'on lui donne."""

import numpy as np

from labcode.datasets.arguments import floats, generator, integer, labels, number


def binarize(X, threshold=0.5):
    """Rend 1 là où X dépasse strictement ``threshold``, 0 ailleurs, dans un tableau de la forme de X.

    Lève ValueError ou TypeError si X n'est pas un tableau de nombres finis.
    """
    X = floats(X)
    return (X > number("threshold", threshold, -np.inf)).astype(X.dtype)


def one_hot(y, n_classes):
    """Code chaque classe par un vecteur nul, sauf un 1 à sa place : y (N,) donne un tableau (N, n_classes) float32 (eq-one-hot).

    Lève ValueError si une étiquette n'est pas de 0 à n_classes − 1, TypeError si les étiquettes ne sont pas entières.
    """
    y, n_classes = labels(y), integer("n_classes", n_classes, 1)
    if y.min() < 0 or y.max() >= n_classes:
        wrong = y[(y < 0) | (y >= n_classes)][0]
        raise ValueError(f"y : étiquette {wrong} reçue, une classe de 0 à {n_classes - 1} attendue.")
    codes = np.zeros((len(y), n_classes), np.float32)
    codes[np.arange(len(y)), y] = 1
    return codes


def add_gaussian_noise(X, scale, rng=None, *, clip=False):
    """Ajoute à chaque composante de X un bruit gaussien centré d'écart-type ``scale`` ; ``clip`` ramène ensuite entre 0 et 1.

    Lève ValueError ou TypeError si X n'est pas un tableau de nombres finis ou si ``scale`` est négatif.
    """
    X, scale, rng = floats(X), number("scale", scale), generator(rng)
    noisy = rng.standard_normal(X.shape, dtype=X.dtype)
    noisy *= X.dtype.type(scale)
    noisy += X
    return np.clip(noisy, 0, 1, out=noisy) if clip else noisy


def add_salt_and_pepper(X, fraction, rng=None):
    """Remplace chaque composante de X, avec la probabilité ``fraction``, par 0 ou par 1, à pile ou face.

    Lève ValueError ou TypeError si X n'est pas un tableau de nombres finis ou si ``fraction`` sort de [0, 1].
    Source : Vincent et coll., 2010.
    """
    X, fraction, rng = floats(X), number("fraction", fraction, 0.0, 1.0), generator(rng)
    drawn = rng.random(X.shape, dtype=np.float32)
    noisy = X.copy()
    noisy[drawn < fraction] = 0
    noisy[drawn < fraction / 2] = 1
    return noisy


def add_masking(X, fraction, rng=None):
    """Met à zéro chaque composante de X avec la probabilité ``fraction``.

    Lève ValueError ou TypeError si X n'est pas un tableau de nombres finis ou si ``fraction`` sort de [0, 1].
    Source : Vincent et coll., 2008, qui masquent, eux, un nombre fixe de composantes par exemple.
    """
    X, fraction, rng = floats(X), number("fraction", fraction, 0.0, 1.0), generator(rng)
    noisy = X.copy()
    noisy[rng.random(X.shape, dtype=np.float32) < fraction] = 0
    return noisy
