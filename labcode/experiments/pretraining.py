"""Le pré-entraînement de la source 000 (§3), à son échelle : des réseaux à sigmoïdes sur MNIST, pré-entraînés ou non.

Dix époques pour chaque machine de Boltzmann, puis dix de rétropropagation, lots de 64, taux 0,01. La source ne dit pas
l'échelle de ses poids au hasard : N(0, 0,1²) redonne ses courbes. Elle pré-entraîne sur les images d'apprentissage **et de
test**, quel que soit le nombre d'images étiquetées ; « train_only » laisse les secondes de côté. Les autres départs,
de Glorot ou de He, se passent de pré-entraînement.

Une pile ne s'apprend qu'une fois par graine : celle de dix couches contient toutes les autres.
"""

from functools import cache, lru_cache, partial
from operator import itemgetter

import matplotlib.pyplot as plt
import numpy as np

from labcode import datasets, nn, optim
from labcode.boltzmann import DBN, DNN, RBM, hinton_momentum
from labcode.experiments import Experiment, mean_interval
from labcode.experiments.initialization import rounded
from labcode.figures import COLORS, MARKERS
from labcode.nn.init import initialize
from labcode.training import error_rate, fit, predict

STARTS = {"pretrained": "pré-entraîné", "random": "au hasard", "train_only": "pré-entraîné, sans les images de test",
          "xavier": "sigmoïde, Glorot", "he_relu": "ReLU, He"}
PLAIN = {"xavier": (nn.Sigmoid, "xavier_normal"), "he_relu": (nn.ReLU, "kaiming_normal")}
INIT_STD = 0.1
PRACTICES = {"source": {}, "hinton": {"momentum": hinton_momentum, "weight_cost": 2e-4, "sample_visible": False, "data_bias": True}}
RECIPE = ("start", "width", "n_pool", "n_test", "binary", "practice", "pretraining_lr", "pretraining_batch", "pretraining_epochs")
TRACKED = 10000             # images d'apprentissage, au plus, sur lesquelles on mesure l'erreur après chaque époque
SHOWN = (0, 3, 247, 321)    # images de test dont on garde les probabilités : deux nettes, deux ambiguës


def run(config, seed):
    """Un apprentissage : erreurs par époque, gradient de chaque couche avant et après, probabilités de quatre chiffres."""
    X, y = training_images(config["n_train"], config["binary"], seed)
    X_test, y_test = test_images(config["n_test"], config["binary"])
    watch = Watch(X, y)
    options = {"validation": (X_test, y_test), "callbacks": [watch]}
    if config["start"] in PLAIN:
        model = plain_network(config, seed)
        history = fit(model, nn.CrossEntropyLoss(), optim.SGD(model.parameters(), config["lr"]), X, y, epochs=config["epochs"],
                      batch_size=config["batch_size"], rng=seed, progress=False, **options)
    else:
        dnn = DNN(DBN([RBM()]), learning_rate=config["lr"], batch_size=config["batch_size"], n_epochs=config["epochs"], rng=seed)
        dnn.start_from(stack(config, seed)).train(X, y, **options)
        model, history = dnn.network_, dnn.history_
    shown = [rank for rank in SHOWN if rank < len(X_test)]
    probabilities = nn.softmax(predict(model, X_test))
    return {"test_error": rounded(history.val_error[-1]), "train_error": rounded(error_rate(model, X, y)),
            "test_error_curve": rounded(history.val_error), "train_error_curve": rounded(watch.errors),
            "train_loss_curve": rounded(history.train_loss), "confidence": rounded(probabilities.max(axis=1).mean()),
            "gradients_start": watch.gradients, "gradients_end": layer_gradients(model, X[:1000], y[:1000]),
            "probabilities": rounded(probabilities[shown])}


