"""USPS : chiffres relevés sur des enveloppes, dans la version du livre de Hastie, Tibshirani et Friedman (ESL)."""

import io

import numpy as np

from labcode.datasets.dataset import Dataset
from labcode.datasets.files import DamagedFileError, Source, find, obtain, opened, optional_module, verified_bytes

H5_SIZE = 2_913_522
H5_SHA256 = "734f88c541104a956d88be2c95d03b4a463ffd74ccc2ba9c80841fb98e3fcb36"
COUNTS = {
    "train": (1194, 1005, 731, 658, 652, 556, 664, 645, 542, 644),
    "test": (359, 264, 198, 166, 200, 160, 170, 147, 166, 177),
}
URL = "https://hastie.su.domains/ElemStatLearn/datasets/"


def load_usps():
    """Charge USPS, chiffres manuscrits de 16 × 16 pixels : 7 291 images d'apprentissage, 2 007 de test.

    Rend un Dataset : X (N, 256) float32 entre 0 et 1 (les valeurs d'origine, entre −1 et 1, deviennent (x + 1)/2), y (N,) de
    0 à 9. Lit usps.h5 s'il est là (paquet h5py), sinon zip.train.gz et zip.test.gz. Lève DataUnavailableError si aucun
    ne se trouve. Source : LeCun et coll., 1989.
    """
    problems = []
    arrays = find(Source("USPS", "usps", ("usps.h5",), (), ""), _read_h5, problems)
    if arrays is None:
        arrays = (*_load_text("train", problems), *_load_text("test", problems))
    return Dataset(*arrays, tuple("0123456789"), (16, 16), "USPS")


def _load_text(part, problems):
    shape = (sum(COUNTS[part]), 257)
    recognition = (f"{shape[0]} lignes de 257 nombres, la classe puis 256 pixels entre −1 et 1 ; le fichier usps.h5, de SHA-256 {H5_SHA256}, "
                   "convient aussi")
    source = Source("USPS", "usps", (f"zip.{part}.gz", f"zip.{part}"), (f"{URL}zip.{part}.gz",), recognition)
    return obtain(source, lambda path: _read_text(path, shape, COUNTS[part]), problems)


def _read_h5(path):
    content = verified_bytes(path, H5_SIZE, H5_SHA256)
    h5py = optional_module("h5py", "h5py", "lire usps.h5")
    with h5py.File(io.BytesIO(content), "r") as file:
        return tuple(array for part in ("train", "test")
                     for array in (file[part]["data"][:], file[part]["target"][:].astype(np.int64)))


def _read_text(path, shape, counts):
    """X (N, 256) et y (N,) ; ce fichier n'a pas d'empreinte connue, on vérifie ses dimensions, ses valeurs et ses classes."""
    with opened(path) as stream:
        words = stream.read(1 << 26).split()  # quatre fois la taille attendue
    try:
        values = np.array(words, dtype=np.float32)
    except ValueError:
        raise DamagedFileError("fichier altéré, tout n'y est pas un nombre") from None
    if values.size != shape[0] * shape[1]:
        raise DamagedFileError(f"fichier tronqué ou altéré, {values.size} nombres au lieu de {shape[0] * shape[1]}")
    values = values.reshape(shape)
    y, X = values[:, 0], values[:, 1:]
    if not (np.isin(y, range(10)).all() and np.array_equal(np.bincount(y.astype(np.int64), minlength=10), counts)):
        raise DamagedFileError("fichier altéré, les effectifs des dix classes ne sont pas ceux de USPS")
    if not (np.abs(X) <= 1).all():
        raise DamagedFileError("fichier altéré, des pixels sortent de l'intervalle [−1, 1]")
    return (X + 1) / 2, y.astype(np.int64)
