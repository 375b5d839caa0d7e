"""La vraisemblance : exacte par énumération quand la machine est petite, estimée par recuit (AIS) quand elle est grande."""

import copy
from typing import NamedTuple

import numpy as np

from labcode.boltzmann.gaussian import GaussianRBM
from labcode.boltzmann.units import bernoulli_, log_sum_exp, sigmoid_
from labcode.datasets.arguments import generator, integer
from labcode.nn import softplus

ENUMERABLE = 20       # unités, au plus, de la couche dont on énumère tous les états
CHUNK = 1 << 12       # états énumérés à la fois


class LogPartition(NamedTuple):
    """Une valeur de ln Z et son intervalle : « trois écarts-types » pour une estimation, réduit à un point si elle est exacte."""

    value: float
    low: float
    high: float


# --- Exactement ---


def all_states(n, dtype=np.float64):
    """Tous les vecteurs de n bits, par paquets (au plus 4096, n), le premier bit étant celui qui change le moins souvent."""
    for start in range(0, 2**n, CHUNK):
        numbers = np.arange(start, min(start + CHUNK, 2**n))
        yield (numbers[:, None] >> np.arange(n)[::-1] & 1).astype(dtype)


def exact_log_partition(rbm):
    """ln Z, somme sur tous les états de la plus petite couche, l'autre se sommant d'elle-même (eq-partition-exact) : un LogPartition.

    Lève ValueError si cette couche a plus de 20 unités. D'une GaussianRBM, on énumère toujours les cachées.
    """
    value = log_sum_exp([log_sum_exp(log_p) for _, log_p in _weighted_states(rbm)])
    return LogPartition(value, value, value)


def exact_gradient(rbm, X):
    """Gradient de la log-vraisemblance moyenne de X (N, p) : ⟨h vᵀ⟩_données − ⟨h vᵀ⟩_modèle, ⟨v⟩ − ⟨v⟩, ⟨h⟩ − ⟨h⟩ (eq-rbm-gradient).

    Renvoie (∇W, ∇b, ∇c), des formes de ``weight_``, ``visible_bias_`` et ``hidden_bias_``. L'espérance sous le modèle vient
    de ``exact_expectations``.
    """
    X = np.asarray(X, np.float64)
    H = rbm.hidden_probabilities(X).astype(np.float64)
    data = H.T @ X / len(X), X.mean(axis=0), H.mean(axis=0)
    return tuple(mean - expected for mean, expected in zip(data, exact_expectations(rbm)))


def exact_expectations(rbm):
    """Espérances sous le modèle ⟨h vᵀ⟩ (q, p), ⟨v⟩ (p,), ⟨h⟩ (q,), par énumération de la plus petite couche."""
    log_z, over_visible = exact_log_partition(rbm).value, _sums_over_visible(rbm)
    total = [np.zeros_like(array) for array in _float64(rbm)]
    for states, log_p in _weighted_states(rbm):
        V, H = (states, rbm._hidden(states)) if over_visible else (rbm._visible(states), states)
        p = np.exp(log_p - log_z)
        for sum_, term in zip(total, ((H * p[:, None]).T @ V, p @ V, p @ H)):
            sum_ += term
    return tuple(total)


def _weighted_states(rbm):
    """Les états de la plus petite couche, par paquets (S, n), et ln(Z p) de chacun (S,), l'autre couche étant sommée."""
    W, b, c = _float64(rbm)
    if _sums_over_visible(rbm):
        _refuse_too_many(len(b), "visibles")
        for states in all_states(len(b)):
            yield states, states @ b + softplus(states @ W.T + c).sum(axis=1)
    else:
        _refuse_too_many(len(c), "cachées")
        for states in all_states(len(c)):
            yield states, states @ c + rbm._visible_log_partition(states @ W + b)


def log_likelihood(rbm, X, log_z=None):
    """ln p(v) = −F(v) − ln Z, de forme (N,) pour X (N, p). ``log_z`` : nombre ou LogPartition ; exact par défaut."""
    log_z = exact_log_partition(rbm) if log_z is None else log_z
    return -rbm.free_energy(X).astype(np.float64) - (log_z.value if isinstance(log_z, LogPartition) else log_z)


# --- Par recuit ---


