"""Les expériences du chapitre 8 : le juge, les mesures contre des calculs indépendants, les grilles, les figures."""

import itertools
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.special import expit, logsumexp

from labcode.boltzmann import RBM
from labcode.datasets import DataUnavailableError, load_alphadigits
from labcode.experiments import judge as judging
from labcode.experiments import rbm_alphadigits, rbm_likelihood, run_experiment
from labcode.experiments.store import Record, Results, key
from labcode.nn import softmax


@pytest.fixture(scope="module", autouse=True)
def alphadigits():
    try:
        return load_alphadigits()
    except DataUnavailableError as error:
        pytest.skip(str(error).splitlines()[0] + " Voir data/README.md.")


# --- Le juge ---


def test_le_juge_reconnait_des_images_jamais_vues(alphadigits):
    """Appris sans les neuf premières images de chaque caractère, il en reconnaît plus de 7 sur 10 ; le hasard serait 1 sur 34."""
    seen = np.tile(np.arange(39) >= 9, 36)
    p = softmax(judging.train_judge(held_out=9)(alphadigits.X_train[~seen]))
    right = np.mean(p.argmax(axis=1) == judging.merged(alphadigits.y_train[~seen]))
    assert judging.held_out_accuracy(9) == pytest.approx(right) and 0.7 < right < 0.9


def test_le_juge_ne_voit_rien_dans_le_bruit(alphadigits):
    rng = np.random.default_rng(1)
    blend = rng.random((200, 320)) < alphadigits.X_train[rng.integers(1404, size=(200, 5))].mean(axis=1)
    for images in (rng.random((200, 320)) < 0.5, blend):
        verdict = judging.judge(images, rbm_alphadigits.ALL)
        assert verdict["recognised"] < 0.1


def test_verdict_sur_de_vraies_images(alphadigits):
    """Douze « 2 », six « B » et deux « 7 », pour qui attend 2, 4 et B : comptes, diversité, obéissance, distance nulle."""
    images = np.concatenate([alphadigits.X_train[39 * rank:39 * rank + 39] for rank in (2, 11, 7)])
    p = softmax(judging.train_judge()(images))
    right = [np.flatnonzero((p.max(axis=1) > 0.5) & (p.argmax(axis=1) == rank))[:n] for rank, n in ((2, 12), (11, 6), (7, 2))]
    verdict = judging.judge(images[np.concatenate(right)], "24B", asked=np.array([2] * 12 + [4] * 6 + [7] * 2))
    assert verdict["counts"] == [12, 0, 6] and verdict["recognised"] == pytest.approx(18 / 20)
    assert verdict["diversity"] == pytest.approx(np.exp(-(2 / 3 * np.log(2 / 3) + 1 / 3 * np.log(1 / 3))))
    assert verdict["present"] == 2 and verdict["obeyed"] == pytest.approx(14 / 20)
    assert judging.judge(images[:39], "2")["distance"] == 0
    assert judging.judge(images[:39], "2", threshold=1.0)["recognised"] == 0


def test_jumeaux_et_rangs(alphadigits):
    assert [alphadigits.classes[rank] for rank in judging.ranks("0OI1Z")] == list("0OI1Z")
    assert judging.merged([0, 24, 1, 18, 5]).tolist() == [0, 0, 1, 1, 5]
    np.testing.assert_array_equal(judging.images_of("B3")[1], [3] * 39 + [11] * 39)


def test_nombre_effectif():
    assert judging.effective_number(np.array([5, 5, 0, 5])) == pytest.approx(3)
    assert judging.effective_number(np.array([0, 0])) == 0


def test_distance_au_plus_proche():
    rng = np.random.default_rng(0)
    images, real = rng.integers(0, 2, (6, 320)), rng.integers(0, 2, (9, 320))
    expected = np.mean([min(np.mean(a != b) for b in real) for a in images])
    assert judging.nearest_distance(images, real) == pytest.approx(expected)


