"""La vraisemblance : exacte contre la loi jointe écrite terme à terme, estimée contre l'exacte."""

import numpy as np
import pytest
from machines import bits, joint, machine, sample_indices

from labcode.boltzmann import (RBM, GaussianRBM, LogPartition, ais_log_partition, all_states, exact_expectations, exact_gradient,
                               exact_log_partition, log_likelihood)
from labcode.boltzmann.likelihood import _checked_betas

DATA = np.array([[1, 0, 1, 1], [1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 1, 1]], dtype=float)


def test_tous_les_etats():
    np.testing.assert_array_equal(np.concatenate(list(all_states(5))), bits(5))
    chunks = list(all_states(13))  # plus d'un paquet
    assert len(chunks) == 2 and len(np.unique(np.concatenate(chunks), axis=0)) == 2**13


@pytest.mark.parametrize("sizes", [(4, 3), (3, 4), (4, 4), (1, 1)])
def test_log_partition_exact(sizes):
    """eq-partition-exact, contre la somme sur tous les couples (v, h)."""
    rbm = machine(*sizes, scale=2.0)
    V, H = bits(sizes[0]), bits(sizes[1])
    total = sum(np.exp(v @ rbm.visible_bias_ + h @ rbm.hidden_bias_ + h @ rbm.weight_ @ v) for v in V for h in H)
    log_z = exact_log_partition(rbm)
    assert log_z.value == pytest.approx(np.log(total), rel=1e-12) and log_z.low == log_z.value == log_z.high


def test_log_partition_exact_au_dela_d_un_paquet_et_sans_debordement():
    rbm = machine(14, 13)
    V = np.concatenate(list(all_states(14)))
    assert exact_log_partition(rbm).value == pytest.approx(np.log(np.exp(-rbm.free_energy(V)).sum()), rel=1e-10)
    rbm.visible_bias_ += 1000
    assert exact_log_partition(rbm).value == pytest.approx(14_000, rel=0.05)


