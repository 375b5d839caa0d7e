"""Les filtres pendant l'apprentissage : l'échelle, la ressemblance, la lecture."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from labcode.explorations import FiltersExplorer

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
rng = np.random.default_rng(0)
START = rng.normal(size=(5, 6))
SNAPSHOTS = {10: 20 * START, 0: 0.01 * rng.normal(size=(5, 6)), 3: START}
MEASURES = {"erreur": [0.25, 0.1234, 0.00175], "vraisemblance": [-200, -120.5, -86.344]}


@pytest.fixture
def run(run):
    return partial(run, FiltersExplorer)


def test_echelle_de_chaque_epoque_ou_commune(run):
    weights = [START.tolist(), (3 * START).tolist()]
    own, common, null = run("return [m.scaled(d.weights, 0, false), m.scaled(d.weights, 0, true), m.scaled([[[0, 0]]], 0, false)];", weights=weights)
    np.testing.assert_allclose(own, START / np.abs(START).max())
    np.testing.assert_allclose(common, START / np.abs(3 * START).max())
    assert null == [[0, 0]]


def test_ressemblance_comme_numpy(run):
    other = rng.normal(size=(5, 6))
    expected = np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(START, other)])
    assert run("return m.likeness(d.a, d.b);", a=START.tolist(), b=other.tolist()) == pytest.approx(expected)
    assert run("return m.likeness(d.a, d.b);", a=START.tolist(), b=(7 * START + 1).tolist()) == pytest.approx(1)
    assert run("return m.likeness([[1, 1]], [[1, 2]]);") == 0


def test_construction_et_texte_stable():
    explorer = FiltersExplorer(SNAPSHOTS, (2, 3), n_filters=4, measures=MEASURES, epoch=3)
    assert repr(explorer) == "FiltersExplorer(2 × 3 pixels, époques\u00a0: 0, 3, 10)"
    assert (explorer.epochs, explorer.rank, len(explorer.snapshots)) == ([0, 3, 10], 1, 3)
    assert explorer.measures == [["erreur", [0.25, 0.1234, 0.00175]], ["vraisemblance", [-200, -120.5, -86.344]]]


def test_poids_relus(run):
    read = run("return d.snapshots.map((s) => m.rows(s).map((row) => [...row]));", snapshots=FiltersExplorer(SNAPSHOTS, (2, 3)).snapshots)
    for found, epoch in zip(read, (0, 3, 10), strict=True):
        np.testing.assert_allclose(found, SNAPSHOTS[epoch], atol=0.501 * np.abs(SNAPSHOTS[epoch]).max() / 127)


@pytest.mark.parametrize(("options", "error", "message"), [
    ({"snapshots": {}}, ValueError, "aucune époque"),
    ({"snapshots": {0: START, 1: START[:4]}}, ValueError, "une même forme"),
    ({"snapshots": {0: START[0]}}, ValueError, "une même forme"),
    ({"snapshots": {0.5: START}}, TypeError, "un entier attendu"),
    ({"snapshots": {0: START * np.nan}}, ValueError, "NaN"),
    ({"image_shape": (3, 3)}, ValueError, "9 pixels, mais les images en ont 6"),
    ({"epoch": 4}, ValueError, "0, 3, 10"),
    ({"measures": {"erreur": [1, 2]}}, ValueError, "une valeur par époque"),
    ({"snapshots": {k: np.zeros((36, 784)) for k in range(8)}, "image_shape": (28, 28)}, ValueError, "8 époques de 36 filtres.*225\u202f792 octets"),
])
def test_mauvaises_donnees(options, error, message):
    with pytest.raises(error, match=message):
        FiltersExplorer(**{"snapshots": SNAPSHOTS, "image_shape": (2, 3)} | options)


def test_au_clavier(visit):
    page = visit(FiltersExplorer(SNAPSHOTS, (2, 3), measures=MEASURES))
    status = page.locator(".ex-status")
    assert status.inner_text().startswith("Époque 0\u00a0; plus grand poids\u00a0: 0,0") and "ceux de l’époque 10" in status.inner_text()
    slider = page.get_by_role("slider", name="Époque")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "3" and "époque 10\u00a0: 1\u00a0; erreur\u00a0: 0,12\u00a0; vraisemblance\u00a0: −120,5." in status.inner_text()
    page.keyboard.press("End")
    assert status.inner_text().endswith("erreur\u00a0: 0,0018\u00a0; vraisemblance\u00a0: −86,34.") and "ressemblance" not in status.inner_text()
    assert page.get_by_role("img").get_attribute("aria-label").endswith("à l’époque 10.")
    page.keyboard.press("Home")
    page.get_by_role("checkbox").check()
    lightest = page.evaluate("""() => { const c = document.querySelector("canvas");
        return Math.min(...c.getContext("2d").getImageData(0, 0, c.width, c.height).data.filter((v, k, all) => k % 4 === 2 && all[k + 1])); }""")
    assert lightest > 240  # des poids deux mille fois plus petits que les derniers ne se voient plus


def test_la_lecture_s_arrete_a_la_derniere_epoque(visit):
    page = visit(FiltersExplorer(SNAPSHOTS, (2, 3)))
    page.get_by_role("button", name="Lecture").click()
    page.wait_for_function("model.get('rank') === 2")
    page.get_by_role("button", name="Lecture").wait_for()
    assert page.locator(".ex-status").get_attribute("aria-live") == "polite"


def test_lecture_et_pause_sans_bavardage(visit):
    page = visit(FiltersExplorer({epoch: START for epoch in range(500)}, (2, 3), epoch=499))
    page.get_by_role("button", name="Lecture").click()  # à la fin, la lecture repart du début
    page.wait_for_function("model.get('rank') < 400")
    assert page.locator(".ex-status").get_attribute("aria-live") == "off"
    page.evaluate("""() => { window.heard = []; const status = document.querySelector(".ex-status");
        new MutationObserver(() => { if (status.ariaLive === "polite") window.heard.push(status.textContent); }).observe(status, {childList: true}); }""")
    page.get_by_role("button", name="Pause").click()
    assert page.evaluate("window.heard") == [page.locator(".ex-status").inner_text()]  # rien pendant la lecture, tout à l'arrêt


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_accessible_et_sans_debordement(visit, theme, width):
    if not AXE.exists():
        pytest.skip("axe-core est absent : lancez « npm ci »")
    page = visit(FiltersExplorer(SNAPSHOTS, (2, 3), measures=MEASURES, epoch=3), theme, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.add_script_tag(path=AXE)
    assert page.evaluate("axe.run().then((result) => result.violations.map((v) => v.id + ' ' + v.nodes[0].html))") == []
