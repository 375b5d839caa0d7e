"""Les expériences de pré-entraînement : piles partagées, images de test vues ou non, gradients justes, figures."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from labcode import datasets, nn, optim
from labcode.boltzmann import DBN, DNN, RBM, hinton_momentum
from labcode.experiments import few_labels, fine_tuning, pretraining, pretraining_binarized, run_experiment
from labcode.experiments.pretraining import SMALL, STARTS
from labcode.training import fit

TINY = SMALL | {"width": 20, "n_train": 300, "n_pool": 400, "n_test": 350, "epochs": 2, "pretraining_epochs": 1}


def pool(seed=0, n=400):
    order = np.random.default_rng([seed, 60000]).permutation(60000)[:n]
    return datasets.load_mnist().X_train[order]


@pytest.mark.parametrize("start", STARTS)
def test_essai_pur(start):
    config = TINY | {"start": start}
    assert pretraining.run(config, 0) == pretraining.run(config, 0) != pretraining.run(config, 1)


@pytest.mark.parametrize("start, seen", [("pretrained", 350), ("train_only", 0)])
def test_pile_gloutonne_et_images_de_test(start, seen):
    """La pile est celle d'un DBN ordinaire, appris sur les images d'apprentissage, avec ou sans celles de test."""
    X = np.concatenate([pool(), datasets.load_mnist().X_test[:seen]])
    options = {"learning_rate": 0.1, "batch_size": 64, "init_std": 0.1, "n_epochs": 1}
    expected = DBN([RBM(20, rng=np.random.default_rng([0, rank]), **options) for rank in range(3)]).fit(X)
    found = pretraining.stack(TINY | {"start": start, "depth": 3}, 0)
    for ours, theirs in zip(found.rbms_, expected.rbms_, strict=True):
        np.testing.assert_array_equal(ours.weight_, theirs.weight_)
        np.testing.assert_array_equal(ours.hidden_bias_, theirs.hidden_bias_)


def test_la_pile_profonde_contient_l_autre():
    deep, shallow = (pretraining.stack(TINY | {"start": "pretrained", "depth": depth}, 0) for depth in (4, 2))
    assert deep.rbms_[:2] == shallow.rbms_  # les mêmes objets : rien n'est appris deux fois
    kept = shallow.rbms_[0].weight_.copy()
    pretraining.run(TINY | {"start": "pretrained"}, 0)
    np.testing.assert_array_equal(shallow.rbms_[0].weight_, kept)  # la rétropropagation n'y touche pas


def test_meme_hasard_avec_et_sans():
    """Le réseau non pré-entraîné part des poids d'où est parti le pré-entraînement."""
    untrained = pretraining.stack(TINY | {"start": "pretrained", "pretraining_epochs": 0}, 3)
    random = pretraining.stack(TINY | {"start": "random"}, 3)
    for first, second in zip(untrained.rbms_, random.rbms_, strict=True):
        np.testing.assert_array_equal(first.weight_, second.weight_)
    assert random.rbms_[0].weight_.std() == pytest.approx(0.1, rel=0.03) and not random.rbms_[0].hidden_bias_.any()


@pytest.mark.parametrize("start, deviation", [("xavier", (2 / (784 + 20))**0.5), ("he_relu", (2 / 784)**0.5)])
def test_departs_sans_machine(start, deviation):
    model = pretraining.plain_network(TINY | {"start": start, "depth": 5}, 0)
    assert len(model.layers) == 11 and model.layers[0].weight.data.std() == pytest.approx(deviation, rel=0.03)
    assert isinstance(model.layers[1], nn.ReLU if start == "he_relu" else nn.Sigmoid)


