"""Ce que l'extension du livre répare : un dossier node_modules abîmé, des pages sorties du sommaire."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import docutils.core
import pytest

SPEC = importlib.util.spec_from_file_location("livre", Path(__file__).resolve().parents[2] / "site" / "extensions" / "livre.py")
livre = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(livre)


def write(*paths, text=""):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """Un dossier node_modules d'un seul paquet, complet, et le témoin de make."""
    monkeypatch.setattr(livre, "NPM", {"paquet": ("dossier", "es5", ["principal.js", "plus/*.js"])})
    package = tmp_path / "node_modules" / "paquet"
    write(package / "es5" / "principal.js", package / "es5/plus/un.js", package / "es5/plus/deux.js", package.parent / ".installe")
    write(package / "package.json", text='{"version": "1.0", "license": "MIT"}')
    return package.parent


def test_un_paquet_complet_est_copie(modules, tmp_path):
    assert list(livre.copy_npm(modules, tmp_path / "vendor")) == ["dossier/ : paquet 1.0, licence MIT"]
    copied = {path.relative_to(tmp_path / "vendor").as_posix() for path in (tmp_path / "vendor").rglob("*.js")}
    assert copied == {"dossier/principal.js", "dossier/plus/un.js", "dossier/plus/deux.js"}
    assert (modules / ".installe").exists()


@pytest.mark.parametrize("lost", ["es5/principal.js", "package.json"])
def test_un_paquet_abime_sera_reinstalle(modules, tmp_path, lost):
    """Le message dit quoi faire, et le témoin de make disparaît pour que « make livre » le fasse."""
    (modules / "paquet" / lost).unlink()
    with pytest.raises(SystemExit, match="make livre"):
        list(livre.copy_npm(modules, tmp_path / "vendor"))
    assert not (modules / ".installe").exists()


def test_une_page_sortie_du_sommaire_disparait(tmp_path):
    names = ["index", "chapters/gardee", "chapters/sortie"]
    sources = [tmp_path / "_sources" / "index.md", *(tmp_path / "_sources" / f"{name}.ipynb" for name in names[1:])]
    write(*sources, *(tmp_path / f"{name}.html" for name in names), tmp_path / "search.html")
    app = SimpleNamespace(outdir=tmp_path, builder=SimpleNamespace(format="html"), env=SimpleNamespace(found_docs=set(names[:2])))
    livre.remove_stale_pages(app, ValueError("construction ratée"))
    assert (tmp_path / "chapters/sortie.html").exists()
    livre.remove_stale_pages(app, None)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.html")} == {"index.html", "chapters/gardee.html", "search.html"}
    assert not sources[2].exists() and sources[1].exists()


def test_apostrophe_avant_un_mot_en_gras():
    """Le texte, oui ; le code, non."""
    document = docutils.core.publish_doctree("L'**inertie** d'ici, ``f('x')``")
    livre.Apostrophes(document).apply()
    assert document.astext() == "L’inertie d’ici, f('x')"
