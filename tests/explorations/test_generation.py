"""Le tableau des images engendrées : le déplacement d'une case à l'autre, les nombres qui les résument."""

from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from labcode.explorations import GenerationExplorer

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
rng = np.random.default_rng(0)
IMAGES = {(q, n): rng.integers(0, 2, (4, 6)) for q in (1, 100, 100000) for n in (1, 2, 3) if (q, n) not in ((100, 2), (100000, 3))}
MEASURES = {(1, 1): {"erreur de reconstruction": 0.123456789, "log-vraisemblance": -86.34}}


@pytest.fixture
def run(run):
    return partial(run, GenerationExplorer)


def explorer(**options):
    return GenerationExplorer(IMAGES, (2, 3), measures=MEASURES, **options)


def test_construction_et_texte_stable():
    built = explorer(selected=(100, 3))
    assert repr(built) == "GenerationExplorer(2 × 3 pixels, cases\u00a0: 7)"
    assert [(row, column) for row, column, _, _ in built.cells] == sorted(IMAGES) and (built.row, built.column) == (100, 3)
    assert built.cells[0][3] == [["erreur de reconstruction", 0.123457], ["log-vraisemblance", -86.34]] and built.cells[1][3] == []
    assert all(cell[2]["bits"] == 1 for cell in built.cells)


def test_images_relues(run):
    read = run("return d.cells.map((cell) => m.images(cell[2]).map((image) => [...image]));", cells=explorer().cells)
    for found, key in zip(read, sorted(IMAGES), strict=True):
        assert np.array_equal(found, IMAGES[key])


def test_les_fleches_sautent_les_cases_vides(run):
    move = partial(run, "return m.neighbor(d.cells, d.at, d.way);", cells=explorer().cells)
    assert move(at=[100, 1], way=[0, 1]) == [100, 3]
    assert move(at=[1, 2], way=[1, 0]) == [100000, 2] and move(at=[100000, 2], way=[-1, 0]) == [1, 2]
    assert move(at=[1, 1], way=[-1, 0]) == [1, 1] and move(at=[100, 3], way=[0, 1]) == [100, 3]
    assert move(at=[100000, 2], way=[0, 1]) == [100, 3]  # à défaut de case sur la ligne, celle d'à côté
    assert run("const {rows, columns} = m.table(d.cells); return [rows, columns];", cells=explorer().cells) == [[1, 100, 100000], [1, 2, 3]]


def test_resumes_comme_numpy(run):
    images = rng.random((5, 12))
    ink, variety = run("return [m.ink(d.images), m.variety(d.images)];", images=images.tolist())
    assert ink == pytest.approx(images.mean())
    assert variety == pytest.approx(np.mean([np.abs(a - b).mean() for a, b in combinations(images, 2)]))
    assert run("return m.variety([[1, 0]]);") == 0


def test_nombres_entiers(run):
    assert run("return [1, 999, 1000, 100000].map(m.whole);") == ["1", "999", "1\u202f000", "100\u202f000"]


@pytest.mark.parametrize(("options", "error", "message"), [
    ({"images": {}}, ValueError, "aucune case"),
    ({"images": {3: np.ones((1, 6))}}, ValueError, "un couple d'entiers"),
    ({"images": {("a", 1): np.ones((1, 6))}}, TypeError, "un entier attendu"),
    ({"images": {(1, 1): np.ones((1, 5))}}, ValueError, r"images\[\(1, 1\)\].*attendue"),
    ({"images": {(1, 1): 2 * np.ones((1, 6))}}, ValueError, "entre 0 et 1"),
    ({"images": {(k, 1): np.ones((1, 6)) for k in range(13)}}, ValueError, "12 au plus"),
    ({"images": {(1, 1): np.full((40000, 6), 0.5)}}, ValueError, "240\u202f000 octets.*moins d'images"),
    ({"selected": (7, 7)}, ValueError, "selected.*n'a pas d'images"),
    ({"measures": {(7, 7): {}}}, ValueError, "measures.*n'a pas d'images"),
    ({"measures": {(1, 1): {"erreur": "x"}}}, TypeError, "un nombre attendu"),
    ({"measures": {(1, 1): {"erreur": float("nan")}}}, ValueError, "un nombre fini attendu"),
])
def test_mauvaises_donnees(options, error, message):
    with pytest.raises(error, match=message):
        GenerationExplorer(**{"images": IMAGES, "image_shape": (2, 3)} | options)


def test_au_clavier(visit):
    page = visit(explorer())
    status = page.get_by_role("status")
    assert status.inner_text().startswith("Unités cachées q\u00a0: 1\u00a0; nombre de caractères\u00a0: 1\u00a0; erreur de reconstruction\u00a0: 0,12\u00a0; log-vraisemblance\u00a0: −86,34\u00a0; pixels allumés")
    button = page.get_by_role("button", name="Unités cachées q\u00a0: 1\u00a0; nombre de caractères\u00a0: 1", exact=True)
    page.keyboard.press("Tab")
    assert button.evaluate("(node) => node === document.activeElement") and button.get_attribute("aria-pressed") == "true"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("[model.get('row'), model.get('column')]") == [100, 3] and button.get_attribute("aria-pressed") == "false"
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Unités cachées q\u00a0: 100\u00a0; nombre de caractères\u00a0: 3"
    assert page.locator("button[tabindex='0']").count() == 1 and page.get_by_role("button", pressed=True).count() == 1
    assert page.get_by_role("img").get_attribute("aria-label").startswith("Images engendrées\u00a0: 4\u00a0; Unités cachées q\u00a0: 100")
    percent = f"{1000 * IMAGES[100, 3].mean():.0f}"
    assert f"pixels allumés\u00a0: {percent[:-1]}{',' + percent[-1] if percent[-1] != '0' else ''}\u00a0%" in status.inner_text()


def test_a_la_souris_et_cases_vides(visit):
    page = visit(explorer())
    assert page.get_by_role("cell", name="–").count() == 2 and page.get_by_role("rowheader").all_inner_texts() == ["1", "100", "100\u202f000"]
    page.get_by_role("button", name="q\u00a0: 100\u202f000\u00a0; nombre de caractères\u00a0: 2").click()
    assert page.evaluate("[model.get('row'), model.get('column')]") == [100000, 2]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_accessible_et_sans_debordement(visit, theme, width):
    if not AXE.exists():
        pytest.skip("axe-core est absent : lancez « npm ci »")
    images = {(q, n): rng.integers(0, 2, (2, 320)) for q in (1, 100, 100000) for n in range(1, 11)}
    page = visit(GenerationExplorer(images, (20, 16)), theme, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.add_script_tag(path=AXE)
    assert page.evaluate("axe.run().then((result) => result.violations.map((v) => v.id + ' ' + v.nodes[0].html))") == []
