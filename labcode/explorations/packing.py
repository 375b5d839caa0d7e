"""Des tableaux en peu de place : un bit, un octet ou un float32 par nombre, écrits en base64, que `packing.js` relit."""

from base64 import b64encode

import numpy as np

from labcode.datasets.arguments import floats, integer

LIMIT = 200_000  # octets d'un tableau dans la page, avant le tiers de plus que prend l'écriture en base64


def packed_floats(values):
    """Des nombres, tels quels à la précision d'un float32."""
    return _text(np.asarray(values, "<f4"))


def packed_rows(matrix):
    """Une matrice à un octet par nombre : la ligne j vaut échelle_j × un entier de −127 à 127.

    Chaque nombre est rendu à une demi-échelle près, l'échelle d'une ligne étant sa plus grande valeur absolue sur 127.
    """
    matrix = np.asarray(matrix, np.float64)
    scales = (np.abs(matrix).max(axis=1) / 127).astype("<f4")
    integers = np.rint(matrix / np.where(scales > 0, scales, 1)[:, None])
    return {"columns": matrix.shape[1], "scales": _text(scales), "values": _text(integers.astype(np.int8))}


def packed_images(images):
    """Des images (N, p) entre 0 et 1 : un bit par pixel si tous valent 0 ou 1, sinon un octet, à 1/510 près."""
    binary = bool(np.isin(images, (0, 1)).all())
    values = np.packbits(images.astype(np.uint8)) if binary else np.rint(255 * images).astype(np.uint8)
    return {"pixels": images.shape[1], "count": len(images), "bits": 1 if binary else 8, "values": _text(values)}


def checked_images(images, shape, name="images"):
    """``images`` en tableau (N, p) de nombres entre 0 et 1, p étant le nombre de pixels de ``shape``. Sinon, ValueError."""
    images, pixels = floats(images, name), shape[0] * shape[1]
    if images.ndim != 2 or images.shape[1] != pixels:
        raise ValueError(f"{name} : forme {images.shape} reçue, (N, {pixels}) attendue, "
                         f"des images de {shape[0]} × {shape[1]} pixels mises à plat.")
    if images.min() < 0 or images.max() > 1:
        raise ValueError(f"{name} : valeurs de {images.min():g} à {images.max():g} reçues, des valeurs entre 0 et 1 attendues.")
    return images


def checked_shape(shape, pixels=None):
    """``shape`` en liste [hauteur, largeur] d'entiers, qui font ``pixels`` pixels s'il est donné. Sinon, ValueError ou TypeError."""
    try:
        height, width = shape
    except (TypeError, ValueError):
        raise ValueError(f"image_shape : {shape!r} reçu, un couple (hauteur, largeur) attendu.") from None
    height, width = integer("image_shape", height, 1), integer("image_shape", width, 1)
    if pixels not in (None, height * width):
        raise ValueError(f"image_shape : {height} × {width} = {height * width} pixels, mais les images en ont {pixels}.")
    return [height, width]


def check_size(size, what, advice):
    """Lève ValueError si ``size`` octets alourdiraient trop la page ; ``what`` dit ce que c'est, ``advice`` que faire."""
    if size > LIMIT:
        raise ValueError(f"{what} : {_thousands(size)} octets, c'est trop pour une page (au plus {_thousands(LIMIT)}) ; {advice}.")


def _thousands(number):
    return f"{number:,}".replace(",", "\u202f")


def _text(array):
    return b64encode(array.tobytes()).decode("ascii")
