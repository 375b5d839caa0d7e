"""Augmentation : valeurs comparées à SciPy et à NumPy, hasard vérifié, données jamais touchées."""

import numpy as np
import pytest
from scipy import ndimage

from labcode.datasets.augmentation import Augmentation, Compose, GaussianNoise, RandomHorizontalFlip, RandomRotation, RandomShift, rotate

SHAPE = (3, 7, 10)
IMAGES = np.random.default_rng(0).random((40, *SHAPE))
EVERY = [RandomShift(2), RandomRotation(30), RandomHorizontalFlip(), GaussianNoise(0.2), Compose([RandomShift(1), RandomRotation(10), GaussianNoise(0.1)])]
NAMES = [type(transform).__name__ for transform in EVERY]


# --- Chacune fait ce qu'elle dit ----------------------------------------------------------------------------------

@pytest.mark.parametrize("size", [(7, 10), (8, 8), (28, 28), (1, 5)])
def test_rotation_egale_scipy(size):
    rng = np.random.default_rng(1)
    images, degrees = rng.random((12, 2, *size)), np.append(rng.uniform(-180, 180, 10), [0.0, 37.0])
    rotated = rotate(images, degrees)
    for image, angle, result in zip(images, degrees, rotated):
        for channel, ours in zip(image, result):   # un cadre noir : SciPy, lui, coupe net au centre des pixels du bord
            theirs = ndimage.rotate(np.pad(channel, 1), angle, reshape=False, order=1, mode="constant")[1:-1, 1:-1]
            np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_rotation_d_un_quart_de_tour_dans_le_sens_direct():
    images = np.random.default_rng(2).random((4, 1, 9, 9))
    rotated = rotate(images, [90, 180, -90, 0])
    for result, image, turns in zip(rotated, images, (1, 2, -1, 0)):
        np.testing.assert_allclose(result[0], np.rot90(image[0], turns), atol=1e-12)


def test_rotation_en_float32():
    images = IMAGES.astype(np.float32)
    degrees = np.linspace(-40, 40, 40)
    assert rotate(images, degrees).dtype == np.float32
    np.testing.assert_allclose(rotate(images, degrees), rotate(images.astype(float), degrees), atol=1e-5)


def test_rotation_angles_tires_entre_les_bornes():
    """Un point tourne d'un angle que l'on mesure par le barycentre."""
    points = np.zeros((2000, 1, 41, 41))
    points[:, 0, 20, 35] = 1
    rotated = RandomRotation(30)(points, 0)[:, 0]
    mass = rotated.sum(axis=(1, 2))
    y, x = np.indices((41, 41)) - 20
    angles = np.rad2deg(np.arctan2(-(rotated * y).sum(axis=(1, 2)) / mass, (rotated * x).sum(axis=(1, 2)) / mass))
    assert -31 < angles.min() < -28 and 28 < angles.max() < 31
    assert abs(angles.mean()) < 1.5 and angles.std() == pytest.approx(60 / 12**0.5, rel=0.05)


def test_decalage():
    shifted = RandomShift(2)(IMAGES, 3)
    found = set()
    for image, result in zip(IMAGES, shifted):
        bordered = np.pad(image, ((0, 0), (2, 2), (2, 2)))
        matches = [(i, j) for i in range(-2, 3) for j in range(-2, 3)
                   if np.array_equal(np.roll(bordered, (i, j), (1, 2))[:, 2:-2, 2:-2], result)]
        assert len(matches) == 1                 # les trois canaux ensemble, d'un seul décalage
        found |= set(matches)
    assert len(found) > 15


def test_decalage_tous_les_decalages_et_le_sens():
    images = np.zeros((3000, 1, 5, 7))
    images[:, 0, 2, 3] = 1
    _, _, rows, columns = np.nonzero(RandomShift(1)(images, 0))
    counts = np.bincount((rows - 1) * 3 + columns - 2, minlength=9)
    assert len(rows) == 3000 and counts.min() > 260 and counts.max() < 410
    assert np.array_equal(RandomShift(0)(IMAGES, 0), IMAGES)


