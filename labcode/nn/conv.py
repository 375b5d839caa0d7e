"""La convolution et la convolution transposée, adjointes l'une de l'autre.

Tout tient dans trois fonctions sur des lots (C, …, N), le lot en dernier : :func:`correlate`, son adjointe
:func:`correlate_adjoint`, et :func:`kernel_gradient`. Une convolution avance par la première et recule par la deuxième ;
une convolution transposée fait l'inverse ; toutes deux trouvent le gradient de leur noyau par la troisième.

Une convolution est un produit de matrices, une fois chaque fenêtre de l'entrée couchée sur une colonne (*im2col*,
Chellapilla, Puri et Simard, 2006). Ces colonnes répètent k² fois l'entrée : on les écrit par blocs de quelques lignes
d'image, qui restent dans le cache du processeur. On s'en passe pour les noyaux 3×3 à beaucoup de canaux
(:mod:`labcode.nn.winograd`), et le plus souvent quand les fenêtres se touchent (:func:`correlate_lines`).
"""

import threading

import numpy as np

from labcode.nn import winograd
from labcode.nn.images import Windows, as_images, batch_first, batch_last, per_axis, short, times
from labcode.nn.module import Module, Parameter, as_float_type, as_generator, as_gradient
from labcode.nn.parallel import share

BLOCK = 1 << 19  # nombres par bloc de fenêtres : 2 Mo en float32, le meilleur ou presque entre 0,5 et 16 Mo
LONG = 1 << 10   # nombres d'une ligne de sorties d'un canal, au moins, pour qu'un produit par ligne se rentabilise


