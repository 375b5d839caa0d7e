"""Conv1d, Conv2d et leurs transposées."""

import copy
import re

import numpy as np
import pytest
from scipy.signal import correlate

from labcode.nn import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d, Sequential, Tanh, conv, gradient_check, plain, winograd
from labcode.nn.images import Windows

# N, C, C′, taille, noyau, pas, marges, dilatation
CASES = [
    (1, 1, 1, (1, 1), (1, 1), (1, 1), (0, 0), (1, 1)),
    (2, 3, 4, (5, 6), (3, 3), (1, 1), (1, 1), (1, 1)),
    (3, 2, 5, (7, 5), (3, 2), (1, 1), (0, 0), (1, 1)),
    (2, 3, 2, (8, 9), (3, 3), (2, 2), (1, 1), (1, 1)),
    (2, 2, 3, (9, 7), (2, 3), (3, 2), (0, 1), (1, 1)),  # une bande de l'entrée n'est vue par aucune fenêtre
    (2, 2, 3, (9, 8), (3, 2), (1, 1), (2, 1), (2, 3)),
    (3, 3, 2, (9, 9), (2, 3), (2, 1), (1, 3), (3, 2)),
    (2, 2, 2, (4, 4), (1, 1), (1, 1), (2, 1), (1, 1)),  # plus de marge que de noyau
    (2, 2, 2, (5, 4), (2, 2), (3, 3), (0, 0), (1, 1)),  # pas plus grand que le noyau
    (1, 1, 2, (6, 12), (5, 5), (1, 1), (2, 2), (1, 1)),  # peu de canaux : fenêtres rangées en colonnes
    (3, 2, 4, (4, 10), (3, 3), (1, 1), (2, 0), (1, 1)),  # pas de 1, nombres pairs de fenêtres : Winograd
    (2, 2, 4, (7, 11), (2, 3), (2, 1), (0, 1), (1, 2)),  # lignes qui se touchent, une sur deux ; noyau dilaté en largeur
    (2, 1, 8, (6, 6), (5, 5), (1, 1), (0, 0), (1, 1)),  # adjointe par ajouts, plutôt que par le noyau retourné
]
IDS = [f"k{c[4]}s{c[5]}p{c[6]}d{c[7]}".replace(" ", "") for c in CASES]
each_case = pytest.mark.parametrize("case", CASES, ids=IDS)


