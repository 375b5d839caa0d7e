"""Chapitre 8 : la machine de Boltzmann restreinte, ses deux passages, son apprentissage et ses images."""

import numpy as np

from labcode.tp.code.reference import Trial, reference

SIZES = ((4, 5, 3, ""), (3, 2, 6, "plus d'unités cachées que de visibles"), (1, 4, 2, "un seul exemple"), (3, 3, 3, "autant d'unités cachées que de visibles"))


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _machine(rng, p, q):
    """W (q, p), b (p,), c (q,)."""
    return rng.normal(size=(q, p)), rng.normal(size=p), rng.normal(size=q)


def _bits(rng, *shape):
    return rng.integers(0, 2, shape).astype(float)


# ── D'une couche à l'autre ───────────────────────────────────────────────────


def _upward(rng):
    return [Trial((*_machine(rng, p, q), _bits(rng, N, p)), label) for N, p, q, label in SIZES]


@reference(trials=_upward, batch="X")
def entree_sortie_RBM(W, b, c, X):
    """p(h = 1 | v) pour chaque ligne de X (eq-rbm-hidden)."""
    return _sigmoid(X @ W.T + c)


@entree_sortie_RBM.mistake("Il manque le **biais** des unités cachées, `c`.")
def _(W, b, c, X):
    return _sigmoid(X @ W.T)


@entree_sortie_RBM.mistake("Ce sont les **potentiels**. La probabilité en est la sigmoïde.")
def _(W, b, c, X):
    return X @ W.T + c


@entree_sortie_RBM.mistake("Le biais a le mauvais **signe** : l'énergie contient $-c^\\top h$, donc la probabilité croît avec `c`.")
def _(W, b, c, X):
    return _sigmoid(X @ W.T - c)


@entree_sortie_RBM.mistake("C'est la probabilité de $h_j = 0$. Elle vaut $\\sigma(-\\tilde h_j)$, et l'on demande $\\sigma(\\tilde h_j)$.")
def _(W, b, c, X):
    return _sigmoid(-(X @ W.T + c))


@entree_sortie_RBM.mistake("Vous **tranchez** à ½. On demande les probabilités ; les tirages viendront après.")
def _(W, b, c, X):
    return np.round(_sigmoid(X @ W.T + c))


@entree_sortie_RBM.mistake("`W` a la forme $(q, p)$, une ligne par unité cachée : les **poids** sont à **transposer**, "
                           "`X @ W.T`. Vous avez écrit `X @ W`.")
def _(W, b, c, X):
    return _sigmoid(X @ W + c)


@entree_sortie_RBM.mistake("Vous ajoutez `b`, le biais des unités **visibles**. Celui des cachées est `c`.")
def _(W, b, c, X):
    return _sigmoid(X @ W.T + b)


@entree_sortie_RBM.mistake("Vous ajoutez `b`, le biais des unités **visibles**, à l'entrée elle-même. Il n'intervient pas dans $p(h \\mid v)$.")
def _(W, b, c, X):
    return _sigmoid((X + b) @ W.T + c)


def _downward(rng):
    return [Trial((*_machine(rng, p, q), _bits(rng, N, q)), label) for N, p, q, label in SIZES]


@reference(trials=_downward, batch="H")
def sortie_entree_RBM(W, b, c, H):
    """p(v = 1 | h) pour chaque ligne de H (eq-rbm-visible)."""
    return _sigmoid(H @ W + b)


@sortie_entree_RBM.mistake("Il manque le **biais** des unités visibles, `b`.")
def _(W, b, c, H):
    return _sigmoid(H @ W)


@sortie_entree_RBM.mistake("Ce sont les **potentiels**. La probabilité en est la sigmoïde.")
def _(W, b, c, H):
    return H @ W + b


@sortie_entree_RBM.mistake("C'est la probabilité de $v_i = 0$, et l'on demande celle de $v_i = 1$.")
def _(W, b, c, H):
    return _sigmoid(-(H @ W + b))


@sortie_entree_RBM.mistake("Vous **tranchez** à ½. On demande les probabilités ; les tirages viendront après.")
def _(W, b, c, H):
    return np.round(_sigmoid(H @ W + b))


@sortie_entree_RBM.mistake("`W` a la forme $(q, p)$, et `H` la forme $(N, q)$ : c'est `H @ W`. Les **mêmes poids** servent dans les deux sens, "
                           "ici sans transposée.")
def _(W, b, c, H):
    return _sigmoid(H @ W.T + b)


@sortie_entree_RBM.mistake("Vous ajoutez `c`, le biais des unités **cachées**. Celui des visibles est `b`.")
def _(W, b, c, H):
    return _sigmoid(H @ W + c)


# ── Apprendre ────────────────────────────────────────────────────────────────


def _trainings(rng):
    cases = ((4, 5, 3, 2, ""), (3, 4, 6, 3, ""), (1, 4, 2, 2, "des lots d'un seul exemple"), (5, 3, 2, 1, "un seul lot"))
    return [Trial((*_machine(rng, p, q), [(_bits(rng, N, p), rng.random((N, q)), rng.random((N, p))) for _ in range(n)], 0.3), label)
            for N, p, q, n, label in cases]


