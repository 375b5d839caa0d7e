import itertools
import json
import re

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from labcode.nn import BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, Linear, Module, MSELoss, ReLU, Sequential, Sigmoid, Tanh
from labcode.optim import L1, L2, SGD, Layca
from labcode.training import DivergenceError, History, error_rate, fit, predict


def clouds(n_examples=120, n_classes=3, dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n_examples) % n_classes
    X = rng.normal(size=(n_classes, 2))[y] * 1.5 + rng.normal(size=(n_examples, 2))
    return X.astype(dtype), y


def network(dtype=np.float32, n_outputs=3):
    return Sequential(Linear(2, 8, rng=0, dtype=dtype), Tanh(), Linear(8, n_outputs, rng=1, dtype=dtype))


def train(model, X, y, loss=None, lr=0.1, **options):
    options = {"epochs": 3, "progress": False} | options
    return fit(model, loss or CrossEntropyLoss(), SGD(model.parameters(), lr), X, y, **options)


class Recorder(Module):
    """Couche qui laisse tout passer, et note la taille, le type et le mode de ce qu'elle voit."""

    def __init__(self):
        self.seen, self.rows = [], []

    def forward(self, x):
        self.seen.append((len(x), x.dtype, self.training))
        self.rows.append(np.array(x))
        return x

    def backward(self, dy):
        return dy


# --- Ce que la boucle calcule ----------------------------------------------------------------------------------

def test_regression_logistique_atteint_l_optimum():
    X, y = clouds(200, 2, np.float64)
    model = Linear(2, 1, rng=0, dtype=np.float64)
    train(model, X, y[:, None], BCEWithLogitsLoss(), lr=1.0, epochs=3000, batch_size=200)
    reference = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(X, y)
    np.testing.assert_allclose(model.weight.data, reference.coef_, rtol=1e-4)
    np.testing.assert_allclose(model.bias.data, reference.intercept_, rtol=1e-4)


def test_entropie_croisee_atteint_l_optimum_convexe():
    X, y = clouds(90, 3, np.float64)
    model = Linear(2, 3, rng=0, dtype=np.float64)
    history = train(model, X, y, lr=0.5, epochs=3000, batch_size=90)

    def objective(theta):
        logits = X @ theta[:6].reshape(2, 3) + theta[6:]
        return np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(90), y])

    best = minimize(objective, np.zeros(9), tol=1e-12).fun
    assert history.train_loss[-1] == pytest.approx(best, abs=1e-6)
    assert (np.diff(history.train_loss) < 1e-12).all()


def test_lot_complet_suit_la_forme_close():
    """MSE linéaire : θ_k = θ* + (I − ηH)^k (θ_0 − θ*), avec H = (2/N) X̃ᵀX̃."""
    rng = np.random.default_rng(1)
    X, Y = rng.normal(size=(30, 4)), rng.normal(size=(30, 2))
    model = Linear(4, 2, rng=0, dtype=np.float64)
    theta = np.vstack([model.weight.data.T, model.bias.data])
    augmented = np.column_stack([X, np.ones(30)])
    hessian = 2 / 30 * augmented.T @ augmented
    best = np.linalg.lstsq(augmented, Y, rcond=None)[0]
    train(model, X, Y, MSELoss(), lr=0.05, epochs=40, batch_size=30)
    expected = best + np.linalg.matrix_power(np.eye(5) - 0.05 * hessian, 40) @ (theta - best)
    np.testing.assert_allclose(np.vstack([model.weight.data.T, model.bias.data]), expected, rtol=1e-10, atol=1e-10)


def test_meme_chose_qu_une_boucle_ecrite_a_la_main():
    X, y = clouds(50)
    X_val, y_val = clouds(21, seed=5)
    model, twin = network(), network()
    history = train(model, X, y, batch_size=16, rng=7, validation=(X_val, y_val))

    rng, loss, optimizer = np.random.default_rng(7), CrossEntropyLoss(), SGD(twin.parameters(), 0.1)
    for epoch in range(3):
        order, total, wrong = rng.permutation(50), 0, 0
        for index in (order[:16], order[16:32], order[32:48], order[48:]):
            y_hat = twin(X[index])
            total += loss(y_hat, y[index]) * len(index)
            wrong += (y_hat.argmax(axis=1) != y[index]).sum()
            optimizer.zero_grad()
            twin.backward(loss.backward())
            optimizer.step()
        assert history.train_loss[epoch] == pytest.approx(total / 50, rel=1e-12)
        assert history.train_error[epoch] == wrong / 50
        assert history.val_loss[epoch] == pytest.approx(loss(twin(X_val), y_val), rel=1e-6)
        assert history.val_error[epoch] == (twin(X_val).argmax(axis=1) != y_val).mean()
    for ours, theirs in zip(model.parameters(), twin.parameters()):
        assert (ours.data == theirs.data).all()


