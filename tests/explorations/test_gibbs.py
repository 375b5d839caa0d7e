"""La chaîne de Gibbs de la page contre labcode.boltzmann, et ses fréquences contre les probabilités exactes."""

from functools import partial

import numpy as np
import pytest
from scipy import stats

from labcode.boltzmann import RBM, GaussianRBM, all_states
from labcode.explorations import GibbsExplorer
from labcode.explorations.gibbs import FROZEN, packed_machine


def machine(q, p, scale=1.0, seed=0):
    """Une RBM aux poids tirés au hasard."""
    rng = np.random.default_rng(seed)
    rbm = RBM(q, rng=0).initialize(p, np.float64)
    rbm.weight_[:] = scale * rng.normal(size=(q, p))
    rbm.visible_bias_[:], rbm.hidden_bias_[:] = rng.normal(size=p), rng.normal(size=q)
    return rbm


@pytest.fixture
def run(run):
    return lambda body, **data: run(GibbsExplorer, "const machine = d.machine && m.unpackMachine(d.machine);" + body, **data)


@pytest.fixture
def read(run):
    """La même machine, aux poids que la page relit."""
    def copy(rbm):
        weight, b, c = run("return [machine.W.map((row) => [...row]), [...machine.b], [...machine.c]];", machine=packed_machine(rbm))
        rounded = machine(*rbm.weight_.shape)
        rounded.weight_[:], rounded.visible_bias_[:], rounded.hidden_bias_[:] = weight, b, c
        return rounded
    return copy


@pytest.mark.parametrize("temperature", [1, 2.5])
def test_memes_lois_que_labcode(run, read, temperature):
    """eq-rbm-hidden, eq-rbm-visible, eq-free-energy, eq-gibbs-temperature : sur les poids relus, aux arrondis près."""
    rbm = machine(9, 12, 2.0)
    rng = np.random.default_rng(1)
    V, H = rng.integers(0, 2, (6, 12)).astype(float), rng.integers(0, 2, (6, 9)).astype(float)
    hidden, visible, energy = run("""return [d.V.map((v) => m.hiddenProbabilities(machine, v, d.T)), d.H.map((h) => m.visibleProbabilities(machine, h, d.T)),
        d.V.map((v) => m.freeEnergy(machine, v))];""", machine=packed_machine(rbm), V=V.tolist(), H=H.tolist(), T=temperature)
    same = read(rbm)
    np.testing.assert_allclose(hidden, same._hidden(V, temperature), atol=1e-7)
    np.testing.assert_allclose(visible, same._visible(H, temperature=temperature), atol=1e-7)
    np.testing.assert_allclose(energy, same.free_energy(V), rtol=1e-6)


def test_l_octet_coute_ce_qui_est_promis(run):
    """Une demi-échelle par poids : l'activation de h_j ne bouge que de ½ échelle_j Σ v_i, p(h_j) du quart, F de la somme."""
    rbm = machine(50, 64)
    V = np.random.default_rng(2).integers(0, 2, (20, 64)).astype(float)
    hidden, energy = run("return [d.V.map((v) => m.hiddenProbabilities(machine, v)), d.V.map((v) => m.freeEnergy(machine, v))];",
                         machine=packed_machine(rbm), V=V.tolist())
    shift = 0.5001 * V.sum(axis=1)[:, None] * np.abs(rbm.weight_).max(axis=1) / 127 + 1e-6
    assert np.all(np.abs(hidden - rbm.hidden_probabilities(V)) <= shift / 4)
    gaps = np.abs(energy - rbm.free_energy(V))
    assert np.all(gaps <= shift.sum(axis=1)) and gaps.max() < 1