def test_log_vraisemblance_exacte():
    rbm = machine()
    np.testing.assert_allclose(np.exp(log_likelihood(rbm, bits(4))), joint(rbm).sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(log_likelihood(rbm, DATA, 3.0), log_likelihood(rbm, DATA, LogPartition(3.0, 2.0, 4.0)))


@pytest.mark.parametrize("rbm, X", [(machine(4, 3), DATA), (machine(4, 6), DATA),
                                    (machine(3, 2, kind=GaussianRBM), np.random.default_rng(0).normal(size=(5, 3)))],
                         ids=["cachées", "visibles", "gaussienne"])
def test_gradient_exact_par_differences_finies(rbm, X):
    """eq-rbm-gradient, contre les différences finies de la log-vraisemblance."""
    step = 1e-5
    for array, gradient in zip((rbm.weight_, rbm.visible_bias_, rbm.hidden_bias_), exact_gradient(rbm, X)):
        for index in np.ndindex(array.shape):
            value = array[index]
            array[index] = value + step
            above = log_likelihood(rbm, X).mean()
            array[index] = value - step
            below = log_likelihood(rbm, X).mean()
            array[index] = value
            assert gradient[index] == pytest.approx((above - below) / (2 * step), abs=1e-8)


@pytest.mark.parametrize("sizes", [(4, 3), (3, 5)])
def test_esperances_exactes(sizes):
    rbm = machine(*sizes)
    p, V, H = joint(rbm), bits(sizes[0]), bits(sizes[1])
    for found, expected in zip(exact_expectations(rbm), (H.T @ p.T @ V, p.sum(axis=1) @ V, p.sum(axis=0) @ H)):
        np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_ais_dans_son_intervalle():
    """eq-ais, vingt-quatre machines au hasard, de plus en plus contrastées : ln Z exact est dans l'intervalle, qui n'est pas large."""
    outside = 0
    for seed in range(24):
        rbm = machine(12, 8, seed=seed, scale=0.5 + seed / 24)
        exact, found = exact_log_partition(rbm).value, ais_log_partition(rbm, n_chains=100, betas=300, rng=seed)
        assert found.low < found.value < found.high < found.low + 2
        outside += not found.low <= exact <= found.high
    assert outside == 0


def test_ais_en_partant_des_donnees():
    rbm = machine(12, 8, scale=1.5)
    X = np.random.default_rng(0).random((50, 12)).round()
    found = ais_log_partition(rbm, X, n_chains=200, betas=np.linspace(0, 1, 400), rng=0)
    assert found.low <= exact_log_partition(rbm).value <= found.high


def test_ais_sans_poids_est_exact():
    rbm = machine(6, 4)
    rbm.weight_[:], rbm.hidden_bias_[:] = 0, 0
    exact = np.log(1 + np.exp(rbm.visible_bias_)).sum() + 4 * np.log(2)
    for value in ais_log_partition(rbm, n_chains=5, betas=3, rng=0):
        assert value == pytest.approx(exact, rel=1e-12)


def test_ais_d_une_gaussienne():
    for seed in range(5):
        rbm = machine(6, 8, seed=seed, scale=0.5, kind=GaussianRBM)
        found = ais_log_partition(rbm, n_chains=200, betas=400, rng=seed)
        assert found.low <= exact_log_partition(rbm).value <= found.high and found.high < found.low + 1


def test_calendrier_de_l_article():
    """Salakhutdinov et Murray (2008) : 500 β réguliers de 0 à 0,5, puis 4 000 jusqu'à 0,9, puis 10 000 jusqu'à 1."""
    betas = _checked_betas(14_501)
    np.testing.assert_allclose(betas[[0, 250, 500, 2500, 4500, 9500, 14_500]], [0, 0.25, 0.5, 0.7, 0.9, 0.95, 1], rtol=1e-12)


def test_ais_part_bien_des_donnees():
    """Une cachée toujours à 1, de poids ±ln 7 : les visibles suivent la loi du départ que donnent ces données, et aucun poids ne varie.

    Trois fois l'image (1, 0) : moyennes (3 + ½)/4 et ½/4, biais ±ln 7. Sans les données, on part de pile ou face.
    """
    rbm = machine(2, 1, scale=0)
    rbm.weight_[:], rbm.hidden_bias_[:] = [[np.log(7), -np.log(7)]], 40
    found, blind = (ais_log_partition(rbm, X, n_chains=20, betas=2, rng=0) for X in ([[1.0, 0]] * 3, None))
    assert found.value == pytest.approx(40 + np.log(8 * 8 / 7), rel=1e-12)
    assert found.high - found.low < 1e-9 and blind.high - blind.low > 0.1


def test_on_enumere_jusqu_a_la_limite_comprise(monkeypatch):
    monkeypatch.setattr("labcode.boltzmann.likelihood.ENUMERABLE", 4)
    assert np.isfinite(exact_log_partition(machine(6, 4)).value)
    with pytest.raises(ValueError, match="5 unités cachées"):
        exact_log_partition(machine(6, 5))


def test_plus_d_hypotheses_intermediaires_resserrent_l_intervalle():
    rbm = machine(12, 8, scale=1.5)
    width = [np.ptp([found.low, found.high]) for found in (ais_log_partition(rbm, betas=n, rng=0) for n in (30, 3000))]
    assert width[1] < width[0] / 2


def test_intervalle_prudent():
    """Les trois écarts-types : 95 % et plus des intervalles de cent essais contiennent la valeur."""
    rbm = machine(5, 4)
    exact = exact_log_partition(rbm).value
    inside = [found.low <= exact <= found.high for found in (ais_log_partition(rbm, n_chains=50, betas=20, rng=seed) for seed in range(100))]
    assert sum(inside) >= 95


def test_refus():
    with pytest.raises(ValueError, match="n'a encore rien appris"):
        ais_log_partition(RBM(3))
    with pytest.raises(ValueError, match="21 unités cachées, il y aurait 2.21 états"):
        exact_log_partition(machine(30, 21))
    with pytest.raises(ValueError, match="21 unités visibles"):
        exact_gradient(machine(21, 30), np.zeros((1, 21)))
    with pytest.raises(ValueError, match="21 unités cachées"):
        exact_log_partition(machine(3, 21, kind=GaussianRBM))
    for betas in ([0, 0.5], [0.1, 1], [0, 0.7, 0.6, 1], 1):
        with pytest.raises(ValueError, match="betas"):
            ais_log_partition(machine(), betas=betas)
    with pytest.raises(ValueError, match="n_chains"):
        ais_log_partition(machine(), n_chains=1)


def test_frequences_du_modele_et_esperances_s_accordent():
    rbm = machine(seed=3)
    frequencies = np.bincount(sample_indices(rbm.sample(20_000, 60, rng=1)), minlength=16) / 20_000
    np.testing.assert_allclose(frequencies @ bits(4), exact_expectations(rbm)[1], atol=0.015)