def test_validation_par_lots_egale_validation_entiere():
    X, y = clouds(2500, dtype=np.float64)
    model = network(np.float64)
    history = train(model, X[:50], y[:50], epochs=1, validation=(X, y))
    assert history.val_loss[0] == pytest.approx(CrossEntropyLoss()(model(X), y), rel=1e-12)
    assert history.val_error[0] == error_rate(model, X, y)


def test_chaque_exemple_une_fois_par_epoque_dernier_lot_compris():
    X, y = np.arange(20, dtype=np.float32).reshape(10, 2), np.arange(10) % 3
    recorder = Recorder()
    model = Sequential(recorder, Linear(2, 3, rng=0))
    train(model, X, y, lr=1e-3, epochs=2, batch_size=4)
    lots = [rows for rows, (_, _, training) in zip(recorder.rows, recorder.seen) if training]
    assert [len(rows) for rows in lots] == [4, 4, 2] * 2
    epochs = [np.concatenate(lots[:3]), np.concatenate(lots[3:])]
    assert all(sorted(rows[:, 0]) == X[:, 0].tolist() for rows in epochs)
    assert epochs[0].tolist() != epochs[1].tolist() != X.tolist()


def test_meme_graine_memes_bits():
    X, y = clouds()
    runs = []
    for rng in (3, 3, np.random.default_rng(3), 4):
        model = network()
        history = train(model, X, y, rng=rng, batch_size=7)
        runs.append([history.train_loss.tolist()] + [p.data.tolist() for p in model.parameters()])
    assert runs[0] == runs[1] == runs[2] != runs[3]


def test_modes_apprentissage_et_evaluation():
    X, y = clouds(10)
    recorder = Recorder()
    model = Sequential(recorder, Linear(2, 3, rng=0))
    train(model, X, y, epochs=2, batch_size=10, validation=(X, y))
    modes = [training for _, _, training in recorder.seen]
    assert modes == [False, False] + [True, False] * 2      # deux vérifications, puis lot et validation à chaque époque
    assert not model.training


def test_float32_reste_float32():
    X, y = clouds(32)
    before, after = Recorder(), Recorder()
    model = Sequential(before, Linear(2, 2, rng=0), after)
    targets = []

    class Loss(MSELoss):
        def forward(self, y_hat, y):
            targets.append(y.dtype)
            return super().forward(y_hat, y)

    train(model, X, X.astype(np.float64), Loss())
    assert {dtype for _, dtype, _ in before.seen + after.seen} == set(targets) == {np.dtype(np.float32)}
    assert {p.data.dtype for p in model.parameters()} == {np.dtype(np.float32)}


def test_float64_reste_float64():
    X, y = clouds(32, dtype=np.float64)
    before, after = Recorder(), Recorder()
    train(Sequential(before, Linear(2, 3, rng=0, dtype=np.float64), after), X, y)
    assert {dtype for _, dtype, _ in before.seen + after.seen} == {np.dtype(np.float64)}


def test_les_donnees_ne_changent_pas():
    X, y = clouds()
    before = X.copy(), y.copy()
    train(network(), X, y)
    assert (X == before[0]).all() and (y == before[1]).all()


def test_entrees_a_plus_de_deux_dimensions_et_non_contigues():
    rng = np.random.default_rng(0)

    class Flat(Recorder):
        def forward(self, x):
            return super().forward(x).reshape(len(x), -1)

    flat = Flat()
    images = rng.random((20, 3, 4), dtype=np.float32)[::2]
    train(Sequential(flat, Linear(12, 3, rng=0)), images, np.arange(10) % 3, epochs=1, batch_size=3)
    lots = np.concatenate([rows for rows, (_, _, training) in zip(flat.rows, flat.seen) if training])
    assert sorted(lots[:, 0, 0]) == sorted(images[:, 0, 0])


