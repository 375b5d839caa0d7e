"""Le sous-échantillonnage : résumer chaque fenêtre de l'entrée par son maximum ou par sa moyenne.

Le maximum d'un carré est celui des maximums de ses colonnes : on résume un axe après l'autre. Aucune fenêtre n'est
copiée. Le long d'un axe, pour chaque position du noyau, une vue de l'entrée donne d'un coup ce que toutes les
fenêtres voient à cette place, et le résumé se fait de vue en vue : un maximum par 2 est celui de deux vues.
"""

import numpy as np

from labcode.nn.images import Windows, as_images, batch_first, batch_last, per_axis, short
from labcode.nn.module import Module, as_gradient
from labcode.nn.parallel import share


class Pooling(Module):
    """Ce que les quatre couches ont en commun : les fenêtres ; une sous-classe dit comment résumer le long d'un axe."""

    n_axes, margin = None, 0  # margin : valeur des marges
    _stages = _output_shape = None

    def __init__(self, kernel_size, stride=None, padding=0, dilation=1):
        stride = kernel_size if stride is None else stride
        for name, value, minimum in (("kernel_size", kernel_size, 1), ("stride", stride, 1), ("padding", padding, 0),
                                     ("dilation", dilation, 1)):
            setattr(self, name, per_axis(name, value, type(self).__name__, self.n_axes, minimum))
        if any(2 * p > k for p, k in zip(self.padding, self.kernel_size)):
            raise ValueError(f"{self} : padding doit être au plus la moitié de kernel_size")
        self.windows = Windows(self.kernel_size, self.stride, self.padding, self.dilation)

    def forward(self, x):
        """Renvoie un nombre par fenêtre et par canal : (N, C, …) donne (N, C, …), plus petit."""
        x = batch_last(as_images(x, self, self.n_axes))
        count = self.windows.count(x.shape[1:-1], self)
        stages = [self.windows.pad(x, self.margin)]
        for axis, n in enumerate(count):
            x = stages[-1]
            y = np.empty((*x.shape[:axis + 1], n, *x.shape[axis + 2:]), x.dtype)
            share(lambda part: self._summarize(list(self._seen(x[part], axis, n)), y[part]), len(x), work=x.size)
            stages.append(y)
        self._stages = stages  # l'entrée et ses marges, puis ce qu'il en reste après chaque axe
        y = batch_first(stages[-1])
        self._output_shape = y.shape
        return y

    def backward(self, dy):
        """Renvoie dx : chaque fenêtre rend son gradient à ce qu'elle a vu."""
        dy = batch_last(as_gradient(dy, self, self._output_shape))
        for axis, n in reversed(list(enumerate(self._output_shape[2:]))):
            x, y = self._stages[axis:axis + 2]
            k, step, dilation = self.kernel_size[axis], self.stride[axis], self.dilation[axis]
            tiles = k == step and dilation == 1 and n * k == x.shape[axis + 1]  # chaque place est vue une fois et une seule
            dx = (np.empty if tiles else np.zeros)(x.shape, dy.dtype)
            put = _write if tiles else _add

            def spread(part):
                self._spread(list(self._seen(x[part], axis, n)), y[part], dy[part], list(self._seen(dx[part], axis, n)), put)

            share(spread, len(x), work=x.size)
            dy = dx
        return batch_first(self.windows.inside(dy))

    def _seen(self, x, axis, n):
        """Pour chaque position du noyau le long de ``axis``, la vue de ce que les ``n`` fenêtres voient à cette place."""
        step, dilation = self.stride[axis], self.dilation[axis]
        for start in range(0, dilation * self.kernel_size[axis], dilation):
            yield x[(slice(None),) * (axis + 1) + (slice(start, start + (n - 1) * step + 1, step),)]

    def _summarize(self, seen, y):
        """Écrit dans ``y`` le résumé de la liste de vues ``seen``."""
        raise NotImplementedError(f"{type(self).__name__} ne définit pas _summarize")

    def _spread(self, seen, y, dy, back, put):
        """Rend à chaque vue de ``back``, qui répond à une de ``seen``, sa part a·b du gradient, par ``put(vue, a, b)``."""
        raise NotImplementedError(f"{type(self).__name__} ne définit pas _spread")

    def __repr__(self):
        text = f"{type(self).__name__}({short(self.kernel_size)}"
        for name, default in (("stride", self.kernel_size), ("padding", (0,) * self.n_axes), ("dilation", (1,) * self.n_axes)):
            if getattr(self, name) != default:
                text += f", {name}={short(getattr(self, name))}"
        return text + ")"


