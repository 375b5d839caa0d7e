"""Le widget côté Python : sans noyau, puis dans un vrai carnet, rejoué par nbval."""

import json
import os
import subprocess
import sys
import warnings

import nbformat
import pytest
from nbclient import NotebookClient

from labcode.tp import Question, bundle, question, rehearsal
from labcode.tp.bank import compiled
from labcode.tp.widget import MIMETYPE, record

from .conftest import write_book

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def book_folder(tmp_path, sample, monkeypatch):
    """Le dossier des chapitres d'un livre qui a la banque d'exemple."""
    folder = write_book(tmp_path / "livre", sample) / "chapters"
    monkeypatch.chdir(folder)
    return folder


def test_question_from_the_folder_above(book_folder):
    widget = question("exemple-nombre-poids")
    assert widget.question["answer"] == 15
    assert repr(widget) == "Question «\u00a0Compter les paramètres\u00a0» (exemple-nombre-poids)"
    assert [widget.answer, widget.attempts, widget.hints, widget.verdict] == [None, 0, 0, ""]


def test_every_state_is_synchronised(book_folder):
    widget = question("exemple-nombre-poids")
    assert {"question", "answer", "attempts", "hints", "verdict", "_esm", "_css"} <= set(widget.get_state())


def test_record_reaches_every_widget_of_the_question(book_folder):
    widgets = [question("exemple-code-sigmoide") for _ in range(2)]
    other = question("exemple-nombre-poids")
    assert record("exemple-code-sigmoide", False, "Il manque $1$ **signe**.", "def sigmoid(x): …")
    assert record("exemple-code-sigmoide", True, "Tout y est.", "x" * 6000)
    for widget in widgets:
        assert (widget.attempts, widget.verdict, widget.feedback, widget.answer) == (2, "right", "<p>Tout y est.</p>", "x" * 5000)
    assert other.attempts == 0 and not record("exemple-que-personne-ne-montre", True, "")


def test_unknown_question(book_folder):
    with pytest.raises(KeyError) as error:
        question("exemple-nombre-poid")
    assert "exemple-nombre-poid\u00a0» n'existe pas" in str(error.value)
    assert "vouliez-vous dire exemple-nombre-poids" in str(error.value)


def test_stored_output_is_stable(sample):
    first, second = (Question(question=compiled(sample["exemple-choix-softmax"]))._repr_mimebundle_()[0] for _ in range(2))
    assert first.pop(VIEW)["model_id"] != second.pop(VIEW)["model_id"]
    assert first == second
    assert first[MIMETYPE] == {"id": "exemple-choix-softmax"}
    assert "Softmax et décalage" in first["text/plain"] and "xécutez cette cellule" in first["text/plain"]


def test_script_is_one_scope():
    """Les deux assemblages : un module pour le carnet, un script classique pour la page."""
    module, page = bundle.widget_module(), bundle.page_script()
    assert module.count("export ") == 1 and "import " not in module
    assert "export " not in page and "import " not in page and page.startswith("(() => {")
    assert "innerHTML" in page and "eval(" not in page and "new Function" not in page
    assert len(page.encode()) < 60_000


@pytest.mark.skipif(not rehearsal.has_node(), reason="Node n'est pas installé")
def test_script_compiles(tmp_path):
    for name, source in (("widget.mjs", bundle.widget_module()), ("page.js", bundle.page_script())):
        (tmp_path / name).write_text(source, encoding="utf-8")
        done = subprocess.run(["node", "--check", tmp_path / name], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not rehearsal.has_node(), reason="Node n'est pas installé")
def test_shipped_script_judges_like_its_sources(tmp_path, sample):
    """Le script livré, dépouillé de ses espaces, rend les mêmes verdicts et les mêmes messages que ses modules."""
    (tmp_path / "shipped.mjs").write_text(f"{bundle.widget_module()}\nexport {{ check }};\n", encoding="utf-8")
    (tmp_path / "judge.mjs").write_text(
        'import { readFileSync } from "node:fs"; import { check } from "./shipped.mjs";\n'
        'const jobs = JSON.parse(readFileSync(0, "utf8"));\n'
        "process.stdout.write(JSON.stringify(jobs.map(([question, answers]) => answers.map((answer) => check(question, answer)))));", encoding="utf-8")
    answers = ["", "12", "15", "-15", "e^2", "0,2504", "W_y.T @ grad_y_tilde", "(1-h²)⊙(W_yᵀ @ ∇ỹ)", "W_y @ h", "sum(h, 0", "(N, n_h)", "n_h × N", "(n_h,)", "N*n_h", "(,",
               0, 1, 2, [0], [0, 1], [4, 2, 3, 0, 1], [0, 1, 2], [3, 1, 0], None, {"text": "a", "ticked": [1]}, {"text": " ", "ticked": []}]
    jobs = [(compiled(question, math=None), answers) for question in sample.values()]
    done = subprocess.run(["node", tmp_path / "judge.mjs"], input=json.dumps(jobs), capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    expected = rehearsal.check_answers([(question, answers) for question in sample.values()])
    assert json.loads(done.stdout) == expected
    assert len({result["message"] for results in expected for result in results}) > 30


def test_live_kernel_and_nbval(book_folder):
    """Exécuté deux fois, un carnet de questions garde les mêmes sorties, et nbval les accepte."""
    cells = ["from labcode.tp import question", 'question("exemple-formule-cachee")', 'q = question("exemple-nombre-poids")\nq', "q.attempts"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ceux de la boucle d'événements de Jupyter
        NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(book_folder)}}).execute()
    data = [output["data"] for cell in notebook.cells for output in cell.outputs]
    assert [entry.get(MIMETYPE) for entry in data] == [{"id": "exemple-formule-cachee"}, {"id": "exemple-nombre-poids"}, None]
    for entry in data:
        entry.pop(VIEW, None)  # ce que le carnet du livre ne garde pas
    path = book_folder / "essai.ipynb"
    nbformat.write(notebook, path)
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-p", "no:cacheprovider", "-q", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=book_folder, env={**os.environ, "PYTHONWARNINGS": "ignore"})
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout
