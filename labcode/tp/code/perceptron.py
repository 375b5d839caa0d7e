"""Chapitre 1 : la réponse d'un perceptron, et une époque de son apprentissage."""

import numpy as np

from labcode.tp.code.reference import Trial, reference

SIZES = ((6, 2, ""), (5, 3, ""), (3, 3, ""), (1, 4, "un seul exemple"))


def _predictions(rng):
    """Des entrées entières aussi : le potentiel y vaut parfois exactement zéro."""
    real = [Trial((rng.normal(size=(N, n_x)), rng.normal(size=n_x), float(rng.normal())), label) for N, n_x, label in SIZES]
    corners = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    return [*real, Trial((corners, np.array([1.0, 1]), -1.0), "un potentiel exactement nul")]


def _predict_speed(rng):
    return rng.normal(size=(4000, 30)), rng.normal(size=30), 0.5


@reference(trials=_predictions, speed=_predict_speed)
def predict(X, w, b):
    """La réponse 0 ou 1 à chaque ligne de X (eq-perceptron-output)."""
    return (X @ w + b >= 0).astype(int)


@predict.mistake("Quand le potentiel vaut exactement zéro, ce neurone répond 1 : il faut `>=`, et non `>`.")
def _(X, w, b):
    return (X @ w + b > 0).astype(int)


@predict.mistake("Vous rendez le potentiel $w^\\top x + b$. Il reste à le comparer à zéro.")
def _(X, w, b):
    return X @ w + b


@predict.mistake("Vous répondez $-1$ ou $+1$. Les classes sont ici 0 et 1.")
def _(X, w, b):
    return np.where(X @ w + b >= 0, 1, -1)


@predict.mistake("Le biais n'est pas ajouté.")
def _(X, w, b):
    return (X @ w >= 0).astype(int)


@predict.mistake("Le biais s'ajoute, et l'on compare à zéro ; c'est au seuil $\\theta = -b$ que l'on comparerait.")
def _(X, w, b):
    return (X @ w >= b).astype(int)


@predict.mistake("Les deux classes sont échangées : le neurone répond 1 quand le potentiel est positif.")
def _(X, w, b):
    return (X @ w + b < 0).astype(int)


def _epochs(rng):
    trials = []
    for N, n_x, label in ((8, 2, ""), (7, 3, ""), (9, 2, ""), (4, 4, ""), (1, 2, "un seul exemple")):
        w = rng.normal(size=n_x)
        trials.append(Trial((rng.normal(size=(N, n_x)), rng.integers(0, 2, N), w, float(rng.normal())), label))
    corners = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    return [*trials, Trial((corners, np.array([0, 0, 0, 1]), np.zeros(2), 0.0), "des poids nuls au départ")]


@reference(trials=_epochs, outputs=("w", "b", "mistakes"))
def epoch(X, y, w, b):
    """Une époque du perceptron, avec η = 1, et le nombre de ses erreurs (eq-perceptron-update)."""
    return _epoch(X, y, w, b)


def _epoch(X, y, w, b, *, threshold=np.greater_equal, sign=1, learn_bias=1, frozen=False):
    start = w, b
    mistakes = 0
    for x, target in zip(X, y):
        weights, bias = start if frozen else (w, b)
        error = target - int(threshold(weights @ x + bias, 0))
        w, b = w + sign * error * x, b + sign * learn_bias * error
        mistakes += int(error != 0)
    return w, b, mistakes


@epoch.mistake(
    "Tous les exemples sont jugés avec les poids du début. Le perceptron corrige après **chaque** erreur, et "
    "l'exemple suivant voit les poids corrigés."
)
def _(X, y, w, b):
    return _epoch(X, y, w, b, frozen=True)


@epoch.mistake("Le signe de la correction est retourné : quand $y = 1$ et $\\hat y = 0$, on ajoute $x$.")
def _(X, y, w, b):
    return _epoch(X, y, w, b, sign=-1)


@epoch.mistake("Les poids sont justes, mais le biais n'apprend pas : il est le poids de l'entrée fictive $x_0 = 1$.")
def _(X, y, w, b):
    return _epoch(X, y, w, b, learn_bias=0)


@epoch.mistake("Quand le potentiel vaut exactement zéro, le neurone répond 1 : il faut `>=`, et non `>`.")
def _(X, y, w, b):
    return _epoch(X, y, w, b, threshold=np.greater)


@epoch.mistake("Le troisième résultat doit être le nombre d'erreurs ; vous rendez leur proportion.")
def _(X, y, w, b):
    w, b, mistakes = _epoch(X, y, w, b)
    return w, b, mistakes / len(X)


@epoch.mistake(
    "Le nombre d'erreurs compte les exemples qui ont demandé une correction, dans un sens ou dans l'autre. Chez "
    "vous, les deux sens se compensent."
)
def _(X, y, w, b):
    new_w, new_b, _mistakes = _epoch(X, y, w, b)
    return new_w, new_b, new_b - b