def test_grandes_activations_sans_debordement(run):
    rbm = machine(2, 3)
    rbm.weight_[:] = 3000
    energy, (off, on) = run("return [m.freeEnergy(machine, [1, 1, 1]), m.hiddenProbabilities({W: [[-3000], [3000]], c: [0, 0]}, [1])];",
                            machine=packed_machine(rbm))
    assert energy == pytest.approx(-18000 - rbm.visible_bias_.sum() - rbm.hidden_bias_.sum(), rel=1e-5) and (off, on) == (0, 1)


CHAIN = """const random = m.generator(d.seed), counts = {}; let v = d.start;
    for (let k = 0; k < 120000; k++) {
      const step = m.gibbsStep(machine, v, {temperature: d.T, frozen: d.frozen}, random);
      v = step.v;
      if (k % 12 === 0) counts[v.join("")] = (counts[v.join("")] ?? 0) + 1;
    }
    return counts;"""


@pytest.mark.parametrize(("temperature", "frozen"), [(1, [False] * 4), (2, [False] * 4), (0.5, [False] * 4), (1, [False, True, False, True])])
def test_frequences_exactes(run, read, temperature, frozen):
    """La chaîne visite v avec la probabilité Σ_h e^(−E(v, h)/T)/Z, restreinte aux v que la moitié figée permet."""
    rbm = machine(3, 4)
    counts = run(CHAIN, machine=packed_machine(rbm), seed=5, T=temperature, frozen=frozen, start=[0, 1, 0, 0])
    same, V, H = read(rbm), np.vstack(list(all_states(4))), np.vstack(list(all_states(3)))
    negative = V @ same.visible_bias_ + (H @ same.hidden_bias_)[:, None] + H @ same.weight_ @ V.T
    weight = np.exp(negative / temperature).sum(axis=0) * np.all((V == [0, 1, 0, 0]) | ~np.array(frozen), axis=1)
    expected = 10000 * weight / weight.sum()
    seen = np.array([counts.get("".join(str(int(x)) for x in v), 0) for v in V])
    assert seen.sum() == 10000 and np.all(seen[expected == 0] == 0)
    rare = expected < 5
    observed, hoped = np.append(seen[~rare], seen[rare].sum()), np.append(expected[~rare], expected[rare].sum())
    assert stats.chisquare(observed[hoped > 0], hoped[hoped > 0]).pvalue > 0.001


def test_le_hasard(run):
    first, again, other = run("return [1, 1, 2].map((seed) => { const r = m.generator(seed); return Array.from({length: 5000}, r); });")
    assert first == again != other
    assert stats.kstest(first, "uniform").pvalue > 0.001 and abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.05


def test_les_visibles_figes_ne_bougent_pas(run):
    steps = run("""const random = m.generator(0), out = []; let v = d.start;
        for (let k = 0; k < 50; k++) { const step = m.gibbsStep(machine, v, {frozen: d.frozen}, random); v = step.v; out.push([step.p, v]); }
        return out;""", machine=packed_machine(machine(4, 6)), start=[1, 0, 0.25, 0, 1, 0], frozen=[True] * 3 + [False] * 3)
    assert np.all(np.array(steps)[:, :, :3] == [1, 0, 0.25]) and np.array(steps)[:, 1, 3:].std() > 0


@pytest.mark.parametrize("name", FROZEN)
def test_moities(run, name):
    mask = np.array(run("return m.frozenMask(d.name, [5, 4]);", name=name)).reshape(5, 4)
    expected = np.zeros((5, 4), bool)
    expected[{"Moitié haute": np.s_[:3], "Moitié basse": np.s_[3:], "Moitié gauche": np.s_[:, :2], "Moitié droite": np.s_[:, 2:]}.get(name, np.s_[:0])] = True
    assert np.array_equal(mask, expected)
    assert run("return Object.keys(m.FROZEN);") == list(FROZEN)


def test_depart(run):
    start = partial(run, "return m.startingImage(d.image, d.frozen, m.generator(3));")
    image, half = [0.25] * 40, [True] * 20 + [False] * 20
    assert start(image=image, frozen=[False] * 40) == image
    completed = start(image=image, frozen=half)
    assert completed[:20] == image[:20] and set(completed[20:]) == {0, 1}
    assert set(start(image=None, frozen=half)) == {0, 1}


