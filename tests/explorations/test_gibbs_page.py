"""La chaîne de Gibbs dans un vrai navigateur, sans noyau : lecture, clavier, dessin, petit écran."""

import re
from pathlib import Path

import numpy as np
import pytest

from labcode.boltzmann import RBM
from labcode.explorations import GibbsExplorer

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
CHANGES = """(selector) => { window.changes = 0;
    new MutationObserver((all) => { window.changes += all.length; }).observe(document.querySelector(selector), {childList: true, characterData: true, subtree: true}); }"""


def explorer(**options):
    """Six pixels sur quatre, sept unités cachées, deux images."""
    rbm = RBM(7, rng=0).initialize(24)
    rbm.weight_[:] = np.random.default_rng(0).normal(size=(7, 24))
    images = np.random.default_rng(1).integers(0, 2, (2, 24))
    return GibbsExplorer(rbm, images, image_shape=(6, 4), labels=["A", "B"], **options)


def step(page):
    return int(re.search(r"Pas (\d+)", page.inner_text(".ex-equation")).group(1))


def shown(page, rank=0):
    """Les pixels d'une toile : 0 ou 255, ou ce qu'il y a entre les deux."""
    return page.evaluate("""(rank) => { const c = document.querySelectorAll("canvas")[rank];
        return [...c.getContext("2d").getImageData(0, 0, c.width, c.height).data].filter((_, k) => k % 4 === 0); }""", rank)


def played(page, count):
    page.wait_for_function(f"Number(document.querySelector('.ex-equation').textContent.match(/Pas (\\d+)/)[1]) >= {count}")


def test_pas_a_pas(visit):
    page = visit(explorer(start="A"))
    assert step(page) == 0 and "La plus proche des images données\u00a0: «\u00a0A\u00a0», 0 pixel" in page.inner_text("[role=status]")
    first = shown(page)
    assert np.array_equal(np.array(first) == 255, np.random.default_rng(1).integers(0, 2, (2, 24))[0])
    for _ in range(3):
        page.get_by_role("button", name="Un pas").click()
    assert step(page) == 3 and shown(page) != first and "Pas 3\u00a0:" in page.inner_text("[role=status]")
    assert "au pas 3" in page.get_by_role("img", name="Énergie libre").get_attribute("aria-label")
    page.get_by_role("button", name="Recommencer").click()
    assert step(page) == 0 and shown(page) == first


def test_meme_graine_meme_chaine(visit):
    page = visit(explorer())
    def third():
        for _ in range(3):
            page.get_by_role("button", name="Un pas").click()
        return shown(page)
    chain = third()
    page.get_by_role("button", name="Recommencer").click()
    assert third() == chain
    page.get_by_role("button", name="Autre tirage").click()
    assert page.evaluate("model.get('seed')") == 1 and third() != chain


def test_lecture_et_pause_sans_bavardage(visit):
    page = visit(explorer(rate=60))
    play = page.get_by_role("button", name="Lecture")
    play.focus()
    page.evaluate(CHANGES, "[role=status]")
    page.keyboard.press("Enter")
    played(page, 30)
    assert page.evaluate("window.changes") <= 2 and page.inner_text("[role=status]") == "Lecture en cours."
    page.keyboard.press("Enter")
    stopped = step(page)
    assert page.inner_text("[role=status]").startswith(f"Pas {stopped}\u00a0:")
    page.wait_for_timeout(150)
    assert step(page) == stopped and page.get_by_role("button", name="Lecture").count() == 1


def test_la_vitesse_est_celle_du_curseur(visit):
    page = visit(explorer(rate=1))
    start = page.evaluate("performance.now()")
    page.get_by_role("button", name="Lecture").click()
    page.wait_for_timeout(2300)
    steps = step(page)
    assert 2 <= steps <= 1 + (page.evaluate("performance.now()") - start) / 1000  # le premier pas est immédiat


def test_la_courbe_garde_deux_cents_pas(visit):
    page = visit(explorer())
    energy = page.get_by_role("img", name="Énergie libre")
    page.get_by_role("button", name="Un pas").evaluate("(button) => { for (let k = 0; k < 230; k++) button.click(); }")
    assert step(page) == 230 and energy.locator("path").get_attribute("d").count("L") == 200
    assert energy.locator("text").all_text_contents()[2:] == ["pas 30", "230"]


