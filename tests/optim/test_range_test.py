"""L'essai de taux."""

import copy

import numpy as np
import pytest

from labcode.nn import BatchNorm1d, CrossEntropyLoss, Dropout, Linear, MSELoss, ReLU, Sequential
from labcode.optim import SGD, Adam, Layca, lr_range_test


def quadratic(n=8):
    """Régression à une inconnue, entrées ±1 : la perte est (w − 2)², de gradient 2 (w − 2), sur tout lot."""
    layer = Linear(1, 1, bias=False, dtype=np.float64)
    layer.weight.data = np.array([[0.0]])
    x = np.where(np.arange(n) % 2, 1.0, -1.0)[:, None]
    return layer, MSELoss(), x, 2 * x


def test_pertes_connues():
    """Chaque pas de taux η multiplie w − 2 par 1 − 2η : la k-ième perte est 4 Π (1 − 2η)²."""
    layer, loss, x, y = quadratic()
    rates, losses = lr_range_test(layer, loss, SGD(layer.parameters(), 0.1), x, y, low=1e-3, high=0.4, n_steps=20, batch_size=3)
    assert np.allclose(rates, 1e-3 * 400 ** (np.arange(20) / 19), rtol=1e-12)
    assert np.allclose(losses, 4 * np.concatenate([[1], np.cumprod((1 - 2 * rates[:-1])**2)]), rtol=1e-10)


def test_arret_quand_la_perte_explose():
    layer, loss, x, y = quadratic()
    rates, losses = lr_range_test(layer, loss, SGD(layer.parameters(), 0.1), x, y, low=0.7, high=1000, n_steps=60)
    assert len(rates) == len(losses) < 60
    assert losses[-1] > 4 * losses[0] and (losses[:-1] <= 4 * losses[0]).all()
    later, _ = lr_range_test(layer, loss, SGD(layer.parameters(), 0.1), x, y, low=0.7, high=1000, n_steps=60, explosion=1e6)
    assert len(rates) < len(later) < 60


def test_arret_quand_la_perte_n_est_plus_finie():
    layer, loss, x, y = quadratic()
    _, losses = lr_range_test(layer, loss, SGD(layer.parameters(), 0.1), x, y, low=1e200, high=1e300, n_steps=5, explosion=1e308)
    assert len(losses) == 1 and np.isfinite(losses).all()


@pytest.mark.parametrize("wrap", [lambda p: SGD(p, 0.1, 0.9), lambda p: Adam(p), lambda p: Layca(SGD(p, 0.1))])
def test_le_modele_reste_intact(wrap):
    """Paramètres, gradients, statistiques, mode, générateurs, optimiseur : tout est comme avant."""
    model = Sequential(Linear(4, 6, rng=0), BatchNorm1d(6), ReLU(), Dropout(0.5, rng=1), Linear(6, 3, rng=2)).eval()
    optimizer, loss = wrap(model.parameters()), CrossEntropyLoss()
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((30, 4)).astype(np.float32), rng.integers(0, 3, 30)
    model.parameters()[0].grad = np.full((6, 4), 3.0)
    before, state, generator = copy.deepcopy(model.state_dict()), optimizer.state_dict(), copy.deepcopy(model[3].rng.bit_generator.state)
    rates, losses = lr_range_test(model, loss, optimizer, x, y, n_steps=10, batch_size=8)
    assert len(rates) == len(losses) > 1 and not np.allclose(losses, losses[0])
    assert np.array_equal(lr_range_test(model.train(), loss, optimizer, x, y, n_steps=10, batch_size=8)[1], losses)  # il apprend
    model.eval()
    after = model.state_dict()
    assert all(np.array_equal(after[name], before[name]) for name in before)
    assert (model.parameters()[0].grad == 3).all() and not model.training and not model[3].training
    assert model[3].rng.bit_generator.state == generator
    assert set(optimizer.state_dict()) == set(state) and optimizer.lr == state["lr"]


def test_reproductible_et_lots():
    """Les lots épuisent les exemples avant d'y revenir, et suivent la graine."""
    class Recorder(MSELoss):
        seen = []

        def __call__(self, y_hat, y):
            self.seen.append(y.ravel().tolist())
            return super().__call__(y_hat, y)

    layer = Linear(1, 1, rng=0)
    x = np.arange(10, dtype=np.float32)[:, None]
    runs = []
    for seed in (0, 0, 1):
        Recorder.seen.clear()
        lr_range_test(layer, Recorder(), SGD(layer.parameters(), 0.1), x, x, low=1e-9, high=1e-8, n_steps=7, batch_size=3, rng=seed)
        runs.append([list(batch) for batch in Recorder.seen])
    assert runs[0] == runs[1] != runs[2] and [len(batch) for batch in runs[0]] == [3] * 7
    assert sorted(sum(runs[0], [])[:10]) == list(range(10)) == sorted(sum(runs[0], [])[10:20])
    Recorder.seen.clear()
    lr_range_test(layer, Recorder(), SGD(layer.parameters(), 0.1), x, x, low=1e-9, high=1e-8, n_steps=2, batch_size=64)
    assert sorted(Recorder.seen[0]) == sorted(Recorder.seen[1]) == list(range(10))


@pytest.mark.parametrize("options, message", [
    ({"low": 0}, "low doit être fini, strictement positif"), ({"high": -1}, "high doit être"),
    ({"low": 1.0, "high": 0.1}, "low doit être plus petit que high, reçu 1 et 0.1"),
    ({"n_steps": 1}, "n_steps doit être au moins égal à 2"), ({"batch_size": 0}, "batch_size doit être au moins égal à 1"),
])
def test_arguments_impossibles(options, message):
    layer, loss, x, y = quadratic()
    with pytest.raises(ValueError, match=message):
        lr_range_test(layer, loss, SGD(layer.parameters(), 0.1), x, y, **options)


def test_donnees_ou_optimiseur_impossibles():
    layer, loss, x, y = quadratic()
    optimizer = SGD(layer.parameters(), 0.1)
    with pytest.raises(ValueError, match="8 exemples et 7 cibles"):
        lr_range_test(layer, loss, optimizer, x, y[1:])
    with pytest.raises(ValueError, match="0 exemples et 0 cibles"):
        lr_range_test(layer, loss, optimizer, x[:0], y[:0])
    with pytest.raises(ValueError, match="l'optimiseur n'est pas celui du modèle"):
        lr_range_test(layer, loss, SGD(Linear(1, 1).parameters(), 0.1), x, y)
