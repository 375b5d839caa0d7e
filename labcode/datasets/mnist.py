"""MNIST et Fashion-MNIST : même format IDX, mêmes noms de fichiers, mêmes tailles."""

import hashlib
import math
import struct

import numpy as np

from labcode.datasets.dataset import Dataset
from labcode.datasets.files import CHUNK, DamagedFileError, Source, check_digest, obtain, opened

SHAPES = {
    "train-images-idx3-ubyte": (60_000, 28, 28),
    "train-labels-idx1-ubyte": (60_000,),
    "t10k-images-idx3-ubyte": (10_000, 28, 28),
    "t10k-labels-idx1-ubyte": (10_000,),
}
MNIST = {  # SHA-256 du contenu décompressé
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
FASHION_MNIST = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
MNIST_URLS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
FASHION_MNIST_URLS = ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
                      "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/")
CLOTHES = ("T-shirt", "Pantalon", "Pull", "Robe", "Manteau", "Sandale", "Chemise", "Basket", "Sac", "Bottine")


def load_mnist():
    """Charge MNIST, chiffres manuscrits de 28 × 28 pixels : 60 000 images d'apprentissage, 10 000 de test.

    Rend un Dataset : X (N, 784) float32 entre 0 et 1, y (N,) de 0 à 9. Lève DataUnavailableError si les fichiers sont
    introuvables. Source : LeCun, Bottou, Bengio et Haffner, 1998.
    """
    return _load("MNIST", "mnist", MNIST, MNIST_URLS, tuple("0123456789"))


def load_fashion_mnist():
    """Charge Fashion-MNIST, photos de vêtements au même format que MNIST : 60 000 images d'apprentissage, 10 000 de test.

    Rend un Dataset : X (N, 784) float32 entre 0 et 1, y (N,) de 0 à 9. Lève DataUnavailableError si les fichiers sont
    introuvables. Source : Xiao, Rasul et Vollgraf, 2017.
    """
    return _load("Fashion-MNIST", "fashion-mnist", FASHION_MNIST, FASHION_MNIST_URLS, CLOTHES)


def _load(title, folder, digests, mirrors, classes):
    arrays = {}
    for name, shape in SHAPES.items():
        source = Source(title, folder, (f"{name}.gz", name), tuple(f"{mirror}{name}.gz" for mirror in mirrors),
                        f"une fois décompressé, son SHA-256 est {digests[name]}", shipped=True)
        dtype = np.float32 if len(shape) == 3 else np.int64
        arrays[name] = obtain(source, lambda path: read_idx(path, shape, digests[name], dtype))
    X_train, y_train, X_test, y_test = arrays.values()
    for X in (X_train, X_test):
        X /= 255
    return Dataset(X_train.reshape(len(X_train), -1), y_train, X_test.reshape(len(X_test), -1), y_test,
                   classes, (28, 28), title)


def read_idx(path, shape, sha256, dtype=np.uint8):
    """Lit un fichier IDX d'octets, gzip ou non, dans un tableau de forme ``shape`` et de type ``dtype``.

    Le contenu est décompressé, vérifié et converti d'un même passage, par blocs : jamais deux copies des images.
    Lève DamagedFileError si l'en-tête, la taille ou l'empreinte ``sha256`` du contenu décompressé ne convient pas.
    """
    header = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)  # 0x08 : octets non signés
    values, done, block = np.empty(math.prod(shape), dtype), 0, np.empty(CHUNK, np.uint8)
    with opened(path) as stream:
        found = stream.read(len(header))
        if found != header:
            raise DamagedFileError(_header_problem(found, header))
        digest = hashlib.sha256(found)
        while count := stream.readinto(block):
            if done + count > values.size:
                raise DamagedFileError(f"fichier trop long, plus de {values.size} octets après l'en-tête")
            digest.update(block[:count])
            values[done:done + count] = block[:count]
            done += count
    if done < values.size:
        raise DamagedFileError(f"fichier tronqué, {done} octets après l'en-tête au lieu de {values.size}")
    check_digest(digest, sha256)
    return values.reshape(shape)


def _header_problem(found, header):
    if len(found) < len(header):
        return f"fichier tronqué, {len(found)} octets en tout"
    if found[:4] != header[:4]:
        return f"ce n'est ni un fichier gzip ni un fichier IDX attendu (début {found[:4].hex(' ')} au lieu de {header[:4].hex(' ')})"
    sizes = struct.unpack(f">{len(header) // 4 - 1}I", found[4:])
    expected = struct.unpack(f">{len(header) // 4 - 1}I", header[4:])
    return f"l'en-tête annonce les dimensions {sizes} au lieu de {expected}"
