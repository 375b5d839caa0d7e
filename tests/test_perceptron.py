"""Neurone formel et perceptron : eq-formal-neuron, eq-perceptron-output, eq-perceptron-update, eq-margin,
eq-perceptron-bound.
"""

import itertools

import numpy as np
import pytest
from scipy.linalg import hadamard
from sklearn.linear_model import Perceptron as SklearnPerceptron

from labcode.perceptron import FormalNeuron, Perceptron, margin, mistake_bound

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
GATES = {
    "ET": ([1, 1], 2, lambda a, b: a and b),
    "OU": ([1, 1], 1, lambda a, b: a or b),
    "NON-ET": ([-1, -1], -1, lambda a, b: not (a and b)),
    "NON-OU": ([-1, -1], 0, lambda a, b: not (a or b)),
    "a ET NON b": ([1, -1], 1, lambda a, b: a and not b),
}


def separable(rng, n_examples=40, n_features=3, gap=0.05):
    """Points qu'un hyperplan connu sépare, en laissant un couloir vide."""
    w, b = rng.normal(size=n_features), rng.normal()
    X = rng.normal(size=(n_examples * 5, n_features))
    potential = X @ w + b
    keep = np.abs(potential) > gap * np.linalg.norm(w)
    X, y = X[keep][:n_examples], (potential[keep][:n_examples] > 0).astype(int)
    if len(set(y)) == 1:
        return separable(rng, n_examples, n_features, gap)
    return X, y, w, b


@pytest.mark.parametrize("gate", GATES)
def test_portes_logiques(gate):
    """eq-formal-neuron : table de vérité complète."""
    weights, threshold, truth = GATES[gate]
    neuron = FormalNeuron(weights, threshold)
    expected = [int(truth(a, b)) for a, b in CORNERS]
    assert neuron(CORNERS).tolist() == expected
    assert [neuron(x) for x in CORNERS] == expected


def test_neurone_formel_non_et_majorite():
    assert [FormalNeuron([-1], 0)([x]) for x in (0, 1)] == [1, 0]
    for x in itertools.product((0, 1), repeat=5):
        assert FormalNeuron([1] * 5, 3)(x) == int(sum(x) >= 3)


def test_neurone_formel_aucun_reglage_ne_donne_xor():
    grid = np.arange(-3, 3.5, 0.5)
    for w1, w2, theta in itertools.product(grid, grid, grid):
        assert FormalNeuron([w1, w2], theta)(CORNERS).tolist() != [0, 1, 1, 0]


def test_deux_couches_de_neurones_formels_donnent_xor():
    hidden = np.column_stack([FormalNeuron([1, 1], 1)(CORNERS), FormalNeuron([-1, -1], -1)(CORNERS)])
    assert FormalNeuron([1, 1], 2)(hidden).tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("x, message", [([0, 2], "binaires"), ([0.5, 1], "binaires"), ([0, np.nan], "binaires"),
                                        ([0, 1, 1], r"forme \(3,\)"), (1, r"forme \(\)")])
def test_neurone_formel_refuse(x, message):
    with pytest.raises(ValueError, match=message):
        FormalNeuron([1, 1], 1)(x)


@pytest.mark.parametrize("weights, threshold", [([1, np.nan], 0), ([[1, 2]], 0), ([1], np.inf), ([1], [0])])
def test_neurone_formel_refuse_ses_reglages(weights, threshold):
    with pytest.raises(ValueError, match="weights|threshold"):
        FormalNeuron(weights, threshold)


def test_trace_a_la_main():
    """eq-perceptron-update : la porte ET, suivie crayon en main. En 0 la sortie est 1, d'où les premières erreurs."""
    model = Perceptron(max_epochs=1).fit(CORNERS, [0, 0, 0, 1])
    # (0,0) prédit 1 : b = −1 ; (0,1) et (1,0) prédits 0 : rien ; (1,1) prédit 0 : w = (1,1), b = 0
    assert (model.coef_.tolist(), model.intercept_, model.mistakes_per_example_.tolist()) == ([1, 1], 0, [1, 0, 0, 1])
    assert not model.converged_
    model = Perceptron().fit(CORNERS, [0, 0, 0, 1])
    assert model.predict(CORNERS).tolist() == [0, 0, 0, 1]