def test_alterations():
    """Un pixel de décalage au plus, et environ 3 % de pixels basculés."""
    X = np.zeros((500, 320), np.float32)
    X[:, 8 * 16 + 8] = 1
    changed = judging.altered(X, np.random.default_rng(0)).reshape(-1, 20, 16)
    assert changed[:, 7:10, 7:10].sum() > 450 and np.mean(changed[:, 12:]) == pytest.approx(0.03, abs=0.003)


def test_decalages_dans_les_neuf_sens():
    """Un pixel isolé finit une fois sur neuf à chacune des neuf places, ou y est basculé : 0,97/9 + 0,03 · 8/9."""
    X = np.zeros((4000, 320), np.float32)
    X[:, 8 * 16 + 8] = 1
    places = judging.altered(X, np.random.default_rng(0)).reshape(-1, 20, 16)[:, 7:10, 7:10].mean(axis=0)
    np.testing.assert_allclose(places, 0.97 / 9 + 0.03 * 8 / 9, atol=0.025)


@pytest.mark.parametrize("n, present", [(8, 1), (10, 0)])
def test_present_des_un_quart_de_sa_part(n, present):
    """Un « 2 » pour deux caractères attendus : sur huit images, c'est le quart de sa part ; sur dix, c'est moins."""
    def one_two(images):
        logits = np.zeros((len(images), 37))
        logits[:, 36], logits[0, 2] = 50, 100
        return logits

    verdict = judging.judge(np.zeros((n, 320)), "24", model=one_two)
    assert verdict["counts"] == [1, 0] and verdict["present"] == present


# --- AlphaDigits ---


TINY = {"characters": "24", "q": 8, "rate": 0.1, "batch_size": 5, "epochs": 3, "steps": 4, "held_out": 9, "learning": "cd",
        "long_steps": 6, "betas": 30, "n_images": 20}


def test_decoupage():
    """Neuf images de chaque caractère laissées de côté, les étiquettes de ce qui reste, tout y est une fois."""
    train, held_out, labels = rbm_alphadigits.split("B4", 9, np.random.default_rng(0))
    X, _ = judging.images_of("B4")
    assert train.shape == (60, 320) and held_out.shape == (18, 320) and labels.shape == (60, 2 * rbm_alphadigits.COPIES)
    assert sorted(map(bytes, np.concatenate([train, held_out]))) == sorted(map(bytes, X))
    fours = {bytes(image) for image in judging.images_of("4")[0]}
    assert [bytes(image) in fours for image in train] == labels[:, 0].astype(bool).tolist()
    assert (labels.sum(axis=1) == rbm_alphadigits.COPIES).all() and (labels[:, :10].std(axis=1) == 0).all()


def test_bits():
    images = np.random.default_rng(0).integers(0, 2, (3, 320)).astype(np.float32)
    rows = rbm_alphadigits.packed(images)
    assert np.shape(rows) == (3, 20) and rows[0][0] == int("".join(str(int(bit)) for bit in images[0, :16]), 2)
    np.testing.assert_array_equal(rbm_alphadigits.unpacked(rows), images)


def test_vraisemblance_et_ecart_d_energie_libre():
    """Log-vraisemblance refaite par la somme sur les 2⁶ états cachés ; l'écart est celui des deux vraisemblances."""
    rbm = RBM(6, init_std=0.3, rng=0).initialize(320)
    train, held_out, _ = rbm_alphadigits.split("2", 9, np.random.default_rng(0))
    found = rbm_alphadigits.likelihood(rbm, train, held_out, TINY, np.random.default_rng(0))
    W = rbm.weight_.astype(float)
    H = np.array(list(itertools.product((0.0, 1.0), repeat=6)))
    log_z = logsumexp(np.logaddexp(0, H @ W).sum(axis=1))
    means = [np.mean(logsumexp(X.astype(float) @ W.T @ H.T, axis=1)) - log_z for X in (train, held_out)]
    assert found["exact"] == 1 and found["log_likelihood"] == pytest.approx(means[0], rel=1e-4)
    assert found["free_energy_gap"] == pytest.approx(means[0] - means[1], rel=1e-3)
    assert found["held_out_log_likelihood"] == pytest.approx(means[1], rel=1e-4)