# --- Erreur de classification ----------------------------------------------------------------------------------

def test_taux_d_erreur():
    model = Linear(2, 2, bias=False)
    model.weight.data = np.eye(2)
    X = np.array([[1, 0], [0, 1], [3, 2], [1, 4]], dtype=np.float32)
    assert error_rate(model, X, np.array([0, 1, 0, 1])) == 0
    assert error_rate(model, X, np.array([0, 1, 1, 1])) == 0.25
    assert error_rate(model, X, np.eye(2)[[1, 0, 1, 0]]) == 1
    assert isinstance(error_rate(model, X, np.array([0, 1, 0, 1])), float)


def test_taux_d_erreur_a_une_sortie():
    model = Linear(1, 1, bias=False)
    model.weight.data = np.ones((1, 1))
    X = np.array([[-1.0], [0.25], [0.75]])
    assert error_rate(model, X, np.array([0, 1, 1]), threshold=0) == 0
    assert error_rate(model, X, np.array([0, 1, 1]), threshold=0.5) == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="threshold"):
        error_rate(model, X, np.array([0, 1, 1]))


@pytest.mark.parametrize("loss, last, threshold", [(BCELoss(), [Sigmoid()], 0.5), (BCEWithLogitsLoss(), [], 0.0)])
def test_erreur_binaire_dans_l_historique(loss, last, threshold):
    X, y = clouds(60, 2)
    model = Sequential(Linear(2, 1, rng=0), *last)
    history = train(model, X, y[:, None], loss, lr=0.5, validation=(X, y[:, None]))
    assert history.val_error[-1] == ((model(X)[:, 0] > threshold) != y).mean() == error_rate(model, X, y, threshold=threshold)
    assert 0 < history.val_error[-1] < 0.5


def test_cible_one_hot_ou_entiere():
    X, y = clouds()
    first, second = train(network(), X, y), train(network(), X, np.eye(3)[y])
    np.testing.assert_allclose(first.train_loss, second.train_loss, rtol=1e-5)
    assert first.train_error.tolist() == second.train_error.tolist()


def test_pas_d_erreur_de_classification_en_regression():
    X, _ = clouds()
    history = train(network(n_outputs=2), X, X, MSELoss(), lr=0.01, validation=(X, X))
    assert np.isnan(history.train_error).all() and np.isnan(history.val_error).all() and np.isfinite(history.val_loss).all()


def test_predict_par_lots_et_mode_retabli():
    X, _ = clouds(101, dtype=np.float64)
    model = network(np.float64)
    for mode in (True, False):
        model.train(mode)
        np.testing.assert_allclose(predict(model, X, batch_size=8), model(X), rtol=1e-13)
        assert model.training is mode
    recorder = Recorder()
    predict(recorder, X, batch_size=50)
    assert [(size, training) for size, _, training in recorder.seen] == [(50, False), (50, False), (1, False)]


# --- Historique, rappels, interruption, barre ------------------------------------------------------------------

def test_historique():
    X, y = clouds()
    history = train(network(), X, y, epochs=4)
    assert history.epochs.tolist() == [1, 2, 3, 4] and len(history) == 4
    assert all(getattr(history, name).shape == (4,) for name in ("train_loss", "train_error", "val_loss", "val_error"))
    assert np.isnan(history.val_loss).all() and np.isnan(history.val_error).all()
    read = json.loads(json.dumps(history.as_dict()))
    assert read["epochs"] == [1, 2, 3, 4] and read["train_loss"] == history.train_loss.tolist()
    assert repr(history) == "History(4 époques)"


def test_historique_en_json_au_bit_pres():
    X, y = clouds()
    history = train(network(), X, y, validation=(X, y))
    text = history.to_json()
    back = History.from_json(text)
    assert back.as_dict() == history.as_dict() and back.val_loss.dtype == np.float64 and back.table() == history.table()
    without = train(network(), X, y)
    assert json.loads(without.to_json())["val_loss"] == [None] * 3 and "NaN" not in without.to_json()
    assert np.isnan(History.from_json(without.to_json()).val_loss).all()
    assert len(History.from_dict(History().as_dict())) == 0


