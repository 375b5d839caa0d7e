"""Un petit livre d'une page, construit par Jupyter Book, avec les questions de la banque d'exemple."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from labcode.tp import Question, bank

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MATHJAX = ROOT / "node_modules/mathjax/es5"
CONFIG = """
title: Livre d'essai
only_build_toc_files: true
execute: {execute_notebooks: "off"}
sphinx:
  recursive_update: true
  local_extensions: {questions: %s}
  config:
    language: fr
    html_static_path: [assets]
    mathjax_path: mathjax/tex-chtml.js
    mathjax_options: {defer: defer}
    labcode_edition: %s
"""


@pytest.fixture(scope="session")
def sample():
    """La banque d'exemple, par identifiant."""
    return bank.load_bank(HERE)


def write_book(folder: Path, questions: dict, edition: str = "eleve", files=(HERE / "09_exemple.yml",)) -> Path:
    """Écrit les sources d'un livre dont la seule page montre toutes ces questions, qui sont dans ces fichiers."""
    (folder / "chapters/questions").mkdir(parents=True)
    for path in files:
        shutil.copy(path, folder / "chapters/questions")
    if MATHJAX.is_dir():
        for part in ("tex-chtml.js", "output/chtml/fonts", "input/tex/extensions"):
            copy = shutil.copytree if (MATHJAX / part).is_dir() else shutil.copy
            (folder / "assets/mathjax" / part).parent.mkdir(parents=True, exist_ok=True)
            copy(MATHJAX / part, folder / "assets/mathjax" / part)
    else:
        (folder / "assets").mkdir()
    (folder / "_config.yml").write_text(CONFIG % (ROOT / "site/extensions", edition), encoding="utf-8")
    (folder / "_toc.yml").write_text("format: jb-book\nroot: chapters/page\n", encoding="utf-8")
    cells = [nbformat.v4.new_markdown_cell("# Page d'essai\n\nUne formule $x^2$.\n\n## Questions de TP")]
    cells += [question_cell(question) for question in questions.values()]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "chapters/page.ipynb")
    return folder


def question_cell(question):
    """La cellule exécutée d'une question, telle que le carnet la garde (sans la vue du widget)."""
    data, _ = Question(question=bank.compiled(question))._repr_mimebundle_()
    data.pop("application/vnd.jupyter.widget-view+json", None)
    output = nbformat.v4.new_output("execute_result", data=data, execution_count=1)
    return nbformat.v4.new_code_cell(f'question("{question["id"]}")', outputs=[output], execution_count=1)


def build(book: Path) -> subprocess.CompletedProcess:
    """Construit le livre comme le fait le projet : tout avertissement est une erreur."""
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(book), "-W", "-n", "--keep-going"]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONWARNINGS": "ignore"})


@pytest.fixture(scope="session")
def book(tmp_path_factory, sample):
    """Le dossier du livre construit."""
    folder = write_book(tmp_path_factory.mktemp("livre"), sample)
    done = build(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "_build/html"