def test_erreur_des_tirages():
    """Tirages compris, l'écart attendu en un pixel est (x − p)² + p(1 − p)."""
    rbm = RBM(3, rng=0).initialize(320)
    rbm.visible_bias_[:] = np.linspace(-3, 3, 320)
    rbm.weight_[:] = 0
    X, p = np.tile(np.arange(320) % 2, (400, 1)).astype(np.float32), expit(np.linspace(-3, 3, 320))
    expected = np.mean((np.arange(320) % 2 - p) ** 2 + p * (1 - p))
    assert rbm_alphadigits.drawn_error(rbm, X, np.random.default_rng(0)) == pytest.approx(expected, rel=0.02)
    assert rbm.reconstruction_error(X) == pytest.approx(np.mean((np.arange(320) % 2 - p) ** 2), rel=1e-4)


@pytest.mark.parametrize("change", [{}, {"learning": "pcd"}, {"learning": "labels", "held_out": 0}])
def test_essai_pur_et_complet(change):
    config = TINY | change
    metrics = rbm_alphadigits.run(config, 0)
    assert metrics == rbm_alphadigits.run(config, 0) and metrics != rbm_alphadigits.run(config, 1)
    assert len(metrics["reconstruction_curve"]) == 3 and metrics["reconstruction_curve"][-1] == metrics["reconstruction_error"]
    assert np.shape(metrics["short_images"]) == (8, 20) and sum(metrics["long_counts"]) / 20 == pytest.approx(metrics["long_recognised"])
    assert ("short_obeyed" in metrics) == (config["learning"] == "labels") != ("log_likelihood" in metrics)


def test_etiquettes_figees():
    """Le départ de chaque chaîne porte l'étiquette du caractère demandé, dans l'ordre des rangs."""
    config = TINY | {"characters": "B4Z"}
    labels = rbm_alphadigits.split("B4Z", 0, np.random.default_rng(0))[2]
    start, clamped, asked = rbm_alphadigits.labelled_start(config, labels, np.random.default_rng(0))
    assert asked[:3].tolist() == judging.ranks("4BZ") and clamped.sum() == 30 and not clamped[:320].any()
    np.testing.assert_array_equal(start[:3, 320:], np.eye(3).repeat(10, axis=1))


def test_une_machine_apprend_un_caractere():
    """Un « 2 » : après trente époques, la plupart des images tirées en sont ; à la première, non."""
    shares = [rbm_alphadigits.run(TINY | {"characters": "2", "q": 100, "epochs": epochs, "steps": 50, "held_out": 0}, 0)["short_recognised"]
              for epochs in (1, 30)]
    assert shares[0] < 0.5 < 0.7 < shares[1]


def test_grilles_d_alphadigits(tmp_path):
    """Les réglages de la source, chacun une fois ; une part de la grille rapide se calcule et se dessine."""
    complete, quick = (rbm_alphadigits.experiment.grids[size] for size in ("complet", "rapide"))
    assert len(complete) == len(quick)
    figure_3 = [c["q"] for c in complete if c["characters"] == "0" and not c["held_out"]]
    assert sorted(figure_3) == [1, 10, 100, 320, 500, 1000, 10000, 100000]
    figure_4 = [c["characters"] for c in complete if c["learning"] == "cd" and c["q"] == 500 and c["characters"] in "24BZ9PTN"]
    assert figure_4 == ["24BZ9PTN"[:n] for n in range(1, 9)]
    assert all((c["rate"], c["batch_size"], c["epochs"], c["steps"]) == (0.1, 5, 100, 50) for c in complete if c["characters"] in "024BZ9PTN")
    figure_2 = [c for c in complete if c["characters"] == "A"]
    assert len(figure_2) == 8 and all(c["epochs"] == 20 or c["epochs"] == 100 for c in figure_2)
    part = [c for c in quick if c["characters"] == "0" and c["q"] in (1, 10)]
    experiment = replace(rbm_alphadigits.experiment, grids={"rapide": part, "complet": part})
    drawing = experiment.figure(run_experiment(experiment, "rapide", seeds=2, progress=False, folder=tmp_path))
    assert len(drawing.axes) == 3 and all(ax.get_legend() for ax in drawing.axes)
    plt.close(drawing)