@pytest.mark.parametrize("measures", [3, {}, {"train_loss": [1]}, {"train_loss": [1], "train_error": [1], "val_loss": [1, 2], "val_error": [1]},
                                      {"train_loss": 1, "train_error": 1, "val_loss": 1, "val_error": 1}])
def test_historique_mal_forme(measures):
    with pytest.raises(ValueError, match="History"):
        History.from_dict(measures)


def test_mettre_deux_historiques_bout_a_bout():
    X, y = clouds()
    model = network()
    first, second = train(model, X, y, epochs=2), train(model, X, y, epochs=3, validation=(X, y))
    whole = first + second
    assert whole.epochs.tolist() == [1, 2, 3, 4, 5] and len(first) == 2 and len(second) == 3
    assert whole.train_loss.tolist() == first.train_loss.tolist() + second.train_loss.tolist()
    assert np.isnan(whole.val_error[:2]).all() and whole.val_error[2:].tolist() == second.val_error.tolist()
    with pytest.raises(TypeError):
        first + 3


def test_tableau():
    history = History()
    history.append(train_loss=0.25, train_error=0.125, val_loss=1.5)
    heading, line = history.table().splitlines()
    assert heading.split() == "époque perte (app.) erreur (app.) perte (val.) erreur (val.)".split()
    assert re.split(r" {2,}", line.strip()) == ["1", "0,2500", "12,50\u00a0%", "1,5000", "–"]


def test_rappels():
    X, y = clouds()
    calls = []

    def record(epoch, history):
        calls.append((epoch, len(history), history.train_loss[-1]))

    history = train(network(), X, y, epochs=10, callbacks=[lambda epoch, history: np.bool_(epoch == 4), record])
    assert len(history) == 4
    assert calls == [(n, n, history.train_loss[n - 1]) for n in (1, 2, 3, 4)]


def test_interruption_au_clavier(capsys):
    X, y = clouds()

    class Interrupted(Recorder):
        def forward(self, x):
            if self.training and len(self.seen) == 5 + 1:   # une vérification, puis deux lots par époque
                raise KeyboardInterrupt
            return super().forward(x)

    model = Sequential(Interrupted(), Linear(2, 3, rng=0))
    history = train(model, X, y, epochs=10, batch_size=60)
    assert len(history) == 2 and np.isfinite(history.train_loss).all() and not model.training
    assert "interrompu pendant l'époque 3" in capsys.readouterr().err


def test_zero_epoque():
    X, y = clouds()
    model = network()
    before = [p.data.copy() for p in model.parameters()]
    history = train(model, X, y, epochs=0)
    assert len(history) == 0 and all((p.data == old).all() for p, old in zip(model.parameters(), before))


def test_barre_de_progression_en_francais(capsys):
    X, y = clouds()
    train(network(), X, y, epochs=2, progress=True, validation=(X, y))
    captured = capsys.readouterr()
    last = captured.err.split("\r")[-1]
    assert captured.out == ""
    assert "Époque 2/2" in last and "100\u00a0%" in last and "reste" in last
    assert re.search(r"validation\u00a0: perte \d,\d{4}, erreur \d+,\d\d\u00a0%", last)


def test_sans_barre_rien_ne_s_affiche(capsys):
    X, y = clouds()
    train(network(), X, y)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


# --- Pénalité et augmentation -----------------------------------------------------------------------------------

def test_penalite_l2_rejoint_la_regression_ridge():
    """MSE linéaire + λ‖θ‖² : le minimum est (X̃ᵀX̃/N + λI)⁻¹ X̃ᵀY/N."""
    rng = np.random.default_rng(1)
    X, Y = rng.normal(size=(30, 4)), rng.normal(size=(30, 2))
    model = Linear(4, 2, rng=0, dtype=np.float64)
    history = train(model, X, Y, MSELoss(), lr=0.1, epochs=600, batch_size=30, penalty=L2(0.3))
    augmented = np.column_stack([X, np.ones(30)])
    best = np.linalg.solve(augmented.T @ augmented / 30 + 0.3 * np.eye(5), augmented.T @ Y / 30)
    np.testing.assert_allclose(np.vstack([model.weight.data.T, model.bias.data]), best, rtol=1e-8)
    assert history.train_loss[-1] == pytest.approx(((augmented @ best - Y)**2).sum() / 30 + 0.3 * (best**2).sum(), rel=1e-10)


