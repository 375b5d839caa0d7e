"""Le DBN : empilement, montée et descente, tirages, borne variationnelle."""

import numpy as np
import pytest
from machines import bits, joint, machine, sample_indices
from scipy.stats import chisquare

from labcode.boltzmann import DBN, RBM, GaussianRBM, dbn_lower_bound, exact_log_partition, log_likelihood

X = np.random.default_rng(0).random((40, 6)).round()


def stack(*sizes, seed=0):
    """Un DBN dont les machines ont des poids tirés au hasard."""
    dbn = DBN([RBM(q) for q in sizes[1:]], rng=0).initialize(sizes[0], np.float64)
    dbn.rbms_ = [machine(p, q, seed=seed + i) for i, (p, q) in enumerate(zip(sizes, sizes[1:]))]
    return dbn


def test_apprentissage_glouton():
    """Chaque machine est celle que l'on aurait apprise à part, sur les probabilités cachées de la précédente (eq-dbn-greedy)."""
    dbn = DBN([RBM(5, n_epochs=3, rng=1), RBM(4, n_epochs=2, k=2, rng=2), RBM(3, n_epochs=1, rng=3)]).fit(X)
    data = X
    for rbm, alone in zip(dbn.rbms_, (RBM(5, n_epochs=3, rng=1), RBM(4, n_epochs=2, k=2, rng=2), RBM(3, n_epochs=1, rng=3))):
        np.testing.assert_array_equal(rbm.weight_, alone.fit(data).weight_)
        data = alone.transform(data)
    np.testing.assert_array_equal(dbn.transform(X), data)
    assert not hasattr(dbn.rbms[0], "weight_")  # les réglages restent des réglages


def test_meme_graine_memes_bits():
    first, second = (DBN([RBM(5, n_epochs=2), RBM(4, n_epochs=2)], rng=0).fit(X) for _ in range(2))
    for one, other in zip(first.rbms_, second.rbms_):
        np.testing.assert_array_equal(one.weight_, other.weight_)


def test_montee_et_descente():
    dbn = stack(4, 3, 2)
    sigmoid = lambda x: 1 / (1 + np.exp(-x))
    first, second = dbn.rbms_
    h1 = sigmoid(bits(4) @ first.weight_.T + first.hidden_bias_)
    h2 = sigmoid(h1 @ second.weight_.T + second.hidden_bias_)
    np.testing.assert_allclose(dbn.transform(bits(4)), h2, rtol=1e-12)
    back = sigmoid(sigmoid(h2 @ second.weight_ + second.visible_bias_) @ first.weight_ + first.visible_bias_)
    np.testing.assert_allclose(dbn.reconstruct(bits(4)), back, rtol=1e-12)


def test_montee_par_tirages():
    dbn = stack(4, 3, 2)
    low, high = dbn.up(np.tile([1.0, 0, 1, 1], (20_000, 1)), rng=0)
    p = dbn.rbms_[0].hidden_probabilities([[1.0, 0, 1, 1]])[0]
    np.testing.assert_allclose(low.mean(axis=0), p, atol=0.015)
    expected = np.mean([dbn.rbms_[1].hidden_probabilities(low)], axis=(0, 1))
    np.testing.assert_allclose(high.mean(axis=0), expected, atol=0.015)


def test_frequences_des_tirages():
    """p(v) = Σ p(v | h) p(h | h') p_sommet(h') (eq-dbn-generate), exacte, contre 20 000 tirages."""
    dbn = stack(3, 4, 3, 3, seed=5)
    dbn.rbms_[0].weight_ *= 6  # descendre des probabilités au lieu de tirages donnerait une tout autre loi
    low, middle = (p / p.sum(axis=0) for p in map(joint, dbn.rbms_[:2]))  # p(dessous | dessus)
    p = low @ middle @ joint(dbn.rbms_[2]).sum(axis=1)
    V = dbn.sample(20_000, 60, rng=1)
    assert chisquare(np.bincount(sample_indices(V), minlength=8), 20_000 * p).pvalue > 1e-3
    mean = dbn.sample(20_000, 60, probabilities=True, rng=1).mean(axis=0)
    np.testing.assert_allclose(mean, p @ bits(3), atol=0.015)


@pytest.mark.parametrize("n_steps, clamped", [(0, None), (6, np.ones(3, bool))], ids=["sans pas", "tout figé"])
def test_depart_et_masque_vont_au_sommet(n_steps, clamped):
    """Sans aucun pas, ou tout étant figé, le sommet garde l'état donné : les visibles ont la probabilité σ(b + Wᵀh)."""
    dbn, h = stack(4, 3, 2), np.array([1.0, 0, 1])
    low = dbn.rbms_[0]
    expected = 1 / (1 + np.exp(-(low.weight_[0] + low.weight_[2] + low.visible_bias_)))
    found = dbn.sample(3, n_steps, start=h, clamped=clamped, probabilities=True, rng=0)
    np.testing.assert_allclose(found, np.tile(expected, (3, 1)), rtol=1e-12)


