"""Chapitre 7 : la normalisation par lot, pendant l'apprentissage."""

import numpy as np

from labcode.tp.code.reference import Trial, reference


def _trials(rng):
    shapes = (((6, 3), ""), ((4, 5), "moins d'exemples que de composantes"), ((7, 1), "une seule composante"), ((2, 4), "deux exemples"))
    return [Trial((2 * rng.normal(size=shape) + 1, rng.normal(size=shape[1]), rng.normal(size=shape[1]), 0.01), label)
            for shape, label in shapes]


def _batch_norm(X, gamma, beta, eps, *, axis=0, ddof=0, divide=lambda variance, eps: np.sqrt(variance + eps)):
    mean, variance = X.mean(axis=axis, keepdims=True), X.var(axis=axis, ddof=ddof, keepdims=True)
    return gamma * (X - mean) / divide(variance, eps) + beta


@reference(trials=_trials)
def batch_norm(X, gamma, beta, eps):
    """Chaque composante centrée et réduite sur le lot, puis remise à l'échelle (eq-batch-norm)."""
    return _batch_norm(X, gamma, beta, eps)


@batch_norm.mistake("Vous normalisez chaque **exemple** : moyenne et variance se prennent sur le lot, `axis=0`.")
def _(*arguments):
    return _batch_norm(*arguments, axis=1)


@batch_norm.mistake("Moyenne et variance sont communes à toutes les composantes : il en faut une **par colonne**, `axis=0`.")
def _(*arguments):
    return _batch_norm(*arguments, axis=(0, 1))


@batch_norm.mistake("Vous divisez par $N - 1$. Ici la variance du lot est la moyenne des carrés des écarts, $\\frac1N\\sum$.")
def _(*arguments):
    return _batch_norm(*arguments, ddof=1)


@batch_norm.mistake("$\\varepsilon$ s'ajoute à la variance, **sous** la racine.")
def _(*arguments):
    return _batch_norm(*arguments, divide=lambda variance, eps: np.sqrt(variance) + eps)


@batch_norm.mistake("Vous divisez par la variance. Il manque la **racine**.")
def _(*arguments):
    return _batch_norm(*arguments, divide=lambda variance, eps: variance + eps)


@batch_norm.mistake("C'est $\\hat x$ : il reste l'échelle $\\gamma$ et le décalage $\\beta$.")
def _(X, gamma, beta, eps):
    return _batch_norm(X, 1, 0, eps)