def layer_and_input(case, transposed=False, seed=0, dtype=np.float64, extra=(0, 0)):
    """Couche de biais non nul, et une entrée ; la transposée va de C′ à C et rend sa taille à l'entrée."""
    n, c, c_out, size, k, s, p, d = case
    rng = np.random.default_rng(seed)
    if transposed:
        layer = ConvTranspose2d(c_out, c, k, s, p, extra, dilation=d, rng=rng, dtype=dtype)
        size = tuple((m + 2 * q - e * (f - 1) - 1) // t + 1 for m, q, e, f, t in zip(size, p, d, k, s))
        x = rng.standard_normal((n, c_out, *size))
    else:
        layer = Conv2d(c, c_out, k, s, p, d, rng=rng, dtype=dtype)
        x = rng.standard_normal((n, c, *size))
    layer.bias.data = rng.standard_normal(layer.bias.shape)
    return layer, x.astype(dtype)


@pytest.fixture(params=["un bloc", "petits blocs", "par lignes", "Winograd", "Winograd, petits blocs"])
def block(request, monkeypatch):
    """Les mêmes résultats, que le lot tienne en un bloc ou en demande plusieurs, par lignes et par l'algorithme de Winograd."""
    if request.param == "par lignes":
        monkeypatch.setattr(conv, "LONG", 1)
    if "Winograd" in request.param:
        monkeypatch.setattr(winograd, "WORTH", 1)
    if "petits blocs" in request.param:
        monkeypatch.setattr(conv, "BLOCK", 1)
        monkeypatch.setattr(winograd, "BLOCK", 1)


# --- Sorties ---


@each_case
def test_convolution_contre_les_boucles(case, block):
    layer, x = layer_and_input(case)
    expected = plain.convolve(x, layer.weight.data, layer.bias.data, *case[5:])
    assert layer(x).shape == expected.shape
    assert np.allclose(layer(x), expected, rtol=1e-12, atol=1e-13)


@each_case
def test_convolution_transposee_contre_les_boucles(case, block):
    layer, y = layer_and_input(case, transposed=True)
    size = layer.output_size(y.shape[2:])
    expected = plain.convolve_transposed(y, layer.weight.data, layer.bias.data, *case[5:], size)
    assert layer(y).shape == expected.shape
    assert np.allclose(layer(y), expected, rtol=1e-12, atol=1e-13)


def test_convolution_contre_scipy():
    rng = np.random.default_rng(0)
    layer, x = Conv2d(3, 4, (3, 2), rng=rng, dtype=np.float64), rng.standard_normal((2, 3, 6, 7))
    y = layer(x)
    for n in range(2):
        for o in range(4):
            assert np.allclose(y[n, o], correlate(x[n], layer.weight.data[o], "valid")[0])


def test_valeurs_calculees_a_la_main():
    """Différence de voisins, puis moyenne glissante avec pas et marge, puis répétition espacée."""
    x = np.array([[[1.0, 4, 9, 16, 25]]])
    difference = Conv1d(1, 1, 2)
    difference.weight.data = [[[-1, 1]]]
    assert np.array_equal(difference(x), [[[3, 5, 7, 9]]])
    total = Conv1d(1, 1, 3, stride=2, padding=1, bias=False)
    total.weight.data = np.ones((1, 1, 3))
    assert np.array_equal(total(x), [[[5, 29, 41]]])
    spread = ConvTranspose1d(1, 1, 3, stride=2, bias=False)
    spread.weight.data = [[[1, 10, 100]]]
    assert np.array_equal(spread(np.array([[[1.0, 2]]])), [[[1, 10, 102, 20, 200]]])


@pytest.mark.parametrize("transposed", [False, True])
def test_un_axe_comme_deux(transposed):
    """Conv1d est Conv2d sur des images d'une ligne."""
    rng = np.random.default_rng(0)
    name, extra = ("ConvTranspose", (1,)) if transposed else ("Conv", ())
    one, two = {"Conv": (Conv1d, Conv2d), "ConvTranspose": (ConvTranspose1d, ConvTranspose2d)}[name]
    line = one(3, 4, 3, 2, 1, *extra, dilation=2, rng=0, dtype=np.float64)
    image = two(3, 4, (1, 3), (1, 2), (0, 1), *((0, e) for e in extra), dilation=(1, 2), dtype=np.float64)
    image.weight.data = line.weight.data[:, :, None]
    x = rng.standard_normal((2, 3, 9))
    y = line(x)
    assert np.allclose(y, image(x[:, :, None])[:, :, 0])
    dy = rng.standard_normal(y.shape)
    assert np.allclose(line.backward(dy), image.backward(dy[:, :, None])[:, :, 0])
    assert np.allclose(line.weight.grad, image.weight.grad[:, :, 0])
    assert np.allclose(line.bias.grad, image.bias.grad)


# --- Adjointes ---


@each_case
def test_adjointes(case, block):
    """⟨conv(x), y⟩ = ⟨x, convᵀ(y)⟩ pour un même noyau."""
    n, c, c_out, size, k, s, p, d = case
    rng = np.random.default_rng(1)
    x = rng.standard_normal((n, c, *size))
    convolution = Conv2d(c, c_out, k, s, p, d, bias=False, rng=0, dtype=np.float64)
    y = rng.standard_normal(convolution(x).shape)
    back = [(m + 2 * q - e * (f - 1) - 1) % t for m, q, e, f, t in zip(size, p, d, k, s)]  # ce que le pas a laissé de côté
    transposed = ConvTranspose2d(c_out, c, k, s, p, tuple(back), dilation=d, bias=False, dtype=np.float64)
    transposed.weight.data = convolution.weight.data
    assert transposed(y).shape == x.shape
    assert np.isclose(np.vdot(convolution(x), y), np.vdot(x, transposed(y)), rtol=1e-12)
    assert np.allclose(convolution.backward(y), transposed(y))
    assert np.allclose(transposed.backward(x), convolution(x))


@each_case
def test_adjointe_par_les_deux_chemins(case, monkeypatch):
    """Le noyau retourné et les ajouts décalés donnent la même adjointe."""
    layer, x = layer_and_input(case)
    dy = np.random.default_rng(2).standard_normal(layer(x).shape)
    dx = layer.backward(dy)
    monkeypatch.setattr(conv, "flipped_pays_off", lambda *_: False)
    assert np.allclose(layer.backward(dy), dx, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("kernel, stride, padding, dilation, size, n, pay_off", [
    ((8, 4, 3, 3), (1, 1), (1, 1), (1, 1), (4, 16), 64, True),
    ((8, 4, 3, 3), (2, 1), (1, 1), (1, 2), (4, 18), 64, True),    # ni le pas vertical ni la dilatation en largeur ne gênent
    ((9, 4, 3, 3), (1, 1), (1, 1), (1, 1), (4, 16), 64, False),   # trop de canaux en sortie
    ((8, 4, 3, 1), (1, 1), (1, 0), (1, 1), (4, 16), 64, False),   # une seule colonne : rien à décaler
    ((8, 4, 3, 3), (1, 2), (1, 1), (1, 1), (4, 32), 64, False),   # des fenêtres qui ne se touchent pas
    ((8, 4, 3, 3), (1, 1), (2, 1), (2, 1), (4, 16), 64, False),   # des lignes qui ne se touchent pas
    ((8, 4, 3, 3), (1, 1), (1, 1), (1, 1), (4, 16), 63, False),   # lignes trop courtes
    ((8, 4, 3, 3), (1, 1), (1, 1), (1, 1), (4, 4), 256, True),
    ((8, 4, 3, 3), (1, 1), (1, 1), (1, 1), (4, 3), 999, False),   # trop de marges
])
def test_par_lignes_quand_c_est_mieux(kernel, stride, padding, dilation, size, n, pay_off, monkeypatch):
    windows, rng = Windows(kernel[2:], stride, padding, dilation), np.random.default_rng(0)
    assert conv.lines_pay_off(kernel, windows, windows.count(size, "test"), n) == pay_off
    called, function = [], conv.correlate_lines
    monkeypatch.setattr(conv, "correlate_lines", lambda *arguments: called.append(1) or function(*arguments))
    x, weight, bias = rng.standard_normal((kernel[1], *size, n)), rng.standard_normal(kernel), rng.standard_normal(kernel[0])
    y = conv.correlate(x, weight, windows, bias)
    assert bool(called) == pay_off
    expected = plain.convolve(x[..., :3].transpose(3, 0, 1, 2), weight, bias, stride, padding, dilation)
    assert np.allclose(y[..., :3].transpose(3, 0, 1, 2), expected, rtol=1e-12, atol=1e-13)


def test_un_signal_ne_va_pas_par_lignes():
    assert not conv.lines_pay_off((8, 4, 3), Windows((3,), (1,), (1,), (1,)), (4096,), 64)


# --- Gradients ---


@each_case
@pytest.mark.parametrize("transposed", [False, True])
def test_gradient_par_differences_finies(case, transposed, block):
    layer, x = layer_and_input(case, transposed)
    check = gradient_check(layer, x, max_entries=40)
    assert list(check.errors) == ["x", "weight", "bias"] and check.max_error < 1e-6


@pytest.mark.parametrize("layer, shape", [
    (Conv1d(3, 2, 3, 2, 1, 2, rng=0), (4, 3, 11)),
    (ConvTranspose1d(3, 2, 4, 3, 2, 2, dilation=2, rng=0), (4, 3, 6)),
    (ConvTranspose2d(2, 3, 3, 2, 1, 1, rng=0), (3, 2, 4, 3)),
    (Conv2d(2, 3, 3, bias=False, rng=0), (3, 2, 4, 5)),
    (Sequential(Conv2d(1, 3, 3, padding=1, rng=0), Tanh(), ConvTranspose2d(3, 1, 2, 2, rng=1)), (2, 1, 4, 4)),
])
def test_gradient_d_autres_couches(layer, shape):
    assert gradient_check(layer, np.random.default_rng(3).standard_normal(shape)).max_error < 1e-6


def test_gradient_du_noyau_et_du_biais_contre_leur_somme():
    """∂L/∂w = Σ dy · fenêtre et ∂L/∂b = Σ dy, écrits indice par indice."""
    layer, x = layer_and_input(CASES[3])
    y = layer(x)
    dy = np.random.default_rng(4).standard_normal(y.shape)
    layer.backward_parameters(dy)
    padded = plain.pad(x, (1, 1))
    expected = np.zeros(layer.weight.shape)
    for i, j, seen in plain.windows(padded, (3, 3), (2, 2), (1, 1)):
        expected += np.einsum("no,nckl->ockl", dy[:, :, i, j], padded[seen])
    assert np.allclose(layer.weight.grad, expected, rtol=1e-12)
    assert np.allclose(layer.bias.grad, [dy[:, o].sum() for o in range(2)], rtol=1e-12)
    layer.backward(dy)
    assert np.allclose(layer.weight.grad, 2 * expected) and np.allclose(layer.bias.grad, 2 * dy.sum((0, 2, 3)))


@pytest.mark.parametrize("transposed", [False, True])
@each_case
def test_contre_pytorch(case, transposed):
    torch = pytest.importorskip("torch")
    layer, x = layer_and_input(case, transposed)
    peer = torch.nn.functional.conv_transpose2d if transposed else torch.nn.functional.conv2d
    tensors = [torch.tensor(a, requires_grad=True) for a in (x, layer.weight.data, layer.bias.data)]
    y = peer(*tensors, stride=layer.stride, padding=layer.padding, dilation=layer.dilation)
    dy = np.random.default_rng(5).standard_normal(y.shape)
    assert np.allclose(layer(x), y.detach().numpy())
    y.backward(torch.tensor(dy))
    for ours, theirs in zip((layer.backward(dy), layer.weight.grad, layer.bias.grad), tensors):
        assert np.allclose(ours, theirs.grad.numpy())


# --- Types, mémoire, partage ---


@each_case
@pytest.mark.parametrize("transposed", [False, True])
def test_float32_proche_de_float64(case, transposed):
    layer64, x = layer_and_input(case, transposed)
    layer32, _ = layer_and_input(case, transposed, dtype=np.float32)
    dy = np.random.default_rng(6).standard_normal(layer64(x).shape)
    pairs = [(layer32(x), layer64(x)), (layer32.backward(dy), layer64.backward(dy)),
             (layer32.weight.grad, layer64.weight.grad), (layer32.bias.grad, layer64.bias.grad)]
    for single, double in pairs:
        assert single.dtype == np.float32 and double.dtype == np.float64
        assert np.allclose(single, double, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float64, np.float16])
def test_toute_entree_est_convertie_dans_le_type_de_la_couche(dtype):
    layer, x = Conv2d(1, 2, 2, rng=0), np.eye(4)[None, None]
    assert layer(x.astype(dtype)).dtype == np.float32
    assert np.array_equal(layer(x.astype(dtype)), layer(x.astype(np.float32)))


def test_l_ordre_en_memoire_ne_change_rien():
    layer, x = layer_and_input(CASES[1])
    y = layer(x)
    dy = np.random.default_rng(7).standard_normal(y.shape)
    dx = layer.backward(dy)
    for other in (np.asfortranarray(x), np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2),
                  x.repeat(2, axis=3)[..., ::2]):
        assert np.allclose(layer(other), y, rtol=1e-14)
        assert np.allclose(layer.backward(np.asfortranarray(dy)), dx, rtol=1e-14)


