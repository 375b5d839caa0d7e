"""Chapitre 9 : empiler des machines de Boltzmann, et engendrer depuis le sommet."""

import numpy as np

from labcode.tp.code.reference import Trial, reference


def _sigmoid(x):
    return 0.5 * np.tanh(0.5 * x) + 0.5


# ── L'apprentissage glouton ──────────────────────────────────────────────────


def toy_training(X, q):
    """De quoi jouer le rôle de train_RBM : des paramètres qui dépendent des données, sans hasard et sans durée."""
    rng, mean = np.random.default_rng(q), X.mean(axis=0)
    W = rng.normal(size=(q, X.shape[1])) * (1 + X.std(axis=0))
    return W, np.log((mean + 0.1) / (1.1 - mean)), rng.normal(size=q) - W @ mean


def _trainings(rng):
    trials = [Trial((rng.random((N, p)), sizes, toy_training), label)
              for N, p, sizes, label in ((6, 5, [4, 3], ""), (8, 3, [5, 2, 4], ""), (5, 4, [3], "une seule machine"), (1, 4, [3, 2], "un seul exemple"))]
    return [*trials, Trial((rng.random((7, 4)), [4, 4, 4], toy_training), "des couches toutes de même taille")]


@reference(trials=_trainings, outputs=("weights", "visible_biases", "hidden_biases"), batch="X")
def train_DBN(X, sizes, train_RBM):
    """Les machines d'un DBN, apprises l'une après l'autre (eq-dbn-greedy)."""
    return _stack(X, sizes, train_RBM)


def _stack(X, sizes, train_RBM, climb=lambda X, W, b, c: _sigmoid(X @ W.T + c)):
    weights, visible_biases, hidden_biases = [], [], []
    for q in sizes:
        W, b, c = train_RBM(X, q)
        X = climb(X, W, b, c)
        weights.append(W)
        visible_biases.append(b)
        hidden_biases.append(c)
    return weights, visible_biases, hidden_biases


@train_DBN.mistake("Chaque machine apprend `X`, les données du bas. La deuxième doit apprendre ce que **cache** la première : ses probabilités cachées.")
def _(X, sizes, train_RBM):
    return _stack(X, sizes, train_RBM, climb=lambda X, W, b, c: X)


@train_DBN.mistake("Vous montez l'**activation**, $XW^\\top + c$ : il manque la sigmoïde. La machine suivante attend des nombres entre 0 et 1.")
def _(X, sizes, train_RBM):
    return _stack(X, sizes, train_RBM, climb=lambda X, W, b, c: X @ W.T + c)


@train_DBN.mistake("Vous montez des 0 et des 1. La machine suivante apprend ici les **probabilités** : arrondir perd tout ce qui est incertain.")
def _(X, sizes, train_RBM):
    return _stack(X, sizes, train_RBM, climb=lambda X, W, b, c: (X @ W.T + c > 0).astype(float))


@train_DBN.mistake("Le biais **caché** `c` manque en montant : $\\sigma(XW^\\top + c)$.")
def _(X, sizes, train_RBM):
    return _stack(X, sizes, train_RBM, climb=lambda X, W, b, c: _sigmoid(X @ W.T))


@train_DBN.mistake("En montant, on ajoute le biais des **cachées**, `c`, et non celui des visibles.")
def _(X, sizes, train_RBM):
    return _stack(X, sizes, train_RBM, climb=lambda X, W, b, c: _sigmoid(X @ W.T + b))


@train_DBN.mistake("Les machines sont justes, mais rendues **du sommet vers le bas**. Rangez-les dans l'ordre de leur apprentissage.")
def _(X, sizes, train_RBM):
    return tuple(part[::-1] for part in _stack(X, sizes, train_RBM))


# ── Engendrer depuis le sommet ───────────────────────────────────────────────


def toy_draw(P):
    """De quoi jouer le rôle de tirage : des 0 et des 1 de probabilité P, les mêmes pour le même P."""
    rng = np.random.default_rng([*P.shape, round(1e4 * float(P.sum()))])
    return (rng.random(P.shape) < P).astype(float)


def _machines(rng, *widths):
    pairs = list(zip(widths, widths[1:]))
    return ([1.5 * rng.normal(size=(q, p)) for p, q in pairs], [rng.normal(size=p) for p, _ in pairs],
            [rng.normal(size=q) for _, q in pairs])


SHAPES = ((6, (7, 5, 4), 3, ""), (8, (6, 5, 7, 3), 2, ""), (5, (6, 6, 6, 6), 4, "des couches toutes de même taille"),
          (6, (5, 4), 3, "une seule machine"), (1, (20, 9, 8), 1, "une seule image, un seul pas"))


