"""Chapitre 3 : la passe arrière d'une couche cachée, celle d'un réseau profond, et le juge, les différences finies."""

import numpy as np

from labcode.tp.code.network import SIZES, _parameters, _softmax, _targets
from labcode.tp.code.reference import Trial, reference

# ── Une couche cachée de ReLU ────────────────────────────────────────────────


def _backward_trial(rng, N, n_x, n_h, n_y):
    W_h, b_h, W_y, b_y = _parameters(rng, n_x, n_h, n_y)
    X = rng.normal(size=(N, n_x))
    H = np.maximum(X @ W_h.T + b_h, 0)
    return X, _targets(rng, N, n_y), H, _softmax(H @ W_y.T + b_y), W_y


def _backwards(rng):
    return [Trial(_backward_trial(rng, *sizes), label) for *sizes, label in SIZES]


def _backward_speed(rng):
    return _backward_trial(rng, 200, 50, 40, 10)


@reference(trials=_backwards, outputs=("grad_W_h", "grad_b_h", "grad_W_y", "grad_b_y"), batch="X", speed=_backward_speed)
def backward(X, Y, H, Y_hat, W_y):
    """Les gradients d'un réseau à une couche cachée de ReLU (eq-cross-entropy-backward, eq-linear-backward-weight)."""
    return _backward(X, Y, H, Y_hat, W_y)


def _backward(X, Y, H, Y_hat, W_y, slope=lambda H: H > 0):
    grad_Y_tilde = (Y_hat - Y) / len(X)
    grad_H_tilde = (grad_Y_tilde @ W_y) * slope(H)
    return grad_H_tilde.T @ X, grad_H_tilde.sum(axis=0), grad_Y_tilde.T @ H, grad_Y_tilde.sum(axis=0)


@backward.mistake(
    "`1 - H**2` est la dérivée de $\\tanh$. Ici la couche cachée est une **ReLU** : sa dérivée vaut 1 là où $h > "
    "0$, et 0 ailleurs."
)
def _(*arguments):
    return _backward(*arguments, slope=lambda H: 1 - H**2)


@backward.mistake(
    "`H * (1 - H)` est la dérivée de la sigmoïde. Ici la couche cachée est une **ReLU** : sa dérivée vaut 1 là "
    "où $h > 0$, et 0 ailleurs."
)
def _(*arguments):
    return _backward(*arguments, slope=lambda H: H * (1 - H))


@backward.mistake(
    "La couche de sortie est juste, mais vous avez oublié la **dérivée** de l'activation : là où la ReLU est "
    "éteinte ($h = 0$), aucun gradient ne passe."
)
def _(*arguments):
    return _backward(*arguments, slope=lambda H: 1)


@backward.mistake(
    "Pour la couche cachée, vous multipliez par $H$ elle-même, la valeur de la ReLU. C'est sa **dérivée** qu'il "
    "faut : 1 là où $h > 0$, et 0 ailleurs."
)
def _(*arguments):
    return _backward(*arguments, slope=lambda H: H)


@backward.mistake(
    "Les gradients des biais sont $N$ fois trop petits : le $\\frac1N$ est déjà dans $\\nabla_{\\tilde Y} L$. "
    "Sur le lot, il faut une **somme**, non une moyenne."
)
def _(X, *rest):
    W_h, b_h, W_y, b_y = _backward(X, *rest)
    return W_h, b_h / len(X), W_y, b_y / len(X)


@backward.mistake(
    "Il manque une **transposée** : les gradients des poids ont la forme de $W_h$ et de $W_y$, une ligne par "
    "neurone d'arrivée."
)
def _(*arguments):
    W_h, b_h, W_y, b_y = _backward(*arguments)
    return W_h.T, b_h, W_y.T, b_y


@backward.mistake(
    "Pour remonter de $\\tilde Y$ à $H$ quand les exemples sont en lignes, il faut `@ W_y`, **sans** transposée."
)
def _(X, Y, H, Y_hat, W_y):
    return _backward(X, Y, H, Y_hat, W_y.T)


