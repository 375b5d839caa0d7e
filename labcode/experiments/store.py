"""Le rangement des résultats : un fichier par expérience, une ligne JSON par essai.

Une ligne est ajoutée, sous verrou, dès que l'essai est fini : tué à tout moment, le processus ne perd que les essais en
cours. Une ligne coupée par une panne est ignorée. Si un essai a été refait, c'est sa dernière ligne qui compte.
"""

import errno
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import labcode
try:
    import fcntl
except ImportError:  # Windows : pas de verrou, un seul processus à la fois
    fcntl = None

REASONS = {errno.ENOSPC: "le disque est plein", errno.EDQUOT: "le quota de disque est atteint", errno.EFBIG: "la taille permise d'un fichier est atteinte",
           errno.EACCES: "l'écriture ou la lecture y est interdite", errno.EPERM: "l'opération est interdite",
           errno.EROFS: "le disque est en lecture seule", errno.ENOTDIR: "un fichier porte le nom d'un de ses dossiers",
           errno.ENOENT: "son dossier ne peut être créé", errno.EISDIR: "c'est un dossier"}
RESULTS = Path(labcode.__file__).resolve().parents[1] / "data" / "results"


class StoreError(OSError):
    """Un résultat ne peut être lu ou rangé ; le message dit pourquoi, et ce qui est déjà rangé reste intact."""


@dataclass(frozen=True)
class Record:
    """Un essai rangé."""

    config: dict
    seed: int
    metrics: dict
    duration: float     # secondes
    date: str
    versions: dict
    machine: str
    code: str           # empreinte du code employé


class Store:
    """Les essais d'une expérience, dans ``folder/nom.jsonl``."""

    def __init__(self, name, folder=None):
        self.path = Path(RESULTS if folder is None else folder) / f"{name}.jsonl"

    def records(self):
        """Dictionnaire clé → Record de tous les essais rangés."""
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self.failure("ne peut être lu", error) from error
        found = {}
        for line in lines:
            try:
                record = Record(**json.loads(line))
            except (ValueError, TypeError):  # ligne vide, ou coupée
                continue
            found[key(record.config, record.seed)] = record
        return found

    def append(self, record):
        """Range un essai. Lève StoreError si c'est impossible ; le fichier est alors tel qu'avant."""
        line = json.dumps(vars(record), ensure_ascii=False, default=plain).encode() + b"\n"
        with self.locked() as file:
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(size - 1)
                if file.read(1) != b"\n":
                    line = b"\n" + line  # la ligne précédente a été coupée
            try:
                written = 0
                while written < len(line):
                    written += file.write(line[written:])
                os.fsync(file.fileno())
            except BaseException:  # disque plein, Ctrl-C : pas de moitié de ligne
                os.ftruncate(file.fileno(), size)
                raise

    def check(self):
        """Lève StoreError si l'on ne pourra pas ranger : mieux vaut le savoir avant le calcul."""
        with self.locked():
            pass

    @contextmanager
    def locked(self):
        """Le fichier, ouvert pour y ajouter, et réservé à ce processus."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "ab+", buffering=0) as file:
                if fcntl:
                    fcntl.flock(file, fcntl.LOCK_EX)
                yield file
        except OSError as error:
            raise self.failure("ne peut être écrit", error) from error

    def failure(self, what, error):
        """L'erreur à lever."""
        return StoreError(f"« {self.path} » {what} : {REASONS.get(error.errno, error.strerror)}. "
                          "Ce qui était déjà rangé est intact.")


def key(config, seed):
    """Clé d'un essai : un texte, le même quel que soit l'ordre des réglages."""
    return json.dumps([config, seed], sort_keys=True, ensure_ascii=False)


def plain(value):
    """Un nombre ou un tableau NumPy, en nombres Python."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"mesure de type {type(value).__name__} : des nombres, ou des listes de nombres, sont attendus")


class Results:
    """Les essais d'une grille qui sont rangés.

    ``configs`` : les configurations qui ont au moins un essai, dans l'ordre de la grille ; ``stale`` : les essais faits par un
    autre code que le présent.
    """

    def __init__(self, name, size, grid, records, code=""):
        self.name, self.size = name, size
        position = {key(config, 0): rank for rank, config in enumerate(grid)}
        self.records = sorted((r for r in records.values() if key(r.config, 0) in position),
                              key=lambda r: (position[key(r.config, 0)], r.seed))
        present = {key(record.config, 0) for record in self.records}
        self.configs = [config for config in grid if key(config, 0) in present]
        self.stale = [record for record in self.records if record.code != code]

    def __len__(self):
        return len(self.records)

    def __repr__(self):
        return f"Results({self.name}, {self.size} : configurations {len(self.configs)}, essais {len(self)})"

    def runs(self, **config):
        """Les essais de la configuration qui a ces réglages, par graine croissante.

        Il n'est besoin de donner que ce qui la distingue. Lève ValueError si aucune ne convient, ou plusieurs.
        """
        found = [c for c in self.configs if all(name in c and same(c[name], value) for name, value in config.items())]
        if not found:
            raise ValueError(f"{self.name} ({self.size}) : aucun essai rangé avec {shown(config)}. {self.choices()}")
        if len(found) > 1:
            raise ValueError(f"{self.name} ({self.size}) : {len(found)} configurations ont {shown(config)}. Préciser : {self.choices(found)}")
        return [record for record in self.records if key(record.config, 0) == key(found[0], 0)]

    def seeds(self, **config):
        """Graines de cette configuration, croissantes."""
        return np.array([record.seed for record in self.runs(**config)])

    def values(self, metric, **config):
        """Tableau float64 (S, …) d'une mesure : une ligne par graine, dans l'ordre de ``seeds``.

        Des courbes arrêtées plus ou moins tôt sont complétées par NaN. Lève ValueError si la mesure n'existe pas.
        """
        runs = self.runs(**config)
        if missing := [record for record in runs if metric not in record.metrics]:
            raise ValueError(f"{self.name} : mesure « {metric} » inconnue. Existent : {', '.join(missing[0].metrics)}.")
        values = [np.asarray(record.metrics[metric], dtype=np.float64) for record in runs]
        if len({value.shape for value in values}) > 1 and all(value.ndim == 1 for value in values):
            length = max(map(len, values))
            values = [np.pad(value, (0, length - len(value)), constant_values=np.nan) for value in values]
        return np.stack(values)

    def choices(self, configs=None):
        """Phrase qui dit quels réglages varient, et leurs valeurs."""
        configs = self.configs if configs is None else configs
        names = dict.fromkeys(name for config in configs for name in config)
        varying = {name: list(dict.fromkeys(repr(config.get(name)) for config in configs)) for name in names}
        return " ; ".join(f"{name} parmi {', '.join(values)}" for name, values in varying.items() if len(values) > 1) + "."


def same(a, b):
    """Vrai si deux valeurs de réglage sont égales ; True n'est pas 1, mais 1 est 1.0."""
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def shown(config):
    """Des réglages, en clair."""
    return ", ".join(f"{name}={value!r}" for name, value in config.items()) or "ces réglages"