def test_regle_de_rosenblatt_reecrite():
    """eq-perceptron-update : w ← w + (y − ŷ) x et b ← b + (y − ŷ), avec des boucles naïves."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        X, y, *_ = separable(rng)
        w, b, per_epoch = [0.0] * X.shape[1], 0.0, []
        while not per_epoch or per_epoch[-1]:
            per_epoch.append(0)
            for x, target in zip(X, y):
                output = 1 if sum(wj * xj for wj, xj in zip(w, x)) + b >= 0 else 0
                w = [wj + (target - output) * xj for wj, xj in zip(w, x)]
                b += target - output
                per_epoch[-1] += target != output
        model = Perceptron(max_epochs=10_000).fit(X, y)
        np.testing.assert_allclose(model.coef_, w, rtol=1e-10, atol=1e-12)
        assert (model.intercept_, model.mistakes_per_epoch_, model.n_mistakes_) == (b, per_epoch, sum(per_epoch))


def test_poids_sont_la_somme_des_erreurs():
    """eq-perceptron-update : w = Σ_n α_n t_n x_n, où α_n compte les erreurs sur l'exemple n ; même sans convergence."""
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(50, 4)), rng.integers(0, 2, size=50)
    model = Perceptron(max_epochs=30, rng=3).fit(X, y)
    signed = model.mistakes_per_example_ * (2 * y - 1)
    np.testing.assert_allclose(model.coef_, signed @ X, atol=1e-9)
    assert model.intercept_ == signed.sum()
    assert model.n_mistakes_ == model.mistakes_per_example_.sum() == sum(model.mistakes_per_epoch_)


def test_sortie():
    """eq-perceptron-output : 1 si w·x + b ≥ 0, bord compris."""
    X, y, *_ = separable(np.random.default_rng(2))
    model = Perceptron().fit(X, y)
    potentials = [sum(w * x for w, x in zip(model.coef_, row)) + model.intercept_ for row in X]
    np.testing.assert_allclose(model.decision_function(X), potentials, atol=1e-12)
    assert model.predict(X).tolist() == [int(p >= 0) for p in potentials] == y.tolist()
    model.coef_, model.intercept_ = np.array([1.0, 0.0, 0.0]), -2.0
    assert model.predict([[2, 5, 5], [1.999, 5, 5]]).tolist() == [1, 0]


def test_borne_de_novikoff():
    """eq-perceptron-bound : jamais plus de (R/γ)² erreurs, quels que soient l'ordre et la dimension."""
    rng = np.random.default_rng(3)
    for trial in range(150):
        X, y, w, b = separable(rng, n_examples=int(rng.integers(3, 60)), n_features=int(rng.integers(1, 8)))
        model = Perceptron(max_epochs=100_000, rng=None if trial % 2 else trial).fit(X, y)
        assert model.converged_ and (model.predict(X) == y).all()
        assert model.n_mistakes_ <= mistake_bound(X, y, w, b)
        assert model.n_mistakes_ <= mistake_bound(X, y, model.coef_, model.intercept_)


@pytest.mark.parametrize("n", [4, 16, 64])
def test_borne_presque_atteinte(n):
    """eq-perceptron-bound : des vecteurs augmentés orthogonaux (lignes de Hadamard) ; la borne vaut n, et l'on fait n −
    1 erreurs.

    Le seul exemple positif est bien classé dès le début, car la sortie de 0 est 1.
    """
    rows = hadamard(n)
    assert (rows[:, 0] == 1).all()                   # l'entrée fictive
    X, y = rows[:, 1:], np.zeros(n, dtype=int)
    y[0] = 1
    signs = 2 * y - 1
    assert mistake_bound(X, y, signs @ X, signs.sum()) == pytest.approx(n)
    assert Perceptron().fit(X, y).n_mistakes_ == n - 1