def _samplings(rng):
    trials = []
    for N, widths, n_steps, label in SHAPES:
        V = (rng.random((N, widths[-2])) < 0.5).astype(float)
        trials.append(Trial((V, *_machines(rng, *widths), n_steps, toy_draw), label))
    return trials


@reference(trials=_samplings, batch="V")
def generer_image_DBN(V, weights, visible_biases, hidden_biases, n_steps, tirage):
    """Des pas de Gibbs au sommet depuis V, puis une descente par tirages (eq-dbn-generate)."""
    V = _gibbs(V, weights[-1], visible_biases[-1], hidden_biases[-1], n_steps, tirage)
    return _descent(V, weights[:-1], visible_biases[:-1], tirage)


def _gibbs(V, W, b, c, n_steps, draw):
    for _ in range(n_steps):
        V = draw(_sigmoid(draw(_sigmoid(V @ W.T + c)) @ W + b))
    return V


def _descent(V, weights, visible_biases, draw):
    for W, b in zip(weights[::-1], visible_biases[::-1]):
        V = draw(_sigmoid(V @ W + b))
    return V


@generer_image_DBN.mistake("La chaîne du sommet est juste, mais vous ne **descendez** pas : ce sont les états d'une couche cachée, pas des images.")
def _(V, weights, visible_biases, hidden_biases, n_steps, tirage):
    return _gibbs(V, weights[-1], visible_biases[-1], hidden_biases[-1], n_steps, tirage)


@generer_image_DBN.mistake("Vous descendez sans avoir fait les pas de Gibbs du **sommet** : c'est la seule machine qui dise quels états sont probables.")
def _(V, weights, visible_biases, hidden_biases, n_steps, tirage):
    return _descent(V, weights[:-1], visible_biases[:-1], tirage)


@generer_image_DBN.mistake("Il manque un pas de Gibbs : il en faut `n_steps`, chacun étant un tirage des cachées, puis un des visibles.")
def _(V, weights, visible_biases, hidden_biases, n_steps, tirage):
    return generer_image_DBN(V, weights, visible_biases, hidden_biases, n_steps - 1, tirage)


@generer_image_DBN.mistake(
    "Un pas de Gibbs de **trop**. Les pas du sommet finissent déjà sur ses visibles : la descente commence à la machine "
    "d'en dessous."
)
def _(V, weights, visible_biases, hidden_biases, n_steps, tirage):
    return generer_image_DBN(V, weights, visible_biases, hidden_biases, n_steps + 1, tirage)


@generer_image_DBN.mistake("La dernière couche rend des **probabilités**. On demande une image tirée, de 0 et de 1.")
def _(V, weights, visible_biases, hidden_biases, n_steps, tirage):
    if len(weights) == 1:
        V = _gibbs(V, weights[0], visible_biases[0], hidden_biases[0], n_steps - 1, tirage)
        return _sigmoid(tirage(_sigmoid(V @ weights[0].T + hidden_biases[0])) @ weights[0] + visible_biases[0])
    V = _gibbs(V, weights[-1], visible_biases[-1], hidden_biases[-1], n_steps, tirage)
    return _sigmoid(_descent(V, weights[1:-1], visible_biases[1:-1], tirage) @ weights[0] + visible_biases[0])


@generer_image_DBN.mistake(
    "Vous descendez des **probabilités**, sans les tirer en chemin. Une probabilité n'est pas un état : chaque couche se tire "
    "avant de passer à la suivante."
)
def _(V, weights, visible_biases, hidden_biases, n_steps, tirage):
    V = _gibbs(V, weights[-1], visible_biases[-1], hidden_biases[-1], n_steps, tirage)
    if len(weights) == 1:
        return V
    return tirage(_descent(V, weights[:-1], visible_biases[:-1], lambda P: P))


@generer_image_DBN.mistake(
    "Les pas de Gibbs du sommet transmettent des **probabilités** : c'est un calcul sans hasard, qui file vers un point fixe. "
    "Tirez les cachées et les visibles à chaque pas."
)
def _(V, weights, visible_biases, hidden_biases, n_steps, tirage):
    V = _gibbs(V, weights[-1], visible_biases[-1], hidden_biases[-1], n_steps, lambda P: P)
    return tirage(V) if len(weights) == 1 else _descent(V, weights[:-1], visible_biases[:-1], tirage)


@generer_image_DBN.mistake("Il manque les biais **visibles** dans la descente : $\\sigma(hW + b)$.")
def _(V, weights, visible_biases, hidden_biases, n_steps, tirage):
    V = _gibbs(V, weights[-1], visible_biases[-1], hidden_biases[-1], n_steps, tirage)
    return _descent(V, weights[:-1], [0] * (len(weights) - 1), tirage)
