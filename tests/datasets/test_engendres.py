"""Les jeux engendrés : leur géométrie exacte, comparée à scikit-learn quand elle y existe."""

import numpy as np
import pytest
from sklearn import datasets as reference

from labcode.datasets import make_bars_and_stripes, make_checkerboard, make_circles, make_gaussians, make_moons, make_xor

PLANE = [make_gaussians, make_xor, make_checkerboard, make_circles, make_moons]


@pytest.mark.parametrize("make", PLANE)
@pytest.mark.parametrize("n", [2, 7, 500])
def test_forme_types_et_classes_equilibrees(make, n):
    X, y = make(n, rng=0)
    assert X.shape == (n, 2) and X.dtype == np.float32 and y.shape == (n,) and y.dtype == np.int64
    counts = np.bincount(y, minlength=2)
    assert len(counts) == 2 and abs(counts[0] - counts[1]) <= 1


@pytest.mark.parametrize("make", PLANE)
def test_une_graine_un_tirage(make):
    same = [make(60, rng=3), make(60, rng=3), make(60, rng=np.random.default_rng(3))]
    for X, y in same[1:]:
        np.testing.assert_array_equal(X, same[0][0])
        np.testing.assert_array_equal(y, same[0][1])
    assert not np.array_equal(make(60, rng=4)[1], same[0][1])
    assert not np.array_equal(make(60)[1], make(60)[1])


@pytest.mark.parametrize("make", PLANE)
def test_les_classes_sont_melangees(make):
    _, y = make(400, rng=0)
    assert 60 < y[:200].sum() < 140


def rows(X):
    """Les lignes de X, en ensemble."""
    return sorted(map(tuple, np.asarray(X).round(5).tolist()))


