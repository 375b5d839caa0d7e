"""Binariser, coder, bruiter : les valeurs, et jamais l'entrée modifiée."""

import numpy as np
import pytest
from sklearn.preprocessing import Binarizer, LabelBinarizer

from labcode.datasets import add_gaussian_noise, add_masking, add_salt_and_pepper, binarize, make_gaussians, one_hot, train_validation_test_split

IMAGES = np.random.default_rng(0).uniform(0.2, 0.8, (400, 100)).astype(np.float32)
NOISES = [lambda X, rng=0: add_gaussian_noise(X, 0.1, rng), lambda X, rng=0: add_salt_and_pepper(X, 0.3, rng),
          lambda X, rng=0: add_masking(X, 0.3, rng)]


@pytest.mark.parametrize("threshold", [0, 0.25, 0.5, 1, -1.5])
def test_binarise_comme_scikit_learn(threshold):
    X = np.array([[0, 0.25, 0.5], [0.75, 1, 0.500001]])
    np.testing.assert_array_equal(binarize(X, threshold), Binarizer(threshold=threshold).transform(X))


def test_binarise_au_dessus_strictement_et_garde_le_type():
    assert binarize(np.array([0.5, 0.51], np.float32)).tolist() == [0, 1]
    assert binarize(np.array([127, 128], np.uint8), 127).tolist() == [0, 1]
    assert [binarize(np.ones(2, dtype)).dtype for dtype in (np.float32, np.float64, np.uint8)] == [np.float32, np.float64, np.float32]


def test_one_hot_comme_scikit_learn():
    """eq-one-hot."""
    y = np.random.default_rng(0).integers(0, 7, 50)
    codes = one_hot(y, 7)
    assert codes.dtype == np.float32
    np.testing.assert_array_equal(codes, LabelBinarizer().fit(range(7)).transform(y))
    np.testing.assert_array_equal(codes.argmax(axis=1), y)
    assert one_hot([2, 0], 4).tolist() == [[0, 0, 1, 0], [1, 0, 0, 0]]


def test_bruit_gaussien():
    noise = add_gaussian_noise(IMAGES, 0.3, 1) - IMAGES
    np.testing.assert_allclose([noise.mean(), noise.std()], [0, 0.3], atol=0.005)
    assert abs(np.mean(np.abs(noise) < 0.3) - 0.6827) < 0.01  # la règle des 68 %
    assert abs(np.corrcoef(noise[:, 0], noise[:, 1])[0, 1]) < 0.2
    clipped = add_gaussian_noise(IMAGES, 0.3, 1, clip=True)
    np.testing.assert_array_equal(clipped, np.clip(IMAGES + noise, 0, 1))
    np.testing.assert_array_equal(add_gaussian_noise(IMAGES, 0), IMAGES)


def test_poivre_et_sel():
    noisy = add_salt_and_pepper(IMAGES, 0.4, 1)
    np.testing.assert_allclose([np.mean(noisy == 0), np.mean(noisy == 1), np.mean(noisy == IMAGES)], [0.2, 0.2, 0.6], atol=0.01)
    assert set(np.unique(add_salt_and_pepper(IMAGES, 1, 1))) == {0, 1}
    np.testing.assert_array_equal(add_salt_and_pepper(IMAGES, 0, 1), IMAGES)


def test_masque():
    noisy = add_masking(IMAGES, 0.4, 1)
    np.testing.assert_allclose([np.mean(noisy == 0), np.mean(noisy == IMAGES)], [0.4, 0.6], atol=0.01)
    assert not add_masking(IMAGES, 1, 1).any()
    np.testing.assert_array_equal(add_masking(IMAGES, 0, 1), IMAGES)


@pytest.mark.parametrize("noise", NOISES)
def test_bruiter_ne_modifie_pas_l_entree(noise):
    X = IMAGES.copy()
    X.flags.writeable = False
    noisy = noise(X)
    assert noisy.flags.writeable and not np.shares_memory(noisy, X)
    np.testing.assert_array_equal(X, IMAGES)
    np.testing.assert_array_equal(noise(X, 5), noise(X, np.random.default_rng(5)))
    assert not np.array_equal(noise(X, 5), noise(X, 6)) and not np.array_equal(noise(X, None), noise(X, None))
    assert noise(X).dtype == np.float32 and noise(X.astype(np.float64)).dtype == np.float64
    assert noise(np.ones((3, 4, 5), np.uint8)).shape == (3, 4, 5)


@pytest.mark.parametrize("prepare", [binarize, add_masking, add_salt_and_pepper, add_gaussian_noise])
def test_rien_n_est_partage_avec_l_entree(prepare):
    X = np.zeros((3, 3), np.float32)
    prepare(X, 0)[:] = 7
    assert not X.any()


@pytest.mark.parametrize("call, error, message", [
    (lambda: binarize([]), ValueError, "^X\u00a0: forme .* non vide"),
    (lambda: binarize([[0.1, np.nan]]), ValueError, "^X\u00a0: contient NaN"),
    (lambda: binarize([[0.1, np.inf]]), ValueError, "^X\u00a0: contient NaN ou une valeur infinie"),
    (lambda: binarize(["a"]), TypeError, "^X\u00a0: .*des nombres attendus"),
    (lambda: binarize([0.1], np.nan), ValueError, "^threshold\u00a0: nan reçu, un nombre fini attendu"),
    (lambda: binarize([0.1], "0,5"), TypeError, "^threshold"),
    (lambda: one_hot([0, 3], 3), ValueError, "^y\u00a0: étiquette 3 reçue, une classe de 0 à 2 attendue"),
    (lambda: one_hot([0, -1], 3), ValueError, "étiquette -1 reçue"),
    (lambda: one_hot([0.0, 1.0], 3), TypeError, "classes entières"),
    (lambda: one_hot([[0, 1]], 3), ValueError, r"forme \(1, 2\) reçue"),
    (lambda: one_hot([], 3), ValueError, "vecteur non vide"),
    (lambda: one_hot([0], 0), ValueError, "^n_classes"),
    (lambda: one_hot([0], 2.0), TypeError, "^n_classes"),
    (lambda: add_gaussian_noise([1.0], -1), ValueError, "^scale\u00a0: -1 reçu, un nombre fini, au moins égal à 0"),
    (lambda: add_masking([1.0], 1.1), ValueError, "^fraction\u00a0: 1.1 reçu, un nombre entre 0 et 1"),
    (lambda: add_salt_and_pepper([1.0], -0.1), ValueError, "^fraction"),
    (lambda: add_salt_and_pepper([1.0], None), TypeError, "^fraction"),
    (lambda: add_masking([np.nan], 0.1), ValueError, "NaN"),
    (lambda: add_masking([1.0], 0.1, "hasard"), TypeError, "^rng"),
])
def test_erreurs_en_francais(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("call, name", [
    (lambda bad: one_hot(bad, 3), "y"), (binarize, "X"), (lambda bad: make_gaussians(10, bad), "centers"),
    (lambda bad: train_validation_test_split(bad, [0, 1]), "X"), (lambda bad: train_validation_test_split(np.eye(2), bad), "y"),
    (lambda bad: train_validation_test_split(np.eye(2), bad, stratify=False), "y"),
])
def test_tableaux_irreguliers_ou_masques(call, name):
    with pytest.raises(ValueError, match=rf"^{name}\s: lignes de longueurs différentes"):
        call([[0, 1], [1]])
    with pytest.raises(ValueError, match=rf"^{name}\s: tableau masqué"):
        call(np.ma.masked_equal([0, 1], 1))
