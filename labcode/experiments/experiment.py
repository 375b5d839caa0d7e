"""Déclarer une expérience : des configurations, des graines, une fonction pure, une figure."""

import importlib
import itertools
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

SIZES = ("rapide", "complet")
ENGINE = ("__main__", "experiment", "fingerprint", "runner", "statistics", "store")  # ce qui, ici, n'est pas une expérience


@dataclass(frozen=True)
class Experiment:
    """Une expérience, en deux tailles : « rapide », quelques secondes, et « complet », les réglages de la source.

    ``run(config, seed)`` fait un essai et renvoie ses mesures : un dictionnaire de nombres ou de listes de nombres. Elle
    est pure : mêmes arguments, mêmes mesures. ``grids[taille]`` est la liste des configurations, dictionnaires de textes,
    de nombres, de booléens ou de None ; ``seeds[taille]`` le nombre de graines, 0, 1, 2… ``figure(results)`` dessine les
    résultats et renvoie la figure. Lève ValueError ou TypeError si la déclaration ne convient pas.
    """

    name: str
    title: str
    source: str
    run: Callable
    grids: dict
    seeds: dict
    figure: Callable | None = None

    def __post_init__(self):
        if not self.name or set(self.name) - set("abcdefghijklmnopqrstuvwxyz0123456789_-"):
            raise ValueError(f"Experiment : le nom {self.name!r} doit être fait de minuscules sans accent, de chiffres et de tirets")
        for label, sizes in (("grids", self.grids), ("seeds", self.seeds)):
            if set(sizes) != set(SIZES):
                raise ValueError(f"Experiment {self.name} : {label} doit avoir les tailles {' et '.join(SIZES)}, reçu {', '.join(sizes) or 'rien'}")
        for grid in self.grids.values():
            for config in grid:
                check_config(self.name, config)
            if not grid or any(config in grid[:index] for index, config in enumerate(grid)):
                raise ValueError(f"Experiment {self.name} : une grille est vide ou répète une configuration")
        for count in self.seeds.values():
            checked_seeds(count)

    def check_size(self, size):
        """Lève ValueError si la taille est inconnue."""
        if size not in SIZES:
            raise ValueError(f"{self.name} : taille {size!r} inconnue, {' ou '.join(SIZES)} attendu")


def product(**choices):
    """Toutes les combinaisons des choix, en liste de dictionnaires : ``product(lr=[0.1, 1], depth=[2, 3])`` en donne quatre."""
    return [dict(zip(choices, values)) for values in itertools.product(*choices.values())]


def check_config(name, config):
    """Lève TypeError si une configuration n'est pas un dictionnaire de valeurs simples."""
    if not isinstance(config, dict):
        raise TypeError(f"Experiment {name} : une configuration est un dictionnaire, reçu {type(config).__name__}")
    for key, value in config.items():
        if type(value) not in (str, int, float, bool, type(None)):
            raise TypeError(f"Experiment {name} : {key}={value!r} est de type {type(value).__name__} ; texte, nombre, booléen ou None attendu")


def checked_seeds(seeds):
    """Liste des graines : 0, 1… n − 1 pour un entier n, sinon la liste reçue. Lève ValueError ou TypeError."""
    seeds = range(seeds) if type(seeds) is int else seeds
    if isinstance(seeds, str) or not all(type(seed) is int for seed in seeds):
        raise TypeError(f"graines : un nombre de graines ou une liste d'entiers attendus, reçu {seeds!r}")
    if not len(seeds) or min(seeds) < 0 or len(set(seeds)) < len(seeds):
        raise ValueError(f"graines : au moins une, toutes différentes et positives, reçu {list(seeds)}")
    return list(seeds)


def discover():
    """Parcourt les modules d'expériences : couples (nom du module, expérience), ou (nom, erreur) s'il ne se charge pas."""
    package = importlib.import_module("labcode.experiments")
    for name in sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.name not in ENGINE):
        try:
            module = importlib.import_module(f"labcode.experiments.{name}")
        except Exception as error:  # un module fautif ne doit pas empêcher de se servir des autres
            yield name, error
            continue
        yield from ((name, value) for value in vars(module).values() if isinstance(value, Experiment))


def find(name):
    """L'expérience de ce nom. Lève ValueError si elle est inconnue, en disant lesquelles existent."""
    known, failures = [], []
    for module, found in discover():
        if isinstance(found, Exception):
            failures.append(f" Le module {module} ne se charge pas : {found}.")
        elif found.name == name:
            return found
        else:
            known.append(found.name)
    raise ValueError(f"expérience « {name} » inconnue. Existent : {', '.join(dict.fromkeys(known)) or 'aucune'}.{''.join(failures)}")
