"""La vraisemblance d'une machine de Boltzmann restreinte 784-500 sur MNIST, selon la façon de l'apprendre.

Salakhutdinov et Murray (2008) l'estiment par AIS : environ −125,5 nats par image de test pour CD-1, −86,34 pour CD-25. Les
pixels sont tirés, une fois par graine, avec leur niveau de gris pour probabilité. Le taux descend linéairement jusqu'à 0 :
sans cela la divergence persistante reste bruitée.
"""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np

from labcode.boltzmann import RBM, ais_log_partition, log_likelihood
from labcode.datasets import load_mnist
from labcode.experiments import Experiment, product
from labcode.experiments.initialization import rounded
from labcode.figures import COLORS

NAMES = {"cd-1": "CD-1", "cd-5": "CD-5", "cd-25": "CD-25", "pcd": "PCD"}
PUBLISHED = {"cd-1": -125.53, "cd-25": -86.34}  # Salakhutdinov et Murray (2008), test
mnist = cache(load_mnist)


def run(config, seed):
    """Un apprentissage ; tous les ``every`` époques, ln Z par AIS rapide ; à la fin, par AIS soigneux, avec son intervalle."""
    rng = np.random.default_rng(seed)
    X, X_test = (drawn(images, rng) for images in (mnist().X_train[:config["n_train"]], mnist().X_test[:config["n_test"]]))
    persistent, k = config["method"] == "pcd", int(config["method"].partition("-")[2] or 1)
    epochs, every = config["epochs"], config["every"]
    rbm = RBM(500, learning_rate=lambda epoch: config["rate"] * (1 - (epoch - 1) / epochs), batch_size=100, n_epochs=every, k=k,
              persistent=persistent, data_bias=True, rng=rng).initialize(784)
    curve = []
    for _ in range(epochs // every):
        rbm.train(X)
        curve.append(log_likelihood(rbm, X_test, ais_log_partition(rbm, X, betas=config["betas"] // 10, rng=rng)).mean())
    log_z = ais_log_partition(rbm, X, betas=config["betas"], rng=rng)
    test = [log_likelihood(rbm, X_test, z).mean() for z in (log_z.value, log_z.high, log_z.low)]
    return {"log_likelihood_curve": rounded(curve), "reconstruction_curve": rounded(rbm.history_["reconstruction_error"]),
            "reconstruction_error": rounded(rbm.history_["reconstruction_error"][-1]),
            "test_log_likelihood": rounded(test[0]), "test_log_likelihood_low": rounded(test[1]), "test_log_likelihood_high": rounded(test[2]),
            "train_log_likelihood": rounded(log_likelihood(rbm, X[:len(X_test)], log_z).mean()), "log_z": rounded(log_z.value)}


def drawn(images, rng):
    """Chaque pixel tiré, 1 avec la probabilité que donne son niveau de gris."""
    return (rng.random(images.shape, np.float32) < images).astype(np.float32)


def figure(results):
    """Log-vraisemblance de test et erreur de reconstruction selon l'époque : une couleur par méthode, une courbe par graine."""
    canvas, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8))
    for config, color in zip(results.configs, COLORS):
        count = len(results.seeds(method=config["method"]))
        label = f"{NAMES[config['method']]}, {count} graine{'s' * (count > 1)}"
        for ax, metric, every in ((left, "log_likelihood_curve", config["every"]), (right, "reconstruction_curve", 1)):
            curves = results.values(metric, method=config["method"]).T
            lines = ax.plot(every * np.arange(1, len(curves) + 1), curves, color=color, lw=1.5)
            lines[0].set_label(label)
    for method, style in zip(PUBLISHED, (":", "--")):
        left.axhline(PUBLISHED[method], color="0.5", linestyle=style, label=f"{NAMES[method]} (2008)")
    left.set(xlabel="époque", ylabel="log-vraisemblance de test (nats)", ylim=(-180, -80))
    right.set(xlabel="époque", ylabel="erreur de reconstruction", yscale="log")
    left.legend(fontsize=9)
    return canvas


def grid(n_train, n_test, epochs, few_epochs, every, betas):
    """Quatre façons d'apprendre ; CD-25, vingt fois plus cher par époque, en fait moins."""
    fixed = {"rate": [0.05], "every": [every], "betas": [betas], "n_train": [n_train], "n_test": [n_test]}
    return (product(method=["pcd", "cd-1"], epochs=[epochs], **fixed) + product(method=["cd-5", "cd-25"], epochs=[few_epochs], **fixed))


experiment = Experiment(
    name="rbm-vraisemblance", title="Vraisemblance d'une machine 784-500 sur MNIST, selon l'apprentissage",
    source="Salakhutdinov et Murray, 2008", run=run,
    grids={"rapide": grid(500, 200, 2, 2, 1, 50), "complet": grid(60000, 10000, 60, 20, 5, 10000)},
    seeds={"rapide": 1, "complet": 3}, figure=figure)
