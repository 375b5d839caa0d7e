"""Dropout."""

import numpy as np
import pytest

from labcode.nn import Dropout, Linear, Sequential, gradient_check


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_proportion_eteinte_et_esperance(p):
    """Une composante vaut 0 avec la probabilité p, sinon x/(1 − p) : l'espérance est x (à 5 écarts-types) ; eq-dropout."""
    n = 100_000
    y = Dropout(p, rng=0)(np.full((n // 10, 10), 3.0))
    assert set(np.unique(y)) == {0, 3 / (1 - p)} or np.allclose(np.unique(y), [0, 3 / (1 - p)], rtol=1e-6)
    assert abs((y == 0).mean() - p) < 5 * np.sqrt(p * (1 - p) / n)
    assert abs(y.mean() - 3) < 5 * 3 * np.sqrt(p / (1 - p) / n)


def test_gradient_par_le_meme_masque():
    """dx = dy ⊙ masque, celui de la passe avant (eq-dropout-backward)."""
    layer, x = Dropout(0.4, rng=0), np.random.default_rng(1).standard_normal((6, 5))
    y = layer(x)
    dy = np.random.default_rng(2).standard_normal(x.shape)
    assert np.allclose(layer.backward(dy), dy * y / x, rtol=1e-12)
    assert not np.array_equal(layer(x) == 0, y == 0)  # un nouveau masque à chaque passe


def test_gradient_par_differences_finies_a_masque_fixe():
    class Fixed(Dropout):
        def forward(self, x):
            self.rng = np.random.default_rng(3)
            return super().forward(x)

    model = Sequential(Linear(4, 8, rng=0), Fixed(0.5), Linear(8, 3, rng=1))
    assert gradient_check(model, np.random.default_rng(4).standard_normal((5, 4))).max_error < 1e-6


def test_evaluation_ne_change_rien():
    layer, x = Dropout(0.5, rng=0), np.ones((3, 4))
    layer(x)
    state = layer.rng.bit_generator.state
    assert layer.eval()(x) is x and np.array_equal(layer.backward(2 * x), 2 * x)
    assert layer.rng.bit_generator.state == state


def test_p_extremes():
    x = np.random.default_rng(0).standard_normal((3, 4))
    none, all_ = Dropout(0), Dropout(1)
    assert np.array_equal(none(x), x) and np.array_equal(none.backward(x), x)
    assert np.array_equal(all_(x), 0 * x) and np.array_equal(all_.backward(x), 0 * x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_type_forme_et_graine(dtype):
    x = np.ones((2, 3, 4, 5), dtype)
    a, b = Dropout(0.3, rng=7), Dropout(0.3, rng=np.random.default_rng(7))
    assert a(x).dtype == dtype and a(x).shape == x.shape
    b(x)
    assert np.array_equal(a(x), b(x)) is False  # a en est à son troisième tirage, b au deuxième
    assert np.array_equal(Dropout(0.3, rng=7)(x), Dropout(0.3, rng=7)(x))
    assert a.backward(x).dtype == dtype


def test_refus_et_ecriture():
    for p in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match="Dropout : p doit être entre 0 et 1"):
            Dropout(p)
    with pytest.raises(RuntimeError, match="backward appelé avant forward"):
        Dropout().backward(np.ones(2))
    layer = Dropout(0.25)
    layer(np.ones((2, 2)))
    with pytest.raises(ValueError, match="comme la sortie"):
        layer.backward(np.ones((2, 3)))
    assert repr(layer) == "Dropout(0.25)"
