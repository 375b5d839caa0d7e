"""L'inertie et celle de Nesterov : sur une forme quadratique, une récurrence linéaire que l'on résout exactement."""

import numpy as np
import pytest
from quadratic import CURVATURE, START, descend, with_gradients

from labcode.nn import Parameter
from labcode.optim import SGD

LR = 0.2


def recurrence(matrix, n):
    """(θ_n, v_n) composante par composante, de (θ₀, 0), par puissance de matrice ; ``matrix(λ)`` est la matrice d'un pas."""
    return np.array([(np.linalg.matrix_power(matrix(curvature), n) @ [theta, 0])[0]
                     for curvature, theta in zip(CURVATURE, START)])


@pytest.mark.parametrize("momentum", [0.3, 0.9, 0.99])
def test_inertie_par_puissance_de_matrice(momentum):
    """eq-momentum : v ← μv + λθ ; θ ← θ − ηv."""
    path, _ = descend(lambda p: SGD(p, LR, momentum=momentum), 60)
    for n in (1, 2, 10, 60):
        expected = recurrence(lambda c: np.array([[1 - LR * c, -LR * momentum], [c, momentum]]), n)
        assert np.allclose(path[n], expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("momentum", [0.3, 0.9, 0.99])
def test_nesterov_par_puissance_de_matrice(momentum):
    """eq-nesterov : v ← μv + λθ ; θ ← θ − η(λθ + μv)."""
    path, _ = descend(lambda p: SGD(p, LR, momentum=momentum, nesterov=True), 60)
    for n in (1, 2, 10, 60):
        expected = recurrence(lambda c: np.array([[1 - LR * c * (1 + momentum), -LR * momentum**2], [c, momentum]]), n)
        assert np.allclose(path[n], expected, rtol=1e-11, atol=1e-13)


def test_nesterov_est_le_gradient_pris_en_avant():
    """θ − ημv est le point w de la forme d'origine : w′ = w − ηλ(w + μV) + μV, avec V la vitesse en longueurs."""
    momentum = 0.9
    path, _ = descend(lambda p: SGD(p, LR, momentum=momentum, nesterov=True), 30)
    w, v = START.copy(), np.zeros(3)  # w : position ; le gradient se prend en w + μv
    for n in range(30):
        assert np.allclose(path[n], w + momentum * v, rtol=1e-11, atol=1e-13)
        v = momentum * v - LR * CURVATURE * (w + momentum * v)
        w = w + v


def test_gradient_constant_vitesse_limite():
    """v_n = g (1 − μⁿ)/(1 − μ)."""
    momentum, g = 0.8, np.array([3.0, -1.0])
    path = with_gradients([g] * 40, lambda p: SGD(p, 0.1, momentum=momentum))
    steps = -np.diff(np.vstack([np.zeros(2), path]), axis=0)
    n = np.arange(1, 41)[:, None]
    assert np.allclose(steps, 0.1 * g * (1 - momentum**n) / (1 - momentum), rtol=1e-12)


def test_changer_le_taux_change_aussitot_tout_le_pas():
    """La vitesse se compte en gradients : le pas est ηv, avec le η du moment."""
    theta = Parameter(np.zeros(1))
    optimizer = SGD([theta], 1.0, momentum=0.5)
    theta.grad = np.ones(1)
    optimizer.step()
    optimizer.lr = 0.1
    optimizer.step()
    assert theta.data == pytest.approx(-1 - 0.1 * 1.5)


def test_changer_l_inertie_en_cours_de_route():
    """La vitesse acquise est gardée ; partie de momentum=0, elle naît nulle."""
    def program(optimizer, step):
        optimizer.momentum = [0.0, 0.0, 0.5, 0.9, 0.9][step]
    path, _ = descend(lambda p: SGD(p, LR), 5, before=program)
    theta, v = START.copy(), np.zeros(3)
    for n, momentum in enumerate([0.0, 0.0, 0.5, 0.9, 0.9]):
        g = CURVATURE * theta
        v = momentum * v + g if momentum else v
        theta = theta - LR * (v if momentum else g)
        assert np.allclose(path[n + 1], theta, rtol=1e-13)


def test_sans_inertie_pas_de_memoire():
    _, plain = descend(lambda p: SGD(p, LR), 3)
    _, heavy = descend(lambda p: SGD(p, LR, momentum=0.9), 3)
    assert set(plain.state_dict()) == {"lr", "weight_decay", "momentum", "n_steps"}
    assert set(heavy.state_dict()) - set(plain.state_dict()) == {"momentum_buffer.0"}


def test_reglages_impossibles():
    for momentum in (-0.1, 1.0, np.nan):
        with pytest.raises(ValueError, match=r"SGD\s: momentum doit être dans \[0\s; 1\[, reçu"):
            SGD([Parameter(np.ones(1))], 0.1, momentum=momentum)
    with pytest.raises(ValueError, match=r"nesterov demande une inertie, momentum > 0"):
        SGD([Parameter(np.ones(1))], 0.1, nesterov=True)
    optimizer = SGD([Parameter(np.ones(1))], 0.1, momentum=0.9, nesterov=True)
    with pytest.raises(ValueError, match="momentum doit être"):
        optimizer.momentum = 2
    assert optimizer.momentum == 0.9 and repr(optimizer) == "SGD(lr=0.1, momentum=0.9, nesterov=True)"