def test_penalite_dans_la_perte_d_apprentissage_seule():
    X, y = clouds(dtype=np.float64)
    model = network(np.float64)
    expected = CrossEntropyLoss()(model(X), y) + 0.01 * sum(np.abs(p.data).sum() for p in model.parameters())
    history = train(model, X, y, epochs=1, batch_size=len(X), penalty=L1(0.01), validation=(X, y))
    assert history.train_loss[0] == pytest.approx(expected, rel=1e-12)
    assert history.val_loss[0] == pytest.approx(CrossEntropyLoss()(model(X), y), rel=1e-12)


def test_penalite_egale_weight_decay_pour_la_descente_simple():
    X, y = clouds(dtype=np.float64)
    model, twin = network(np.float64), network(np.float64)
    train(model, X, y, penalty=L2(0.05))
    fit(twin, CrossEntropyLoss(), SGD(twin.parameters(), 0.1, weight_decay=0.1), X, y, epochs=3, progress=False)
    for ours, theirs in zip(model.parameters(), twin.parameters()):
        np.testing.assert_allclose(ours.data, theirs.data, rtol=1e-12)


def test_augmentation_des_lots_d_apprentissage_seulement():
    X, y = clouds(20)
    X_val = X + 100
    recorder, drawn = Recorder(), []

    def augment(batch, rng):
        drawn.append(rng.random())
        batch *= -1             # même une fonction qui change le lot sur place ne change pas les données
        return batch

    before = X.copy()
    train(Sequential(recorder, Linear(2, 3, rng=0)), X, y, lr=1e-4, epochs=2, batch_size=8, validation=(X_val, y), augment=augment, rng=5)
    lots = [rows for rows, (_, _, training) in zip(recorder.rows, recorder.seen) if training]
    for epoch in (lots[:3], lots[3:]):
        assert sorted(np.concatenate(epoch)[:, 0]) == sorted(-X[:, 0])
    assert recorder.rows[-1].tolist() == X_val.tolist() and (X == before).all()
    rng = np.random.default_rng(5)
    expected = []
    for _ in range(2):
        rng.permutation(20)
        expected += [rng.random() for _ in range(3)]
    assert drawn == expected    # le générateur de fit, et lui seul


def test_augmentation_garde_le_type_et_la_forme():
    X, y = clouds(20)
    recorder = Recorder()
    train(Sequential(recorder, Linear(2, 3, rng=0)), X, y, augment=lambda X, rng: X + rng.standard_normal(X.shape))
    assert {dtype for _, dtype, _ in recorder.seen} == {np.dtype(np.float32)}
    with pytest.raises(ValueError, match=r"augment.*\(20, 2\).*\(10, 2\)"):
        train(network(), X, y, augment=lambda X, rng: X[::2])


# --- Divergence ------------------------------------------------------------------------------------------------

def test_divergence_s_arrete_et_garde_l_historique():
    X, _ = clouds()
    model = Sequential(Linear(2, 1, rng=0))
    optimizer = SGD(model.parameters(), 0.01)

    def explode(epoch, history):
        if epoch == 3:
            optimizer.lr = 1e6

    with pytest.raises(DivergenceError, match=r"époque 4, la perte vaut.*taux d'apprentissage.*lr") as caught:
        fit(model, MSELoss(), optimizer, X, X[:, :1], epochs=10, batch_size=8, progress=False, callbacks=[explode])
    history = caught.value.history
    assert len(history) == 3 and np.isfinite(history.train_loss).all()
    assert re.search(r"au pas \d+ de l'époque 4", str(caught.value))


def test_divergence_au_dernier_pas():
    X = np.full((4, 2), 1e3, dtype=np.float32)
    model = Sequential(Linear(2, 1, rng=0))
    with pytest.raises(DivergenceError, match=r"paramètre 0\.\w+ n'est plus fini"):
        train(model, X, np.zeros((4, 1)), MSELoss(), lr=1e36, epochs=1)