def test_xor_ne_converge_jamais():
    for rng in (None, 0, 1):
        model = Perceptron(max_epochs=300, rng=rng).fit(CORNERS, [0, 1, 1, 0])
        assert not model.converged_ and len(model.mistakes_per_epoch_) == 300 and min(model.mistakes_per_epoch_) >= 1
        assert "Pas de convergence" in model.note_ and "max_epochs" in model.note_


def test_meme_resultat_que_scikit_learn():
    """Même ordre, mêmes erreurs, mêmes poids. Le premier exemple est négatif : scikit-learn compte w·x = 0 comme une
    erreur.
    """
    rng = np.random.default_rng(4)
    for _ in range(10):
        X, y, *_ = separable(rng, gap=0.2)
        order = np.argsort(y, kind="stable")[:1].tolist()
        order += [n for n in range(len(y)) if n != order[0]]
        X, y = X[order], y[order]
        ours = Perceptron(max_epochs=500).fit(X, y)
        theirs = SklearnPerceptron(shuffle=False, eta0=1, tol=None, max_iter=500).fit(X, y)
        assert ours.converged_
        np.testing.assert_allclose(ours.coef_, theirs.coef_[0], rtol=1e-8, atol=1e-10)
        assert ours.intercept_ == pytest.approx(theirs.intercept_[0])


def test_etiquettes_signees():
    X, y, *_ = separable(np.random.default_rng(5))
    zero_one, signed = Perceptron(rng=7).fit(X, y), Perceptron(rng=7).fit(X, 2 * y - 1)
    assert zero_one.coef_.tolist() == signed.coef_.tolist()
    assert signed.predict(X).tolist() == (2 * y - 1).tolist()


def test_le_hasard_est_explicite():
    X, y, *_ = separable(np.random.default_rng(6), n_examples=60)
    first, again, other = (Perceptron(rng=seed).fit(X, y) for seed in (0, 0, 1))
    assert first.coef_.tolist() == again.coef_.tolist() != other.coef_.tolist()
    assert Perceptron().fit(X, y).coef_.tolist() == Perceptron().fit(X, y).coef_.tolist()
    assert Perceptron(rng=np.random.default_rng(0)).fit(X, y).coef_.tolist() == first.coef_.tolist()


def test_ne_change_pas_les_donnees():
    X, y, *_ = separable(np.random.default_rng(7))
    before = X.copy(), y.copy()
    Perceptron(rng=0).fit(X, y)
    assert (X == before[0]).all() and (y == before[1]).all()


def test_marge():
    """eq-margin : cas à la main, invariance d'échelle, distance pour b = 0, signe quand on ne sépare pas."""
    X, y = np.array([[3.0, 4.0], [-6.0, 8.0]]), np.array([1, 0])
    assert margin(X, y, [1, 0]) == 3
    assert margin(X, y, [10, 0]) == 3
    assert margin(X, y, [3, 4], 12) == pytest.approx(min(37, -26) / 13)
    rng = np.random.default_rng(8)
    X, y, w, b = separable(rng)
    augmented, wb = np.column_stack([np.ones(len(X)), X]), np.append(b, w)
    distances = [abs(z @ wb) / np.linalg.norm(wb) for z in augmented]
    assert margin(X, y, w, b) == pytest.approx(min(distances)) == pytest.approx(margin(X, 2 * y - 1, 5 * w, 5 * b))
    assert margin(X, 1 - y, w, b) == pytest.approx(-max(distances))


def test_borne_a_la_main():
    """eq-perceptron-bound : x = ±1 sur la droite, w = 1 : R² = 2, γ = 1, donc 2."""
    assert mistake_bound([[1.0], [-1.0]], [1, 0], [1.0]) == pytest.approx(2)
    X, y, *_ = separable(np.random.default_rng(9))
    radius = max(1 + sum(x**2 for x in row) for row in X) ** 0.5
    model = Perceptron().fit(X, y)
    gamma = margin(X, y, model.coef_, model.intercept_)
    assert mistake_bound(X, y, model.coef_, model.intercept_) == pytest.approx((radius / gamma) ** 2)
    with pytest.raises(ValueError, match="ne sépare pas"):
        mistake_bound([[1.0], [-1.0]], [0, 1], [1.0])


