"""Rappels, et arrêt anticipé."""

import numpy as np
import pytest

from labcode.nn import BatchNorm1d, BCEWithLogitsLoss, CrossEntropyLoss, Linear, MSELoss, ReLU, Sequential
from labcode.optim import SGD
from labcode.training import Callback, DivergenceError, EarlyStopping, History, fit

RNG = np.random.default_rng(0)
Y = np.arange(40) % 2
X = (Y[:, None] * 0.7 + RNG.standard_normal((40, 6))).astype(np.float32)
NAN = float("nan")


def network():
    return Sequential(Linear(6, 30, rng=0), BatchNorm1d(30), ReLU(), Linear(30, 2, rng=1))


def train(model, *callbacks, loss=None, data=(X[:20], Y[:20]), lr=0.3, **options):
    options = {"epochs": 60, "batch_size": 5, "validation": (X[20:], Y[20:]), "progress": False} | options
    return fit(model, loss or CrossEntropyLoss(), SGD(model.parameters(), lr), *data, callbacks=callbacks, **options)


def follow(stopping, values, name="val_loss"):
    """Présente une suite de mesures ; renvoie l'époque où l'on s'arrête, et celle que le modèle retrouve."""
    model, history, stop = Linear(1, 1, rng=0), History(), None
    stopping.on_start(model)
    for epoch, value in enumerate(values, start=1):
        model.weight.data = np.full((1, 1), epoch)      # le poids dit de quelle époque il vient
        history.append(**{name: value})
        if stopping(epoch, history):
            stop = epoch
            break
    stopping.on_end(history)
    return stop, int(model.weight.data.item())


@pytest.mark.parametrize("options, values, expected", [
    ({"patience": 2}, [5, 4, 3, 3.5, 3.2, 1], (5, 3)),
    ({"patience": 3}, [5, 4, 3, 3.5, 3.2, 1], (None, 6)),
    ({"patience": 1}, [1, 1, 0], (2, 1)),                                   # l'égalité n'est pas un progrès
    ({"patience": 2, "min_delta": 0.5}, [5, 4.6, 4.4, 4.2, 4.1, 0], (5, 3)),
    ({"patience": 2, "min_delta": 0.5}, [5, 4.5, 4.5, 0], (3, 1)),          # baisser d'exactement min_delta ne suffit pas
    ({"patience": 2, "restore_best": False}, [2, 1, 3, 4, 5], (4, 4)),
    ({"patience": 4}, [3, 2, 4, 4], (None, 2)),                             # épuiser les époques rend aussi le meilleur modèle
    ({"patience": 1}, [-1, -2, -3, -2.5], (4, 3)),
])
def test_quand_on_s_arrete_et_ce_que_l_on_rend(options, values, expected):
    stop, weight = follow(EarlyStopping(**options), values)
    assert (stop, weight) == expected


@pytest.mark.parametrize("monitor", ["val_loss", "val_error", "train_loss", "train_error"])
def test_chaque_mesure(monitor):
    stopping = EarlyStopping(monitor, patience=1)
    assert follow(stopping, [0.5, 0.25, 0.75], monitor) == (3, 2)
    assert (stopping.best_epoch, stopping.best_value) == (2, 0.25)


def test_les_poids_et_les_statistiques_de_la_meilleure_epoque():
    stopping, states = EarlyStopping(patience=8), []
    model = network()
    history = train(model, stopping, lambda epoch, history: states.append(model.state_dict()))
    best = int(history.val_loss.argmin())
    assert 0 < best < len(history) - 1 == best + 8                      # le réseau surapprend : le meilleur n'est pas le dernier
    assert stopping.best_epoch == best + 1 and stopping.best_value == history.val_loss[best]
    for name, array in model.state_dict().items():
        assert (array == states[best][name]).all()
        assert (array != states[-1][name]).any()
    assert {"1.running_mean", "1.running_var"} <= set(model.state_dict())
    assert CrossEntropyLoss()(model(X[20:]), Y[20:]) == pytest.approx(history.val_loss[best], rel=1e-6)
    assert not model.training


def test_le_meilleur_modele_apres_ctrl_c():
    def interrupt(epoch, history):
        if epoch == 30:
            raise KeyboardInterrupt

    stopping, model, states = EarlyStopping(patience=100), network(), []
    history = train(model, stopping, lambda epoch, history: states.append(model.state_dict()), interrupt)
    best = int(history.val_loss.argmin())
    assert len(history) == 30 and best < 29
    assert (model[0].weight.data == states[best]["0.weight"]).all()


def test_le_meilleur_modele_apres_une_divergence():
    model, states = network(), []
    optimizer = SGD(model.parameters(), 0.1)

    def explode(epoch, history):
        states.append(model.state_dict())
        optimizer.lr = 0.1 if epoch < 3 else 1e30

    with pytest.raises(DivergenceError) as caught:
        fit(model, CrossEntropyLoss(), optimizer, X[:20], Y[:20], epochs=9, validation=(X[20:], Y[20:]), callbacks=[EarlyStopping(), explode], progress=False)
    best = int(caught.value.history.val_loss.argmin())
    assert best < 4 and (model[0].weight.data == states[best]["0.weight"]).all()


def test_un_second_apprentissage_repart_de_rien():
    stopping = EarlyStopping(patience=2)
    train(network(), stopping)
    first = stopping.best_value
    model = network()
    history = train(model, stopping, lr=1e-5, epochs=3)
    assert stopping.best_value == history.val_loss.min() > first


def test_la_mesure_doit_exister():
    with pytest.raises(ValueError, match="val_loss n'existe pas.*validation="):
        train(network(), EarlyStopping(), validation=None)
    with pytest.raises(ValueError, match="train_error n'existe pas.*classes"):
        train(network(), EarlyStopping("train_error"), loss=MSELoss(), data=(X[:20], X[:20, :2]), validation=None)
    model = Sequential(Linear(6, 1, rng=0))
    assert len(train(model, EarlyStopping("val_error", patience=1), loss=BCEWithLogitsLoss(), data=(X[:20], Y[:20, None]), validation=(X[20:], Y[20:, None]))) < 60


@pytest.mark.parametrize("arguments, error, message", [
    ({"monitor": "loss"}, ValueError, "monitor.*'loss'.*val_loss"), ({"patience": 0}, ValueError, "patience.*0"), ({"patience": 1.5}, TypeError, "patience.*entier"),
    ({"min_delta": -1}, ValueError, "min_delta.*-1"), ({"min_delta": NAN}, ValueError, "min_delta.*nan"), ({"min_delta": "0"}, ValueError, "min_delta")])
def test_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        EarlyStopping(**arguments)


def test_ordre_des_appels():
    calls = []

    class Witness(Callback):
        def on_start(self, model):
            calls.append(("début", type(model).__name__))

        def __call__(self, epoch, history):
            calls.append((epoch, len(history)))
            return epoch == 2

        def on_end(self, history):
            calls.append(("fin", len(history)))

    train(network(), Witness(), lambda epoch, history: calls.append("fonction"))
    assert calls == [("début", "Sequential"), (1, 1), "fonction", (2, 2), "fonction", ("fin", 2)]
    assert Callback()(1, History()) is None and Callback().state_dict() == {}
