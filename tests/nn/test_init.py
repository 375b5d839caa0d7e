"""L'état de départ des paramètres : lois, échelles, biais, messages."""

import re

import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from labcode.nn import (BatchNorm2d, Conv1d, Conv2d, ConvTranspose2d, Flatten, Identity, LeakyReLU, Linear, Module,
                        Parameter, ReLU, Sequential, Sigmoid, Softplus, Tanh)
from labcode.nn.init import DRAWS, calculate_gain, fans, initialize

SHAPES = [(40, 60), (30, 20, 4), (12, 15, 3, 5)]  # dense, Conv1d, Conv2d


def draws(shape, scheme, n=60, **options):
    """``n`` tirages indépendants d'un même noyau, en float64, mis bout à bout."""
    rng = np.random.default_rng(7)
    return np.concatenate([initialize(Parameter(np.zeros(shape)), scheme, rng=rng, **options).data.ravel() for _ in range(n)])


def fan_in_out(shape):
    """Comptés, sans formule : connexions d'une sortie, et d'une entrée."""
    connections = np.ones(shape)
    return int(connections[0].sum()), int(connections[:, 0].sum())


def assert_variance(values, expected):
    """Variance et moyenne nulle, à cinq écarts-types d'estimation près."""
    n, kurtosis = len(values), scipy.stats.kurtosis(values, fisher=False)
    assert abs(values.var() / expected - 1) < 5 * np.sqrt((kurtosis - 1) / n)
    assert abs(values.mean()) < 5 * np.sqrt(expected / n)


@pytest.mark.parametrize("shape", SHAPES)
def test_fans(shape):
    """eq-fans : les connexions, comptées une à une."""
    assert fans(shape) == fan_in_out(shape)
    assert fans(shape, transposed=True) == fan_in_out(np.empty(shape).swapaxes(0, 1).shape)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("law", ["normal", "uniform"])
def test_variance_de_chaque_schema(shape, law):
    """eq-glorot, eq-he, eq-uniform-bound : la variance, et la loi annoncée (Kolmogorov-Smirnov)."""
    fan_in, fan_out = fan_in_out(shape)
    for scheme, variance, options in [("xavier", 2 / (fan_in + fan_out), {}), ("kaiming", 2 / fan_in, {}),
                                      ("kaiming", 2 / fan_out, {"mode": "fan_out"}),
                                      ("kaiming", 1 / fan_in, {"nonlinearity": "linear"}),
                                      ("kaiming", 9 / fan_in, {"gain": 3}),
                                      ("xavier", 25 / 9 * 2 / (fan_in + fan_out), {"nonlinearity": "tanh"})]:
        values = draws(shape, f"{scheme}_{law}", **options)
        assert_variance(values, variance)
        bound = np.sqrt(3 * variance)
        expected = ("norm", (0, np.sqrt(variance))) if law == "normal" else ("uniform", (-bound, 2 * bound))
        assert scipy.stats.kstest(values, *expected).pvalue > 1e-4
        if law == "uniform":
            assert 0.999 * bound < np.abs(values).max() <= bound


@pytest.mark.parametrize("shape", SHAPES)
def test_lecun(shape):
    """eq-lecun : gaussienne, de variance 1/fan_in."""
    values = draws(shape, "lecun_normal")
    assert_variance(values, 1 / fan_in_out(shape)[0])
    assert scipy.stats.kstest(values, "norm", (0, np.sqrt(1 / fan_in_out(shape)[0]))).pvalue > 1e-4


def test_schemas_sans_fan():
    assert scipy.stats.kstest(draws((40, 60), "normal"), "norm").pvalue > 1e-4
    assert scipy.stats.kstest(draws((40, 60), "uniform"), "uniform").pvalue > 1e-4
    assert (draws((4, 6), "ones") == 1).all() and (draws((4, 6), "zeros") == 0).all()
    assert_variance(draws((40, 60), "normal", gain=0.01), 1e-4)
    assert_variance(draws((40, 60), "normal", nonlinearity="relu"), 1)  # l'activation ne règle que les schémas à fan


