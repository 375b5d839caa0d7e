"""Le JavaScript du widget, assemblé d'une même source pour le carnet et pour la page du livre."""

import re
from pathlib import Path

HERE = Path(__file__).parent
STRING = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""")
SPACED = re.compile(r" ?(=>|[=!]==|&&|\|\||[,;:?={}()]) ?")
MODULES = ("dom.js", "formula.js", "shapes.js", "storage.js", "checks.js", "help.js", "typeset.js", "inputs.js", "question.js")


def widget_module() -> str:
    """Le module ES qu'anywidget charge dans le carnet."""
    return f"{joined(MODULES)}\nexport default {{ render }};\n"


def page_script() -> str:
    """Le script classique de la page : il marche aussi depuis un dossier (``file://``)."""
    page = _stripped("page.js")
    return f'(() => {{\n"use strict";\n{joined(MODULES)}\nconst widget = {{ render }};\n{page}\n}})();\n'


def stylesheet() -> str:
    """La feuille de style des questions."""
    return (HERE / "question.css").read_text(encoding="utf-8")


def files() -> list[Path]:
    """Les fichiers dont le script et le style dépendent."""
    return [HERE / name for name in (*MODULES, "page.js", "question.css")]


def joined(names) -> str:
    """Des modules réunis en un seul script."""
    return "\n".join(_stripped(name) for name in names)


def _stripped(name):
    """Un module sans ses ``import`` ni ses ``export`` (tout finit dans une même portée), ni ce qui n'est que pour le lecteur."""
    source = (HERE / name).read_text(encoding="utf-8")
    source = re.sub(r"^[ ]*(?://[^\n]*|/\*.*?\*/)\n", "", source, flags=re.MULTILINE | re.DOTALL)
    source = re.sub(r"^import\b[^;]*;\n", "", source, flags=re.MULTILINE)
    source = re.sub(r"^export default [^;]*;\n?", "", source, flags=re.MULTILINE)
    source = re.sub(r"^export ", "", source, flags=re.MULTILINE)
    return "\n".join(_tight(line.strip()) for line in source.splitlines() if line.strip())


def _tight(line):
    """Une ligne sans espaces autour des signes ; intacte si elle a un gabarit (`…`) ou une barre (expression rationnelle, commentaire)."""
    if "`" in line or "/" in line:
        return line
    parts = STRING.split(line)
    parts[::2] = [SPACED.sub(r"\1", part) for part in parts[::2]]
    return "".join(parts)
