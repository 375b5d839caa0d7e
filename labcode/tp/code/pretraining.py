"""Chapitre 10 : les fonctions du réseau profond, des sigmoïdes et un softmax, de l'entrée au taux d'erreur."""

import numpy as np

from labcode.tp.code.network import _logits, _softmax, _targets
from labcode.tp.code.reference import Trial, reference


def _sigmoid(x):
    return 0.5 * np.tanh(0.5 * x) + 0.5


def _layers(rng, *widths):
    pairs = list(zip(widths, widths[1:]))
    return [1.5 * rng.normal(size=(n_out, n_in)) for n_in, n_out in pairs], [rng.normal(size=n_out) for _, n_out in pairs]


SHAPES = (((5, 3, 4, 2), ""), ((6, 2, 5, 4, 3), ""), ((4, 3, 3, 3, 3), "des matrices carrées"), ((7, 4, 2, 3, 5, 3), "quatre couches"),
          ((1, 3, 4, 2), "un seul exemple"))


# ── Le softmax de la dernière couche ─────────────────────────────────────────


def _last_layers(rng):
    trials = []
    for trial in _logits(rng):
        n_y = trial.arguments[0].shape[1]
        H = rng.random((len(trial.arguments[0]), n_y + 2))
        scale = 1000 if trial.label.startswith("de très grands") else 1
        trials.append(Trial((H, scale * rng.normal(size=(n_y, n_y + 2)), rng.normal(size=n_y)), trial.label if scale > 1 else ""))
    return [*trials, Trial((rng.random((4, 3)), rng.normal(size=(3, 3)), rng.normal(size=3)), "une matrice carrée")]


@reference(trials=_last_layers, batch="H", speed=lambda rng: (rng.random((2000, 200)), rng.normal(size=(10, 200)), rng.normal(size=10)))
def calcul_softmax(H, W, b):
    """Les probabilités de la couche de classification, pour un lot (eq-linear, eq-softmax)."""
    return _softmax(H @ W.T + b)


@calcul_softmax.mistake("Ce sont les logits. Il reste à leur appliquer le softmax.")
def _(H, W, b):
    return H @ W.T + b


@calcul_softmax.mistake("C'est la **sigmoïde** des logits : les probabilités d'une image n'ont pas pour somme 1.")
def _(H, W, b):
    return _sigmoid(H @ W.T + b)


@calcul_softmax.mistake("Juste, tant que les logits sont petits. Sinon, `exp` déborde : retirez d'abord le maximum de chaque ligne.")
def _(H, W, b):
    e = np.exp(H @ W.T + b)
    return e / e.sum(axis=1, keepdims=True)


@calcul_softmax.mistake("Mauvais **axe** : ce sont les colonnes qui ont pour somme 1. Une image est une ligne.")
def _(H, W, b):
    return _softmax(H @ W.T + b, axis=0)


@calcul_softmax.mistake("Le biais de la couche manque.")
def _(H, W, b):
    return _softmax(H @ W.T)


# ── La passe avant, toutes les sorties gardées ───────────────────────────────


def _networks(rng):
    trials = []
    for (N, *widths), label in SHAPES:
        trials.append(Trial((rng.random((N, widths[0])), *_layers(rng, *widths)), label))
    weights, biases = _layers(rng, 3, 4, 2)
    return [*trials, Trial((rng.random((5, 3)), [weights[0], 1000 * weights[1]], biases), "de très grands logits"),
            Trial((rng.random((5, 3)), *_layers(rng, 3, 2)), "une seule couche")]


@reference(trials=_networks, outputs=("layers", "Y_hat"), batch="X")
def entree_sortie_reseau(X, weights, biases):
    """Les sorties de chaque couche cachée, puis les probabilités (eq-dnn-forward)."""
    return _forward(X, weights, biases)


def _forward(X, weights, biases, activation=_sigmoid, output=_softmax):
    layers = []
    for W, b in zip(weights[:-1], biases[:-1]):
        X = activation(X @ W.T + b)
        layers.append(X)
    return layers, output(X @ weights[-1].T + biases[-1])


@entree_sortie_reseau.mistake("Les couches cachées d'un DBN ont pour activation la **sigmoïde**, et non $\\tanh$.")
def _(*arguments):
    return _forward(*arguments, activation=np.tanh)


@entree_sortie_reseau.mistake("Les couches cachées n'ont pas d'activation : il manque la sigmoïde.")
def _(*arguments):
    return _forward(*arguments, activation=lambda x: x)


@entree_sortie_reseau.mistake("Le dernier résultat est $\\tilde Y$, les logits. Il reste à leur appliquer le softmax.")
def _(*arguments):
    return _forward(*arguments, output=lambda x: x)


@entree_sortie_reseau.mistake("La dernière couche est une **classification** : un softmax, et non une sigmoïde.")
def _(*arguments):
    return _forward(*arguments, output=_sigmoid)


@entree_sortie_reseau.mistake("Juste, tant que les logits sont petits. Sinon, `exp` déborde : retirez d'abord le maximum de chaque ligne.")
def _(*arguments):
    return _forward(*arguments, output=lambda x: np.exp(x) / np.exp(x).sum(axis=1, keepdims=True))


@entree_sortie_reseau.mistake("Vous avez aussi rangé l'entrée dans la liste. Elle ne contient que les couches **cachées**.")
def _(X, weights, biases):
    layers, Y_hat = _forward(X, weights, biases)
    return [X, *layers], Y_hat


