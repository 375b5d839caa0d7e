"""Le réseau de croyances profond : des machines de Boltzmann empilées, chacune apprenant ce que cache la précédente."""

import numpy as np

from labcode.boltzmann.estimator import Estimator
from labcode.boltzmann.rbm import RBM
from labcode.boltzmann.units import bernoulli_
from labcode.datasets.arguments import generator, integer


class DBN(Estimator):
    """Réseau de croyances profond appris couche par couche (Hinton, Osindero et Teh, 2006).

    ``rbms`` est la liste des machines, de l'entrée au sommet, avec leurs réglages : ``DBN([RBM(500), RBM(500)], rng=0)``.
    Elles servent de modèles : ce qui apprend, ce sont leurs copies ``rbms_``. Une machine sans ``rng`` tire dans celui du
    réseau. ``DBN(…)[:3]`` est le réseau des trois premières couches, qui partage leurs poids.

    Lève TypeError si ``rbms`` n'est pas une liste non vide de RBM.
    """

    def __init__(self, rbms, *, rng=None):
        self.rbms, self.rng = rbms, rng

    def fit(self, X, y=None):
        """Apprend X (N, p) depuis des poids neufs ; ``y`` est ignoré. Renvoie ``self``."""
        rbms = self._checked_rbms()
        X = rbms[0]._checked_visible(X, None)
        return self.initialize(X.shape[1], X.dtype).train(X)

    def initialize(self, n_visible, dtype=np.float32):
        """Machines neuves, chacune ayant autant de visibles que la précédente a de cachées. Renvoie ``self``."""
        rng, rbms = generator(self.rng), self._checked_rbms()
        self.rbms_, self.n_features_in_ = [], n_visible
        for template in rbms:
            rbm = template.untrained(**({"rng": rng} if template.rng is None else {}))
            self.rbms_.append(rbm.initialize(n_visible, dtype))
            n_visible = rbm.n_hidden
        return self

    def train(self, X):
        """Apprentissage glouton (eq-dbn-greedy), sur place : chaque machine apprend les probabilités cachées de la précédente.

        Renvoie ``self``.

        Ctrl-C arrête là : les couches suivantes restent ce qu'elles étaient.
        """
        self.require("rbms_")
        for rbm in self.rbms_:
            rbm.train(X)
            if rbm.interrupted_:
                break
            X = rbm.transform(X)  # seule la dernière couche de données reste en mémoire
        return self

    def transform(self, X):
        """Monte les probabilités de X (N, p) jusqu'au sommet : (N, q), q étant le nombre de cachées de la dernière machine."""
        self.require("rbms_")
        for rbm in self.rbms_:
            X = rbm.transform(X)
        return X

    def fit_transform(self, X, y=None):
        """``fit`` puis ``transform``."""
        return self.fit(X).transform(X)

    def up(self, X, rng=None):
        """Montée par tirages : liste des états 0 ou 1 de chaque couche cachée, de la première au sommet."""
        rng, states = generator(rng), []
        self.require("rbms_")
        for rbm in self.rbms_:
            states.append(bernoulli_(rbm.transform(states[-1] if states else X), rng))
        return states

    def down(self, H, *, n_layers=None, rng=None):
        """Descente de H (N, q) jusqu'aux visibles (N, p) : chaque couche est tirée, sauf la dernière, dont on rend l'espérance.

        ``H`` est l'état des cachées de la machine n° ``n_layers`` (à partir de 1 ; celle du sommet par défaut).
        """
        self.require("rbms_")
        rng = generator(rng)
        machines = self.rbms_[:integer("n_layers", len(self.rbms_) if n_layers is None else n_layers, 1, len(self.rbms_))]
        for rbm in reversed(machines[1:]):
            H = rbm._draw_visible(rbm.visible_probabilities(H), rng)
        return machines[0].visible_probabilities(H)

    def reconstruct(self, X):
        """Aller et retour jusqu'au sommet, sans aucun tirage : X (N, p) donne (N, p)."""
        H = self.transform(X)
        for rbm in reversed(self.rbms_):
            H = rbm.visible_probabilities(H)
        return H

    def sample(self, n_samples=1, n_steps=1000, *, probabilities=False, rng=None, **options):
        """Tire ``n_samples`` exemples (n_samples, p) : ``n_steps`` pas de Gibbs au sommet, puis une descente par tirages (eq-dbn-generate).

        ``options`` est ce qu'accepte aussi ``RBM.sample``, pour la machine du sommet : ``start``, ``clamped``,
        ``initial_temperature``. ``probabilities=True`` rend les probabilités des visibles plutôt qu'un tirage.
        """
        self.require("rbms_")
        rng, (*below, top) = generator(rng), self.rbms_
        if not below:
            return top.sample(n_samples, n_steps, probabilities=probabilities, rng=rng, **options)
        V = self.down(top.sample(n_samples, n_steps, rng=rng, **options), n_layers=len(below), rng=rng)
        return V if probabilities else self.rbms_[0]._draw_visible(V, rng)

    def __getitem__(self, layers):
        if not isinstance(layers, slice):
            return self.rbms_[layers]
        part = DBN(self.rbms[layers], rng=self.rng)
        if hasattr(self, "rbms_"):
            part.rbms_ = self.rbms_[layers]
            part.n_features_in_ = part.rbms_[0].n_features_in_
        return part

    def _checked_rbms(self):
        if not isinstance(self.rbms, (list, tuple)) or not self.rbms or not all(isinstance(rbm, RBM) for rbm in self.rbms):
            raise TypeError(f"rbms : une liste non vide de RBM attendue, p. ex. DBN([RBM(500), RBM(200)]), reçu {self.rbms!r}.")
        return self.rbms
