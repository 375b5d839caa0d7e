"""Upsample."""

import re

import numpy as np
import pytest

from labcode.nn import Upsample, gradient_check, plain


@pytest.mark.parametrize("factor", [1, 2, 3, (2, 3), (3, 1)])
def test_images(factor):
    x, layer = np.random.default_rng(0).standard_normal((2, 3, 4, 5)), Upsample(scale_factor=factor)
    assert np.array_equal(layer(x), plain.upsample(x, factor if isinstance(factor, tuple) else (factor, factor)))
    assert gradient_check(layer, x).max_error < 1e-6


def test_signaux_a_la_main():
    layer = Upsample(scale_factor=3)
    assert np.array_equal(layer(np.array([[[1.0, 2]]])), [[[1, 1, 1, 2, 2, 2]]])
    assert np.array_equal(layer.backward(np.arange(6.0)[None, None]), [[[3, 12]]])


def test_float32_et_ordre_en_memoire():
    x, layer = np.random.default_rng(0).standard_normal((2, 3, 4, 5)).astype(np.float32), Upsample(scale_factor=2)
    y = layer(x)
    assert y.dtype == layer.backward(y).dtype == np.float32
    assert np.array_equal(layer(np.asfortranarray(x)), y)
    assert np.allclose(layer.backward(np.asfortranarray(y)), 4 * x)


def test_refus_et_ecriture():
    for layer, shape in ((Upsample(scale_factor=2), (2, 3)), (Upsample(scale_factor=(2, 2)), (2, 3, 4)),
                         (Upsample(scale_factor=2), (0, 3, 4, 4)), (Upsample(scale_factor=2), (1, 1, 2, 2, 2))):
        with pytest.raises(ValueError, match=re.escape(f"{layer} : entrée de forme {shape}, attendu (N, C, L) ou (N, C, H, W)")):
            layer(np.zeros(shape))
    for factor in (0, 1.5, (2, 0)):
        with pytest.raises(ValueError, match="scale_factor doit être un entier au moins égal à 1"):
            Upsample(scale_factor=factor)
    with pytest.raises(RuntimeError, match="backward appelé avant forward"):
        Upsample(scale_factor=2).backward(np.zeros((1, 1, 2, 2)))
    assert repr(Upsample(scale_factor=(2, 3))) == "Upsample(scale_factor=(2, 3))"
