"""Partager des données en apprentissage, validation et test."""

from itertools import permutations
from numbers import Integral, Real

import numpy as np

from labcode.datasets.arguments import array, generator, labels, samples

PARTS = ("apprentissage", "validation", "test")


def train_validation_test_split(X, y, sizes=(0.6, 0.2, 0.2), *, rng=0, stratify=True):
    """Partage X (N, …) et y (N,) au hasard en trois : rend ((X, y), (X, y), (X, y)), apprentissage, validation, test.

    ``sizes`` donne les trois parts : des fractions de somme 1 ou des effectifs entiers de somme N ; une part peut être nulle.
    Chaque exemple va dans une partie et une seule. Avec ``stratify``, chaque classe y est dans les mêmes proportions, à
    un exemple près. Lève ValueError si une classe n'a pas un exemple pour chaque partie, si les tailles ne conviennent
    pas, ou si X et y sont vides, de longueurs différentes ou contiennent NaN.
    """
    X = samples(X)
    y = labels(y) if stratify else array(y, "y")
    if y.ndim == 0 or len(X) != len(y):
        raise ValueError(f"X et y : {len(X)} exemples et {len(y) if y.ndim else 0} étiquettes reçus, il en faut autant.")
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise ValueError("y : contient NaN ou une valeur infinie.")
    counts, rng = _part_sizes(sizes, len(y)), generator(rng)
    groups = [np.flatnonzero(y == k) for k in np.unique(y)] if stratify else [np.arange(len(y))]
    shares = _shares(np.array([len(group) for group in groups]), counts)
    if stratify:
        _check_every_class(y, groups, shares, counts)
    pieces = [np.split(rng.permutation(group), np.cumsum(share)[:2]) for group, share in zip(groups, shares)]
    chosen = [rng.permutation(np.concatenate(part)) for part in zip(*pieces)]
    return tuple((X[index], y[index]) for index in chosen)


def _part_sizes(sizes, n):
    """Effectifs des trois parties, de somme n."""
    sizes = list(sizes) if np.ndim(sizes) == 1 else [sizes]
    if len(sizes) != 3 or not all(isinstance(size, Real) and not isinstance(size, bool) for size in sizes):
        raise ValueError(f"sizes : {sizes} reçu, trois nombres attendus, apprentissage, validation et test.")
    if not all(size >= 0 for size in sizes):
        raise ValueError(f"sizes : {sizes} reçu, des nombres positifs ou nuls attendus.")
    if all(isinstance(size, Integral) for size in sizes):
        if sum(sizes) != n:
            raise ValueError(f"sizes : des effectifs de somme {sum(sizes)} reçus pour {n} exemples.")
        return np.array(sizes, dtype=np.int64)
    if abs(sum(sizes) - 1) > 1e-6:
        raise ValueError(f"sizes : des fractions de somme {sum(sizes):g} reçues, une somme de 1 attendue.")
    exact = np.array(sizes, dtype=np.float64) * n
    counts = _round(exact, n)
    for part, size, count in zip(PARTS, sizes, counts):
        if size > 0 and count == 0:
            raise ValueError(f"sizes : avec {n} exemples, la partie {part} ({size:g}) serait vide.")
    return counts


def _round(exact, total):
    """Arrondit des nombres positifs à un entier voisin en gardant leur somme : les plus grands restes montent."""
    floor = np.floor(exact + 1e-9).astype(np.int64)
    order = np.argsort(floor - exact, kind="stable")
    floor[order[:total - floor.sum()]] += 1
    return floor


def _shares(class_sizes, counts):
    """Effectif de chaque classe (lignes) dans chaque partie (colonnes), à un exemple près de la proportion exacte.

    Arrondir chaque ligne à part ne donne pas les effectifs voulus des parties : on déplace ensuite, d'une colonne en
    excès vers une colonne en défaut, un exemple d'une classe arrondie vers le haut dans l'une et vers le bas dans l'autre.
    """
    exact = np.outer(class_sizes, counts) / counts.sum()
    shares = np.array([_round(row, size) for row, size in zip(exact, class_sizes)])
    while (excess := shares.sum(axis=0) - counts).any():
        routes = [route for length in (2, 3) for route in permutations(range(3), length)
                  if excess[route[0]] > 0 > excess[route[-1]]]
        _move_along(next(filter(None, (_moves(shares, exact, route) for route in routes))), shares)
    return shares


def _moves(shares, exact, route):
    """Pour chaque étape de ``route`` d'une colonne à la suivante, la classe qui peut y faire passer un exemple ; sinon None."""
    steps = []
    for start, end in zip(route, route[1:]):
        rows = np.flatnonzero((shares[:, start] > exact[:, start] + 1e-9) & (shares[:, end] < exact[:, end] - 1e-9))
        if not len(rows):
            return None
        steps.append((rows[0], start, end))
    return steps


def _move_along(steps, shares):
    for row, start, end in steps:
        shares[row, start] -= 1
        shares[row, end] += 1


def _check_every_class(y, groups, shares, counts):
    for group, share in zip(groups, shares):
        for part, count, total in zip(PARTS, share, counts):
            if total and not count:
                raise ValueError(f"y : la classe {y[group[0]]} n'a que {len(group)} exemple{'s' * (len(group) > 1)}, trop peu pour en mettre dans "
                                 f"la partie {part} ; il en faut davantage, ou stratify=False.")
