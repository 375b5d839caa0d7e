"""Les lots d'images et de signaux : ordre des axes, fenêtres glissantes, tailles.

**Un seul ordre des axes.** Comme dans PyTorch, un lot d'images a la forme (N, C, H, W) et un lot de signaux
(N, C, L). En mémoire pourtant, les couches rangent le lot en dernier, (C, H, W, N) : elles rendent une vue
transposée, qui ne copie rien, et la couche suivante retrouve l'ordre de la mémoire par la transposition inverse.
Ce choix est mesuré (``make bench``). Décaler une image, c'est alors copier d'un bloc W·N nombres, quel que soit le
nombre de canaux ; les canaux d'une normalisation sont des lignes ; et une convolution multiplie son noyau, tel qu'il
est rangé, par une matrice dont elle rend le produit tel qu'il sort. Avec les canaux en dernier, (N, H, W, C), les
blocs ne font que C nombres, 1 ou 6 dans les premières couches : un pas de LeNet-5 y prenait une fois et demie plus de temps,
un pas de VGG 15 % de plus.
"""

import numpy as np

from labcode.nn.module import as_float, is_integer

AXES = {1: "L", 2: "H, W"}


def as_images(x, owner, n_axes, channels=None):
    """Rend ``x`` en tableau flottant de forme (N, C, …) à ``n_axes`` axes d'espace, N ≥ 1 ; sinon ValueError."""
    x = as_float(x, owner)
    if x.ndim != 2 + n_axes or not x.size or channels not in (None, x.shape[1]):
        message = f"{owner} : entrée de forme {x.shape}, attendu (N, {channels or 'C'}, {AXES[n_axes]}) avec N ≥ 1"
        if x.ndim == 1 + n_axes:
            message += " ; pour un seul exemple, donner x[None]"
        raise ValueError(message)
    return x


def batch_last(x):
    """Tableau (C, …, N) d'un lot (N, C, …) : une simple vue s'il est déjà rangé ainsi en mémoire, une copie sinon."""
    return np.ascontiguousarray(x.transpose(*range(1, x.ndim), 0))


def batch_first(x):
    """Vue (N, C, …) d'un tableau (C, …, N)."""
    return x.transpose(-1, *range(x.ndim - 1))


def per_axis(name, value, owner, n_axes, minimum):
    """Un entier par axe d'espace : 3 devient (3, 3). ValueError s'ils ne sont pas entiers, au moins ``minimum``."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * n_axes
    if len(values) != n_axes or not all(is_integer(v, minimum) for v in values):
        several = "" if n_axes == 1 else f", ou {n_axes} entiers"
        raise ValueError(f"{owner} : {name} doit être un entier au moins égal à {minimum}{several}, reçu {value!r}")
    return tuple(int(v) for v in values)


def short(values):
    """Écriture courte de ``per_axis`` : (3, 3) devient « 3 »."""
    return str(values[0] if len(set(values)) == 1 else values)


class Windows:
    """Fenêtres glissantes : noyau, pas, marges et dilatation, chacun un tuple d'un entier par axe d'espace."""

    def __init__(self, kernel, stride, padding, dilation):
        self.kernel, self.stride, self.padding, self.dilation = kernel, stride, padding, dilation
        self.span = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation))  # étendue d'un noyau dilaté

    def count(self, size, owner):
        """Nombre de fenêtres le long de chaque axe d'une entrée de taille ``size`` ; ValueError s'il n'y en a pas."""
        padded = tuple(n + 2 * p for n, p in zip(size, self.padding))
        if any(s > n for s, n in zip(self.span, padded)):
            raise ValueError(f"{owner} : noyau plus grand que l'entrée : il s'étend sur {times(self.span)}, "
                             f"l'entrée sur {times(padded)} marges comprises")
        return tuple((n - s) // step + 1 for n, s, step in zip(padded, self.span, self.stride))

    def pad(self, x, value=0):
        """``x`` (C, …, N) entouré de ses marges : un nouveau tableau, sauf s'il n'y a pas de marge.

        Ce tableau est rangé ligne par ligne, tous canaux ensemble : les lignes que voit une fenêtre s'y suivent.
        """
        if not any(self.padding):
            return np.ascontiguousarray(x)
        channels, *size, n = x.shape
        first, *others = (s + 2 * p for s, p in zip(size, self.padding))
        padded = np.full((first, channels, *others, n), value, x.dtype).swapaxes(0, 1)
        self.inside(padded)[...] = x
        return padded

    def inside(self, padded):
        """Vue de ``padded`` (C, …, N) sans ses marges."""
        return padded[:, *(slice(p, n - p) for p, n in zip(self.padding, padded.shape[1:]))]

    def shifted(self, padded, count):
        """Pour chaque position du noyau, la vue (C, *count, N) de ce que toutes les fenêtres voient à cette place."""
        for offset in np.ndindex(self.kernel):
            yield padded[:, *(slice(o * d, o * d + (n - 1) * s + 1, s)
                              for o, d, n, s in zip(offset, self.dilation, count, self.stride))]

    def view(self, padded, count):
        """Toutes les fenêtres sans rien copier : vue (C, *kernel, *count, N) de ``padded`` (C, …, N), en lecture."""
        channel, *steps, n = padded.strides
        strides = (channel, *(a * d for a, d in zip(steps, self.dilation)), *(a * s for a, s in zip(steps, self.stride)), n)
        return np.lib.stride_tricks.as_strided(padded, (len(padded), *self.kernel, *count, padded.shape[-1]), strides,
                                               writeable=False)


def times(values):
    """« 3×3 », ou « 3 » pour un seul axe."""
    return "×".join(map(str, values))
