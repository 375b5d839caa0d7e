"""L1 et L2 : valeur, gradient, et leur place à côté de la décroissance des poids."""

import numpy as np
import pytest
from quadratic import CURVATURE, START, descend

from labcode.nn import Linear, MSELoss, Parameter
from labcode.optim import L1, L2, SGD, Adam
from labcode.training import fit


def parameters(seed=0):
    rng = np.random.default_rng(seed)
    return [Parameter(rng.standard_normal(shape)) for shape in [(3, 4), (3,), (2, 2, 2)]]


@pytest.mark.parametrize("biases", [True, False])
def test_valeurs(biases):
    """λ Σ |w| et λ Σ w², sans facteur 1/2 (eq-l1, eq-l2)."""
    tensors = parameters()
    entries = [w for p in tensors if biases or p.data.ndim > 1 for w in p.data.ravel()]
    assert L1(0.3, biases=biases).value(tensors) == pytest.approx(0.3 * sum(abs(w) for w in entries), rel=1e-13)
    assert L2(0.3, biases=biases).value(tensors) == pytest.approx(0.3 * sum(w * w for w in entries), rel=1e-13)
    assert type(L1(1).value(tensors)) is type(L2(1).value(tensors)) is float


@pytest.mark.parametrize("penalty", [L1(0.3), L2(0.3), L1(0.2, biases=False) + L2(0.5), L1(0.1) + L1(0.2) + L2(0.3, biases=False)], ids=repr)
def test_gradient_par_differences_finies(penalty):
    """Il s'ajoute à ce que ``grad`` contient, ou remplace des zéros."""
    tensors, eps = parameters(), 1e-6
    tensors[0].grad = np.full((3, 4), 7.0)
    penalty.accumulate(tensors)
    for rank, tensor in enumerate(tensors):
        for index in np.ndindex(tensor.shape):
            value = tensor.data[index]
            sides = []
            for tensor.data[index] in (value + eps, value - eps):
                sides.append(penalty.value(tensors))
            tensor.data[index] = value
            numeric = (sides[0] - sides[1]) / (2 * eps)
            assert tensor.grad[index] == pytest.approx(numeric + 7 * (rank == 0), abs=1e-7)


def test_l1_en_zero():
    """Aucune force en 0, comme le veut la convention."""
    p = Parameter(np.array([0.0, -2.0]))
    L1(0.5).accumulate([p])
    assert np.array_equal(p.grad, [0, -0.5])


@pytest.mark.parametrize("make", [lambda p, **o: SGD(p, 0.1, **o), lambda p, **o: SGD(p, 0.1, 0.9, **o), lambda p, **o: Adam(p, 0.1, **o)],
                         ids=["sgd", "inertie", "adam"])
def test_decroissance_decouplee(make):
    """θ ← (1 − ηλ)θ − pas, où le pas est celui de l'optimiseur sans décroissance (eq-weight-decay)."""
    rng = np.random.default_rng(0)
    decayed, alone = (Parameter(rng.standard_normal(4)) for _ in range(2))
    ours, theirs = make([decayed], weight_decay=0.3, decoupled_weight_decay=True), make([alone])
    for _ in range(10):
        decayed.grad = alone.grad = rng.standard_normal(4)
        before, start = decayed.data.copy(), alone.data.copy()
        ours.step()
        theirs.step()
        assert np.allclose(decayed.data, (1 - 0.1 * 0.3) * before - (start - alone.data), rtol=1e-12)


def test_oubli_sans_gradient():
    """Sans données, la pénalité L2 éteint un poids comme (1 − 2ηλ)ᵗ, dix fois plus vite avec une inertie de 0,9, et de η
    par pas avec Adam, quel que soit λ.
    """
    lr, flat = 0.01, np.zeros(3)
    for options, expected in [({}, 2 * lr * 0.005), ({"momentum": 0.9}, 2 * lr * 0.005 / (1 - 0.9))]:
        path, _ = descend(lambda p: SGD(p, lr, **options), 200, curvature=flat, before=lambda o, step: L2(0.005).accumulate(o.parameters))
        assert np.allclose(-np.log(path[200] / path[100]) / 100, expected, rtol=0.02)
    for strength in (0.01, 1):
        path, _ = descend(lambda p: Adam(p, lr), 1, curvature=flat, before=lambda o, step: L2(strength).accumulate(o.parameters))
        assert np.allclose(START - path[1], lr * np.sign(START), rtol=1e-5)


def test_l2_et_weight_decay_au_facteur_deux_pres():
    """L2(λ) et weight_decay=2λ sont la même chose, quel que soit l'optimiseur."""
    for optimizer, options in [(SGD, {}), (SGD, {"momentum": 0.9}), (Adam, {})]:
        def add(opt, step):
            L2(0.15).accumulate(opt.parameters)
        penalized, _ = descend(lambda p: optimizer(p, lr=0.1, **options), 20, before=add)
        decayed, _ = descend(lambda p: optimizer(p, lr=0.1, weight_decay=0.3, **options), 20)
        assert np.allclose(penalized, decayed, rtol=1e-12)


def test_sgd_decroissance_de_la_these():
    """θ ← (1 − δ)θ − ηg est, pour la descente simple, la pénalité L2 de coefficient λ = δ/2η."""
    lr, delta = 0.1, 0.06
    path, _ = descend(lambda p: SGD(p, lr), 15, before=lambda opt, step: L2(delta / (2 * lr)).accumulate(opt.parameters))
    assert np.allclose(path[15], START * (1 - delta - lr * CURVATURE)**15, rtol=1e-12)


def test_l1_annule_l2_reduit():
    """Minimum de ½ (w − a)² + pénalité : seuillage doux avec L1, w = a/(1 + 2λ) avec L2."""
    a = np.array([3.0, 0.2, -1.0])
    for penalty, expected in [(L1(0.5), np.sign(a) * np.maximum(np.abs(a) - 0.5, 0)), (L2(0.5), a / 2)]:
        w = Parameter(np.zeros(3))
        optimizer = SGD([w], 0.01)
        for _ in range(2000):
            w.grad = w.data - a
            penalty.accumulate([w])
            optimizer.step()
        assert np.allclose(w.data, expected, atol=0.006)  # L1 oscille d'un pas autour de 0


def test_dans_fit_la_regression_d_arete():
    """Moindres carrés pénalisés : la solution est (XᵀX/N + λI)⁻¹ XᵀY/N."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 3))
    y = x @ rng.standard_normal((3, 1)) + 0.1 * rng.standard_normal((60, 1))
    layer = Linear(3, 1, bias=False, rng=0, dtype=np.float64)
    fit(layer, MSELoss(), SGD(layer.parameters(), 0.1), x, y, epochs=300, batch_size=60, progress=False, penalty=L2(0.2))
    expected = np.linalg.solve(x.T @ x / 60 + 0.2 * np.eye(3), x.T @ y / 60)
    assert np.allclose(layer.weight.data, expected.T, atol=1e-9)


def test_messages():
    for penalty in (L1, L2):
        with pytest.raises(ValueError, match=rf"{penalty.__name__}\s: strength doit être fini, positif ou nul, reçu -1"):
            penalty(-1)
    with pytest.raises(TypeError, match=r"L2\s: donner model\.parameters\(\)"):
        L2(1).value(Linear(2, 2))
    with pytest.raises(TypeError):
        L1(1) + 3
    assert repr(L1(0.5) + L2(0.1, biases=False)) == "L1(0.5) + L2(0.1, biases=False)"