def test_une_seule_machine():
    dbn = DBN([RBM(3, n_epochs=2)], rng=0).fit(X)
    np.testing.assert_array_equal(dbn.sample(5, 10, rng=0), dbn[0].sample(5, 10, rng=0))
    log_z = exact_log_partition(dbn[0])
    np.testing.assert_allclose(dbn_lower_bound(dbn, X, log_z, rng=0), log_likelihood(dbn[0], X), rtol=1e-6)


def test_borne_atteinte_quand_le_sommet_retourne_la_base():
    """Une seconde machine, transposée de la première, ne change pas p(v) : la borne est exacte (Hinton et al., 2006)."""
    dbn = stack(4, 3, 4)
    low, top = dbn.rbms_
    top.weight_[:], top.visible_bias_[:], top.hidden_bias_[:] = low.weight_.T, low.hidden_bias_, low.visible_bias_
    bound = dbn_lower_bound(dbn, bits(4), exact_log_partition(top), rng=0)
    np.testing.assert_allclose(np.exp(bound), joint(low).sum(axis=1), rtol=1e-6)


def test_borne_en_dessous_de_la_log_vraisemblance():
    """eq-dbn-bound, sommée sur tous les états cachés, et en dessous de ln p(v), exacte elle aussi."""
    dbn = stack(4, 3, 3)
    low = joint(dbn.rbms_[0])
    p = (low / low.sum(axis=0)) @ joint(dbn.rbms_[1]).sum(axis=1)
    bound = dbn_lower_bound(dbn, bits(4), exact_log_partition(dbn.rbms_[1]), n_samples=4000, rng=0)
    q = low / low.sum(axis=1, keepdims=True)
    exact = (q * (np.log(low / low.sum(axis=0)) + np.log(joint(dbn.rbms_[1]).sum(axis=1)) - np.log(q))).sum(axis=1)
    np.testing.assert_allclose(bound, exact, atol=0.06)
    assert (exact < np.log(p)).all() and (bound < np.log(p)).all()


def test_borne_d_une_base_gaussienne():
    dbn = DBN([GaussianRBM(3), RBM(2)], rng=0).initialize(2, np.float64)
    low, top = dbn.rbms_ = [machine(2, 3, kind=GaussianRBM), machine(3, 2, seed=1)]
    top.weight_[:] = 0  # le sommet est un produit de Bernoulli
    V, H = np.random.default_rng(0).normal(size=(3, 2)), bits(3)
    prior = np.prod(np.where(H == 1, 1, np.exp(-top.visible_bias_)) / (1 + np.exp(-top.visible_bias_)), axis=1)
    centers = low.visible_bias_ + H @ low.weight_
    likelihood = np.exp(-0.5 * ((V[:, None] - centers) ** 2).sum(axis=2)) / (2 * np.pi)
    q = np.array([np.prod(np.where(H == 1, p, 1 - p), axis=1) for p in low.hidden_probabilities(V)])
    exact = (q * (np.log(likelihood * prior) - np.log(q))).sum(axis=1)
    bound = dbn_lower_bound(dbn, V, exact_log_partition(top), n_samples=4000, rng=0)
    np.testing.assert_allclose(bound, exact, atol=0.1)


def test_cent_couches():
    dbn = DBN([RBM(7, n_epochs=1) for _ in range(100)], rng=0).fit(X)
    assert dbn.transform(X).shape == (40, 7) and np.isin(dbn.sample(2, 3, rng=0), (0, 1)).all()


def test_premieres_couches_partagees():
    dbn = stack(4, 3, 2, 5)
    part = dbn[:2]
    assert len(part.rbms_) == 2 and part.rbms_[1].weight_ is dbn.rbms_[1].weight_
    np.testing.assert_array_equal(part.transform(bits(4)), dbn.rbms_[1].transform(dbn.rbms_[0].transform(bits(4))))


def test_interruption_arrete_la_pile(monkeypatch, capsys):
    dbn = DBN([RBM(5, n_epochs=3), RBM(4, n_epochs=3)], rng=0)

    def interrupted(self, X, order):
        raise KeyboardInterrupt

    monkeypatch.setattr(RBM, "_epoch", interrupted)
    dbn.fit(X)
    assert [rbm.interrupted_ for rbm in dbn.rbms_] == [True, False]


def test_refus():
    for rbms in ([], RBM(3), [3, 4]):
        with pytest.raises(TypeError, match="liste non vide de RBM attendue"):
            DBN(rbms).fit(X)
    with pytest.raises(ValueError, match="valeurs de 0 à 255"):
        DBN([RBM(3)]).fit(X * 255)
    with pytest.raises(ValueError, match="n'a encore rien appris"):
        DBN([RBM(3)]).sample()
    with pytest.raises(ValueError, match="colonnes reçues, 6 attendues"):
        DBN([RBM(3, n_epochs=1)], rng=0).fit(X).transform(X[:, :2])


def test_clone_et_pipeline():
    from sklearn.base import clone
    from sklearn.pipeline import make_pipeline

    dbn = DBN([RBM(5, n_epochs=1), RBM(4, n_epochs=1)], rng=0)
    copy = clone(dbn)
    assert copy.rbms[0] is not dbn.rbms[0] and copy.rbms[0].get_params() == dbn.rbms[0].get_params()
    np.testing.assert_array_equal(make_pipeline(dbn).fit_transform(X), copy.fit_transform(X))