def test_gradient_par_couche():
    """Contre la dérivée écrite à la main d'un réseau à deux couches cachées, en float64 (eq-dnn-gradient)."""
    rng = np.random.default_rng(0)
    X, y = rng.random((30, 6)), rng.integers(0, 3, 30)
    model = nn.Sequential(*[layer for sizes in ((6, 5), (5, 4)) for layer in (nn.Linear(*sizes, rng=rng, dtype=float), nn.Sigmoid())],
                          nn.Linear(4, 3, rng=rng, dtype=float))
    W1, W2, W3 = (layer.weight.data for layer in model.layers[::2])
    h1 = nn.sigmoid(X @ W1.T + model.layers[0].bias.data)
    h2 = nn.sigmoid(h1 @ W2.T + model.layers[2].bias.data)
    grad3 = (nn.softmax(h2 @ W3.T + model.layers[4].bias.data) - np.eye(3)[y]) / 30
    grad2 = grad3 @ W3 * h2 * (1 - h2)
    grad1 = grad2 @ W2 * h1 * (1 - h1)
    expected = [np.linalg.norm(grad.T @ h) for grad, h in ((grad1, X), (grad2, h1), (grad3, h2))]
    assert pretraining.layer_gradients(model, X, y) == pytest.approx(expected, rel=1e-4)


def test_mesures():
    metrics = pretraining.run(TINY | {"start": "pretrained", "depth": 3}, 0)
    assert metrics["test_error"] == metrics["test_error_curve"][-1] and metrics["train_error"] == metrics["train_error_curve"][-1]
    assert len(metrics["train_loss_curve"]) == 2 and len(metrics["gradients_start"]) == len(metrics["gradients_end"]) == 4
    probabilities = np.array(metrics["probabilities"])
    assert probabilities.shape == (4, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-3)


def test_le_gradient_s_eteint_avec_la_profondeur():
    """N(0, 0,1²) et vingt neurones : chaque couche de plus divise le gradient de la première."""
    first = [pretraining.run(TINY | {"start": "random", "depth": depth, "epochs": 1}, 0)["gradients_start"][0] for depth in (1, 3, 5)]
    assert first[0] > 5 * first[1] > 25 * first[2]


def test_binarisation():
    X, _ = pretraining.training_images(100, True, 0)
    expected = np.rint(pool(n=100) * 255) > 128
    np.testing.assert_array_equal(X, expected)


@pytest.mark.parametrize("experiment", [pretraining.depth_sweep, pretraining.width_sweep, pretraining.data_sweep, pretraining.start_sweep, few_labels.experiment,
                                        pretraining_binarized.whole, pretraining_binarized.reduced], ids=lambda e: e.name)
def test_grille_rapide_et_figure(experiment, tmp_path):
    results = run_experiment(experiment, "rapide", progress=False, folder=tmp_path)
    figure = experiment.figure(results)
    assert all(len(ax.containers) >= 2 for ax in figure.axes)
    plt.close(figure)


def test_figure_binaire_ne_melange_pas_les_reglages(tmp_path):
    """Deux profondeurs, deux largeurs, deux tailles : deux points par courbe, aux valeurs rangées."""
    results = run_experiment(pretraining_binarized.whole, "rapide", progress=False, folder=tmp_path)
    figure = pretraining_binarized.figure(results)
    for ax, axis, values in zip(figure.axes, ("depth", "width", "n_train"), ([2, 3], [20, 30], [500, 1000])):
        for container, start in zip(ax.containers, ("random", "train_only"), strict=True):
            x, y = container.lines[0].get_data()
            others = {name: value for name, value in (("depth", 2), ("width", 30), ("n_train", 1000)) if name != axis}
            assert list(x) == values
            assert list(y) == [100 * results.values("test_error", **others, **{axis: value}, start=start)[0] for value in values]
    plt.close(figure)


def test_grilles_des_sources():
    """Les réglages des deux rapports, et leurs listes."""
    values = {experiment.name: sorted({config[axis] for config in experiment.grids["complet"]}) for experiment, axis in
              ((pretraining.depth_sweep, "depth"), (pretraining.width_sweep, "width"), (pretraining.data_sweep, "n_train"))}
    assert values == {"preentrainement-profondeur": [2, 3, 4, 5, 6, 8, 10], "preentrainement-largeur": [100, 200, 300, 500, 700],
                      "preentrainement-donnees": [1000, 2000, 3000, 5000, 7000, 10000, 20000, 30000, 60000]}
    for experiment in (pretraining.depth_sweep, pretraining.width_sweep, pretraining.data_sweep):
        for config in experiment.grids["complet"]:
            assert (config["lr"], config["pretraining_lr"], config["batch_size"], config["epochs"], config["pretraining_epochs"]) == (0.01, 0.01, 64, 10, 10)
            assert config["n_pool"] == 60000 and config["n_test"] == 10000
        assert experiment.seeds["complet"] == 5
    second = pretraining_binarized.whole.grids["complet"]
    assert {(config["lr"], config["batch_size"], config["epochs"], config["pretraining_epochs"]) for config in second} == {(0.1, 5, 200, 100)}
    assert {(config["depth"], config["width"]) for config in second if config["n_train"] == 60000} == set(pretraining_binarized.BEST)
    assert len(second) == 2 * (8 + 8 - 1 + 6 - 1) + 6 - 1


