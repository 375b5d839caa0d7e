"""AdaGrad, RMSprop, Adam, AdamW : formes closes et pas calculés à la main."""

import numpy as np
import pytest
from quadratic import descend, with_gradients

from labcode.nn import Parameter
from labcode.optim import AdaGrad, Adam, AdamW, RMSprop

G = np.array([3.0, -0.01, 200.0])
N = np.arange(1, 41)[:, None]


def test_adagrad_gradient_constant():
    """eq-adagrad : Σ g² = n g² : le n-ième pas vaut η g/(√n |g| + ε)."""
    path = with_gradients([G] * 40, lambda p: AdaGrad(p, lr=0.1, eps=1e-3))
    steps = -np.diff(np.vstack([np.zeros(3), path]), axis=0)
    assert np.allclose(steps, 0.1 * G / (np.sqrt(N) * np.abs(G) + 1e-3), rtol=1e-12)


def test_rmsprop_gradient_constant():
    """eq-rmsprop : la moyenne des g² vaut (1 − αⁿ) g²."""
    path = with_gradients([G] * 40, lambda p: RMSprop(p, lr=0.1, alpha=0.9, eps=1e-3))
    steps = -np.diff(np.vstack([np.zeros(3), path]), axis=0)
    assert np.allclose(steps, 0.1 * G / (np.sqrt(1 - 0.9**N) * np.abs(G) + 1e-3), rtol=1e-12)


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.5), (0.0, 0.0)])
def test_adam_gradient_constant(betas):
    """eq-adam : les corrections rendent les moyennes exactes : chaque pas vaut η g/(|g| + ε), dès le premier."""
    path = with_gradients([G] * 40, lambda p: Adam(p, lr=0.1, betas=betas, eps=1e-3))
    assert np.allclose(path, -N * 0.1 * G / (np.abs(G) + 1e-3), rtol=1e-11)


def test_adam_premiers_pas_a_la_main():
    """β = (1/2, 3/4), gradients 1 puis −2 puis 0 : les moyennes corrigées sont des fractions simples."""
    path = with_gradients([[1.0], [-2.0], [0.0]], lambda p: Adam(p, lr=1.0, betas=(0.5, 0.75), eps=0.1))
    m = [1 / 2 / (1 / 2), (1 / 4 - 1) / (3 / 4), (-3 / 8) / (7 / 8)]
    v = [1 / 4 / (1 / 4), (3 / 16 + 1) / (7 / 16), (3 / 4 * 19 / 16) / (37 / 64)]
    assert np.allclose(-np.diff([0, *path.ravel()]), [a / (np.sqrt(b) + 0.1) for a, b in zip(m, v)], rtol=1e-13)


def test_adam_est_une_somme_ponderee_des_gradients():
    """m_n = (1 − β₁) Σ β₁ⁿ⁻ᵏ g_k, v_n de même avec g² : écrits comme des sommes, sans récurrence."""
    g = np.random.default_rng(0).standard_normal((30, 4))
    path = with_gradients(g, lambda p: Adam(p, lr=0.05, betas=(0.8, 0.95), eps=1e-6))
    theta = np.zeros(4)
    for n in range(1, 31):
        age = np.arange(n - 1, -1, -1)[:, None]
        m = (0.8**age * g[:n]).sum(axis=0) / (0.8**age).sum()
        v = (0.95**age * g[:n]**2).sum(axis=0) / (0.95**age).sum()
        theta = theta - 0.05 * m / (np.sqrt(v) + 1e-6)
        assert np.allclose(path[n - 1], theta, rtol=1e-11)


def test_rmsprop_est_une_somme_ponderee_des_gradients():
    g = np.random.default_rng(1).standard_normal((20, 4))
    path = with_gradients(g, lambda p: RMSprop(p, lr=0.05, alpha=0.8, eps=1e-6))
    theta = np.zeros(4)
    for n in range(1, 21):
        v = 0.2 * (0.8**np.arange(n - 1, -1, -1)[:, None] * g[:n]**2).sum(axis=0)
        theta = theta - 0.05 * g[n - 1] / (np.sqrt(v) + 1e-6)
        assert np.allclose(path[n - 1], theta, rtol=1e-11)