def test_divergence_vue_en_validation():
    X, _ = clouds()
    far = np.full_like(X, 1e25)
    with pytest.raises(DivergenceError, match="perte de validation") as caught:
        train(Linear(2, 1, rng=0), X, X[:, :1], MSELoss(), validation=(far, far[:, :1] * 0), lr=0.01, epochs=2)
    assert len(caught.value.history) == 0


class Poison(Recorder):
    """Couche qui rend l'infini à partir du lot d'apprentissage n° ``rank``."""

    def __init__(self, rank):
        super().__init__()
        self.left = rank

    def forward(self, x):
        self.left -= self.training
        return x * np.inf if self.left <= 0 else x


@pytest.mark.parametrize("build, where", [
    (lambda poison: Sequential(Linear(2, 4, rng=0), Tanh(), poison, Linear(4, 3, rng=1)), r"à la sortie de la couche 2 \(Poison\)"),
    (lambda poison: Sequential(Linear(2, 4, rng=0), Sequential(Tanh(), poison), Linear(4, 3, rng=1)), r"à la sortie de la couche 1\.1 \(Poison\)"),
])
def test_la_divergence_nomme_la_couche(build, where):
    X, y = clouds(24)
    with pytest.raises(DivergenceError, match=f"au pas 2 de l'époque 3, la perte vaut NaN .premières valeurs non finies {where}") as caught:
        train(build(Poison(2 * 3 + 2)), X, y, epochs=5, batch_size=8)
    assert len(caught.value.history) == 2


def test_la_divergence_nomme_le_parametre_gate_par_le_pas_precedent():
    X, y = clouds(24)
    model = Sequential(Linear(2, 4, rng=0), Tanh(), Linear(4, 3, rng=1))

    class Spoiler(SGD):
        def step(self):
            model[2].bias.data[1] = np.nan

    with pytest.raises(DivergenceError, match=r"au pas 2 de l'époque 1.*dans la couche 2 \(Linear\), paramètre bias, depuis le pas précédent"):
        fit(model, CrossEntropyLoss(), Spoiler(model.parameters(), 0.1), X, y, epochs=1, batch_size=8, progress=False)
    with pytest.raises(DivergenceError, match=r"après l'époque 1, le paramètre 2\.bias n'est plus fini"):
        model[2].bias.data = np.zeros(3)
        fit(model, CrossEntropyLoss(), Spoiler(model.parameters(), 0.1), X, y, epochs=1, batch_size=24, progress=False)
    with pytest.raises(DivergenceError, match=r"dans le modèle \(Linear\), paramètre weight"):
        single = Linear(2, 3, rng=0)
        single.weight.data[0, 0] = np.inf
        first_broken = train(single, X, y)
        assert first_broken is None


@pytest.mark.parametrize("scale, advice", [(1, "bornez le gradient.*clip_grad_norm"), (100, r"ramenez les données entre 0 et 1 .elles vont ici de −\d+,\d+ à \d+,\d+")])
def test_la_divergence_dit_qu_essayer(scale, advice):
    X, _ = clouds()
    with pytest.raises(DivergenceError, match=rf"dix fois plus petit .ici lr = 100. ; ou {advice}"):
        train(Linear(2, 1, rng=0), scale * X, X[:, :1], MSELoss(), lr=100, epochs=50, batch_size=8)


def test_un_grand_taux_diverge_dans_un_vrai_reseau():
    X, y = clouds()
    model = Sequential(Linear(2, 8, rng=0), ReLU(), Linear(8, 8, rng=1), ReLU(), Linear(8, 3, rng=2))
    with pytest.raises(DivergenceError):
        train(model, X, y, lr=1e6, epochs=50, batch_size=8)


# --- Mauvaises entrées -----------------------------------------------------------------------------------------

GOOD_X, GOOD_Y = clouds(12)
NAN_X = GOOD_X.copy()
NAN_X[5, 1] = np.nan


