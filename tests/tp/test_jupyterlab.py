"""Dans un vrai JupyterLab : on répond dans la cellule, et le noyau Python le sait."""

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from .conftest import write_book

CELLS = [
    'from labcode.tp import question\nq = question("exemple-nombre-poids")\nq',
    'print("vu du noyau :", q.answer, q.attempts, q.verdict)',
    'from labcode.tp.widget import record\nquestion("exemple-code-sigmoide")',
    'print("inscrit :", record("exemple-code-sigmoide", False, "Il manque le **signe**.", "def sigmoid(x): return x"))',
]


@pytest.fixture
def lab(tmp_path, sample):
    """L'adresse d'un JupyterLab neuf, sans réglage de la machine, ouvert sur un carnet de questions."""
    if importlib.util.find_spec("jupyterlab") is None:
        pytest.skip("JupyterLab n'est pas installé\u00a0: pip install -r requirements.txt")
    folder = write_book(tmp_path / "livre", sample) / "chapters"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "essai.ipynb")
    private = {name: str(tmp_path / name.lower()) for name in
               ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR", "IPYTHONDIR")}
    options = ["--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", "--IdentityProvider.token=essai",
               "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    with open(tmp_path / "journal.txt", "w", encoding="utf-8") as journal:
        server = subprocess.Popen([sys.executable, "-m", "jupyterlab", *options], cwd=folder, stdout=journal, stderr=subprocess.STDOUT,
                                  env={**os.environ, **private})
        try:
            yield f"{wait_for_url(server, Path(private['JUPYTER_RUNTIME_DIR']), tmp_path / 'journal.txt')}lab/tree/essai.ipynb?token=essai"
        finally:
            server.terminate()
            server.wait(timeout=30)


def wait_for_url(server, runtime, journal):
    """Le serveur choisit son port, et l'écrit dans un fichier quand il est prêt."""
    record = runtime / f"jpserver-{server.pid}.json"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            return json.loads(record.read_text(encoding="utf-8"))["url"]
        except (OSError, ValueError):  # pas encore écrit, ou pas en entier
            time.sleep(0.1)
    raise AssertionError(f"JupyterLab ne démarre pas\u00a0:\n{journal.read_text(encoding='utf-8')}")


def test_answers_reach_the_kernel(browser, lab):
    from playwright.sync_api import TimeoutError as NotYet

    context = browser.new_context(locale="fr-FR", viewport={"width": 1200, "height": 1400})
    context.set_default_timeout(60_000)  # le noyau démarre, sur une machine peut-être occupée
    page = context.new_page()
    page.goto(lab)
    page.wait_for_function("window.jupyterapp?.shell?.currentWidget?.context?.isReady && jupyterapp.shell.currentWidget.sessionContext?.session?.kernel")

    def run(i):
        page.evaluate("i => { jupyterapp.shell.currentWidget.content.activeCellIndex = i; jupyterapp.commands.execute('notebook:run-cell'); }", i)
        return page.locator(".jp-Notebook-cell").nth(i).locator(".jp-OutputArea-output")

    def seen_by_the_kernel(state):
        """ipywidgets regroupe les messages tant que le noyau n'a pas lu le précédent : la cellule a pu passer devant."""
        for _ in range(20):
            with contextlib.suppress(NotYet):
                return run(1).get_by_text(f"vu du noyau : {state}").wait_for(timeout=3000)
        raise AssertionError(run(1).inner_text())

    question = run(0).locator(".lc-card")
    field = question.get_by_role("textbox")
    for text, told in (("12", "oublié les biais"), ("15", "Juste.")):
        field.fill(text)
        field.press("Enter")
        question.get_by_role("status").get_by_text(told).wait_for()
    seen_by_the_kernel("15 2 right")

    code = run(2).locator(".lc-card")
    code.locator("pre").wait_for()
    run(3).get_by_text("inscrit : True").wait_for()
    code.get_by_role("status").get_by_text("Il manque le signe.").wait_for()
    assert "1\u00a0vérification" in code.inner_text()
    stored = json.loads(page.evaluate("localStorage.getItem('labcode.question.exemple-code-sigmoide')"))
    assert (stored["answer"], stored["attempts"], stored["verdict"]) == ("def sigmoid(x): return x", 1, "wrong")

    again = run(0).locator(".lc-card")  # la cellule réexécutée : un widget neuf, que le navigateur remplit
    again.get_by_role("status").get_by_text("Juste.").wait_for()
    assert again.get_by_role("textbox").input_value() == "15"
    seen_by_the_kernel("15 2 right")
    context.close()
