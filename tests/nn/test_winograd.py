"""La convolution de Winograd, contre les boucles de ``plain``."""

import numpy as np
import pytest

from labcode.nn import Conv2d, plain, winograd
from labcode.nn.images import Windows


def example(n_in, n_out, size, n, seed=0):
    """Images avec leurs marges (C, H + 2, W + 2, N), noyau, biais, et sortie attendue (C′, H, W, N)."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n_in, size[0] + 2, size[1] + 2, n))
    kernel, bias = rng.standard_normal((n_out, n_in, 3, 3)), rng.standard_normal(n_out)
    y = plain.convolve(x.transpose(3, 0, 1, 2), kernel, bias, (1, 1), (0, 0), (1, 1))
    return x, kernel, bias, y.transpose(1, 2, 3, 0)


@pytest.mark.parametrize("block", [1, 1 << 19])
@pytest.mark.parametrize("sizes", [(1, 1, (2, 2), 1), (3, 5, (6, 4), 2), (4, 2, (2, 8), 3)])
def test_contre_les_boucles(sizes, block, monkeypatch):
    monkeypatch.setattr(winograd, "BLOCK", block)
    x, kernel, bias, expected = example(*sizes)
    np.testing.assert_allclose(winograd.correlate(x, kernel, bias), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("block", [1, 1 << 19])
def test_gradient_du_noyau_par_adjonction(block, monkeypatch):
    """⟨correlate(x, K), dy⟩ = ⟨K, kernel_gradient(x, dy)⟩ pour tout K : les 9·C·C′ noyaux à un seul 1 suffisent."""
    monkeypatch.setattr(winograd, "BLOCK", block)
    x, kernel, _, y = example(2, 3, (4, 6), 2)
    dy, gradient = np.random.default_rng(1).standard_normal(y.shape), np.empty_like(kernel)
    for index in np.ndindex(kernel.shape):
        one = np.zeros_like(kernel)
        one[index] = 1
        gradient[index] = np.sum(plain.convolve(x.transpose(3, 0, 1, 2), one, np.zeros(3), (1, 1), (0, 0), (1, 1)).transpose(1, 2, 3, 0) * dy)
    np.testing.assert_allclose(winograd.kernel_gradient(x, dy), gradient, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("n, channels, size, kernel, stride, used", [
    (64, 64, 4, 3, 1, True), (64, 64, 6, 3, 1, True),
    (63, 64, 4, 3, 1, False), (64, 63, 4, 3, 1, False), (64, 64, 5, 3, 1, False), (64, 64, 2, 3, 1, False),
    (64, 64, 4, 3, 2, False), (64, 64, 4, 5, 1, False)])
def test_employee_quand_elle_convient(n, channels, size, kernel, stride, used, monkeypatch):
    calls = []
    for name in ("correlate", "kernel_gradient"):
        function = getattr(winograd, name)
        monkeypatch.setattr(winograd, name, lambda *args, name=name, function=function: calls.append(name) or function(*args))
    layer = Conv2d(channels, 64, kernel, stride, kernel // 2, rng=0)
    x = np.random.default_rng(0).standard_normal((n, channels, size, size)).astype(np.float32)
    y = layer(x)
    layer.backward(np.ones_like(y))
    assert calls == (["correlate", "kernel_gradient", "correlate"] if used else [])
    expected = plain.convolve(x.astype(float), layer.weight.data, layer.bias.data, (stride,) * 2, (kernel // 2,) * 2, (1, 1))
    np.testing.assert_allclose(y, expected, atol=1e-5)


@pytest.mark.parametrize("padding, dilation, size", [((2, 2), (2, 2), (4, 4)), ((1, 2), (1, 2), (4, 4)), ((1, 1), (1, 1), (4, 5)), ((1, 1), (1, 1), (5, 4))],
                         ids=["dilaté", "dilaté en largeur", "largeur impaire", "hauteur impaire"])
def test_pas_employee_hors_de_son_domaine(padding, dilation, size):
    """Soixante-quatre canaux et exemples, mais un noyau dilaté ou un côté impair : le résultat reste celui des boucles."""
    assert not winograd.pays_off((64, 64, 3, 3), Windows((3, 3), (1, 1), padding, dilation), size, 64)
    layer = Conv2d(64, 64, 3, 1, padding, dilation, rng=0)
    x = np.random.default_rng(0).standard_normal((64, 64, *size)).astype(np.float32)
    expected = plain.convolve(x[:2].astype(float), layer.weight.data, layer.bias.data, (1, 1), padding, dilation)
    np.testing.assert_allclose(layer(x)[:2], expected, atol=1e-5)
