"""Parameter, Module, Sequential."""

import copy
import pickle

import numpy as np
import pytest

from labcode.nn import Flatten, Linear, Module, Parameter, ReLU, Sequential, Tanh


class Scale(Module):
    """Couche d'étudiant : y = a x, écrite avec le strict nécessaire."""

    def __init__(self, a):
        self.a = Parameter(np.full(1, a))

    def forward(self, x):
        self.x = x
        return self.a.data * x

    def backward(self, dy):
        self.a.grad += (dy * self.x).sum()
        return self.a.data * dy


def network(dtype=np.float64):
    return Sequential(Linear(5, 4, rng=0, dtype=dtype), Tanh(), Linear(4, 3, rng=1, dtype=dtype))


# --- Parameter ---


def test_gradient_d_un_parametre_neuf_est_nul():
    assert np.array_equal(Parameter(np.ones((2, 3))).grad, np.zeros((2, 3)))


def test_parametre_copie_ses_valeurs():
    values = np.ones(3)
    parameter = Parameter(values)
    parameter.data += 1
    assert np.array_equal(values, np.ones(3))


@pytest.mark.parametrize("given, kept", [(np.float32, np.float32), (np.float64, np.float64),
                                         (np.int64, np.float32), (bool, np.float32)])
def test_type_d_un_parametre(given, kept):
    parameter = Parameter(np.ones(2, given))
    assert parameter.data.dtype == parameter.grad.dtype == kept


def test_accumulate_ecrit_puis_ajoute():
    parameter = Parameter(np.zeros((2, 2)))
    a, b = np.array([[1.0, 2], [3, 4]]), np.array([[0.0, 1], [1, 0]])
    parameter.accumulate(np.matmul, a, b)
    assert np.array_equal(parameter.grad, a @ b)
    parameter.accumulate(np.matmul, b, a)
    assert np.array_equal(parameter.grad, a @ b + b @ a)
    parameter.zero_grad()
    parameter.accumulate(np.matmul, b, a)
    assert np.array_equal(parameter.grad, b @ a)


def test_zero_grad_se_lit_comme_des_zeros_meme_apres_un_gradient_nan():
    parameter = Parameter(np.zeros(2))
    parameter.grad = np.array([np.nan, np.inf])
    parameter.zero_grad()
    assert np.array_equal(parameter.grad, [0, 0])


def test_gradient_lu_ou_modifie_apres_zero_grad_n_est_pas_perdu():
    parameter = Parameter(np.zeros(2))
    parameter.zero_grad()
    parameter.grad[:] = [1, 2]  # p. ex. une pénalité ajoutée avant la rétropropagation
    parameter.accumulate(np.add, np.ones(2), np.ones(2))
    assert np.array_equal(parameter.grad, [3, 4])


def test_affectations_sur_place():
    parameter = Parameter(np.zeros(2))
    data, grad = parameter.data, parameter.grad
    parameter.data = [1, 2]
    parameter.data -= 1
    parameter.grad = np.array([5.0, 6])
    parameter.grad *= 2
    assert parameter.data is data and np.array_equal(data, [0, 1])
    assert parameter.grad is grad and np.array_equal(grad, [10, 12])


@pytest.mark.parametrize("name", ["data", "grad"])
def test_affectation_d_une_autre_forme(name):
    with pytest.raises(ValueError, match=rf"Parameter\.{name} : forme \(3, 2\), attendu \(2, 3\)"):
        setattr(Parameter(np.zeros((2, 3))), name, np.zeros((3, 2)))


@pytest.mark.parametrize("values", [["a", "b"], [1j], [None]])
def test_parametre_qui_n_est_pas_un_nombre(values):
    with pytest.raises(TypeError, match="nombres réels"):
        Parameter(values)


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copie_independante(clone):
    model = network()
    twin = clone(model)
    for p, q in zip(model.parameters(), twin.parameters()):
        assert np.array_equal(p.data, q.data) and not np.shares_memory(p.data, q.data)


# --- Module ---


def test_noms_des_parametres():
    class Branches(Module):
        def __init__(self):
            self.gain = Parameter(np.ones(1))
            self.trunk = Sequential(Linear(2, 2), ReLU())
            self.heads = [Linear(2, 1, bias=False), Linear(2, 1, bias=False)]

    names = [name for name, _ in Branches().named_parameters()]
    assert names == ["gain", "trunk.0.weight", "trunk.0.bias", "heads.0.weight", "heads.1.weight"]
    assert [name for name, _ in network().named_parameters()] == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_un_parametre_partage_compte_une_fois():
    layer = Linear(3, 3)
    assert len(Sequential(layer, Tanh(), layer).parameters()) == 2


def test_poids_partages_additionnent_leurs_gradients():
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, 4, 3))
    layer = Linear(3, 3, rng=0, dtype=np.float64)
    twin = copy.deepcopy(layer)
    Sequential(layer, copy.deepcopy(layer)).forward(x)
    layer.backward(dy)
    once = layer.weight.grad.copy()
    layer.forward(x)
    layer.backward(dy)
    assert np.allclose(layer.weight.grad, 2 * once)
    assert np.array_equal(twin.weight.grad, np.zeros((3, 3)))


def test_modes_apprentissage_et_evaluation():
    inner = Sequential(Tanh())
    model = Sequential(Linear(2, 2), inner)
    assert model.training and inner[0].training
    assert model.eval() is model
    assert not model.training and not inner.training and not inner[0].training
    assert model.train() is model
    assert model.training and inner[0].training