def test_rien_n_est_modifie_sauf_les_gradients():
    layer, x = layer_and_input(CASES[2])  # sans marge : l'entrée n'est pas recopiée
    dy = np.random.default_rng(8).standard_normal(layer(x).shape)
    before = [a.copy() for a in (x, dy, layer.weight.data, layer.bias.data)]
    layer.backward(dy)
    assert all(np.array_equal(a, b) for a, b in zip((x, dy, layer.weight.data, layer.bias.data), before))


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("stride", [1, 2])
def test_lot_partage_entre_plusieurs_fils(transposed, stride, monkeypatch):
    """Le même lot en une part et en plusieurs : mêmes sorties, mêmes gradients."""
    layer = (ConvTranspose2d if transposed else Conv2d)(3, 4, 3, stride, 1, rng=0)
    x = np.random.default_rng(9).standard_normal((7, 3, 6, 5)).astype(np.float32)
    layer.bias.data = [1, -2, 3, -4]
    twin = copy.deepcopy(layer)
    y = layer(x)
    dx = layer.backward(y)
    monkeypatch.setattr("labcode.nn.parallel.WORTH_SHARING", 0)
    assert np.allclose(twin(x), y, rtol=1e-5, atol=1e-6)
    assert np.allclose(twin.backward(y), dx, rtol=1e-5, atol=1e-6)
    for p, q in zip(layer.parameters(), twin.parameters()):
        assert np.allclose(p.grad, q.grad, rtol=1e-4)


