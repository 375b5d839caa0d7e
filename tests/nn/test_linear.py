"""Linear, Flatten et Reshape."""

import re

import numpy as np
import pytest

from labcode.nn import Flatten, Linear, Reshape, Sequential, gradient_check

SHAPES = [(1, 1, 1), (1, 4, 3), (7, 1, 5), (6, 5, 1), (13, 8, 11)]  # N, n_x, n_y


def layer_and_batch(n, n_x, n_y, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    layer = Linear(n_x, n_y, rng=rng, dtype=dtype)
    layer.bias.data = rng.standard_normal(n_y)
    return layer, rng.standard_normal((n, n_x)).astype(dtype), rng.standard_normal((n, n_y)).astype(dtype)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_sortie_et_gradients_composante_par_composante(shape, seed):
    """eq-linear, eq-linear-backward-input, eq-linear-backward-weight, eq-linear-backward-bias : sommes écrites
    indice par indice."""
    layer, x, dy = layer_and_batch(*shape, seed)
    (n, n_x, n_y), w, b = shape, layer.weight.data, layer.bias.data
    y = [[sum(w[j, i] * x[k, i] for i in range(n_x)) + b[j] for j in range(n_y)] for k in range(n)]
    assert np.allclose(layer(x), y, rtol=1e-12, atol=1e-13)
    dx = layer.backward(dy)
    assert np.allclose(dx, [[sum(dy[k, j] * w[j, i] for j in range(n_y)) for i in range(n_x)] for k in range(n)],
                       rtol=1e-12, atol=1e-13)
    assert np.allclose(layer.weight.grad, [[sum(dy[k, j] * x[k, i] for k in range(n)) for i in range(n_x)]
                                           for j in range(n_y)], rtol=1e-12, atol=1e-13)
    assert np.allclose(layer.bias.grad, [sum(dy[k, j] for k in range(n)) for j in range(n_y)], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("bias", [True, False])
def test_gradient_par_differences_finies(shape, bias):
    n, n_x, n_y = shape
    check = gradient_check(Linear(n_x, n_y, bias, rng=1), np.random.default_rng(2).standard_normal((n, n_x)))
    assert list(check.errors) == ["x", "weight", "bias"][:2 + bias]
    assert check.max_error < 1e-6


def test_sans_biais():
    layer = Linear(3, 2, bias=False, rng=0)
    assert layer.bias is None and len(layer.parameters()) == 1
    assert np.array_equal(layer(np.zeros((1, 3))), np.zeros((1, 2)))


def test_float32_proche_de_float64():
    layer64, x, dy = layer_and_batch(20, 30, 10)
    layer32 = Linear(30, 10)
    layer32.weight.data, layer32.bias.data = layer64.weight.data, layer64.bias.data
    pairs = [(layer32(x.astype(np.float32)), layer64(x)),
             (layer32.backward(dy.astype(np.float32)), layer64.backward(dy)),
             (layer32.weight.grad, layer64.weight.grad), (layer32.bias.grad, layer64.bias.grad)]
    for single, double in pairs:
        assert single.dtype == np.float32 and double.dtype == np.float64
        assert np.allclose(single, double, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float64, np.float16])
def test_toute_entree_est_convertie_dans_le_type_de_la_couche(dtype):
    layer = Linear(3, 2, rng=0)
    x = np.array([[0, 1, 1], [1, 0, 1]])
    y = layer(x.astype(dtype))
    assert y.dtype == np.float32 and np.array_equal(y, layer(x.astype(np.float32)))
    assert layer.backward(np.ones((2, 2), dtype)).dtype == np.float32


def test_entrees_non_contigues():
    layer, x, dy = layer_and_batch(6, 4, 3)
    y, dx = layer(x), layer.backward(dy)
    gradient = layer.weight.grad.copy()
    layer.zero_grad()
    assert np.allclose(layer(np.asfortranarray(x)), y, rtol=1e-14)
    assert np.allclose(layer.backward(np.repeat(dy, 2, axis=1)[:, ::2]), dx, rtol=1e-14)
    assert np.allclose(layer.weight.grad, gradient, rtol=1e-14)
    assert np.allclose(layer(x[::-1]), y[::-1], rtol=1e-14)


def test_accumulation_de_deux_backward():
    layer, x, dy = layer_and_batch(6, 4, 3)
    layer(x)
    layer.backward(dy)
    once = layer.weight.grad.copy(), layer.bias.grad.copy()
    layer.backward(dy)
    assert np.allclose(layer.weight.grad, 2 * once[0]) and np.allclose(layer.bias.grad, 2 * once[1])


def test_rien_n_est_modifie_sauf_les_gradients():
    layer, x, dy = layer_and_batch(6, 4, 3)
    before = [array.copy() for array in (x, dy, layer.weight.data, layer.bias.data)]
    y = layer(x)
    y_before = y.copy()
    layer.backward(dy)
    for array, copy in zip((x, dy, layer.weight.data, layer.bias.data, y), (*before, y_before)):
        assert np.array_equal(array, copy)


def test_poids_de_depart():
    """Uniformes, de moyenne nulle et de variance 1/n_x ; biais nuls ; reproductibles."""
    weight = Linear(400, 300, rng=0).weight.data
    assert np.abs(weight).max() <= np.sqrt(3 / 400) and abs(weight.mean()) < 5 * weight.std() / np.sqrt(weight.size)
    assert abs(weight.var() * 400 - 1) < 0.02
    assert not Linear(4, 3).bias.data.any()
    assert np.array_equal(Linear(4, 3, rng=5).weight.data, Linear(4, 3, rng=np.random.default_rng(5)).weight.data)
    assert not np.array_equal(Linear(4, 3, rng=5).weight.data, Linear(4, 3, rng=6).weight.data)
    assert np.allclose(Linear(4, 3, rng=5).weight.data, Linear(4, 3, rng=5, dtype=np.float64).weight.data, rtol=1e-6)


@pytest.mark.parametrize("shape", [(6, 4), (5,), (0, 5), (2, 3, 5), ()])
def test_entree_de_mauvaise_forme(shape):
    message = f"Linear(5, 3) : entrée de forme {shape}, attendu (N, 5) avec N ≥ 1"
    with pytest.raises(ValueError, match=re.escape(message)):
        Linear(5, 3)(np.zeros(shape))


def test_un_seul_exemple_le_conseil():
    with pytest.raises(ValueError, match=re.escape("pour un seul exemple, donner x[None, :]")):
        Linear(5, 3)(np.zeros(5))


def test_gradient_de_mauvaise_forme():
    layer = Linear(5, 3)
    with pytest.raises(RuntimeError, match=r"Linear\(5, 3\) : backward appelé avant forward"):
        layer.backward(np.zeros((2, 3)))
    layer(np.zeros((2, 5)))
    with pytest.raises(ValueError, match=re.escape("gradient dy de forme (2, 5), attendu (2, 3) comme la sortie")):
        layer.backward(np.zeros((2, 5)))


@pytest.mark.parametrize("x", [[["a"] * 5], np.zeros((2, 5), complex), [[None] * 5]])
def test_entree_qui_n_est_pas_un_nombre(x):
    with pytest.raises(TypeError, match=r"Linear\(5, 3\) : tableau de nombres réels attendu"):
        Linear(5, 3)(x)


@pytest.mark.parametrize("size", [0, -1, 2.5, "3"])
def test_tailles_impossibles(size):
    with pytest.raises(ValueError, match="in_features doit être un entier au moins égal à 1"):
        Linear(size, 3)
    with pytest.raises(ValueError, match="out_features doit être un entier au moins égal à 1"):
        Linear(3, size)


@pytest.mark.parametrize("shape", [(1, 1), (4, 3), (2, 3, 4), (3, 2, 2, 5)])
def test_flatten_aller_et_retour(shape):
    x = np.random.default_rng(0).standard_normal(shape)
    layer = Flatten()
    y = layer(x)
    assert y.shape == (shape[0], np.prod(shape[1:]))
    assert all(np.array_equal(row, image.ravel()) for row, image in zip(y, x))
    assert np.array_equal(layer.backward(y), x)
    assert gradient_check(layer, x).max_error < 1e-6


def test_flatten_erreurs():
    for shape in [(), (3,), (0, 2, 2)]:
        with pytest.raises(ValueError, match=re.escape(f"Flatten() : entrée de forme {shape}, attendu (N, …)")):
            Flatten()(np.zeros(shape))
    layer = Flatten()
    with pytest.raises(RuntimeError, match="avant forward"):
        layer.backward(np.zeros((2, 4)))
    layer(np.zeros((2, 2, 2)))
    with pytest.raises(ValueError, match=re.escape("dy de forme (2, 2, 2), attendu (2, 4)")):
        layer.backward(np.zeros((2, 2, 2)))


# --- Reshape ---


@pytest.mark.parametrize("shape, given", [((1, 3, 4), (1, 3, 4)), ((2, -1), (2, 6)), ((12,), (12,)), (((3, 4),), (3, 4))])
def test_reshape_aller_et_retour(shape, given):
    layer, x = Reshape(*shape), np.arange(60.0).reshape(5, 2, 6)
    y = layer(x)
    assert np.array_equal(y, x.reshape(5, *given)) and np.array_equal(layer.backward(y), x)
    assert gradient_check(layer, x).max_error < 1e-8
    assert np.array_equal(Sequential(Reshape(3, 4), Flatten())(x), Flatten()(x))


def test_reshape_lit_les_images_dans_l_ordre_de_l_api():
    """Une image rangée en mémoire canaux en dernier se déplie quand même canal par canal."""
    x = np.moveaxis(np.arange(24.0).reshape(1, 2, 3, 4), -1, 1)
    assert np.array_equal(Reshape(24)(x)[0], Flatten()(x)[0]) and np.array_equal(Flatten()(x)[0, :6], x[0, 0].ravel())


@pytest.mark.parametrize("shape", [(5, 11), (0, 12), ()])
def test_reshape_refus(shape):
    message = f"Reshape(3, 4) : entrée de forme {shape}, attendu N ≥ 1 et 12 composantes par exemple"
    with pytest.raises(ValueError, match=re.escape(message)):
        Reshape(3, 4)(np.zeros(shape))
    for wrong in ((0, 3), (-1, -1), (2.5,), (-2,)):
        with pytest.raises(ValueError, match="des entiers au moins égaux à 1 étaient attendus, dont un peut être −1"):
            Reshape(*wrong)
    with pytest.raises(RuntimeError, match="backward appelé avant forward"):
        Reshape(3, 4).backward(np.zeros((5, 3, 4)))
    with pytest.raises(ValueError, match="une taille divisible"):
        Reshape(5, -1)(np.zeros((2, 12)))


@pytest.mark.parametrize("arguments, message", [
    ({"in_features": True}, "in_features doit être un entier"), ({"rng": -1}, "rng doit être une graine"),
    ({"rng": "a"}, "rng doit être une graine"), ({"dtype": int}, "dtype doit être np.float32"),
    ({"dtype": "float16"}, "dtype doit être np.float32"), ({"dtype": "zz"}, "dtype doit être np.float32"),
])
def test_arguments_refuses_en_francais(arguments, message):
    with pytest.raises(ValueError, match=f"Linear.*{message}"):
        Linear(**{"in_features": 2, "out_features": 2} | arguments)
