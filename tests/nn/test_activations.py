"""Activations : valeurs, dérivées, saturation."""

import re
import warnings

import numpy as np
import pytest
import scipy.special

from labcode import nn
from labcode.nn import (Identity, LeakyReLU, LogSoftmax, ReLU, Sigmoid, Softmax, Softplus, StochasticNeuron, Tanh,
                        Threshold, gradient_check)

ELEMENTWISE = [Identity, Sigmoid, Tanh, ReLU, LeakyReLU, Softplus]
DIFFERENTIABLE = ELEMENTWISE + [Softmax, LogSoftmax]
ALL = DIFFERENTIABLE + [Threshold, lambda: StochasticNeuron(rng=0)]
FUNCTIONS = {Sigmoid: nn.sigmoid, Tanh: nn.tanh, ReLU: nn.relu, LeakyReLU: nn.leaky_relu, Softplus: nn.softplus,
             Softmax: nn.softmax, LogSoftmax: nn.log_softmax}

# eq-identity, eq-sigmoid, eq-tanh, eq-relu, eq-leaky-relu, eq-softplus, eq-softmax, eq-log-softmax, eq-threshold
ORACLES = {
    Identity: lambda x: x,
    Sigmoid: scipy.special.expit,
    Tanh: lambda x: np.expm1(2 * x) / (np.expm1(2 * x) + 2),
    ReLU: lambda x: (x + np.abs(x)) / 2,
    LeakyReLU: lambda x: np.maximum(x, 0) + 0.01 * np.minimum(x, 0),
    Softplus: lambda x: np.logaddexp(0, x),
    Softmax: lambda x: scipy.special.softmax(x, axis=-1),
    LogSoftmax: lambda x: scipy.special.log_softmax(x, axis=-1),
    Threshold: lambda x: (x >= 0).astype(x.dtype),
}

# eq-sigmoid-derivative, eq-tanh-derivative, eq-relu-derivative, eq-leaky-relu-derivative, eq-softplus-derivative
DERIVATIVES = {
    Identity: np.ones_like,
    Sigmoid: lambda x: 1 / (2 * np.cosh(x / 2))**2,
    Tanh: lambda x: 1 / np.cosh(x)**2,
    ReLU: lambda x: np.where(x > 0, 1.0, 0.0),
    LeakyReLU: lambda x: np.where(x > 0, 1.0, 0.01),
    Softplus: scipy.special.expit,
}


def strict():
    """Tout avertissement de NumPy devient une erreur, sauf le dépassement vers 0, qui est voulu."""
    return np.errstate(over="raise", divide="raise", invalid="raise")


def batch(seed, shape=(7, 5), scale=4):
    return scale * np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("activation", ORACLES)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (2, 3, 4), (6,)])
def test_valeurs(activation, seed, shape):
    x = batch(seed, shape)
    assert np.allclose(activation()(x), ORACLES[activation](x), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("activation", FUNCTIONS)
def test_fonction_et_couche_s_accordent(activation):
    x = batch(0)
    assert np.array_equal(FUNCTIONS[activation](x), activation()(x))


@pytest.mark.parametrize("activation", DERIVATIVES)
def test_derivee_a_la_traversee(activation):
    """eq-activation-backward : dx = dy ⊙ φ′(x), avec φ′ sous une autre forme."""
    x, dy, layer = batch(1), batch(2), activation()
    layer(x)
    assert np.allclose(layer.backward(dy), dy * DERIVATIVES[activation](x), rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("activation", DIFFERENTIABLE)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (7, 5), (2, 3, 4)])
def test_gradient_par_differences_finies(activation, seed, shape):
    assert gradient_check(activation(), batch(seed, shape, 2), rng=seed).max_error < 1e-6


def test_softmax_gradient_par_la_jacobienne():
    """eq-softmax-backward, eq-log-softmax-backward : jacobiennes diag(s) − s sᵀ et I − 1 sᵀ, un exemple à la fois."""
    x, dy = batch(3), batch(4)
    s = scipy.special.softmax(x, axis=1)
    soft, log_soft = Softmax(), LogSoftmax()
    soft(x), log_soft(x)
    expected = [dy[n] @ (np.diag(s[n]) - np.outer(s[n], s[n])) for n in range(len(x))]
    assert np.allclose(soft.backward(dy), expected, rtol=1e-10, atol=1e-14)
    expected = [dy[n] @ (np.eye(5) - np.outer(np.ones(5), s[n])) for n in range(len(x))]
    assert np.allclose(log_soft.backward(dy), expected, rtol=1e-10, atol=1e-14)


def test_softmax_lois_et_decalage():
    x = batch(5)
    assert np.allclose(nn.softmax(x).sum(-1), 1, rtol=1e-14) and (nn.softmax(x) > 0).all()
    assert np.allclose(nn.softmax(x + 1e3), nn.softmax(x), rtol=1e-10)
    assert np.allclose(nn.softmax(x, axis=0), scipy.special.softmax(x, axis=0), rtol=1e-12)
    assert np.allclose(nn.log_softmax(x, axis=0), x - scipy.special.logsumexp(x, axis=0), rtol=1e-12)


@pytest.mark.parametrize("activation", DIFFERENTIABLE)
def test_derivee_en_zero(activation):
    """En 0, les conventions : 0 pour ReLU, la pente négative pour LeakyReLU ; ailleurs, la vraie dérivée."""
    layer = activation()
    layer(np.zeros((1, 1)))
    expected = {Identity: 1, Sigmoid: 0.25, Tanh: 1, ReLU: 0, LeakyReLU: 0.01, Softplus: 0.5, Softmax: 0, LogSoftmax: 0}
    assert layer.backward(np.ones((1, 1))) == expected[activation]


@pytest.mark.parametrize("slope", [0.0, 0.2, -0.5, 1.5])
def test_pente_de_leaky_relu(slope):
    x = np.array([[-2.0, 0, 3]])
    assert np.allclose(LeakyReLU(slope)(x), [[-2 * slope, 0, 3]])
    assert np.allclose(nn.leaky_relu(x, slope), [[-2 * slope, 0, 3]])
    assert gradient_check(LeakyReLU(slope), batch(0)).ok


# --- Types, mémoire, formes ---


@pytest.mark.parametrize("activation", ALL)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_type_et_forme_conserves(activation, dtype):
    x = batch(0, (2, 3, 4)).astype(dtype)
    layer = activation()
    y = layer(x)
    assert y.dtype == dtype and y.shape == x.shape
    if activation in DIFFERENTIABLE:
        dx = layer.backward(x)
        assert dx.dtype == dtype and dx.shape == x.shape


