"""Les mêmes opérations que les couches rapides, écrites comme on les lit, en boucles : lentes, et sans astuce.

Ce sont elles que le cours montre, et à elles que les tests comparent ``conv``, ``pooling``, ``normalization`` et
``upsample``. Images (N, C, H, W) ; ``stride``, ``padding``, ``dilation``, ``size`` : deux entiers, (vertical, horizontal).
"""

import numpy as np


def pad(x, padding, value=0):
    """Entoure les images de marges."""
    (p, q) = padding
    return np.pad(x, ((0, 0), (0, 0), (p, p), (q, q)), constant_values=value)


def windows(x, kernel_size, stride, dilation):
    """Parcourt les fenêtres : indices (i, j) de la fenêtre, et tranche (N, C, k_h, k_w) de ``x`` qu'elle voit."""
    (k, l), (s, t), (d, e) = kernel_size, stride, dilation
    for i, top in enumerate(range(0, x.shape[2] - d * (k - 1), s)):
        for j, left in enumerate(range(0, x.shape[3] - e * (l - 1), t)):
            yield i, j, np.s_[:, :, top:top + d * (k - 1) + 1:d, left:left + e * (l - 1) + 1:e]


def convolve(x, weight, bias, stride, padding, dilation):
    """Convolution : chaque sortie est la somme d'une fenêtre de l'entrée, pondérée par le noyau, plus un biais."""
    x, y = pad(x, padding), {}
    for i, j, seen in windows(x, weight.shape[2:], stride, dilation):
        y[i, j] = np.einsum("nckl,ockl->no", x[seen], weight) + bias
    return grid(y)


def convolve_transposed(y, weight, bias, stride, padding, dilation, size):
    """Convolution transposée : chaque entrée ajoute à la fenêtre qu'elle vise, dans une image de taille ``size``, le
    noyau multiplié par sa valeur.
    """
    x = pad(np.zeros((len(y), weight.shape[1], *size)), padding)
    for i, j, seen in windows(x, weight.shape[2:], stride, dilation):
        x[seen] += np.einsum("no,ockl->nckl", y[:, :, i, j], weight)
    p, q = padding
    return x[:, :, p:p + size[0], q:q + size[1]] + bias[:, None, None]


def max_pool(x, kernel_size, stride, padding, dilation=(1, 1)):
    """Maximum de chaque fenêtre ; les marges ne comptent pas."""
    x = pad(x, padding, -np.inf)
    return grid({(i, j): x[seen].max(axis=(2, 3)) for i, j, seen in windows(x, kernel_size, stride, dilation)})


def avg_pool(x, kernel_size, stride, padding):
    """Moyenne de chaque fenêtre ; les marges comptent pour des zéros."""
    x = pad(x, padding)
    return grid({(i, j): x[seen].mean(axis=(2, 3)) for i, j, seen in windows(x, kernel_size, stride, (1, 1))})


def batch_norm(x, weight, bias, eps=1e-5):
    """Centre et réduit chaque canal sur le lot, puis lui donne l'écart-type ``weight`` et la moyenne ``bias``."""
    axes = (0, *range(2, x.ndim))
    shape = (1, -1) + (1,) * (x.ndim - 2)
    x_hat = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)
    return weight.reshape(shape) * x_hat + bias.reshape(shape)


def upsample(x, scale_factor):
    """Répète chaque pixel."""
    return x.repeat(scale_factor[0], axis=2).repeat(scale_factor[1], axis=3)


def grid(values):
    """Dictionnaire (i, j) → (N, C) en images (N, C, H, W)."""
    (n, c), (last_i, last_j) = next(iter(values.values())).shape, max(values)
    y = np.empty((n, c, last_i + 1, last_j + 1))
    for (i, j), value in values.items():
        y[:, :, i, j] = value
    return y