@pytest.mark.parametrize("shape", [(5, 5), (3, 7), (7, 3), (4, 3, 2, 2), (20, 2, 3), (1, 6)])
@pytest.mark.parametrize("seed", range(3))
def test_orthogonal(shape, seed):
    """eq-orthogonal : Q Qᵀ = I, ou Qᵀ Q = I s'il y a plus de lignes que de colonnes."""
    q = initialize(Parameter(np.zeros(shape)), "orthogonal", rng=seed).data.reshape(shape[0], -1)
    small = q @ q.T if len(q) <= q.shape[1] else q.T @ q
    assert np.allclose(small, np.eye(len(small)), atol=1e-12)
    twice = initialize(Parameter(np.zeros(shape)), "orthogonal", gain=2, rng=seed).data.reshape(shape[0], -1)
    assert np.allclose(twice, 2 * q, rtol=1e-14)
    q32 = initialize(Parameter(np.zeros(shape, np.float32)), "orthogonal", rng=seed).data.reshape(shape[0], -1)
    assert q32.dtype == np.float32 and np.allclose(q32, q, atol=1e-6)


def test_orthogonal_est_uniforme():
    """Une composante du premier vecteur propre n'a pas de signe privilégié : la trace est de moyenne nulle."""
    rng = np.random.default_rng(0)
    traces = [np.trace(initialize(Parameter(np.zeros((3, 3))), "orthogonal", rng=rng).data) for _ in range(4000)]
    # sous la loi uniforme sur O(n), la trace est de moyenne 0 et de variance 1
    assert abs(np.mean(traces)) < 5 / np.sqrt(4000) and abs(np.var(traces) - 1) < 0.15


def test_gains():
    """Les valeurs de PyTorch, par nom ou par couche."""
    expected = {"linear": 1, "identity": 1, "sigmoid": 1, "tanh": 5 / 3, "relu": np.sqrt(2), "selu": 0.75,
                "leaky_relu": np.sqrt(2 / 1.0001)}
    for name, gain in expected.items():
        assert calculate_gain(name) == pytest.approx(gain, rel=1e-15)
    for layer, name in [(Identity(), "identity"), (Sigmoid(), "sigmoid"), (Tanh(), "tanh"), (ReLU(), "relu"), (LeakyReLU(), "leaky_relu")]:
        assert calculate_gain(layer) == calculate_gain(name)
    assert calculate_gain("leaky_relu", 0.5) == pytest.approx(np.sqrt(1.6)) == calculate_gain(LeakyReLU(0.5))
    assert calculate_gain("leaky_relu", 0) == pytest.approx(np.sqrt(2)) == calculate_gain(LeakyReLU(0))


@pytest.mark.parametrize("name, phi, tolerance", [("linear", lambda z: z, 1e-6), ("relu", lambda z: np.maximum(z, 0), 1e-6),
                                                  ("leaky_relu", lambda z: np.where(z > 0, z, 0.01 * z), 1e-6),
                                                  ("tanh", np.tanh, 0.05)])
def test_gain_est_l_inverse_de_l_ecart_type_de_l_activation(name, phi, tolerance):
    """eq-gain, par intégration numérique contre la densité gaussienne ; 5/3 n'en est qu'un arrondi pour tanh."""
    integral, _ = scipy.integrate.quad(lambda z: phi(z)**2 * scipy.stats.norm.pdf(z), -12, 12, points=[0])
    assert calculate_gain(name)**2 * integral == pytest.approx(1, abs=2 * tolerance)