# --- Poids de départ, écriture, erreurs ---


@pytest.mark.parametrize("layer, fan", [(Conv2d(50, 40, 3, rng=0), 450), (Conv1d(80, 100, 5, rng=0), 400),
                                        (ConvTranspose2d(60, 50, 4, 2, rng=0), 240),
                                        (ConvTranspose1d(100, 80, 6, 3, rng=0), 200)])
def test_poids_de_depart(layer, fan):
    """Uniformes, de moyenne nulle et de variance 1/(nombre d'entrées vues par une sortie) ; biais nuls ; reproductibles."""
    weight = layer.weight.data
    assert np.abs(weight).max() <= np.sqrt(3 / fan) and abs(weight.mean()) < 5 * weight.std() / np.sqrt(weight.size)
    assert abs(weight.var() * fan - 1) < 0.02
    assert not layer.bias.data.any() and weight.dtype == np.float32
    twins = [type(layer)(2, 3, 3, rng=rng).weight.data for rng in (5, np.random.default_rng(5), 6)]
    assert np.array_equal(twins[0], twins[1]) and not np.array_equal(twins[0], twins[2])


def test_ecriture():
    assert repr(Conv2d(3, 16, 3)) == "Conv2d(3, 16, kernel_size=3)"
    assert repr(Conv1d(3, 16, 3, 2, 1, 2, bias=False)) == "Conv1d(3, 16, kernel_size=3, stride=2, padding=1, dilation=2, bias=False)"
    assert repr(ConvTranspose2d(3, 1, (3, 2), 2, 0, (1, 0))) == (
        "ConvTranspose2d(3, 1, kernel_size=(3, 2), stride=2, output_padding=(1, 0))")


