"""Le partage d'un lot entre les processeurs.

NumPy fait ses produits de matrices à plusieurs fils, mais tout le reste avec un seul. Ici chaque fil prend une
part des exemples et fait tout d'un bout à l'autre, ses produits de matrices compris, que l'on demande alors à
un fil chacun : une convolution, dont la moitié du travail est de la copie, va presque deux fois plus vite sur deux
processeurs. Il y a autant de parts que de fils dans la bibliothèque de produits (``OPENBLAS_NUM_THREADS``), une
seule si elle n'est pas OpenBLAS. Le découpage étant fixe, un calcul répété redonne les mêmes bits.
"""

import ctypes
import functools
import os
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from pathlib import Path
from threading import Lock

import numpy as np

WORTH_SHARING = 1 << 19  # nombres à traiter, en dessous duquel réveiller un autre fil coûte plus qu'il ne rapporte


def share(function, n, work):
    """Appelle ``function(part)`` sur des tranches de 0 à ``n``, une par fil ; renvoie la liste ordonnée des résultats.

    ``work`` est à peu près le nombre de nombres à lire ou à écrire : s'il est petit, une seule tranche.
    """
    if work < WORTH_SHARING:
        return [function(slice(0, n))]
    with one_blas_thread() as threads:
        threads = min(threads, n)
        first, *others = (slice(n * i // threads, n * (i + 1) // threads) for i in range(threads))
        # copy_context : les réglages de np.errstate valent aussi dans les autres fils
        running = [pool().submit(copy_context().run, function, part) for part in others]
        try:
            result = function(first)
        finally:
            wait(running)
        return [result, *(future.result() for future in running)]


class one_blas_thread:
    """Bloc ``with`` où un produit de matrices n'occupe qu'un fil ; donne le nombre de fils dont on dispose alors.

    Un fil d'OpenBLAS qui vient de finir tourne à vide un dixième de seconde, prêt pour le produit suivant : il
    prendrait la moitié d'un processeur aux autres calculs. Un réseau à convolutions fait donc tout dans un tel bloc.
    """

    lock, blocks, threads = Lock(), 0, 1  # communs à tous les blocs : le premier entré règle, le dernier sorti rétablit

    def __enter__(self):
        cls = type(self)
        with cls.lock:
            if not cls.blocks:
                get, set_ = openblas()
                cls.threads = get()
                set_(1)
            cls.blocks += 1
        return cls.threads

    def __exit__(self, *_):
        cls = type(self)
        with cls.lock:
            cls.blocks -= 1
            if not cls.blocks:
                openblas()[1](cls.threads)


@functools.cache
def openblas():
    """Les fonctions d'OpenBLAS qui lisent et règlent le nombre de fils : couple (lire, régler)."""
    folder = Path(np.__file__).parent
    shipped = [*folder.parent.glob("numpy.libs/*openblas*"), *folder.glob(".dylibs/*openblas*")]
    for file in [*shipped, np._core._multiarray_umath.__file__]:  # à défaut, une bibliothèque du système
        library = ctypes.CDLL(str(file))
        for prefix, suffix in (("scipy_", "64_"), ("scipy_", ""), ("", "64_"), ("", "")):
            try:
                return tuple(library[f"{prefix}openblas_{verb}_num_threads{suffix}"] for verb in ("get", "set"))
            except AttributeError:
                continue
    return (lambda: 1), (lambda number: None)


@functools.cache
def pool():
    """Les fils d'appoint, créés au premier besoin ; le fil appelant prend lui-même une part."""
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="labcode")


if hasattr(os, "register_at_fork"):  # un processus né par fork n'hérite pas des fils
    os.register_at_fork(after_in_child=pool.cache_clear)
