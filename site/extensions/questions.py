"""Extension Sphinx : les questions des carnets deviennent vivantes dans la page, sans noyau ni ipywidgets.

Chaque sortie qui porte ``application/vnd.labcode.question+json`` est remplacée, à la lecture du carnet, par
le HTML de la question, écrit d'après la banque du moment ; ``questions.js`` lui donne vie dans le navigateur.
"""

import json
import os
import re
from pathlib import Path

from sphinx.errors import ExtensionError

from labcode.tp import bank, bundle
from labcode.tp.page import question_html
from labcode.tp.widget import MIMETYPE
from page_store import PageStore

QUESTIONS = PageStore("labcode_questions")  # les questions de chaque page, dans l'ordre
EDITIONS = ("eleve", "professeur", "examen")
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
ONLY_A_QUESTION = re.compile(r"""\s*question\(\s*(["'])[\w-]+\1\s*\)\s*""")


def setup(app):
    app.add_config_value("labcode_edition", os.environ.get("EDITION", "eleve"), "env", str)
    app.add_config_value("labcode_questions", "chapters/questions", "env", str)
    app.connect("config-inited", write_assets)
    app.connect("source-read", replace_outputs)
    QUESTIONS.connect(app)
    app.connect("html-page-context", add_assets)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}


def write_assets(app, config):
    """Le script et le style, assemblés hors des sources, puis copiés par Sphinx dans ``_static``."""
    if config.labcode_edition not in EDITIONS:
        raise ExtensionError(f"labcode_edition vaut «\u00a0{config.labcode_edition}\u00a0»\u00a0; attendu\u00a0: {', '.join(EDITIONS)}")
    if config.labcode_edition == "examen":
        config.html_copy_source = False  # les carnets gardent parfois l'état des widgets, donc le corrigé
    folder = Path(app.doctreedir) / "questions"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "questions.js").write_text(bundle.page_script(), encoding="utf-8")
    (folder / "question.css").write_text(bundle.stylesheet(), encoding="utf-8")
    config.html_static_path = [*config.html_static_path, str(folder)]


def replace_outputs(app, docname, source):
    """Récrit le JSON du carnet : sorties de questions, cellules qui ne font qu'en montrer une, état des widgets."""
    if MIMETYPE not in source[0] or not str(app.env.doc2path(docname)).endswith(".ipynb"):
        return
    notebook = json.loads(source[0])
    folder = Path(app.srcdir) / app.config.labcode_questions
    questions = bank.load_bank(folder)
    seen = QUESTIONS.of(app.env)[docname] = []
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            if MIMETYPE not in output.get("data", {}):
                continue
            name = output["data"][MIMETYPE]["id"]
            if name not in questions:
                raise ExtensionError(f"{docname}\u00a0: la question «\u00a0{name}\u00a0» n'est pas dans {folder.name}")
            output["data"] = {"text/html": question_html(questions[name], app.config.labcode_edition)}
            seen.append(name)
            if ONLY_A_QUESTION.fullmatch("".join(cell["source"])):
                cell["metadata"]["tags"] = [*cell["metadata"].get("tags", []), "remove-input"]
    _drop_state(notebook)
    source[0] = json.dumps(notebook)
    for path in (*sorted(folder.glob("*.yml")), *bundle.files()):
        app.env.note_dependency(str(path))


def _drop_state(notebook):
    """L'état des widgets de questions (corrigé compris) n'a rien à faire dans la page."""
    stored = notebook["metadata"].get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    for name in [name for name, model in stored.items() if str(model.get("state", {}).get("_anywidget_id", "")).startswith("labcode.tp.")]:
        layout = str(stored.pop(name)["state"].get("layout", "")).removeprefix("IPY_MODEL_")
        stored.pop(layout, None)
    if not stored:
        notebook["metadata"].pop("widgets", None)


def add_assets(app, pagename, templatename, context, doctree):
    """Le script et le style, sur les seules pages qui ont des questions."""
    if QUESTIONS.of(app.env).get(pagename):
        app.add_css_file("question.css")
        app.add_js_file("questions.js", loading_method="defer")