@pytest.mark.parametrize("shape", [(2, 1, 8, 8), (3, 8, 8), (0, 3, 8, 8), (2, 3, 8), (2, 3, 0, 8), ()])
def test_entree_de_mauvaise_forme(shape):
    message = f"Conv2d(3, 4, kernel_size=3) : entrée de forme {shape}, attendu (N, 3, H, W) avec N ≥ 1"
    with pytest.raises(ValueError, match=re.escape(message)):
        Conv2d(3, 4, 3)(np.zeros(shape))
    with pytest.raises(ValueError, match=re.escape("attendu (N, 3, L) avec N ≥ 1")):
        Conv1d(3, 4, 3)(np.zeros((2, 4, 9)))


def test_un_seul_exemple_le_conseil():
    with pytest.raises(ValueError, match=re.escape("pour un seul exemple, donner x[None]")):
        Conv2d(3, 4, 3)(np.zeros((3, 8, 8)))


@pytest.mark.parametrize("layer, shape, sizes", [
    (Conv2d(1, 1, 5, padding=1), (2, 1, 2, 9), "il s'étend sur 5×5, l'entrée sur 4×11 marges comprises"),
    (Conv2d(1, 1, 3, dilation=(1, 3)), (2, 1, 9, 6), "il s'étend sur 3×7, l'entrée sur 9×6 marges comprises"),
    (Conv1d(1, 1, 4), (2, 1, 3), "il s'étend sur 4, l'entrée sur 3 marges comprises"),
])
def test_noyau_plus_grand_que_l_entree(layer, shape, sizes):
    with pytest.raises(ValueError, match=re.escape(f"{layer} : noyau plus grand que l'entrée : {sizes}")):
        layer(np.zeros(shape))


