"""La recherche des fichiers : l'ordre, les fichiers abîmés, le téléchargement, les messages."""

import gzip
import hashlib
import os
import struct
import sys
import time
import warnings

import numpy as np
import pytest

from labcode.datasets import DataUnavailableError, DataWarning, download, files, mnist
from labcode.datasets.mnist import read_idx

SHAPE = (40, 6, 5)
PIXELS = np.random.default_rng(0).integers(0, 256, SHAPE, dtype=np.uint8)
RAW = struct.pack(">4I", 0x0803, *SHAPE) + PIXELS.tobytes()
SHA256 = hashlib.sha256(RAW).hexdigest()
GZIP = gzip.compress(RAW, mtime=0)
DAMAGED = bytearray(RAW)
DAMAGED[500] ^= 1  # un seul bit change


def obtain(urls=(), shipped=True):
    source = files.Source("Essai", "essai", ("images.gz", "images"), tuple(urls), f"SHA-256 {SHA256}", shipped)
    return files.obtain(source, lambda path: read_idx(path, SHAPE, SHA256))


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def tree(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


# Lire un fichier

@pytest.mark.parametrize("name, content", [
    ("images.gz", GZIP), ("images", RAW), ("images.gz", RAW), ("images", GZIP), ("images.gz", gzip.compress(RAW, 1, mtime=0)),
])
def test_lit_gzip_ou_brut(tmp_path, name, content):
    np.testing.assert_array_equal(read_idx(put(tmp_path / name, content), SHAPE, SHA256), PIXELS)


@pytest.mark.parametrize("content, message", [
    (GZIP[:len(GZIP) // 2], "tronqué"),
    (GZIP[:-4], "tronqué"),
    (RAW[:-1], "tronqué, 1199 octets après l'en-tête au lieu de 1200"),
    (RAW[:9], "tronqué, 9 octets en tout"),
    (b"", "tronqué, 0 octets"),
    (RAW + b"\0", "trop long"),
    (gzip.compress(RAW + b"\0", mtime=0), "trop long"),
    (bytes(DAMAGED), "contenu altéré, SHA-256"),
    (gzip.compress(bytes(DAMAGED), mtime=0), "contenu altéré, SHA-256"),
    (GZIP[:200] + bytes(50) + GZIP[250:], "altéré"),
    (GZIP[:-8] + bytes(8), "ne se décompresse pas"),
    (b"<!DOCTYPE html><title>Portail</title>", "ni un fichier gzip ni un fichier IDX"),
    (struct.pack(">4I", 0x0D03, *SHAPE) + RAW[16:], "ni un fichier gzip ni un fichier IDX"),
    (struct.pack(">4I", 0x0803, 41, 6, 5) + RAW[16:], "(41, 6, 5) au lieu de (40, 6, 5)"),
    (struct.pack(">4I", 0x0803, 2**32 - 1, 2**16, 2**16) + RAW[16:], "dimensions"),
])
def test_fichier_abime_reconnu_et_nomme(folders, content, message):
    path = put(folders.data / "essai" / "images.gz", content)
    with pytest.warns(DataWarning) as warned, pytest.raises(DataUnavailableError):
        obtain()
    assert message in str(warned[0].message) and str(path) in str(warned[0].message)
    assert warned[0].filename == __file__  # l'avertissement montre l'appelant, pas nos entrailles
    assert path.read_bytes() == content


def test_un_dossier_au_lieu_d_un_fichier(folders):
    (folders.data / "essai" / "images.gz").mkdir(parents=True)
    put(folders.extra / "images", RAW)
    with pytest.warns(DataWarning, match="illisible"):
        np.testing.assert_array_equal(obtain(), PIXELS)


# L'ordre

PLACES = [("data", "essai/images.gz"), ("extra", "essai/images.gz"), ("extra", "essai/images"), ("extra", "images.gz"),
          ("extra", "images"), ("cache", "essai/images.gz")]


def test_ordre_data_puis_dossier_personnel_puis_cache_puis_reseau(folders, server):
    """On abîme les fichiers l'un après l'autre : c'est chaque fois le suivant qui est lu."""
    paths = [put(getattr(folders, place) / name, GZIP) for place, name in PLACES]
    read = []
    source = files.Source("Essai", "essai", ("images.gz", "images"), (server.url + "images.gz",), "")
    server.pages["/images.gz"] = GZIP

    def reader(path):
        content = read_idx(path, SHAPE, SHA256)
        read.append(path)
        return content

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        for path in paths:
            files.obtain(source, reader)
            path.write_bytes(bytes(DAMAGED))
        assert server.asked == []
        files.obtain(source, reader)
    assert read[:-1] == paths and server.asked == ["/images.gz"]


def test_plusieurs_dossiers_dans_labcode_data(folders, tmp_path, monkeypatch):
    monkeypatch.setenv("LABCODE_DATA", os.pathsep.join([str(tmp_path / "absent"), str(folders.extra)]))
    put(folders.extra / "images", RAW)
    np.testing.assert_array_equal(obtain(), PIXELS)


def test_trouve_data_depuis_un_sous_dossier_du_depot(tmp_path, monkeypatch):
    for folder in ("data", "labcode", "chapters"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / "chapters")
    assert tmp_path / "data" in files.repository_folders()


def test_trouve_data_a_cote_du_paquet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = files.repository_folders()
    assert len(folders) == 1 and (folders[0] / "mnist").is_dir()


# Le téléchargement

def test_telecharge_et_garde(folders, server):
    server.pages["/images.gz"] = GZIP
    np.testing.assert_array_equal(obtain([server.url + "images.gz"]), PIXELS)
    np.testing.assert_array_equal(obtain([server.url + "images.gz"]), PIXELS)
    assert server.asked == ["/images.gz"]
    assert tree(folders.cache) == ["essai/images.gz"] and (folders.cache / "essai/images.gz").read_bytes() == GZIP


@pytest.mark.parametrize("bad", [404, 503, ("coupé", GZIP), GZIP[:-20], gzip.compress(bytes(DAMAGED), mtime=0), b"<html>"],
                         ids=["absent", "en panne", "coupé", "tronqué", "altéré", "page"])
def test_adresse_suivante_si_la_premiere_echoue(folders, server, bad):
    server.pages |= {"/a/images.gz": bad, "/b/images.gz": GZIP}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        values = obtain([server.url + "a/images.gz", server.url + "b/images.gz"])
    np.testing.assert_array_equal(values, PIXELS)
    assert server.asked == ["/a/images.gz", "/b/images.gz"]
    assert tree(folders.cache) == ["essai/images.gz"]


@pytest.mark.parametrize("bad, message", [
    (404, "le serveur répond 404"), (("coupé", GZIP), "interrompu"), (GZIP[:-20], "tronqué"),
    (gzip.compress(bytes(DAMAGED), mtime=0), "contenu altéré"), ("muet", "pas de réponse en"),
])
def test_rien_d_incomplet_ne_reste(folders, server, bad, message, monkeypatch):
    monkeypatch.setattr(download, "PATIENCE", 0.5)
    server.pages["/images.gz"] = bad
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        with pytest.raises(DataUnavailableError, match=message):
            obtain([server.url + "images.gz"])
    assert tree(folders.cache) == []


def test_serveur_muet_abandonne_meme_si_la_requete_attend(folders, monkeypatch):
    """La résolution d'un nom n'a pas de délai maximal : c'est la nôtre qui compte."""
    import pooch
    monkeypatch.setattr(download, "PATIENCE", 0.3)
    monkeypatch.setattr(pooch, "HTTPDownloader", lambda **_: lambda *_: time.sleep(5))
    start = time.monotonic()
    with pytest.raises(DataUnavailableError, match="pas de réponse"):
        obtain(["http://127.0.0.1/images.gz"])
    assert time.monotonic() - start < 4


def test_interruption_au_clavier_ne_laisse_rien(folders, monkeypatch):
    def interrupted(url, path):
        path.write_bytes(GZIP[:30])
        raise KeyboardInterrupt
    monkeypatch.setattr(files, "download", interrupted)
    with pytest.raises(KeyboardInterrupt):
        obtain(["http://127.0.0.1/images.gz"])
    assert tree(folders.cache) == []


def test_cache_abime_est_remplace(folders, server):
    server.pages["/images.gz"] = GZIP
    path = put(folders.cache / "essai/images.gz", GZIP[:100])
    with pytest.warns(DataWarning, match="tronqué.*téléchargé de nouveau"):
        np.testing.assert_array_equal(obtain([server.url + "images.gz"]), PIXELS)
    assert path.read_bytes() == GZIP


def test_data_abime_n_est_jamais_touche(folders, server):
    server.pages["/images.gz"] = GZIP
    path = put(folders.data / "essai/images.gz", GZIP[:100])
    with pytest.warns(DataWarning, match="git checkout -- data/essai/images.gz"):
        np.testing.assert_array_equal(obtain([server.url + "images.gz"]), PIXELS)
    assert path.read_bytes() == GZIP[:100] and tree(folders.cache) == ["essai/images.gz"]


def test_cache_interdit_en_ecriture(folders, server):
    """Un fichier à la place du dossier : même l'administrateur ne peut y écrire."""
    server.pages["/images.gz"] = GZIP
    put(folders.cache, b"")
    with pytest.warns(DataWarning, match="pas accessible en écriture"):
        np.testing.assert_array_equal(obtain([server.url + "images.gz"]), PIXELS)


def test_cache_que_l_on_ne_peut_remplacer(folders, server):
    server.pages["/images.gz"] = GZIP
    (folders.cache / "essai/images.gz/occupé").mkdir(parents=True)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        np.testing.assert_array_equal(obtain([server.url + "images.gz"]), PIXELS)
    assert ["illisible" in str(warned[0].message), "n'a pas pu être remplacé" in str(warned[1].message)] == [True, True]


# Les messages

def test_message_sans_reseau(folders):
    put(folders.extra / "images", RAW[:-1])
    url = "https://ailleurs.invalid/images.gz"
    with pytest.warns(DataWarning), pytest.raises(DataUnavailableError) as raised:
        obtain([url])
    message = str(raised.value)
    for part in ("Essai", "images.gz", str(folders.data), str(folders.extra), str(folders.cache), "LABCODE_DATA", SHA256, "git checkout -- data/essai",
                 f"{folders.extra / 'images'} : fichier tronqué", f"{url} : connexion impossible"):
        assert part in message


def test_message_dit_pourquoi_un_dossier_ne_convient_pas(folders, tmp_path, monkeypatch):
    """Absent, simple fichier, ou interdit : sans droits d'administrateur, seul le système peut refuser, on le simule."""
    file, closed, scandir = put(tmp_path / "fichier", b""), tmp_path / "interdit", os.scandir
    closed.mkdir()

    def guarded(path):
        if path == closed:
            raise PermissionError(13, "Permission denied")
        return scandir(path)
    monkeypatch.setattr(os, "scandir", guarded)
    monkeypatch.setenv("LABCODE_DATA", os.pathsep.join(map(str, (tmp_path / "rien", file, closed, folders.extra))))
    with pytest.raises(DataUnavailableError) as raised:
        obtain([])
    for line in (f"{tmp_path / 'rien'} (absent)", f"{file} (c'est un fichier)", f"{closed} (accès interdit)", f"{folders.extra}"):
        assert f"  - {line}\n" in str(raised.value)


def test_message_sans_pooch(monkeypatch):
    monkeypatch.setattr(files, "repository_folders", lambda: [])
    monkeypatch.delenv("LABCODE_DATA", raising=False)
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(DataUnavailableError, match="le paquet pooch n'est pas installé"):
        obtain(["https://ailleurs.invalid/images.gz"])


def test_mnist_abime_est_remplace_par_une_copie(folders, server, monkeypatch):
    """De bout en bout avec load_mnist : un data/ abîmé, un miroir en panne, un miroir intact."""
    original = files.Path(mnist.__file__).parents[2] / "data" / "mnist"
    for path in original.glob("*.gz"):
        put(folders.data / "mnist" / path.name, path.read_bytes())
    name = "t10k-labels-idx1-ubyte.gz"
    (folders.data / "mnist" / name).write_bytes((original / name).read_bytes()[:1000])
    server.pages[f"/b/{name}"] = (original / name).read_bytes()
    monkeypatch.setattr(mnist, "MNIST_URLS", (server.url + "a/", server.url + "b/"))
    with pytest.warns(DataWarning, match=f"{name}.*tronqué.*git checkout -- data/mnist/{name}"):
        data = mnist.load_mnist()
    assert np.bincount(data.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert server.asked == [f"/a/{name}", f"/b/{name}"]


def test_fashion_mnist_n_est_pas_mnist(folders):
    """Mêmes noms, mêmes tailles : seule l'empreinte distingue les deux jeux."""
    name = "t10k-labels-idx1-ubyte.gz"
    path = files.Path(mnist.__file__).parents[2] / "data" / "fashion-mnist" / name
    with pytest.raises(files.DamagedFileError, match="contenu altéré"):
        read_idx(path, (10_000,), mnist.MNIST["t10k-labels-idx1-ubyte"])