def test_retournement():
    flipped = RandomHorizontalFlip(0.25)(np.repeat(IMAGES, 50, axis=0), 0).reshape(40, 50, *SHAPE)
    kept = (flipped == IMAGES[:, None]).all(axis=(2, 3, 4))
    mirrored = (flipped == IMAGES[:, None, :, :, ::-1]).all(axis=(2, 3, 4))
    assert (kept ^ mirrored).all() and mirrored.mean() == pytest.approx(0.25, abs=0.03)
    assert np.array_equal(RandomHorizontalFlip(1)(IMAGES), IMAGES[..., ::-1]) and np.array_equal(RandomHorizontalFlip(0)(IMAGES), IMAGES)


def test_bruit():
    noise = GaussianNoise(0.1)(np.full((200, 1, 20, 20), 0.5), 0) - 0.5
    assert noise.std() == pytest.approx(0.1, rel=0.02) and abs(noise.mean()) < 0.002
    assert abs(np.corrcoef(noise.reshape(2, -1))[0, 1]) < 0.02
    on_black = GaussianNoise(0.1)(np.zeros((50, 400), np.float32), 0)          # aplaties, sans image_shape
    assert on_black.min() == 0 and (on_black == 0).mean() == pytest.approx(0.5, abs=0.02)


def test_composition_dans_l_ordre():
    first, second = RandomShift(2), RandomHorizontalFlip(0.5)
    rng = np.random.default_rng(4)
    assert np.array_equal(Compose([first, second])(IMAGES, 4), second(first(IMAGES, rng), rng))
    assert np.array_equal(Compose([])(IMAGES, 4), IMAGES)
    flat = Compose([RandomShift(2), RandomRotation(10)], image_shape=SHAPE)(IMAGES.reshape(40, -1), 4)
    assert np.array_equal(flat.reshape(IMAGES.shape), Compose([RandomShift(2), RandomRotation(10)])(IMAGES, 4))


def test_composer_avec_sa_propre_fonction():
    assert np.array_equal(Compose([lambda X, rng: 1 - X, RandomShift(0)])(IMAGES), 1 - IMAGES)


# --- Ce qu'elles ont en commun -------------------------------------------------------------------------------------