def _cd(W, b, c, X, u_h, u_v, lr, draw_hidden=True, draw_visible=True, hidden_samples=False, divide=True, sign=1,
        biases=True, negative=True):
    """Un pas de CD-1 ; les options font les fautes."""
    N = len(X) if divide else 1
    h = _sigmoid(X @ W.T + c)
    drawn = (u_h < h).astype(float)
    v = _sigmoid((drawn if draw_hidden else h) @ W + b)
    v = (u_v < v).astype(float) if draw_visible else v
    h_v = _sigmoid(v @ W.T + c)
    h = drawn if hidden_samples else h
    step = sign * lr / N
    keep = 1 if negative else 0
    return (W + step * (h.T @ X - keep * h_v.T @ v), b + biases * step * (X - keep * v).sum(axis=0),
            c + biases * step * (h - keep * h_v).sum(axis=0))


def _all_batches(W, b, c, batches, lr, **options):
    for X, u_h, u_v in batches:
        W, b, c = _cd(W, b, c, X, u_h, u_v, lr, **options)
    return W, b, c


@reference(trials=_trainings, outputs=("W", "b", "c"))
def train_RBM(W, b, c, batches, lr):
    """Une époque de CD-1, les tirages étant donnés (eq-rbm-cd)."""
    return _all_batches(W, b, c, batches, lr)


def _wrong_training(message, **options):
    @train_RBM.mistake(message)
    def _(W, b, c, batches, lr):
        return _all_batches(W, b, c, batches, lr, **options)


_wrong_training("Il manque le facteur $1/N$ : le pas est la **moyenne** sur le lot, et non la somme.", divide=False)
_wrong_training("Le pas va dans le mauvais **sens** : on monte la log-vraisemblance, données moins modèle.", sign=-1)
_wrong_training("La reconstruction part des **probabilités** des unités cachées. Il faut les **tirer** : $h = 1$ là où `u_h` est plus petit que "
                "sa probabilité.", draw_hidden=False)
_wrong_training("La phase négative garde les **probabilités** des unités visibles. Ici on les **tire**, avec `u_v`.", draw_visible=False)
_wrong_training("Rien n'est tiré : `u_h` et `u_v` ne servent pas. La phase négative passe par des **tirages** de $h$, puis de $v$.",
                draw_hidden=False, draw_visible=False)
_wrong_training("La phase positive emploie l'état **tiré** de $h$. Sa **probabilité** donne la même moyenne, avec moins de bruit : gardez "
                "$p(h \\mid v)$ dans les statistiques.", hidden_samples=True)
_wrong_training("Les **biais** n'apprennent pas : `b` et `c` ont aussi leur gradient.", biases=False)
_wrong_training("Il n'y a pas de phase **négative** : les poids croîtraient sans fin. Il faut retrancher ce que dit la reconstruction.", negative=False)


@train_RBM.mistake("Un seul lot a servi, le **premier** : le `return` est-il dans la boucle ?")
def _(W, b, c, batches, lr):
    return _cd(W, b, c, *batches[0], lr)


@train_RBM.mistake("Chaque lot repart des paramètres de **départ** : seul le dernier compte. Mettez `W`, `b` et `c` à jour lot après lot.")
def _(W, b, c, batches, lr):
    return _cd(W, b, c, *batches[-1], lr)


# ── Engendrer ────────────────────────────────────────────────────────────────


def _generations(rng):
    cases = ((6, 12, 8, 3, ""), (5, 8, 10, 4, ""), (1, 12, 6, 3, "une seule image"), (3, 6, 4, 1, "un seul pas"))
    return [Trial((*(2 * array for array in _machine(rng, p, q)), _bits(rng, N, p), rng.random((steps, N, q)), rng.random((steps, N, p))), label)
            for N, p, q, steps, label in cases]


def _chain(W, b, c, V, u_h, u_v, draw_hidden=True, draw_visible=True, steps=None, last=False, flip=False):
    for U_h, U_v in list(zip(u_h, u_v))[:steps]:
        p_h = _sigmoid(V @ W.T + c)
        H = (U_h > p_h if flip else U_h < p_h).astype(float) if draw_hidden else p_h
        P = _sigmoid(H @ W + b)
        V = (U_v > P if flip else U_v < P).astype(float) if draw_visible else P
    return P if last else V


@reference(trials=_generations, batch="V")
def generer_image_RBM(W, b, c, V, u_h, u_v):
    """L'échantillonnage de Gibbs, les tirages étant donnés (eq-rbm-hidden, eq-rbm-visible)."""
    return _chain(W, b, c, V, u_h, u_v)


def _wrong_generation(message, **options):
    @generer_image_RBM.mistake(message)
    def _(W, b, c, V, u_h, u_v):
        return _chain(W, b, c, V, u_h, u_v, **options)


_wrong_generation("Rien n'est tiré : cette boucle est déterministe et va vers un point fixe. À chaque passage, on **tire**, avec `u_h` puis `u_v`.",
                  draw_hidden=False, draw_visible=False)
_wrong_generation("Les unités cachées ne sont pas **tirées** : la descente part de leurs probabilités.", draw_hidden=False)
_wrong_generation("Les unités visibles ne sont pas **tirées** : elles restent des probabilités d'un pas à l'autre.", draw_visible=False)
_wrong_generation("Vous rendez les **probabilités** du dernier pas. On demande l'image tirée, faite de 0 et de 1.", last=True)
_wrong_generation("L'inégalité est à l'**envers** : une unité vaut 1 quand le tirage est plus petit que sa probabilité.", flip=True)
_wrong_generation("La chaîne ne fait qu'**un pas** : il y en a autant que de lignes dans `u_h`.", steps=1)


@generer_image_RBM.mistake("Chaque pas repart de l'image de **départ** : la chaîne doit continuer de là où elle en est.")
def _(W, b, c, V, u_h, u_v):
    return _chain(W, b, c, V, u_h[-1:], u_v[-1:])
