"""Chapitre 7 : l'objectif d'un SVM, et la matrice d'un noyau gaussien."""

import numpy as np

from labcode.tp.code.reference import Trial, reference

# ── L'objectif ───────────────────────────────────────────────────────────────


def _objective_trial(rng, N, n_x, C):
    return rng.normal(size=n_x), float(rng.normal()), rng.normal(size=(N, n_x)), rng.choice([-1, 1], N), C


def _objectives(rng):
    return [Trial(_objective_trial(rng, 6, 3, 2.0)), Trial(_objective_trial(rng, 8, 2, 0.5)), Trial(_objective_trial(rng, 4, 4, 10.0)),
            Trial(_objective_trial(rng, 1, 3, 3.0), "un seul exemple")]


def _objective_speed(rng):
    return _objective_trial(rng, 4000, 20, 1.0)


@reference(trials=_objectives, batch="X", speed=_objective_speed)
def svm_objective(w, b, X, t, C):
    """½‖w‖² + C Σ max(0, 1 − t s), ce que minimise un SVM linéaire."""
    return w @ w / 2 + C * np.sum(_hinge(X @ w + b, t))


def _hinge(s, t):
    return np.maximum(0, 1 - t * s)


@svm_objective.mistake("Vous faites la **moyenne** des charnières. L'objectif du chapitre en fait la somme.")
def _(w, b, X, t, C):
    return w @ w / 2 + C * np.mean(_hinge(X @ w + b, t))


@svm_objective.mistake("Il manque le facteur $\\frac12$ devant la norme au carré.")
def _(w, b, X, t, C):
    return w @ w + C * np.sum(_hinge(X @ w + b, t))


@svm_objective.mistake("La pénalité porte sur le **carré** de la norme : $\\frac12 \\lVert w \\rVert^2$.")
def _(w, b, X, t, C):
    return np.linalg.norm(w) / 2 + C * np.sum(_hinge(X @ w + b, t))


@svm_objective.mistake(
    "C'est la perte du perceptron, $\\max(0, -ts)$. La charnière veut une marge : $\\max(0, 1 - ts)$."
)
def _(w, b, X, t, C):
    return w @ w / 2 + C * np.sum(np.maximum(0, -t * (X @ w + b)))


@svm_objective.mistake(
    "Sans $\\max(0, \\cdot)$, un exemple très bien classé rapporte. La charnière ne descend pas sous zéro."
)
def _(w, b, X, t, C):
    return w @ w / 2 + C * np.sum(1 - t * (X @ w + b))


@svm_objective.mistake("Le prix $C$ multiplie les charnières, non la pénalité.")
def _(w, b, X, t, C):
    return C * (w @ w) / 2 + np.sum(_hinge(X @ w + b, t))


@svm_objective.mistake("Le biais $b$ manque dans le potentiel.")
def _(w, b, X, t, C):
    return w @ w / 2 + C * np.sum(_hinge(X @ w, t))


@svm_objective.mistake("Le biais n'est pas pénalisé : la norme est celle de $w$ seul.")
def _(w, b, X, t, C):
    return (w @ w + b * b) / 2 + C * np.sum(_hinge(X @ w + b, t))


@svm_objective.mistake("Ce sont les charnières seules. Il manque la pénalité $\\frac12 \\lVert w \\rVert^2$.")
def _(w, b, X, t, C):
    return C * np.sum(_hinge(X @ w + b, t))


# ── Le noyau gaussien ────────────────────────────────────────────────────────


def _kernels(rng):
    return [Trial((rng.normal(size=(N, n_x)), rng.normal(size=(M, n_x)), gamma), label)
            for N, M, n_x, gamma, label in ((5, 4, 3, 0.5, ""), (3, 3, 3, 1.0, ""), (2, 6, 2, 0.3, ""), (1, 4, 2, 2.0, "un seul exemple dans X"))]


def _kernel_speed(rng):
    return rng.normal(size=(300, 20)), rng.normal(size=(250, 20)), 0.1


@reference(trials=_kernels, batch="X", speed=_kernel_speed)
def gaussian_kernel(X, Z, gamma):
    """La matrice des exp(−γ‖x − z‖²), une ligne par exemple de X, une colonne par exemple de Z."""
    return np.exp(-gamma * _squares(X, Z))


def _squares(X, Z):
    return (X**2).sum(axis=1)[:, None] - 2 * X @ Z.T + (Z**2).sum(axis=1)


@gaussian_kernel.mistake("Il manque le signe moins : le noyau doit **décroître** quand la distance augmente.")
def _(X, Z, gamma):
    return np.exp(gamma * _squares(X, Z))


@gaussian_kernel.mistake("La distance n'est pas élevée au **carré** : $e^{-\\gamma \\lVert x - z \\rVert^2}$.")
def _(X, Z, gamma):
    return np.exp(-gamma * np.sqrt(np.maximum(_squares(X, Z), 0)))


@gaussian_kernel.mistake("C'est la distance au carré. Il reste à en prendre l'exponentielle, avec $-\\gamma$.")
def _(X, Z, gamma):
    return _squares(X, Z)


@gaussian_kernel.mistake(
    "Avec $2\\sigma^2$ au dénominateur, on écrirait autrement. Ici, $\\gamma$ **multiplie** le carré de la "
    "distance."
)
def _(X, Z, gamma):
    return np.exp(-_squares(X, Z) / (2 * gamma**2))


@gaussian_kernel.mistake(
    "Avec $2\\sigma^2$ au dénominateur, on écrirait autrement. Ici, $\\gamma$ **multiplie** le carré de la "
    "distance."
)
def _(X, Z, gamma):
    return np.exp(-_squares(X, Z) / gamma)


@gaussian_kernel.mistake(
    "C'est la somme des écarts en valeur absolue. La norme au carré est la somme des **carrés** des écarts."
)
def _(X, Z, gamma):
    return np.exp(-gamma * np.abs(X[:, None] - Z[None]).sum(axis=2))


@gaussian_kernel.mistake(
    "Dans $\\lVert x \\rVert^2 - 2\\,x^\\top z + \\lVert z \\rVert^2$, vous avez oublié le facteur 2 du produit "
    "scalaire."
)
def _(X, Z, gamma):
    return np.exp(-gamma * ((X**2).sum(axis=1)[:, None] - X @ Z.T + (Z**2).sum(axis=1)))
