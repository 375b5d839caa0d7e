"""Équation ↔ fonction ↔ test : un libellé `eq-…` vit dans un chapitre, une docstring et un test."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LABEL = re.compile(r"\beq-[a-z0-9]+(?:-[a-z0-9]+)*")


def docstrings(path):
    """Docstrings d'un module : la sienne, celles de ses classes et de ses fonctions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            yield ast.get_docstring(node) or ""


def in_code():
    return {label for path in ROOT.glob("labcode/**/*.py") for text in docstrings(path) for label in LABEL.findall(text)}


def in_tests():
    here = Path(__file__)
    return {label for path in ROOT.glob("tests/**/test_*.py") if path != here
            for label in LABEL.findall(path.read_text(encoding="utf-8"))}


def in_chapters(chapters):
    return [label for chapter in chapters for label in chapter.labels if label.startswith("eq-")]


def test_definies_une_seule_fois(chapters):
    labels = [label for chapter in chapters for label in chapter.labels]
    assert sorted(labels) == sorted(set(labels))


def test_equation_du_chapitre_a_sa_fonction(chapters):
    assert set(in_chapters(chapters)) - in_code() == set()


def test_docstring_cite_une_equation_qui_existe(chapters):
    assert in_code() - set(in_chapters(chapters)) == set()


def test_equation_a_son_test(chapters):
    assert set(in_chapters(chapters)) - in_tests() == set()


def test_test_cite_une_equation_qui_existe(chapters):
    assert in_tests() - set(in_chapters(chapters)) == set()


def test_questions_citent_des_equations_qui_existent(chapters):
    known = {label for chapter in chapters for label in chapter.labels}
    cited = {label for chapter in chapters for question in chapter.questions for label in question.get("equations", [])}
    assert cited - known == set()