def test_kaiming_garde_la_variance_a_travers_relu():
    """Vingt couches plus loin, le carré moyen est du même ordre ; avec gain 1, il est divisé par 2²⁰."""
    x = np.random.default_rng(0).standard_normal((50, 400))
    for scheme, low, high in [("kaiming_normal", 0.1, 10), ("lecun_normal", 1e-7, 1e-5)]:
        model = initialize(Sequential(*[layer for _ in range(20) for layer in (Linear(400, 400, dtype=np.float64), ReLU())]), scheme, rng=1)
        assert low < np.mean(model(x)**2) * 2 < high


def network():
    return Sequential(Conv2d(3, 8, 3), BatchNorm2d(8), ReLU(), Flatten(), Linear(8 * 36, 10), ReLU(), Sequential(Linear(10, 4)))


@pytest.mark.parametrize("scheme", sorted(DRAWS))
def test_tout_un_modele(scheme):
    """Chaque noyau a l'échelle de sa propre couche ; biais nuls ; la normalisation n'est pas touchée."""
    model = network()
    model[1].weight.data = np.arange(8.0)
    arrays = [p.data for p in model.parameters()]
    for layer in (model[0], model[4], model[6][0]):
        layer.bias.data = np.ones(layer.bias.shape)
    assert initialize(model, scheme, rng=3) is model
    assert all(p.data is array for p, array in zip(model.parameters(), arrays))  # sur place
    assert np.array_equal(model[1].weight.data, np.arange(8.0)) and not model[1].bias.data.any()
    rng = np.random.default_rng(3)
    for layer in (model[0], model[4], model[6][0]):
        assert not layer.bias.data.any()
        alone = initialize(Parameter(np.zeros(layer.weight.shape, np.float32)), scheme, rng=rng)
        assert np.array_equal(layer.weight.data, alone.data)


def test_biais_comme_dans_la_source():
    layer = Linear(300, 2000, dtype=np.float64)
    for scheme, variance in [("normal", 1), ("xavier_normal", 2 / 2300), ("kaiming_uniform", 2 / 300)]:
        initialize(layer, scheme, biases="same", rng=0)
        assert_variance(layer.bias.data, variance)
    assert (initialize(layer, "ones", biases="same").bias.data == 1).all()
    initialize(layer, "zeros", biases="ones")
    assert (layer.bias.data == 1).all() and not layer.weight.data.any()
    initialize(layer, "ones", biases=None)
    assert (layer.bias.data == 1).all()
    initialize(layer, "normal", gain=5, biases="ones", rng=0)
    assert (layer.bias.data == 1).all()  # le gain est celui des noyaux
    initialize(Linear(3, 2, bias=False), "normal", biases="same")


def test_convolution_transposee():
    """Ses poids sont rangés (C_in, C_out, k, k) : fan_in vaut quand même C_in·k²."""
    layer = ConvTranspose2d(5, 40, 3, dtype=np.float64)
    assert layer.weight.shape == (5, 40, 3, 3)
    assert_variance(initialize(layer, "kaiming_normal", rng=0).weight.data.ravel(), 2 / (5 * 9))
    assert_variance(initialize(layer, "kaiming_normal", mode="fan_out", rng=0).weight.data.ravel(), 2 / (40 * 9))
    assert_variance(initialize(Conv1d(5, 400, 3, dtype=np.float64), "lecun_normal", rng=0).weight.data.ravel(), 1 / 15)


def test_reproductible():
    def weights(seed):
        return initialize(Linear(4, 3), "normal", rng=seed).weight.data
    assert np.array_equal(weights(5), weights(np.random.default_rng(5))) and not np.array_equal(weights(5), weights(6))
    assert not np.array_equal(weights(None), weights(None))


def test_synonymes():
    for name, other in [("glorot_normal", "xavier_normal"), ("glorot_uniform", "xavier_uniform"),
                        ("he_normal", "kaiming_normal"), ("he_uniform", "kaiming_uniform")]:
        first, second = (initialize(Linear(4, 3), scheme, rng=0).weight.data for scheme in (name, other))
        assert np.array_equal(first, second)


