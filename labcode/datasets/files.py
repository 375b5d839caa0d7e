"""Trouver un fichier de données intact : data/, LABCODE_DATA, le cache, puis le téléchargement.

Un fichier n'est utilisé que si son contenu est celui attendu. S'il est tronqué ou altéré, un DataWarning le nomme et
on passe au suivant ; si aucun ne convient, DataUnavailableError dit quoi mettre où.
"""

import gzip
import hashlib
import os
import sys
import tempfile
import warnings
import zlib
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from labcode.datasets.download import DownloadError, download

CHUNK = 1 << 18


class DataWarning(UserWarning):
    """Un fichier de données a été écarté, ou n'a pas pu être gardé."""


class DataUnavailableError(OSError):
    """Un jeu de données ne se trouve ni sur cette machine ni en ligne ; le message dit quoi mettre où."""


class DamagedFileError(Exception):
    """Un fichier n'a pas le contenu attendu ; le message dit en quoi."""


@dataclass(frozen=True)
class Source:
    """Un fichier de données : les noms sous lesquels le chercher, ses adresses officielles, son empreinte."""

    dataset: str
    folder: str         # sous-dossier habituel ; le fichier peut aussi être à la racine
    names: tuple
    urls: tuple
    recognition: str    # comment reconnaître le bon fichier, pour les messages
    shipped: bool = False


def obtain(source, read, problems=()):
    """Rend ``read(chemin)`` pour le premier fichier intact de ``source``, téléchargé s'il le faut.

    ``read`` lève DamagedFileError si le contenu n'est pas le bon ; ``problems`` dit ce qui a déjà été écarté.
    Lève DataUnavailableError si aucun fichier ne convient.
    """
    problems = list(problems)
    content = find(source, read, problems)
    return fetch(source, read, problems) if content is None else content


def find(source, read, problems):
    """Rend ``read(chemin)`` pour le premier fichier intact de cette machine, ou None ; complète ``problems``."""
    for place, folder in places():
        for path in (folder / part / name for part in (source.folder, ".") for name in source.names):
            if os.path.exists(path):
                try:
                    return read(path)
                except DamagedFileError as error:
                    problems.append(f"{path} : {error}")
                    warn(f"{path} : {error}. Fichier ignoré. {_remedy(source, place, path)}")
    return None


def fetch(source, read, problems):
    """Rend ``read(chemin)`` d'un fichier téléchargé, gardé ensuite dans le cache, ou lève DataUnavailableError."""
    for url in source.urls:
        name = url.rsplit("/", 1)[-1]
        workspace, destination = _workspace(source.folder)
        with workspace as folder:
            path = Path(folder, name)
            try:
                download(url, path)
                content = read(path)
            except (DownloadError, DamagedFileError) as error:
                problems.append(f"{url} : {error}")
                if isinstance(error, DamagedFileError):
                    warn(f"{url} : {error}. Téléchargement ignoré.")
                continue
            _keep(path, destination)
            return content
    raise DataUnavailableError(_instructions(source, problems))


def places():
    """Dossiers où chercher, dans l'ordre, chacun précédé de son nom : « data », « LABCODE_DATA » ou « cache »."""
    yield from (("data", folder) for folder in repository_folders())
    yield from (("LABCODE_DATA", folder) for folder in environment_folders())
    if cache := cache_folder():
        yield "cache", cache


def repository_folders():
    """Les dossiers data/ du dépôt : celui d'où vient labcode, et celui où l'on travaille."""
    candidates = [Path(__file__).resolve().parents[2], Path.cwd(), *Path.cwd().parents]
    return list(dict.fromkeys(path / "data" for path in candidates
                              if os.path.isdir(path / "data") and os.path.isdir(path / "labcode")))


def environment_folders():
    """Les dossiers que nomme LABCODE_DATA (séparés comme dans PATH s'il y en a plusieurs)."""
    names = os.environ.get("LABCODE_DATA", "").split(os.pathsep)
    return [Path(name.strip()).expanduser() for name in names if name.strip()]


def cache_folder():
    """Le cache de labcode dans le dossier de l'utilisateur, ou None si pooch n'est pas installé."""
    try:
        import pooch
    except ImportError:
        return None
    return Path(pooch.os_cache("labcode"))


