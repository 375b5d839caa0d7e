"""gradient_check : il dit juste quand c'est juste, faux quand c'est faux, et d'où vient l'erreur."""

import numpy as np
import pytest

from labcode.nn import (CrossEntropyLoss, Dropout, Linear, Module, MSELoss, Parameter, ReLU, Sequential,
                        StochasticNeuron, Tanh, gradient_check)

X = np.random.default_rng(0).standard_normal((6, 4))


class Square(Module):
    """y = a x², avec un gradient que l'on peut fausser."""

    def __init__(self, dx=lambda dx: dx, da=lambda da: da):
        self.a, self.spoil_dx, self.spoil_da = Parameter(np.array([0.5, 1, -2, 3])), dx, da

    def forward(self, x):
        self.x = x
        return self.a.data * x**2

    def backward(self, dy):
        self.a.grad += self.spoil_da((dy * self.x**2).sum(0))
        return self.spoil_dx(2 * self.a.data * self.x * dy)


def test_gradients_justes():
    """eq-gradient-check."""
    check = gradient_check(Square(), X)
    assert check.ok and 0 < check.max_error < 1e-8 and set(check.errors) == {"x", "a"}
    assert repr(check) == "✓ x : juste (erreur relative < 1e-6)\n✓ a : juste (erreur relative < 1e-6)"


def test_erreur_relative_contre_la_derivee_exacte():
    """eq-gradient-check : un gradient faux d'un facteur connu donne l'erreur que l'on calcule à la main."""
    assert np.isclose(gradient_check(Square(dx=lambda dx: 1.25 * dx), X).errors["x"], 0.2)
    assert np.isclose(gradient_check(Square(da=lambda da: -da), X).errors["a"], 2)


@pytest.mark.parametrize("spoil, hint", [
    (lambda g: -g, "erreur relative 2 : signe opposé ?"),
    (lambda g: 6 * g, "erreur relative 0,8 : 6 fois trop grand, facteur 1/N oublié ?"),
    (lambda g: g / 6, "erreur relative 0,8 : 6 fois trop petit, facteur 1/N de trop ?"),
    (lambda g: -6 * g, "erreur relative 1 : signe opposé, 6 fois trop grand, facteur 1/N oublié ?"),
    (lambda g: 2 * g, "erreur relative 0,5 : deux fois trop grand ?"),
    (lambda g: g / 2, "erreur relative 0,5 : deux fois trop petit ?"),
    (lambda g: 1.7 * g, "erreur relative 0,4 : proportionnel au bon, facteur 1,7 ?"),
    (lambda g: 0 * g, "erreur relative 1 : toujours nul"),
    (lambda g: g * (1 + 3e-5), "erreur relative 3e-5 : presque juste, calculé en float32 ?"),
    (lambda g: g + np.arange(4) * 1000, "erreur relative 1"),
    (lambda g: g * np.nan, "valeurs non finies"),
])
@pytest.mark.parametrize("name", ["x", "a"])
def test_gradient_faux_et_son_indice(name, spoil, hint):
    check = gradient_check(Square(**{f"d{name}": spoil}), X)
    other = {"x": "a", "a": "x"}[name]
    assert not check.ok and check.errors[name] > 1e-6 and check.errors[other] < 1e-6
    assert f"✗ {name} : faux ({hint}" in repr(check)
    assert f"✓ {other} : juste" in repr(check)


def test_transposee():
    class Wrong(Linear):
        def backward(self, dy):
            super().backward(dy)
            self.weight.grad = self.weight.grad.T.copy()
            return (dy @ self.weight.data).T

    check = gradient_check(Wrong(4, 4, rng=0), X)  # même graine que X : la direction tirée ne doit pas être X
    assert check.hints == {"x": "forme (4, 6), attendu (6, 4)", "weight": "transposé ?"}
    assert check.max_error == np.inf


def test_rien_renvoye():
    class Silent(Square):
        def backward(self, dy):
            super().backward(dy)

    assert "✗ x : faux (aucun gradient calculé)" in repr(gradient_check(Silent(), X))


def test_derivee_de_l_activation_oubliee():
    class Wrong(Tanh):
        def backward(self, dy):
            return dy

    model = Sequential(Linear(4, 3, rng=0), Wrong(), Linear(3, 2, rng=1))
    check = gradient_check(model, X)
    assert check.errors["2.weight"] < 1e-6 and check.errors["2.bias"] < 1e-6
    assert min(check.errors[name] for name in ("x", "0.weight", "0.bias")) > 1e-3


