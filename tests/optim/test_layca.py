"""Layca : la norme reste, l'angle est celui que l'on demande."""

import numpy as np
import pytest

from labcode.nn import BatchNorm1d, CrossEntropyLoss, Linear, Parameter, ReLU, Sequential
from labcode.nn.init import initialize
from labcode.optim import SGD, AdaGrad, Adam, Layca, Optimizer, RMSprop
from labcode.optim.layca import rotate

BASES = {"sgd": lambda p, lr: SGD(p, lr), "nesterov": lambda p, lr: SGD(p, lr, 0.9, nesterov=True, weight_decay=1e-3),
         "adagrad": AdaGrad, "rmsprop": RMSprop, "adam": Adam}


def angle(a, b):
    """Angle entre deux tableaux, par la formule de Kahan, exacte aussi près de 0."""
    u, v = a / np.linalg.norm(a), b / np.linalg.norm(b)
    return 2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v))


def exact(p, s, rate):
    """La règle, écrite ligne à ligne (eq-layca)."""
    n = np.sqrt((p**2).sum())
    s = s - (s * p).sum() / n**2 * p
    s = np.zeros_like(s) if np.sqrt((s**2).sum()) <= 1e-7 else s * n / np.sqrt((s**2).sum())
    q = p - rate * s
    return q * n / np.sqrt((q**2).sum())


@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
@pytest.mark.parametrize("rate", [3**-2, 3**-3.5, 1.0, 10.0, 1e-4])
def test_norme_et_angle(base, rate):
    """Norme constante, et chaque pas tourne le tenseur d'arctan ρ, à 10⁻⁶ près."""
    rng = np.random.default_rng(0)
    parameters = [Parameter(rng.standard_normal(shape)) for shape in [(3, 4), (5, 2, 3), (2, 3, 3, 3)]]
    norms = [np.linalg.norm(p.data) for p in parameters]
    optimizer = Layca(base(parameters, rate))
    for _ in range(20):
        before = [p.data.copy() for p in parameters]
        for parameter in parameters:
            parameter.grad = rng.standard_normal(parameter.shape)
        optimizer.step()
        for parameter, start, norm in zip(parameters, before, norms):
            assert abs(np.linalg.norm(parameter.data) / norm - 1) < 1e-6
            assert abs(angle(parameter.data, start) - np.arctan(rate)) < 1e-6


@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
def test_la_regle_avec_le_pas_de_l_optimiseur(base):
    """Même résultat que la règle appliquée au pas que l'optimiseur seul aurait fait."""
    rng = np.random.default_rng(1)
    start, biases = rng.standard_normal((4, 5)), rng.standard_normal(4)
    ours, theirs = ([Parameter(start), Parameter(biases)] for _ in range(2))
    layca, alone = Layca(base(ours, 0.1)), base(theirs, 0.1)
    for _ in range(10):
        for mine, other in zip(ours, theirs):
            other.data = mine.data
            mine.grad = rng.standard_normal(mine.shape)
            other.grad = mine.grad
        before = [p.data.copy() for p in ours]
        layca.step()
        alone.step()
        assert np.allclose(ours[0].data, exact(before[0], before[0] - theirs[0].data, 0.1), rtol=1e-9, atol=1e-11)
        assert np.allclose(ours[1].data, theirs[1].data, rtol=1e-12)  # les biais suivent l'optimiseur


def test_le_pas_va_contre_le_gradient():
    p = Parameter(np.array([[1.0, 0.0]]))
    p.grad = np.array([[5.0, 3.0]])
    Layca(SGD([p], 1.0)).step()
    assert np.allclose(p.data, [[np.sqrt(0.5), -np.sqrt(0.5)]])


