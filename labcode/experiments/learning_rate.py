"""Le taux d'apprentissage (source 001, §3.1.2) : la même couche, Linear(784, 10) → Sigmoid, de taux 0,0001 à 100.

Perte quadratique, initialisation de Glorot, lots de 256 : la source ne donne ni ses taux, ni ces réglages.
"""

import matplotlib.pyplot as plt
import numpy as np

from labcode.experiments import Experiment, mean_interval, product
from labcode.experiments.initialization import draw_curve, run

RATES = (0.0001, 0.001, 0.01, 0.1, 1.0, 10.0, 100.0)


def figure(results):
    """Erreur de test finale selon le taux, et courbes par époque ; moyenne et intervalle à 95 %."""
    canvas, (left, right) = plt.subplots(1, 2, figsize=(7.6, 4.6))
    finals = [mean_interval(results.values("test_error", lr=lr)) for lr in RATES]
    mean, half = 100 * np.array(finals).T
    left.errorbar(RATES, mean, half, fmt="o-", capsize=4)
    left.set(xscale="log", xlabel="taux η", ylabel="erreur de test (%)", ylim=(0, 100))
    for rank, lr in enumerate(RATES):
        draw_curve(right, results.values("test_error_curve", lr=lr), f"η = {lr:g}".replace(".", ","), rank)
    right.set(xscale="log", xlabel="époque", ylim=(0, 100))
    canvas.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=10)
    return canvas


def grid(n_train, n_test, epochs):
    """Sept taux, tout le reste fixé."""
    return product(lr=list(RATES), scheme=["xavier_normal"], loss=["mse"], biases=["zeros"], batch_size=[256],
                   epochs=[epochs], n_train=[n_train], n_test=[n_test])


experiment = Experiment(name="taux", title="Le taux d'apprentissage d'une couche sur Fashion-MNIST", source="001 §3.1.2",
                        run=run, grids={"rapide": grid(5000, 1000, 5), "complet": grid(60000, 10000, 50)},
                        seeds={"rapide": 2, "complet": 5}, figure=figure)