def test_textes(run):
    assert run("return m.nearest([1, 0, 1], [[0, 0, 0], [1, 1, 1], [1, 0, .5]]);") == {"rank": 2, "gap": 0.5}
    text = run("return m.report(7, {v: [1, 0, 1], h: [1, 0]}, -12.346, {label: 'A', gap: 2});")
    assert text == ("Pas 7\u00a0: 2 pixels allumés sur 3, 1 unité cachée allumée sur 2\u00a0; énergie libre −12,35."
                    " La plus proche des images données\u00a0: «\u00a0A\u00a0», 2 pixels d’écart.")
    assert run("return m.report(0, {v: [0], h: null}, 0, null);") == "Pas 0\u00a0: 0 pixel allumé sur 1\u00a0; énergie libre 0."


def test_construction_et_texte_stable():
    images = np.eye(6)[:2]
    explorer = GibbsExplorer(machine(3, 6), images, image_shape=(2, 3), labels=["A", "B"], start="B", frozen="Moitié haute", temperature=2)
    assert repr(explorer) == "GibbsExplorer(2 × 3 pixels, 3 unités cachées, images\u00a0: 2)"
    assert (explorer.start, explorer.temperature, explorer.image_shape) == ("B", 2.0, [2, 3])
    assert GibbsExplorer(machine(3, 6), images, image_shape=(2, 3)).labels == ["Image 1", "Image 2"]
    assert GibbsExplorer(machine(3, 6), image_shape=(2, 3)).images == {}


def test_la_limite_est_dite():
    big = RBM(501, rng=0).initialize(400)
    with pytest.raises(ValueError, match="501 × 400 poids.*200\u202f400 octets.*au plus 200\u202f000"):
        GibbsExplorer(big, image_shape=(20, 20))
    GibbsExplorer(RBM(500, rng=0).initialize(400), image_shape=(20, 20))


@pytest.mark.parametrize(("rbm", "options", "error", "message"), [
    (GaussianRBM(2).initialize(6), {}, TypeError, "GaussianRBM reçu"),
    (object(), {}, TypeError, "une RBM"),
    (RBM(2), {}, ValueError, "rien appris"),
    (RBM(2).initialize(6), {"image_shape": (3, 3)}, ValueError, "9 pixels, mais les images en ont 6"),
    (RBM(2).initialize(6), {"images": np.ones((1, 5))}, ValueError, "attendue"),
    (RBM(2).initialize(6), {"images": np.ones((1, 6)), "labels": ["a", "b"]}, ValueError, "2 noms pour 1"),
    (RBM(2).initialize(6), {"images": np.ones((1, 6)), "labels": ["Bruit"]}, ValueError, "deux noms pareils"),
    (RBM(2).initialize(6), {"images": np.full((40_000, 6), 0.5)}, ValueError, "240\u202f000 octets.*donnez-en moins"),
    (RBM(2).initialize(6), {"start": "A"}, ValueError, "« A » n'est pas parmi Bruit, Dessin".replace(" ", "[ \u00a0]")),
    (RBM(2).initialize(6), {"frozen": "Haut"}, ValueError, "Moitié haute"),
    (RBM(2).initialize(6), {"temperature": 0}, ValueError, "temperature"),
    (RBM(2).initialize(6), {"rate": 100}, ValueError, "rate"),
])
def test_mauvaises_donnees(rbm, options, error, message):
    with pytest.raises(error, match=message):
        GibbsExplorer(rbm, **{"image_shape": (2, 3)} | options)


def test_poids_non_finis():
    rbm = machine(2, 6)
    rbm.weight_[0, 0] = np.nan
    with pytest.raises(ValueError, match="weight_.*NaN"):
        GibbsExplorer(rbm, image_shape=(2, 3))
