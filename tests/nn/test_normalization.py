"""BatchNorm1d et BatchNorm2d, en apprentissage et en évaluation."""

import copy
import re

import numpy as np
import pytest

from labcode.nn import BatchNorm1d, BatchNorm2d, Linear, Sequential, gradient_check, plain

SHAPES = [(6, 3), (5, 2, 7), (4, 3, 5, 2), (2, 4, 1, 1), (3, 1, 2, 6)]
each_shape = pytest.mark.parametrize("shape", SHAPES)


def layer_and_batch(shape, seed=0, dtype=np.float64, **arguments):
    rng = np.random.default_rng(seed)
    layer = (BatchNorm2d if len(shape) == 4 else BatchNorm1d)(shape[1], dtype=dtype, **arguments)
    for parameter in layer.parameters():
        parameter.data = rng.uniform(0.5, 2, parameter.shape) * rng.choice([-1, 1], parameter.shape)
    layer.running_mean.data, layer.running_var.data = rng.standard_normal(shape[1]), rng.uniform(0.5, 2, shape[1])
    return layer, (3 + 2 * rng.standard_normal(shape)).astype(dtype)


@each_shape
def test_apprentissage_contre_la_definition(shape):
    """eq-batch-norm."""
    layer, x = layer_and_batch(shape)
    assert np.allclose(layer(x), plain.batch_norm(x, layer.weight.data, layer.bias.data), rtol=1e-10)
    layer, x = layer_and_batch(shape, eps=0.3)
    assert np.allclose(layer(x), plain.batch_norm(x, layer.weight.data, layer.bias.data, eps=0.3), rtol=1e-10)


@each_shape
def test_sortie_centree_et_reduite(shape):
    _, x = layer_and_batch(shape)
    y = (BatchNorm2d if len(shape) == 4 else BatchNorm1d)(shape[1], eps=1e-12, dtype=np.float64)(x)
    axes = (0, *range(2, len(shape)))
    assert np.allclose(y.mean(axes), 0, atol=1e-12) and np.allclose(y.var(axes), 1)


@each_shape
def test_evaluation_contre_la_definition(shape):
    """En évaluation, les statistiques mémorisées remplacent celles du lot, et ne bougent plus."""
    layer, x = layer_and_batch(shape)
    mean, variance = layer.running_mean.data.copy(), layer.running_var.data.copy()
    columns = (1, -1) + (1,) * (len(shape) - 2)
    expected = (x - mean.reshape(columns)) / np.sqrt(variance.reshape(columns) + 1e-5)
    expected = layer.weight.data.reshape(columns) * expected + layer.bias.data.reshape(columns)
    assert np.allclose(layer.eval()(x), expected, rtol=1e-12)
    assert np.allclose(layer(x[:1]), expected[:1], rtol=1e-12)  # un exemple seul donne la même chose
    assert np.array_equal(layer.running_mean.data, mean) and np.array_equal(layer.running_var.data, variance)


@each_shape
@pytest.mark.parametrize("momentum", [0.1, 0.7, 0, 1])
def test_statistiques_memorisees(shape, momentum):
    """Moyenne mobile de la moyenne et de la variance sans biais, n − 1 au dénominateur (eq-batch-norm-running)."""
    layer, x = layer_and_batch(shape, momentum=momentum)
    axes = (0, *range(2, len(shape)))
    mean, variance = layer.running_mean.data.copy(), layer.running_var.data.copy()
    for batch in (x, 2 * x + 1):
        layer(batch)
        mean = (1 - momentum) * mean + momentum * batch.mean(axes)
        variance = (1 - momentum) * variance + momentum * batch.var(axes, ddof=1)
    assert np.allclose(layer.running_mean.data, mean) and np.allclose(layer.running_var.data, variance)


@each_shape
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_gradient_par_differences_finies(shape, training, affine):
    """eq-batch-norm-backward et eq-batch-norm-parameters."""
    layer, x = layer_and_batch(shape, affine=affine)
    check = gradient_check(layer.train(training), x)
    assert list(check.errors) == ["x", "weight", "bias"][:1 + 2 * affine] and check.max_error < 1e-6