def test_un_seul_coefficient_faux_suffit():
    def spoil(gradient):
        gradient[3] += 1e-4 * np.abs(gradient).max()
        return gradient

    assert not gradient_check(Square(da=spoil), X).ok


def test_strict():
    with pytest.raises(AssertionError, match="Gradient faux :\n✗ x : faux"):
        gradient_check(Square(dx=lambda dx: -dx), X, strict=True)
    assert gradient_check(Square(), X, strict=True).ok


def test_avec_une_perte():
    model, labels = Sequential(Linear(4, 5, rng=0), Tanh(), Linear(5, 3, rng=1)), np.array([0, 1, 2, 2, 1, 0])
    check = gradient_check(model, X, CrossEntropyLoss(), labels)
    assert list(check.errors) == ["x", "0.weight", "0.bias", "2.weight", "2.bias"] and check.ok

    class Wrong(MSELoss):
        def backward(self):
            return super().backward() * 6

    check = gradient_check(Square(), X, Wrong(), np.zeros((6, 4)))
    assert all("facteur 1/N oublié ?" in hint for hint in check.hints.values()) and len(check.hints) == 2


def test_reseau_float32_verifie_en_float64_et_laisse_intact():
    model, x = Sequential(Linear(4, 3, rng=0), Tanh()), X.astype(np.float32)
    model.forward(x)
    model.backward(np.ones((6, 3)))
    before = [(p.data.copy(), p.grad.copy()) for p in model.parameters()]
    assert gradient_check(model, x).max_error < 1e-8
    for parameter, (data, grad) in zip(model.parameters(), before):
        assert parameter.data.dtype == np.float32
        assert np.array_equal(parameter.data, data) and np.array_equal(parameter.grad, grad)
    assert np.array_equal(x, X.astype(np.float32))


@pytest.mark.parametrize("container", [dict, list])
def test_objet_qui_n_est_pas_un_module(container):
    class Values:
        def __init__(self, data):
            self.data, self.grad = data, None

    class Student:
        def __init__(self, sign=1):
            self.w, self.sign = Values(np.ones((2, 4), np.float32)), sign

        def parameters(self):
            return {"w": self.w} if container is dict else [self.w]

        def forward(self, x):
            self.x = x
            return x @ self.w.data.T

        def backward(self, dy):
            self.w.grad = self.sign * dy.T @ self.x
            return dy @ self.w.data

    name = "w" if container is dict else "paramètre 0"
    assert gradient_check(Student(), X).ok and set(gradient_check(Student(), X).errors) == {"x", name}
    assert gradient_check(Student(-1), X).hints == {name: "signe opposé ?"}


def test_objet_sans_parameters():
    class Student:
        def __init__(self):
            self.scale = Parameter([2.0])

        def forward(self, x):
            self.x = x
            return self.scale.data * x

        def backward(self, dy):
            self.scale.grad += (dy * self.x).sum()
            return self.scale.data * dy

    assert set(gradient_check(Student(), X).errors) == {"x", "scale"} and gradient_check(Student(), X).ok


def test_parametres_sans_gradient():
    class Student(Square):
        def parameters(self):
            return [np.ones(3)]

        named_parameters = property()

    with pytest.raises(TypeError, match="doit avoir les attributs data et grad"):
        gradient_check(Student(), X)


def test_points_anguleux():
    """En 0, ReLU n'a pas de dérivée : toute valeur de [0, 1] convient, mais pas une autre."""

    class Convention(ReLU):
        at_zero = 0.0

        def derivative(self, x, y):
            return np.where(x == 0, self.at_zero, x > 0)

    x = np.array([[-1.0, 0, 2], [0, 0, 1e-7]])
    for at_zero, ok in ((0, True), (0.3, True), (1, True), (-0.1, False), (1.2, False)):
        layer = Convention()
        layer.at_zero = at_zero
        assert gradient_check(layer, x).ok == ok


def test_gradient_nul_et_bruit_d_arrondi():
    """Une fonction constante : 0 est juste, même si les différences finies sont bruitées par une grande perte."""

    class Constant(Square):
        def forward(self, x):
            self.x = x
            return self.a.data * 0 + np.ones_like(x) / 3

        def backward(self, dy):
            return np.zeros_like(self.x)

    assert gradient_check(Constant(), X).max_error == 0
    assert gradient_check(Constant(), X, MSELoss(), np.full((6, 4), 1e3)).ok
    assert not gradient_check(Square(dx=lambda dx: 0 * dx, da=lambda da: 0 * da), 1e-3 * X).ok