def test_couche_a_soi_et_parametre_partage():
    class Twins(Module):
        def __init__(self):
            self.kernel, self.offset = Parameter(np.zeros((4, 3))), Parameter(np.ones(3))
            self.left, self.right = Linear(3, 2), Linear(3, 2)
            self.right.weight = self.left.weight

    model = initialize(Twins(), "normal", rng=0)
    rng = np.random.default_rng(0)
    assert np.array_equal(model.kernel.data, rng.standard_normal((4, 3))) and not model.offset.data.any()
    assert np.allclose(model.left.weight.data, rng.standard_normal((2, 3)))  # tiré une seule fois
    assert np.array_equal(model.left.weight.data, model.right.weight.data)


@pytest.mark.parametrize("arguments, message", [
    (("xavier",), "scheme doit être un schéma connu, reçu 'xavier' ; au plus près : xavier_normal, xavier_uniform"),
    (("normale",), "reçu 'normale' ; au plus près : normal"),
    (("qqq",), "reçu 'qqq' ; au plus près : zeros, ones, normal, uniform, xavier_normal"),
    ((None,), "reçu None"),
])
def test_schema_inconnu(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message).replace(r"\ ", r"\s")):
        initialize(Linear(3, 2), *arguments)


def test_demandes_impossibles():
    layer = Linear(3, 2)
    with pytest.raises(ValueError, match="biases doit être un schéma connu, reçu 'kaiming_normal'"):
        initialize(layer, "normal", biases="kaiming_normal")
    with pytest.raises(ValueError, match="mode doit être 'fan_in' ou 'fan_out', reçu 'fan'"):
        initialize(layer, "kaiming_normal", mode="fan")
    with pytest.raises(ValueError, match="gain doit être un nombre fini, reçu nan"):
        initialize(layer, "normal", gain=np.nan)
    with pytest.raises(ValueError, match="un biais n'est pas une matrice"):
        initialize(layer, "orthogonal", biases="same")
    with pytest.raises(ValueError, match=r"au moins deux axes, reçu la forme \(3,\)"):
        initialize(Parameter(np.zeros(3)), "xavier_normal")
    with pytest.raises(ValueError, match="au moins deux axes"):
        initialize(Parameter(np.zeros(3)), "orthogonal")
    with pytest.raises(ValueError, match="ReLU n'a aucun noyau à initialiser"):
        initialize(ReLU(), "normal")
    with pytest.raises(TypeError, match="Parameter ou Module attendu, reçu ndarray"):
        initialize(np.zeros((2, 2)), "normal")
    with pytest.raises(ValueError, match="activation connue, reçu 'softplus'"):
        calculate_gain(Softplus())
    with pytest.raises(ValueError, match=r"reçu 'rely'\s; au plus près\s: relu, selu"):
        calculate_gain("rely")
    assert (initialize(Parameter(np.zeros(3)), "ones").data == 1).all()  # sans fan, un vecteur convient


@pytest.mark.parametrize("scheme", ["xavier_normal", "xavier_uniform", "kaiming_normal", "kaiming_uniform"])
@pytest.mark.parametrize("shape", SHAPES)
def test_meme_echelle_que_pytorch(scheme, shape):
    init = pytest.importorskip("torch.nn.init")
    import torch

    torch.manual_seed(0)
    reference = torch.cat([getattr(init, scheme + "_")(torch.empty(shape, dtype=torch.float64)).ravel() for _ in range(60)]).numpy()
    if scheme.startswith("kaiming"):  # PyTorch suppose leaky_relu de pente 0, soit le gain √2 de ReLU
        assert calculate_gain("leaky_relu", 0) == pytest.approx(calculate_gain("relu"))
    assert scipy.stats.ks_2samp(draws(shape, scheme), reference).pvalue > 1e-4


def test_memes_gains_que_pytorch():
    init = pytest.importorskip("torch.nn.init")
    for name in ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"):
        assert calculate_gain(name) == pytest.approx(init.calculate_gain(name), rel=1e-15)
