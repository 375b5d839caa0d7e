"""Maximum et moyenne par fenêtre, et sur toute l'image."""

import copy
import re

import numpy as np
import pytest

from labcode.nn import (AvgPool1d, AvgPool2d, GlobalAvgPool1d, GlobalAvgPool2d, GlobalMaxPool1d, GlobalMaxPool2d, MaxPool1d,
                        MaxPool2d, gradient_check, plain)

# taille, noyau, pas, marges
CASES = [
    ((4, 6), (2, 2), (2, 2), (0, 0)),
    ((5, 7), (2, 2), (2, 2), (0, 0)),  # une ligne et une colonne de trop, ignorées
    ((6, 5), (3, 2), (1, 1), (0, 0)),  # fenêtres qui se recouvrent
    ((7, 8), (3, 3), (2, 2), (1, 1)),
    ((9, 5), (2, 3), (3, 1), (1, 0)),
    ((3, 4), (3, 4), (1, 1), (0, 0)),
    ((3, 3), (1, 1), (2, 2), (0, 0)),
]
each_case = pytest.mark.parametrize("size, kernel, stride, padding", CASES)


def batch(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


@each_case
@pytest.mark.parametrize("layer, twin", [(MaxPool2d, plain.max_pool), (AvgPool2d, plain.avg_pool)])
def test_contre_les_boucles(size, kernel, stride, padding, layer, twin):
    x = batch(3, 2, *size)
    expected = twin(x, kernel, stride, padding)
    y = layer(kernel, stride, padding)(x)
    assert y.shape == expected.shape and np.allclose(y, expected, rtol=1e-14)


@pytest.mark.parametrize("dilation", [(2, 1), (1, 3)])
def test_maximum_dilate(dilation):
    x, layer = batch(2, 3, 9, 8), MaxPool2d((2, 3), (1, 2), (1, 0), dilation)
    assert np.array_equal(layer(x), plain.max_pool(x, (2, 3), (1, 2), (1, 0), dilation))
    assert gradient_check(layer, x).max_error < 1e-6


@each_case
@pytest.mark.parametrize("layer", [MaxPool2d, AvgPool2d])
def test_gradient_par_differences_finies(size, kernel, stride, padding, layer):
    assert gradient_check(layer(kernel, stride, padding), batch(3, 2, *size)).max_error < 1e-6


@pytest.mark.parametrize("layer", [MaxPool1d(3, 2, 1), AvgPool1d(3, 2, 1), MaxPool1d(2), AvgPool1d(4, 1), GlobalAvgPool1d(),
                                   GlobalMaxPool1d()])
def test_signaux(layer):
    x = batch(4, 3, 9)
    image = {MaxPool1d: MaxPool2d, AvgPool1d: AvgPool2d, GlobalAvgPool1d: GlobalAvgPool2d, GlobalMaxPool1d: GlobalMaxPool2d}[type(layer)]
    if hasattr(layer, "stride"):
        k, s, p = layer.kernel_size, layer.stride, layer.padding
        image = image((1, *k), (1, *s), (0, *p))
        assert np.allclose(layer(x), image(x[:, :, None])[:, :, 0], rtol=1e-14)
    else:
        assert np.allclose(layer(x), image()(x[:, :, None]), rtol=1e-14)
    assert gradient_check(layer, x).max_error < 1e-6


def test_valeurs_calculees_a_la_main():
    x = np.array([[[1.0, 5, 2, 7, 3]]])
    dy = np.array([[[10.0, 100]]])
    overlap = MaxPool1d(3, 2)
    assert np.array_equal(overlap(x), [[[5, 7]]]) and np.array_equal(overlap.backward(dy), [[[0, 10, 0, 100, 0]]])
    mean = AvgPool1d(2, 2, 1)
    assert np.array_equal(mean(x), [[[0.5, 3.5, 5]]])
    assert np.array_equal(mean.backward(np.array([[[2.0, 4, 6]]])), [[[1, 2, 2, 3, 3]]])
    assert np.array_equal(MaxPool1d(2, 2, 1)(-x), [[[-1, -2, -3]]])  # les marges ne sont jamais le maximum
    shared = MaxPool1d(3, 1)
    shared(x)
    assert np.array_equal(shared.backward(np.array([[[1.0, 10, 100]]])), [[[0, 1, 0, 110, 0]]])


@pytest.mark.parametrize("layer", [MaxPool2d(2), MaxPool2d(3, 1), MaxPool2d(3, 2, 1), GlobalMaxPool2d()])
def test_a_egalite_un_seul_recoit_le_gradient(layer):
    """Image constante : chaque fenêtre rend tout son gradient, une fois, et à une seule place."""
    y = layer(np.zeros((2, 3, 6, 6)))
    dy = np.abs(batch(*y.shape)) + 1
    dx = layer.backward(dy)
    assert np.isclose(dx.sum(), dy.sum())
    assert np.count_nonzero(dx) <= dy.size


def test_a_egalite_le_premier():
    layer = MaxPool2d(2)
    layer(np.zeros((1, 1, 2, 2)))
    assert np.array_equal(layer.backward(np.ones((1, 1, 1, 1))), [[[[1, 0], [0, 0]]]])


@pytest.mark.parametrize("global_pool, whole", [(GlobalAvgPool2d, AvgPool2d), (GlobalMaxPool2d, MaxPool2d)])
def test_sur_toute_l_image(global_pool, whole):
    x, dy = batch(3, 4, 5, 6), batch(3, 4, seed=1)
    layer, windowed = global_pool(), whole((5, 6))
    assert layer(x).shape == (3, 4) and np.allclose(layer(x), windowed(x)[:, :, 0, 0], rtol=1e-14)
    assert np.allclose(layer.backward(dy), windowed.backward(dy[:, :, None, None]), rtol=1e-14)
    assert gradient_check(layer, x).max_error < 1e-6


@pytest.mark.parametrize("layer", [MaxPool2d(3, 2, 1), AvgPool2d(3, 2, 1), GlobalAvgPool2d(), GlobalMaxPool2d()])
def test_float32_et_ordre_en_memoire(layer):
    x = batch(2, 3, 7, 6).astype(np.float32)
    y = layer(x)
    dx = layer.backward(y)
    assert y.dtype == dx.dtype == np.float32
    assert np.allclose(y, layer(x.astype(np.float64)), rtol=1e-6, atol=1e-6)
    assert np.allclose(dx, layer.backward(y.astype(np.float64)), rtol=1e-6, atol=1e-6)
    assert np.allclose(layer(np.asfortranarray(x)), y, rtol=1e-6)
    assert np.allclose(layer.backward(np.asfortranarray(y)), dx, rtol=1e-6)


@pytest.mark.parametrize("layer", [MaxPool2d(2), MaxPool2d(3, 1, 1), AvgPool2d(2)])
def test_lot_partage_et_rien_de_modifie(layer, monkeypatch):
    x = batch(5, 2, 6, 6)
    x_before, twin = x.copy(), copy.deepcopy(layer)
    y = layer(x)
    dy = batch(*y.shape, seed=1)
    dy_before, dx = dy.copy(), layer.backward(dy)
    monkeypatch.setattr("labcode.nn.parallel.WORTH_SHARING", 0)
    assert np.array_equal(twin(x), y) and np.array_equal(twin.backward(dy), dx)
    assert np.array_equal(x, x_before) and np.array_equal(dy, dy_before)


@each_case
@pytest.mark.parametrize("name", ["MaxPool2d", "AvgPool2d"])
def test_contre_pytorch(size, kernel, stride, padding, name):
    torch = pytest.importorskip("torch")
    x = batch(2, 3, *size)
    tensor = torch.tensor(x, requires_grad=True)
    y = getattr(torch.nn, name)(kernel, stride, padding)(tensor)
    layer, dy = {"MaxPool2d": MaxPool2d, "AvgPool2d": AvgPool2d}[name](kernel, stride, padding), batch(*y.shape, seed=1)
    assert np.allclose(layer(x), y.detach().numpy())
    y.backward(torch.tensor(dy))
    assert np.allclose(layer.backward(dy), tensor.grad.numpy())


def test_ecriture():
    assert repr(MaxPool2d(2)) == "MaxPool2d(2)" and repr(AvgPool1d(3, 2, 1)) == "AvgPool1d(3, stride=2, padding=1)"
    assert repr(MaxPool2d((2, 3), dilation=2)) == "MaxPool2d((2, 3), dilation=2)"
    assert repr(GlobalAvgPool2d()) == "GlobalAvgPool2d()"


@pytest.mark.parametrize("layer", [MaxPool2d(2), AvgPool2d(2), GlobalAvgPool2d(), GlobalMaxPool2d()])
@pytest.mark.parametrize("shape", [(2, 3, 4), (0, 3, 4, 4), (2, 3, 4, 0), (3, 4)])
def test_entree_de_mauvaise_forme(layer, shape):
    with pytest.raises(ValueError, match=re.escape(f"{layer} : entrée de forme {shape}, attendu (N, C, H, W) avec N ≥ 1")):
        layer(np.zeros(shape))


def test_autres_refus():
    with pytest.raises(ValueError, match=re.escape("MaxPool2d(3) : noyau plus grand que l'entrée : il s'étend sur 3×3, "
                                                   "l'entrée sur 2×5 marges comprises")):
        MaxPool2d(3)(np.zeros((1, 1, 2, 5)))
    with pytest.raises(ValueError, match=re.escape("MaxPool2d(3, padding=2) : padding doit être au plus la moitié de kernel_size")):
        MaxPool2d(3, padding=2)
    with pytest.raises(ValueError, match=re.escape("AvgPool1d : kernel_size doit être un entier au moins égal à 1, reçu 0")):
        AvgPool1d(0)
    with pytest.raises(ValueError, match="stride doit être un entier"):
        MaxPool2d(2, (1, 2, 3))
    with pytest.raises(RuntimeError, match="backward appelé avant forward"):
        MaxPool2d(2).backward(np.zeros((1, 1, 1, 1)))
    with pytest.raises(RuntimeError, match="backward appelé avant forward"):
        GlobalMaxPool2d().backward(np.zeros((1, 1)))
    layer = MaxPool2d(2)
    layer(np.zeros((1, 1, 4, 4)))
    with pytest.raises(ValueError, match=re.escape("gradient dy de forme (1, 1, 4, 4), attendu (1, 1, 2, 2) comme la sortie")):
        layer.backward(np.zeros((1, 1, 4, 4)))
