"""Les jeux réels : chaque octet, les effectifs, et les moyennes que tout le monde connaît."""

import gzip
import hashlib
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from labcode.datasets import (DataUnavailableError, DataWarning, Dataset, alphadigits, load_alphadigits, load_cifar10,
                              load_fashion_mnist, load_mnist, load_usps, usps)

RAW_SHA256 = {
    "MNIST": ("ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
              "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    "Fashion-MNIST": ("c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                      "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
}
CIFAR10_MD5 = ("5dd7e06a14cb22eb9f671a540d1b7c25", "5ea93a67294ea407fff1d09f752e9692", "942cd6a4bcdd0dd3c604fbe906cb4421",
               "ae636b3ba5c66a11e91e8cb52e771fcb", "53f37980c15c3d472c316c40844f3f0d", "803d5f7f4d78ea53de84dbe85f74fb6d")


def needed(load):
    """Le jeu, ou un test sauté qui dit lequel manque."""
    try:
        return load()
    except DataUnavailableError as error:
        pytest.skip(str(error).splitlines()[0] + " Voir data/README.md.")


@pytest.fixture(scope="module")
def mnist():
    return load_mnist()


@pytest.fixture(scope="module")
def fashion():
    return load_fashion_mnist()


def check_layout(data, train, test, p, n_classes):
    assert isinstance(data, Dataset)
    for X, y, n in ((data.X_train, data.y_train, train), (data.X_test, data.y_test, test)):
        assert X.shape == (n, p) and X.dtype == np.float32 and X.flags.c_contiguous and X.flags.writeable
        assert y.shape == (n,) and y.dtype == np.int64
    assert data.X_train.min() == 0 and data.X_train.max() == 1
    assert len(data.classes) == n_classes and np.prod(data.image_shape) == p
    assert sorted(set(data.y_train.tolist())) == list(range(n_classes))


def sha256(array, dtype=np.uint8):
    """Empreinte du fichier IDX que l'on retrouve en repartant du tableau."""
    shape = (len(array), 28, 28) if array.ndim == 2 else (len(array),)
    content = np.rint(array * 255).astype(dtype) if array.ndim == 2 else array.astype(dtype)
    return hashlib.sha256(struct.pack(f">{1 + len(shape)}I", 0x0800 + len(shape), *shape) + content.tobytes()).hexdigest()


@pytest.mark.parametrize("name", ["mnist", "fashion"])
def test_on_retrouve_chaque_octet(name, request):
    data = request.getfixturevalue(name)
    check_layout(data, 60_000, 10_000, 784, 10)
    assert tuple(sha256(array) for array in (data.X_train, data.y_train, data.X_test, data.y_test)) == RAW_SHA256[data.name]


def test_mnist(mnist):
    assert np.bincount(mnist.y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(mnist.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    for X, y, i, label, total in ((mnist.X_train, mnist.y_train, 0, 5, 27525), (mnist.X_train, mnist.y_train, 30_000, 3, 20220),
                                  (mnist.X_train, mnist.y_train, 59_999, 8, 20920), (mnist.X_test, mnist.y_test, 9_999, 6, 41833)):
        assert y[i] == label and np.rint(X[i] * 255).sum() == total
    assert mnist.X_train.mean(dtype=np.float64) == pytest.approx(0.1307, abs=5e-5)
    assert mnist.X_train.std(dtype=np.float64) == pytest.approx(0.3081, abs=5e-5)
    assert repr(mnist) == "MNIST : 60 000 images d'apprentissage et 10 000 de test, 28 × 28, 10 classes"


def test_fashion_mnist(fashion):
    assert np.bincount(fashion.y_train).tolist() == [6000] * 10 and np.bincount(fashion.y_test).tolist() == [1000] * 10
    assert fashion.classes[fashion.y_train[0]] == "Bottine" and np.rint(fashion.X_train[0] * 255).sum() == 76247
    assert fashion.X_train.mean(dtype=np.float64) == pytest.approx(0.2860, abs=1e-4)
    assert fashion.X_train.std(dtype=np.float64) == pytest.approx(0.3530, abs=1e-4)


def test_dataset_est_fige(mnist):
    with pytest.raises(AttributeError):
        mnist.X_train = None


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="la mémoire se lit dans /proc, sous Linux seulement")
def test_mnist_est_leger():
    """Charger MNIST n'importe rien de lourd et tient en 300 Mo."""
    code = ("import sys; from labcode.datasets import load_mnist; data = load_mnist(); "
            "print(*(m for m in ('scipy', 'h5py', 'pooch', 'requests', 'PIL', 'matplotlib', 'sklearn') if m in sys.modules)); "
            "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))")
    heavy, peak = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split("\n")[:2]
    assert heavy == "" and int(peak) * 1024 < 300e6


def test_alphadigits():
    data = needed(load_alphadigits)
    assert data.X_train.shape == (1404, 320) and data.X_test.shape == (0, 320) and data.y_test.shape == (0,)
    check_layout(data, 1404, 0, 320, 36)
    assert set(np.unique(data.X_train)) == {0, 1} and data.X_train.sum() == 185346
    assert data.classes == tuple("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert np.bincount(data.y_train).tolist() == [39] * 36
    assert repr(data) == "Binary AlphaDigits : 1 404 images d'apprentissage sans test, 20 × 16, 36 classes"
    corner = data.X_train[data.y_train == data.classes.index("T")].reshape(-1, 20, 16)[:, :, :4]
    assert corner[:, :6].mean() > 2 * corner[:, 10:].mean()  # un T est à l'endroit : large en haut, étroit en bas


def test_usps():
    data = needed(load_usps)
    check_layout(data, 7291, 2007, 256, 10)
    assert np.bincount(data.y_train).tolist() == [1194, 1005, 731, 658, 652, 556, 664, 645, 542, 644]
    assert np.bincount(data.y_test).tolist() == [359, 264, 198, 166, 200, 160, 170, 147, 166, 177]
    first = 2 * data.X_train[0].astype(np.float64) - 1  # première ligne de zip.train : un 6
    np.testing.assert_allclose(first[6:10], [-1, -0.631, 0.862, -0.167], atol=1e-6)
    assert data.y_train[0] == 6 and data.image_shape == (16, 16)


def test_usps_en_texte_rend_les_memes_valeurs(tmp_path, monkeypatch):
    """Les fichiers d'ESL, réécrits depuis usps.h5, donnent le même jeu ; il suffit d'y changer une classe pour qu'il soit refusé."""
    data = needed(load_usps)
    monkeypatch.setattr("labcode.datasets.files.places", lambda: iter([("LABCODE_DATA", tmp_path)]))
    for part, X, y in (("train", data.X_train, data.y_train), ("test", data.X_test, data.y_test)):
        lines = (f"{label:.4f} {' '.join(f'{v:.4f}' for v in 2 * x.astype(float) - 1)} " for x, label in zip(X, y))
        text = "\n".join(lines).encode()
        (tmp_path / f"zip.{part}.gz").write_bytes(gzip.compress(text, 1))
    copy = load_usps()
    np.testing.assert_allclose(copy.X_train, data.X_train, atol=1e-4)
    np.testing.assert_array_equal(copy.y_test, data.y_test)
    check_layout(copy, 7291, 2007, 256, 10)
    (tmp_path / "zip.test.gz").write_bytes(gzip.compress(b"7.0000" + text[6:]))
    with pytest.warns(DataWarning, match="effectifs"), pytest.raises(DataUnavailableError, match="usps.h5"):
        load_usps()


@pytest.mark.parametrize("content, message", [
    (b"9 1\n9 x\n", "tout n'y est pas un nombre"), (b"9 1 2\n", "3 nombres au lieu de"), (b"", "0 nombres au lieu de"),
    (gzip.compress(b"9 1 2\n" * 100, mtime=0)[:-9], "tronqué"),
])
def test_usps_en_texte_abime(folders, content, message):
    (folders.extra / "zip.train.gz").write_bytes(content)
    with pytest.warns(DataWarning, match=message), pytest.raises(DataUnavailableError):
        load_usps()


def test_usps_h5_abime(folders):
    (folders.extra / "usps.h5").write_bytes(b"\x89HDF" + bytes(usps.H5_SIZE - 4))
    with pytest.warns(DataWarning, match="usps.h5.*contenu altéré"), pytest.raises(DataUnavailableError, match="usps.h5 : contenu altéré"):
        load_usps()


@pytest.mark.parametrize("size, message", [(1000, "tronqué, 1000 octets au lieu de 532304"), (alphadigits.SIZE, "altéré"), (10**6, "altéré")])
def test_alphadigits_abime(folders, size, message):
    (folders.extra / "binaryalphadigs.mat").write_bytes(bytes(size))
    with pytest.warns(DataWarning, match=message), pytest.raises(DataUnavailableError, match=alphadigits.SHA256):
        load_alphadigits()


def test_cifar10():
    data = needed(load_cifar10)
    check_layout(data, 50_000, 10_000, 3072, 10)
    assert np.bincount(data.y_train).tolist() == [5000] * 10 and np.bincount(data.y_test).tolist() == [1000] * 10
    channels = data.X_train.reshape(50_000, 3, 1024)
    np.testing.assert_allclose([channels[:, c].mean(dtype=np.float64) for c in range(3)], (0.4914, 0.4822, 0.4465), atol=5e-5)
    batches = [*zip(np.split(data.X_train, 5), np.split(data.y_train, 5)), (data.X_test, data.y_test)]
    for (X, y), md5 in zip(batches, CIFAR10_MD5):
        assert hashlib.md5(np.column_stack([y, np.rint(X * 255)]).astype(np.uint8).tobytes()).hexdigest() == md5


@pytest.mark.parametrize("load", [load_mnist, load_fashion_mnist, load_usps, load_alphadigits, load_cifar10])
def test_sans_donnees_ni_reseau(folders, load):
    with pytest.raises(DataUnavailableError) as raised:
        load()
    message = str(raised.value)
    assert "impossible d'obtenir" in message and "LABCODE_DATA" in message and "SHA-256" in message
    assert "connexion impossible" in message and "http" in message
