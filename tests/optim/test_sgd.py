"""SGD, et ce que tous les optimiseurs ont en commun."""

import numpy as np
import pytest

from labcode.nn import CrossEntropyLoss, Linear, MSELoss, Parameter, ReLU, Sequential
from labcode.optim import SGD, Optimizer


@pytest.mark.parametrize("seed", range(3))
def test_un_pas(seed):
    """eq-sgd : θ − η g, calculé composante par composante."""
    rng = np.random.default_rng(seed)
    parameters = [Parameter(rng.standard_normal(shape)) for shape in [(3, 4), (3,), (2, 1, 5)]]
    before = [p.data.copy() for p in parameters]
    gradients = [rng.standard_normal(p.shape) for p in parameters]
    for parameter, gradient in zip(parameters, gradients):
        parameter.grad = gradient
    SGD(parameters, lr=0.3).step()
    for parameter, start, gradient in zip(parameters, before, gradients):
        expected = [u - 0.3 * g for u, g in zip(start.ravel(), gradient.ravel())]
        assert np.allclose(parameter.data.ravel(), expected, rtol=1e-14)
        assert np.array_equal(parameter.grad, gradient)  # le pas lit le gradient, il ne le consomme pas


def test_forme_quadratique():
    """Sur ½ λ θ², chaque pas multiplie θ par 1 − ηλ : la suite est connue."""
    curvature, theta = np.array([0.5, 1.0, 3.0]), Parameter(np.array([1.0, -2.0, 4.0]))
    optimizer, start = SGD([theta], lr=0.5), theta.data.copy()
    for _ in range(10):
        optimizer.zero_grad()
        theta.grad += curvature * theta.data
        optimizer.step()
    assert np.allclose(theta.data, start * (1 - 0.5 * curvature)**10, rtol=1e-12)


def test_regression_lineaire_rejoint_les_moindres_carres():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 3))
    y = x @ rng.standard_normal((3, 2)) + [1, -2] + 0.1 * rng.standard_normal((50, 2))
    layer, loss = Linear(3, 2, rng=1, dtype=np.float64), MSELoss()
    optimizer = SGD(layer.parameters(), lr=0.1)
    for _ in range(300):
        loss(layer(x), y)
        optimizer.zero_grad()
        layer.backward_parameters(loss.backward())
        optimizer.step()
    solution = np.linalg.lstsq(np.hstack([x, np.ones((50, 1))]), y, rcond=None)[0]
    assert np.allclose(layer.weight.data, solution[:3].T, atol=1e-8)
    assert np.allclose(layer.bias.data, solution[3], atol=1e-8)


def test_apprend_xor():
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32), np.array([0, 1, 1, 0])
    model, loss = Sequential(Linear(2, 16, rng=0), ReLU(), Linear(16, 2, rng=1)), CrossEntropyLoss()
    optimizer = SGD(model.parameters(), lr=0.5)
    for _ in range(500):
        loss(model(x), y)
        optimizer.zero_grad()
        model.backward(loss.backward())
        optimizer.step()
    assert np.array_equal(model(x).argmax(axis=1), y) and loss(model(x), y) < 0.05


def test_le_pas_se_fait_sur_place_et_garde_le_type():
    layer = Linear(3, 2, rng=0)
    data = layer.weight.data
    layer(np.ones((1, 3)))
    layer.backward(np.ones((1, 2)))
    before = data.copy()
    SGD(layer.parameters(), lr=np.float64(0.1)).step()
    assert layer.weight.data is data and data.dtype == np.float32
    assert type(SGD(layer.parameters(), lr=np.float64(0.1)).lr) is float  # sinon le pas se calculerait en float64
    assert np.allclose(data, before - 0.1, rtol=1e-5)


def test_sans_gradient_rien_ne_bouge():
    parameter = Parameter(np.ones(3))
    optimizer = SGD([parameter], lr=1.0)
    optimizer.step()
    parameter.grad = np.ones(3)
    optimizer.zero_grad()
    optimizer.step()
    assert np.array_equal(parameter.data, np.ones(3)) and np.array_equal(parameter.grad, np.zeros(3))


def test_taux_change_en_cours_de_route():
    parameter = Parameter(np.zeros(1))
    parameter.grad = np.ones(1)
    optimizer = SGD([parameter], lr=1)
    optimizer.step()
    optimizer.lr = 0.25
    optimizer.step()
    assert parameter.data == -1.25 and optimizer.lr == 0.25 and repr(optimizer) == "SGD(lr=0.25)"


@pytest.mark.parametrize("lr, error", [(-0.1, ValueError), (np.nan, ValueError), (np.inf, ValueError), (10**400, ValueError), (-10**400, ValueError),
                                       ("0.1", TypeError), (None, TypeError), (True, TypeError), ([0.1], TypeError)])
def test_taux_impossible(lr, error):
    with pytest.raises(error, match="SGD : lr doit être"):
        SGD([Parameter(np.ones(1))], lr)


def test_parametres_impossibles():
    with pytest.raises(TypeError, match=r"SGD : donner model\.parameters\(\), et non le modèle"):
        SGD(Linear(2, 2), 0.1)
    with pytest.raises(ValueError, match="la liste de paramètres est vide"):
        SGD(ReLU().parameters(), 0.1)
    with pytest.raises(TypeError, match="liste de Parameter attendue, reçu ndarray"):
        SGD([np.ones(2)], 0.1)
    with pytest.raises(TypeError, match=r"SGD : il manque les parenthèses, model\.parameters\(\)"):
        SGD(Linear(2, 2).parameters, 0.1)
    with pytest.raises(TypeError, match="liste de Parameter attendue, reçu None"):
        SGD(None, 0.1)


def test_optimiseur_a_soi():
    class Sign(Optimizer):
        def step(self):
            for parameter in self.parameters:
                parameter.data -= self.lr * np.sign(parameter.grad)

    parameter = Parameter(np.zeros(3))
    parameter.grad = np.array([5.0, 0, -0.1])
    Sign([parameter], 0.5).step()
    assert np.array_equal(parameter.data, [-0.5, 0, 0.5])
    with pytest.raises(NotImplementedError, match="Optimizer ne définit pas step"):
        Optimizer([parameter], 0.5).step()