@backward.mistake(
    "Le **signe** est opposé partout : $\\nabla_{\\tilde Y} L = (\\hat Y - Y)/N$, la prédiction moins la cible."
)
def _(*arguments):
    return tuple(-gradient for gradient in _backward(*arguments))


# ── Un réseau profond ────────────────────────────────────────────────────────


def _deep(rng, N, *widths):
    pairs = list(zip(widths, widths[1:]))
    weights = [rng.normal(size=(n_out, n_in)) / np.sqrt(n_in) for n_in, n_out in pairs]
    biases = [rng.normal(size=n_out) for _, n_out in pairs]
    return rng.normal(size=(N, widths[0])), _targets(rng, N, widths[-1]), weights, biases


def _deeps(rng):
    return [Trial(_deep(rng, 5, 3, 4, 2)), Trial(_deep(rng, 6, 2, 5, 4, 3)), Trial(_deep(rng, 4, 3, 3, 3, 3), "des matrices carrées"),
            Trial(_deep(rng, 7, 4, 2, 3, 5, 3), "quatre couches"), Trial(_deep(rng, 5, 3, 2), "une seule couche"),
            Trial(_deep(rng, 1, 3, 4, 2), "un seul exemple")]


def _deep_speed(rng):
    return _deep(rng, 100, 30, 20, 20, 10)


@reference(trials=_deeps, outputs=("grad_weights", "grad_biases"), batch="X", speed=_deep_speed)
def retropropagation(X, Y, weights, biases):
    """Tous les gradients d'un réseau de tanh et de softmax, de profondeur quelconque (eq-linear-backward-input)."""
    return _retropropagation(X, Y, weights, biases)


def _retropropagation(X, Y, weights, biases, slope=lambda H: 1 - H**2, first=lambda Y_hat: 1):
    values = [X]
    for W, b in zip(weights[:-1], biases[:-1]):
        values.append(np.tanh(values[-1] @ W.T + b))
    Y_hat = _softmax(values[-1] @ weights[-1].T + biases[-1])
    grad = (Y_hat - Y) / len(X) * first(Y_hat)
    grad_weights, grad_biases = [], []
    for W, H in zip(weights[::-1], values[::-1]):
        grad_weights.insert(0, grad.T @ H)
        grad_biases.insert(0, grad.sum(axis=0))
        grad = (grad @ W) * slope(H)
    return grad_weights, grad_biases


@retropropagation.mistake(
    "Les gradients sont justes, mais rangés de la sortie vers l'entrée. Rendez-les dans l'ordre des couches, "
    "celui de `weights`."
)
def _(*arguments):
    grad_weights, grad_biases = _retropropagation(*arguments)
    return grad_weights[::-1], grad_biases[::-1]


@retropropagation.mistake(
    "La dernière couche est juste, mais vous avez oublié la **dérivée** de $\\tanh$ en passant d'une couche à la "
    "précédente."
)
def _(*arguments):
    return _retropropagation(*arguments, slope=lambda H: 1)


@retropropagation.mistake("`H * (1 - H)` est la dérivée de la sigmoïde. Celle de $\\tanh$ est $1 - h^2$.")
def _(*arguments):
    return _retropropagation(*arguments, slope=lambda H: H * (1 - H))


@retropropagation.mistake(
    "La sortie n'a pas de $\\tanh$ : après un softmax et une entropie croisée, $\\nabla_{\\tilde Y} L = (\\hat Y "
    "- Y)/N$, sans autre dérivée."
)
def _(*arguments):
    return _retropropagation(*arguments, first=lambda Y_hat: 1 - Y_hat**2)


@retropropagation.mistake(
    "À la sortie, la dérivée du softmax est déjà comptée dans $\\hat Y - Y$ : ne la multipliez pas une seconde "
    "fois."
)
def _(*arguments):
    return _retropropagation(*arguments, first=lambda Y_hat: Y_hat * (1 - Y_hat))


