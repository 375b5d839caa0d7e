"""Le partage en apprentissage, validation et test : complet, disjoint, stratifié, reproductible."""

import numpy as np
import pytest

from labcode.datasets import train_validation_test_split as split

RNG = np.random.default_rng(0)


def check_partition(parts, X, y):
    """Les trois parties contiennent chaque exemple une fois, avec sa propre étiquette (la colonne 0 de X est son numéro)."""
    index = np.concatenate([X_part[:, 0] for X_part, _ in parts]).astype(int)
    assert sorted(index.tolist()) == list(range(len(X)))
    np.testing.assert_array_equal(np.concatenate([y_part for _, y_part in parts]), y[index])
    np.testing.assert_array_equal(np.concatenate([X_part for X_part, _ in parts]), X[index])


def numbered(y):
    return np.column_stack([np.arange(len(y)), RNG.random(len(y))]).astype(np.float32)


@pytest.mark.parametrize("stratify", [True, False])
@pytest.mark.parametrize("sizes, expected", [
    ((0.6, 0.2, 0.2), (300, 100, 100)), ((0.5, 0.25, 0.25), (250, 125, 125)), ([400, 60, 40], (400, 60, 40)),
    ((0.8, 0.2, 0), (400, 100, 0)), (np.array([0.7, 0.1, 0.2]), (350, 50, 100)), ((1, 499, 0), (1, 499, 0)), ((1 / 3, 1 / 3, 1 / 3), (167, 167, 166)),
])
def test_partition_de_la_taille_demandee(sizes, expected, stratify):
    y = np.zeros(500, dtype=np.int64)
    parts = split(numbered(y), y, sizes, stratify=stratify)
    assert tuple(len(y_part) for _, y_part in parts) == expected


@pytest.mark.parametrize("seed", range(60))
def test_stratification_a_un_exemple_pres(seed):
    """Classes et tailles quelconques : jamais plus d'un exemple d'écart, et les effectifs demandés, exactement."""
    rng = np.random.default_rng(seed)
    per_class = rng.integers(12, 60, rng.integers(2, 12))
    y = rng.permutation(np.repeat(np.arange(len(per_class)), per_class)) * 3 - 4
    n = len(y)
    if seed % 2:
        sizes = tuple(rng.dirichlet([8, 8, 8]))
        counts = np.array(sizes) * n
    else:
        cuts = np.sort(rng.integers(n // 4, 3 * n // 4, 2)) + [-n // 12, n // 12]
        sizes = counts = np.diff([0, *cuts, n])
    X = numbered(y)
    parts = split(X, y, sizes, rng=seed)
    check_partition(parts, X, y)
    for (_, y_part), count in zip(parts, counts):
        assert abs(len(y_part) - count) < 1
        exact = per_class * len(y_part) / n
        observed = [np.sum(y_part == k) for k in np.unique(y)]
        assert np.abs(observed - exact).max() <= 1


def test_effectifs_que_les_arrondis_separes_manqueraient():
    """Vingt classes de cinq exemples en 50 + 30 + 20 : 2,5 + 1,5 + 1 par classe, à rééquilibrer entre les classes."""
    y = np.repeat(np.arange(20), 5)
    parts = split(numbered(y), y, (50, 30, 20), rng=0)
    assert [len(y_part) for _, y_part in parts] == [50, 30, 20]
    assert [sorted(set(np.bincount(y_part))) for _, y_part in parts] == [[2, 3], [1, 2], [1]]


def test_sans_stratifier_le_tirage_est_libre():
    y = np.repeat([0, 1], 500)
    X = numbered(y)
    counts = [split(X, y, rng=seed, stratify=False)[1][1].sum() for seed in range(40)]
    assert len(set(counts)) > 10 and abs(np.mean(counts) - 100) < 5
    check_partition(split(X, y, stratify=False), X, y)


def test_graine_et_melange():
    y = np.repeat(np.arange(5), 40)
    X = numbered(y)
    first, again, other = split(X, y, rng=1), split(X, y, rng=np.random.default_rng(1)), split(X, y, rng=2)
    np.testing.assert_array_equal(first[0][0], again[0][0])
    assert not np.array_equal(first[0][0], other[0][0])
    np.testing.assert_array_equal(split(X, y)[2][0], split(X, y, rng=0)[2][0])  # la graine est 0 par défaut
    assert len(set(first[0][1][:20].tolist())) > 2  # les classes sont mélangées dans chaque partie


def test_garde_types_et_formes_et_ne_modifie_rien():
    X, y = np.arange(600, dtype=np.float64).reshape(50, 3, 4), np.arange(50) % 2
    X_before, y_before = X.copy(), y.copy()
    (X_train, y_train), *_ = split(X, y)
    assert X_train.shape == (30, 3, 4) and X_train.dtype == np.float64 and y_train.dtype == y.dtype
    X_train[:] = -1
    y_train[:] = -1
    np.testing.assert_array_equal(X, X_before)
    np.testing.assert_array_equal(y, y_before)


@pytest.mark.parametrize("X, y, sizes, message", [
    (np.ones((10, 2)), np.arange(10) // 9, (0.6, 0.2, 0.2), "la classe 1 n'a que 1 exemple, trop peu"),
    (np.ones((10, 2)), np.arange(10) // 5, (0.9, 0.05, 0.05), "la partie test .* serait vide"),
    (np.ones((10, 2)), np.zeros(9, int), (0.6, 0.2, 0.2), "10 exemples et 9 étiquettes"),
    (np.ones((0, 2)), np.zeros(0, int), (0.6, 0.2, 0.2), "non vide"),
    (np.full((10, 2), np.nan), np.zeros(10, int), (0.6, 0.2, 0.2), "NaN"),
    (np.ones((10, 2)), np.zeros(10, int), (0.6, 0.2, 0.3), "fractions de somme 1.1"),
    (np.ones((10, 2)), np.zeros(10, int), (6, 2, 3), "effectifs de somme 11 reçus pour 10 exemples"),
    (np.ones((10, 2)), np.zeros(10, int), (1.2, -0.1, -0.1), "positifs ou nuls"),
    (np.ones((10, 2)), np.zeros(10, int), (np.nan, 0.5, 0.5), "positifs ou nuls"),
    (np.ones((10, 2)), np.zeros(10, int), (0.8, 0.2), "trois nombres"),
    (np.ones((10, 2)), np.zeros(10, int), 0.8, "trois nombres"),
    (np.ones((10, 2)), np.zeros(10, int), ("a", "b", "c"), "trois nombres"),
    (np.ones((10, 2)), np.zeros((10, 1), int), (0.6, 0.2, 0.2), "vecteur non vide"),
])
def test_erreurs_en_francais(X, y, sizes, message):
    with pytest.raises(ValueError, match=message):
        split(X, y, sizes)


def test_etiquettes_non_entieres():
    with pytest.raises(TypeError, match="classes entières"):
        split(np.ones((10, 2)), np.zeros(10), (0.6, 0.2, 0.2))
    with pytest.raises(TypeError, match="rng"):
        split(np.ones((10, 2)), np.zeros(10, int), rng="zéro")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_cibles_non_finies_refusees_meme_sans_strates(value):
    y = np.arange(10.0)
    y[3] = value
    with pytest.raises(ValueError, match="y.*NaN"):
        split(np.ones((10, 2)), y, stratify=False)
