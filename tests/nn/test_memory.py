"""Le réglage de la mémoire libérée ne change que la vitesse, et n'est pas indispensable."""

import ctypes

import pytest

from labcode.nn import memory


class Library:
    """Fausse bibliothèque C, qui note ce qu'on lui règle."""

    def __init__(self):
        self.settings = {}

    def mallopt(self, setting, value):
        self.settings[setting] = value


def test_la_memoire_liberee_est_gardee(monkeypatch):
    library = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    memory.keep_freed_memory()
    assert library.settings == {-3: 32 * 2**20, -1: 256 * 2**20}


@pytest.mark.parametrize("error", [OSError, TypeError, AttributeError])
def test_sans_glibc_rien_ne_se_passe(error, monkeypatch):
    def missing(name):
        raise error

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert memory.keep_freed_memory() is None
