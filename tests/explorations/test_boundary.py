"""labcode.explorations : les calculs de la page, faits par Node, contre ceux de NumPy."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from labcode.explorations import BoundaryExplorer
from labcode.explorations.boundary import EXAMPLES

FOLDER = Path(__file__).resolve().parents[2] / "labcode" / "explorations"


@pytest.fixture
def run(run):
    return partial(run, BoundaryExplorer)


def line(w1, w2, b):
    return {"w1": w1, "w2": w2, "b": b}


def test_scores_et_erreurs_comme_numpy(run):
    rng = np.random.default_rng(0)
    weights = rng.normal(size=3)
    points = np.column_stack([rng.normal(size=(50, 2)), rng.integers(0, 2, 50)])
    shown = run("return d.points.map((p) => [m.score(d.line, p), m.isMistake(d.line, p)]);",
                line=line(*weights), points=points.tolist())
    scores = points[:, :2] @ weights[:2] + weights[2]
    np.testing.assert_allclose([s for s, _ in shown], scores, atol=1e-8)
    assert [e for _, e in shown] == list((scores >= 0).astype(int) != points[:, 2])


def test_un_score_nul_est_classe_1_malgre_les_arrondis(run):
    # 0,1 + 0,2 − 0,3 ne vaut pas zéro en binaire, ni son opposé.
    assert run("return [[.1, .2, -.3], [-.1, -.2, .3]].map(([w1, w2, b]) => m.predict({w1, w2, b}, [1, 1]));") == [1, 1]


@pytest.mark.parametrize("name", EXAMPLES)
def test_pas_du_perceptron(run, name):
    """eq-perceptron-update : les mêmes corrections qu'une boucle NumPy, jusqu'à l'arrêt ou au cycle."""
    points = EXAMPLES[name]
    weights, expected, cursor = np.zeros(3), [], 0
    for _ in range(30):
        ranks = [(cursor + k) % len(points) for k in range(len(points))]
        inputs = {r: np.array([points[r][0], points[r][1], 1.0]) for r in ranks}
        wrong = [r for r in ranks if (np.round(weights @ inputs[r], 9) >= 0) != points[r][2]]
        if not wrong:
            break
        weights = weights + (2 * points[wrong[0]][2] - 1) * inputs[wrong[0]]
        cursor = (wrong[0] + 1) % len(points)
        expected.append(weights)
    steps = run("""let line = {w1: 0, w2: 0, b: 0}, cursor = 0; const seen = [];
        for (let k = 0; k < 30; k++) {
          const rank = m.nextMistake(line, d.points, cursor);
          if (rank < 0) break;
          line = m.update(line, d.points[rank]); cursor = (rank + 1) % d.points.length; seen.push([line.w1, line.w2, line.b]);
        }
        return seen;""", points=points)
    np.testing.assert_allclose(steps, expected, atol=1e-9)
    assert (len(steps) < 30) == (name != "XOR")


def test_point_bien_classe_ne_change_rien(run):
    assert run("return m.update(d.line, [1, 1, 1]);", line=line(1, 1, -1.5)) == line(1, 1, -1.5)


def test_frontiere_dans_le_carre(run):
    rng = np.random.default_rng(1)
    box = {"left": -1, "right": 2, "bottom": -0.5, "top": 2.5}
    for weights in rng.normal(size=(20, 3)):
        ends, region = run("return [m.boundarySegment(d.line, d.box), m.positiveRegion(d.line, d.box)];", line=line(*weights), box=box)
        region = np.array(region).reshape(-1, 2)
        assert np.all(region @ weights[:2] + weights[2] >= -1e-6)
        assert np.all((region >= [-1.001, -0.501]) & (region <= [2.001, 2.501]))
        xs, ys = region.T if len(region) else (np.zeros(1), np.zeros(1))
        area = abs(np.dot(xs, np.roll(ys, -1)) - np.dot(ys, np.roll(xs, -1))) / 2
        grid = np.stack(np.meshgrid(np.linspace(-1, 2, 301), np.linspace(-0.5, 2.5, 301)), -1)
        assert area == pytest.approx(9 * np.mean(grid @ weights[:2] + weights[2] >= 0), abs=0.1)
        assert (ends is None) == (area < 1e-9 or area > 9 - 1e-9)
        if ends:
            np.testing.assert_allclose(np.array(ends) @ weights[:2] + weights[2], 0, atol=1e-6)