def stored(configs):
    """Des résultats inventés, comme le magasin les rendrait : une graine de chaque configuration."""
    metrics = {"reconstruction_error": 0.1, "drawn_error": 0.2, "log_likelihood": -90.0, "held_out_log_likelihood": -5000.0}
    for way in ("short", "long", "annealed"):
        metrics |= {f"{way}_recognised": 0.5, f"{way}_present": 2, f"{way}_images": rbm_alphadigits.packed(np.eye(8, 320))}
    records = {key(config, 0): Record(config, 0, metrics, 1.0, "", {}, "", "") for config in configs}
    return Results("rbm-alphadigits", "complet", rbm_alphadigits.complete_grid(), records)


@pytest.mark.parametrize("name, parts", [("figure", 3), ("changes_figure", 8), ("sizes_mosaic", 10), ("characters_mosaic", 10),
                                         ("characters_figure", 2)])
def test_figures_du_chapitre(name, parts):
    """Avec tous les essais, puis sans les plus grandes machines : ce qui manque ne se dessine pas."""
    draw, grid = getattr(rbm_alphadigits, name), rbm_alphadigits.complete_grid()
    for configs in (grid, [config for config in grid if config["q"] < 10000]):
        drawing = draw(stored(configs))
        lost = (name == "changes_figure") + 4 * (name == "sizes_mosaic") if len(configs) < len(grid) else 0
        assert len(drawing.axes) == parts - lost
        plt.close(drawing)


# --- Vraisemblance ---


def test_pixels_tires():
    levels = np.linspace(0, 1, 11, dtype=np.float32) * np.ones((4000, 1), np.float32)
    drawn = rbm_likelihood.drawn(levels, np.random.default_rng(0))
    assert set(np.unique(drawn)) == {0, 1}
    np.testing.assert_allclose(drawn.mean(axis=0), levels[0], atol=0.04)


def test_grille_de_vraisemblance(tmp_path):
    """La grille rapide se calcule, se dessine, et progresse ; la complète est sur MNIST entier, à 500 unités."""
    experiment = rbm_likelihood.experiment
    results = run_experiment(experiment, "rapide", progress=False, folder=tmp_path)
    for config in results.configs:
        metrics = results.runs(method=config["method"])[0].metrics
        low, value, high = (metrics[f"test_log_likelihood{end}"] for end in ("_low", "", "_high"))
        assert low <= value <= high and -784 * np.log(2) < value < -100
        assert metrics["log_likelihood_curve"][-1] > metrics["log_likelihood_curve"][0]
    drawing = experiment.figure(results)
    assert len(drawing.axes[0].lines) == 6 and len(drawing.axes[1].lines) == 4
    plt.close(drawing)
    assert all((c["n_train"], c["n_test"]) == (60000, 10000) for c in experiment.grids["complet"])
    config = experiment.grids["rapide"][0]
    assert rbm_likelihood.run(config, 3) == rbm_likelihood.run(config, 3)


def test_les_jumeaux_ne_comptent_qu_une_fois():
    """« 0 » et « O », « 1 » et « I » : quatre caractères demandés, deux classes ; six images d'une, deux de l'autre."""
    def zeros_then_ones(images):
        return np.repeat(100 * np.eye(37)[[0, 1]], (6, 2), axis=0)

    verdict = judging.judge(np.zeros((8, 320)), "0O1I", model=zeros_then_ones)
    assert verdict["counts"] == [6, 2] and verdict["present"] == 2 and verdict["recognised"] == 1


