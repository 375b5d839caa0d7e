"""Les expériences de la source 003 : la régularisation (§4.2.7) et Layca (§4.2.9)."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest

from labcode import datasets
from labcode.experiments import layca, regularization
from labcode.experiments.store import Record, Results, key
from labcode.nn import Parameter


@pytest.fixture
def few_images(monkeypatch):
    """Cent exemples pour apprendre, cent pour valider, deux cents de test."""
    data = datasets.load_mnist()
    short = SimpleNamespace(X_train=data.X_train, y_train=data.y_train, X_test=data.X_test[:200], y_test=data.y_test[:200])
    monkeypatch.setattr(regularization, "mnist", lambda: short)
    monkeypatch.setattr(regularization, "SIZE", 100)
    prepared = layca.mnist()
    monkeypatch.setattr(layca, "mnist", lambda: (*prepared[:2], prepared[2][:200], prepared[3][:200]))


def stored(grid, measure):
    """Des résultats inventés, comme le magasin les rendrait : deux graines de chaque configuration."""
    records = {key(config, seed): Record(config, seed, measure(config, seed), 1, "", {}, "", "") for config in grid for seed in (0, 1)}
    return Results("essai", "complet", grid, records)


# --- Régularisation ---


def test_etiquettes_faussees():
    """Une étiquette fausse n'est jamais la vraie, et peut être n'importe quelle autre ; la validation n'en a pas."""
    (X, y), (X_val, y_val) = regularization.examples(0.0, np.random.default_rng(0))
    (X_wrong, y_wrong), (_, y_val_wrong) = regularization.examples(1.0, np.random.default_rng(0))
    order, data = np.random.default_rng(0).permutation(60_000), datasets.load_mnist()
    np.testing.assert_array_equal(y, data.y_train[order[:1000]])
    np.testing.assert_array_equal(X_val, data.X_train[order[1000:2000]])
    assert np.bincount((y_wrong - y) % 10, minlength=10)[0] == 0 and (np.bincount((y_wrong - y) % 10, minlength=10)[1:] > 70).all()
    np.testing.assert_array_equal(X, X_wrong)
    np.testing.assert_array_equal(y_val, y_val_wrong)
    (_, y_some), _ = regularization.examples(0.2, np.random.default_rng(0))
    assert np.mean(y_some != y) == pytest.approx(0.2, abs=0.04)


def test_chaque_methode_change_l_apprentissage(few_images):
    """Même graine, onze apprentissages différents ; l'arrêt anticipé, lui, n'a pas le temps d'arrêter quoi que ce soit."""
    found = {method: regularization.run({"method": method, "strength": strengths[-1], "label_noise": 0.2, "epochs": 4}, 0)
             for method, strengths in regularization.STRENGTHS.items()}
    assert found.pop("early_stopping") == found["none"]
    assert len({metrics["train_loss"] for metrics in found.values()}) == len(found) == 11
    for plain, others in (("none", ("l1", "l2", "decay")), ("adam", ("adam_l2", "adamw"))):
        assert all(found[other]["weight_norm"] < found[plain]["weight_norm"] for other in others)
    assert found["l1"]["near_zero"] > found["none"]["near_zero"]
    assert found["l2"] == regularization.run({"method": "l2", "strength": 3e-2, "label_noise": 0.2, "epochs": 4}, 0)


@pytest.mark.parametrize("method, strength, factor", [("none", None, 1), ("l2", 0.1, 1), ("adam_l2", 0.1, 1), ("decay", 0.2, 1 - 0.05 * 0.2),
                                                      ("adamw", 30, 1 - 0.001 * 30)])
def test_decroissance_decouplee(method, strength, factor):
    """À gradient nul, seules « decay » et « adamw » réduisent les poids, de ηλ, et jamais les biais."""
    weight, bias = Parameter(np.full((2, 3), 5.0)), Parameter(np.full(2, 7.0))
    regularization.make_optimizer(method, strength, [weight, bias]).step()
    np.testing.assert_allclose(weight.data, 5 * factor, rtol=1e-12)
    np.testing.assert_array_equal(bias.data, 7)