def test_frontiere_par_deux_coins_du_cadre(run):
    """La vue de départ : la diagonale, que chaque coin donne deux fois."""
    ends = run("return m.boundarySegment(d.line, d.box);", line=line(1, -1, 0), box=run("return m.viewBox([[0, 0], [1, 1]]);"))
    assert np.allclose(np.sort(ends, axis=0), [[-0.3, -0.3], [1.3, 1.3]])


def test_frontiere_absente_quand_les_poids_sont_nuls(run):
    assert run("return [m.boundarySegment(d.line, m.viewBox([[0, 0], [1, 1]])), m.positiveRegion(d.line, m.viewBox([[0, 0], [1, 1]])).length];",
               line=line(0, 0, 0)) == [None, 4]


def test_tous_les_points_sont_dans_le_cadre(run):
    for points in [*EXAMPLES.values(), [(3, 4, 1)]]:
        box = run("return m.viewBox(d.points);", points=points)
        assert box["right"] - box["left"] == pytest.approx(box["top"] - box["bottom"])
        assert all(box["left"] < x < box["right"] and box["bottom"] < y < box["top"] for x, y, _ in points)


def test_textes_en_francais(run):
    assert run("return [m.number(-1.5), m.number(2), m.number(-0.001), m.coordinates([0, -1.5])];") == ["−1,5", "2", "0", "(0\u00a0;\u00a0−1,5)"]
    assert run("return m.equation(d.line);", line=line(1, -2.5, 0.5)) == "1 x₁ − 2,5 x₂ + 0,5 = 0"
    points = EXAMPLES["AND"]
    assert run("return m.summary(d.line, d.points);", line=line(1, 1, -1.5), points=points) == "Aucune erreur sur 4 points."
    assert run("return m.summary(d.line, d.points);", line=line(1, 1, -0.5), points=points) == "2 erreurs sur 4 points\u00a0: (0\u00a0;\u00a01), (1\u00a0;\u00a00)"
    assert "(0\u00a0;\u00a01) est de classe 0, le neurone répondait 1\u00a0; on retranche x à w" in run(
        "return m.stepMessage(d.line, [0, 1, 0], 1);", line=line(1, 1, -0.5))


def test_construction_et_texte_stable():
    explorer = BoundaryExplorer("XOR", w1=0.5)
    assert (explorer.w1, explorer.w2, explorer.b, explorer.example) == (0.5, -1.0, 0.0, "XOR")
    assert repr(explorer) == "BoundaryExplorer('XOR', w1=0.5, w2=-1, b=0)"
    assert {"w1", "w2", "b", "example", "examples", "_esm", "_css"} <= set(explorer.get_state())
    names, points = zip(*explorer.get_state()["examples"])
    assert names == tuple(EXAMPLES) and points[0] == [[0, 0, 0], [0, 1, 0], [1, 0, 0], [1, 1, 1]]


def test_le_nuage_est_separable():
    points = np.array(EXAMPLES["Nuage séparable"])
    assert np.all(((points[:, :2] @ [5, 8] - 4) > 0) == points[:, 2])


def test_aucune_requete_exterieure():
    for file in [*FOLDER.glob("*.js"), *FOLDER.glob("*.css")]:
        source = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http" not in source and "import " not in source and "url(" not in source


@pytest.mark.parametrize(("arguments", "message"), [
    ({"example": "NAND"}, "NAND"),
    ({"example": "a", "examples": {"a": [(0, 1)]}}, "attendu des points"),
    ({"example": "a", "examples": {"a": [(0, 1, 2)]}}, "y valoir 0 ou 1"),
    ({"example": "a", "examples": {"a": [(0, float("nan"), 1)]}}, "finis"),
    ({"example": "a", "examples": {"a": []}}, "aucun point"),
])
def test_mauvaises_donnees(arguments, message):
    with pytest.raises(ValueError, match=message):
        BoundaryExplorer(**arguments)