class MaxPooling(Pooling):
    """Le maximum de chaque fenêtre."""

    margin = -np.inf  # une marge n'est jamais le maximum

    def _summarize(self, seen, y):
        np.maximum(seen[0], seen[-1], out=y)
        for x in seen[1:-1]:
            np.maximum(y, x, out=y)

    def _spread(self, seen, y, dy, back, put):
        """Le maximum seul reçoit le gradient de sa fenêtre ; s'il y est plusieurs fois, le premier trouvé."""
        waiting = np.ones(y.shape, bool)  # les fenêtres dont le maximum n'a pas encore été trouvé
        for x, dx in zip(seen[:-1], back):
            found = x == y
            found &= waiting
            waiting ^= found
            put(dx, dy, found)
        put(back[-1], dy, waiting)


class AvgPooling(Pooling):
    """La moyenne de chaque fenêtre, marges nulles comprises."""

    def __init__(self, kernel_size, stride=None, padding=0):
        super().__init__(kernel_size, stride, padding)

    def _summarize(self, seen, y):
        y[...] = seen[0]
        for x in seen[1:]:
            y += x
        y /= len(seen)

    def _spread(self, seen, y, dy, back, put):
        for dx in back:
            put(dx, dy, dy.dtype.type(1 / len(seen)))


def _write(dx, a, b):
    np.multiply(a, b, out=dx)


def _add(dx, a, b):
    dx += a * b


class MaxPool1d(MaxPooling):
    """Maximum par fenêtre d'un signal : (N, C, L) donne (N, C, L′), L′ = ⌊(L + 2·padding − étendue)/stride⌋ + 1.

    ``stride`` vaut ``kernel_size`` s'il est omis : les fenêtres se touchent sans se recouvrir. L'étendue du noyau est
    dilation·(kernel_size − 1) + 1 ; ce qui reste au bout sans remplir une fenêtre est ignoré. Lève ValueError pour
    une entrée d'une autre forme, vide, ou plus petite que le noyau. Source : Riesenhuber et Poggio (1999).
    """

    n_axes = 1


class MaxPool2d(MaxPooling):
    """Maximum par fenêtre d'une image, voir :class:`MaxPool1d` : (N, C, H, W) donne (N, C, H′, W′)."""

    n_axes = 2


class AvgPool1d(AvgPooling):
    """Moyenne par fenêtre d'un signal, marges nulles comprises (LeCun et al., 1989) ; formes de :class:`MaxPool1d`."""

    n_axes = 1


class AvgPool2d(AvgPooling):
    """Moyenne par fenêtre d'une image, voir :class:`AvgPool1d` : (N, C, H, W) donne (N, C, H′, W′)."""

    n_axes = 2


class GlobalPooling(Module):
    """Un nombre par canal et par exemple : (N, C, …) donne (N, C) ; ValueError pour une autre forme."""

    n_axes = None
    _x = _output_shape = None

    def forward(self, x):
        """Renvoie (N, C)."""
        self._x = as_images(x, self, self.n_axes)
        y = self._summarize(self._x.reshape(*self._x.shape[:2], -1))
        self._output_shape = y.shape
        return y

    def backward(self, dy):
        """Renvoie dx, de la forme de l'entrée."""
        dy = as_gradient(dy, self, self._output_shape)[..., None]
        return self._spread(self._x.reshape(*self._x.shape[:2], -1), dy).reshape(self._x.shape)


class GlobalAvgPooling(GlobalPooling):
    """Moyenne de chaque canal."""

    def _summarize(self, x):
        return x.mean(axis=2)

    def _spread(self, x, dy):
        return np.broadcast_to(dy / dy.dtype.type(x.shape[2]), x.shape)


class GlobalMaxPooling(GlobalPooling):
    """Maximum de chaque canal."""

    def _summarize(self, x):
        return x.max(axis=2)

    def _spread(self, x, dy):
        dx = np.zeros(x.shape, dy.dtype)
        np.put_along_axis(dx, x.argmax(axis=2)[..., None], dy, axis=2)
        return dx


class GlobalAvgPool1d(GlobalAvgPooling):
    """Moyenne de chaque canal d'un signal (Lin, Chen et Yan, 2013) : (N, C, L) donne (N, C)."""

    n_axes = 1


class GlobalAvgPool2d(GlobalAvgPooling):
    """Moyenne de chaque canal d'une image (Lin, Chen et Yan, 2013) : (N, C, H, W) donne (N, C)."""

    n_axes = 2


class GlobalMaxPool1d(GlobalMaxPooling):
    """Maximum de chaque canal d'un signal, le premier s'il y en a plusieurs : (N, C, L) donne (N, C)."""

    n_axes = 1


class GlobalMaxPool2d(GlobalMaxPooling):
    """Maximum de chaque canal d'une image, le premier s'il y en a plusieurs : (N, C, H, W) donne (N, C)."""

    n_axes = 2
