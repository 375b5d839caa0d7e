"""Parameter, Module, Sequential."""

import copy
import pickle

import numpy as np
import pytest

from labcode.nn import (BatchNorm1d, BatchNorm2d, Buffer, Conv2d, Flatten, Linear, MaxPool2d, Module, Parameter, ReLU,
                        Sequential, Tanh)


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
    first, second = Linear(3, 3), Linear(3, 3)
    second.weight = first.weight
    assert len(Sequential(first, Tanh(), second).parameters()) == 3


def test_une_meme_couche_deux_fois_est_refusee():
    """Elle ne se souviendrait que de son dernier forward : le gradient serait faux sans rien dire."""
    layer = Tanh()
    with pytest.raises(ValueError, match=r"la couche 2 \(Tanh\(\)\) est la même que la couche 0"):
        Sequential(layer, Linear(3, 3), layer)
    with pytest.raises(ValueError, match=r"la couche 1\.1 \(Tanh\(\)\) est la même que la couche 0"):
        Sequential(layer, Sequential(ReLU(), layer))
    model = Sequential(Tanh(), Sequential(ReLU(), Tanh()))
    assert len(model[:1]) == 1 and len(Sequential(*model)) == 2


def test_listes_irregulieres_et_valeurs_masquees():
    with pytest.raises(ValueError, match="Tanh.* lignes de longueurs différentes"):
        Tanh().forward([[1], [1, 2]])
    with pytest.raises(ValueError, match="Tanh.* valeurs masquées"):
        Tanh().forward(np.ma.masked_equal([1.0, 2], 2))
    assert np.allclose(Tanh().forward(np.ma.array([1.0, 2])), np.tanh([1, 2]))


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


# --- Buffer, state_dict, save et load ---


def normalized(seed=0):
    """Réseau qui a des paramètres et des statistiques, tous différents de leurs valeurs de départ."""
    rng = np.random.default_rng(seed)
    model = Sequential(Linear(5, 4, rng=rng), BatchNorm1d(4), Sequential(ReLU(), Linear(4, 3, rng=rng)))
    for _ in range(3):
        model(rng.standard_normal((6, 5)))
    for parameter in model.parameters():
        parameter.data += rng.standard_normal(parameter.shape)
    return model


NAMES = ["0.bias", "0.weight", "1.bias", "1.running_mean", "1.running_var", "1.weight", "2.1.bias", "2.1.weight"]


def test_buffer():
    values = np.ones(3)
    buffer = Buffer(values)
    buffer.data += 1
    data = buffer.data
    buffer.data = [4, 5, 6]
    assert np.array_equal(values, np.ones(3)) and buffer.data is data and np.array_equal(data, [4, 5, 6])
    assert not hasattr(buffer, "grad") and repr(buffer) == "Buffer(shape=(3,), dtype=float64)"
    with pytest.raises(ValueError, match=r"Buffer\.data : forme \(2,\), attendu \(3,\)"):
        buffer.data = np.ones(2)


def test_state_dict_est_une_copie_que_load_state_dict_reprend():
    model, twin = normalized(0), normalized(1)
    state = model.state_dict()
    assert sorted(state) == NAMES
    x = np.random.default_rng(2).standard_normal((7, 5))
    expected = model.eval()(x)
    twin.load_state_dict(state)
    assert np.array_equal(twin.eval()(x), expected)
    twin[0].weight.data += 1
    model[0].weight.data += 1
    assert np.array_equal(state["0.weight"] + 1, model[0].weight.data)


@pytest.mark.parametrize("change, message", [
    (lambda s: s.pop("1.running_var"), "il manque 1.running_var"),
    (lambda s: s.update(intrus=np.ones(1)), "intrus en trop"),
    (lambda s: s.update({"2.1.weight": np.ones((4, 3))}), r"2\.1\.weight de forme \(4, 3\), attendu \(3, 4\)"),
])
def test_etat_qui_ne_convient_pas(change, message):
    model = normalized()
    before, state = model.state_dict(), normalized(1).state_dict()
    change(state)
    with pytest.raises(ValueError, match="load_state_dict : .*" + message):
        model.load_state_dict(state)
    assert all(np.array_equal(before[name], after) for name, after in model.state_dict().items())


@pytest.mark.parametrize("name", ["modele.npz", "modele", "modele.v2"])
def test_fichier_aller_et_retour(tmp_path, name):
    model, twin = normalized(0), normalized(1)
    model.save(tmp_path / name)
    assert [path.suffix for path in tmp_path.iterdir()] == [".npz"]
    assert twin.load(str(tmp_path / name)) is twin
    for name, value in model.state_dict().items():
        assert np.array_equal(twin.state_dict()[name], value) and twin.state_dict()[name].dtype == value.dtype
    with np.load(next(tmp_path.iterdir()), allow_pickle=False) as file:
        assert sorted(file) == NAMES