@pytest.mark.parametrize("optimizer", [AdaGrad, RMSprop, Adam])
def test_insensibles_a_l_echelle_du_gradient(optimizer):
    """Multiplier les gradients par mille ne change rien (à ε près)."""
    g = np.random.default_rng(2).standard_normal((10, 5))
    small, large = (with_gradients(scale * g, lambda p: optimizer(p, lr=0.1, eps=1e-14)) for scale in (1, 1000))
    assert np.allclose(small, large, rtol=1e-9)


@pytest.mark.parametrize("optimizer", [AdaGrad, RMSprop, Adam, AdamW])
def test_un_gradient_nul_ne_donne_pas_nan(optimizer):
    path = with_gradients(np.zeros((3, 2)), lambda p: optimizer(p, lr=0.1))
    assert not path.any()


def test_descendent_la_forme_quadratique():
    for optimizer, lr in [(AdaGrad, 1.0), (RMSprop, 0.01), (Adam, 0.1), (AdamW, 0.1)]:
        path, _ = descend(lambda p: optimizer(p, lr=lr), 1500)
        assert np.abs(path[-1]).max() < 0.02


def test_reglages_par_defaut():
    """Ceux de PyTorch."""
    parameter = [Parameter(np.ones(1))]
    assert (AdaGrad(parameter).lr, AdaGrad(parameter).eps) == (0.01, 1e-10)
    assert (RMSprop(parameter).lr, RMSprop(parameter).alpha, RMSprop(parameter).eps) == (0.01, 0.99, 1e-8)
    for optimizer, decay in [(Adam(parameter), 0), (AdamW(parameter), 0.01)]:
        assert (optimizer.lr, optimizer.beta1, optimizer.beta2, optimizer.eps) == (0.001, 0.9, 0.999, 1e-8)
        assert optimizer.weight_decay == decay and optimizer.decoupled_weight_decay == (decay > 0)
    assert repr(Adam(parameter, betas=(0.5, 0.999))) == "Adam(lr=0.001, beta1=0.5)"


@pytest.mark.parametrize("make, message", [
    (lambda p: Adam(p, betas=(1.0, 0.9)), r"Adam\s: beta1 doit être dans \[0\s; 1\[, reçu 1$"),
    (lambda p: AdamW(p, betas=(0.9, -0.1)), r"AdamW\s: beta2 doit être dans \[0\s; 1\[, reçu -0\.1"),
    (lambda p: Adam(p, eps=0), r"Adam\s: eps doit être fini, strictement positif, reçu 0"),
    (lambda p: RMSprop(p, alpha=1), r"RMSprop\s: alpha doit être dans"),
    (lambda p: RMSprop(p, eps=-1), r"RMSprop\s: eps doit être"),
    (lambda p: AdaGrad(p, eps=0), r"AdaGrad\s: eps doit être fini, strictement positif, reçu 0"),
    (lambda p: AdaGrad(p, eps=np.inf), r"AdaGrad\s: eps doit être"),
    (lambda p: AdaGrad(p, lr=-1), r"AdaGrad\s: lr doit être fini, positif ou nul, reçu -1"),
    (lambda p: Adam(p, weight_decay=-1e-3), r"Adam\s: weight_decay doit être fini, positif ou nul, reçu -0\.001"),
])
def test_reglages_impossibles(make, message):
    with pytest.raises(ValueError, match=message):
        make([Parameter(np.ones(1))])


@pytest.mark.parametrize("betas", [0.9, (0.9,), (0.9, 0.99, 0.999), None])
def test_betas_est_un_couple(betas):
    with pytest.raises(TypeError, match=r"Adam\s: betas doit être un couple"):
        Adam([Parameter(np.ones(1))], betas=betas)
