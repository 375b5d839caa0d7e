"""Extension Sphinx : l'avancement dans les chapitres, la page de toutes les questions, le compte-rendu, la table du professeur.

La directive ``suivi`` montre un fragment de ``site/templates/suivi`` ; les chapitres qui ont des questions reçoivent une
marque sous le titre « Questions de TP ». Tout est écrit quand chaque page est lue : les liens et les totaux sont ceux du livre.
"""

import functools
import json
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from labcode.tp import bank, bundle, report
from page_store import PageStore
from questions import QUESTIONS

FRAGMENTS = Path(__file__).parents[1] / "templates" / "suivi"
SHOWN = PageStore("labcode_suivi")  # les noms des fragments de chaque page
SCRIPTS = {  # page → (modules dans l'ordre, éléments à animer, fonction)
    "marque": (("storage.js", "progress.js"), ".suivi-marque", "startMark"),
    "tableau": (("dom.js", "storage.js", "report.js", "progress.js", "files.js", "overview.js"), ".suivi-tableau", "startOverview"),
    "professeur": (("dom.js", "formula.js", "shapes.js", "storage.js", "checks.js", "report.js", "files.js", "grades.js", "teacher.js"),
                   ".suivi-professeur", "startTeacher"),
}
KINDS = {"choice": "choix", "choices": "choix multiples", "number": "nombre", "formula": "formule", "shape": "taille", "code": "code",
         "matching": "association", "ordering": "ordre", "text": "texte libre", "prediction": "prédiction"}


class suivi(nodes.General, nodes.Element):
    """L'emplacement d'un fragment."""


class Suivi(Directive):
    """``{suivi} tableau`` : le fragment de ce nom."""

    required_arguments = 1

    def run(self):
        name = self.arguments[0]
        known = sorted(path.stem for path in FRAGMENTS.glob("*.html"))
        if name not in known:
            raise self.error(f"suivi\u00a0: «\u00a0{name}\u00a0» n'existe pas\u00a0; connus\u00a0: {', '.join(known)}")
        env = self.state.document.settings.env
        SHOWN.of(env).setdefault(env.docname, []).append(name)
        return [suivi(name=name)]


def setup(app):
    app.add_node(suivi)
    app.add_directive("suivi", Suivi)
    app.connect("config-inited", write_assets)
    SHOWN.connect(app)
    app.connect("env-updated", lambda app, env: sorted(SHOWN.of(env)))  # leurs tableaux dépendent de toutes les pages
    app.connect("doctree-resolved", fill)
    app.connect("html-page-context", add_assets)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}


# ── Scripts et style ─────────────────────────────────────────────────────────


def script(name: str) -> str:
    """Le script d'une sorte de page, chargé quand le document est prêt (``defer``)."""
    modules, selector, start = SCRIPTS[name]
    return f'(() => {{\n"use strict";\n{bundle.joined(modules)}\nfor (const place of document.querySelectorAll("{selector}")) {start}(place);\n}})();\n'


def write_assets(app, config):
    """Les scripts, assemblés hors des sources, puis copiés par Sphinx dans ``_static``."""
    folder = Path(app.doctreedir) / "suivi"
    folder.mkdir(parents=True, exist_ok=True)
    for name in SCRIPTS:
        (folder / f"suivi-{name}.js").write_text(script(name), encoding="utf-8")
    (folder / "suivi.css").write_text((bundle.HERE / "suivi.css").read_text(encoding="utf-8"), encoding="utf-8")
    config.html_static_path = [*config.html_static_path, str(folder)]


def add_assets(app, pagename, templatename, context, doctree):
    """Le style et le script, sur les seules pages qui s'en servent."""
    names = [name for name in SHOWN.of(app.env).get(pagename, []) if name in SCRIPTS]
    names += ["marque"] if QUESTIONS.of(app.env).get(pagename) else []
    for name in names:
        app.add_css_file("suivi.css")
        app.add_js_file(f"suivi-{name}.js", loading_method="defer")


# ── Fragments ────────────────────────────────────────────────────────────────


def fill(app, doctree, docname):
    """Écrit les fragments de la page et, s'il y a lieu, sa marque d'avancement."""
    if app.builder.format != "html":
        return
    for place in list(doctree.findall(suivi)):
        place.replace_self(_raw(app, docname, place["name"], chapters(app)))
    here = [chapter for chapter in chapters(app) if any(question["page"] == docname for question in chapter["questions"])]
    if here and docname not in SHOWN.of(app.env):
        section = _section(doctree)
        section.insert(1, _raw(app, docname, "marque", here))


def _section(doctree):
    """La section « Questions de TP », sinon la page."""
    sections = list(doctree.findall(nodes.section))
    return next((section for section in sections if "questions-de-tp" in section["ids"]), sections[0])


def _raw(app, docname, name, found):
    """Un fragment HTML ; les liens y sont relatifs à ``docname``."""
    overview = next((page for page, names in SHOWN.of(app.env).items() if "tableau" in names), None)
    link = functools.partial(app.builder.get_relative_uri, docname)
    template = Environment(loader=FileSystemLoader(FRAGMENTS), autoescape=True, trim_blocks=True, lstrip_blocks=True).get_template(f"{name}.html")
    page = template.render(chapters=found, kinds=KINDS, duration=duration, overview=overview and link(overview), payload=functools.partial(payload, app),
                           address=lambda question: f"{link(question['page'])}#question-{question['id']}")
    return nodes.raw("", page, format="html")


def chapters(app) -> list[dict]:
    """Les chapitres du livre et leurs questions, chacune avec sa page ; ce qui n'est dans aucune page n'y est pas."""
    places = {name: page for page, names in QUESTIONS.of(app.env).items() for name in names}
    loaded = report.load_chapters(Path(app.srcdir) / app.config.labcode_questions, app.config.labcode_edition)
    found = [chapter | {"questions": [question | {"page": places[question["id"]]} for question in chapter["questions"] if question["id"] in places]}
             for chapter in loaded]
    return [chapter for chapter in found if chapter["questions"]]


def payload(app, corrected: bool = False) -> Markup:
    """Les données d'une page, en JSON ; ``corrected`` y met de quoi corriger (sauf en édition d'examen)."""
    found = chapters(app)
    if corrected:
        full = bank.load_bank(Path(app.srcdir) / app.config.labcode_questions)
        for chapter in found:
            chapter["questions"] = [bank.compiled(full[question["id"]], "mathml", app.config.labcode_edition) for question in chapter["questions"]]
    book = {"book": report.BOOK, "style": report.stylesheet(), "edition": app.config.labcode_edition, "chapters": found}
    return Markup(json.dumps(book, ensure_ascii=False).replace("<", "\\u003c"))


def duration(questions) -> str:
    """« 40 min », « 1 h 05 » : le temps que demandent ces questions."""
    hours, minutes = divmod(sum(question["minutes"] for question in questions), 60)
    return f"{hours}\u00a0h{f'{chr(160)}{minutes:02}' if minutes else ''}" if hours else f"{minutes}\u00a0min"