def test_gradient_dans_un_reseau():
    model = Sequential(Linear(4, 5, rng=0), BatchNorm1d(5), Linear(5, 2, rng=1))
    assert gradient_check(model, np.random.default_rng(2).standard_normal((6, 4)), tol=2e-6).ok


def test_le_gradient_ne_depend_ni_de_la_moyenne_ni_de_l_echelle():
    """En apprentissage, ajouter une constante à un canal ou le multiplier ne change rien : dx leur est orthogonal."""
    layer, x = layer_and_batch((4, 3, 5, 2), eps=1e-12)
    layer(x)
    dx = layer.backward(np.random.default_rng(1).standard_normal(x.shape))
    assert np.allclose(dx.sum((0, 2, 3)), 0, atol=1e-10) and np.allclose((dx * x).sum((0, 2, 3)), 0, atol=1e-9)


def test_backward_suit_le_mode_du_dernier_forward():
    layer, x = layer_and_batch((6, 3))
    dy = np.random.default_rng(1).standard_normal(x.shape)
    layer(x)
    layer.eval()
    assert np.allclose(layer.backward(dy).sum(0), 0, atol=1e-10)


def test_gradients_s_additionnent():
    layer, x = layer_and_batch((4, 3, 5, 2))
    dy = np.random.default_rng(1).standard_normal(layer(x).shape)
    layer.backward(dy)
    once = [p.grad.copy() for p in layer.parameters()]
    assert np.allclose(once[1], dy.sum((0, 2, 3)))
    layer.backward(dy)
    assert all(np.allclose(p.grad, 2 * g) for p, g in zip(layer.parameters(), once))


@each_shape
def test_float32_proche_de_float64(shape):
    layer64, x = layer_and_batch(shape)
    layer32, _ = layer_and_batch(shape, dtype=np.float32)
    dy = np.random.default_rng(1).standard_normal(x.shape)
    pairs = [(layer32(x), layer64(x)), (layer32.backward(dy), layer64.backward(dy)),
             (layer32.weight.grad, layer64.weight.grad), (layer32.bias.grad, layer64.bias.grad),
             (layer32.running_var.data, layer64.running_var.data)]
    for single, double in pairs:
        assert single.dtype == np.float32 and double.dtype == np.float64
        assert np.allclose(single, double, rtol=1e-4, atol=1e-4)


def test_variance_juste_meme_loin_de_zero():
    """Moyenne 1000, écart-type 1, en float32 : E[x²] − E[x]² n'aurait plus un chiffre juste."""
    x = 1000 + np.random.default_rng(0).standard_normal((4000, 2)).astype(np.float32)
    assert np.allclose(BatchNorm1d(2)(x).var(0), 1, rtol=1e-3)


def test_lot_partage_ordre_en_memoire_et_rien_de_modifie(monkeypatch):
    layer, x = layer_and_batch((5, 3, 4, 6))
    twin, x_before = copy.deepcopy(layer), x.copy()
    y = layer(x)
    dy = np.random.default_rng(1).standard_normal(y.shape)
    dy_before, y_before, dx = dy.copy(), y.copy(), layer.backward(dy)
    assert all(np.array_equal(a, b) for a, b in ((x, x_before), (y, y_before), (dy, dy_before)))
    monkeypatch.setattr("labcode.nn.parallel.WORTH_SHARING", 0)
    assert np.allclose(twin(np.asfortranarray(x)), y, rtol=1e-12)
    assert np.allclose(twin.backward(np.asfortranarray(dy)), dx, rtol=1e-12, atol=1e-14)
    assert np.allclose(twin.running_var.data, layer.running_var.data)
    assert all(np.allclose(p.grad, q.grad) for p, q in zip(layer.parameters(), twin.parameters()))