@pytest.mark.parametrize("transform", EVERY, ids=NAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_valeurs_entre_0_et_1_type_forme_et_donnees_intactes(transform, dtype):
    X = np.random.default_rng(5).integers(0, 2, (50, *SHAPE)).astype(dtype)     # les extrêmes, 0 et 1
    X[:10] = 1
    before = X.copy()
    result = transform(X, 0)
    assert result.shape == X.shape and result.dtype == dtype and result.flags.c_contiguous
    assert result.min() >= 0 and result.max() <= 1 and not np.array_equal(result, X)
    assert np.array_equal(X, before) and not np.shares_memory(result, X)


@pytest.mark.parametrize("transform", [RandomShift(0), RandomRotation(0), RandomHorizontalFlip(0), GaussianNoise(0), Compose([])], ids=NAMES)
def test_meme_sans_effet_le_resultat_est_une_copie(transform):
    result = transform(IMAGES, 0)
    assert np.array_equal(result, IMAGES) and not np.shares_memory(result, IMAGES)


@pytest.mark.parametrize("transform", EVERY, ids=NAMES)
def test_meme_graine_memes_images(transform):
    first, second, other = transform(IMAGES, 7), transform(IMAGES, np.random.default_rng(7)), transform(IMAGES, 8)
    assert np.array_equal(first, second) and not np.array_equal(first, other)
    rng = np.random.default_rng(7)
    assert np.array_equal(transform(IMAGES, rng), first) and not np.array_equal(transform(IMAGES, rng), first)


@pytest.mark.parametrize("transform", EVERY, ids=NAMES)
def test_un_tirage_par_image(transform):
    same = np.repeat(IMAGES[:1], 30, axis=0)
    assert len({image.tobytes() for image in transform(same, 0)}) >= 2 + 4 * (not isinstance(transform, RandomHorizontalFlip))


@pytest.mark.parametrize("make", [lambda shape: RandomShift(2, shape), lambda shape: RandomRotation(30, shape), lambda shape: RandomHorizontalFlip(0.5, shape),
                                  lambda shape: GaussianNoise(0.2, shape)])
def test_aplaties_ou_non_meme_resultat(make):
    expected = make(None)(IMAGES, 1)
    assert np.array_equal(make(SHAPE)(IMAGES.reshape(40, -1), 1), expected.reshape(40, -1))
    grey = make((7, 10))(IMAGES[:, 0].reshape(40, -1), 1)
    assert np.array_equal(grey, make((1, 7, 10))(IMAGES[:, 0].reshape(40, -1), 1))
    assert np.array_equal(grey.reshape(40, 1, 7, 10), make(None)(IMAGES[:, :1], 1))


def test_images_non_contigues_et_entieres():
    assert np.array_equal(RandomRotation(30)(IMAGES[::2], 1), RandomRotation(30)(IMAGES[::2].copy(), 1))
    assert RandomShift(1)(np.ones((2, 1, 4, 4), int), 0).dtype == np.float32


def test_ce_qu_elles_disent_d_elles_memes():
    """Un point de reprise reconnaît l'augmentation à ce texte."""
    assert repr(Compose([RandomShift(2), RandomRotation(7.5)], (28, 28))) == "Compose([RandomShift(2), RandomRotation(7.5)], image_shape=(28, 28))"
    assert [repr(t) for t in (RandomHorizontalFlip(0.3), GaussianNoise(0.1), GaussianNoise(0.1, (2, 2)))] == [
        "RandomHorizontalFlip(0.3)", "GaussianNoise(0.1)", "GaussianNoise(0.1, image_shape=(2, 2))"]


@pytest.mark.parametrize("call, error, message", [
    (lambda: RandomShift(1)(np.ones((2, 16))), ValueError, "image_shape.*à donner"), (lambda: RandomShift(1, (4, 5))(np.ones((2, 16))), ValueError, r"image_shape.*\(4, 5\).*16"),
    (lambda: RandomShift(1)(2 * IMAGES), ValueError, "X.*entre 0 et 1"), (lambda: RandomShift(1)(-IMAGES), ValueError, "X.*entre 0 et 1"),
    (lambda: GaussianNoise(1)(2 * IMAGES), ValueError, "X.*entre 0 et 1"),
    (lambda: RandomShift(1)(np.full((2, 1, 2, 2), np.nan)), ValueError, "X.*NaN"), (lambda: RandomShift(1)(IMAGES[:0]), ValueError, "X.*vide"),
    (lambda: RandomShift(-1), ValueError, "pixels.*-1"), (lambda: RandomShift(1.5), TypeError, "pixels.*entier"), (lambda: RandomRotation(181), ValueError, "degrees.*181"),
    (lambda: RandomRotation(-1), ValueError, "degrees"), (lambda: RandomHorizontalFlip(1.1), ValueError, "p.*1.1"), (lambda: GaussianNoise(-0.1), ValueError, "scale"),
    (lambda: RandomShift(1, 28), ValueError, "image_shape.*28.*attendu"), (lambda: RandomShift(1, (28,)), ValueError, "image_shape"), (lambda: RandomShift(1, (0, 3)), ValueError, "image_shape.*0"),
    (lambda: Compose([3]), TypeError, "transforms.*int"), (lambda: RandomShift(1)(IMAGES, "0"), TypeError, "rng"), (lambda: rotate(IMAGES, [1, 2]), ValueError, "degrees.*un angle par image"),
    (lambda: rotate(IMAGES[0], [1, 2, 3]), ValueError, "degrees"), (lambda: Augmentation()(IMAGES), NotImplementedError, "transform"),
])
def test_mauvaises_entrees(call, error, message):
    with pytest.raises(error, match=message):
        call()