def correlate(x, kernel, windows, bias=None):
    """Corrélation y[p] = Σ_o K[o] · x[p·pas + o·dilatation − marge], o parcourant le noyau.

    x : (C, *taille, N) ; kernel : (C′, C, *k) ; bias : (C′,) ou None. Renvoie y : (C′, *nombre de fenêtres, N).
    """
    count, padded = windows.count(x.shape[1:-1], "correlate"), windows.pad(x)
    if winograd.pays_off(kernel.shape, windows, count, x.shape[-1]):
        return winograd.correlate(padded, kernel, bias)
    y = np.empty((len(kernel), *count, x.shape[-1]), x.dtype)
    correlate_part = correlate_lines if lines_pay_off(kernel.shape, windows, count, x.shape[-1]) else correlate_columns
    share(lambda lines: correlate_part(padded, kernel, windows, bias, y, lines), count[0], work=y.size * kernel[0].size // 8)
    return y


def correlate_columns(padded, kernel, windows, bias, y, lines):
    """Écrit les lignes ``lines`` de ``y`` : le noyau (C′, C·k²) fois les fenêtres, couchées en colonnes."""
    matrix = kernel.reshape(len(kernel), -1)
    for block, columns in window_columns(padded, windows, y.shape[1:-1], lines):
        out = y[:, *block].reshape(len(kernel), -1, copy=False)
        np.matmul(matrix, columns, out=out)
        if bias is not None:
            out += bias[:, None]


def correlate_lines(padded, kernel, windows, bias, y, lines):
    """La même chose sans colonnes, une ligne d'image à la fois.

    Les k lignes que voient les fenêtres d'une même ligne se suivent en mémoire : c'est déjà une matrice (k·C, largeur·N).
    Les k colonnes du noyau, l'une sur l'autre (k·C′, k·C), la multiplient d'un coup ; il reste à ajouter les k résultats,
    chacun décalé d'une fenêtre.
    """
    n_out, n_in, height, width = kernel.shape
    matrix = kernel.transpose(3, 0, 2, 1).reshape(width * n_out, height * n_in)
    image = padded.swapaxes(0, 1)
    for line in range(lines.start, lines.stop):
        top, out = line * windows.stride[0], y[:, line].reshape(n_out, -1, copy=False)
        seen = image[top:top + height].reshape(height * n_in, -1)
        product = scratch(len(matrix) * seen.shape[1], y.dtype).reshape(len(matrix), -1)
        np.matmul(matrix, seen, out=product)
        shifts = [windows.dilation[1] * y.shape[-1] * column for column in range(width)]
        first, *others = (part[:, shift:shift + out.shape[1]] for part, shift in zip(np.split(product, width), shifts))
        np.add(first, 0 if bias is None else bias[:, None], out=out)
        for other in others:
            out += other


def lines_pay_off(kernel, windows, count, n):
    """Vrai si les lignes vues se touchent et que les ajouts décalés coûtent moins que les colonnes : pas trop de canaux en
    sortie, de longues lignes (``LONG``), où les marges comptent peu ; ``kernel`` : forme du noyau.
    """
    possible = len(count) == 2 and kernel[3] > 1 and windows.stride[1] == windows.dilation[0] == 1
    return possible and kernel[0] <= 2 * kernel[1] and count[1] * n >= LONG and count[1] >= 2 * windows.span[1] - 2


def correlate_adjoint(y, kernel, windows, size, bias=None):
    """Adjointe de ``correlate`` en x : ⟨correlate(x), y⟩ = ⟨x, correlate_adjoint(y)⟩.

    y : (C′, *nombre de fenêtres, N) ; kernel : (C′, C, *k). Renvoie x : (C, *size, N), où chaque y[p] a été
    ajouté, multiplié par le noyau, à tout ce que la fenêtre p voit.
    """
    n_out, n_in = kernel.shape[:2]
    count, n = y.shape[1:-1], y.shape[-1]
    if flipped_pays_off(kernel, windows, size, count):
        margins = tuple(s - 1 - p for s, p in zip(windows.span, windows.padding))
        flipped = np.flip(kernel, tuple(range(2, kernel.ndim))).swapaxes(0, 1)
        return correlate(y, flipped, Windows(windows.kernel, windows.stride, margins, windows.dilation), bias)

    padded = np.zeros((n_in, *(s + 2 * p for s, p in zip(size, windows.padding)), n), y.dtype)
    transposed = np.ascontiguousarray(kernel.reshape(n_out, n_in, -1).transpose(1, 2, 0))

    def part(channels):
        matrix, shifted = transposed[channels].reshape(-1, n_out), list(windows.shifted(padded[channels], count))
        for block in blocks(slice(0, count[0]), count, len(matrix) * n):
            y_block = y[:, *block]
            pushed = scratch(len(matrix) * y_block[0].size, y.dtype).reshape(len(matrix), -1)
            np.matmul(matrix, y_block.reshape(n_out, -1), out=pushed)
            pushed = pushed.reshape(-1, len(shifted), *y_block.shape[1:])
            for offset, seen in enumerate(shifted):
                seen[:, *block] += pushed[:, offset]

    share(part, n_in, work=y.size * kernel[0].size // 8)
    x = windows.inside(padded)
    return x if bias is None else x + bias.reshape(-1, *(1,) * (x.ndim - 1))


def flipped_pays_off(kernel, windows, size, count):
    """Vrai si l'adjointe est une corrélation avec le noyau retourné (pas de 1), et que ses colonnes ne sont pas trop
    longues : au plus trois fois plus que les ajouts décalés de l'autre méthode.
    """
    n_out, n_in = kernel.shape[:2]
    possible = set(windows.stride) == {1} and all(p < s for p, s in zip(windows.padding, windows.span))
    return possible and np.prod(size) * n_out <= 3 * np.prod(count) * n_in


def kernel_gradient(x, dy, windows):
    """Gradient de ⟨correlate(x), dy⟩ en son noyau : Σ, sur toutes les fenêtres, de dy[p] (ce qu'elle voit)ᵀ.

    x : (C, *taille, N) ; dy : (C′, *nombre de fenêtres, N). Renvoie (C′, C, *k).
    """
    n_out, count, padded = len(dy), dy.shape[1:-1], windows.pad(x)
    shape = (n_out, len(x), *windows.kernel)
    if winograd.pays_off(shape, windows, count, x.shape[-1]):
        return winograd.kernel_gradient(padded, dy)

    def part(lines):
        return sum(columns @ dy[:, *block].reshape(n_out, -1).T
                   for block, columns in window_columns(padded, windows, count, lines))

    return sum(share(part, count[0], work=dy.size * np.prod(shape[1:]) // 8)).T.reshape(shape)


def window_columns(padded, windows, count, lines):
    """Parcourt les fenêtres des lignes ``lines`` par blocs : couples (bloc, matrice dont chaque colonne est une fenêtre).

    La matrice est réécrite à chaque bloc.
    """
    view = windows.view(padded, count)
    n_seen = np.prod(view.shape[:len(count) + 1])
    for block in blocks(lines, count, n_seen * padded.shape[-1]):
        seen = view[(slice(None),) * (len(count) + 1) + block]
        columns = scratch(seen.size, padded.dtype)
        columns.reshape(seen.shape)[...] = seen
        yield block, columns.reshape(n_seen, -1)


def blocks(lines, count, per_window):
    """Découpe des lignes de fenêtres en blocs d'au plus ``BLOCK`` nombres : lignes entières, ou morceaux d'une ligne.

    Chaque bloc est un tuple de tranches le long des premiers axes d'espace ; ``per_window`` : nombres par fenêtre.
    """
    length = max(1, BLOCK // int(per_window))  # en fenêtres
    if len(count) == 1 or length >= count[-1]:
        step = max(1, length // count[-1]) if len(count) > 1 else length
        yield from ((slice(a, min(a + step, lines.stop)),) for a in range(lines.start, lines.stop, step))
    else:
        for line in range(lines.start, lines.stop):
            yield from ((slice(line, line + 1), slice(a, min(a + length, count[-1]))) for a in range(0, count[-1], length))


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
        if any(extra >= step for extra, step in zip(self.output_padding, self.stride)):
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
        self._x = batch_last(x)
        y = batch_first(self._apply(self._x, None if self.bias is None else self.bias.data))
        self._output_shape = y.shape
        return y

    def backward(self, dy):
        """Renvoie dx et ajoute aux paramètres leurs gradients."""
        self.backward_parameters(dy)
        return batch_first(self._apply_adjoint(self._gradient(dy)))

    def backward_parameters(self, dy):
        """Ajoute aux gradients du noyau et du biais."""
        dy = self._gradient(dy)
        x, y = (dy, self._x) if self.transposed else (self._x, dy)
        self.weight.accumulate(np.positive, kernel_gradient(x, y, self.windows))
        if self.bias is not None:
            self.bias.accumulate(np.sum, dy.reshape(len(dy), -1), 1)

    def output_size(self, size):
        """Taille de la sortie le long des axes d'espace, pour une entrée de taille ``size``."""
        return self.windows.count(size, self)

    def _gradient(self, dy):
        dy = as_gradient(dy, self, self._output_shape).astype(self.weight.data.dtype, copy=False)
        return batch_last(dy)

    def _apply(self, x, bias):
        return correlate(x, self.weight.data, self.windows, bias)

    def _apply_adjoint(self, dy):
        return correlate_adjoint(dy, self.weight.data, self.windows, self._x.shape[1:-1])

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
        return correlate_adjoint(x, self.weight.data, self.windows, self.output_size(x.shape[1:-1]), bias)

    def _apply_adjoint(self, dy):
        return correlate(dy, self.weight.data, self.windows)


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
