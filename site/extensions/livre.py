"""Ce que Jupyter Book laisse à faire pour que le site soit français, autonome et accessible.

- les fichiers d'affichage (MathJax, widgets) sont pris dans node_modules et servis par le site lui-même ;
- Thebe et les scripts en double disparaissent ;
- les derniers textes anglais de l'interface sont traduits.
"""

import json
import re
import shutil
from importlib.metadata import distribution
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.errors import ExtensionError
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.writers.html5 import HTML5Translator

# Paquet npm → (dossier du site, dossier du paquet, fichiers à copier).
NPM = {
    "mathjax": ("mathjax", "es5", ["tex-chtml.js", "input/tex/extensions/*.js", "output/chtml/fonts/woff-v2/*.woff"]),
    "@jupyter-widgets/html-manager": ("widgets", "dist", ["embed-amd.js", "*.woff2"]),
    "requirejs": ("requirejs", ".", ["require.js"]),
}
# Paquet Python → (dossier du site, fichier à copier). ipywidgets porte la licence que le paquet npm de html-manager oublie.
PYPI = {
    "anywidget": ("anywidget", "nbextension/index.js"),
    "ipywidgets": ("widgets", None),
}
MISSING = ("Les fichiers d'affichage manquent (formules et widgets)\u00a0: {}.\n"
           "Lancez «\u00a0make livre\u00a0», ou «\u00a0npm ci\u00a0» dans le dossier du livre, puis recommencez.")


def copy_if_changed(source, target):
    """Copie `source`, sauf si `target` a déjà la même taille et la même date."""
    before, after = source.stat(), target.stat() if target.exists() else None
    if not after or (before.st_size, int(before.st_mtime)) != (after.st_size, int(after.st_mtime)):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def copy_npm(modules, vendor):
    """Copie ce qu'il faut des paquets npm ; rend une ligne de mentions par paquet."""
    for name, (folder, root, patterns) in NPM.items():
        package = modules / name
        found = [sorted((package / root).glob(pattern)) for pattern in patterns]
        if not (all(found) and (package / "package.json").exists()):
            (modules / ".installe").unlink(missing_ok=True)  # le témoin de make : « make livre » réinstallera
            raise SystemExit(MISSING.format(name))  # une phrase, sans la trace que Jupyter Book ajouterait
        for path in chain.from_iterable(found):
            copy_if_changed(path, vendor / folder / path.relative_to(package / root))
        for licence in package.glob("LICENSE*"):
            copy_if_changed(licence, vendor / folder / licence.name)
        about = json.loads((package / "package.json").read_text(encoding="utf-8"))
        yield f"{folder}/ : {name} {about['version']}, licence {about['license']}"


def copy_pypi(vendor):
    """Copie le module d'anywidget et les licences que portent les paquets Python."""
    for name, (folder, module) in PYPI.items():
        package = distribution(name)
        for licence in (path for path in package.files if path.name == "LICENSE"):
            copy_if_changed(Path(licence.locate()), vendor / folder / f"LICENSE.{name}")
        if module:
            copy_if_changed(Path(find_spec(name).origin).parent / module, vendor / folder / "index.js")
            yield f"{folder}/ : {name} {package.version}, licence MIT"


def copy_vendor(app):
    """Range les fichiers d'affichage, avec leurs licences, dans _static/vendor."""
    if app.builder.format != "html":
        return
    vendor = Path(app.outdir, "_static", "vendor")
    lines = [*copy_npm(Path(app.srcdir, "node_modules"), vendor), *copy_pypi(vendor)]
    notice = "Fichiers d'affichage servis par ce site, repris tels quels de leurs paquets.\n\n" + "\n".join(lines) + "\n"
    (vendor / "LICENCES.txt").write_text(notice, encoding="utf-8")


