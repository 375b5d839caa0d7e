"""Les expériences du §3.1 de la source 001 : mesures justes, pures, et figures qui se dessinent."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import scipy.special

from labcode import nn
from labcode.experiments import activation, initialization, learning_rate, run_experiment
from labcode.nn.init import initialize

SMALL = {"lr": 0.1, "batch_size": 100, "epochs": 2, "n_train": 1000, "n_test": 500}
CURVES = [f"{part}_{measure}" for part in ("train", "test") for measure in ("loss", "error")]


def measured(seed=0, **changes):
    return initialization.run(SMALL | {"scheme": "xavier_normal", "loss": "mse", "biases": "same"} | changes, seed)


def test_essai_pur():
    assert measured() == measured()
    assert measured() != measured(seed=1)


def test_courbes_et_confusion():
    """Une valeur par époque, la dernière à part ; la confusion compte chaque image de test une fois."""
    metrics = measured(loss="bce")
    for name in CURVES:
        assert len(metrics[f"{name}_curve"]) == 2 and metrics[f"{name}_curve"][-1] == metrics[name]
    confusion = np.array(metrics["confusion"])
    _, (X_test, Y_test) = initialization.fashion(1000, 500)
    assert np.array_equal(confusion.sum(axis=1), Y_test.sum(axis=0))
    assert 1 - np.trace(confusion) / 500 == pytest.approx(metrics["test_error"])
    assert metrics["diverged"] == 0


@pytest.mark.parametrize("loss, factor", [("mse", 2 / 4), ("bce", 1)])
def test_gradient_de_depart_a_zero(loss, factor):
    """Partie de zéro, toute sortie vaut ½ : le gradient s'écrit à la main, σ' = ¼ pour l'erreur quadratique."""
    (X, Y), _ = initialization.fashion(1000, 500)
    extended = np.hstack([X, np.ones((1000, 1))]).astype(float)
    expected = np.linalg.norm(factor * (0.5 - Y).T @ extended) / 1000
    assert measured(scheme="zeros", loss=loss)["gradient_norm_start"] == pytest.approx(expected, rel=1e-4)


def test_etat_de_la_couche():
    """Quantiles et parts de sorties saturées ou éteintes, contre scipy en float64."""
    (X, _), _ = initialization.fashion(1000, 500)
    layer = initialize(nn.Linear(784, 10), "normal", biases="same", rng=3)
    state = initialization.layer_state(layer, X, "start")
    potentials = X.astype(float) @ layer.weight.data.T.astype(float) + layer.bias.data
    slope = scipy.special.expit(potentials) * scipy.special.expit(-potentials)
    assert state["saturated_start"] == pytest.approx(np.mean(slope < 0.01), abs=2e-3)
    assert state["dead_start"] == pytest.approx(np.mean((potentials > 16.64) | (potentials < -104)), abs=5e-3)
    assert state["weights_start"][3] == pytest.approx(np.median(layer.weight.data), abs=1e-5)
    assert state["weights_start"][-1] == pytest.approx(layer.weight.data.max(), rel=1e-4)


def test_uns_saturent_et_les_logits_en_sortent():
    frozen, freed = measured(scheme="ones"), measured(scheme="ones", loss="bce", epochs=20)
    assert frozen["gradient_norm_start"] < 1e-6 and frozen["dead_start"] > 0.99
    assert frozen["weights_end"] == frozen["weights_start"] and frozen["test_error"] > 0.85
    assert freed["gradient_norm_start"] > 1 and freed["test_error"] < 0.6


def test_divergence_notee():
    """Une identité en sortie, à un taux trop grand : les courbes finissent par des NaN, l'essai n'échoue pas."""
    config = SMALL | {"place": "sortie", "activation": "identity", "epochs": 5}
    metrics = activation.run(config, seed=0)
    assert metrics["diverged"] == 1 and np.isnan(metrics["test_error"]) and len(metrics["test_error_curve"]) == 5


@pytest.mark.parametrize("name, derivative", [("relu", lambda z: z > 0), ("softplus", scipy.special.expit)])
def test_gradient_de_depart_d_une_activation(name, derivative):
    """En sortie, ∇W = (2/N) [(φ(ỹ) − Y) ⊙ φ'(ỹ)]ᵀ X, refait en float64."""
    (X, Y), _ = initialization.fashion(1000, 500)
    layer = initialize(nn.Linear(784, 10), "kaiming_normal", rng=np.random.default_rng(5))
    y_tilde = X.astype(float) @ layer.weight.data.T.astype(float)
    value = {"relu": np.maximum(y_tilde, 0), "softplus": np.logaddexp(0, y_tilde)}[name]
    delta = 2 / 1000 * (value - Y) * derivative(y_tilde)
    expected = np.hypot(np.linalg.norm(delta.T @ X), np.linalg.norm(delta.sum(axis=0)))
    found = activation.run(SMALL | {"place": "sortie", "activation": name, "epochs": 1}, seed=5)
    assert found["gradient_norm_start"] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("module", [initialization, learning_rate, activation])
def test_grille_rapide_et_figure(module, tmp_path):
    """Toute la grille se calcule et se dessine ; la grille complète a les mêmes configurations, à l'échelle de la source."""
    experiment = module.experiment
    results = run_experiment(experiment, "rapide", seeds=2, progress=False, folder=tmp_path)
    figure = experiment.figure(results)
    assert all(len(ax.lines) >= 6 for ax in figure.axes[1:])
    plt.close(figure)
    scale = ("epochs", "n_train", "n_test")
    shapes = [[{k: v for k, v in config.items() if k not in scale} for config in experiment.grids[size]]
              for size in ("rapide", "complet")]
    assert shapes[0] == shapes[1] and experiment.seeds["complet"] == 5
    assert all(config["n_train"] == 60000 and config["n_test"] == 10000 for config in experiment.grids["complet"])