def test_grands_tableaux_sont_echantillonnes():
    check = gradient_check(Linear(200, 100, rng=0), np.random.default_rng(1).standard_normal((2, 200)), max_entries=50)
    assert check.ok

    class Wrong(Linear):
        def backward_parameters(self, dy):
            super().backward_parameters(dy)
            self.weight.grad *= -1

    check = gradient_check(Wrong(200, 100, rng=0), np.ones((2, 200)), max_entries=50)
    assert check.hints == {"weight": "signe opposé ?"}


def test_resultat_reproductible():
    wrong = Square(dx=lambda dx: dx**2)
    assert gradient_check(wrong, X).errors == gradient_check(wrong, X).errors
    assert gradient_check(wrong, X, rng=1).errors != gradient_check(wrong, X).errors


def test_sortie_scalaire_lot_de_un_et_entree_entiere():
    class Mean(Module):
        def forward(self, x):
            self.x = x
            return x.mean()

        def backward(self, dy):
            return np.full(self.x.shape, dy / self.x.size)

    assert gradient_check(Mean(), X).ok
    assert gradient_check(Mean(), [3]).ok
    assert gradient_check(Linear(2, 2, rng=0), [[1, 2]]).ok


def test_refus():
    class InPlace(Module):
        def forward(self, x):
            x += 1
            return x

    with pytest.raises(ValueError, match="forward modifie son entrée"):
        gradient_check(InPlace(), X)
    class Single(Square):
        def forward(self, x):
            return super().forward(x).astype(np.float32)

    with pytest.raises(ValueError, match="la sortie est en float32"):
        gradient_check(Single(), X)
    with pytest.raises(ValueError, match="la sortie n'est pas finie"):
        gradient_check(Square(), np.full((2, 4), np.nan))
    with pytest.raises(NotImplementedError, match="tirage au hasard"):
        gradient_check(StochasticNeuron(rng=0), X)


class PlainWeights:
    """Couche d'étudiant dont les poids ne sont pas dans un Parameter."""

    def __init__(self):
        self.w = np.ones((2, 4))

    def forward(self, x):
        self.x, self.double = x, 2 * x
        return x @ self.w.T

    def backward(self, dy):
        self.dy = dy
        return dy @ self.w


def test_poids_hors_d_un_parameter():
    warning = "aucun Parameter trouvé\u00a0: seul x est vérifié (ranger les poids dans un Parameter)"
    assert repr(gradient_check(PlainWeights(), X)).splitlines()[1:] == [warning]
    used = Tanh()
    used.backward(used.forward(X))  # ce qu'une couche garde pour backward n'est pas un poids
    assert repr(gradient_check(used, X)) == "✓ x\u00a0: juste (erreur relative < 1e-6)"


def variant(**methods):
    return type("Variant", (PlainWeights,), methods)()


@pytest.mark.parametrize("arguments, error, message", [
    ({"module": Tanh}, TypeError, "est la classe Tanh, attendu un objet"),
    ({"module": variant(backward=None)}, TypeError, "n'a pas de méthode backward"),
    ({"module": variant(forward=lambda self, x: None)}, TypeError, "forward ne renvoie rien"),
    ({"module": variant(backward=lambda self, dy: (dy, dy))}, TypeError, "backward renvoie un tuple"),
    ({"module": variant(parameters=lambda self: None)}, TypeError, r"parameters\(\) ne renvoie rien"),
    ({"module": variant(named_parameters=lambda self: None)}, TypeError, r"parameters\(\) ne renvoie rien"),
    ({"module": MSELoss()}, TypeError, r"MSELoss\(\) est une perte"),
    ({"loss": MSELoss}, TypeError, "est la classe MSELoss"),
    ({"loss": lambda y_hat, y: 0.0, "y": X}, TypeError, "n'a pas de méthode backward"),
    ({"loss": MSELoss()}, ValueError, "donner aussi la cible y"),
    ({"rng": "a"}, ValueError, "rng doit être une graine"),
    ({"module": Dropout(rng=0)}, ValueError, "ne redonne pas la même sortie"),
    ({"x": X[:0]}, ValueError, "est vide, il n'y a rien à vérifier"),
    ({"x": [[1], [1, 2]]}, ValueError, "lignes de longueurs différentes"),
    *[({name: value}, ValueError, f"{name} doit être un nombre strictement positif")
      for name in ("eps", "tol") for value in (0, -1, np.nan, np.inf, "a", None)],
    *[({"max_entries": value}, ValueError, "max_entries doit être un entier") for value in (0, 1.5, None)],
])
def test_erreurs_d_etudiant(arguments, error, message):
    with pytest.raises(error, match=message):
        gradient_check(**{"module": Tanh(), "x": X} | arguments)