@pytest.mark.parametrize("changes, error, message", [
    ({"X": NAN_X}, ValueError, "X.*NaN.*exemple touché.*5"),
    ({"X": np.where(GOOD_X > 1, np.inf, GOOD_X)}, ValueError, "X.*infinie"),
    ({"y": GOOD_Y[:-1]}, ValueError, "y.*11 cible.*12 exemples"),
    ({"y": np.int64(1)}, ValueError, "y.*nombre seul"),
    ({"X": GOOD_X[:0], "y": GOOD_Y[:0]}, ValueError, "X.*vide"),
    ({"X": GOOD_X[:, 0]}, ValueError, r"X.*\(12,\)"),
    ({"X": GOOD_X.astype(str)}, TypeError, "X.*nombres"),
    ({"y": GOOD_Y.astype(str)}, TypeError, "y.*nombres"),
    ({"y": np.where(GOOD_X[:, 0] > 0, np.nan, 1.0)}, ValueError, "y.*NaN"),
    ({"y": np.append(GOOD_Y[:-1], 3)}, ValueError, "étiquette 3"),
    ({"y": np.append(GOOD_Y[:-1], -1)}, ValueError, "étiquette -1"),
    ({"X": np.ones((12, 5))}, ValueError, "5"),
    ({"batch_size": 0}, ValueError, "batch_size.*0 reçu"),
    ({"batch_size": -3}, ValueError, "batch_size"),
    ({"batch_size": 2.5}, TypeError, "batch_size.*entier"),
    ({"epochs": -1}, ValueError, "epochs.*-1"),
    ({"epochs": "3"}, TypeError, "epochs.*entier"),
    ({"validation": GOOD_X}, TypeError, "validation.*couple"),
    ({"validation": (NAN_X, GOOD_Y)}, ValueError, "X_val.*NaN"),
    ({"validation": (GOOD_X, GOOD_Y[:3])}, ValueError, "y_val.*3 cibles pour 12 exemples"),
    ({"y": GOOD_Y[:1]}, ValueError, "y.*1 cible pour 12 exemples"),
    ({"batch_size": True}, TypeError, "batch_size.*entier"),
    ({"epochs": True}, TypeError, "epochs.*entier"),
    ({"rng": 1.5}, TypeError, "rng.*graine"),
    ({"rng": "a"}, TypeError, "rng.*graine"),
    ({"callbacks": 3}, TypeError, "callbacks.*int reçu, une liste"),
    ({"callbacks": [3]}, TypeError, "callbacks.*fonction.*int"),
    ({"loss": CrossEntropyLoss}, TypeError, r"loss.*la classe CrossEntropyLoss.*parenthèses"),
    ({"X": [[1.0, 2.0], [3.0]]}, ValueError, "X.*lignes de longueurs différentes"),
    ({"y": [[1], [1, 2]]}, ValueError, "y.*lignes de longueurs différentes"),
    ({"X": np.ma.masked_greater(GOOD_X, 1)}, ValueError, "X.*masqué"),
    ({"y": np.ma.masked_equal(GOOD_Y, 1)}, ValueError, "y.*masqué"),
])
def test_mauvaises_entrees(changes, error, message):
    """Refusées avant que les poids aient bougé."""
    model = network()
    before = [p.data.copy() for p in model.parameters()]
    with pytest.raises(error, match=message):
        train(model, **({"X": GOOD_X, "y": GOOD_Y} | changes))
    assert all((p.data == old).all() for p, old in zip(model.parameters(), before))


@pytest.mark.parametrize("position, value, message", [
    (0, 3, "model.*int reçu"), (0, None, "model.*None reçu"), (0, Sequential, "model.*la classe Sequential"),
    (1, None, "loss.*None reçu"), (1, abs, "loss.*une perte"), (2, None, "optimizer.*None reçu"), (2, SGD, "optimizer.*la classe SGD"),
])
def test_objets_refuses(position, value, message):
    model = network()
    arguments = [model, CrossEntropyLoss(), SGD(model.parameters(), 0.1)]
    arguments[position] = value
    with pytest.raises(TypeError, match=message):
        fit(*arguments, GOOD_X, GOOD_Y, epochs=1, progress=False)


@pytest.mark.parametrize("wrap", [lambda optimizer: optimizer, Layca], ids=["seul", "layca"])
def test_optimiseur_d_un_autre_modele(wrap):
    """La cellule du modèle exécutée de nouveau, mais pas celle de l'optimiseur : rien n'apprendrait."""
    optimizer = wrap(SGD(network().parameters(), 0.1))
    with pytest.raises(ValueError, match="optimizer.*aucun paramètre de ce modèle.*recréez-le"):
        fit(network(), CrossEntropyLoss(), optimizer, GOOD_X, GOOD_Y, epochs=1, progress=False)


