"""Ce que tous les optimiseurs partagent : décroissance des poids, état, suspension et reprise, calcul sur place."""

import copy
import io
import tracemalloc
from functools import partial

import numpy as np
import pytest
from quadratic import CURVATURE, START, descend

from labcode.nn import CrossEntropyLoss, Linear, Parameter, ReLU, Sequential
from labcode.optim import SGD, AdaGrad, Adam, AdamW, Layca, Optimizer, RMSprop, clip_grad_norm

FAMILY = {
    "sgd": partial(SGD, lr=0.1), "inertie": partial(SGD, lr=0.1, momentum=0.9),
    "nesterov": partial(SGD, lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "adagrad": partial(AdaGrad, lr=0.1), "rmsprop": partial(RMSprop, lr=0.01, weight_decay=1e-3),
    "adam": partial(Adam, lr=0.01), "adamw": partial(AdamW, lr=0.01, weight_decay=0.1),
}
LAYCA = {f"layca-{name}": lambda p, make=make: Layca(make(p)) for name, make in FAMILY.items()}


# --- Décroissance des poids ------------------------------------------------------------------------


def test_decroissance_par_le_gradient_sgd():
    """g + λθ : sur ½ c θ², la suite est géométrique, de raison 1 − η(c + λ)."""
    path, _ = descend(lambda p: SGD(p, 0.2, weight_decay=0.7), 10)
    assert np.allclose(path[10], START * (1 - 0.2 * (CURVATURE + 0.7))**10, rtol=1e-12)


@pytest.mark.parametrize("make", FAMILY.values(), ids=FAMILY)
def test_decroissance_decouplee_sans_gradient(make):
    """Sans gradient, il ne reste que θ ← (1 − ηλ) θ, quel que soit l'optimiseur."""
    optimizer = make([Parameter(START)])
    optimizer.weight_decay, optimizer.decoupled_weight_decay = 0.5, True
    for _ in range(6):
        optimizer.step()
    assert np.allclose(optimizer.parameters[0].data, START * (1 - 0.5 * optimizer.lr)**6, rtol=1e-13)


def both(optimizer, decay, n=20, **options):
    """Trajectoires avec la décroissance par le gradient et avec la décroissance découplée."""
    return [descend(lambda p: optimizer(p, lr=0.05, weight_decay=decay, decoupled_weight_decay=decoupled, **options), n)[0]
            for decoupled in (False, True)]


def test_sgd_les_deux_decroissances_sont_la_meme():
    coupled, decoupled = both(SGD, 0.3)
    assert np.allclose(coupled, decoupled, rtol=1e-13)


@pytest.mark.parametrize("optimizer, options", [(SGD, {"momentum": 0.9}), (AdaGrad, {}), (RMSprop, {}), (Adam, {})])
def test_ailleurs_elles_different(optimizer, options):
    """L'inertie retarde la pénalité, la normalisation en annule l'échelle."""
    coupled, decoupled = both(optimizer, 0.3, **options)
    assert np.abs(coupled[-1] - decoupled[-1]).max() > 1e-2


def test_adam_normalise_la_penalite_avec_le_reste():
    """Premier pas d'Adam : η signe(g + λθ), que λ ne change donc pas ; découplée : η signe(g) + ηλθ."""
    coupled, decoupled = both(Adam, 0.3, n=1, eps=1e-12)
    assert np.allclose(coupled[1], START - 0.05 * np.sign(START), rtol=1e-9)
    assert np.allclose(decoupled[1], START - 0.05 * np.sign(START) - 0.05 * 0.3 * START, rtol=1e-9)


def test_la_decroissance_decouplee_suit_le_taux_et_lit_les_valeurs_d_avant_le_pas():
    theta = Parameter(np.array([2.0]))
    theta.grad = np.array([10.0])
    SGD([theta], 0.1, weight_decay=0.5, decoupled_weight_decay=True).step()
    assert theta.data == pytest.approx(2 - 0.1 * 10 - 0.1 * 0.5 * 2)


@pytest.mark.parametrize("decoupled", [False, True])
def test_epargner_les_biais(decoupled):
    kernel, bias = Parameter(np.ones((2, 2))), Parameter(np.ones(2))
    SGD([kernel, bias], 0.1, weight_decay=0.5, decoupled_weight_decay=decoupled, decay_biases=False).step()
    assert np.allclose(kernel.data, 0.95) and np.array_equal(bias.data, np.ones(2))
    SGD([kernel, bias], 0.1, weight_decay=0.5, decoupled_weight_decay=decoupled).step()
    assert np.allclose(bias.data, 0.95)


# --- Suspendre et reprendre ------------------------------------------------------------------------


def training(make, dtype=np.float32):
    """Un petit réseau, son optimiseur, et de quoi faire quelques pas."""
    model, loss = Sequential(Linear(6, 8, rng=0, dtype=dtype), ReLU(), Linear(8, 3, rng=1, dtype=dtype)), CrossEntropyLoss()
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((40, 6)).astype(dtype), rng.integers(0, 3, 40)
    optimizer = make(model.parameters())

    def run(n, model=model, optimizer=optimizer):
        for _ in range(n):
            loss(model(x), y)
            optimizer.zero_grad()
            model.backward_parameters(loss.backward())
            optimizer.step()
        return [p.data.copy() for p in model.parameters()]

    return model, optimizer, run


@pytest.mark.parametrize("make", (FAMILY | LAYCA).values(), ids=FAMILY | LAYCA)
def test_reprise_au_bit_pres_par_un_fichier_npz(make):
    model, optimizer, run = training(make)
    run(7)
    optimizer.lr *= 0.5
    weights, file = [p.data.copy() for p in model.parameters()], io.BytesIO()
    np.savez(file, **optimizer.state_dict())
    expected = run(9)

    file.seek(0)
    model, optimizer, run = training(make)
    run(3)  # un état antérieur, qui doit disparaître
    for parameter, values in zip(model.parameters(), weights):
        parameter.data = values
    with np.load(file, allow_pickle=False) as state:
        optimizer.load_state_dict(state)
    assert type(optimizer.lr) is float
    assert all(np.array_equal(a, b) for a, b in zip(run(9), expected))


def test_l_etat_est_fait_de_nombres_et_de_tableaux_copies():
    _, optimizer, run = training(FAMILY["adam"])
    assert set(optimizer.state_dict()) == {"lr", "weight_decay", "beta1", "beta2", "eps", "n_steps"}  # avant le premier pas
    run(2)
    state = optimizer.state_dict()
    assert state["n_steps"] == 2 and {type(value) for value in state.values()} == {int, float, np.ndarray}
    assert {name for name in state if "." in name} == {f"{name}.{i}" for name in ("exp_avg", "exp_avg_sq") for i in range(4)}
    before = copy.deepcopy(state)
    run(1)
    assert all(np.array_equal(state[name], before[name]) for name in state)
    optimizer.load_state_dict(state)
    run(1)
    assert all(np.array_equal(state[name], before[name]) for name in state)


def test_reprendre_avant_le_premier_pas_oublie_la_memoire():
    model, optimizer, run = training(FAMILY["inertie"])
    start, state = [p.data.copy() for p in model.parameters()], optimizer.state_dict()
    first = run(5)
    optimizer.load_state_dict(state)
    for parameter, values in zip(model.parameters(), start):
        parameter.data = values
    assert optimizer.n_steps == 0 and all(np.array_equal(a, b) for a, b in zip(run(5), first))


@pytest.mark.parametrize("change, message", [
    (lambda state: state.pop("beta1"), r"en trop ou manquant\s: beta1"),
    (lambda state: state.update(momentum=0.9), r"en trop ou manquant\s: momentum"),
    (lambda state: state.update({"exp_avg.0": np.zeros((2, 2))}), r"exp_avg\.0 de forme \(2, 2\), attendu \(8, 6\)"),
    (lambda state: state.update({"exp_avg.4": np.zeros((2, 2))}), "exp_avg.4 n'est pas dans l'état"),
    (lambda state: state.update({"momentum_buffer.0": np.zeros((8, 6))}), "momentum_buffer.0 n'est pas dans l'état"),
    (lambda state: state.pop("exp_avg_sq.2"), "exp_avg, exp_avg_sq vont ensemble"),
    (lambda state: state.update(lr=-1.0), "lr doit être fini, positif ou nul"),
    (lambda state: state.update(beta2=1.0), "beta2 doit être dans"),
    (lambda state: state.update(n_steps=-1), "n_steps doit être"),
])
def test_etat_qui_ne_convient_pas(change, message):
    """L'erreur dit quoi, et l'optimiseur reste comme il était."""
    _, optimizer, run = training(FAMILY["adam"])
    run(2)
    state, before = optimizer.state_dict(), optimizer.state_dict()
    state["lr"] = 0.5
    change(state)
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(state)
    after = optimizer.state_dict()
    assert set(after) == set(before) and all(np.array_equal(after[name], before[name]) for name in before)


def test_l_etat_d_un_autre_optimiseur():
    _, adam, _ = training(FAMILY["adam"])
    with pytest.raises(ValueError, match=r"SGD\s: état d'un autre optimiseur, en trop ou manquant\s: beta1, beta2, eps, momentum"):
        training(FAMILY["sgd"])[1].load_state_dict(adam.state_dict())


def test_copie_profonde_avec_le_modele():
    """Copiés ensemble, le modèle et l'optimiseur avancent comme les originaux, sans y toucher."""
    model, optimizer, run = training(FAMILY["adam"])
    run(3)
    twin, twin_optimizer = copy.deepcopy((model, optimizer))
    before = [p.data.copy() for p in model.parameters()]
    ahead = run(4, twin, twin_optimizer)
    assert all(np.array_equal(p.data, values) for p, values in zip(model.parameters(), before))
    assert all(np.array_equal(a, b) for a, b in zip(run(4), ahead))


# --- Sur place, dans le bon type -------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("make", (FAMILY | LAYCA).values(), ids=FAMILY | LAYCA)
def test_sur_place_et_sans_changer_de_type(make, dtype):
    model, optimizer, run = training(make, dtype)
    arrays = [p.data for p in model.parameters()]
    run(2)
    assert all(p.data is array and array.dtype == dtype for p, array in zip(model.parameters(), arrays))
    assert all(value.dtype == dtype for value in optimizer.state_dict().values() if isinstance(value, np.ndarray))


@pytest.mark.parametrize("make", FAMILY.values(), ids=FAMILY)
def test_float32_suit_float64(make):
    single, double = (training(make, dtype)[2](15) for dtype in (np.float32, np.float64))
    assert all(np.allclose(a, b, rtol=1e-3, atol=1e-4) for a, b in zip(single, double))


@pytest.mark.parametrize("make", FAMILY.values(), ids=FAMILY)
def test_un_pas_n_alloue_rien_de_la_taille_d_un_parametre(make):
    parameters = [Parameter(np.ones((400, 500), np.float32)), Parameter(np.ones(500, np.float32))]
    optimizer = make(parameters)
    for parameter in parameters:
        parameter.grad = np.ones(parameter.shape)
    optimizer.step()  # la mémoire de la règle se crée au premier pas
    tracemalloc.start()
    optimizer.step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < parameters[0].data.nbytes / 10


def test_deux_types_de_parametres():
    """Des paramètres de types différents ne se partagent pas de tampon."""
    parameters = [Parameter(np.ones((2, 3), np.float32)), Parameter(np.ones(7)), Parameter(np.ones(4, np.float32))]
    for parameter in parameters:
        parameter.grad = np.full(parameter.shape, 2.0)
    SGD(parameters, 0.25, weight_decay=1.0).step()
    assert all(np.array_equal(p.data, np.full(p.shape, 0.25)) for p in parameters)


# --- Avant le pas, et optimiseurs à soi ------------------------------------------------------------


@pytest.mark.parametrize("wrap", [lambda optimizer: optimizer, Layca], ids=["seul", "layca"])
def test_avant_le_pas(wrap):
    """Les fonctions de ``before_step`` sont appelées dans l'ordre, avec la liste des paramètres, une fois par pas."""
    parameter, calls = Parameter(np.ones(4)), []
    parameter.grad = np.full(4, 5.0)
    optimizer = wrap(SGD([parameter], 1.0))
    optimizer.before_step.append(partial(clip_grad_norm, max_norm=1.0))
    optimizer.before_step.append(lambda parameters: calls.append((parameters[0], parameters[0].grad.copy())))
    optimizer.step()
    assert calls[0][0] is parameter and np.allclose(calls[0][1], 0.5) and len(calls) == 1
    assert np.allclose(parameter.data, 0.5)


def test_une_regle_a_soi():
    """``compute_step`` suffit : décroissance, état et Layca viennent avec."""
    class Sign(Optimizer):
        memory_names = ("count",)

        def compute_step(self, grad, memory, out):
            memory["count"] += 1
            np.multiply(np.sign(grad), self.lr * memory["count"], out=out)

    parameter = Parameter(np.ones(2))
    optimizer = Sign([parameter], 0.5, weight_decay=1.0)
    parameter.grad = np.array([-3.0, 0.0])
    optimizer.step()
    optimizer.step()
    assert np.allclose(parameter.data, [1 + 0.5 + 1.0, 1 - 0.5 - 1.0]) and np.array_equal(optimizer.state_dict()["count.0"], [2, 2])


def test_un_parametre_deux_fois():
    parameter = Parameter(np.ones(1))
    with pytest.raises(ValueError, match=r"SGD\s: un même paramètre figure deux fois"):
        SGD([parameter, Parameter(np.ones(1)), parameter], 0.1)