def test_sortie_transposee_vide():
    with pytest.raises(ValueError, match="marges trop grandes, la sortie aurait la taille 0×1"):
        ConvTranspose2d(1, 1, (2, 3), padding=1)(np.zeros((1, 1, 1, 1)))


@pytest.mark.parametrize("arguments, message", [
    ({"in_channels": 0}, "in_channels doit être un entier au moins égal à 1, reçu 0"),
    ({"out_channels": 2.5}, "out_channels doit être un entier au moins égal à 1, reçu 2.5"),
    ({"kernel_size": 0}, "kernel_size doit être un entier au moins égal à 1, ou 2 entiers, reçu 0"),
    ({"kernel_size": (1, 2, 3)}, "kernel_size doit être un entier au moins égal à 1, ou 2 entiers, reçu (1, 2, 3)"),
    ({"stride": (1, 0)}, "stride doit être un entier au moins égal à 1"),
    ({"padding": -1}, "padding doit être un entier au moins égal à 0"),
    ({"padding": "same"}, "padding doit être un entier"),
    ({"dilation": 0}, "dilation doit être un entier au moins égal à 1"),
    ({"output_padding": 2, "stride": 2}, "output_padding doit être inférieur à stride, reçu output_padding=2 et stride=2"),
])
def test_arguments_impossibles(arguments, message):
    arguments = {"in_channels": 1, "out_channels": 1, "kernel_size": 3} | arguments
    for layer in (ConvTranspose2d,) if "output_padding" in arguments else (Conv2d, ConvTranspose2d):
        with pytest.raises(ValueError, match=re.escape(f"{layer.__name__} : {message}")):
            layer(**arguments)


@pytest.mark.parametrize("make, shape", [(Conv2d, (1, 2, 4, 4)), (ConvTranspose2d, (1, 2, 4, 4))])
def test_gradient_de_mauvaise_forme(make, shape):
    layer = make(2, 3, 3)
    with pytest.raises(RuntimeError, match="backward appelé avant forward"):
        layer.backward(np.zeros(shape))
    y = layer(np.zeros(shape))
    with pytest.raises(ValueError, match=re.escape(f"gradient dy de forme (1, 3, 1, 1), attendu {y.shape} comme la sortie")):
        layer.backward(np.zeros((1, 3, 1, 1)))
