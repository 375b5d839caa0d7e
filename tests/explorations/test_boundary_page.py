"""La frontière dans un vrai navigateur, sans noyau : clavier, lecteur d'écran, petit écran."""

from pathlib import Path

import pytest

from labcode.explorations import BoundaryExplorer

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture
def visit(visit):
    return lambda theme="light", width=900, **traits: visit(BoundaryExplorer(**traits), theme, width)


def weights(page):
    return [round(page.evaluate(f"model.get('{name}')"), 6) for name in ("w1", "w2", "b")]


def test_curseurs_au_clavier(visit):
    page = visit(example="AND")
    page.get_by_role("slider", name="Biais b").focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    assert weights(page) == [1, -1, -0.5]
    assert "1 x₁ − 1 x₂ − 0,5 = 0" in page.inner_text(".ex-equation")
    assert page.get_by_role("slider", name="Biais b").get_attribute("aria-valuetext") == "−0,5"
    assert page.inner_text("[role=status]").startswith("2 erreurs sur 4") and page.locator(".be-mistake").count() == 2
    assert "2 erreurs" in page.get_by_role("img").get_attribute("aria-label")


def test_le_perceptron_apprend_and_en_onze_corrections(visit):
    page = visit(example="AND")
    page.get_by_role("button", name="Recommencer").click()
    assert weights(page) == [0, 0, 0] and "pas de frontière" in page.inner_text(".ex-equation")
    for _ in range(12):
        page.get_by_role("button", name="Un pas du perceptron").click()
    assert weights(page) == [2, 1, -3]
    assert "s’arrête" in page.inner_text("[role=status]") and page.locator(".be-mistake").count() == 0


def test_changer_de_donnees_garde_la_droite(visit):
    page = visit(example="AND", w1=1.0, w2=1.0, b=-1.5)
    assert "Aucune erreur" in page.inner_text("[role=status]")
    assert [item.get_attribute("value") for item in page.get_by_role("radio").all()] == ["AND", "OR", "XOR", "Nuage séparable"]
    page.get_by_role("radio", name="XOR").check()
    assert weights(page) == [1, 1, -1.5] and page.inner_text("[role=status]").startswith("3 erreurs sur 4")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 900])
def test_accessible_et_sans_debordement(visit, theme, width):
    if not AXE.exists():
        pytest.skip("axe-core est absent : lancez « npm ci »")
    page = visit(theme, width, example="Nuage séparable")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.add_script_tag(path=AXE)
    assert page.evaluate("axe.run().then((result) => result.violations.map((v) => v.id + ' ' + v.nodes[0].html))") == []
