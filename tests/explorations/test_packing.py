"""Les tableaux écrits par Python et relus par la page : les mêmes nombres, à la précision promise."""

import numpy as np
import pytest

from labcode.explorations import FiltersExplorer, packing

rng = np.random.default_rng(0)


def test_une_ligne_a_une_demi_echelle_pres(run):
    matrix = rng.normal(size=(7, 23)) * 10.0 ** np.arange(-3, 4)[:, None]
    matrix[2] = 0
    read = np.array(run(FiltersExplorer, "return m.rows(d.packed).map((row) => [...row]);", packed=packing.packed_rows(matrix)))
    scales = np.abs(matrix).max(axis=1) / 127
    assert read.shape == matrix.shape and np.all(np.abs(read - matrix) <= 0.5001 * scales[:, None])
    assert np.all(read[2] == 0) and np.abs(read - matrix).max() > 0
    extreme = np.abs(matrix).argmax(axis=1)
    np.testing.assert_allclose(read[np.arange(7), extreme], matrix[np.arange(7), extreme], rtol=1e-6)


def test_un_octet_par_poids():
    packed = packing.packed_rows(np.ones((100, 320)))
    assert len(packed["values"]) == 42_668 and packed["columns"] == 320


@pytest.mark.parametrize(("images", "bits", "error"), [
    (rng.integers(0, 2, (5, 13)).astype(np.float32), 1, 0),
    (rng.random((5, 13)), 8, 0.5 / 255 + 1e-6),
])
def test_images(run, images, bits, error):
    packed = packing.packed_images(images)
    assert packed["bits"] == bits
    read = run(FiltersExplorer, "return m.images(d.packed).map((image) => [...image]);", packed=packed)
    assert np.abs(np.array(read) - images).max() <= error


def test_flottants(run):
    values = rng.normal(size=9).astype(np.float32)
    read = run(FiltersExplorer, "return [...m.floats(d.text)];", text=packing.packed_floats(values))
    assert np.array_equal(np.float32(read), values)


def test_mosaique(run):
    """Deux images 1 × 2 côte à côte, un filet transparent entre elles."""
    height, width, pixels = run(FiltersExplorer, "const [h, w, p] = m.mosaic([[0, 1], [1, .5]], [1, 2], 2); return [h, w, [...p]];")
    assert (height, width) == (1, 5)
    assert pixels == [0, 0, 0, 255, 255, 255, 255, 255, 0, 0, 0, 0, 255, 255, 255, 255, 128, 128, 128, 255]
    height, width, pixels = run(FiltersExplorer, "const [h, w, p] = m.mosaic([[0, 1], [1, 0], [1, 1]], [1, 2], 2); return [h, w, [...p]];")
    assert (height, width) == (3, 5) and pixels[4 * 10:4 * 12] == [255] * 8 and pixels[4 * 12:] == [0] * 12


def test_nombre_de_colonnes(run):
    assert run(FiltersExplorer, "return [[36, [20, 16]], [100, [1, 1]], [97, [1, 1]], [6, [20, 16]], [1, [5, 5]]].map((a) => m.across(...a));") == [6, 10, 10, 3, 1]


def test_couleurs_signees(run):
    blue, white, orange = run(FiltersExplorer, "return [-1, 0, 2].map(m.signed);")
    assert blue == [0, 90, 160] and white == [248] * 3 and orange == [200, 80, 0]


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: packing.checked_shape(3), ValueError, "un couple"),
    (lambda: packing.checked_shape((3, 2.5)), TypeError, "un entier attendu"),
    (lambda: packing.checked_shape((3, 0)), ValueError, "au moins égal à 1"),
    (lambda: packing.checked_shape((3, 4), 13), ValueError, "3 × 4 = 12 pixels, mais les images en ont 13"),
    (lambda: packing.checked_images(np.ones((2, 5)), (2, 3)), ValueError, r"\(N, 6\) attendue"),
    (lambda: packing.checked_images(np.full((2, 6), 255), (2, 3)), ValueError, "entre 0 et 1"),
    (lambda: packing.checked_images(np.full((2, 6), np.nan), (2, 3)), ValueError, "NaN"),
    (lambda: packing.check_size(200_001, "rbm", "réduisez"), ValueError, "200\u202f001 octets.*au plus 200\u202f000.*réduisez"),
])
def test_erreurs(call, error, message):
    with pytest.raises(error, match=message):
        call()
