"""Les quelques figures que plusieurs chapitres partagent, et leur style."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.scale import LinearScale, register_scale
from matplotlib.ticker import MaxNLocator, ScalarFormatter

# Okabe et Ito (2008) : se distinguent aussi sans voir le rouge et le vert. Le jaune, illisible sur fond blanc, vient en dernier.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*")
GRID = 300


class FrenchFormatter(ScalarFormatter):
    """Graduations à virgule décimale."""

    def __call__(self, x, pos=None):
        return super().__call__(x, pos).replace(".", ",")

    def format_data_short(self, value):
        return super().format_data_short(value).replace(".", ",")

    def get_offset(self):
        return super().get_offset().replace(".", ",")


class FrenchLinearScale(LinearScale):
    """L'échelle linéaire de Matplotlib, graduée à la française."""

    def __init__(self):
        super().__init__()  # sans l'argument axis, que register_scale n'accepte plus

    def set_default_locators_and_formatters(self, axis):
        super().set_default_locators_and_formatters(axis)
        axis.set_major_formatter(FrenchFormatter())


def use_style():
    """Donne à toutes les figures qui suivent le style du livre ; à appeler en tête de chaque carnet.

    Carte blanche, lisible sur fond clair ou sombre ; corps d'au moins 11 points ; couleurs d'Okabe et Ito ; virgule
    décimale.
    """
    register_scale(FrenchLinearScale)  # remplace « linear » : les figures propres à un chapitre en profitent aussi
    mpl.rcParams.update({
        "figure.figsize": (6.4, 3.8), "figure.dpi": 110, "savefig.dpi": "figure", "figure.constrained_layout.use": True,
        "figure.facecolor": "white", "savefig.facecolor": "white", "axes.facecolor": "white", "savefig.pad_inches": 0.12,
        "font.family": "DejaVu Sans", "font.size": 12, "axes.titlesize": 13, "axes.labelsize": 12, "legend.fontsize": 11,
        "xtick.labelsize": 11, "ytick.labelsize": 11, "figure.titlesize": 14,
        "text.color": "#222222", "axes.labelcolor": "#222222", "axes.edgecolor": "#555555", "xtick.color": "#333333", "ytick.color": "#333333",
        "axes.prop_cycle": mpl.cycler(color=COLORS), "axes.grid": True, "grid.color": "#DDDDDD", "axes.axisbelow": True,
        "axes.spines.top": False, "axes.spines.right": False, "lines.linewidth": 2, "lines.markersize": 5.5,
        "legend.frameon": True, "legend.framealpha": 0.9, "image.cmap": "gray", "mathtext.fontset": "dejavusans",
    })


def plot_boundary(ax, predict, X, y):
    """Dessine les régions de décision de ``predict`` et les points X (N, 2) d'étiquettes y (N,), reconnaissables à leur
    forme et à leur couleur.

    ``predict`` reçoit un lot de points (M, 2), du même dtype que X, et renvoie soit des classes (M,), soit la
    probabilité de la deuxième classe (M,) : la teinte la montre, et la frontière est à 0,5. Renvoie l'axe. Lève
    ValueError si les formes ou les sorties ne conviennent pas.
    """
    X, y = np.asarray(X), np.asarray(y)
    if X.ndim != 2 or X.shape[1] != 2 or len(X) == 0:
        raise ValueError(f"X : forme {X.shape} reçue, (N, 2) attendue.")
    if y.shape != (len(X),):
        raise ValueError(f"y : forme {y.shape} reçue, ({len(X)},) attendue.")
    low, high = X.min(axis=0), X.max(axis=0)
    pad = 0.12 * np.maximum(high - low, 1e-3).max()
    x1, x2 = (np.linspace(low[j] - pad, high[j] + pad, GRID) for j in range(2))
    points = np.stack(np.meshgrid(x1, x2), axis=-1).reshape(-1, 2).astype(X.dtype if X.dtype.kind == "f" else float)
    output = np.asarray(predict(points))
    if output.shape != (len(points),):
        raise ValueError(f"predict : sortie de forme {output.shape} pour {len(points)} points, ({len(points)},) attendue.")
    output = output.reshape(GRID, GRID)
    if output.dtype.kind == "f" and not np.isin(output, y).all():
        classes = np.unique(y)
        _shade_probability(ax, x1, x2, output)
    else:
        classes = np.union1d(y, output)
        _shade_regions(ax, x1, x2, np.searchsorted(classes, output), len(classes))
    for k, label in enumerate(classes):
        ax.scatter(*X[y == label].T, color=COLORS[k % 8], marker=MARKERS[k % 8], s=28, edgecolor="white", linewidth=0.6, label=f"classe {label:g}")
    ax.set(xlabel="$x_1$", ylabel="$x_2$", xlim=(x1[0], x1[-1]), ylim=(x2[0], x2[-1]), aspect="equal")
    ax.grid(False)
    ax.legend(loc="best")
    return ax


