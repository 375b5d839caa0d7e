"""La machine de Boltzmann restreinte : des unités visibles, des unités cachées, aucun lien à l'intérieur d'une couche."""

import itertools
import sys

import numpy as np

from labcode.boltzmann.estimator import Estimator
from labcode.boltzmann.units import bernoulli_, sigmoid_
from labcode.datasets.arguments import floats, generator, integer
from labcode.nn import softplus
from labcode.optim.optimizer import FRACTION, NON_NEGATIVE, POSITIVE, checked_integer, checked_number
from labcode.training.divergence import DivergenceError

BLOCK = 1 << 19       # nombre de poids mis à jour à la fois : ce bloc et son gradient tiennent dans le cache
EVALUATED = 500       # exemples, au plus, sur lesquels on mesure les progrès après chaque époque


class RBM(Estimator):
    """Machine de Boltzmann restreinte à unités 0 ou 1 (Smolensky, 1986), apprise par divergence contrastive (Hinton, 2002).

    Énergie E(v, h) = −b·v − c·h − hᵀWv (eq-rbm-energy), probabilité p(v, h) = e⁻ᴱ/Z. ``fit(X)`` apprend sur X (N, p) entre 0 et 1, une
    valeur intermédiaire étant prise pour une probabilité. Réglages :

    - ``n_hidden`` q ; ``learning_rate`` η, ``momentum`` : un nombre, ou une fonction du numéro de l'époque (à partir de 1) ;
      ``batch_size``, ``n_epochs`` ;
    - ``k`` : pas de Gibbs de la phase négative (CD-k) ; ``persistent=True`` : ses chaînes ne repartent pas des données mais
      de là où elles en étaient (eq-rbm-pcd ; Tieleman, 2008) ;
    - ``weight_cost`` λ : ΔW perd ηλW, les biais rien ;
    - ``sample_visible=False`` : la phase négative garde les probabilités des visibles au lieu de les tirer, moins de bruit
      mais ce n'est plus tout à fait l'échantillonnage de Gibbs (sans effet sur les chaînes persistantes) ;
    - ``data_bias=True`` : les biais visibles partent de ln(p/(1 − p)), p étant la moyenne des données ; ``init_std`` :
      écart-type des poids au départ ; ``rng`` : graine ou générateur ; ``progress`` : barre de progression.

    La pratique de Hinton (2010) : ``momentum=hinton_momentum, weight_cost=2e-4, sample_visible=False, data_bias=True``.

    Après ``fit`` : ``weight_`` (q, p), ``visible_bias_`` (p,), ``hidden_bias_`` (q,), ``n_features_in_`` = p, et
    ``history_``, dictionnaire de listes à une valeur par époque : ``reconstruction_error`` et, si des données de validation
    sont données, ``free_energy_gap``, l'énergie libre moyenne de la validation moins celle de l'apprentissage.

    Un réglage ou des données qui ne conviennent pas lèvent ValueError ou TypeError, des poids qui ne sont plus finis
    DivergenceError. Ctrl-C arrête l'apprentissage sans rien perdre (``interrupted_`` vaut alors True).
    """

    def __init__(self, n_hidden=100, *, learning_rate=0.1, batch_size=64, n_epochs=10, k=1, persistent=False, momentum=0.0,
                 weight_cost=0.0, sample_visible=True, data_bias=False, init_std=0.01, rng=None, progress=False):
        self.n_hidden, self.learning_rate, self.batch_size, self.n_epochs = n_hidden, learning_rate, batch_size, n_epochs
        self.k, self.persistent, self.momentum, self.weight_cost = k, persistent, momentum, weight_cost
        self.sample_visible, self.data_bias, self.init_std = sample_visible, data_bias, init_std
        self.rng, self.progress = rng, progress

    # --- Apprendre ---

    def fit(self, X, y=None, *, validation=None):
        """Apprend X (N, p) depuis des poids neufs ; ``y`` est ignoré. Renvoie ``self``."""
        X = self._checked_visible(X, None)
        return self.initialize(X.shape[1], X.dtype).train(X, validation=validation)

    def initialize(self, n_visible, dtype=np.float32):
        """Poids neufs N(0, init_std²), biais nuls, historique vide ; vérifie les réglages. Renvoie ``self``."""
        owner = type(self).__name__
        for name in ("n_hidden", "batch_size", "k"):
            checked_integer(owner, name, getattr(self, name))
        checked_integer(owner, "n_epochs", self.n_epochs, 0)
        std = checked_number(owner, "init_std", self.init_std, NON_NEGATIVE)
        self._rates(1)
        self.rng_ = generator(self.rng)
        self.n_features_in_ = checked_integer(owner, "n_visible", n_visible)
        self.weight_ = self.rng_.standard_normal((self.n_hidden, n_visible), dtype)
        self.weight_ *= std
        self.visible_bias_, self.hidden_bias_ = np.zeros(n_visible, dtype), np.zeros(self.n_hidden, dtype)
        self.history_, self.interrupted_ = {"reconstruction_error": [], "free_energy_gap": []}, False
        self._velocity = self._particles = None
        return self

    def train(self, X, *, validation=None):
        """Apprend X (N, p) pendant ``n_epochs`` époques, en changeant sur place les poids présents. Renvoie ``self``."""
        self.require("weight_")
        X = self._checked_visible(X)
        if validation is not None:
            validation = self._checked_visible(validation, name="validation")
        if self.data_bias and not self.history_["reconstruction_error"]:
            self._set_data_bias(X)
        self.interrupted_ = False
        try:
            for _ in self._shown(range(self.n_epochs)):
                self._epoch(X, self.rng_.permutation(len(X)))
                self._measure(X, validation)
        except KeyboardInterrupt:
            self.interrupted_ = True
            print(f"{type(self).__name__} : apprentissage interrompu ; époques achevées : {self._epochs_done()}.", file=sys.stderr)
        self._velocity = None
        return self

    def partial_fit(self, X, y=None):
        """Une époque de plus sur X (N, p), dans l'ordre donné, depuis des poids neufs si c'est la première. Renvoie ``self``."""
        fresh = not hasattr(self, "weight_")
        X = self._checked_visible(X, None if fresh else self.n_features_in_)
        if fresh:
            self.initialize(X.shape[1], X.dtype)
            if self.data_bias:
                self._set_data_bias(X)
        self._epoch(X, np.arange(len(X)))
        self._measure(X, None)
        return self

    def _epoch(self, X, order):
        """Une époque : chaque lot, dans l'ordre ``order``, donne un pas de divergence contrastive."""
        rate, momentum = self._rates(self._epochs_done() + 1)
        size, (q, p) = min(self.batch_size, len(X)), self.weight_.shape
        V, H, step = (np.empty(shape, self.weight_.dtype) for shape in ((2 * size, p), (2 * size, q), (min(q, max(1, BLOCK // p)), p)))
        if self.persistent and (self._particles is None or len(self._particles) < size):
            self._particles = bernoulli_(np.full((size, p), 0.5, self.weight_.dtype), self.rng_)
        for start in range(0, len(X), size):
            index = order[start:start + size]
            n = len(index)
            X.take(index, 0, V[:n], "clip")  # mode="clip" : sans lui, take passerait par une copie
            self._phases(V[:n], H[:n], V[n:2 * n], H[n:2 * n])
            self._update(V[:2 * n], H[:2 * n], step, rate, momentum)

    def _phases(self, v, h, v_model, h_model):
        """Phase positive : h = p(h | v) pour les données v. Phase négative : k pas de Gibbs, h_model = p(h | v_model)."""
        self._hidden(v, out=h)
        if self.persistent:
            self._hidden(self._particles[:len(v)], out=h_model)
        else:
            np.copyto(h_model, h)
        for _ in range(self.k):
            self._visible(bernoulli_(h_model, self.rng_), out=v_model)
            if self.sample_visible or self.persistent:
                self._draw_visible(v_model, self.rng_)
            self._hidden(v_model, out=h_model)
        if self.persistent:
            self._particles[:len(v)] = v_model

    def _update(self, V, H, step, rate, momentum):
        """ΔW = η(⟨h vᵀ⟩_données − ⟨h vᵀ⟩_modèle), de même Δb avec v et Δc avec h (eq-rbm-cd).

        La première moitié des lignes de V et de H, ce sont les données, la seconde le modèle : avec le signe et le facteur
        η/n de chacune, les deux moyennes ne font qu'un produit de matrices. ``step`` est un tampon, d'un bloc de poids.
        """
        n, weight, cost = len(V) // 2, self.weight_, rate * self.weight_cost
        signs = np.repeat(np.array([rate / n, -rate / n], V.dtype), n)
        H *= signs[:, None]
        steps = [signs @ V, H.sum(axis=0)]
        if momentum:
            if self._velocity is None:
                self._velocity = [np.zeros_like(array) for array in (self.visible_bias_, self.hidden_bias_, weight)]
            for velocity, bias_step in zip(self._velocity, steps):
                velocity *= momentum
                velocity += bias_step
            steps = self._velocity[:2]
        self.visible_bias_ += steps[0]
        self.hidden_bias_ += steps[1]
        for top in range(0, len(weight), len(step)):
            rows = slice(top, top + len(step))
            block = weight[rows]
            delta = np.matmul(H[:, rows].T, V, out=step[:len(block)])
            if cost:
                delta -= cost * block
            if momentum:
                velocity = self._velocity[2][rows]
                velocity *= momentum
                velocity += delta
                delta = velocity
            block += delta

    def _measure(self, X, validation):
        """Ajoute une époque à l'historique. Lève DivergenceError si un poids n'est plus fini."""
        sample = X[:EVALUATED]
        error, gap = self.reconstruction_error(sample), np.nan
        if validation is not None:
            gap = float(self.free_energy(validation[:EVALUATED]).mean() - self.free_energy(sample).mean())
        self.history_["reconstruction_error"].append(error)
        self.history_["free_energy_gap"].append(gap)
        if not np.isfinite([error, self.weight_.min(), self.weight_.max()]).all():
            raise DivergenceError(f"{type(self).__name__} a divergé : à l'époque {self._epochs_done()}, les poids ne sont plus finis. Essayez "
                                  "un taux d'apprentissage dix fois plus petit, ou des données centrées et réduites.", self.history_)

    def _rates(self, epoch):
        """Taux d'apprentissage et inertie de cette époque, vérifiés, ainsi que le coût des poids."""
        owner = type(self).__name__
        checked_number(owner, "weight_cost", self.weight_cost, NON_NEGATIVE)
        rate, momentum = (value(epoch) if callable(value) else value for value in (self.learning_rate, self.momentum))
        return checked_number(owner, "learning_rate", rate, POSITIVE), checked_number(owner, "momentum", momentum, FRACTION)

    def _epochs_done(self):
        return len(self.history_["reconstruction_error"])

    def _shown(self, epochs):
        if not self.progress:
            return epochs
        from tqdm import tqdm

        return tqdm(epochs, desc=f"{type(self).__name__} {self.n_features_in_}-{self.n_hidden}", file=sys.stderr,
                    bar_format="{desc} {percentage:3.0f} % |{bar:30}| {elapsed} écoulé, reste {remaining}")

    # --- Le modèle : d'une couche à l'autre, énergie libre ---

    def hidden_probabilities(self, X):
        """p(h_j = 1 | v) = σ(c_j + W_j·v) (eq-rbm-hidden) : X (N, p) donne (N, q). Les unités cachées sont indépendantes sachant v."""
        return self._hidden(self._checked_visible(X))

    def visible_probabilities(self, H):
        """p(v_i = 1 | h) = σ(b_i + Σ_j h_j W_ji) (eq-rbm-visible) : H (N, q), entre 0 et 1, donne (N, p)."""
        self.require("weight_")
        return self._visible(_unit_interval(_matrix(H, "H", self.n_hidden, "unités cachées").astype(self.weight_.dtype, copy=False), "H"))

    def transform(self, X):
        """Comme ``hidden_probabilities`` : ce que la machine dit de X (N, p), de forme (N, q)."""
        return self.hidden_probabilities(X)

    def fit_transform(self, X, y=None):
        """``fit`` puis ``transform``."""
        return self.fit(X).transform(X)

    def reconstruct(self, X):
        """Aller et retour sans tirage, v → p(h | v) → p(v | h) : X (N, p) donne (N, p)."""
        return self._visible(self.hidden_probabilities(X))

    def reconstruction_error(self, X):
        """Écart quadratique moyen, par image et par pixel, entre X (N, p) et sa reconstruction (eq-reconstruction-error)."""
        X = self._checked_visible(X)
        return float(np.mean((X - self.reconstruct(X)) ** 2))

    def free_energy(self, X):
        """F(v) = −b·v − Σ_j ln(1 + exp(c_j + W_j·v)) (eq-free-energy), si bien que p(v) = e⁻ᶠ/Z : X (N, p) donne (N,)."""
        X = self._checked_visible(X)
        return self._visible_energy(X) - softplus(X @ self.weight_.T + self.hidden_bias_).sum(axis=1)

    def pseudo_likelihood(self, X):
        """Log-pseudo-vraisemblance Σ_i ln p(v_i | tous les autres) (Besag, 1975), de forme (N,) pour X (N, p) de 0 et de 1.

        C'est −Σ_i ln(1 + exp(F(v) − F(v où v_i a basculé))), exact : Z n'y figure pas (eq-pseudo-likelihood).
        """
        X = self._checked_visible(X)
        activation = X @ self.weight_.T + self.hidden_bias_
        hidden, total = softplus(activation).sum(axis=1), np.zeros(len(X), X.dtype)
        for i in range(X.shape[1]):
            flip = 1 - 2 * X[:, i]
            flipped = softplus(activation + flip[:, None] * self.weight_[:, i]).sum(axis=1)
            total -= softplus(flip * self.visible_bias_[i] + flipped - hidden)
        return total

    def score_samples(self, X):
        """Comme ``pseudo_likelihood`` : à défaut de Z, ce que l'on peut calculer de la vraisemblance de X."""
        return self.pseudo_likelihood(X)

    # --- Tirer ---

    def gibbs(self, V, *, clamped=None, temperatures=itertools.repeat(1.0), rng=None):
        """Échantillonnage de Gibbs de N chaînes parallèles parties de V (N, p) : donne à chaque pas le couple (h, p(v | h), v).

        ``clamped``, un masque (p,) : ces visibles-là gardent leur valeur de départ. À la température T, un pas tire de la loi
        e^(−E/T) (eq-gibbs-temperature) ; il y a autant de pas que de ``temperatures``, une infinité par défaut (Geman et Geman, 1984).
        """
        rng, start = generator(rng), self._checked_visible(V)
        clamped = self._checked_clamped(clamped)
        v = start
        for temperature in temperatures:
            h = bernoulli_(self._hidden(v, temperature), rng)
            p = self._visible(h, temperature=temperature)
            v = self._draw_visible(p.copy(), rng, temperature)
            v[:, clamped] = p[:, clamped] = start[:, clamped]
            yield h, p, v

    def sample(self, n_samples=1, n_steps=1000, *, start=None, clamped=None, initial_temperature=1.0, probabilities=False, rng=None):
        """Tire ``n_samples`` exemples en ``n_steps`` pas de Gibbs, autant de chaînes avançant ensemble : (n_samples, p).

        On part de bruit, ou de ``start`` (p,) ou (n_samples, p) ; ``clamped``, un masque (p,), y fige des visibles.
        ``initial_temperature`` T₀ > 1 : recuit, la température descend géométriquement de T₀ à 1. ``probabilities=True`` rend
        les probabilités du dernier tirage, plus douces à l'œil.
        """
        self.require("weight_")
        n_samples, n_steps, rng = integer("n_samples", n_samples, 1), integer("n_steps", n_steps, 0), generator(rng)
        checked_number(type(self).__name__, "initial_temperature", initial_temperature, POSITIVE)
        if start is None:
            if clamped is not None:
                raise ValueError("clamped : il faut dire avec start la valeur des visibles figés.")
            v = self._noise(n_samples, rng)
        else:
            start = self._checked_visible(np.atleast_2d(start), name="start")
            if len(start) not in (1, n_samples):
                raise ValueError(f"start : {len(start)} exemples reçus pour n_samples = {n_samples} chaînes.")
            v = start.repeat(n_samples // len(start), axis=0)
        p = v
        for _, p, v in self.gibbs(v, clamped=clamped, temperatures=np.geomspace(initial_temperature, 1, n_steps), rng=rng):
            pass
        return p if probabilities else v

    # --- Ce que d'autres unités visibles redéfinissent (GaussianRBM) ---

    def _hidden(self, V, temperature=1.0, out=None):
        H = np.matmul(V, self.weight_.T, out=out)
        H += self.hidden_bias_
        return sigmoid_(_cooled(H, temperature))

    def _visible(self, H, out=None, temperature=1.0):
        V = np.matmul(H, self.weight_, out=out)
        V += self.visible_bias_
        return sigmoid_(_cooled(V, temperature))

    def _draw_visible(self, P, rng, temperature=1.0):
        return bernoulli_(P, rng)

    def _noise(self, n, rng):
        return bernoulli_(np.full((n, self.n_features_in_), 0.5, self.weight_.dtype), rng)

    def _visible_energy(self, V):
        return -(V @ self.visible_bias_)

    def _visible_log_partition(self, bias):
        """ln de la somme de exp(−énergie des visibles seuls) sur tous les v, leurs biais étant ``bias`` (…, p) : (…)."""
        return softplus(bias.astype(np.float64)).sum(axis=-1)

    def _data_bias(self, X):
        """Biais visibles d'une machine sans poids qui a la moyenne de X, chaque moyenne étant tenue à l'écart de 0 et de 1."""
        p = (X.sum(axis=0, dtype=np.float64) + 0.5) / (len(X) + 1)
        return np.log(p / (1 - p))

    def _checked_values(self, X, name):
        return _unit_interval(X, name)

    # --- Vérifier ---

    def _checked_visible(self, X, width=0, name="X"):
        """X en tableau (N, p) de nombres permis, du type des poids ; ``width`` vaut None si p n'est pas encore connu."""
        if width == 0:
            self.require("weight_")
            width = self.n_features_in_
        X = self._checked_values(_matrix(X, name, width, "unités visibles"), name)
        return X if width is None or not hasattr(self, "weight_") else X.astype(self.weight_.dtype, copy=False)

    def _checked_clamped(self, clamped):
        if clamped is None:
            return np.zeros(self.n_features_in_, bool)
        clamped = np.asarray(clamped)
        if clamped.dtype != bool or clamped.shape != (self.n_features_in_,):
            raise ValueError(f"clamped : un masque de {self.n_features_in_} booléens attendu, reçu {clamped.dtype} de forme {clamped.shape}.")
        return clamped

    def _set_data_bias(self, X):
        self.visible_bias_[:] = self._data_bias(X)


def hinton_momentum(epoch):
    """L'inertie que Hinton (2010) conseille : 0,5 pendant les cinq premières époques, 0,9 ensuite."""
    return 0.5 if epoch <= 5 else 0.9


def _cooled(activation, temperature):
    if temperature != 1:
        activation /= activation.dtype.type(temperature)
    return activation


def _matrix(X, name, width, units):
    """X en tableau flottant (N, width) non vide et fini."""
    X = floats(X, name)
    if X.ndim != 2:
        advice = f" ; pour un seul exemple, donnez {name}[None, :]" if X.ndim == 1 else ""
        raise ValueError(f"{name} : forme {X.shape} reçue, un lot (N, p) attendu{advice}.")
    if width is not None and X.shape[1] != width:
        raise ValueError(f"{name} : {X.shape[1]} colonnes reçues, {width} attendues, le nombre d'{units}.")
    return X


def _unit_interval(X, name):
    low, high = X.min(), X.max()
    if low < 0 or high > 1:
        advice = " ; divisez les niveaux de gris par 255" if low >= 0 and 1 < high <= 255 else " ; pour des données réelles, voir GaussianRBM"
        raise ValueError(f"{name} : valeurs de {low:g} à {high:g} reçues, des valeurs entre 0 et 1 attendues{advice}.")
    return X
