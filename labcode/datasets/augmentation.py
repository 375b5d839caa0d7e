"""Augmenter des images : les décaler, les tourner, les retourner, les bruiter, un tirage par image.

Chaque transformation est un objet ``augment(X, rng)`` qui rend un nouveau tableau, de même forme ; ``fit(…, augment=…)``
l'applique à chaque lot. Les images sont (N, C, H, W), ou aplaties (N, p) avec ``image_shape`` : (H, W) ou (C, H, W).
Ce qui entre d'un bord est noir (0), et les valeurs restent entre 0 et 1.
"""

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from labcode.datasets.arguments import floats, generator, integer, number


class Augmentation:
    """Transformation aléatoire d'un lot d'images ; une sous-classe définit ``transform(images, rng)``.

    ``X`` : (N, C, H, W) ou (N, p), float entre 0 et 1, jamais modifié. ``rng`` : graine ou Generator. Le résultat a la
    forme et le type de ``X``. Lève ValueError si les valeurs sortent de [0, 1], ou si la forme ne convient pas.
    """

    image_shape = None

    def __init__(self, image_shape=None):
        if image_shape is not None:
            if not isinstance(image_shape, (tuple, list)) or len(image_shape) not in (2, 3):
                raise ValueError(f"image_shape : {image_shape!r} reçu, (H, W) ou (C, H, W) attendu.")
            self.image_shape = tuple(integer("image_shape", size, 1) for size in image_shape)

    def __call__(self, X, rng=None):
        X = floats(X)
        if X.min() < 0 or X.max() > 1:
            raise ValueError(f"X : valeurs de {X.min():g} à {X.max():g} reçues, entre 0 et 1 attendues.")
        images = self.transform(self._as_images(X), generator(rng))
        return np.clip(images, 0, 1).reshape(X.shape)  # un arrondi peut dépasser 1

    def transform(self, images, rng):
        """Images transformées (N, C, H, W) ; ``images`` ne se modifie pas."""
        raise NotImplementedError(f"{type(self).__name__} ne définit pas transform")

    def _as_images(self, X):
        if X.ndim == 4:
            return X
        if self.image_shape is None:
            raise ValueError(f"image_shape : à donner pour des images de forme {X.shape[1:]}, p. ex. image_shape=(28, 28).")
        if X[0].size != np.prod(self.image_shape):
            raise ValueError(f"image_shape : {self.image_shape} ne convient pas à des images de {X[0].size} valeurs.")
        return X.reshape(len(X), -1, *self.image_shape[-2:])

    def _setting(self):
        return ""

    def __repr__(self):
        shown = [text for text in (self._setting(), f"image_shape={self.image_shape}" if self.image_shape else "") if text]
        return f"{type(self).__name__}({', '.join(shown)})"


class RandomShift(Augmentation):
    """Décale chaque image d'un nombre entier de pixels, de −``pixels`` à ``pixels``, dans chaque direction."""

    def __init__(self, pixels, image_shape=None):
        super().__init__(image_shape)
        self.pixels = integer("pixels", pixels, 0)

    def transform(self, images, rng):
        """Une fenêtre de la taille de l'image, prise au hasard dans l'image bordée de noir."""
        border = self.pixels
        down, right = rng.integers(-border, border + 1, size=(2, len(images)))
        padded = np.pad(images, ((0, 0), (0, 0), (border, border), (border, border)))
        windows = sliding_window_view(padded, images.shape[2:], axis=(2, 3))
        return windows[np.arange(len(images)), :, border - down, border - right]

    def _setting(self):
        return f"{self.pixels}"


class RandomRotation(Augmentation):
    """Tourne chaque image autour de son centre, d'un angle tiré entre −``degrees`` et ``degrees``, sens direct positif.

    Un pixel d'arrivée tombe entre quatre pixels de départ : sa valeur est leur moyenne, pondérée par la proximité
    (interpolation bilinéaire).
    """

    def __init__(self, degrees, image_shape=None):
        super().__init__(image_shape)
        self.degrees = number("degrees", degrees, 0.0, 180.0)

    def transform(self, images, rng):
        """Les images tournées d'un angle aléatoire chacune."""
        return rotate(images, rng.uniform(-self.degrees, self.degrees, len(images)))

    def _setting(self):
        return f"{self.degrees:g}"