@retropropagation.mistake(
    "Les gradients des biais sont $N$ fois trop petits : le $\\frac1N$ est déjà dans $\\nabla_{\\tilde Y} L$. "
    "Sur le lot, il faut une **somme**, non une moyenne."
)
def _(X, *rest):
    grad_weights, grad_biases = _retropropagation(X, *rest)
    return grad_weights, [gradient / len(X) for gradient in grad_biases]


@retropropagation.mistake(
    "Il manque une **transposée** : chaque gradient a la forme de sa matrice de poids, une ligne par neurone "
    "d'arrivée."
)
def _(*arguments):
    grad_weights, grad_biases = _retropropagation(*arguments)
    return [gradient.T for gradient in grad_weights], grad_biases


# ── Le juge ──────────────────────────────────────────────────────────────────


def _functions(rng):
    a, B, c = rng.normal(size=3), rng.normal(size=(2, 4)), rng.normal(size=(3, 3))
    cases = ((lambda theta: float(np.sin(a @ theta) + theta @ theta), a, ""),
             (lambda theta: float(np.sum(np.tanh(B * theta)) + theta[0, 0] * theta[1, 2]), B, "une matrice"),
             (lambda theta: float(np.sum(np.exp(theta / 2)) + np.sum(theta @ theta)), c, "une matrice carrée"),
             (lambda theta: float(np.sum(theta**3)), a[:1], "une seule composante"))
    return [Trial((f, rng.normal(size=like.shape), 1e-3), label) for f, like, label in cases]


@reference(trials=_functions, tolerance=2e-5)
def numerical_gradient(f, theta, eps):
    """Le gradient de ``f`` en ``theta``, par différences centrées (eq-gradient-check)."""
    return _differences(f, theta, lambda plus, minus, here: (plus - minus) / (2 * eps), eps)


def _differences(f, theta, quotient, eps):
    gradient = np.zeros(theta.shape)
    for index in np.ndindex(theta.shape):
        step = np.zeros(theta.shape)
        step[index] = eps
        gradient[index] = quotient(f(theta + step), f(theta - step), f(theta))
    return gradient


ONE_SIDED = ("C'est la différence **décentrée**, dont l'erreur est d'ordre $\\varepsilon$. Centrée, $\\frac{f(\\theta + "
             "\\varepsilon) - f(\\theta - \\varepsilon)}{2 \\varepsilon}$, elle est d'ordre $\\varepsilon^2$.")


@numerical_gradient.mistake(ONE_SIDED)
def _(f, theta, eps):
    return _differences(f, theta, lambda plus, minus, here: (plus - here) / eps, eps)


@numerical_gradient.mistake(ONE_SIDED)
def _(f, theta, eps):
    return _differences(f, theta, lambda plus, minus, here: (here - minus) / eps, eps)


@numerical_gradient.mistake(
    "Vous divisez par $\\varepsilon$. De $\\theta - \\varepsilon$ à $\\theta + \\varepsilon$, l'écart est "
    "$2\\varepsilon$."
)
def _(f, theta, eps):
    return _differences(f, theta, lambda plus, minus, here: (plus - minus) / eps, eps)


@numerical_gradient.mistake(
    "Sans parenthèses, `/ 2 * eps` divise par 2, puis **multiplie** par $\\varepsilon$. Écrivez `/ (2 * eps)`."
)
def _(f, theta, eps):
    return _differences(f, theta, lambda plus, minus, here: (plus - minus) / 2 * eps, eps)


@numerical_gradient.mistake(
    "Pour une matrice, `theta[k]` est toute une **ligne**. Parcourez chaque case, avec `np.ndindex(theta.shape)`."
)
def _(f, theta, eps):
    gradient = np.zeros(theta.shape)
    for k in range(len(theta)):
        step = np.zeros(theta.shape)
        step[k] = eps
        gradient[k] = (f(theta + step) - f(theta - step)) / (2 * eps)
    return gradient
