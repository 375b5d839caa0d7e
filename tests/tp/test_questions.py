"""Chaque question de la banque, passée au JavaScript du widget : ce qui est juste est accepté, chaque faute reçoit son message."""

import copy
from pathlib import Path

import pytest

from labcode.tp import bank, rehearsal

HERE = Path(__file__).parent
FILES = [HERE / "09_exemple.yml", *sorted((HERE.parents[1] / "chapters/questions").glob("*.yml"))]

needs_node = pytest.mark.skipif(not rehearsal.has_node(), reason="Node n'est pas installé\u00a0: les questions ne sont pas essayées")


@needs_node
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_question_holds(path):
    report = rehearsal.rehearse(bank.load_file(path))
    assert report
    problems = [f"{name}\u00a0: {problem}" for name, found in report.items() for problem in found]
    assert not problems, "\n".join(problems)


def test_identifiers_are_unique_across_files():
    names = [question["id"] for path in FILES for question in bank.load_file(path)]
    assert len(set(names)) == len(names)


@needs_node
@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("exemple-formule-cachee", {"answer": "W_y @ grad_y_tilde"}, "devrait être acceptée"),
        ("exemple-formule-cachee", {"mistakes": [{"formula": "(W_y.T @ grad_y_tilde) * (1 - h*h)", "message": "faux"}]}, "devrait être refusée"),
        ("exemple-formule-cachee", {"answer": "log(-h*h) * (W_y.T @ grad_y_tilde)"}, "en panne"),
        ("exemple-nombre-poids", {"answer": 12.0}, "devrait être acceptée"),
        ("exemple-taille-couche", {"answer": "(N, n_x)"}, "devrait être acceptée"),
        ("exemple-taille-couche", {"mistakes": [{"shape": "(N, n_h)", "message": "faux"}]}, "devrait être refusée"),
        ("exemple-taille-couche", {"symbols": ["N", "n_x"]}, "devrait être acceptée"),
        ("exemple-association-pertes", {"tests": {"rejected": [{"answer": ["l'entropie croisée binaire"] * 3, "message": "2 sur 3"}]}}, "reçoit"),
        ("exemple-choix-multiples", {"options": [{"text": "a", "correct": True, "message": ""}, {"text": "b", "correct": True, "message": ""},
                                                 {"text": "c", "correct": False, "message": "non"}]}, None),
    ],
)
def test_rehearsal_sees_a_wrong_bank(sample, name, change, expected):
    """Une banque fausse est vue : sans cela, la répétition ne prouverait rien."""
    question = {**copy.deepcopy(sample[name]), **change}
    found = "\n".join(rehearsal.rehearse([question])[name])
    assert expected in found if expected else found == ""