def test_la_validation_choisit_et_la_figure_montre_le_test():
    """La force choisie est la meilleure en validation, en moyenne, et non en test ; la figure en donne l'erreur de test."""
    grid = regularization.experiment.grids["complet"]

    def measure(config, seed):
        rank = regularization.STRENGTHS[config["method"]].index(config["strength"])
        return {"val_error": 0.3 - 0.1 * (rank == 1) - 0.25 * (rank == 2) * seed + 0.2 * (rank == 2), "test_error": 0.2 + rank / 50, "test_loss": 1.0}

    results = stored(grid, measure)
    assert regularization.chosen(results, "l2", label_noise=0.2) == 3e-3 and regularization.chosen(results, "adam", label_noise=0.0) is None
    figure = regularization.figure(results)
    x, rows = figure.axes[0].containers[0].lines[0].get_data()
    expected = [22 if len(strengths) > 1 else 20 for strengths in regularization.STRENGTHS.values()]
    np.testing.assert_allclose(x, expected)
    assert list(rows) == list(range(11, -1, -1)) and len(figure.axes) == 4
    plt.close(figure)
    assert len(grid) == 2 * sum(map(len, regularization.STRENGTHS.values())) and {config["epochs"] for config in grid} == {50}


# --- Layca ---


def test_images_reduites_par_celles_d_apprentissage():
    """Une seule moyenne et un seul écart-type, ceux de toutes les images d'apprentissage, pour le test aussi."""
    data, (X, _, X_test, _) = datasets.load_mnist(), layca.mnist()
    mean, std = np.mean(data.X_train, dtype=float), np.std(data.X_train, dtype=float)
    assert (mean, std) == pytest.approx((0.1307, 0.3081), abs=1e-4)
    for found, raw in ((X, data.X_train), (X_test, data.X_test)):
        np.testing.assert_allclose(found[:50] * std + mean, raw[:50], atol=1e-4)


def test_autant_d_exemples_de_chaque_chiffre():
    y = np.random.default_rng(0).integers(0, 10, 500)
    chosen = layca.subset(y, 20, np.random.default_rng(1))
    assert len(set(chosen)) == 200 and np.bincount(y[chosen]).tolist() == [20] * 10


def test_rotation_et_division_du_taux(few_images):
    """Un seul lot par époque : le premier pas tourne d'arctan ρ exactement, le second, après la division, d'arctan ρ/5."""
    config = {"exponent": -2.0, "decay_epoch": 1, "n_per_class": 2, "epochs": 2, "batch_size": 20}
    metrics = layca.run(config, 0)
    np.testing.assert_equal(layca.run(config, 0), metrics)
    for name in ("hidden_rotation_curve", "output_rotation_curve"):
        first, both = np.arccos(1 - np.array(metrics[name]))
        assert first == pytest.approx(np.arctan(1 / 9), abs=1e-4)
        assert abs(both - first) <= np.arctan(1 / 45) + 1e-4


def test_grilles_de_layca_et_figure():
    """La division par 5 aux époques 90, 95, 95 et jamais sur cent ; à la même part des vingt époques de la grille rapide."""
    for size, epochs, decays in (("complet", 100, [90, 95, 95, None]), ("rapide", 20, [18, 19, 19, None])):
        grid = layca.experiment.grids[size]
        assert [config["exponent"] for config in grid] == [-2, -2.5, -3, -4] and [config["decay_epoch"] for config in grid] == decays
        assert {config["epochs"] for config in grid} == {epochs}
    assert {(config["n_per_class"], config["batch_size"]) for config in layca.experiment.grids["complet"]} == {(1000, 2048)}
    results = stored(layca.experiment.grids["complet"], lambda config, seed: {"test_error": -config["exponent"] / 100 + seed / 50,
                                                                              "hidden_rotation_curve": [0.1 + seed, 0.3 + seed]})
    left, right = (figure := layca.figure(results)).axes
    np.testing.assert_allclose(left.containers[0].lines[0].get_ydata(), [3, 3.5, 4, 5])
    np.testing.assert_allclose(left.lines[-1].get_ydata(), [3.25, 3.4, 3.46, 4.19])
    assert len(right.lines) == 4 and right.lines[0].get_ydata() == pytest.approx([0.6, 0.8])
    plt.close(figure)
