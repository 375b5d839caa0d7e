"""Binary AlphaDigits : 36 caractères, 39 images binaires de chacun."""

import io

import numpy as np

from labcode.datasets.dataset import Dataset
from labcode.datasets.files import Source, obtain, optional_module, verified_bytes

SIZE = 532_304
SHA256 = "3ee9392e64e4e3bb7b35502b69bf2555a0b4197c1b31048c4189b84bc0bc6ea7"
SOURCE = Source("Binary AlphaDigits", "alphadigits", ("binaryalphadigs.mat",),
                ("https://cs.nyu.edu/~roweis/data/binaryalphadigs.mat",), f"son SHA-256 est {SHA256}")


def load_alphadigits():
    """Charge Binary AlphaDigits, chiffres et capitales de 20 × 16 pixels noirs ou blancs : 39 images par caractère, sans test.

    Rend un Dataset : X_train (1404, 320) float32 valant 0 ou 1, caractère par caractère, y_train (1404,) de 0 à 35 pour les
    classes « 0 » à « 9 » puis « A » à « Z », X_test vide. Demande scipy. Lève DataUnavailableError si le fichier est
    introuvable. Source : S. Roweis, université de New York.
    """
    X, classes = obtain(SOURCE, _read)
    y = np.repeat(np.arange(36), 39).astype(np.int64)
    return Dataset(X, y, X[:0].copy(), y[:0].copy(), classes, (20, 16), "Binary AlphaDigits")


def _read(path):
    content = verified_bytes(path, SIZE, SHA256)
    matlab = optional_module("scipy.io", "scipy", "lire binaryalphadigs.mat").loadmat(io.BytesIO(content))
    images = np.array(matlab["dat"].tolist(), dtype=np.float32)  # (36, 39, 20, 16)
    classes = tuple(str(label[0]) for label in matlab["classlabels"].ravel())
    return images.reshape(36 * 39, 20 * 16), classes
