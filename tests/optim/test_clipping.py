"""Borner le gradient."""

import numpy as np
import pytest

from labcode.nn import Parameter
from labcode.optim import clip_grad_norm, clip_grad_value


def parameters(dtype=np.float64, scale=1.0):
    rng = np.random.default_rng(0)
    found = [Parameter(np.zeros(shape, dtype)) for shape in [(3, 4), (3,)]]
    for parameter in found:
        parameter.grad = scale * rng.standard_normal(parameter.shape)
    return found


def flat(tensors):
    return np.concatenate([p.grad.ravel() for p in tensors])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_norme(dtype):
    """Même direction, norme ``max_norm`` ; la norme est celle de tous les gradients ensemble."""
    tensors = parameters(dtype)
    before, array = flat(tensors), tensors[0].grad
    norm = np.linalg.norm(before)
    assert clip_grad_norm(tensors, 2.0) == pytest.approx(norm, rel=1e-6) and norm > 2
    assert np.allclose(flat(tensors), before * 2 / norm, rtol=1e-6)
    assert tensors[0].grad is array and array.dtype == dtype


def test_norme_deja_petite():
    tensors = parameters()
    before = flat(tensors)
    assert clip_grad_norm(tensors, 100.0) == pytest.approx(np.linalg.norm(before))
    assert np.array_equal(flat(tensors), before)


def test_norme_immense_en_float32():
    """Le carré d'un gradient de 10²⁵ dépasse float32, pas le calcul."""
    tensors = parameters(np.float32, 1e25)
    direction = flat(parameters())
    clip_grad_norm(tensors, 1.0)
    assert np.allclose(flat(tensors), direction / np.linalg.norm(direction), rtol=1e-5)


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_gradient_non_fini_laisse_tel_quel(value):
    tensors = parameters()
    tensors[0].grad[0, 0] = value
    before = flat(tensors)
    assert not np.isfinite(clip_grad_norm(tensors, 1.0))
    assert np.array_equal(flat(tensors), before, equal_nan=True)


def test_par_composante():
    tensors = parameters(scale=3.0)
    before, array = flat(tensors), tensors[0].grad
    clip_grad_value(tensors, 0.5)
    assert np.array_equal(flat(tensors), [max(-0.5, min(0.5, g)) for g in before]) and tensors[0].grad is array


@pytest.mark.parametrize("function, name", [(clip_grad_norm, "max_norm"), (clip_grad_value, "clip_value")])
def test_messages(function, name):
    for value in (0, -1, np.nan):
        with pytest.raises(ValueError, match=rf"{function.__name__}\s: {name} doit être fini, strictement positif"):
            function(parameters(), value)
    with pytest.raises(TypeError, match="liste de Parameter attendue"):
        function([np.zeros(2)], 1.0)
