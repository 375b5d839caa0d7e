"""Les expériences du §1.2 de la source 004 : mesures justes, pures, grilles de la source, figures qui se dessinent."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.metrics import pairwise_distances, pairwise_distances_argmin
from sklearn.neighbors import KNeighborsClassifier

from labcode.boltzmann import DBN, RBM
from labcode.datasets import DataUnavailableError, load_alphadigits
from labcode.experiments import dbn_alphadigits as study
from labcode.experiments import run_experiment
from labcode.experiments.judge import images_of


@pytest.fixture(scope="module", autouse=True)
def needed():
    try:
        load_alphadigits()
    except DataUnavailableError as reason:
        pytest.skip(str(reason))


def config(**changes):
    return study.grid([{"characters": "24"}], **study.TINY | {"n_hidden": 12, "depth": 2} | changes)[0]


@pytest.fixture(scope="module")
def stack():
    """Une pile de deux machines qui savent quelque chose, et ce qu'elle a appris."""
    X, y = images_of("24")
    return DBN([RBM(12, n_epochs=20, batch_size=5), RBM(9, n_epochs=20, batch_size=5)], rng=0).fit(X), X, y


def test_essai_pur():
    assert study.run(config(labels=True), 0) == study.run(config(labels=True), 0)
    assert study.run(config(), 0) != study.run(config(), 1)


def test_une_valeur_par_profondeur():
    """Les préfixes d'une pile : à la profondeur L, on mesure les L premières machines, la première seule comprise."""
    found = study.run(config(depth=5), 3)
    assert found["depths"] == [1, 2, 5] and all(len(values) == 3 for values in found.values())
    X, _ = images_of("24")
    dbn = DBN([RBM(12, learning_rate=0.1, batch_size=5, n_epochs=2)] * 5, rng=np.random.default_rng(3)).fit(X)
    expected = [np.mean((X - dbn[:depth].reconstruct(X)) ** 2) for depth in (1, 2, 5)]
    np.testing.assert_allclose(found["reconstruction_error"], expected, rtol=1e-4)


def test_les_facons_de_tirer(stack, monkeypatch):
    """Peu de pas depuis du bruit, beaucoup, beaucoup en partant de la température 5, peu depuis une vraie image."""
    seen, sample, (dbn, X, y) = [], DBN.sample, stack

    def spy(self, n_samples, n_steps, **options):
        seen.append((n_steps, options.get("initial_temperature", 1), "start" in options))
        return sample(self, n_samples, n_steps, **options)

    monkeypatch.setattr(DBN, "sample", spy)
    monkeypatch.setattr(study, "judge", lambda *_: {"recognised": 0.0})
    study.generation(dbn[:1], X, y, config(n_steps=3, long_steps=7), np.random.default_rng(0))
    assert seen == [(3, 1, False), (7, 1, False), (7, 5, False), (3, 1, True)]


def test_information(stack):
    """Contre scikit-learn : plus proche voisin, un contre tous les autres."""
    dbn, X, y = stack
    found, H, R = study.information(dbn, X, y), dbn.transform(X), dbn.reconstruct(X)
    assert found["reconstruction_error"] == pytest.approx(np.mean((X - R) ** 2), rel=1e-4)
    nearest = pairwise_distances_argmin(R, X)
    assert found["identified"] == pytest.approx(np.mean(nearest == np.arange(len(X))), abs=1e-4)
    left_out = [KNeighborsClassifier(1).fit(np.delete(H, i, 0), np.delete(y, i)).predict(H[[i]])[0] == y[i] for i in range(len(X))]
    assert found["neighbour_accuracy"] == pytest.approx(np.mean(left_out), abs=1e-4)
    assert found["top_variance"] == pytest.approx(np.mean([np.var(column) for column in H.T]), rel=1e-4)


def test_une_pile_qui_a_tout_oublie(stack):
    """Des poids nuls au sommet : plus rien ne distingue deux images, l'entropie d'une unité est celle d'une pièce."""
    dbn, X, y = stack
    blank = DBN(dbn.rbms, rng=0).initialize(320)
    blank.rbms_ = [dbn.rbms_[0], RBM(9, init_std=0).initialize(12)]
    found = study.information(blank, X, y)
    assert found["top_variance"] == 0 and found["top_entropy"] == pytest.approx(1) and found["identified"] <= 2 / len(X)


def test_distances():
    rng = np.random.default_rng(0)
    A, B = rng.random((5, 7)), rng.random((4, 7))
    np.testing.assert_allclose(study.pairwise(A, B), pairwise_distances(A, B) ** 2, rtol=1e-10)


def test_entropie():
    assert study.bernoulli_entropy(np.array([[0.0, 1.0], [0.5, 0.25]])) == pytest.approx((0 + 0 + 1 + 0.8112781) / 4)


def test_images_rangees():
    X, _ = images_of("4")
    rows = study.packed(X[:6])
    assert np.shape(rows) == (6, 20) and np.max(rows) < 2**16
    assert rows[0][3] == int("".join(str(int(pixel)) for pixel in X[0, 48:64]), 2)
    np.testing.assert_array_equal(study.unpacked(rows), X[:6])


def test_depart_d_une_vraie_image(stack):
    """Avec zéro pas et des poids sûrs d'eux, partir d'une image et redescendre, c'est la retrouver."""
    dbn, X, _ = stack
    assert study.visible_of_top(dbn[:1], X, np.random.default_rng(0)) is X
    state = study.visible_of_top(dbn, X, np.random.default_rng(0))
    assert state.shape == (len(X), 12) and np.abs(state - dbn[:1].transform(X)).mean() < 0.5
    assert np.isin(state, (0, 1)).all()


