"""Le réseau profond pré-entraîné : un DBN, plus une couche de classification ; les mêmes poids servent aux deux."""

import copy

import numpy as np

from labcode.boltzmann.dbn import DBN
from labcode.boltzmann.estimator import Estimator
from labcode.datasets.arguments import array, generator
from labcode.nn import CrossEntropyLoss, Linear, Sequential, Sigmoid, softmax
from labcode.optim import SGD
from labcode.training import fit, predict


class DNN(Estimator):
    """Réseau de neurones à sigmoïdes, pré-entraîné comme un DBN puis entraîné par rétropropagation (Hinton et al., 2006).

    ``dbn`` donne les couches cachées et le réglage de leur pré-entraînement : ``DNN(DBN([RBM(200), RBM(200)]), rng=0)``.
    ``fit(X, y)`` fait tout ; pas à pas, ce sont ``initialize`` (poids au hasard), ``pretrain(X)`` et ``train(X, y)``.
    ``pretraining=False`` : ``fit`` saute le pré-entraînement. La rétropropagation suit ``n_epochs``, ``batch_size`` et
    ``learning_rate`` ; ``optimizer``, une fonction des paramètres (``partial(Adam, lr=0.001)``), remplace SGD. ``rng``
    sert à ce qui n'a pas le sien.

    Les poids sont partagés : ``network_`` (Linear, Sigmoid, …, Linear ; eq-dnn-forward) et les machines ``dbn_.rbms_`` ont les mêmes
    tableaux ``weight_`` et ``hidden_bias_`` ; apprendre l'un change l'autre. Après ``train`` : ``classes_`` (triées) et
    ``history_`` (History de labcode.training).
    """

    def __init__(self, dbn, *, learning_rate=0.1, batch_size=64, n_epochs=10, optimizer=None, pretraining=True, rng=None, progress=False):
        self.dbn, self.learning_rate, self.batch_size, self.n_epochs = dbn, learning_rate, batch_size, n_epochs
        self.optimizer, self.pretraining, self.rng, self.progress = optimizer, pretraining, rng, progress

    def fit(self, X, y, *, validation=None):
        """``initialize``, ``pretrain`` (si ``pretraining``) puis ``train`` sur X (N, p), y (N,). Renvoie ``self``."""
        X = self._checked_dbn()._checked_rbms()[0]._checked_visible(X, None)
        self.initialize(X.shape[1], X.dtype)
        if self.pretraining:
            self.pretrain(X)
        return self.train(X, y, validation=validation)

    def initialize(self, n_visible, dtype=np.float32):
        """Couches cachées neuves, tirées comme celles des RBM, et pas encore de couche de classification. Renvoie ``self``."""
        self.rng_ = generator(self.rng)
        dbn = self._checked_dbn()
        dbn = dbn.untrained(**({"rng": self.rng_} if dbn.rng is None else {}))
        return self._build(dbn.initialize(n_visible, dtype))

    def start_from(self, dbn):
        """Part d'une copie d'un DBN déjà appris, p. ex. ``dnn.start_from(dbn[:3])``. Renvoie ``self``."""
        dbn.require("rbms_")
        self.rng_ = generator(self.rng)
        return self._build(copy.deepcopy(dbn))

    def pretrain(self, X):
        """Apprentissage glouton des couches cachées sur X (N, p), sans étiquettes. Renvoie ``self``."""
        if not hasattr(self, "dbn_"):
            self.initialize(np.shape(X)[-1])
        self.dbn_.train(X)
        return self

    def train(self, X, y, *, validation=None, **options):
        """Rétropropagation (eq-dnn-gradient) sur X (N, p), y (N,) de classes ; ``validation=(X, y)``. Renvoie ``self``.

        ``options`` va à ``labcode.training.fit`` : ``callbacks``, ``penalty``, ``augment``, ``checkpoint``. La couche de
        classification est ajoutée au premier appel.
        """
        if not hasattr(self, "dbn_"):
            self.initialize(np.shape(X)[-1])
        if not hasattr(self, "classes_"):
            self._add_classifier(np.unique(array(y, "y")))
        parameters = self.network_.parameters()
        optimizer = SGD(parameters, lr=self.learning_rate) if self.optimizer is None else self.optimizer(parameters)
        if validation is not None:
            validation = validation[0], self._ranks(validation[1])
        self.history_ = fit(self.network_, CrossEntropyLoss(), optimizer, X, self._ranks(y), epochs=self.n_epochs,
                            batch_size=self.batch_size, validation=validation, rng=self.rng_, progress=self.progress, **options)
        return self

    def predict_proba(self, X):
        """Probabilité de chaque classe (eq-dnn-forward) : X (N, p) donne (N, n_classes), dans l'ordre de ``classes_``."""
        self.require("classes_")
        return softmax(predict(self.network_, X))

    def predict(self, X):
        """Classe la plus probable de chaque image : X (N, p) donne (N,)."""
        p = self.predict_proba(X)
        return self.classes_[p.argmax(axis=1)]

    def error_rate(self, X, y):
        """Proportion, entre 0 et 1, d'images mal classées."""
        return float(np.mean(self.predict(X) != array(y, "y")))

    def score(self, X, y):
        """Proportion d'images bien classées, le contraire d'``error_rate``."""
        return 1 - self.error_rate(X, y)

    def _build(self, dbn):
        """Prend ``dbn`` pour pile de machines, et bâtit au-dessus de leurs tableaux le réseau qui s'en sert."""
        self.dbn_, self.n_features_in_, layers = dbn, dbn.n_features_in_, []
        for rbm in dbn.rbms_:
            linear = Linear(*rbm.weight_.shape[::-1], rng=self.rng_, dtype=rbm.weight_.dtype)
            linear.weight.data, linear.bias.data = rbm.weight_, rbm.hidden_bias_
            rbm.weight_, rbm.hidden_bias_ = linear.weight.data, linear.bias.data  # désormais, un seul tableau pour les deux
            layers += [linear, Sigmoid()]
        self.network_ = Sequential(*layers)
        vars(self).pop("classes_", None)
        return self

    def _add_classifier(self, classes):
        if len(classes) < 2:
            raise ValueError(f"y : une seule classe, {classes[0]} ; il en faut deux pour apprendre à les séparer.")
        last = self.dbn_.rbms_[-1]
        output = Linear(last.n_hidden, len(classes), rng=self.rng_, dtype=last.weight_.dtype)
        self.classes_, self.network_ = classes, Sequential(*self.network_, output)

    def _ranks(self, y):
        """Rang de chaque étiquette dans ``classes_``. Lève ValueError pour une étiquette inconnue."""
        y = array(y, "y")
        if not np.isin(y, self.classes_).all():
            raise ValueError(f"y : étiquettes inconnues, {', '.join(map(str, self.classes_))} attendues.")
        return np.searchsorted(self.classes_, y)

    def _checked_dbn(self):
        if not isinstance(self.dbn, DBN):
            raise TypeError(f"dbn : un DBN attendu, p. ex. DNN(DBN([RBM(200)])), reçu {type(self.dbn).__name__}.")
        return self.dbn