def plot_history(history, ax=None):
    """Trace la perte et, si elle est connue, l'erreur (%) de chaque époque, en apprentissage et en validation.

    Sans ``ax``, crée la figure. ``ax`` peut être un axe (la perte seule) ou deux (la perte, l'erreur). Renvoie la liste
    des axes.
    """
    with_error = not np.isnan(history.train_error).all()
    if ax is None:
        _, ax = plt.subplots(1, 1 + with_error, squeeze=False, figsize=(7.2, 3.4) if with_error else None)
    axes = list(np.ravel(ax))
    _plot_curves(axes[0], history.epochs, history.train_loss, history.val_loss, "perte")
    if len(axes) > 1 and with_error:
        _plot_curves(axes[1], history.epochs, 100 * history.train_error, 100 * history.val_error, "erreur (%)")
    return axes


def plot_images(images, titles=None, columns=10, image_shape=None, *, vmin=0, vmax=1, cmap="gray"):
    """Montre des images en grille : ``images`` est (N, p) avec ``image_shape``, ou (N, h, w), ou (N, h, w, 3) en
    couleurs.

    ``titles`` : un titre par image. ``vmin`` est noir et ``vmax`` blanc, les mêmes pour toutes. Renvoie la figure.
    """
    images = np.asarray(images)
    if images.ndim < 2 or len(images) == 0:
        raise ValueError(f"images : forme {images.shape} reçue, un lot (N, …) non vide attendu.")
    if image_shape is not None:
        if int(np.prod(image_shape)) != images[0].size:
            raise ValueError(f"image_shape : {tuple(image_shape)} ne convient pas à des images de {images[0].size} pixels.")
        images = images.reshape(len(images), *image_shape)
    if images.ndim not in (3, 4):
        raise ValueError("image_shape : à donner pour des images aplaties, p. ex. image_shape=(28, 28).")
    if titles is not None and len(titles) != len(images):
        raise ValueError(f"titles : {len(titles)} titres pour {len(images)} images.")
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    size = min(1.0, 7.2 / columns)
    figure, axes = plt.subplots(rows, columns, squeeze=False, figsize=(size * columns, (size + 0.28 * (titles is not None)) * rows))
    for axis in axes.flat:
        axis.set_axis_off()
    for n, (axis, image) in enumerate(zip(axes.flat, images)):
        axis.imshow(image, cmap=cmap, vmin=vmin, vmax=vmax, interpolation="nearest")
        if titles is not None:
            axis.set_title(str(titles[n]), fontsize=11, pad=3)
    return figure


def plot_seeds(ax, x, values, label, rank):
    """Trace sur ``ax`` une moyenne et, autour, un point par graine : ``values[i]`` (S,) est en ``x[i]``.

    Pour des parts ou des comptes, qui sont bornés, et peu de graines, cela en dit plus qu'un intervalle. ``rank`` choisit
    la couleur et la marque.
    """
    ax.plot(x, [np.mean(found) for found in values], f"{MARKERS[rank]}-", color=COLORS[rank], label=label)
    for place, found in zip(x, values):
        ax.plot(np.full(len(found), place), found, ".", color=COLORS[rank], alpha=0.6, ms=5)


def _plot_curves(ax, epochs, train, validation, label):
    marker = "o" if len(epochs) <= 30 else ""
    ax.plot(epochs, train, color=COLORS[0], marker=marker, label="apprentissage")
    if not np.isnan(validation).all():
        ax.plot(epochs, validation, color=COLORS[1], marker=marker and "s", linestyle="--", label="validation")
    ax.set(xlabel="époque", ylabel=label)
    ax.set_ylim(bottom=min(0, ax.get_ylim()[0]) if label != "perte" else None)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend()


def _shade_regions(ax, x1, x2, region, n_classes):
    """Une teinte claire par classe, et un trait noir entre deux régions."""
    ax.imshow(region, extent=(x1[0], x1[-1], x2[0], x2[-1]), origin="lower", cmap=ListedColormap([_tint(k) for k in range(n_classes)]),
              vmin=-0.5, vmax=n_classes - 0.5, interpolation="nearest", aspect="auto", zorder=0)
    for k in range(n_classes - 1):
        if 0 < np.count_nonzero(region == k) < region.size:
            ax.contour(x1, x2, region == k, levels=[0.5], colors="#222222", linewidths=1.2)


def _shade_probability(ax, x1, x2, probability):
    """De la teinte de la première classe (0) à celle de la seconde (1) ; trait noir à 0,5."""
    if not (probability.min() >= 0 and probability.max() <= 1):
        raise ValueError("predict : ni des classes présentes dans y, ni des probabilités entre 0 et 1. "
                         "Pour une fonction de décision, donnez lambda X: decision_function(X) >= 0.")
    first, white, second = np.array(_tint(0, 0.5)), np.ones(3), np.array(_tint(1, 0.5))
    cmap = mpl.colors.LinearSegmentedColormap.from_list("classes", [first, white, second])
    ax.contourf(x1, x2, probability, levels=np.linspace(0, 1, 11), cmap=cmap, vmin=0, vmax=1, zorder=0)
    if probability.min() < 0.5 < probability.max():
        ax.contour(x1, x2, probability, levels=[0.5], colors="#222222", linewidths=1.5)


def _tint(k, strength=0.28):
    """La couleur de la classe k, mêlée de blanc."""
    return tuple(1 - strength * (1 - c) for c in to_rgb(COLORS[k % 8]))
