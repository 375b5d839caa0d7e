"""Les activations de la source 001 (§3.1.3), à ses deux places possibles, sur Fashion-MNIST.

« sortie » est le réseau de la source, Linear(784, 10) → φ, d'erreur quadratique ; le log-softmax, dont la sortie n'est pas
une probabilité, y reçoit l'entropie croisée. « cachée » est Linear(784, 100) → φ → Linear(100, 10) et l'entropie
croisée : la place où une activation change ce que le réseau peut représenter.
"""

import matplotlib.pyplot as plt
import numpy as np

from labcode import nn
from labcode.experiments import Experiment, product
from labcode.experiments.initialization import LOSSES, draw_curve, fashion, gradient_norm, learn
from labcode.nn.init import initialize

ACTIVATIONS = {"identity": nn.Identity, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU,
               "leaky_relu": nn.LeakyReLU, "softplus": nn.Softplus, "softmax": nn.Softmax, "log_softmax": nn.Identity}
HIDDEN = [name for name in ACTIVATIONS if "softmax" not in name]
WITH_KAIMING = ("relu", "leaky_relu", "softplus")
NAMES = {"identity": "identité", "sigmoid": "sigmoïde", "log_softmax": "log-softmax", "leaky_relu": "LeakyReLU",
         "relu": "ReLU"}


def run(config, seed):
    """Un apprentissage complet : les courbes, et la norme du gradient au départ."""
    rng = np.random.default_rng(seed)
    phi = ACTIVATIONS[config["activation"]]()  # log_softmax : le log-softmax est dans l'entropie croisée
    if config["place"] == "sortie":
        model = nn.Sequential(nn.Linear(784, 10), phi)
    else:
        model = nn.Sequential(nn.Linear(784, 100), phi, nn.Linear(100, 10))
    scheme = "kaiming_normal" if config["activation"] in WITH_KAIMING else "xavier_normal"
    initialize(model, scheme, rng=rng)
    quadratic = config["place"] == "sortie" and config["activation"] != "log_softmax"
    loss = LOSSES["mse" if quadratic else "cross_entropy"]()
    start = gradient_norm(model, loss, *fashion(config["n_train"], config["n_test"])[0])
    return {"gradient_norm_start": start} | learn(model, loss, config, rng)


def figure(results):
    """Erreur de test selon l'époque : en sortie à deux taux, puis en couche cachée ; moyenne et intervalle à 95 %."""
    canvas, axes = plt.subplots(1, 3, figsize=(7.8, 4.6))
    frames = (("sortie", 0.005, list(ACTIVATIONS)), ("sortie", 0.1, list(ACTIVATIONS)), ("cachée", 0.03, HIDDEN))
    for ax, (place, lr, names) in zip(axes, frames):
        for rank, name in enumerate(names):
            draw_curve(ax, results.values("test_error_curve", place=place, lr=lr, activation=name), NAMES.get(name, name), rank)
        ax.set(title=f"{place}, η = {lr:g}".replace(".", ","), xlabel="époque", ylim=(0, 100) if place == "sortie" else (12, 26))
    axes[0].set_ylabel("erreur de test (%)")
    canvas.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=10)
    return canvas


def grid(n_train, n_test, output_epochs, hidden_epochs):
    """Huit activations en sortie, à deux taux ; six en couche cachée."""
    data = {"n_train": [n_train], "n_test": [n_test]}
    return (product(place=["sortie"], activation=list(ACTIVATIONS), lr=[0.005, 0.1], batch_size=[256],
                    epochs=[output_epochs], **data)
            + product(place=["cachée"], activation=HIDDEN, lr=[0.03], batch_size=[64], epochs=[hidden_epochs], **data))


experiment = Experiment(name="activation", title="Huit activations sur Fashion-MNIST", source="001 §3.1.3", run=run,
                        grids={"rapide": grid(5000, 1000, 3, 2), "complet": grid(60000, 10000, 20, 8)},
                        seeds={"rapide": 2, "complet": 5}, figure=figure)
