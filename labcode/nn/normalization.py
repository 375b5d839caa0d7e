"""La normalisation par lot : ramener chaque canal à une moyenne et une variance qui s'apprennent."""

import numpy as np

from labcode.nn.images import as_images, as_rows, channels_first, channels_last, per_axis
from labcode.nn.module import Buffer, Module, Parameter, as_float, as_float_type, as_gradient, is_number
from labcode.nn.parallel import share


class BatchNorm(Module):
    """Ce que BatchNorm1d et BatchNorm2d ont en commun : tout, sauf la forme de l'entrée."""

    _centred = _output_shape = None  # _centred : l'entrée moins la moyenne

    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True, *, dtype=np.float32):
        name, dtype = type(self).__name__, as_float_type(dtype, type(self).__name__)
        self.num_features, = per_axis("num_features", num_features, name, 1, 1)
        if not (is_number(eps) and eps > 0):
            raise ValueError(f"{name} : eps doit être un nombre strictement positif, reçu {eps!r}")
        if not (is_number(momentum) and 0 <= momentum <= 1):
            raise ValueError(f"{name} : momentum doit être entre 0 et 1, reçu {momentum!r}")
        self.eps, self.momentum = float(eps), float(momentum)
        self.weight = Parameter(np.ones(num_features, dtype)) if affine else None
        self.bias = Parameter(np.zeros(num_features, dtype)) if affine else None
        self.running_mean = Buffer(np.zeros(num_features, dtype))
        self.running_var = Buffer(np.ones(num_features, dtype))

    def forward(self, x):
        """Renvoie weight·(x − moyenne)/√(variance + eps) + bias, de la forme de ``x``.

        En apprentissage, moyenne et variance sont celles du lot ; en évaluation, celles mémorisées.
        """
        x = np.ascontiguousarray(channels_last(self._checked(x)))
        if self.weight is not None:
            x = x.astype(self.weight.data.dtype, copy=False)
        rows, self._count, self._from_batch = as_rows(x), x.size // self.num_features, self.training
        if self.training:
            self._centred, variance = self._centre_on_batch(rows)
        else:
            self._centred, variance = rows - self._wide(self.running_mean.data, rows), self.running_var.data
        self._inverse = (1 / np.sqrt(variance + self.eps)).astype(x.dtype)
        scale, y = self._wide(self._scale(), rows), np.empty_like(rows)
        shift = None if self.bias is None else self._wide(self.bias.data, rows)

        def rescale(part):
            np.multiply(self._centred[part], scale, out=y[part])
            if shift is not None:
                y[part] += shift

        share(rescale, len(rows), work=x.size)
        y = channels_first(y.reshape(x.shape))
        self._output_shape = y.shape
        return y

    def backward(self, dy):
        """Renvoie dx et ajoute aux paramètres leurs gradients.

        Avec x̂ = (x − moyenne)/écart-type, en apprentissage : dx = weight/écart-type · (dy − ⟨dy⟩ − x̂ ⟨dy x̂⟩), où ⟨·⟩ est
        la moyenne du lot : x agit aussi à travers la moyenne et la variance. En évaluation : dx = weight/écart-type · dy.
        """
        dy = as_gradient(dy, self, self._output_shape).astype(self._centred.dtype, copy=False)
        dy = np.ascontiguousarray(channels_last(dy))
        shape, dy = dy.shape, as_rows(dy)
        centred, dx = self._centred, np.empty_like(dy)
        total = self._sum(lambda part: dy[part].sum(axis=0), dy)
        dot = self._sum(lambda part: _dot(dy[part], centred[part]), dy) * self._inverse  # Σ dy x̂
        if self.weight is not None:
            self.weight.accumulate(np.positive, dot)
            self.bias.accumulate(np.positive, total)
        slope, mean = self._wide(self._inverse * dot / self._count, dy), self._wide(total / self._count, dy)
        scale = self._wide(self._scale(), dy)

        def spread(part):
            if not self._from_batch:
                np.multiply(dy[part], scale, out=dx[part])
                return
            out = np.multiply(centred[part], slope, out=dx[part])
            np.subtract(dy[part], out, out=out)
            out -= mean
            out *= scale

        share(spread, len(dy), work=dy.size)
        return channels_first(dx.reshape(shape))

    def _checked(self, x):
        raise NotImplementedError(f"{type(self).__name__} ne définit pas _checked")

    def _scale(self):
        return self._inverse if self.weight is None else self._inverse * self.weight.data

    def _centre_on_batch(self, rows):
        """Renvoie les lignes moins leur moyenne, et leur variance ; met à jour les statistiques mémorisées."""
        if self._count == 1:
            raise ValueError(f"{self} : une seule valeur par canal, sa variance serait nulle ; "
                             "donner un lot d'au moins deux exemples, ou appeler eval()")
        mean = self._sum(lambda part: rows[part].sum(axis=0), rows) / self._count
        wide, centred = self._wide(mean, rows), np.empty_like(rows)

        def centre(part):
            out = np.subtract(rows[part], wide, out=centred[part])
            return _dot(out, out)

        variance = self._sum(centre, rows) / self._count
        unbiased = variance * (self._count / (self._count - 1))
        for buffer, value in ((self.running_mean, mean), (self.running_var, unbiased)):
            buffer.data += self.momentum * (value - buffer.data)
        return centred, variance

    def _sum(self, function, rows):
        """Somme par canal de ce que ``function`` calcule sur chaque part des lignes."""
        return np.reshape(sum(share(function, len(rows), work=rows.size)), (-1, self.num_features)).sum(axis=0)

    def _wide(self, values, rows):
        """Répète un nombre par canal sur toute la longueur d'une ligne."""
        return np.tile(values, rows.shape[1] // self.num_features)

    def __repr__(self):
        return f"{type(self).__name__}({self.num_features})"


def _dot(a, b):
    """Somme sur les lignes de a·b, sans tableau temporaire."""
    return np.einsum("ij,ij->j", a, b)


class BatchNorm1d(BatchNorm):
    """Normalisation par lot (Ioffe et Szegedy, 2015) de (N, num_features), ou de signaux (N, num_features, L).

    ``weight.data`` et ``bias.data``, de forme (num_features,), s'apprennent et valent au départ 1 et 0 ; ``affine=False``
    s'en passe. ``running_mean.data`` et ``running_var.data`` mémorisent à chaque passe d'apprentissage
    (1 − momentum)·ancienne + momentum·nouvelle ; elles servent en évaluation et ne s'apprennent pas. Lève ValueError pour
    une entrée d'une autre forme, ou une seule valeur par canal en apprentissage.
    """

    def _checked(self, x):
        x = as_float(x, self)
        if x.ndim not in (2, 3) or not x.size or x.shape[1] != self.num_features:
            raise ValueError(f"{self} : entrée de forme {x.shape}, attendu (N, {self.num_features}) "
                             f"ou (N, {self.num_features}, L) avec N ≥ 1")
        return x


class BatchNorm2d(BatchNorm):
    """Normalisation par lot d'images (N, num_features, H, W), voir :class:`BatchNorm1d`."""

    def _checked(self, x):
        return as_images(x, self, 2, self.num_features)
