"""Lecture des chapitres comme données : cellules, texte, libellés d'équations."""

import re
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "chapters").glob("*.ipynb"))


class Chapter:
    """Un carnet et sa banque de questions."""

    def __init__(self, path):
        self.path = path
        self.notebook = nbformat.read(path, as_version=4)
        bank = path.parent / "questions" / f"{path.stem}.yml"
        self.questions = yaml.safe_load(bank.read_text(encoding="utf-8")) if bank.exists() else []

    @property
    def code_cells(self):
        return [cell for cell in self.notebook.cells if cell.cell_type == "code"]

    @property
    def markdown(self):
        return "\n\n".join(cell.source for cell in self.notebook.cells if cell.cell_type == "markdown")

    @property
    def labels(self):
        """Libellés des équations définies ici : la parenthèse qui suit `$$`, ou l'option `:label:`."""
        return re.findall(r"^\$\$ *\(([\w-]+)\)", self.markdown, re.M) + re.findall(r"^:label: *([\w-]+)", self.markdown, re.M)


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def chapter(request):
    return Chapter(request.param)


@pytest.fixture
def chapters():
    return [Chapter(path) for path in NOTEBOOKS]
