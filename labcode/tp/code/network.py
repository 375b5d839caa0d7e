"""Chapitre 2 : la passe avant, le softmax, l'entropie croisée."""

import numpy as np

from labcode.tp.code.reference import Trial, reference

SIZES = ((5, 3, 4, 2, ""), (4, 3, 3, 3, "des matrices carrées"), (7, 2, 5, 3, ""), (1, 3, 4, 2, "un seul exemple"))


def _parameters(rng, n_x, n_h, n_y):
    return rng.normal(size=(n_h, n_x)), rng.normal(size=n_h), rng.normal(size=(n_y, n_h)), rng.normal(size=n_y)


def _softmax(Y_tilde, axis=1):
    e = np.exp(Y_tilde - Y_tilde.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


# ── La passe avant ───────────────────────────────────────────────────────────


def _forwards(rng):
    trials = [Trial((rng.normal(size=(N, n_x)), *_parameters(rng, n_x, n_h, n_y)), label) for N, n_x, n_h, n_y, label in SIZES]
    W_h, b_h, W_y, b_y = _parameters(rng, 3, 4, 2)
    return [*trials, Trial((rng.normal(size=(5, 3)), W_h, b_h, 1000 * W_y, b_y), "de très grands logits")]


def _forward_speed(rng):
    return rng.normal(size=(200, 50)), *_parameters(rng, 50, 40, 10)


@reference(trials=_forwards, outputs=("H", "Y_hat"), batch="X", speed=_forward_speed)
def forward(X, W_h, b_h, W_y, b_y):
    """La passe avant d'un réseau à une couche cachée, pour un lot (eq-linear, eq-tanh, eq-softmax)."""
    return _forward(X, W_h, b_h, W_y, b_y)


def _forward(X, W_h, b_h, W_y, b_y, activation=np.tanh, output=_softmax):
    H = activation(X @ W_h.T + b_h)
    return H, output(H @ W_y.T + b_y)


@forward.mistake("La couche cachée n'a pas d'activation : sans $\\tanh$, deux couches n'en font qu'une.")
def _(*arguments):
    return _forward(*arguments, activation=lambda u: u)


@forward.mistake("L'activation de la couche cachée est ici $\\tanh$, non la sigmoïde.")
def _(*arguments):
    return _forward(*arguments, activation=lambda u: 1 / (1 + np.exp(-u)))


@forward.mistake("L'activation de la couche cachée est ici $\\tanh$, non la ReLU.")
def _(*arguments):
    return _forward(*arguments, activation=lambda u: np.maximum(u, 0))


@forward.mistake("Le second résultat est $\\tilde Y$, les logits. Il reste à leur appliquer le softmax.")
def _(*arguments):
    return _forward(*arguments, output=lambda u: u)


@forward.mistake(
    "Le softmax divise par la somme du lot. Chaque **ligne** est un exemple : sommez le long de l'axe 1, avec "
    "`keepdims=True`."
)
def _(*arguments):
    return _forward(*arguments, output=lambda u: _softmax(u, axis=0))


@forward.mistake(
    "Le softmax divise par la somme de tout le tableau. Chaque **ligne** est un exemple : sommez le long de "
    "l'axe 1, avec `keepdims=True`."
)
def _(*arguments):
    return _forward(*arguments, output=lambda u: np.exp(u - u.max()) / np.exp(u - u.max()).sum())


@forward.mistake("Le biais $b_h$ de la couche cachée manque.")
def _(X, W_h, b_h, W_y, b_y):
    return _forward(X, W_h, 0 * b_h, W_y, b_y)


@forward.mistake("Le biais $b_y$ de la sortie manque.")
def _(X, W_h, b_h, W_y, b_y):
    return _forward(X, W_h, b_h, W_y, 0 * b_y)


@forward.mistake(
    "Vos formules sont justes, mais `exp` déborde quand les logits sont grands. Retirez d'abord le maximum de "
    "chaque ligne : le softmax n'en change pas."
)
def _(*arguments):
    return _forward(*arguments, output=lambda u: np.exp(u) / np.exp(u).sum(axis=1, keepdims=True))


@forward.mistake(
    "Il manque une **transposée** : les exemples sont en lignes, et $W_h$ est $n_h \\times n_x$. Votre formule "
    "ne passe que si la matrice est carrée."
)
def _(X, W_h, b_h, W_y, b_y):
    H = np.tanh(X @ W_h + b_h)
    return H, _softmax(H @ W_y.T + b_y)


@forward.mistake(
    "Il manque une **transposée** : les exemples sont en lignes, $W_h$ est $n_h \\times n_x$ et $W_y$ est $n_y "
    "\\times n_h$. Vos formules ne passent que si ces matrices sont carrées."
)
def _(X, W_h, b_h, W_y, b_y):
    H = np.tanh(X @ W_h + b_h)
    return H, _softmax(H @ W_y + b_y)


# ── Le softmax ───────────────────────────────────────────────────────────────


def _logits(rng):
    shapes = ((5, 3, ""), (3, 3, ""), (6, 4, ""), (1, 5, "un seul exemple"))
    trials = [Trial((2 * rng.normal(size=(N, n)),), label) for N, n, label in shapes]
    return [*trials, Trial((1000 + rng.normal(size=(4, 3)),), "de très grands logits"),
            Trial((np.array([[1000.0, 999, 998], [-1000, -1001, -1002]]),), "des lignes d'échelles très différentes")]


def _softmax_speed(rng):
    return (rng.normal(size=(5000, 10)),)


@reference(trials=_logits, speed=_softmax_speed)
def softmax(Y_tilde):
    """Le softmax de chaque ligne, sans débordement (eq-softmax)."""
    return _softmax(Y_tilde)


@softmax.mistake(
    "Juste, tant que les logits sont petits. Pour de grands logits, `exp` déborde et le quotient vaut `nan` : "
    "retirez d'abord le maximum de chaque ligne, ce qui ne change pas le résultat."
)
def _(Y_tilde):
    return np.exp(Y_tilde) / np.exp(Y_tilde).sum(axis=1, keepdims=True)


@softmax.mistake(
    "Vous retirez le plus grand logit de **tout** le lot : une ligne bien plus basse n'a plus que des "
    "exponentielles nulles. Retirez le maximum de chaque ligne, `max(axis=1, keepdims=True)`."
)
def _(Y_tilde):
    e = np.exp(Y_tilde - Y_tilde.max())
    return e / e.sum(axis=1, keepdims=True)


@softmax.mistake("Vous divisez par la somme de tout le tableau : c'est chaque **ligne** qui doit avoir pour somme 1.")
def _(Y_tilde):
    return np.exp(Y_tilde) / np.exp(Y_tilde).sum()


@softmax.mistake("Vous divisez par la somme de tout le tableau : c'est chaque **ligne** qui doit avoir pour somme 1.")
def _(Y_tilde):
    return np.exp(Y_tilde - Y_tilde.max()) / np.exp(Y_tilde - Y_tilde.max()).sum()


@softmax.mistake(
    "Mauvais **axe** : vos colonnes ont pour somme 1. Un exemple est une ligne, on somme le long de l'axe 1."
)
def _(Y_tilde):
    return np.exp(Y_tilde) / np.exp(Y_tilde).sum(axis=0)


@softmax.mistake(
    "Mauvais **axe** : vos colonnes ont pour somme 1. Un exemple est une ligne, on somme le long de l'axe 1."
)
def _(Y_tilde):
    return _softmax(Y_tilde, axis=0)


@softmax.mistake("Sans exponentielle, des logits négatifs donnent des « probabilités » négatives.")
def _(Y_tilde):
    return Y_tilde / Y_tilde.sum(axis=1, keepdims=True)


@softmax.mistake("C'est le log-softmax. Prenez-en l'exponentielle.")
def _(Y_tilde):
    return np.log(_softmax(Y_tilde))


# ── L'entropie croisée ───────────────────────────────────────────────────────


def _targets(rng, N, n_y):
    return np.eye(n_y)[rng.integers(0, n_y, N)]


def _losses(rng):
    shapes = ((5, 3, ""), (4, 4, ""), (7, 2, ""), (1, 3, "un seul exemple"))
    trials = [Trial((rng.normal(size=(N, n)), _targets(rng, N, n)), label) for N, n, label in shapes]
    large = np.array([[1000.0, 0, -1000], [0, 1000, 0]])
    return [*trials, Trial((large, np.eye(3)[[2, 1]]), "de très grands logits")]


def _loss_speed(rng):
    return rng.normal(size=(5000, 10)), _targets(rng, 5000, 10)


def _log_softmax(Y_tilde):
    shifted = Y_tilde - Y_tilde.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


@reference(trials=_losses, batch="Y_tilde", speed=_loss_speed)
def cross_entropy(Y_tilde, Y):
    """L'entropie croisée moyenne d'un lot, depuis les logits (eq-cross-entropy, eq-log-softmax)."""
    return -np.sum(Y * _log_softmax(Y_tilde)) / len(Y)


@cross_entropy.mistake("C'est la **somme** des pertes : il manque le $\\frac1N$ de la moyenne.")
def _(Y_tilde, Y):
    return -np.sum(Y * _log_softmax(Y_tilde))


@cross_entropy.mistake(
    "`np.mean` divise par $N \\times n_y$, car elle compte toutes les cases. Sommez sur les classes, puis "
    "divisez par $N$ seul."
)
def _(Y_tilde, Y):
    return -np.mean(Y * _log_softmax(Y_tilde))


@cross_entropy.mistake("Le **signe** est opposé : une entropie croisée est positive.")
def _(Y_tilde, Y):
    return np.sum(Y * _log_softmax(Y_tilde)) / len(Y)


@cross_entropy.mistake(
    "Juste, tant que les logits sont petits. Sinon, `exp` déborde, ou bien une probabilité arrondie à zéro a "
    "pour logarithme $-\\infty$. Partez de $\\log \\hat y_j = \\tilde y_j - m - \\log \\sum_k e^{\\tilde y_k - "
    "m}$, où $m$ est le plus grand logit de la ligne."
)
def _(Y_tilde, Y):
    return -np.sum(Y * np.log(_softmax(Y_tilde))) / len(Y)


@cross_entropy.mistake(
    "Juste, tant que les logits sont petits. Sinon, `exp` déborde. Partez de $\\log \\hat y_j = \\tilde y_j - m "
    "- \\log \\sum_k e^{\\tilde y_k - m}$, où $m$ est le plus grand logit de la ligne."
)
def _(Y_tilde, Y):
    return np.mean(np.log(np.exp(Y_tilde).sum(axis=1)) - np.sum(Y * Y_tilde, axis=1))


@cross_entropy.mistake(
    "Vous prenez le logarithme des logits, comme si c'étaient des probabilités. Il manque le softmax."
)
def _(Y_tilde, Y):
    return -np.sum(Y * np.log(Y_tilde)) / len(Y)


@cross_entropy.mistake(
    "Il manque le logarithme de la somme des exponentielles : vous n'avez gardé que le logit de la bonne classe."
)
def _(Y_tilde, Y):
    return -np.sum(Y * Y_tilde) / len(Y)


@cross_entropy.mistake("Le logarithme est décimal. On prend le logarithme népérien, `np.log`.")
def _(Y_tilde, Y):
    return -np.sum(Y * _log_softmax(Y_tilde)) / len(Y) / np.log(10)