@pytest.mark.parametrize("X, y, error, message", [
    ([[0.0, np.nan], [1, 1]], [0, 1], ValueError, "X.*NaN"),
    ([[0.0, np.inf], [1, 1]], [0, 1], ValueError, "X.*infinie"),
    ([0.0, 1.0], [0, 1], ValueError, r"X.*forme \(2,\)"),
    (np.empty((0, 2)), [], ValueError, "X.*vide"),
    ([[0.0], [1.0]], [0, 1, 1], ValueError, r"y.*\(3,\).*\(2,\)"),
    ([[0.0], [1.0]], [0, 2], ValueError, "y.*étiquettes"),
    ([[0.0], [1.0], [2.0]], [0, 1, -1], ValueError, "y.*étiquettes"),
    ([[0.0], [1.0]], [1, 1], ValueError, "une seule classe"),
    ([["a"], ["b"]], [0, 1], TypeError, "X.*nombres"),
])
def test_perceptron_refuse(X, y, error, message):
    with pytest.raises(error, match=message):
        Perceptron().fit(X, y)


def test_perceptron_refuse_aussi():
    with pytest.raises(ValueError, match="max_epochs"):
        Perceptron(max_epochs=0)
    with pytest.raises(RuntimeError, match="fit"):
        Perceptron().predict([[0, 1]])
    with pytest.raises(ValueError, match="3 colonnes"):
        Perceptron().fit(CORNERS, [0, 0, 0, 1]).predict([[0, 1, 2]])
    with pytest.raises(ValueError, match="aucune frontière"):
        margin(CORNERS, [0, 0, 0, 1], [0, 0])
    with pytest.raises(ValueError, match="w.*3 composantes"):
        margin(CORNERS, [0, 0, 0, 1], [0, 0, 1])


def test_notes():
    model = Perceptron().fit([[-1.0], [1.0]], [0, 1])
    assert model.converged_ and model.n_mistakes_ == 1
    assert model.note_ == "Convergence : l'époque 2 se passe sans erreur, après 1 erreur en tout."
    assert repr(model) == "Perceptron(max_epochs=1000)"
    assert repr(FormalNeuron([1, 1], 2)) == "FormalNeuron(weights=[1.0, 1.0], threshold=2)"


@pytest.mark.parametrize("b, error", [(np.nan, ValueError), (np.inf, ValueError), ("a", TypeError), (None, TypeError), ([1.0, 2.0], ValueError)])
@pytest.mark.parametrize("measure", [margin, mistake_bound])
def test_biais_impossible(measure, b, error):
    with pytest.raises(error, match=r"^b\s:.*nombre.*attendu"):
        measure([[-1.0], [1.0]], [0, 1], [1.0], b)


@pytest.mark.parametrize("rng, error", [("a", TypeError), (1.5, TypeError), (-1, ValueError)])
def test_graine_impossible(rng, error):
    with pytest.raises(error, match=r"^rng\s:"):
        Perceptron(rng=rng)


@pytest.mark.parametrize("call, name", [
    (lambda bad: FormalNeuron(bad, 1), "weights"), (lambda bad: FormalNeuron([1, 1], 1)(bad), "X"),
    (lambda bad: Perceptron().fit(bad, [0, 1]), "X"), (lambda bad: Perceptron().fit(CORNERS[:2], bad), "y"),
])
def test_tableaux_irreguliers_ou_masques(call, name):
    with pytest.raises(ValueError, match=rf"^{name}\s: lignes de longueurs différentes"):
        call([[0, 1], [1]])
    with pytest.raises(ValueError, match=rf"^{name}\s: tableau masqué"):
        call(np.ma.masked_equal([0, 1], 1))
