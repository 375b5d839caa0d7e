import io

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from labcode.figures import COLORS, MARKERS, plot_boundary, plot_history, plot_images, use_style
from labcode.training import History


@pytest.fixture(autouse=True)
def style():
    plt.switch_backend("Agg")
    with mpl.rc_context():
        use_style()
        yield
    plt.close("all")


def history(validation=True, error=True):
    made = History()
    for loss in (0.9, 0.5, 0.25):
        measures = {"train_loss": loss}
        if error:
            measures["train_error"] = loss / 10
        if validation:
            measures["val_loss"] = loss + 0.1
        if validation and error:
            measures["val_error"] = loss / 5
        made.append(**measures)
    return made


def png(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight")
    return buffer.getvalue()


def test_style_lisible():
    assert all(mpl.rcParams[key] >= 10 for key in ("font.size", "legend.fontsize", "xtick.labelsize", "ytick.labelsize", "axes.labelsize"))
    assert mpl.rcParams["figure.facecolor"] == mpl.rcParams["savefig.facecolor"] == "white"
    assert len(set(COLORS)) == len(set(MARKERS)) == 8


def test_graduations_a_virgule():
    figure, ax = plt.subplots()
    ax.plot([0, 1], [-0.5, 0.5])
    figure.canvas.draw()
    labels = [tick.get_text() for tick in ax.get_xticklabels() + ax.get_yticklabels()]
    assert "0,4" in labels and "−0,2" in labels and not any("." in label for label in labels)


def test_frontiere_de_classes():
    X = np.array([[-1.0, 0.0], [1.0, 0.0], [2.0, 1.0]], dtype=np.float32)
    y = np.array([0, 1, 1])
    seen = []

    def predict(points):
        seen.append(points)
        return (points[:, 0] > 0.3).astype(int)

    _, ax = plt.subplots()
    assert plot_boundary(ax, predict, X, y) is ax
    (points,) = seen
    assert points.dtype == np.float32 and points.shape[1] == 2
    assert (points.min(axis=0) < X.min(axis=0)).all() and (points.max(axis=0) > X.max(axis=0)).all()
    region = np.asarray(ax.images[0].get_array())
    assert (region.ravel() == (points[:, 0] > 0.3)).all()
    left, right = ax.images[0].get_extent()[:2]
    assert region.mean() == pytest.approx((right - 0.3) / (right - left), abs=0.01)
    line = np.concatenate([path.vertices for path in ax.collections[0].get_paths()])
    np.testing.assert_allclose(line[:, 0], 0.3, atol=0.02)
    classes = ax.collections[1:]
    assert [c.get_offsets().tolist() for c in classes] == [X[y == k].tolist() for k in (0, 1)]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["classe 0", "classe 1"]
    shapes = [c.get_paths()[0].vertices.shape for c in classes]
    colors = [tuple(c.get_facecolor()[0]) for c in classes]
    assert shapes[0] != shapes[1] and colors[0] != colors[1]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x_1$", "$x_2$")


def test_frontiere_de_probabilites():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 2))
    _, ax = plt.subplots()
    plot_boundary(ax, lambda points: 1 / (1 + np.exp(-(points[:, 0] - points[:, 1]))), X, (X[:, 0] > X[:, 1]).astype(int))
    filled, line = ax.collections[:2]
    assert filled.levels.tolist() == pytest.approx(np.linspace(0, 1, 11)) and line.levels.tolist() == [0.5]
    vertices = np.concatenate([path.vertices for path in line.get_paths()])
    np.testing.assert_allclose(vertices[:, 0], vertices[:, 1], atol=0.01)


@pytest.mark.parametrize("labels", [[-1, 1], [False, True], [0.0, 1.0], [0, 1, 2, 3]])
def test_frontiere_d_autres_etiquettes(labels):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(40, 2))
    labels = np.array(labels)
    y = labels[np.arange(40) % len(labels)]
    _, ax = plt.subplots()
    plot_boundary(ax, lambda points: labels[(points[:, 0] > 0).astype(int)], X, y)
    assert len(ax.get_legend().get_texts()) == len(labels)
    assert np.unique(ax.images[0].get_array()).tolist() == [0, 1]


