"""Typographie française : l'espace qui précède un signe double, ou borde un guillemet, est insécable."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "index.md", *sorted((ROOT / "chapters").glob("*.md"))]
NOT_PROSE = re.compile(r"```.*?```|:::.*?$|\$\$.*?\$\$|\$[^$]*\$|`[^`]*`|<[^>]*>|\]\([^)]*\)|^:.*$|^\s*\|[ :|-]+\|$", re.S | re.M)
BREAKABLE = re.compile(r"[^\s|] [;:!?»]|« ")


def faults(text):
    prose = NOT_PROSE.sub("x", text)
    return [prose[max(0, m.start() - 30):m.end() + 10] for m in BREAKABLE.finditer(prose)]


def strings(value):
    """Tous les textes d'une valeur YAML."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in ("answer", "formula", "accepted", "rejected", "definition"):
                yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def test_la_regle_voit_les_fautes():
    assert faults("Pourquoi ?") and faults("« ici »") and not faults("Pourquoi\u00a0? «\u00a0ici\u00a0» $a ;b$ `c : d`")


def test_chapitres(chapter):
    assert not faults(chapter.markdown)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_pages(page):
    assert not faults(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("bank", sorted((ROOT / "chapters" / "questions").glob("*.yml")), ids=lambda path: path.stem)
def test_banque(bank):
    assert not faults("\n".join(strings(yaml.safe_load(bank.read_text(encoding="utf-8")))))