# ── Un pas de rétropropagation ───────────────────────────────────────────────


def _steps(rng):
    trials = []
    for (N, *widths), label in SHAPES:
        trials.append(Trial((rng.random((N, widths[0])), _targets(rng, N, widths[-1]), *_layers(rng, *widths), 0.3 + rng.random()), label))
    return [*trials, Trial((rng.random((5, 3)), _targets(rng, 5, 2), *_layers(rng, 3, 2), 0.5), "une seule couche")]


@reference(trials=_steps, outputs=("weights", "biases"), batch="X")
def pas_de_retropropagation(X, Y, weights, biases, lr):
    """Les paramètres après un pas de descente sur un lot (eq-dnn-gradient, eq-sgd)."""
    return _step(X, Y, weights, biases, lr)


def _step(X, Y, weights, biases, lr, slope=lambda H: H * (1 - H), mean=True, updated=False):
    layers, Y_hat = _forward(X, weights, biases)
    values, grad = [X, *layers], (Y_hat - Y) / (len(X) if mean else 1)
    new_weights, new_biases = [], []
    for W, b, H in zip(weights[::-1], biases[::-1], values[::-1]):
        new_weights.insert(0, W - lr * grad.T @ H)
        new_biases.insert(0, b - lr * grad.sum(axis=0))
        grad = (grad @ (new_weights[0] if updated else W)) * slope(H)
    return new_weights, new_biases


@pas_de_retropropagation.mistake("Vous **montez** la pente : la descente retire le gradient, $\\theta - \\eta \\nabla_\\theta L$.")
def _(X, Y, weights, biases, lr):
    return _step(X, Y, weights, biases, -lr)


@pas_de_retropropagation.mistake("Il manque le $\\frac1N$ de la moyenne : votre pas est $N$ fois trop grand.")
def _(*arguments):
    return _step(*arguments, mean=False)


@pas_de_retropropagation.mistake(
    "Vous remontez le gradient par les poids **déjà changés**. Il se calcule avec ceux de la passe avant : gardez les anciens "
    "jusqu'au bout."
)
def _(*arguments):
    return _step(*arguments, updated=True)


@pas_de_retropropagation.mistake("La dernière couche est juste, mais la **dérivée** de la sigmoïde, $h(1 - h)$, est oubliée plus bas.")
def _(*arguments):
    return _step(*arguments, slope=lambda H: 1)


@pas_de_retropropagation.mistake("`1 - H**2` est la dérivée de $\\tanh$. Celle de la sigmoïde est $h(1 - h)$.")
def _(*arguments):
    return _step(*arguments, slope=lambda H: 1 - H**2)


@pas_de_retropropagation.mistake("Ce sont les gradients. Il reste à faire le pas : anciens paramètres moins `lr` fois le gradient.")
def _(X, Y, weights, biases, lr):
    new_weights, new_biases = _step(X, Y, weights, biases, lr)
    return ([(old - new) / lr for old, new in zip(weights, new_weights)],
            [(old - new) / lr for old, new in zip(biases, new_biases)])


# ── Le taux d'erreur ─────────────────────────────────────────────────────────


def _tests(rng):
    trials = []
    for (N, *widths), label in SHAPES[:-1]:
        X, y = rng.random((4 * N, widths[0])), rng.integers(0, widths[-1], 4 * N)
        trials.append(Trial((X, y, *_layers(rng, *widths)), label))
    X, layers = rng.random((9, 3)), _layers(rng, 3, 5, 4)
    right = _forward(X, *layers)[1].argmax(axis=1)
    return [*trials, Trial((X, right, *layers), "aucune erreur"), Trial((X[:4], right[:4], *layers), "autant d'images que de classes")]


@reference(trials=_tests, batch="X")
def test_DNN(X, y, weights, biases):
    """Le taux d'erreur du réseau sur un jeu de données, y étant les classes."""
    return np.mean(_forward(X, weights, biases)[1].argmax(axis=1) != y)


@test_DNN.mistake("C'est la proportion d'images **bien** classées. Le taux d'erreur est son complément à 1.")
def _(X, y, weights, biases):
    return np.mean(_forward(X, weights, biases)[1].argmax(axis=1) == y)


@test_DNN.mistake("C'est le **nombre** d'erreurs. Divisez par le nombre d'images.")
def _(X, y, weights, biases):
    return np.sum(_forward(X, weights, biases)[1].argmax(axis=1) != y)


@test_DNN.mistake("C'est un **pourcentage**. Rendez une proportion, entre 0 et 1.")
def _(X, y, weights, biases):
    return 100 * np.mean(_forward(X, weights, biases)[1].argmax(axis=1) != y)


@test_DNN.mistake("Mauvais **axe** : la classe d'une image est le rang de la plus grande valeur de sa **ligne**, `argmax(axis=1)`.")
def _(X, y, weights, biases):
    return np.mean(_forward(X, weights, biases)[1].argmax(axis=0) != y)


@test_DNN.mistake("C'est la probabilité moyenne des mauvaises classes. Décidez d'abord, par `argmax`, puis comptez.")
def _(X, y, weights, biases):
    return 1 - np.mean(_forward(X, weights, biases)[1][np.arange(len(y)), y])


test_DNN.__test__ = False  # le nom est celui du TP : ce n'est pas un essai de pytest
