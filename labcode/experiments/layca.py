"""Layca sur MNIST, réglé comme dans le code de ses auteurs : plus chaque couche tourne, mieux le réseau généralise.

Carbonnelle et De Vleeschouwer (2019) : 784-784 (normalisation par lots, ReLU)-10, mille exemples par chiffre, lots de 2048,
cent époques, descente de gradient sans inertie. Le taux de rotation ρ est divisé par 5 après l'époque 90 ou 95, jamais pour
le plus petit. Le code des auteurs est en Keras, dont on reprend les valeurs par défaut : poids de Glorot uniformes, biais
nuls, ε = 0,001 et moyennes mobiles de poids 0,99 pour la normalisation. Les images sont réduites par la moyenne et
l'écart-type de toutes les images d'apprentissage, et le test est celui de MNIST, entier.
"""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np

from labcode.datasets import load_mnist
from labcode.experiments import Experiment, mean_interval
from labcode.experiments.initialization import rounded
from labcode.nn import BatchNorm1d, CrossEntropyLoss, Linear, ReLU, Sequential, initialize
from labcode.optim import SGD, Layca
from labcode.training import error_rate, fit

DECAY_EPOCHS = {-2.0: 90, -2.5: 95, -3.0: 95, -4.0: None}  # exposant de ρ = 3^exposant → époque de la division par 5
AUTHORS_TEST_ERROR = {-2.0: 1 - 0.9675, -2.5: 1 - 0.9660, -3.0: 1 - 0.9654, -4.0: 1 - 0.9581}


@cache
def mnist():
    """Images d'apprentissage et de test, centrées et réduites par deux nombres, et leurs chiffres."""
    data = load_mnist()
    mean, std = data.X_train.mean(), data.X_train.std()
    return (data.X_train - mean) / std, data.y_train, (data.X_test - mean) / std, data.y_test


def subset(y, n_per_class, rng):
    """Indices de ``n_per_class`` exemples de chaque chiffre, tirés au hasard."""
    return np.concatenate([rng.choice(np.flatnonzero(y == digit), n_per_class, replace=False) for digit in range(10)])


def run(config, seed):
    """Un apprentissage : erreurs finales, courbes, et rotation de chaque noyau depuis son départ (1 − cosinus)."""
    rng = np.random.default_rng(seed)
    X, y, X_test, y_test = mnist()
    chosen = subset(y, config["n_per_class"], rng)
    model = Sequential(Linear(784, 784, rng=rng), BatchNorm1d(784, eps=1e-3, momentum=0.01), ReLU(), Linear(784, 10, rng=rng))
    initialize(model, "xavier_uniform", rng=rng)
    optimizer = Layca(SGD(model.parameters(), lr=3 ** config["exponent"]), freeze_biases=True)
    kernels = [model[0].weight, model[3].weight]
    starts, rotations = [kernel.data.copy() for kernel in kernels], []

    def follow(epoch, history):
        rotations.append([1 - cosine(kernel.data, start) for kernel, start in zip(kernels, starts)])
        if epoch == config["decay_epoch"]:
            optimizer.lr /= 5

    history = fit(model, CrossEntropyLoss(), optimizer, X[chosen], y[chosen], epochs=config["epochs"], batch_size=config["batch_size"],
                  rng=rng, progress=False, callbacks=[follow])
    hidden, output = np.round(np.transpose(rotations), 5)
    return {"train_error": error_rate(model, X[chosen], y[chosen]), "test_error": error_rate(model, X_test, y_test),
            "train_loss_curve": rounded(history.train_loss),
            "hidden_rotation_curve": hidden, "output_rotation_curve": output}


def cosine(a, b):
    """Cosinus de l'angle entre deux tenseurs."""
    a, b = a.ravel().astype(float), b.ravel().astype(float)
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def figure(results):
    """Erreur de test selon ρ, à côté de celle des auteurs ; rotation de la couche cachée au fil des époques."""
    canvas, (left, right) = plt.subplots(1, 2, figsize=(9, 4))
    exponents = [config["exponent"] for config in results.configs]
    means, halves = np.transpose([mean_interval(results.values("test_error", exponent=exponent)) for exponent in exponents])
    left.errorbar(exponents, 100 * means, 100 * halves, fmt="o-", capsize=4, label="ici")
    left.plot(exponents, [100 * AUTHORS_TEST_ERROR[exponent] for exponent in exponents], "^--", label="auteurs")
    left.set(xlabel="logarithme de ρ, en base 3", ylabel="erreur de test (%)")
    left.legend()
    for exponent in exponents:
        curve = results.values("hidden_rotation_curve", exponent=exponent).mean(axis=0)
        right.plot(np.arange(1, len(curve) + 1), curve, label=f"$\\rho = 3^{{{exponent:g}}}$".replace(".", "{,}"))
    right.set(xlabel="époque", ylabel="1 − cosinus avec le départ", title="couche cachée", ylim=(0, 1.4))
    right.legend(loc="upper left", ncols=2)
    return canvas


def grid(n_per_class, epochs, batch_size):
    """Les quatre taux des auteurs ; la division par 5 se fait à la même part de l'apprentissage que chez eux."""
    return [{"exponent": exponent, "decay_epoch": None if decay is None else decay * epochs // 100, "n_per_class": n_per_class,
             "epochs": epochs, "batch_size": batch_size} for exponent, decay in DECAY_EPOCHS.items()]


experiment = Experiment(name="layca", title="Layca sur MNIST, selon le taux de rotation", source="003 §4.2.9 ; Carbonnelle et De Vleeschouwer, 2019",
                        run=run, grids={"rapide": grid(50, 20, 128), "complet": grid(1000, 100, 2048)},
                        seeds={"rapide": 2, "complet": 5}, figure=figure)