def test_affinage(tmp_path):
    """Pur ; les images mal classées sont celles que compte l'erreur ; la figure se dessine."""
    results = run_experiment(fine_tuning.experiment, "rapide", progress=False, folder=tmp_path)
    for config in results.configs:
        metrics = results.runs(**config)[0].metrics
        assert metrics == fine_tuning.run(config, 0)
        assert len(metrics["wrong"]) / 1000 == metrics["test_error"] == metrics["test_error_curve"][-1] < 0.3
    figure = fine_tuning.experiment.figure(results)
    assert len(figure.axes[0].lines) == 3
    plt.close(figure)


def test_affinage_part_de_la_pile():
    """Les machines de l'affinage sont celles d'un DBN réglé selon la pratique de Hinton."""
    options = {"learning_rate": 0.1, "batch_size": 100, "n_epochs": 2, "momentum": hinton_momentum, "weight_cost": 2e-4,
               "sample_visible": False, "data_bias": True}
    expected = DBN([RBM(n_hidden, **options) for n_hidden in (12, 10, 8)], rng=5).fit(pool(5, 500))
    for ours, theirs in zip(fine_tuning.stack(12, 10, 8, 500, 2, 5).rbms_, expected.rbms_, strict=True):
        np.testing.assert_array_equal(ours.weight_, theirs.weight_)


def test_reseau_de_hinton():
    for config in fine_tuning.experiment.grids["complet"]:
        assert (config["n_1"], config["n_2"], config["n_3"], config["n_train"], config["n_test"]) == (500, 500, 2000, 60000, 10000)
    shapes = [layer.weight.shape for layer in fine_tuning.glorot_network(500, 400, 300, 0).layers[::2]]
    assert shapes == [(500, 784), (400, 500), (300, 400), (10, 300)]


def test_confiance_et_gradients_de_la_fin():
    """Refaits sur le réseau appris à part : moyenne de la plus forte probabilité de chaque image, gradients après l'apprentissage."""
    config = TINY | {"start": "random", "n_test": 60}
    X, y = pretraining.training_images(300, False, 0)
    dnn = DNN(DBN([RBM()]), learning_rate=0.1, batch_size=64, n_epochs=2, rng=0).start_from(pretraining.stack(config, 0)).train(X, y)
    metrics = pretraining.run(config, 0)
    p = dnn.predict_proba(datasets.load_mnist().X_test[:60])
    assert metrics["confidence"] == pytest.approx(np.mean([max(row) for row in p]), rel=1e-4)
    assert metrics["gradients_end"] == pytest.approx(pretraining.layer_gradients(dnn.network_, X, y), rel=1e-3)
    assert abs(metrics["gradients_end"][-1] / metrics["gradients_start"][-1] - 1) > 0.05


def test_affinage_au_taux_en_cosinus():
    """Trois époques d'Adam aux taux η, 3η/4 et η/4, réglés à la main."""
    X, y = pretraining.training_images(300, False, 0)
    model = fine_tuning.glorot_network(10, 10, 10, 0)
    optimizer, rates = optim.Adam(model.parameters(), 0.02), {1: 0.015, 2: 0.005, 3: 0.005}

    def slow_down(epoch, history):
        optimizer.lr = rates[epoch]

    history = fit(model, nn.CrossEntropyLoss(), optimizer, X, y, epochs=3, batch_size=50, rng=0, callbacks=[slow_down], progress=False)
    config = {"start": "random", "n_1": 10, "n_2": 10, "n_3": 10, "n_train": 300, "n_test": 50, "epochs": 3, "lr": 0.02, "batch_size": 50}
    assert fine_tuning.run(config, 0)["train_loss_curve"] == pytest.approx(history.train_loss, rel=1e-4)