@each_shape
@pytest.mark.parametrize("training", [True, False])
def test_contre_pytorch(shape, training):
    torch = pytest.importorskip("torch")
    layer, x = layer_and_batch(shape)
    peer = (torch.nn.BatchNorm2d if len(shape) == 4 else torch.nn.BatchNorm1d)(shape[1]).double().train(training)
    for name in ("weight", "bias", "running_mean", "running_var"):
        getattr(peer, name).data = torch.tensor(getattr(layer, name).data.copy())
    tensor, dy = torch.tensor(x, requires_grad=True), np.random.default_rng(1).standard_normal(shape)
    y = peer(tensor)
    assert np.allclose(layer.train(training)(x), y.detach().numpy())
    y.backward(torch.tensor(dy))
    assert np.allclose(layer.backward(dy), tensor.grad.numpy())
    assert np.allclose(layer.weight.grad, peer.weight.grad.numpy()) and np.allclose(layer.bias.grad, peer.bias.grad.numpy())
    assert np.allclose(layer.running_mean.data, peer.running_mean.numpy())
    assert np.allclose(layer.running_var.data, peer.running_var.numpy())


def test_statistiques_ne_sont_pas_des_parametres():
    model = Sequential(Linear(4, 3), BatchNorm1d(3))
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert [name for name, _ in model.named_buffers()] == ["1.running_mean", "1.running_var"]
    layer = BatchNorm2d(3, affine=False)
    assert layer.weight is None and layer.bias is None and not layer.parameters()
    assert np.array_equal(layer.running_mean.data, np.zeros(3)) and np.array_equal(layer.running_var.data, np.ones(3))
    layer = BatchNorm2d(3)
    assert np.array_equal(layer.weight.data, np.ones(3)) and np.array_equal(layer.bias.data, np.zeros(3))


def test_une_seule_valeur_par_canal():
    layer = BatchNorm1d(3)
    with pytest.raises(ValueError, match=r"BatchNorm1d\(3\) : une seule valeur par canal"):
        layer(np.ones((1, 3)))
    assert np.array_equal(layer.running_mean.data, np.zeros(3))
    assert layer.eval()(np.ones((1, 3))).shape == (1, 3)
    assert BatchNorm2d(3)(np.ones((1, 3, 2, 1))).shape == (1, 3, 2, 1)


@pytest.mark.parametrize("layer, shape, expected", [
    (BatchNorm1d(3), (5, 4), "(N, 3) ou (N, 3, L)"), (BatchNorm1d(3), (0, 3), "(N, 3) ou (N, 3, L)"),
    (BatchNorm1d(3), (3,), "(N, 3) ou (N, 3, L)"), (BatchNorm1d(3), (5, 3, 2, 2), "(N, 3) ou (N, 3, L)"),
    (BatchNorm2d(3), (5, 3), "(N, 3, H, W)"), (BatchNorm2d(3), (5, 4, 2, 2), "(N, 3, H, W)"),
])
def test_entree_de_mauvaise_forme(layer, shape, expected):
    with pytest.raises(ValueError, match=re.escape(f"{layer} : entrée de forme {shape}, attendu {expected} avec N ≥ 1")):
        layer(np.zeros(shape))


def test_autres_refus():
    for eps in (0, -1, np.nan):
        with pytest.raises(ValueError, match="BatchNorm1d : eps doit être un nombre strictement positif"):
            BatchNorm1d(3, eps=eps)
    for momentum in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match="BatchNorm2d : momentum doit être entre 0 et 1"):
            BatchNorm2d(3, momentum=momentum)
    with pytest.raises(ValueError, match="num_features doit être un entier au moins égal à 1, reçu 0"):
        BatchNorm1d(0)
    with pytest.raises(RuntimeError, match="backward appelé avant forward"):
        BatchNorm1d(3).backward(np.zeros((2, 3)))
    layer = BatchNorm1d(3)
    layer(np.zeros((4, 3)))
    with pytest.raises(ValueError, match=re.escape("gradient dy de forme (2, 3), attendu (4, 3) comme la sortie")):
        layer.backward(np.zeros((2, 3)))
