"""Un même réseau trop grand pour ses données, 784-200-200-10 sur mille chiffres, et une régularisation à la fois.

Chaque méthode est essayée à plusieurs forces ; la validation choisit la force, le test ne sert qu'à la fin. Le tout deux
fois : avec les vraies étiquettes, puis avec une étiquette d'apprentissage sur cinq tirée au hasard parmi les fausses.
"""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np

from labcode import datasets, nn, optim
from labcode.datasets.augmentation import RandomShift
from labcode.experiments import Experiment, mean_interval, product
from labcode.training import EarlyStopping, error_rate, fit, predict

METHODS = {"none": "aucune", "l1": "pénalité L1", "l2": "pénalité L2", "decay": "décroissance découplée",
           "dropout": "abandon (dropout)", "early_stopping": "arrêt anticipé", "augmentation": "augmentation",
           "batch_norm": "normalisation par lot", "layca": "Layca et normalisation",
           "adam": "Adam", "adam_l2": "Adam, pénalité L2", "adamw": "AdamW"}
STRENGTHS = {"none": [None], "l1": [1e-4, 3e-4, 1e-3, 3e-3], "l2": [1e-3, 3e-3, 1e-2, 3e-2], "decay": [0.02, 0.06, 0.2, 0.6],
             "dropout": [0.2, 0.5, 0.7], "early_stopping": [None], "augmentation": [1, 2, 3], "batch_norm": [None],
             "layca": [3**-3, 3**-4, 3**-5], "adam": [None], "adam_l2": [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2], "adamw": [1, 3, 10, 30]}
SIZE = 1000  # exemples d'apprentissage, et autant de validation
mnist = cache(datasets.load_mnist)


def run(config, seed):
    """Un apprentissage ; rend les erreurs finales (apprentissage, validation, test), deux pertes et l'état des poids."""
    rng = np.random.default_rng(seed)
    train, validation = examples(config["label_noise"], rng)
    method, strength = config["method"], config["strength"]
    model = network(strength if method == "dropout" else 0, method in ("batch_norm", "layca"), rng)
    optimizer = make_optimizer(method, strength, model.parameters())
    callbacks = [optim.CosineLR(optimizer, config["epochs"])]
    if method == "early_stopping":
        callbacks.append(EarlyStopping("val_loss", patience=10))
    penalty = {"l1": optim.L1, "l2": optim.L2, "adam_l2": optim.L2}.get(method)
    history = fit(model, nn.CrossEntropyLoss(), optimizer, *train, epochs=config["epochs"], validation=validation, rng=rng,
                  penalty=penalty and penalty(strength, biases=False), callbacks=callbacks, progress=False,
                  augment=RandomShift(strength, (28, 28)) if method == "augmentation" else None)
    return measures(model, train, validation) | {"epochs": len(history)}


def examples(label_noise, rng):
    """Mille chiffres pour apprendre, une part ``label_noise`` de leurs étiquettes faussée, et mille autres pour valider."""
    data, order = mnist(), rng.permutation(60_000)[:2 * SIZE]
    X, y = data.X_train[order], data.y_train[order]
    wrong = rng.random(SIZE) < label_noise
    y[:SIZE][wrong] = (y[:SIZE][wrong] + rng.integers(1, 10, wrong.sum())) % 10
    return (X[:SIZE], y[:SIZE]), (X[SIZE:], y[SIZE:])


def network(dropout, batch_norm, rng):
    """784-200-200-10, ReLU, initialisation de He ; avec abandon ou normalisation après chaque couche cachée."""
    layers = []
    for n_in in (784, 200):
        layers += [nn.Linear(n_in, 200), *([nn.BatchNorm1d(200)] if batch_norm else []), nn.ReLU(),
                   *([nn.Dropout(dropout, rng=rng)] if dropout else [])]
    return nn.initialize(nn.Sequential(*layers, nn.Linear(200, 10)), "kaiming_normal", rng=rng)


def make_optimizer(method, strength, parameters):
    """SGD avec inertie, sauf si la méthode en demande un autre. Les biais ne décroissent jamais."""
    if method == "layca":
        return optim.Layca(optim.SGD(parameters, strength, momentum=0.9))
    if method in ("adam", "adam_l2"):
        return optim.Adam(parameters, 1e-3)
    if method == "adamw":
        return optim.AdamW(parameters, 1e-3, weight_decay=strength, decay_biases=False)
    decay = {"weight_decay": strength, "decoupled_weight_decay": True} if method == "decay" else {}
    return optim.SGD(parameters, 0.05, momentum=0.9, decay_biases=False, **decay)


def measures(model, train, validation):
    """Ce que l'on garde du modèle appris : erreurs, pertes sans pénalité, taille et part des poids presque nuls."""
    data, loss = mnist(), nn.CrossEntropyLoss()
    weights = model[0].weight.data
    return {"train_error": error_rate(model, *train), "val_error": error_rate(model, *validation),
            "test_error": error_rate(model, data.X_test, data.y_test),
            "train_loss": round(loss(predict(model, train[0]), train[1]), 5),
            "test_loss": round(loss(predict(model, data.X_test), data.y_test), 5),
            "weight_norm": round(float(np.linalg.norm(weights)), 4), "near_zero": float(np.mean(np.abs(weights) < 1e-3))}


def chosen(results, method, **config):
    """La force que choisit la validation : celle dont l'erreur moyenne sur les graines est la plus basse."""
    tried = [c["strength"] for c in results.configs if c["method"] == method and config.items() <= c.items()]
    return min(tried, key=lambda s: results.values("val_error", method=method, strength=s, **config).mean())


def figure(results):
    """Erreur et perte de test de chaque méthode, à la force choisie par la validation : moyenne, intervalle à 95 %."""
    canvas, axes = plt.subplots(2, 2, figsize=(8.6, 7.6), sharey=True, sharex="col")
    methods = [m for m in METHODS if any(config["method"] == m for config in results.configs)]
    rows = np.arange(len(methods))[::-1]
    for line, noise in zip(axes, sorted({config["label_noise"] for config in results.configs})):
        for ax, measure, unit in zip(line, ("test_error", "test_loss"), (100, 1)):
            values = [results.values(measure, method=m, strength=chosen(results, m, label_noise=noise), label_noise=noise) for m in methods]
            mean, half = np.transpose([mean_interval(unit * v) for v in values])
            ax.axvline(mean[0], color="#888888", lw=1)
            ax.errorbar(mean, rows, xerr=half, fmt="o", capsize=4)
            ax.set(yticks=rows, yticklabels=[METHODS[m] for m in methods], title=f"étiquettes fausses : {100 * noise:.0f} %")
    axes[-1, 0].set_xlabel("erreur de test (%)")
    axes[-1, 1].set_xlabel("perte de test")
    return canvas


def grid(methods, **fixed):
    """Toutes les forces de chaque méthode."""
    return [config for m in methods for config in product(method=[m], strength=STRENGTHS[m], **fixed)]


experiment = Experiment(
    name="regularisation", title="Un même réseau qui surapprend, une régularisation à la fois", source="003 §4.2.7", run=run,
    grids={"rapide": grid(["none", "batch_norm", "early_stopping"], label_noise=[0.2], epochs=[5]),
           "complet": grid(METHODS, label_noise=[0.0, 0.2], epochs=[50])},
    seeds={"rapide": 2, "complet": 5}, figure=figure)