class Watch:
    """Rappel de ``fit`` : gradients de départ, puis erreur d'apprentissage après chaque époque (et non pendant)."""

    def __init__(self, X, y):
        self.X, self.y, self.errors = X[:TRACKED], y[:TRACKED], []

    def on_start(self, model):
        self.model, self.gradients = model, layer_gradients(model, self.X[:1000], self.y[:1000])

    def __call__(self, epoch, history):
        self.errors.append(error_rate(self.model, self.X, self.y))


def layer_gradients(model, X, y):
    """Norme du gradient de la perte moyenne par rapport aux poids de chaque couche, de l'entrée à la sortie (eq-dnn-gradient)."""
    loss = nn.CrossEntropyLoss()
    model.zero_grad()
    loss(model(X), y)
    model.backward(loss.backward())
    return [rounded(np.linalg.norm(layer.weight.grad)) for layer in model.layers if isinstance(layer, nn.Linear)]


@cache
def mnist(binary):
    """MNIST, binarisé au seuil 128 sur 255 si ``binary`` ; lu une fois par processus."""
    data = datasets.load_mnist()
    prepared = partial(datasets.binarize, threshold=128.5 / 255) if binary else np.asarray
    return prepared(data.X_train), data.y_train, prepared(data.X_test), data.y_test


def training_images(n, binary, seed):
    """Les n premières images d'un ordre tiré par la graine : plus d'images, ce sont les mêmes et d'autres."""
    X, y, _, _ = mnist(binary)
    if n == len(X):
        return X, y
    order = np.random.default_rng([seed, len(X)]).permutation(len(X))[:n]
    return X[order], y[order]


def test_images(n, binary):
    """Les n premières images de test, et leurs étiquettes."""
    return tuple(part[:n] for part in mnist(binary)[2:])


test_images.__test__ = False  # ce n'est pas un essai de pytest


def stack(config, seed):
    """Le DBN dont part le réseau : ``depth`` machines, apprises l'une après l'autre ou laissées au hasard."""
    recipe = tuple((name, config[name]) for name in RECIPE)
    dbn = DBN([machine(recipe, rank, seed) for rank in range(config["depth"])])
    dbn.rbms_, dbn.n_features_in_ = dbn.rbms, dbn.rbms[0].n_features_in_
    return dbn


@lru_cache(maxsize=32)
def machine(recipe, rank, seed):
    """La machine n° ``rank`` d'une pile, depuis le même hasard qu'elle soit apprise ou non."""
    config = dict(recipe)
    rbm = RBM(config["width"], learning_rate=config["pretraining_lr"], batch_size=config["pretraining_batch"], init_std=INIT_STD,
              n_epochs=config["pretraining_epochs"], rng=np.random.default_rng([seed, rank]), **PRACTICES[config["practice"]])
    if config["start"] == "random":
        return rbm.initialize(config["width"] if rank else 28 * 28)
    X, _ = training_images(config["n_pool"], config["binary"], seed)
    if config["start"] == "pretrained":
        X = np.concatenate([X, test_images(config["n_test"], config["binary"])[0]])
    for below in range(rank):
        X = machine(recipe, below, seed).transform(X)
    return rbm.fit(X)


def plain_network(config, seed):
    """Le réseau de même forme, tiré selon Glorot ou He."""
    activation, scheme = PLAIN[config["start"]]
    sizes = [28 * 28] + config["depth"] * [config["width"]]
    hidden = [layer for pair in zip(sizes, sizes[1:]) for layer in (nn.Linear(*pair), activation())]
    return initialize(nn.Sequential(*hidden, nn.Linear(sizes[-1], 10)), scheme, rng=seed)


def figure(results, axis, label, log=False):
    """Erreur d'apprentissage et erreur de test selon un réglage, une courbe par départ ; moyenne et intervalle à 95 %."""
    canvas, axes = plt.subplots(1, 2, figsize=(7.6, 3.9), sharey=True)
    for ax, metric, title in zip(axes, ("train_error", "test_error"), ("apprentissage", "test")):
        draw_starts(ax, results, axis, metric)
        ax.set(title=title, xlabel=label, **({"xscale": "log"} if log else {}))
    axes[0].set(ylabel="erreur (%)", ylim=(0, min(100, axes[0].get_ylim()[1])))
    canvas.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=10)
    return canvas