def test_couche_sans_forward():
    with pytest.raises(NotImplementedError, match="Module ne définit pas forward"):
        Module()(np.ones((1, 1)))
    with pytest.raises(NotImplementedError, match="Module ne définit pas backward"):
        Module().backward(np.ones((1, 1)))


# --- Sequential ---


def test_sequential_compose_les_couches():
    """Composition et règle de la chaîne, contre le calcul à la main de tanh(x W₁ᵀ + b₁) W₂ᵀ + b₂."""
    rng = np.random.default_rng(1)
    model, x, dy = network(), rng.standard_normal((6, 5)), rng.standard_normal((6, 3))
    first, _, second = model
    first.bias.data, second.bias.data = rng.standard_normal(4), rng.standard_normal(3)
    h = np.tanh(np.einsum("ni,ji->nj", x, first.weight.data) + first.bias.data)
    assert np.allclose(model(x), np.einsum("nj,kj->nk", h, second.weight.data) + second.bias.data, rtol=1e-12)

    dx = model.backward(dy)
    dh_tilde = np.einsum("nk,kj->nj", dy, second.weight.data) * (1 - h**2)
    assert np.allclose(second.weight.grad, np.einsum("nk,nj->kj", dy, h), rtol=1e-12)
    assert np.allclose(first.weight.grad, np.einsum("nj,ni->ji", dh_tilde, x), rtol=1e-12)
    assert np.allclose(first.bias.grad, dh_tilde.sum(0), rtol=1e-12)
    assert np.allclose(dx, np.einsum("nj,ji->ni", dh_tilde, first.weight.data), rtol=1e-12)


@pytest.mark.parametrize("build", [
    network,
    lambda: Sequential(Flatten(), network()),  # la première couche qui apprend n'est pas la première couche
    lambda: Sequential(Scale(2.0), network()),  # une couche qui ne connaît que backward
    lambda: Sequential(network()[:2], network()[2:]),
])
def test_backward_parameters_donne_les_memes_gradients(build):
    model, x, dy = build(), np.random.default_rng(2).standard_normal((6, 5)), np.ones((6, 3))
    model.forward(x)
    model.backward(dy)
    expected = [p.grad.copy() for p in model.parameters()]
    model.zero_grad()
    assert model.backward_parameters(dy) is None
    for parameter, gradient in zip(model.parameters(), expected):
        assert np.array_equal(parameter.grad, gradient)
        assert gradient.any()


def test_backward_parameters_ne_derive_pas_l_entree():
    class Input(Module):
        def forward(self, x):
            return x

        def backward(self, dy):
            raise AssertionError("l'entrée ne devait pas être dérivée")

    model = Sequential(Input(), network())
    model.forward(np.ones((2, 5)))
    model.backward_parameters(np.ones((2, 3)))
    Sequential(Input()).backward_parameters(np.ones((2, 3)))


def test_gradients_s_additionnent_d_un_backward_a_l_autre():
    rng = np.random.default_rng(3)
    model, x, dy = network(), rng.standard_normal((8, 5)), rng.standard_normal((8, 3))
    model.forward(x)
    model.backward(dy)
    whole = [p.grad.copy() for p in model.parameters()]
    model.zero_grad()
    for half in (slice(0, 3), slice(3, 8)):
        model.forward(x[half])
        model.backward(dy[half])
    for parameter, gradient in zip(model.parameters(), whole):
        assert np.allclose(parameter.grad, gradient, rtol=1e-12, atol=1e-14)


def test_zero_grad_du_reseau():
    model = network()
    model.forward(np.ones((2, 5)))
    model.backward(np.ones((2, 3)))
    model.zero_grad()
    assert not any(p.grad.any() for p in model.parameters())


def test_acces_aux_couches():
    model = network()
    assert len(model) == 3 and model[1] is list(model)[1] and model[-1] is model[2]
    assert isinstance(model[:2], Sequential) and model[:2][0] is model[0]
    assert repr(Sequential(Linear(2, 3, bias=False), Sequential(ReLU()))) == (
        "Sequential(\n  (0): Linear(2, 3, bias=False)\n  (1): Sequential(\n    (0): ReLU()\n  )\n)")


def test_sequential_vide_est_l_identite():
    x = np.ones((2, 3))
    assert np.array_equal(Sequential()(x), x) and np.array_equal(Sequential().backward(x), x)


def test_sequential_refuse_ce_qui_n_est_pas_une_couche():
    with pytest.raises(TypeError, match=r"reçu list \(écrire Sequential\(\*couches\)\)"):
        Sequential([Linear(2, 2)])
    with pytest.raises(TypeError, match="chaque couche doit être un Module, reçu type"):
        Sequential(Linear(2, 2), ReLU)


def test_erreur_de_forme_nomme_la_couche():
    model = Sequential(Linear(5, 4), ReLU(), Linear(3, 2))
    with pytest.raises(ValueError, match=r"Linear\(3, 2\) : entrée de forme \(6, 4\)") as caught:
        model(np.ones((6, 5)))
    assert caught.value.__notes__ == ["(dans la couche 2 du réseau)"]


def test_backward_avant_forward():
    with pytest.raises(RuntimeError, match="backward appelé avant forward"):
        network().backward(np.ones((2, 3)))
