"""CIFAR-10 : photos en couleurs de 32 × 32 pixels, dans sa version binaire officielle."""

import hashlib
import tarfile

import numpy as np

from labcode.datasets.dataset import Dataset
from labcode.datasets.files import DamagedFileError, Source, check_digest, obtain, opened

FOLDER = "cifar-10-batches-bin"
ARCHIVE = "cifar-10-binary.tar.gz"
ARCHIVE_SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
BATCHES = {  # SHA-256 de chaque fichier ; apprentissage, puis test
    "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}
IMAGES = 10_000  # par fichier
PIXELS = 3 * 32 * 32
BATCH_SIZE = IMAGES * (1 + PIXELS)  # en octets, la classe puis les pixels
CLASSES = ("avion", "automobile", "oiseau", "chat", "cerf", "chien", "grenouille", "cheval", "bateau", "camion")
SOURCE = Source("CIFAR-10", "cifar-10", (FOLDER, ARCHIVE), (f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}",),
                f"le SHA-256 de {ARCHIVE} est {ARCHIVE_SHA256} ; le dossier {FOLDER}, son contenu, convient aussi")


def load_cifar10():
    """Charge CIFAR-10, photos de 32 × 32 pixels en trois canaux, rouge, vert, bleu : 50 000 images d'apprentissage, 10 000 de test.

    Rend un Dataset : X (N, 3072) float32 entre 0 et 1, un canal après l'autre (``image_shape`` (3, 32, 32)), y (N,) de 0 à 9.
    Lit l'archive officielle ou le dossier de ses fichiers .bin, et occupe 740 Mo en mémoire. Lève DataUnavailableError si ni
    l'un ni l'autre ne se trouve. Source : Krizhevsky, 2009.
    """
    X, y = obtain(SOURCE, _read)
    train = len(X) - IMAGES
    return Dataset(X[:train], y[:train], X[train:], y[train:], CLASSES, (3, 32, 32), "CIFAR-10")


def _read(path):
    """X (60000, 3072) et y (60000,) du dossier ou de l'archive ``path``."""
    X = np.empty((len(BATCHES) * IMAGES, PIXELS), np.float32)
    y = np.empty(len(X), np.int64)
    missing = dict.fromkeys(BATCHES)
    for name, content in _folder(path) if path.is_dir() else _archive(path):
        records = np.frombuffer(checked_batch(name, content), np.uint8).reshape(IMAGES, 1 + PIXELS)
        start = list(BATCHES).index(name) * IMAGES
        y[start:start + IMAGES] = records[:, 0]
        np.divide(records[:, 1:], np.float32(255), out=X[start:start + IMAGES])
        missing.pop(name, None)
    if missing:
        raise DamagedFileError(f"il y manque {', '.join(missing)}")
    return X, y


def checked_batch(name, content):
    """Rend le contenu du fichier ``name`` de CIFAR-10, ou lève DamagedFileError si ce n'est pas le contenu officiel."""
    try:
        check_digest(hashlib.sha256(content), BATCHES[name])
    except DamagedFileError as error:
        raise DamagedFileError(f"{name} : {error}") from None
    return content


def _folder(path):
    for name in BATCHES:
        if (path / name).is_file():
            with opened(path / name) as stream:
                yield name, stream.read(BATCH_SIZE + 1)


def _archive(path):
    """Nom et contenu de chaque fichier utile, lus sans rien écrire sur le disque."""
    try:
        with opened(path) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                name = member.name.rsplit("/", 1)[-1]
                if member.isfile() and name in BATCHES:
                    yield name, archive.extractfile(member).read(BATCH_SIZE + 1)
    except tarfile.TarError:
        raise DamagedFileError("archive tronquée ou altérée") from None
