"""L'exploration de la descente : les règles de la page contre labcode.optim, les gradients contre des différences finies."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from labcode import nn, optim
from labcode.explorations import DescentExplorer
from labcode.explorations.descent import METHODS, SURFACES

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = {
    "Gradient": optim.SGD,
    "Inertie": partial(optim.SGD, momentum=0.7),
    "Nesterov": partial(optim.SGD, momentum=0.7, nesterov=True),
    "AdaGrad": optim.AdaGrad,
    "RMSprop": partial(optim.RMSprop, alpha=0.9),
    "Adam": optim.Adam,
}
GRADIENTS = {
    "Vallée": lambda a, b: (a, 20 * b),
    "Vallée en diagonale": lambda a, b: ((a + b) / 2 - 10 * (b - a), (a + b) / 2 + 10 * (b - a)),
    "Selle": lambda a, b: (a, b**3 - b),
    "Rosenbrock": lambda a, b: (2 * (a - 1) - 400 * a * (b - a**2), 200 * (b - a**2)),
}


@pytest.fixture
def run(run):
    return partial(run, DescentExplorer)


def test_memes_noms_en_python_et_dans_la_page(run):
    assert run("return [Object.keys(m.SURFACES), Object.keys(m.METHODS)];") == [list(SURFACES), list(METHODS)]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("surface", SURFACES)
def test_trajectoires_comme_labcode(run, surface, method):
    """eq-sgd, eq-momentum, eq-nesterov, eq-adagrad, eq-rmsprop, eq-adam : quarante pas de chaque règle."""
    theta, lr, expected = nn.Parameter(np.array([-1.2, 0.5])), 0.0008, []
    optimizer = RULES[method]([theta], lr)
    for _ in range(40):
        theta.grad[...] = GRADIENTS[surface](*theta.data)
        optimizer.step()
        expected.append(theta.data.copy())
    points = run("return m.trajectory(d.surface, d.method, [-1.2, 0.5], 40, {lr: d.lr, momentum: 0.7});", surface=surface, method=method, lr=lr)
    np.testing.assert_allclose(points[1:], expected, rtol=1e-9)


@pytest.mark.parametrize("surface", SURFACES)
def test_gradients_et_minima(run, surface):
    points = np.random.default_rng(0).uniform(-2, 2, (20, 2)).tolist()
    error, minima = run("""const {f, gradient, minima} = m.SURFACES[d.surface], eps = 1e-5;
        const slope = (p, i) => (f(p.map((v, k) => v + (k === i) * eps)) - f(p.map((v, k) => v - (k === i) * eps))) / (2 * eps);
        const errors = d.points.map((p) => Math.max(...gradient(p).map((g, i) => Math.abs(g - slope(p, i)) / (1 + Math.abs(g)))));
        return [Math.max(...errors), minima.map(gradient).flat()];""", surface=surface, points=points)
    assert error < 1e-6 and np.abs(minima).max() < 1e-12


@pytest.mark.parametrize("surface", SURFACES)
def test_lignes_de_niveau(run, surface):
    """Les deux bouts d'un segment sont à la même hauteur, à l'épaisseur d'un carreau près."""
    heights = np.array(run("""const {f, minima} = m.SURFACES[d.surface], floor = f(minima[0]);
        return m.levelSegments(d.surface).map((s) => s.map((p) => Math.sqrt(Math.max(0, f(p) - floor))));""", surface=surface))
    assert len(heights) > 500
    assert np.abs(heights[:, 0] - heights[:, 1]).max() < 0.03 * heights.max()


def test_divergence_et_bilan(run):
    outcome = partial(run, """const points = m.trajectory("Vallée", "Gradient", [-4, 1.2], 400, {lr: d.lr});
        return m.outcome("Vallée", points, 400);""")
    assert outcome(lr=0.0999).startswith("Après 400 pas")  # la limite est 2/λmax = 0,1
    assert outcome(lr=0.11).startswith("Diverge\u00a0: après")
    assert "pour de bon dès le pas" in outcome(lr=0.05)
    assert run("return [0, 0.003, 0.08, -1.5, 2.5e-7].map(m.small);") == ["0", "0,003", "0,08", "−1,5", "2,5\u00a0×\u00a010⁻⁷"]


def test_construction_et_texte_stable():
    assert repr(DescentExplorer("Selle", "Adam", log_lr=-1.0)) == "DescentExplorer('Selle', 'Adam', lr=0.1)"
    with pytest.raises(ValueError, match="Selles"):
        DescentExplorer("Selles")
    with pytest.raises(ValueError, match="Adamw"):
        DescentExplorer(method="Adamw")


def test_au_clavier(visit):
    page = visit(DescentExplorer())
    assert page.evaluate("[model.get('x'), model.get('y')]") == [-4, 1.2]
    assert not page.get_by_role("slider", name="Inertie").is_visible()
    page.get_by_role("radio", name="Inertie").check()
    assert page.get_by_role("slider", name="Inertie").is_visible()
    rate = page.get_by_role("slider", name="Taux")
    rate.focus()
    for _ in range(14):
        page.keyboard.press("ArrowRight")
    assert rate.get_attribute("aria-valuetext") == "0,4"
    assert page.inner_text("[role=status]").startswith("Diverge")  # 2(1 + μ)/λmax = 0,19
    page.get_by_role("radio", name="Rosenbrock").check()
    assert page.evaluate("[model.get('x'), model.get('y')]") == [-1.2, 1]
    assert "Rosenbrock" in page.get_by_role("img").get_attribute("aria-label")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 900])
def test_accessible_et_sans_debordement(visit, theme, width):
    if not AXE.exists():
        pytest.skip("axe-core est absent : lancez « npm ci »")
    page = visit(DescentExplorer("Rosenbrock", "Nesterov", log_lr=-3.3, steps=200), theme, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.add_script_tag(path=AXE)
    assert page.evaluate("axe.run().then((result) => result.violations.map((v) => v.id + ' ' + v.nodes[0].html))") == []