def rebuild_after_site_change(app, env, added, changed, removed):
    """Refait toutes les pages quand un gabarit, un style ou une extension a changé : Sphinx ne surveille que le texte."""
    built, site = Path(app.outdir, "index.html"), Path(app.srcdir, "site")
    newest = max(path.stat().st_mtime for path in site.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return env.found_docs if built.exists() and newest > built.stat().st_mtime else []


def remove_thebe(app):
    """Débranche sphinx-thebe, que Jupyter Book impose : ses scripts pointent vers d'autres serveurs."""
    for listeners in app.events.listeners.values():
        listeners[:] = [listener for listener in listeners if listener.handler.__module__ != "sphinx_thebe"]
    app.registry.css_files[:] = [css for css in app.registry.css_files if "thebe" not in css[0]]


def remove_doubles(app, pagename, templatename, context, doctree):
    """Ne garde qu'un exemplaire de chaque script : deux extensions inscrivent les leurs deux fois."""
    seen, kept = set(), []
    for script in context.get("script_files", []):
        key = (str(getattr(script, "filename", script)), getattr(script, "attributes", {}).get("body"))
        if key not in seen:
            kept.append(script)
        seen.add(key)
    context["script_files"][:] = kept


HIDDEN = {"source": "le code", "output": "le résultat", "content": "la cellule"}


def visit_hidden_cell(self, node):
    """Cellule repliée : un vrai <details>, dont l'étiquette dit ce qu'il cache."""
    def label(prompt):
        kind = prompt.rsplit(" ", 1)[-1]
        return self.encode(prompt.replace(kind, HIDDEN.get(kind, kind)))

    self.body.append('<details class="repli">\n<summary>'
                     f'<span class="collapsed">{label(node["prompt_show"])}</span>'
                     f'<span class="expanded">{label(node["prompt_hide"])}</span></summary>\n')


def depart_hidden_cell(self, node):
    self.body.append("</details>\n")


class Apostrophes(SphinxTransform):
    """L'apostrophe devant un mot en gras, un lien ou un guillemet : prise pour un guillemet, elle deviendrait ” au lieu de ’."""

    default_priority = 700  # avant SphinxSmartQuotes, qui typographie le reste

    def apply(self, **options):
        for text in list(self.document.findall(nodes.Text)):
            if "'" in text and not isinstance(text.parent, (nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.raw)):
                text.parent.replace(text, nodes.Text(re.sub(r"(?<=[^\W\d_])'", "’", text)))


class GlueMath(SphinxPostTransform):
    """Ce qui touche une formule (ponctuation, élision, « -ième ») ne passe pas seul à la ligne."""

    default_priority = 400
    formats = ("html",)

    def run(self, **options):
        for math in list(self.document.findall(nodes.math)):
            parent, place = math.parent, math.parent.index(math)
            before = self._cut(parent, place - 1, r"[^ \n]{1,12}$") if place else ""
            after = self._cut(parent, place + 1, r"^[^ \n]{1,12}") if place + 1 < len(parent) else ""
            if before or after:
                glued = [nodes.Text(before)] * bool(before) + [math.deepcopy()] + [nodes.Text(after)] * bool(after)
                parent[place] = nodes.inline("", "", *glued, classes=["soude"])

    def _cut(self, parent, place, pattern):
        """Retire du texte voisin ce qui touche la formule, et le rend."""
        found = isinstance(parent[place], nodes.Text) and re.search(pattern, parent[place])
        if not found:
            return ""
        parent[place] = nodes.Text(parent[place][:found.start()] + parent[place][found.end():])
        return found.group()


def visit_citation(self, node):
    """Notice de bibliographie : un élément de liste, le rôle doc-biblioentry étant abandonné par la norme."""
    HTML5Translator.visit_citation(self, node)
    self.body[-1] = self.body[-1].replace("doc-biblioentry", "listitem")


# Textes anglais qu'aucun réglage ne traduit : fichier de _static → (anglais, français).
SCRIPTS = {
    "togglebutton.js": [("Toggle hidden content", "Afficher ou masquer le contenu")],
    "copybutton.js": [("'Copié !'", "'Copié\u00a0!'")],
}


def translate_scripts(app, exception):
    """Traduit les scripts copiés ; un texte introuvable signale une version qui a changé."""
    if exception or app.builder.format != "html":
        return
    for name, pairs in SCRIPTS.items():
        path = Path(app.outdir, "_static", name)
        text = path.read_text(encoding="utf-8")
        for english, french in pairs:
            if english not in text and french not in text:
                raise ExtensionError(f"{name} ne contient plus «\u00a0{english}\u00a0»\u00a0: revoir SCRIPTS dans site/extensions/livre.py.")
            text = text.replace(english, french)
        path.write_text(text, encoding="utf-8")


def remove_stale_pages(app, exception):
    """Efface les pages qui ont quitté le sommaire : Sphinx laisse dans _build/html ce qu'il y a écrit avant."""
    if exception or app.builder.format != "html":
        return
    sources = Path(app.outdir, "_sources")
    for source in (path for path in sources.rglob("*") if path.is_file()):
        docname = source.relative_to(sources).with_suffix("").as_posix()
        if docname not in app.env.found_docs:
            Path(app.outdir, docname + ".html").unlink(missing_ok=True)
            source.unlink()


def setup(app):
    remove_thebe(app)
    app.set_html_assets_policy("always")  # une question peut porter une formule sur une page qui n'en a pas
    app.add_node(HideCodeCellNode, override=True, html=(visit_hidden_cell, depart_hidden_cell))
    app.add_node(nodes.citation, override=True, html=(visit_citation, HTML5Translator.depart_citation))
    app.add_transform(Apostrophes)
    app.add_post_transform(GlueMath)
    app.connect("builder-inited", copy_vendor)
    app.connect("env-get-outdated", rebuild_after_site_change)
    app.connect("html-page-context", remove_doubles, priority=900)
    app.connect("build-finished", translate_scripts)
    app.connect("build-finished", remove_stale_pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