def test_frontiere_absente():
    _, ax = plt.subplots()
    plot_boundary(ax, lambda points: np.zeros(len(points), dtype=int), [[0.0, 0.0], [1.0, 1.0]], [0, 1])
    assert not np.any(ax.images[0].get_array()) and len(ax.collections) == 2


@pytest.mark.parametrize("predict, X, y, message", [
    (lambda p: p[:, 0], [[0.0], [1.0]], [0, 1], "X.*forme"),
    (lambda p: p[:, 0], [[0.0, 1.0]], [0, 1], "y.*forme"),
    (lambda p: p, [[0.0, 1.0], [1.0, 0.0]], [0, 1], "predict.*forme"),
    (lambda p: 10 * p[:, 0], [[0.0, 1.0], [1.0, 0.0]], [0, 1], "probabilités"),
    (lambda p: p[:, 0] * np.nan, [[0.0, 1.0], [1.0, 0.0]], [0, 1], "probabilités"),
])
def test_frontiere_refuse(predict, X, y, message):
    with pytest.raises(ValueError, match=message):
        plot_boundary(plt.subplots()[1], predict, X, y)


def test_historique():
    made = history()
    loss, error = plot_history(made)
    assert [ax.get_xlabel() for ax in (loss, error)] == ["époque"] * 2
    assert (loss.get_ylabel(), error.get_ylabel()) == ("perte", "erreur (%)")
    for ax, train, validation in ((loss, made.train_loss, made.val_loss), (error, 100 * made.train_error, 100 * made.val_error)):
        assert [line.get_label() for line in ax.lines] == ["apprentissage", "validation"]
        assert [line.get_xdata().tolist() for line in ax.lines] == [[1, 2, 3]] * 2
        assert [line.get_ydata().tolist() for line in ax.lines] == [train.tolist(), validation.tolist()]
        assert ax.lines[0].get_linestyle() != ax.lines[1].get_linestyle()


def test_historique_sans_validation_ni_erreur():
    (ax,) = plot_history(history(validation=False, error=False))
    assert ax.get_ylabel() == "perte" and len(ax.lines) == 1


def test_historique_sur_des_axes_donnes():
    _, ax = plt.subplots()
    assert plot_history(history(), ax) == [ax] and ax.get_ylabel() == "perte"
    _, two = plt.subplots(1, 2)
    assert plot_history(history(), two) == list(two) and two[1].get_ylabel() == "erreur (%)"


def test_images():
    images = np.random.default_rng(0).random((7, 12))
    figure = plot_images(images, titles=list("abcdefg"), columns=3, image_shape=(3, 4))
    assert len(figure.axes) == 9
    for n, ax in enumerate(figure.axes[:7]):
        assert (ax.images[0].get_array() == images[n].reshape(3, 4)).all()
        assert ax.images[0].get_clim() == (0, 1) and ax.get_title() == "abcdefg"[n]
    assert not any(ax.images for ax in figure.axes[7:]) and not any(ax.axison for ax in figure.axes)


def test_images_en_couleurs_et_peu_nombreuses():
    images = np.random.default_rng(0).random((2, 4, 4, 3))
    figure = plot_images(images)
    assert len(figure.axes) == 2 and figure.axes[1].images[0].get_array().shape == (4, 4, 3)


@pytest.mark.parametrize("arguments, message", [
    ({"images": np.zeros((2, 9)), "image_shape": (2, 4)}, "image_shape"), ({"images": np.zeros((2, 9))}, "aplaties"),
    ({"images": np.zeros((0, 9))}, "vide"), ({"images": np.zeros((2, 3, 3)), "titles": ["un"]}, "titles"),
])
def test_images_refuse(arguments, message):
    with pytest.raises(ValueError, match=message):
        plot_images(**arguments)


def test_png_petit_et_reproductible():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(300, 2))

    def draw():
        figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.6))
        plot_boundary(left, lambda points: (np.sin(3 * points[:, 0]) > points[:, 1]).astype(int), X, (X[:, 0] > 0).astype(int))
        plot_boundary(right, lambda points: 1 / (1 + np.exp(points[:, 1])), X, (X[:, 0] > 0).astype(int))
        return png(figure)

    first = draw()
    assert first == draw() and len(first) < 100_000