def test_la_lecture_s_arrete_hors_de_l_ecran(visit):
    page = visit(explorer(rate=60))
    page.get_by_role("button", name="Lecture").click()
    played(page, 3)
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<div style=\"height: 4000px\"></div>'); window.scrollTo(0, 4000)")
    page.get_by_role("button", name="Lecture").wait_for()
    stopped = step(page)
    page.wait_for_timeout(150)
    assert step(page) == stopped


def test_la_lecture_s_arrete_quand_l_onglet_passe_derriere(visit):
    page = visit(explorer(rate=60))
    page.get_by_role("button", name="Lecture").click()
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true}); document.dispatchEvent(new Event('visibilitychange'))")
    assert page.get_by_role("button", name="Lecture").count() == 1


def test_moins_de_mouvement(visit):
    page = visit(explorer(rate=60))
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(CHANGES, ".ex-equation")
    page.get_by_role("button", name="Lecture").click()
    played(page, 60)
    assert page.evaluate("window.changes") <= 8  # une image par seconde, de soixante pas chacune, et non soixante images


def test_figer_une_moitie(visit):
    page = visit(explorer(start="A"))
    whole = shown(page)
    page.get_by_label("Figer").select_option("Moitié haute")
    assert shown(page)[:12] == whole[:12] and shown(page)[12:] != whole[12:] and page.locator(".gi-frozen").is_visible()
    for _ in range(5):
        page.get_by_role("button", name="Un pas").click()
        assert shown(page)[:12] == whole[:12] and shown(page, 1)[:12] == whole[:12]
    page.get_by_label("Figer").select_option("Rien")
    assert shown(page) == whole and not page.locator(".gi-frozen").is_visible()


def test_dessiner_au_clavier(visit):
    page = visit(explorer())
    page.get_by_label("Départ").select_option("Dessin")
    assert set(shown(page)) == {0}
    page.get_by_role("application").focus()
    for key in ("ArrowDown", "ArrowRight", "Space", "ArrowRight"):
        page.keyboard.press(key)
    assert [i for i, value in enumerate(shown(page)) if value] == [5]
    assert page.inner_text("[role=status]") == "Ligne 2, colonne 3\u00a0: pixel éteint."
    page.get_by_label("Figer").select_option("Moitié haute")
    assert [i for i, value in enumerate(shown(page)[:12]) if value] == [5] and 255 in shown(page)[12:]
    page.get_by_role("application").focus()
    assert page.locator(".gi-cursor").count() == 1
    page.keyboard.press("ArrowLeft")
    mark, board = page.locator(".gi-cursor").bounding_box(), page.get_by_role("application").bounding_box()
    assert mark["x"] - board["x"] == pytest.approx(board["width"] / 4, abs=2) and mark["y"] - board["y"] == pytest.approx(board["height"] / 6, abs=2)
    assert page.inner_text("[role=status]") == "Ligne 2, colonne 2\u00a0: pixel allumé, figé."
    page.get_by_role("button", name="Effacer le dessin").click()
    assert set(shown(page)[:12]) == {0}


def test_dessiner_a_la_souris(visit):
    page = visit(explorer(start="Dessin"))
    box = page.get_by_role("application").bounding_box()
    at = lambda row, column: (box["x"] + (column + 0.5) * box["width"] / 4, box["y"] + (row + 0.5) * box["height"] / 6)
    page.mouse.move(*at(1, 0))
    page.mouse.down()
    page.mouse.move(*at(1, 1))
    page.mouse.move(*at(1, 2))
    page.mouse.up()
    page.mouse.move(*at(4, 3))
    assert [i for i, value in enumerate(shown(page)) if value] == [4, 5, 6]
    assert "3 pixels allumés" in page.inner_text("[role=status]")


def test_temperature_au_clavier(visit):
    page = visit(explorer())
    slider = page.get_by_role("slider", name="Température")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "1,1" and page.evaluate("model.get('temperature')") == pytest.approx(1.1)


def test_jupyterlab_laisse_le_clavier_aux_commandes(visit):
    """Sans cet attribut, une flèche sur un curseur change de cellule."""
    page = visit(explorer())
    controls = page.locator("input, select, button, [tabindex]")
    assert controls.count() == 10 and page.locator("[data-lm-suppress-shortcuts]").count() == 10


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_accessible_et_sans_debordement(visit, theme, width):
    if not AXE.exists():
        pytest.skip("axe-core est absent : lancez « npm ci »")
    page = visit(explorer(start="Dessin", frozen="Moitié basse"), theme, width)
    page.get_by_role("button", name="Un pas").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.add_script_tag(path=AXE)
    assert page.evaluate("axe.run().then((result) => result.violations.map((v) => v.id + ' ' + v.nodes[0].html))") == []
