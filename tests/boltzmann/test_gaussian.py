"""La RBM à visibles réels : lois exactes par intégration numérique, tirages, apprentissage."""

import numpy as np
import pytest
from machines import bits, machine
from scipy.integrate import dblquad
from scipy.stats import kstest, norm

from labcode.boltzmann import RBM, GaussianRBM, exact_expectations, exact_gradient, exact_log_partition, log_likelihood


def test_densite_de_somme_un_par_integration():
    """eq-gaussian-rbm : la densité de v, intégrée numériquement, a pour somme 1."""
    rbm = machine(2, 3, kind=GaussianRBM)
    total, _ = dblquad(lambda y, x: np.exp(log_likelihood(rbm, [[x, y]])[0]), -9, 9, -9, 9, epsabs=1e-5)
    assert total == pytest.approx(1, abs=1e-4)


def test_melange_de_lois_normales():
    """p(v) est un mélange de 2^q normales centrées en b + Wᵀh."""
    rbm, V = machine(2, 3, kind=GaussianRBM), np.random.default_rng(0).normal(size=(10, 2))
    centers = rbm.visible_bias_ + bits(3) @ rbm.weight_
    weights = np.exp(bits(3) @ rbm.hidden_bias_ + 0.5 * (centers**2).sum(axis=1))
    density = np.array([weights / weights.sum() @ norm.pdf(v - centers).prod(axis=1) for v in V])
    np.testing.assert_allclose(np.exp(log_likelihood(rbm, V)), density, rtol=1e-10)
    np.testing.assert_allclose(rbm.score_samples(V), np.log(density) + exact_log_partition(rbm).value, rtol=1e-10)
    np.testing.assert_allclose(exact_expectations(rbm)[1], weights @ centers / weights.sum(), rtol=1e-10)


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_tirages(temperature):
    """Un seul visible, une seule cachée : la loi à la température T est un mélange de deux normales de variance T."""
    rbm = machine(1, 1, kind=GaussianRBM)
    w, b, c = rbm.weight_[0, 0], rbm.visible_bias_[0], rbm.hidden_bias_[0]
    *_, (_, _, V) = rbm.gibbs(np.zeros((20_000, 1)), temperatures=[temperature] * 40, rng=0)
    odds = np.exp((c + 0.5 * (b + w) ** 2 - 0.5 * b**2) / temperature)
    share, std = odds / (1 + odds), np.sqrt(temperature)
    assert kstest(V[:, 0], lambda x: (1 - share) * norm.cdf(x, b, std) + share * norm.cdf(x, b + w, std)).pvalue > 1e-3


def test_le_pas_de_cd_k_suit_le_gradient():
    X = np.random.default_rng(0).normal(size=(4, 3))
    rbm = machine(3, 2, kind=GaussianRBM, learning_rate=1e-6, batch_size=80_000, k=30, scale=0.7)
    before, gradient = rbm.weight_.copy(), exact_gradient(rbm, X)[0]
    rbm.partial_fit(np.tile(X, (20_000, 1)))
    np.testing.assert_allclose((rbm.weight_ - before) / 1e-6, gradient, atol=0.025)


def test_apprend_deux_groupes():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 2)) + np.repeat([[3.0, 3], [-3, -3]], 1000, axis=0)
    rbm = GaussianRBM(1, learning_rate=0.01, batch_size=50, n_epochs=30, init_std=0.1, data_bias=True, rng=0).fit(X)
    h = rbm.transform(X)[:, 0] > 0.5
    assert np.mean(h == (np.arange(2000) < 1000)) in (pytest.approx(0, abs=0.01), pytest.approx(1, abs=0.01))
    assert log_likelihood(rbm, X).mean() > -3.8  # l'optimum, deux normales bien séparées, est −ln 2 − ln 2π − 1 = −3,53


def test_ce_qui_differe_de_la_binaire():
    assert set(GaussianRBM().get_params()) == set(RBM().get_params())
    rbm = machine(3, 2, kind=GaussianRBM)
    assert np.unique(rbm.sample(5, 2, rng=0)).size == 15
    with pytest.raises(NotImplementedError, match="pas de pseudo-vraisemblance"):
        rbm.pseudo_likelihood(np.zeros((1, 3)))
    with pytest.raises(ValueError, match="contient NaN"):
        rbm.transform([[np.nan, 0, 0]])


def test_biais_des_donnees():
    """Ceux de la moyenne de chaque colonne."""
    rbm = GaussianRBM(2, n_epochs=0, data_bias=True, rng=0).fit(np.array([[1.0, 10, -3], [3, 20, -5]]))
    np.testing.assert_allclose(rbm.visible_bias_, [2, 15, -4], rtol=1e-12)


def test_depart_de_bruit():
    """Sans aucun pas, ``sample`` rend son départ : une loi normale centrée réduite."""
    V = GaussianRBM(2, rng=0).initialize(40, np.float64).sample(50, 0, rng=0)
    assert kstest(V.ravel(), norm.cdf).pvalue > 1e-3