def draw_starts(ax, results, axis, metric, **others):
    """Une courbe par départ, parmi les résultats qui ont ces autres réglages ; l'intervalle demande deux graines."""
    for rank, (start, name) in enumerate(STARTS.items()):
        wanted = others | {"start": start}
        configs = sorted((config for config in results.configs if wanted.items() <= config.items()), key=itemgetter(axis))
        if configs:
            x = [config[axis] for config in configs]
            mean, half = np.transpose([mean_interval(results.values(metric, **config)) for config in configs])
            ax.errorbar(x, 100 * mean, 100 * half, color=COLORS[rank], marker=MARKERS[rank], capsize=3, lw=1.5,
                        ls=":" if start == "train_only" else "-", label=name)


def sweep(fixed, name, values, starts):
    """Les configurations qui ne diffèrent de ``fixed`` que par un réglage et par le départ."""
    return [fixed | {"start": start, name: value} for value in values for start in starts]


SOURCE = {"start": "random", "depth": 2, "width": 200, "n_train": 60000, "n_pool": 60000, "n_test": 10000, "binary": False,
          "practice": "source", "lr": 0.01, "batch_size": 64, "epochs": 10,
          "pretraining_lr": 0.01, "pretraining_batch": 64, "pretraining_epochs": 10}
SMALL = SOURCE | {"width": 50, "n_train": 2000, "n_pool": 2000, "n_test": 1000, "lr": 0.1, "pretraining_lr": 0.1, "epochs": 3,
                  "pretraining_epochs": 2}
BOTH = ("pretrained", "random")
SEEDS = {"rapide": 1, "complet": 5}

depth_sweep = Experiment(
    name="preentrainement-profondeur", title="Profondeur, avec et sans pré-entraînement", source="000 §3.2, figures 1 à 3", run=run,
    grids={"rapide": sweep(SMALL, "depth", [2, 4], BOTH), "complet": sweep(SOURCE, "depth", [2, 3, 4, 5, 6, 8, 10], BOTH)},
    seeds=SEEDS, figure=partial(figure, axis="depth", label="couches cachées"))
width_sweep = Experiment(
    name="preentrainement-largeur", title="Largeur, avec et sans pré-entraînement", source="000 §3.2 à 3.4, figures 4, 5 et 8 à 12", run=run,
    grids={"rapide": sweep(SMALL, "width", [30, 60], BOTH), "complet": sweep(SOURCE, "width", [100, 200, 300, 500, 700], BOTH)},
    seeds=SEEDS, figure=partial(figure, axis="width", label="neurones par couche"))
data_sweep = Experiment(
    name="preentrainement-donnees", title="Nombre d'images étiquetées, et images de test vues ou non", source="000 §3.2, figures 6 et 7",
    run=run, seeds=SEEDS,
    grids={"rapide": sweep(SMALL, "n_train", [500, 2000], (*BOTH, "train_only")),
           "complet": sweep(SOURCE, "n_train", [1000, 2000, 3000, 5000, 7000, 10000, 20000, 30000, 60000], (*BOTH, "train_only"))},
    figure=partial(figure, axis="n_train", label="images étiquetées", log=True))
start_sweep = Experiment(
    name="preentrainement-departs", title="Mêmes profondeurs sans pré-entraînement : Glorot, He et ReLU", source="000 §3.2, discussion",
    run=run, seeds=SEEDS,
    grids={"rapide": sweep(SMALL, "depth", [2, 4], PLAIN), "complet": sweep(SOURCE, "depth", [2, 4, 6, 10], PLAIN)},
    figure=partial(figure, axis="depth", label="couches cachées"))