def test_fichier_qui_ne_convient_pas(tmp_path):
    with pytest.raises(FileNotFoundError, match="load : le fichier .*absent.npz n'existe pas"):
        normalized().load(tmp_path / "absent")
    broken = tmp_path / "abime.npz"
    normalized().save(broken)
    for content in (b"", b"bonjour", broken.read_bytes()[:300], np.array([1]).tobytes()):
        broken.write_bytes(content)
        with pytest.raises(ValueError, match="abime.npz n'est pas un fichier .npz lisible"):
            normalized().load(broken)
    with open(broken, "wb") as file:
        np.save(file, np.ones(3))  # un seul tableau, sans nom
    with pytest.raises(ValueError, match="n'est pas un fichier .npz lisible"):
        normalized().load(broken)
    np.savez(tmp_path / "objets.npz", **{"0.weight": np.array([{}])})
    with pytest.raises(ValueError, match="n'est pas un fichier .npz lisible"):
        normalized().load(tmp_path / "objets.npz")
    network().save(tmp_path / "autre")
    with pytest.raises(ValueError, match="ce réseau n'a pas les mêmes tableaux") as caught:
        normalized().load(tmp_path / "autre")
    assert "autre.npz" in caught.value.__notes__[0]


def test_ecriture_interrompue_laisse_l_ancien_fichier(tmp_path, monkeypatch):
    model = normalized()
    model.save(tmp_path / "modele")
    before = (tmp_path / "modele.npz").read_bytes()

    def stop(file, **arrays):
        file.write(b"debut")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", stop)
    with pytest.raises(KeyboardInterrupt):
        model.save(tmp_path / "modele")
    assert (tmp_path / "modele.npz").read_bytes() == before


# --- summary ---


def test_tableau_des_couches():
    model = Sequential(Conv2d(1, 2, 3), ReLU(), Sequential(MaxPool2d(2), Flatten()), Linear(1250, 1000))
    model(np.zeros((2, 1, 52, 52)))
    assert model.summary((1, 52, 52)).replace("\u202f", " ") == """\
couche                           sortie          paramètres
───────────────────────────────────────────────────────────
entrée                           (N, 1, 52, 52)
0 : Conv2d(1, 2, kernel_size=3)  (N, 2, 50, 50)          20
1 : ReLU()                       (N, 2, 50, 50)           0
2.0 : MaxPool2d(2)               (N, 2, 25, 25)           0
2.1 : Flatten()                  (N, 1250)                0
3 : Linear(1250, 1000)           (N, 1000)        1 251 000
───────────────────────────────────────────────────────────
total                                             1 251 020"""
    with pytest.raises(ValueError, match=r"Conv2d\(1, 2, kernel_size=3\) : entrée de forme \(1, 3, 52, 52\)"):
        model.summary((3, 52, 52))


def test_summary_ne_change_rien_au_reseau():
    model, x = normalized(), np.random.default_rng(1).standard_normal((6, 5))
    y = model(x)
    before, training = model.state_dict(), [layer.training for layer in model]
    model.summary((5,))
    assert [layer.training for layer in model] == training == [True] * 3
    assert all(np.array_equal(before[name], value) for name, value in model.state_dict().items())
    assert model.backward(np.ones_like(y)).shape == x.shape  # les valeurs gardées pour backward sont intactes


def test_parametres_d_un_vgg16():
    """Nombre de paramètres par couche de VGG-16 avec normalisation par lot, pour des images 32×32 : mémoire 003, table 6.2."""
    layers, channels = [], 3
    for width in (64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512, "pool"):
        if width == "pool":
            layers.append(MaxPool2d(2))
        else:
            layers += [Conv2d(channels, width, 3, padding=1), BatchNorm2d(width), ReLU()]
            channels = width
    model = Sequential(*layers, Flatten(), Linear(512, 512), BatchNorm1d(512), ReLU(), Linear(512, 10), BatchNorm1d(10))
    rows = [line.replace("\u202f", "").split() for line in model.summary((3, 32, 32)).splitlines()]
    counts = {kind: [int(row[-1]) for row in rows if len(row) > 2 and row[2].startswith(kind)]
              for kind in ("Conv2d", "Linear", "BatchNorm", "ReLU", "MaxPool2d")}
    assert counts["Conv2d"] == [1792, 36928, 73856, 147584, 295168, 590080, 590080, 1180160, 2359808, 2359808, 2359808,
                                2359808, 2359808]
    assert counts["Linear"] == [262656, 5130]
    assert counts["BatchNorm"] == [128, 128, 256, 256, 512, 512, 512] + 7 * [1024] + [20]
    assert not any(counts["ReLU"] + counts["MaxPool2d"]) and len(counts["MaxPool2d"]) == 5
    shapes = [int(np.prod([int(size) for size in " ".join(row).split("(N, ")[1].split(")")[0].split(", ")]))
              for row in rows if len(row) > 2 and row[2].startswith("Conv2d")]
    assert shapes == [65536] * 2 + [32768] * 2 + [16384] * 3 + [8192] * 3 + [2048] * 3  # colonne « # Neurones »
    assert rows[-1] == ["total", str(sum(map(sum, counts.values())))]
