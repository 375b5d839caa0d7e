"""La convolution et la convolution transposée, adjointes l'une de l'autre.

Tout tient dans trois fonctions sur des lots (N, …, C), canaux en dernier : :func:`correlate`, son adjointe
:func:`correlate_adjoint`, et :func:`kernel_gradient`. Une convolution avance par la première et recule par la deuxième ;
une convolution transposée fait l'inverse ; toutes deux trouvent le gradient de leur noyau par la troisième.

Une convolution est un produit de matrices, une fois chaque fenêtre de l'entrée couchée sur une ligne (*im2col*,
Chellapilla, Puri et Simard, 2006). Ces lignes répètent k² fois l'entrée : on les écrit par blocs de quelques
images, qui restent dans le cache du processeur.
"""

import threading

import numpy as np

from labcode.nn.images import Windows, as_images, as_rows, channel_sum, channels_first, channels_last, per_axis, short, times
from labcode.nn.module import Module, Parameter, as_float_type, as_generator, as_gradient
from labcode.nn.parallel import share

BLOCK = 1 << 19  # nombres par bloc de fenêtres : 2 Mo en float32, le meilleur ou presque entre 0,5 et 16 Mo


def correlate(x, kernel, windows, bias=None):
    """Corrélation y[p] = Σ_o x[p·pas + o·dilatation − marge] · K[o], o parcourant le noyau.

    x : (N, *taille, C) ; kernel : (*k, C, C′) ; bias : (C′,) ou None. Renvoie y : (N, *nombre de fenêtres, C′).
    """
    n_out = kernel.shape[-1]
    count = windows.count(x.shape[1:-1], "correlate")
    y, matrix = np.empty((len(x), *count, n_out), x.dtype), kernel.reshape(-1, n_out)

    def part(images):
        for block, rows in window_rows(x, windows, count, images):
            np.matmul(rows, matrix, out=y[block].reshape(-1, n_out))
        if bias is not None:
            as_rows(y[images])[...] += np.tile(bias, count[-1])

    share(part, len(x), work=y.size * len(matrix) // 8)
    return y


def correlate_adjoint(y, kernel, windows, size, bias=None):
    """Adjointe de ``correlate`` en x : ⟨correlate(x), y⟩ = ⟨x, correlate_adjoint(y)⟩.

    y : (N, *nombre de fenêtres, C′) ; kernel : (*k, C, C′). Renvoie x : (N, *size, C), où chaque y[p] a été
    ajouté, multiplié par le noyau, à tout ce que la fenêtre p voit.
    """
    n_in, n_out = kernel.shape[-2:]
    if flipped_pays_off(kernel, windows, size, y.shape[1:-1]):
        axes, margins = tuple(range(len(size))), tuple(s - 1 - p for s, p in zip(windows.span, windows.padding))
        flipped = np.ascontiguousarray(np.flip(kernel, axes).swapaxes(-1, -2))
        return correlate(y, flipped, Windows(windows.kernel, windows.stride, margins, windows.dilation), bias)

    x = np.empty((len(y), *size, n_in), y.dtype)
    count, transposed = y.shape[1:-1], np.ascontiguousarray(kernel.reshape(-1, n_in, n_out).swapaxes(1, 2))
    per_block = block_length(np.prod(count) * len(transposed) * n_in)

    def part(images):
        for block in blocks(images, per_block):
            y_rows = y[block].reshape(-1, n_out)
            padded = np.zeros((block.stop - block.start, *(s + 2 * p for s, p in zip(size, windows.padding)), n_in), y.dtype)
            for seen, pushed in zip(windows.shifted(padded, count), np.matmul(y_rows, transposed)):
                seen += pushed.reshape(seen.shape)
            x[block] = windows.inside(padded)
            if bias is not None:
                x[block] += bias

    share(part, len(y), work=y.size * len(transposed) * n_in // 8)
    return x


def flipped_pays_off(kernel, windows, size, count):
    """Vrai si l'adjointe est une corrélation avec le noyau retourné (pas de 1), et que ses lignes ne sont pas trop
    longues : au plus trois fois plus que les ajouts décalés de l'autre méthode.
    """
    n_in, n_out = kernel.shape[-2:]
    possible = set(windows.stride) == {1} and all(p < s for p, s in zip(windows.padding, windows.span))
    return possible and np.prod(size) * n_out <= 3 * np.prod(count) * n_in


def kernel_gradient(x, dy, windows):
    """Gradient de ⟨correlate(x), dy⟩ en son noyau : Σ, sur toutes les fenêtres, de (ce qu'elle voit)ᵀ dy[p].

    x : (N, *taille, C) ; dy : (N, *nombre de fenêtres, C′). Renvoie (*k, C, C′).
    """
    n_out, count = dy.shape[-1], dy.shape[1:-1]
    shape = (*windows.kernel, x.shape[-1], n_out)

    def part(images):
        return sum(rows.T @ dy[block].reshape(-1, n_out) for block, rows in window_rows(x, windows, count, images))

    return sum(share(part, len(x), work=dy.size * np.prod(shape[:-1]) // 8)).reshape(shape)


def window_rows(x, windows, count, images):
    """Parcourt les ``images`` par blocs : couples (tranche du bloc, matrice dont chaque ligne est une fenêtre).

    La matrice est réécrite à chaque bloc. Elle est rangée par lignes si les copies y sont plus longues (k_w·C
    nombres d'affilée), par colonnes sinon (une ligne d'image) : cela compte quand il y a peu de canaux.
    """
    n_windows, n_seen = int(np.prod(count)), int(np.prod(windows.kernel)) * x.shape[-1]
    per_block = min(block_length(n_windows * n_seen), images.stop - images.start)
    by_columns = windows.kernel[-1] * x.shape[-1] < count[-1]
    memory, padded = scratch(per_block * n_windows * n_seen, x.dtype), windows.pad(x[images])
    for block in blocks(images, per_block):
        seen = windows.view(padded[block.start - images.start:block.stop - images.start], count)
        n = len(seen) * n_windows
        rows = memory[:n * n_seen].reshape(n_seen, n).T if by_columns else memory[:n * n_seen].reshape(n, n_seen)
        rows.reshape(seen.shape, copy=False)[...] = seen
        yield block, rows


def scratch(size, dtype):
    """``size`` nombres quelconques, dans une mémoire propre à chaque fil, que l'appel suivant réutilisera.

    Demander 2 Mo neufs au système à chaque convolution coûterait autant que les remplir.
    """
    memory = getattr(local, "memory", np.empty(0, np.uint8))
    n_bytes = size * np.dtype(dtype).itemsize
    if len(memory) < n_bytes:
        memory = np.empty(n_bytes, np.uint8)
        if size <= BLOCK:  # une seule image peut demander bien plus qu'un bloc : on ne le garde pas
            local.memory = memory
    return memory[:n_bytes].view(dtype)


local = threading.local()


def block_length(per_image):
    """Nombre d'images d'un bloc, si chacune y prend ``per_image`` nombres."""
    return max(1, BLOCK // int(per_image))


def blocks(images, length):
    """Découpe la tranche ``images`` en tranches d'au plus ``length`` images."""
    for start in range(images.start, images.stop, length):
        yield slice(start, min(start + length, images.stop))


class Convolution(Module):
    """Ce que les quatre couches ont en commun ; une sous-classe fixe ``n_axes`` (1 ou 2) et ``transposed``."""

    n_axes, transposed, shares_batch = None, False, True
    _x = _output_shape = None

    def __init__(self, in_channels, out_channels, kernel_size, stride, padding, output_padding, dilation, bias, rng, dtype):
        self.in_channels, = per_axis("in_channels", in_channels, type(self).__name__, 1, 1)
        self.out_channels, = per_axis("out_channels", out_channels, type(self).__name__, 1, 1)
        for name, value, minimum in (("kernel_size", kernel_size, 1), ("stride", stride, 1), ("padding", padding, 0),
                                     ("output_padding", output_padding, 0), ("dilation", dilation, 1)):
            setattr(self, name, per_axis(name, value, type(self).__name__, self.n_axes, minimum))
        if any(extra >= step for extra, step in zip(self.output_padding, self.stride)) and any(self.output_padding):
            raise ValueError(f"{type(self).__name__} : output_padding doit être inférieur à stride, reçu "
                             f"output_padding={short(self.output_padding)} et stride={short(self.stride)}")
        self.windows = Windows(self.kernel_size, self.stride, self.padding, self.dilation)
        seen = self.in_channels * np.prod(self.kernel_size) / (np.prod(self.stride) if self.transposed else 1)
        channels = (self.in_channels, self.out_channels) if self.transposed else (self.out_channels, self.in_channels)
        dtype, bound = as_float_type(dtype, type(self).__name__), np.sqrt(3 / seen)
        weight = as_generator(rng, type(self).__name__).uniform(-bound, bound, (*channels, *self.kernel_size))
        self.weight = Parameter(weight.astype(dtype))
        self.bias = Parameter(np.zeros(self.out_channels, dtype)) if bias else None

    def forward(self, x):
        """Renvoie la sortie (N, out_channels, …) de ``x`` (N, in_channels, …) ; ValueError si la forme ne convient pas."""
        x = as_images(x, self, self.n_axes, self.in_channels).astype(self.weight.data.dtype, copy=False)
        self.output_size(x.shape[2:])
        self._x = channels_last(x)
        y = channels_first(self._apply(self._x, None if self.bias is None else self.bias.data))
        self._output_shape = y.shape
        return y

    def backward(self, dy):
        """Renvoie dx et ajoute aux paramètres leurs gradients."""
        self.backward_parameters(dy)
        return channels_first(self._apply_adjoint(self._gradient(dy)))

    def backward_parameters(self, dy):
        """Ajoute aux gradients du noyau et du biais."""
        dy = self._gradient(dy)
        x, y = (dy, self._x) if self.transposed else (self._x, dy)
        gradient = kernel_gradient(x, y, self.windows)
        self.weight.accumulate(np.positive, np.moveaxis(gradient, (-1, -2), (0, 1)))
        if self.bias is not None:
            self.bias.accumulate(np.positive, channel_sum(dy))

    def output_size(self, size):
        """Taille de la sortie le long des axes d'espace, pour une entrée de taille ``size``."""
        return self.windows.count(size, self)

    def _gradient(self, dy):
        dy = as_gradient(dy, self, self._output_shape).astype(self.weight.data.dtype, copy=False)
        return np.ascontiguousarray(channels_last(dy))

    def _kernel(self):
        """Poids rangés pour ``correlate`` : (*kernel_size, C, C′)."""
        return np.ascontiguousarray(np.moveaxis(self.weight.data, (0, 1), (-1, -2)))

    def _apply(self, x, bias):
        return correlate(x, self._kernel(), self.windows, bias)

    def _apply_adjoint(self, dy):
        return correlate_adjoint(dy, self._kernel(), self.windows, self._x.shape[1:-1])

    def __repr__(self):
        text = f"{type(self).__name__}({self.in_channels}, {self.out_channels}, kernel_size={short(self.kernel_size)}"
        for name, default in (("stride", 1), ("padding", 0), ("output_padding", 0), ("dilation", 1)):
            if set(getattr(self, name)) != {default}:
                text += f", {name}={short(getattr(self, name))}"
        return text + (")" if self.bias is not None else ", bias=False)")


class ConvolutionTransposed(Convolution):
    """Convolution transposée : avance comme une convolution recule, et recule comme elle avance."""

    transposed = True

    def output_size(self, size):
        """Taille de la sortie : (n − 1)·stride − 2·padding + dilation·(kernel_size − 1) + 1 + output_padding."""
        size = tuple((n - 1) * s - 2 * p + span + extra for n, s, p, span, extra in
                     zip(size, self.stride, self.padding, self.windows.span, self.output_padding))
        if min(size) < 1:
            raise ValueError(f"{self} : marges trop grandes, la sortie aurait la taille {times(size)}")
        return size

    def _apply(self, x, bias):
        return correlate_adjoint(x, self._kernel(), self.windows, self.output_size(x.shape[1:-1]), bias)

    def _apply_adjoint(self, dy):
        return correlate(dy, self._kernel(), self.windows)


class Conv1d(Convolution):
    """Convolution d'un signal : un même petit noyau appliqué partout (LeCun et al., 1989).

    (N, in_channels, L) donne (N, out_channels, L′), L′ = ⌊(L + 2·padding − dilation·(kernel_size − 1) − 1)/stride⌋ + 1.
    ``weight.data`` : (out_channels, in_channels, kernel_size) ; ``bias.data`` : (out_channels,), ou ``bias`` vaut None si
    ``bias=False``. Comme partout en apprentissage, c'est une corrélation : le noyau n'est pas retourné. Au départ, les
    poids sont uniformes, de variance 1/(in_channels·kernel_size), et les biais nuls. Lève ValueError pour une entrée
    d'une autre forme, vide, ou plus petite que le noyau.
    """

    n_axes = 1

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, *, bias=True, rng=None,
                 dtype=np.float32):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, 0, dilation, bias, rng, dtype)


class Conv2d(Convolution):
    """Convolution d'images, voir :class:`Conv1d` : (N, in_channels, H, W) donne (N, out_channels, H′, W′).

    ``weight.data`` : (out_channels, in_channels, k_h, k_w). ``kernel_size``, ``stride``, ``padding`` et ``dilation`` : un entier,
    ou deux (vertical, horizontal).
    """

    n_axes = 2

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, *, bias=True, rng=None,
                 dtype=np.float32):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, 0, dilation, bias, rng, dtype)


class ConvTranspose1d(ConvolutionTransposed):
    """Convolution transposée d'un signal : agrandit là où Conv1d réduit (Zeiler et al., 2010).

    (N, in_channels, L) donne (N, out_channels, (L − 1)·stride − 2·padding + dilation·(kernel_size − 1) + 1 + output_padding).
    ``weight.data`` : (in_channels, out_channels, kernel_size). Avec le même noyau, c'est l'adjointe de Conv1d : elle rend à
    l'entrée sa taille, ``output_padding`` (< ``stride``) choisissant entre les tailles que la division de Conv1d confond.
    """

    n_axes = 1

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, *, bias=True,
                 dilation=1, rng=None, dtype=np.float32):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, output_padding, dilation, bias, rng, dtype)


class ConvTranspose2d(ConvolutionTransposed):
    """Convolution transposée d'images, voir :class:`ConvTranspose1d` ; poids (in_channels, out_channels, k_h, k_w)."""

    n_axes = 2

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, *, bias=True,
                 dilation=1, rng=None, dtype=np.float32):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, output_padding, dilation, bias, rng, dtype)