class RandomHorizontalFlip(Augmentation):
    """Échange la gauche et la droite de chaque image, avec la probabilité ``p``. Un chiffre n'y survit pas."""

    def __init__(self, p=0.5, image_shape=None):
        super().__init__(image_shape)
        self.p = number("p", p, 0.0, 1.0)

    def transform(self, images, rng):
        """Les images, certaines retournées."""
        chosen = rng.random(len(images)) < self.p
        return np.where(chosen[:, None, None, None], images[..., ::-1], images)

    def _setting(self):
        return f"{self.p:g}"


class GaussianNoise(Augmentation):
    """Ajoute à chaque pixel un bruit gaussien d'écart-type ``scale``, puis ramène entre 0 et 1."""

    def __init__(self, scale, image_shape=None):
        super().__init__(image_shape)
        self.scale = number("scale", scale)

    def __call__(self, X, rng=None):
        """Comme les autres, sans qu'il faille connaître la forme des images."""
        X = floats(X)
        return super().__call__(X.reshape(len(X), 1, 1, -1), rng).reshape(X.shape)

    def transform(self, images, rng):
        """Les images bruitées."""
        noise = rng.standard_normal(images.shape, dtype=images.dtype)
        return images + images.dtype.type(self.scale) * noise

    def _setting(self):
        return f"{self.scale:g}"


class Compose(Augmentation):
    """Applique plusieurs transformations l'une après l'autre : ``Compose([RandomShift(2), RandomRotation(10)], (28, 28))``."""

    def __init__(self, transforms, image_shape=None):
        super().__init__(image_shape)
        self.transforms = list(transforms)
        for transform in self.transforms:
            if not callable(transform):
                raise TypeError(f"transforms : {type(transform).__name__} reçu, une transformation (X, rng) attendue.")

    def transform(self, images, rng):
        """Les images, passées par toutes les transformations."""
        for transform in self.transforms:
            images = transform(images, rng)
        return images

    def _setting(self):
        return f"[{', '.join(map(repr, self.transforms))}]"


def rotate(images, degrees):
    """Images (N, C, H, W) tournées autour de leur centre, chacune de son angle (N,), sens direct positif ; le fond est 0.

    Interpolation bilinéaire. Lève ValueError s'il n'y a pas un angle par image.
    """
    degrees = np.asarray(degrees, dtype=float)
    if images.ndim != 4 or degrees.shape != (len(images),):
        raise ValueError(f"degrees : un angle par image attendu ; reçu {degrees.shape} pour des images {images.shape}, (N, C, H, W) attendu.")
    n, channels, height, width = images.shape
    # autour de l'image, un cadre noir d'un pixel : ce qui vient de plus loin vient de là
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    pitch = width + 2
    angle = np.deg2rad(degrees).astype(images.dtype)[:, None]
    y, x = _centred_grid(height, width, images.dtype)
    # l'axe des lignes descend : une rotation de sens direct va chercher en (x cos − y sin, x sin + y cos)
    rows = x * np.sin(angle) + y * np.cos(angle) + images.dtype.type((height + 1) / 2)
    columns = x * np.cos(angle) - y * np.sin(angle) + images.dtype.type((width + 1) / 2)
    np.clip(rows, 0, height + 1, out=rows)
    np.clip(columns, 0, width + 1, out=columns)
    top, left = rows.astype(np.int32), columns.astype(np.int32)
    rows -= top
    columns -= left
    corner = (top * pitch + left)[:, None] + np.arange(n * channels).reshape(n, channels, 1) * (height + 2) * pitch
    flat, rows, columns = padded.reshape(-1), rows[:, None], columns[:, None]
    # les quatre voisins ; au-delà du cadre, « clip » lit n'importe quoi, avec un poids nul
    a, b, c, d = (flat[shift:].take(corner, mode="clip") for shift in (0, 1, pitch, pitch + 1))
    upper, lower = _between(a, b, columns), _between(c, d, columns)
    return _between(upper, lower, rows).reshape(images.shape)


def _between(start, end, fraction):
    """start + fraction (end − start), calculé dans ``end``."""
    end -= start
    end *= fraction
    end += start
    return end


@lru_cache(maxsize=8)
def _centred_grid(height, width, dtype):
    """Coordonnées (y, x) de chaque pixel, aplaties, à partir du centre."""
    y, x = np.indices((height, width), dtype=dtype)
    return (y - (height - 1) / 2).astype(dtype).ravel(), (x - (width - 1) / 2).astype(dtype).ravel()
