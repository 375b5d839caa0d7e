"""L'empreinte du code : elle change quand une mesure peut changer, et seulement alors."""

import importlib
import sys

import pytest

import labcode
from labcode.experiments import fingerprint as module

EXPERIMENT = '''
"""Une expérience."""
from labcode import essai_paquet as paquet
from labcode.essai_paquet import Couche
from labcode.essai_calcul import *
import labcode.essai_autre as autre

TAUX = 0.1   # un commentaire
SANS_EFFET = 1

def run(config, seed):
    """Un essai."""
    if seed < 0:
        raise ValueError("graine négative")
    from labcode.essai_tardif import tard
    return {"a": aide(Couche()) * TAUX, "b": paquet.fonction(seed), "c": autre.noyau.produit(tard)}

def aide(couche):
    return couche.avance()

def figure(results):
    return paquet.inutile(SANS_EFFET)
'''
FILES = {
    "essai_experience.py": EXPERIMENT,
    "essai_paquet/__init__.py": "from labcode.essai_paquet.couches import Couche, inutile\nfrom labcode.essai_paquet.fonctions import fonction\n",
    "essai_paquet/couches.py": ('class Base:\n    """La base."""\n    pas = 1\n\n    def avance(self):\n        """Avance."""\n        return self.pas\n\n'
                               "class Couche(Base):\n    pass\n\ndef inutile(x):\n    return x\n"),
    "essai_paquet/fonctions.py": "TABLE = {}\nTABLE['x'] = 1\nif True:\n    BRANCHE = 4\ndef fonction(x):\n    return TABLE, BRANCHE\n",
    "essai_autre/__init__.py": "", "essai_autre/noyau.py": "def produit(x):\n    return x\n",
    "essai_tardif.py": "tard = 5\n", "essai_calcul.py": "",
}


@pytest.fixture
def measure(tmp_path, monkeypatch):
    """L'empreinte de « run » quand le texte d'un fichier est remplacé par un autre."""
    monkeypatch.setattr(labcode, "__path__", [*labcode.__path__, str(tmp_path)])

    def fingerprint_after(path="essai_experience.py", old="", new=""):
        assert old in FILES[path]
        for name, text in FILES.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text.replace(old, new, 1) if name == path and old else text)
        for name in [name for name in sys.modules if name.startswith("labcode.essai_")]:
            del sys.modules[name]
        monkeypatch.setattr(module.Source, "known", {})
        importlib.invalidate_caches()
        sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
        try:
            run = importlib.import_module("labcode.essai_experience").run
        finally:
            sys.dont_write_bytecode = before
        return module.fingerprint.__wrapped__(run)

    yield fingerprint_after
    for name in [name for name in sys.modules if name.startswith("labcode.essai_")]:
        del sys.modules[name]
        vars(labcode).pop(name.split(".")[1], None)


@pytest.mark.parametrize("path, old, new", [
    ("essai_experience.py", "un commentaire", "un autre"),
    ("essai_experience.py", '"""Un essai."""', '"""Fait un essai."""'),
    ("essai_experience.py", '    """Un essai."""\n', ""),
    ("essai_experience.py", '"""Une expérience."""', ""),
    ("essai_experience.py", "graine négative", "la graine est négative"),
    ("essai_experience.py", "inutile(SANS_EFFET)", "inutile(SANS_EFFET, 2)"),
    ("essai_experience.py", "SANS_EFFET = 1", "SANS_EFFET = 2"),
    ("essai_experience.py", "couche.avance()", "(couche\n        .avance( ))"),
    ("essai_paquet/couches.py", '"""La base."""', '"""Base."""'),
    ("essai_paquet/couches.py", "return x", "return 2 * x"),
])
def test_what_changes_no_measure(measure, path, old, new):
    assert len(measure()) == 12
    assert measure() == measure(path, old, new)


@pytest.mark.parametrize("path, old, new", [
    ("essai_experience.py", "TAUX = 0.1", "TAUX = 0.2"),
    ("essai_experience.py", "couche.avance()", "couche.avance() + 1"),
    ("essai_experience.py", "seed < 0", "seed < 1"),
    ("essai_paquet/couches.py", "pas = 1", "pas = 2"),
    ("essai_paquet/couches.py", "class Couche(Base):\n    pass", "class Couche(Base):\n    pas = 3"),
    ("essai_paquet/fonctions.py", "TABLE['x'] = 1", "TABLE['x'] = 2"),
    ("essai_paquet/fonctions.py", "BRANCHE = 4", "BRANCHE = 5"),
    ("essai_paquet/__init__.py", "couches import Couche, inutile", "couches import Base as Couche, inutile"),
    ("essai_autre/noyau.py", "return x", "return -x"),
    ("essai_tardif.py", "tard = 5", "tard = 6"),
])
def test_what_may_change_a_measure(measure, path, old, new):
    assert measure() != measure(path, old, new)


def test_without_source():
    assert module.fingerprint(len) == ""