def test_optimiseur_d_une_partie_du_modele_ou_sans_liste():
    """N'entraîner que la dernière couche est permis ; un optimiseur à soi n'a pas à donner ses paramètres."""
    class Own:
        def __init__(self, layer):
            self.layer = layer

        def zero_grad(self):
            self.layer.zero_grad()

        def step(self):
            self.layer.bias.data -= 0.1 * self.layer.bias.grad

    for make in (lambda layer: SGD(layer.parameters(), 0.1), Own):
        model = network()
        first, last = model[0].weight.data.copy(), model[2].bias.data.copy()
        fit(model, CrossEntropyLoss(), make(model[2]), GOOD_X, GOOD_Y, epochs=1, progress=False)
        assert (model[0].weight.data == first).all() and (model[2].bias.data != last).any()


def test_modele_sans_parametre():
    with pytest.raises(ValueError, match="aucun paramètre, il n'y a rien à apprendre"):
        fit(Tanh(), MSELoss(), SGD(network().parameters(), 0.1), GOOD_X, GOOD_X, epochs=1, progress=False)


@pytest.mark.parametrize("wrong", [3, -1])
def test_l_erreur_nomme_les_donnees_de_validation(wrong):
    with pytest.raises(ValueError, match=f"étiquette {wrong}") as caught:
        train(network(), GOOD_X, GOOD_Y, validation=(GOOD_X, np.append(GOOD_Y[:-1], wrong)))
    assert caught.value.__notes__ == ["C'est en vérifiant X_val et y_val, avant l'apprentissage."]


def test_le_mode_du_modele_apres_une_erreur():
    """Données refusées : le mode n'a pas changé. Divergence : le modèle est rendu en mode évaluation."""
    model = network()
    for training in (True, False):
        model.train(training)
        with pytest.raises(ValueError):
            train(model, GOOD_X, np.append(GOOD_Y[:-1], 3))
        assert model.training is model[0].training is training
    model.train()
    with pytest.raises(DivergenceError):
        train(model, GOOD_X, 1e3 * GOOD_X[:, [0, 0, 0]], MSELoss(), lr=1e30, epochs=50)
    assert not model.training and not model[0].training


@pytest.mark.parametrize("X, y, message", [
    (GOOD_X, np.append(GOOD_Y[:-1], -1), "étiquette -1.*de 0 à 2"), (GOOD_X, np.eye(4)[GOOD_Y], "one-hot à 4 colonnes.*3 attendues"),
    (GOOD_X, np.append(GOOD_Y[:-1], 3), "étiquette 3"), (GOOD_X, GOOD_X, "classes entières"), (NAN_X, GOOD_Y, "X.*NaN"),
    (GOOD_X, GOOD_Y[:3], "y.*3 cible"), (GOOD_X[:0], GOOD_Y[:0], "vide"),
])
def test_error_rate_refuse(X, y, message):
    with pytest.raises(ValueError, match=message):
        error_rate(network(), X, y)


@pytest.mark.parametrize("threshold, error", [(np.nan, ValueError), (np.inf, ValueError), ("a", TypeError), ([0], TypeError)])
def test_seuil_impossible(threshold, error):
    with pytest.raises(error, match="threshold.*un nombre.*attendu"):
        error_rate(network(n_outputs=1), GOOD_X, GOOD_Y % 2, threshold=threshold)


def test_etiquettes_d_une_sortie_unique():
    with pytest.raises(ValueError, match="y.*étiquettes 0 et 1"):
        error_rate(network(n_outputs=1), GOOD_X, 2 * (GOOD_Y % 2) - 1, threshold=0)


def test_entiers_acceptes_en_entree():
    X = np.array(list(itertools.product((0, 1), repeat=2)))
    model = Linear(2, 2, rng=0)
    train(model, X, np.array([0, 0, 0, 1]), lr=0.5, epochs=500, batch_size=4)
    assert model.weight.data.dtype == np.float32 and error_rate(model, X, [0, 0, 0, 1]) == 0