def test_temoin():
    """Zéro pas, une couche : rien n'a bougé ; des poids sûrs d'eux gardent ce qu'ils ont appris, et pas le reste."""
    base = study.start.grids["rapide"][0] | {"characters": "0T", "unknown": "Z", "depth": 1}
    still = study.run_start(base | {"n_steps": 0}, 0)
    assert still["known_moved"] == still["unknown_moved"] == [0] and min(still["known_kept"][0], still["unknown_kept"][0]) >= 0.85
    assert still["known_captured"] == still["known_kept"] and still["unknown_captured"][0] < 0.1
    learned = study.run_start(base | {"n_hidden": 80, "epochs": 60, "n_samples": 60, "n_steps": 20}, 0)
    assert learned["known_moved"][0] < learned["unknown_moved"][0] - 0.03 and learned["known_kept"][0] > learned["unknown_kept"][0] + 0.3
    assert not set(study.CHARACTERS + "OI") & set(study.UNKNOWN)


def test_groupes():
    """De proche en proche : une chaîne de voisins n'est qu'un groupe, même si ses bouts sont loin l'un de l'autre."""
    line = np.arange(9)[:, None] * 0.4
    assert list(study.group_sizes(line)) == [9] and sorted(study.group_sizes(np.vstack([line, line[:3] + 50]))) == [3, 9]
    assert len(study.group_sizes(line, threshold=0.3)) == 9
    assert study.entropy_bits(np.ones(8)) == 3 and study.entropy_bits(np.array([7])) == 0
    assert study.entropy_bits(np.array([1, 3])) == pytest.approx(0.8112781)


def test_rang_effectif():
    """k directions orthogonales de même variance : k ; une seule : 1."""
    square = np.array([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])
    assert study.effective_rank(square + 5) == pytest.approx(2)
    assert study.effective_rank(np.outer(np.arange(6.0), [1, 2, 3])) == pytest.approx(1)


def test_groupes_d_une_pile(tmp_path):
    results = run_experiment(study.information_left, "rapide", progress=False, folder=tmp_path)
    assert list(results.values("depths")[0]) == [1, 2, 5] and results.values("groups").max() <= 39
    assert results.values("bits")[0, 0] <= np.log2(39) and study.draw_groups(results).axes[0].lines
    plt.close("all")


def test_etiquette_figee():
    """Assez apprise, une machine à qui l'on fige l'étiquette rend le caractère demandé, et l'autre si l'on change l'étiquette."""
    X, y = images_of("0T")
    settings = config(characters="0T", n_steps=30)
    rng = np.random.default_rng(0)
    for depth in (1, 2):
        dbn = DBN([RBM(60, batch_size=5, n_epochs=40)] * depth, rng=0).fit(X)
        wanted = np.arange(60) % 2
        V = study.labelled(dbn, X, y, wanted, settings, rng)
        zero, t = (X[y == rank].mean(axis=0) for rank in study.ranks("0T"))
        nearer = ((V - zero) ** 2).sum(axis=1) > ((V - t) ** 2).sum(axis=1)
        assert np.mean(nearer == wanted) > 0.9


def test_grilles_de_la_source():
    """Les réglages de 004 §1.2 : un à dix caractères, L jusqu'à 1 000, q de 1 à 10 000, et tout le reste constant."""
    grids = study.experiment.grids["complet"] + study.extremes.grids["complet"]
    assert {len(c["characters"]) for c in grids} >= set(range(1, 11)) and max(c["depth"] for c in grids) == 1000
    assert {c["n_hidden"] for c in grids if c["characters"] == "F"} == {1, 10, 100, 200, 320, 500, 1000, 10000}
    assert {2, 5, 10, 20, 50, 100, 500, 1000} <= set(study.DEPTHS)
    usual = [c for c in grids if c["lr"] == 0.1]
    assert all((c["batch_size"], c["epochs"], c["n_steps"]) == (5, 100, 50) for c in usual) and len(usual) == len(grids) - 2


def test_grille_rapide_et_figure(tmp_path):
    small = [c | {"n_hidden": min(c["n_hidden"], 20)} for c in study.experiment.grids["rapide"]]
    tiny = study.Experiment(name="essai", title="", source="", run=study.run, seeds=study.experiment.seeds,
                            grids={"rapide": [c for i, c in enumerate(small) if c not in small[:i]], "complet": small[:1]})
    results = run_experiment(tiny, "rapide", progress=False, folder=tmp_path)
    assert len(results.configs) == len(tiny.grids["rapide"])
    drawn = [draw(results) for draw in (study.draw_characters, study.draw_ways, study.draw_depth, study.draw_width)]
    labels = [[line.get_label() for line in ax.lines if not line.get_label().startswith("_")] for ax in drawn[0].axes]
    assert labels == [["L = 1", "L = 2", "L = 5", "tous"], ["L = 1", "L = 2", "L = 5"]]
    assert len(drawn[1].axes[0].patches) == 14
    present = [line.get_ydata() for line in drawn[0].axes[0].lines]
    expected = [results.values("source_present", characters=study.CHARACTERS[:n], lr=0.1)[:, 0].mean() for n in range(1, 11)]
    assert any(np.array_equal(values, expected) for values in present)
    plt.close("all")


def test_images_dessinees():
    """Une image par case ; les cases qui manquent sont grises, comme le tour des images."""
    canvas = study.draw_rows({"une": np.ones((1, 320)), "trois": np.zeros((3, 320))}, (20, 16), columns=3)
    first, second = (ax.images[0].get_array() for ax in canvas.axes)
    assert first.shape == second.shape == (22, 54)
    assert first[5, 5] == 1 and first[5, 40] == 0.5 and second[5, 40] == 0 and second[0, 40] == 0.5
    plt.close(canvas)
