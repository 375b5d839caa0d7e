"""Ce que les chapitres disent des résultats rangés, là où aucune cellule ne le vérifie déjà."""

from itertools import pairwise

import numpy as np
import pytest

from labcode.experiments import load_results, mean_interval, regularization


def test_chapitre_6_les_forces_retenues_au_bord_de_la_grille():
    """Étiquettes exactes : la plus faible pénalité ; fausses : la plus forte L1, dont l'intervalle de gain frôle zéro."""
    results = load_results("regularisation", size="complet")
    for method in ("l1", "l2"):
        assert regularization.chosen(results, method, label_noise=0.0) == min(regularization.STRENGTHS[method])
    strength = regularization.chosen(results, "l1", label_noise=0.2)
    assert strength == max(regularization.STRENGTHS["l1"])
    plain = results.values("test_error", method="none", label_noise=0.2)
    gain, half = mean_interval(plain - results.values("test_error", method="l1", strength=strength, label_noise=0.2))
    assert 0 < gain - half < 0.002


def test_chapitre_8_la_vraisemblance_monte_avec_k():
    """CD-5 et CD-25 finissent entre CD-1 et PCD, quelle que soit la graine."""
    results = load_results("rbm-vraisemblance", size="complet")
    ends = [results.values("test_log_likelihood", method=method) for method in ("cd-1", "cd-5", "cd-25", "pcd")]
    assert all(low.max() < high.min() for low, high in pairwise(ends))


def test_chapitre_9_dix_noms_neuf_a_deux_couches():
    """L'étiquette figée rappelle les dix caractères à une et à cinq couches, neuf à deux."""
    results = load_results("dbn-alphadigits", size="complet")
    named = {"characters": "24BZ9PTN0K", "labels": True}
    np.testing.assert_array_equal(results.values("depths", **named)[0], [1, 2, 5])
    assert (results.values("labelled_present", **named) == [10, 9, 10]).all()


def test_chapitre_9_le_w_selon_la_profondeur():
    """Trois piles de cent couches et celle de mille : « W » rare à deux couches, presque sûr à cinq, variable ensuite."""
    found = {depth: [] for depth in (2, 5, 10, 50, 100)}
    for name in ("dbn-alphadigits", "dbn-alphadigits-extremes"):
        results = load_results(name, size="complet")
        depths = results.values("depths", characters="W")[0]
        for depth, shares in found.items():
            shares.extend(results.values("source_recognised", characters="W")[:, depths == depth].ravel())
    assert {depth: len(shares) for depth, shares in found.items()} == dict.fromkeys(found, 4)
    assert max(found[2]) < 0.2 and min(found[5]) > 0.9
    assert min(found[10]) == pytest.approx(0.02, abs=0.01) and max(found[10]) == pytest.approx(0.4, abs=0.05)
    late = found[50] + found[100]
    assert min(late) == pytest.approx(0.25, abs=0.05) and 2 / 3 < max(late) < 0.7


def test_chapitre_10_cent_neurones_l_intervalle_contient_zero():
    """Le pré-entraîné devance l'autre aux cinq graines, et pourtant zéro n'est pas exclu."""
    results = load_results("preentrainement-binaire-reduit", size="complet")
    random, helped = (results.values("test_error", depth=2, width=100, start=start) for start in ("random", "train_only"))
    gain, half = mean_interval(random - helped)
    assert (random > helped).all() and len(random) == 5 and gain < half