def test_biais_et_normalisation():
    """Ils suivent l'optimiseur, ou restent tels quels avec ``freeze_biases=True`` ; les noyaux tournent toujours."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((30, 4)), rng.integers(0, 3, 30)
    for freeze in (False, True):
        model, loss = Sequential(Linear(4, 6, rng=0, dtype=np.float64), BatchNorm1d(6, dtype=np.float64), ReLU(), Linear(6, 3, rng=1, dtype=np.float64)), CrossEntropyLoss()
        optimizer = Layca(SGD(model.parameters(), 0.1), freeze_biases=freeze)
        before = [p.data.copy() for p in model.parameters()]
        for _ in range(3):
            loss(model(x), y)
            optimizer.zero_grad()
            model.backward_parameters(loss.backward())
            optimizer.step()
        for parameter, start in zip(model.parameters(), before):
            if parameter.data.ndim > 1:
                assert angle(parameter.data, start) > 0.1
        assert np.array_equal(model[3].bias.data, before[-1]) == np.array_equal(model[1].weight.data, before[2]) == freeze


def test_pas_radial_ou_nul_ne_tourne_pas():
    """Un pas tout entier le long du noyau, ou de norme au plus 10⁻⁷ une fois projeté, est ignoré."""
    start = np.array([[3.0, 4.0]])
    for gradient, moves in [(2 * start, False), (0 * start, False), ([[0.792e-7, -0.594e-7]], False), ([[0.808e-7, -0.606e-7]], True)]:
        p = Parameter(start)
        p.grad = np.array(gradient)
        Layca(SGD([p], 1.0)).step()
        assert np.array_equal(p.data, start) != moves


def test_rotate_en_float32_garde_l_angle_meme_pour_un_pas_minuscule():
    """Le pas vient de la règle elle-même, et non d'une différence de poids, où il se perdrait dans l'arrondi."""
    rng = np.random.default_rng(0)
    start, gradient = rng.standard_normal((50, 60)).astype(np.float32), rng.standard_normal((50, 60)).astype(np.float32)
    p = Parameter(start)
    p.grad = 1e-6 * gradient
    Layca(SGD([p], 0.1)).step()
    expected = exact(start.astype(np.float64), gradient.astype(np.float64), 0.1)
    assert p.data.dtype == np.float32 and np.allclose(p.data, expected, rtol=1e-4, atol=1e-6)


def test_la_norme_ne_derive_pas_en_float32():
    """L'arrondi ne doit pas pencher toujours du même côté : après deux mille pas, la norme est encore la même."""
    rng = np.random.default_rng(0)
    p = Parameter(rng.standard_normal((60, 60)).astype(np.float32))
    optimizer, norm = Layca(SGD([p], 3**-3)), np.linalg.norm(p.data.astype(np.float64))
    for _ in range(2000):
        p.grad = rng.standard_normal((60, 60), np.float32)
        optimizer.step()
    assert abs(np.linalg.norm(p.data.astype(np.float64)) / norm - 1) < 5e-7


def test_rotate_quart_de_tour():
    p, s = np.array([0.0, 2.0]), np.array([-1.0, 7.0])
    rotate(p, s, 1.0)
    assert np.allclose(p, [np.sqrt(2), np.sqrt(2)])


def test_le_taux_est_celui_de_l_optimiseur():
    base = SGD([Parameter(np.eye(2))], 0.1)
    optimizer = Layca(base)
    optimizer.lr = 0.5
    assert base.lr == 0.5 == optimizer.lr and optimizer.parameters is base.parameters
    assert repr(optimizer) == "Layca(SGD(lr=0.5))" and repr(Layca(base, freeze_biases=True)) == "Layca(SGD(lr=0.5), freeze_biases=True)"
    base.parameters[0].grad = np.ones((2, 2))
    optimizer.zero_grad()
    assert not base.parameters[0].grad.any()
    base.lr = 0.0
    base.parameters[0].grad = np.ones((2, 2))
    optimizer.step()
    assert np.array_equal(base.parameters[0].data, np.eye(2))


def test_apprend():
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32), np.array([0, 1, 1, 0])
    model, loss = initialize(Sequential(Linear(2, 32), ReLU(), Linear(32, 2)), "kaiming_normal", rng=0), CrossEntropyLoss()
    optimizer = Layca(SGD(model.parameters(), 0.05, momentum=0.9))
    for step in range(300):
        loss(model(x), y)
        optimizer.zero_grad()
        model.backward_parameters(loss.backward())
        optimizer.step()
        optimizer.lr *= 0.99
    assert np.array_equal(model(x).argmax(axis=1), y)


def test_refus():
    with pytest.raises(TypeError, match=r"Layca\s: un Optimizer est attendu, reçu list"):
        Layca([Parameter(np.ones((2, 2)))])

    class Whole(Optimizer):
        def step(self):
            pass

    with pytest.raises(TypeError, match=r"Layca\s: Whole redéfinit step"):
        Layca(Whole([Parameter(np.ones((2, 2)))], 0.1))
    bias, kernel = Parameter(np.zeros(2)), Parameter(np.zeros((2, 2)))
    bias.grad = np.ones(2)
    with pytest.raises(ValueError, match=r"le paramètre n° 1 est nul"):
        Layca(SGD([bias, kernel], 0.1)).step()
    assert not bias.data.any()  # rien n'a bougé