@pytest.mark.parametrize("activation", DIFFERENTIABLE)
def test_float32_proche_de_float64(activation):
    x, dy = batch(0), batch(1)
    single, double = activation(), activation()
    assert np.allclose(single(x.astype(np.float32)), double(x), rtol=1e-5, atol=1e-6)
    assert np.allclose(single.backward(dy.astype(np.float32)), double.backward(dy), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("activation", ALL)
@pytest.mark.parametrize("dtype", [np.int64, np.uint8, bool])
def test_entiers_et_booleens_passent_en_float32(activation, dtype):
    x = np.array([[0, 1, 1], [1, 0, 0]])
    y = activation()(x.astype(dtype))
    assert y.dtype == np.float32 and np.array_equal(y, activation()(x.astype(np.float32)))


@pytest.mark.parametrize("activation", DIFFERENTIABLE)
def test_entrees_non_contigues_et_jamais_modifiees(activation):
    x, dy = batch(0), batch(1)
    x_before, dy_before = x.copy(), dy.copy()
    layer = activation()
    y = layer(x)
    y_before, dx = y.copy(), layer.backward(dy)
    assert np.array_equal(layer.backward(dy), dx)  # deux fois de suite : rien n'est consommé
    assert np.array_equal(x, x_before) and np.array_equal(dy, dy_before) and np.array_equal(y, y_before)
    assert np.allclose(layer(np.asfortranarray(x)), y_before, rtol=1e-14)
    assert np.allclose(layer.backward(np.asfortranarray(dy)), dx, rtol=1e-12, atol=1e-15)
    assert np.allclose(layer(np.repeat(x, 2, axis=0)[::2]), y_before, rtol=1e-14)


@pytest.mark.parametrize("activation", DIFFERENTIABLE)
def test_mauvais_appels(activation):
    layer = activation()
    with pytest.raises(RuntimeError, match="backward appelé avant forward"):
        layer.backward(np.zeros((2, 3)))
    layer(np.zeros((2, 3)))
    with pytest.raises(ValueError, match=re.escape(f"{layer} : gradient dy de forme (3,), attendu (2, 3)")):
        layer.backward(np.zeros(3))
    with pytest.raises(TypeError, match="tableau de nombres réels attendu"):
        layer(np.zeros((2, 3), complex))


@pytest.mark.parametrize("function", FUNCTIONS.values())
def test_fonctions_refusent_ce_qui_n_est_pas_un_nombre(function):
    with pytest.raises(TypeError, match=f"{function.__name__} : tableau de nombres réels attendu"):
        function(["a"])


@pytest.mark.parametrize("function", [nn.softmax, nn.log_softmax])
def test_softmax_de_rien(function):
    for shape in [(), (0, 3), (3, 0)]:
        with pytest.raises(ValueError, match=re.escape(f"{function.__name__} : entrée de forme {shape}")):
            function(np.zeros(shape))


def test_fonctions_sur_un_nombre():
    assert nn.sigmoid(0) == 0.5 and nn.tanh(0.0) == 0 and nn.relu(-1) == 0 and nn.relu(2.5) == 2.5
    assert nn.leaky_relu(-100.0) == -1 and abs(nn.softplus(0.0) - np.log(2)) < 1e-15


# --- Saturation ---


@pytest.mark.parametrize("activation", ALL)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_entrees_enormes(activation, dtype):
    """±10⁴ : valeurs et gradients finis, sans avertissement."""
    x = np.array([[1e4, -1e4, 0], [-1e4, -1e4, -1e4], [1e4, 1e4, 1e4], [0, 88, -88], [710, -710, -104]], dtype)
    layer = activation()
    with strict(), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(layer(x)).all()
        if activation in DIFFERENTIABLE:
            assert np.isfinite(layer.backward(np.ones_like(x))).all()
            assert np.isfinite(layer.backward(x)).all()


LIMITS = {Sigmoid: (0, 1), Tanh: (-1, 1), ReLU: (0, np.inf), LeakyReLU: (-np.inf, np.inf), Softplus: (0, np.inf),
          Identity: (-np.inf, np.inf), Threshold: (0, 1), (lambda: StochasticNeuron(rng=0)): (0, 1)}
SLOPES = {Sigmoid: (0, 0), Tanh: (0, 0), ReLU: (0, 1), LeakyReLU: (0.01, 1), Softplus: (0, 1), Identity: (1, 1)}


@pytest.mark.parametrize("activation", LIMITS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_entrees_infinies(activation, dtype):
    layer = activation()
    with strict():
        assert np.array_equal(layer(np.array([-np.inf, np.inf], dtype)), LIMITS[activation])
        if activation in SLOPES:
            assert np.array_equal(layer.backward(np.ones(2, dtype)), np.array(SLOPES[activation], dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_de_scores_infinis(dtype):
    """−∞ exclut une classe, +∞ l'impose."""
    x = np.array([[0, -np.inf, 0], [np.inf, 0, -np.inf], [np.inf, np.inf, 0], [-np.inf] * 3], dtype)
    expected = [[0.5, 0, 0.5], [1, 0, 0], [0.5, 0.5, 0], [1 / 3] * 3]
    soft, log_soft = Softmax(), LogSoftmax()
    with strict():
        assert np.allclose(soft(x), expected)
        assert np.allclose(np.exp(log_soft(x)), expected)
        assert np.isfinite(soft.backward(np.ones_like(x))).all()
        assert np.isfinite(log_soft.backward(np.ones_like(x))).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_relative_loin_de_zero(dtype):
    """Là où 1 + e⁻ˣ ou 1 + eˣ arrondirait tout, il reste les chiffres significatifs du type."""
    x = -np.linspace(1, 80, 50).astype(dtype)
    tolerance = 20 * np.finfo(dtype).eps
    assert np.allclose(nn.sigmoid(x), scipy.special.expit(x.astype(np.float64)), rtol=tolerance, atol=0)
    assert np.allclose(nn.softplus(x), np.log1p(np.exp(x.astype(np.float64))), rtol=tolerance, atol=0)
    scores = np.stack([x, np.zeros_like(x)], axis=1)
    assert np.allclose(nn.log_softmax(scores), scipy.special.log_softmax(scores.astype(np.float64), axis=1),
                       rtol=tolerance, atol=np.finfo(dtype).eps)


@pytest.mark.parametrize("activation", DIFFERENTIABLE + [Threshold])
def test_nan_traverse(activation):
    """Un nan reste visible : aucune activation ne le cache."""
    with strict():
        assert np.isnan(activation()(np.array([[np.nan, 1.0]]))[0, 0])


# --- Neurones sans gradient ---


def test_threshold_saute_en_zero():
    """eq-threshold : 1 dès x = 0."""
    assert np.array_equal(Threshold()(np.array([-2.0, -1e-30, -0.0, 0, 1e-30, 3])), [0, 0, 1, 1, 1, 1])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_frequence_du_neurone_stochastique(temperature, dtype):
    """eq-stochastic-neuron : fréquence des 1 égale à σ(x/T), à 5 écarts-types près."""
    x, n = np.array([-3, -1, 0, 0.5, 2], dtype), 40_000
    draws = StochasticNeuron(temperature, rng=0)(np.tile(x, (n, 1)))
    p = scipy.special.expit(x / temperature)
    assert set(np.unique(draws)) == {0, 1}
    assert (np.abs(draws.mean(0) - p) < 5 * np.sqrt(p * (1 - p) / n)).all()


def test_neurone_stochastique_reproductible():
    x = np.zeros((20, 20))
    first = StochasticNeuron(rng=3)
    assert np.array_equal(first(x), StochasticNeuron(rng=np.random.default_rng(3))(x))
    assert not np.array_equal(first(x), StochasticNeuron(rng=3)(x))  # le deuxième tirage diffère du premier


@pytest.mark.parametrize("temperature", [0, -1.0, np.nan, np.inf])
def test_temperature_impossible(temperature):
    with pytest.raises(ValueError, match="temperature doit être strictement positive"):
        StochasticNeuron(temperature)


def test_pente_impossible():
    with pytest.raises(ValueError, match="negative_slope doit être un nombre fini"):
        LeakyReLU(np.nan)


def test_pas_de_gradient_et_pourquoi():
    with pytest.raises(NotImplementedError, match="dérivée d'un seuil est nulle presque partout"):
        Threshold().backward(np.ones(2))
    with pytest.raises(NotImplementedError, match="tirage au hasard"):
        StochasticNeuron().backward(np.ones(2))


def test_ecriture():
    assert repr(Sigmoid()) == "Sigmoid()" and repr(LeakyReLU(0.2)) == "LeakyReLU(0.2)"
    assert repr(StochasticNeuron(2)) == "StochasticNeuron(temperature=2)"


@pytest.mark.parametrize("layer", [ReLU(), LeakyReLU(0.2), Sigmoid(), Tanh(), Softplus(), Identity()], ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_grand_lot_partage_entre_plusieurs_fils(layer, dtype, monkeypatch):
    x, dy = 10 * np.random.default_rng(0).standard_normal((2, 5, 4, 3)).astype(dtype)
    y = layer.forward(x)
    dx = layer.backward(dy)
    monkeypatch.setattr("labcode.nn.parallel.WORTH_SHARING", 0)
    monkeypatch.setattr("labcode.nn.activations.WORTH_SHARING", 0)
    assert np.array_equal(layer.forward(x), y)
    shared = layer.backward(dy)
    assert np.array_equal(shared, dx) and shared.dtype == dtype
    assert layer.backward(dy.astype(np.float64)).dtype == np.float64


@pytest.mark.parametrize("build", [
    lambda: LeakyReLU("a"), lambda: LeakyReLU(True), lambda: nn.leaky_relu([1.0], "a"), lambda: StochasticNeuron(None),
    lambda: StochasticNeuron("a"), lambda: StochasticNeuron(rng="a"), lambda: StochasticNeuron(rng=-1),
])
def test_arguments_refuses_en_francais(build):
    with pytest.raises(ValueError, match="doit être"):
        build()


def test_identity_rend_une_copie():
    x = np.ones((2, 3))
    Identity().forward(x)[:] = 0
    assert np.array_equal(x, np.ones((2, 3)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_neurone_stochastique_nan_et_temperatures_extremes(dtype):
    x = np.array([-3, 3, np.nan, np.inf, -np.inf], dtype)
    y = StochasticNeuron(1e-320, rng=0).forward(x)
    assert y.dtype == dtype and np.array_equal(y, [0, 1, np.nan, 1, 0], equal_nan=True)
    assert abs(StochasticNeuron(1e300, rng=0).forward(np.full(10_000, 5, dtype)).mean() - 0.5) < 0.02
    assert abs(StochasticNeuron(1e-320, rng=0).forward(np.zeros(10_000, dtype)).mean() - 0.5) < 0.02