@pytest.mark.parametrize("learning", ["cd", "pcd"])
def test_la_machine_apprise_est_celle_de_la_configuration(learning):
    rng = np.random.default_rng(0)
    train, _, _ = rbm_alphadigits.split("24", 9, rng)
    rbm = RBM(8, learning_rate=0.1, batch_size=5, n_epochs=3, persistent=learning == "pcd", rng=rng).fit(train)
    found = rbm_alphadigits.run(TINY | {"learning": learning}, 0)["reconstruction_curve"]
    assert found == pytest.approx(rbm.history_["reconstruction_error"], rel=1e-4)


def test_les_trois_facons_de_tirer(monkeypatch):
    """Peu de pas, beaucoup, et beaucoup en partant de la température 2."""
    seen, sample = [], RBM.sample

    def spy(self, n_samples, n_steps, **options):
        seen.append((n_steps, options["initial_temperature"]))
        return sample(self, n_samples, n_steps, **options)

    monkeypatch.setattr(RBM, "sample", spy)
    rbm_alphadigits.run(TINY, 0)
    assert seen == [(4, 1), (6, 1), (6, 2)]


def test_intervalle_de_la_vraisemblance_estimee():
    """Vingt et une cachées, une de trop pour énumérer : la borne basse de la vraisemblance vient de la borne haute de ln Z."""
    rbm = RBM(21, init_std=0.3, rng=0).initialize(320)
    train, held_out, _ = rbm_alphadigits.split("2", 9, np.random.default_rng(0))
    found = rbm_alphadigits.likelihood(rbm, train, held_out, TINY, np.random.default_rng(0))
    assert found["exact"] == 0 and found["log_likelihood_low"] < found["log_likelihood"] < found["log_likelihood_high"]


class Spied(RBM):
    """Une machine qui note, à chaque pas, son nombre de pas de Gibbs, si ses chaînes persistent, et son taux."""

    steps = []

    def _update(self, V, H, step, rate, momentum):
        self.steps.append((self.k, self.persistent, rate))
        super()._update(V, H, step, rate, momentum)


SHORT = {"epochs": 4, "every": 2, "betas": 20, "n_train": 100, "n_test": 20, "rate": 0.1}


@pytest.mark.parametrize("method, k, persistent", [("cd-1", 1, False), ("cd-5", 5, False), ("cd-25", 25, False), ("pcd", 1, True)])
def test_apprentissages_de_la_vraisemblance(method, k, persistent, monkeypatch):
    """Un lot par époque : le taux descend d'autant à chacune, sans atteindre zéro."""
    monkeypatch.setattr(Spied, "steps", [])
    monkeypatch.setattr(rbm_likelihood, "RBM", Spied)
    rbm_likelihood.run(SHORT | {"method": method}, 0)
    assert [(found_k, chains) for found_k, chains, _ in Spied.steps] == [(k, persistent)] * 4
    np.testing.assert_allclose([rate for *_, rate in Spied.steps], [0.1, 0.075, 0.05, 0.025])


def test_images_dont_on_donne_la_vraisemblance(monkeypatch):
    """Celles de test, à chaque mesure et aux trois valeurs de ln Z, puis celles d'apprentissage : leurs pixels noirs ne sont jamais tirés."""
    seen, log_likelihood = [], rbm_likelihood.log_likelihood
    monkeypatch.setattr(rbm_likelihood, "log_likelihood", lambda rbm, X, log_z: seen.append(X) or log_likelihood(rbm, X, log_z))
    rbm_likelihood.run(SHORT | {"method": "cd-1"}, 0)
    data = rbm_likelihood.mnist()
    possible = [[bool((X <= (part[:20] > 0)).all()) for X in seen] for part in (data.X_test, data.X_train)]
    assert possible == [[True] * 5 + [False], [False] * 5 + [True]]
