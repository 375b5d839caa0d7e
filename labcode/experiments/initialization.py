"""Les huit initialisations de la source 001 (§3.1.1), à son échelle : Linear(784, 10) → Sigmoid sur Fashion-MNIST.

La source ne dit ni la perte, ni le taux, ni la taille des lots. La perte est donc un facteur : l'erreur quadratique, ou
l'entropie croisée binaire (depuis les logits, la sigmoïde étant dans la perte). Le reste est fixé à 0,1 et 256.
"""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np

from labcode import datasets, nn, optim
from labcode.experiments import Experiment, mean_interval, product
from labcode.figures import COLORS
from labcode.nn.init import initialize
from labcode.training import DivergenceError, fit

SCHEMES = {"zeros": "zéros", "ones": "uns", "uniform": "U(0, 1)", "normal": "N(0, 1)",
           "xavier_normal": "Glorot normale", "xavier_uniform": "Glorot uniforme",
           "kaiming_normal": "He normale", "kaiming_uniform": "He uniforme"}
LOSSES = {"mse": nn.MSELoss, "bce": nn.BCEWithLogitsLoss, "cross_entropy": nn.CrossEntropyLoss}
CURVES = {"train_loss": "train_loss", "train_error": "train_error", "val_loss": "test_loss", "val_error": "test_error"}
LEVELS = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)  # niveaux des quantiles


@cache
def fashion(n_train, n_test):
    """Fashion-MNIST, cibles one-hot : (X, Y), (X_test, Y_test) ; lu une fois par processus."""
    data = datasets.load_fashion_mnist()
    return ((data.X_train[:n_train], datasets.one_hot(data.y_train[:n_train], 10)),
            (data.X_test[:n_test], datasets.one_hot(data.y_test[:n_test], 10)))


def run(config, seed):
    """Un apprentissage complet : courbes, confusion finale, et l'état de la couche avant et après."""
    rng = np.random.default_rng(seed)
    linear = initialize(nn.Linear(784, 10), config["scheme"], biases=config["biases"], rng=rng)
    model = nn.Sequential(linear, nn.Sigmoid()) if config["loss"] == "mse" else linear
    loss = LOSSES[config["loss"]]()
    train, test = fashion(config["n_train"], config["n_test"])
    before = layer_state(linear, train[0], "start") | {"gradient_norm_start": gradient_norm(model, loss, *train)}
    curves = learn(model, loss, config, rng)
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (test[1].argmax(axis=1), model(test[0]).argmax(axis=1)), 1)
    after = layer_state(linear, train[0], "end") | {"gradient_norm_end": gradient_norm(model, loss, *train)}
    return before | curves | after | {"confusion": confusion.tolist()}


def learn(model, loss, config, rng):
    """Apprend, et rend les courbes et leur dernière valeur. Une divergence laisse des NaN, et ``diverged`` à 1."""
    train, test = fashion(config["n_train"], config["n_test"])
    optimizer = optim.SGD(model.parameters(), config["lr"])
    try:
        history = fit(model, loss, optimizer, *train, epochs=config["epochs"], batch_size=config["batch_size"],
                      validation=test, rng=rng, progress=False)
    except DivergenceError as error:
        history = error.history
    curves = {}
    for measure, name in CURVES.items():
        curve = np.full(config["epochs"], np.nan)
        curve[:len(history)] = getattr(history, measure)
        curves |= {f"{name}_curve": rounded(curve), name: rounded(curve[-1])}
    return curves | {"diverged": int(len(history) < config["epochs"])}


def layer_state(linear, X, moment):
    """Quantiles des poids ; part des sorties dont la pente σ' est inférieure à 0,01, et part où elle est nulle."""
    y_hat = nn.sigmoid(linear(X))
    slope = y_hat * (1 - y_hat)
    return {f"weights_{moment}": rounded(np.quantile(linear.weight.data, LEVELS)),
            f"saturated_{moment}": rounded(np.mean(slope < 0.01)), f"dead_{moment}": rounded(np.mean(slope == 0))}


def gradient_norm(model, loss, X, Y):
    """Norme du gradient de la perte moyenne sur toutes les données, tous paramètres confondus."""
    model.zero_grad()
    loss(model(X), Y)
    model.backward(loss.backward())
    return rounded(np.sqrt(sum(np.sum(p.grad.astype(float)**2) for p in model.parameters())))


def rounded(values):
    """Cinq chiffres significatifs suffisent, et tiennent cinq fois moins de place."""
    if np.ndim(values):
        return [rounded(value) for value in values]
    return float(f"{float(values):.5g}")


def figure(results):
    """Erreur de test selon l'époque, une courbe par initialisation, un cadre par perte ; moyenne et intervalle à 95 %."""
    canvas, axes = plt.subplots(1, 2, figsize=(7.6, 4.6), sharey=True)
    for ax, loss, title in zip(axes, ("mse", "bce"), ("erreur quadratique", "entropie croisée binaire")):
        for rank, (scheme, name) in enumerate(SCHEMES.items()):
            draw_curve(ax, results.values("test_error_curve", scheme=scheme, loss=loss, biases="same"), name, rank)
        ax.set(title=title, xlabel="époque", xscale="log", ylim=(0, 100))
    axes[0].set_ylabel("erreur de test (%)")
    canvas.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=10)
    return canvas


def draw_curve(ax, errors, name, rank):
    """Courbe moyenne (%) et son intervalle à 95 % ; couleur, trait et marque changent avec le rang."""
    mean, half = mean_interval(errors)
    epochs = np.arange(1, len(mean) + 1)
    line, = ax.plot(epochs, 100 * mean, label=name, color=COLORS[rank % 7], linestyle=("-", "--", "-.", ":")[rank % 4], lw=1.8)
    ax.fill_between(epochs, 100 * (mean - half), 100 * (mean + half), color=line.get_color(), alpha=0.2, lw=0)


def grid(n_train, n_test, epochs, fewer_epochs):
    """Huit initialisations et deux pertes, biais tirés comme les poids ; et, pour quatre d'entre elles, les biais nuls.

    L'entropie croisée binaire, plus rapide, et les biais nuls, qui ne servent qu'à comparer, ont moins d'époques.
    """
    fixed = {"lr": [0.1], "batch_size": [256], "n_train": [n_train], "n_test": [n_test]}
    some = ["uniform", "normal", "xavier_normal", "kaiming_uniform"]
    return (product(scheme=list(SCHEMES), loss=["mse"], biases=["same"], epochs=[epochs], **fixed)
            + product(scheme=list(SCHEMES), loss=["bce"], biases=["same"], epochs=[fewer_epochs], **fixed)
            + product(scheme=some, loss=["mse"], biases=["zeros"], epochs=[fewer_epochs], **fixed))


experiment = Experiment(name="initialisation", title="Huit initialisations d'une couche sur Fashion-MNIST",
                        source="001 §3.1.1", run=run,
                        grids={"rapide": grid(5000, 1000, 5, 3), "complet": grid(60000, 10000, 200, 50)},
                        seeds={"rapide": 2, "complet": 5}, figure=figure)