@pytest.mark.parametrize("n", [11, 100])
def test_cercles_comme_scikit_learn(n):
    X, y = make_circles(n, noise=0, factor=0.3, rng=0)
    X_ref, y_ref = reference.make_circles(((n + 1) // 2, n // 2), factor=0.3, shuffle=False)
    for k in (0, 1):
        np.testing.assert_allclose(rows(X[y == k]), rows(X_ref[y_ref == k]), atol=2e-5)
    np.testing.assert_allclose(np.linalg.norm(X, axis=1), np.where(y == 0, 1, 0.3), rtol=1e-6)


@pytest.mark.parametrize("n", [11, 100])
def test_lunes_comme_scikit_learn(n):
    X, y = make_moons(n, noise=None, rng=0)
    X_ref, y_ref = reference.make_moons(((n + 1) // 2, n // 2), shuffle=False)
    for k in (0, 1):
        np.testing.assert_allclose(rows(X[y == k]), rows(X_ref[y_ref == k]), atol=2e-5)


@pytest.mark.parametrize("make", PLANE[1:])
def test_le_bruit_a_l_ecart_type_demande(make):
    """Même graine, avec et sans bruit : la différence est le bruit."""
    X, y = make(20_000, noise=0.3, rng=1)
    X_clean, y_clean = make(20_000, noise=0, rng=1)
    np.testing.assert_array_equal(y, y_clean)
    noise = X - X_clean
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=0.01)
    np.testing.assert_allclose(noise.std(axis=0), 0.3, rtol=0.03)
    assert abs(np.corrcoef(noise.T)[0, 1]) < 0.03


def test_xor_est_le_ou_exclusif():
    X, y = make_xor(400, noise=0, rng=0)
    assert set(rows(X)) == {(-1, -1), (-1, 1), (1, -1), (1, 1)}
    np.testing.assert_array_equal(y, np.logical_xor(X[:, 0] > 0, X[:, 1] > 0))
    assert all(np.sum((X == corner).all(axis=1)) == 100 for corner in ((-1, -1), (-1, 1), (1, -1), (1, 1)))


@pytest.mark.parametrize("n_squares", [2, 3, 8])
def test_damier(n_squares):
    X, y = make_checkerboard(4000, n_squares=n_squares, rng=0)
    assert X.min() >= -1 and X.max() <= 1
    cells = np.floor((X.astype(np.float64) + 1) * n_squares / 2).astype(int)
    np.testing.assert_array_equal(cells.sum(axis=1) % 2, y)
    per_cell = np.bincount(cells @ [n_squares, 1], minlength=n_squares ** 2)
    for k in (0, 1):
        counts = per_cell[np.add.outer(range(n_squares), range(n_squares)).ravel() % 2 == k]
        assert abs(counts - 2000 / len(counts)).max() < 5 * np.sqrt(2000 / len(counts))  # uniforme sur les cases de la classe
    inside = (X.astype(np.float64) + 1) * n_squares / 2 % 1
    np.testing.assert_allclose(inside.mean(axis=0), 0.5, atol=0.03)
    np.testing.assert_allclose(inside.var(axis=0), 1 / 12, rtol=0.1)


def test_gaussiennes():
    centers, scales = [[0, 0, 5], [3, -2, 0], [-4, 1, 1]], [0.5, 1.0, 2.0]
    X, y = make_gaussians(30_000, centers, scales, rng=0)
    assert X.shape == (30_000, 3) and np.bincount(y).tolist() == [10_000] * 3
    for k in range(3):
        np.testing.assert_allclose(X[y == k].mean(axis=0), centers[k], atol=0.08)
        np.testing.assert_allclose(np.cov(X[y == k].T), scales[k] ** 2 * np.eye(3), atol=0.2)
    exact, y = make_gaussians(9, centers, 0, rng=0)
    np.testing.assert_array_equal(exact, np.array(centers)[y])


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_barres_et_rayures(size):
    X, y = make_bars_and_stripes(size)
    assert X.shape == (2 ** (size + 1), size ** 2) and X.dtype == np.float32 and y.dtype == np.int64
    images = X.reshape(-1, size, size)
    assert np.bincount(y).tolist() == [2 ** size] * 2
    assert all((image == image[0]).all() for image in images[y == 0])         # barres : toutes les lignes sont égales
    assert all((image.T == image.T[0]).all() for image in images[y == 1])     # rayures : toutes les colonnes
    for k in (0, 1):
        assert len(np.unique(X[y == k], axis=0)) == 2 ** size
    assert len(np.unique(X, axis=0)) == (2 if size == 1 else 2 ** (size + 1) - 2)
    assert set(np.unique(X)) == {0, 1}


@pytest.mark.parametrize("call, name", [
    (lambda: make_circles(1), "n_samples"), (lambda: make_circles(0), "n_samples"), (lambda: make_circles(10.5), "n_samples"),
    (lambda: make_circles("dix"), "n_samples"), (lambda: make_xor(1), "n_samples"), (lambda: make_circles(10, noise=-1), "noise"),
    (lambda: make_moons(10, noise=float("nan")), "noise"), (lambda: make_moons(10, noise="fort"), "noise"),
    (lambda: make_circles(10, factor=1), "factor"), (lambda: make_circles(10, factor=-0.1), "factor"), (lambda: make_circles(10, factor=2.0), "factor"),
    (lambda: make_checkerboard(10, n_squares=1), "n_squares"), (lambda: make_checkerboard(10, n_squares=2.0), "n_squares"),
    (lambda: make_gaussians(10, [1, 2]), "centers"), (lambda: make_gaussians(10, [[1, np.nan]]), "centers"), (lambda: make_gaussians(10, []), "centers"),
    (lambda: make_gaussians(10, scale=[1, 2, 3]), "scale"), (lambda: make_gaussians(10, scale=-1), "scale"), (lambda: make_gaussians(10, scale=[1, -1]), "scale"),
    (lambda: make_gaussians(2, np.eye(3)), "n_samples"),
    (lambda: make_bars_and_stripes(0), "size"), (lambda: make_bars_and_stripes(13), "size"), (lambda: make_bars_and_stripes(2.5), "size"),
    (lambda: make_moons(10, rng="hasard"), "rng"), (lambda: make_moons(10, rng=-1), "rng"), (lambda: make_moons(10, rng=1.5), "rng"),
])
def test_mauvais_argument_nomme_en_francais(call, name):
    with pytest.raises((ValueError, TypeError), match=f"^{name}\u00a0: .*(attendu|reçu|NaN)"):
        call()
