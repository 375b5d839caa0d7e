"""La déclaration d'une expérience, et la recherche de celles qui existent."""

import dataclasses
import sys

import numpy as np
import pytest
import toy

import labcode.experiments
from labcode.experiments import Experiment, find, product
from labcode.experiments.experiment import SIZES, checked_seeds, discover


def test_product():
    assert product(lr=[0.1, 1], depth=[2, 3]) == [
        {"lr": 0.1, "depth": 2}, {"lr": 0.1, "depth": 3}, {"lr": 1, "depth": 2}, {"lr": 1, "depth": 3}]
    assert product() == [{}]


@pytest.mark.parametrize("change, error, message", [
    ({"name": "Deux mots"}, ValueError, "minuscules"),
    ({"grids": {"rapide": [{}]}}, ValueError, "rapide et complet"),
    ({"grids": {"rapide": [], "complet": [{}]}}, ValueError, "vide"),
    ({"grids": {"rapide": [{"a": 1}, {"a": 1}], "complet": [{}]}}, ValueError, "répète"),
    ({"grids": {"rapide": [{"a": [1]}], "complet": [{}]}}, TypeError, "list"),
    ({"grids": {"rapide": [{"a": np.float64(1)}], "complet": [{}]}}, TypeError, "float64"),
    ({"grids": {"rapide": [3], "complet": [{}]}}, TypeError, "dictionnaire"),
    ({"seeds": {"rapide": 0, "complet": 5}}, ValueError, "au moins une"),
    ({"seeds": {"rapide": "deux", "complet": 5}}, TypeError, "deux"),
])
def test_bad_declarations(change, error, message):
    with pytest.raises(error, match=message):
        dataclasses.replace(toy.declare(), **change)


def test_seeds():
    assert checked_seeds(3) == [0, 1, 2] and checked_seeds([5, 2]) == [5, 2]
    for wrong in (0, [], [1, 1], [-1]):
        with pytest.raises(ValueError):
            checked_seeds(wrong)
    for wrong in ("3", [1.5], [True]):
        with pytest.raises(TypeError):
            checked_seeds(wrong)


@pytest.fixture
def extra_modules(tmp_path, monkeypatch):
    """Deux modules d'expériences de plus : un qui se charge, un qui ne se charge pas."""
    (tmp_path / "un_jouet_de_plus.py").write_text("from toy import declare\nexperiment = declare()\n")
    (tmp_path / "un_module_fautif.py").write_text("import inexistant_\n")
    for name in ("un_jouet_de_plus", "un_module_fautif"):
        monkeypatch.delitem(sys.modules, f"labcode.experiments.{name}", raising=False)
    monkeypatch.setattr(labcode.experiments, "__path__", [*labcode.experiments.__path__, str(tmp_path)])


@pytest.mark.usefixtures("extra_modules")
def test_a_broken_module_does_not_hide_the_others():
    assert find("jouet").title == "Un jouet"
    assert any(isinstance(found, ImportError) for _, found in discover())
    with pytest.raises(ValueError, match="« chimere » inconnue. Existent : .*jouet.*un_module_fautif ne se charge pas"):
        find("chimere")


def test_the_experiments_of_the_book_are_well_declared():
    found = list(discover())
    assert all(isinstance(experiment, Experiment) for _, experiment in found), found
    assert len({experiment.name for _, experiment in found}) == len(found)
    for _, experiment in found:
        cost = {size: len(experiment.grids[size]) * len(checked_seeds(experiment.seeds[size])) for size in SIZES}
        assert cost["rapide"] <= cost["complet"], experiment.name