@contextmanager
def opened(path):
    """Ouvre un fichier en lecture, décompressé s'il est au format gzip ; DamagedFileError s'il ne peut être lu."""
    try:
        with open(path, "rb", buffering=CHUNK) as raw:
            compressed = raw.peek(2)[:2] == b"\x1f\x8b"
            with gzip.GzipFile(fileobj=raw) if compressed else nullcontext(raw) as stream:
                yield stream
    except EOFError:
        raise DamagedFileError("fichier tronqué, la fin manque") from None
    except (gzip.BadGzipFile, zlib.error):
        raise DamagedFileError("fichier altéré, il ne se décompresse pas") from None
    except OSError as error:
        reason = {PermissionError: "lecture interdite", IsADirectoryError: "c'est un dossier"}.get(type(error), error.strerror)
        raise DamagedFileError(f"fichier illisible, {reason}") from None


def check_digest(digest, expected):
    """Lève DamagedFileError si l'empreinte calculée n'est pas ``expected``."""
    if digest.hexdigest() != expected:
        raise DamagedFileError(f"contenu altéré, SHA-256 {digest.hexdigest()[:12]}… au lieu de {expected[:12]}…")


def verified_bytes(path, size, sha256):
    """Contenu d'un fichier dont on connaît la taille en octets et l'empreinte."""
    with opened(path) as stream:
        content = stream.read(size + 1)
    if len(content) < size:
        raise DamagedFileError(f"fichier tronqué, {len(content)} octets au lieu de {size}")
    check_digest(hashlib.sha256(content), sha256)
    return content


def optional_module(name, package, purpose):
    """Importe un module dont labcode ne dépend pas toujours, ou dit en français quoi installer."""
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(f"Il faut le paquet {package} pour {purpose} : pip install {package}") from error


def warn(message):
    """Émet un DataWarning qui montre la ligne de l'appelant de labcode.datasets."""
    here, frame, level = os.path.dirname(__file__), sys._getframe(1), 2
    while frame and os.path.dirname(frame.f_code.co_filename) == here:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, DataWarning, stacklevel=level)


def _workspace(part):
    """Un dossier temporaire où télécharger, et le dossier du cache où ranger ensuite le fichier, ou None si c'est impossible."""
    if cache := cache_folder():
        try:
            destination = cache / part
            destination.mkdir(parents=True, exist_ok=True)
            return tempfile.TemporaryDirectory(dir=destination, prefix=".partiel-", ignore_cleanup_errors=True), destination
        except OSError:
            warn(f"{cache} : le cache n'est pas accessible en écriture, le fichier téléchargé ne sera pas gardé.")
    return tempfile.TemporaryDirectory(prefix="labcode-", ignore_cleanup_errors=True), None


def _keep(path, destination):
    """Range dans le cache un fichier vérifié, d'un seul geste : personne n'y voit jamais un fichier à moitié écrit."""
    if destination:
        try:
            os.replace(path, destination / path.name)
        except OSError:
            warn(f"{destination / path.name} : ce fichier du cache n'a pas pu être remplacé.")


def _remedy(source, place, path):
    if place == "cache":
        return "Il sera téléchargé de nouveau."
    if place == "data" and source.shipped:
        return f"Pour le rétablir, depuis le dépôt : git checkout -- data/{source.folder}/{path.name}"
    return "Remplacez-le ou supprimez-le."


def _obstacle(folder):
    """Pourquoi l'on n'a rien pu lire dans ce dossier, entre parenthèses, ou rien."""
    try:
        os.scandir(folder).close()
    except OSError as error:
        reasons = {PermissionError: "accès interdit", NotADirectoryError: "c'est un fichier", FileNotFoundError: "absent"}
        return f" ({reasons.get(type(error), error.strerror)})"
    return ""


def _instructions(source, problems):
    """Le message de DataUnavailableError : ce qui manque, ce qui a été essayé, quoi mettre où."""
    lines = [f"{source.dataset} : impossible d'obtenir le fichier {' ou '.join(source.names)}.", "Dossiers parcourus :"]
    lines += [f"  - {folder}{_obstacle(folder)}" for _, folder in places()]
    if problems:
        lines += ["Fichiers et adresses écartés :"] + [f"  - {problem}" for problem in problems]
    lines += [f"Placez ce fichier dans l'un de ces dossiers, ou son sous-dossier {source.folder}/, ou dans un dossier de votre choix "
              "que vous nommerez dans la variable d'environnement LABCODE_DATA.", f"Pour le reconnaître : {source.recognition}."]
    if source.shipped:
        lines.append(f"Il fait partie du dépôt : git checkout -- data/{source.folder} l'y remet.")
    lines += ["Adresses officielles :"] + [f"  - {url}" for url in source.urls]
    return "\n".join(lines)