def ais_log_partition(rbm, X=None, *, n_chains=100, betas=1000, rng=None):
    """Estime ln Z par échantillonnage préférentiel recuit (Neal, 2001 ; Salakhutdinov et Murray, 2008) : un LogPartition.

    On part d'une machine sans poids, dont Z est connu (ses biais visibles sont ceux de la moyenne de X s'il est donné, ce qui
    aide beaucoup), et l'on va vers ``rbm`` par des machines intermédiaires de paramètres β croissants : ``betas`` est leur
    nombre, resserrées près de 1, ou le tableau des β de 0 à 1. Chaque chaîne a un poids w, la moyenne des w est
    Z / Z_départ (eq-ais). L'intervalle est ln(moyenne ± 3 écarts-types de la moyenne).
    """
    rng, n_chains, betas = generator(rng), integer("n_chains", n_chains, 2), _checked_betas(betas)
    rbm.require("weight_")
    W, b, c = rbm.weight_, rbm.visible_bias_, rbm.hidden_bias_
    start = b if X is None else rbm._data_bias(rbm._checked_visible(X)).astype(b.dtype)
    machine = copy.copy(rbm)  # les machines intermédiaires, l'une après l'autre : mêmes poids, autres biais visibles
    machine.visible_bias_ = start
    V = machine._draw_visible(machine._visible(np.zeros((n_chains, len(c)), b.dtype)), rng)
    log_w = np.zeros(n_chains)
    for previous, beta in zip(betas, betas[1:]):
        activation = V @ W.T
        activation += c
        # ln p*_β(v) − ln p*_β'(v) : les biais visibles glissent, puis les cachées s'éveillent
        log_w += (beta - previous) * (V @ (b - start)).astype(np.float64)
        log_w += softplus(activation * W.dtype.type(beta)).sum(axis=1, dtype=np.float64)
        log_w -= softplus(activation * W.dtype.type(previous)).sum(axis=1, dtype=np.float64)
        if beta < 1:  # un pas de Gibbs qui laisse p_β invariante
            activation *= W.dtype.type(beta)
            H = bernoulli_(sigmoid_(activation), rng)
            machine.visible_bias_ = (start + W.dtype.type(beta) * (b - start)).astype(b.dtype, copy=False)
            H *= W.dtype.type(beta)
            V = machine._draw_visible(machine._visible(H), rng)
    base = rbm._visible_log_partition(start) + len(c) * np.log(2)
    return _interval(base, log_w)


def _interval(base, log_w):
    largest = log_w.max()
    w = np.exp(log_w - largest)
    mean, error = w.mean(), w.std(ddof=1) / np.sqrt(len(w))
    with np.errstate(divide="ignore"):
        value, low, high = (float(base + largest + np.log(max(x, 0))) for x in (mean, mean - 3 * error, mean + 3 * error))
    return LogPartition(value, low, high)


def dbn_lower_bound(dbn, X, log_z, *, n_samples=1, rng=None):
    """Borne inférieure variationnelle de ln p(v) d'un DBN (eq-dbn-bound), (N,) pour X (N, p) (Hinton, Osindero et Teh, 2006).

    E_q[−F_sommet(h) + Σ ln p(dessous | dessus) − ln q(h | v)] − ln Z_sommet, où q monte le réseau en tirant chaque couche ;
    moyenne de ``n_samples`` montées. ``log_z`` : ln Z de la RBM du sommet, nombre ou LogPartition. C'est ln p(v) exactement
    s'il n'y a qu'une RBM.
    """
    rng = generator(rng)
    *below, top = dbn.rbms_
    total = np.zeros(len(X))
    for _ in range(integer("n_samples", n_samples, 1)):
        v = below[0]._checked_visible(X) if below else X
        for rbm in below:
            q = rbm._hidden(v)
            h = bernoulli_(q.copy(), rng)
            total += _log_bernoulli_from(v, h, rbm) - _log_bernoulli(h, q)
            v = h
        total += log_likelihood(top, v, log_z)
    return total / n_samples


def _log_bernoulli(x, p):
    """Σ_i ln p(x_i), p étant la probabilité que x_i vaille 1."""
    p = np.where(x > 0.5, p, 1 - p).astype(np.float64)
    return np.log(np.maximum(p, np.finfo(np.float32).tiny)).sum(axis=1)


def _log_bernoulli_from(v, h, rbm):
    """ln p(v | h) : −énergie des visibles seuls, leurs biais étant b + Wᵀh, moins le logarithme de sa somme."""
    bias = h @ rbm.weight_ + rbm.visible_bias_
    return -rbm._visible_energy(v) + np.einsum("np,np->n", v, bias - rbm.visible_bias_) - rbm._visible_log_partition(bias)


def _sums_over_visible(rbm):
    rbm.require("weight_")
    return len(rbm.visible_bias_) < len(rbm.hidden_bias_) and not isinstance(rbm, GaussianRBM)


def _float64(rbm):
    rbm.require("weight_")
    return (array.astype(np.float64) for array in (rbm.weight_, rbm.visible_bias_, rbm.hidden_bias_))


def _refuse_too_many(n, kind):
    if n > ENUMERABLE:
        raise ValueError(f"Calcul exact impossible : {n} unités {kind}, il y aurait 2^{n} états à énumérer, et {ENUMERABLE} unités est le plus "
                         "que l'on permet. Estimez avec ais_log_partition.")


def _checked_betas(betas):
    if isinstance(betas, (int, np.integer)) and not isinstance(betas, bool):
        n = integer("betas", betas, 2)
        return np.interp(np.linspace(0, 1, n), [0, 500 / 14500, 4500 / 14500, 1], [0, 0.5, 0.9, 1])  # le calendrier de l'article
    betas = np.asarray(betas, np.float64)
    if betas.ndim != 1 or len(betas) < 2 or betas[0] != 0 or betas[-1] != 1 or (np.diff(betas) <= 0).any():
        raise ValueError("betas : un entier, ou un tableau croissant de 0 à 1, attendu.")
    return betas
