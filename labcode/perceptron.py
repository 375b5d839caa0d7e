"""Le neurone formel de McCulloch et Pitts, et le perceptron de Rosenblatt qui apprend de ses erreurs."""

from numbers import Integral

import numpy as np

from labcode.checks import french_number
from labcode.datasets.arguments import array, generator


class FormalNeuron:
    """Neurone formel : il s'active (1) quand la somme pondérée de ses entrées binaires atteint son seuil.

    ``weights`` a la forme (n_x,), ``threshold`` est le seuil θ. Rien ici n'apprend : on choisit les poids à la main.
    Lève ValueError si une entrée n'est pas binaire ou n'a pas la bonne taille.
    Équation : eq-formal-neuron. Source : McCulloch et Pitts, 1943.
    """

    def __init__(self, weights, threshold):
        self.weights = _finite_array("weights", weights, ndim=1)
        self.threshold = float(_finite_array("threshold", threshold, ndim=0))

    def predict(self, X):
        """Sorties 0 ou 1 du neurone : un entier pour une entrée (n_x,), un tableau (N,) pour un lot (N, n_x)."""
        X = array(X, "X")
        if X.ndim not in (1, 2) or X.shape[-1] != len(self.weights):
            raise ValueError(f"X : forme {X.shape} reçue, forme ({len(self.weights)},) ou (N, {len(self.weights)}) attendue.")
        if not np.isin(X, (0, 1)).all():
            raise ValueError("X : un neurone formel n'accepte que des entrées binaires, 0 ou 1.")
        fired = (X @ self.weights >= self.threshold).astype(np.int64)
        return int(fired) if X.ndim == 1 else fired

    __call__ = predict

    def __repr__(self):
        return f"FormalNeuron(weights={self.weights.tolist()}, threshold={self.threshold:g})"


class Perceptron:
    """Perceptron : un séparateur linéaire qui ne change ses poids que lorsqu'il se trompe.

    Les exemples sont présentés un par un, dans l'ordre donné (``rng=None``) ou dans un ordre tiré à chaque époque
    (``rng`` : graine ou générateur). On part de poids nuls ; le biais est le poids d'une entrée fictive x_0 = 1. On
    s'arrête après une époque sans erreur, ou après ``max_epochs`` époques. Équations : eq-perceptron-output (la
    sortie), eq-perceptron-update (la règle). Source : Rosenblatt, 1958.

    Après ``fit`` : ``coef_`` (n_x,), ``intercept_``, ``classes_`` (2,), ``n_mistakes_``, ``mistakes_per_epoch_``,
    ``mistakes_per_example_`` (N,), ``converged_`` et ``note_``, une phrase qui dit comment l'apprentissage s'est
    terminé.
    """

    def __init__(self, max_epochs=1000, rng=None):
        if not isinstance(max_epochs, Integral) or max_epochs < 1:
            raise ValueError(f"max_epochs : {max_epochs!r} reçu, un entier au moins égal à 1 attendu.")
        self.max_epochs = max_epochs
        self.rng = rng
        generator(rng)  # une graine impossible est refusée dès maintenant

    def fit(self, X, y):
        """Apprend sur X (N, n_x), y (N,) d'étiquettes {0, 1} ou {−1, +1} ; renvoie le perceptron. Équation :
        eq-perceptron-update.

        Lève ValueError si les données sont vides, contiennent NaN, n'ont pas les bonnes formes ou pas exactement deux
        classes.
        """
        X, signs, self.classes_ = _check_data(X, y)
        if len(self.classes_) == 1:
            raise ValueError(f"y : une seule classe, {self.classes_[0]} ; il en faut deux pour apprendre à les séparer.")
        Z = _augment(X)
        w = np.zeros(Z.shape[1])
        self.mistakes_per_epoch_ = []
        self.mistakes_per_example_ = np.zeros(len(Z), dtype=np.int64)
        shuffle = None if self.rng is None else generator(self.rng)
        for _ in range(self.max_epochs):
            mistakes = 0
            for n in range(len(Z)) if shuffle is None else shuffle.permutation(len(Z)):
                output = 1 if Z[n] @ w >= 0 else -1
                if output != signs[n]:
                    w += signs[n] * Z[n]
                    self.mistakes_per_example_[n] += 1
                    mistakes += 1
            self.mistakes_per_epoch_.append(mistakes)
            if mistakes == 0:
                break
        self.intercept_, self.coef_ = float(w[0]), w[1:]
        self.n_mistakes_ = sum(self.mistakes_per_epoch_)
        self.converged_ = mistakes == 0
        self.note_ = self._describe()
        return self

    def decision_function(self, X):
        """Potentiels w·x + b, de forme (N,), pour X (N, n_x) : leur signe donne la classe. Équation :
        eq-perceptron-output.
        """
        if not hasattr(self, "coef_"):
            raise RuntimeError("Ce perceptron n'a encore rien appris : appelez d'abord fit(X, y).")
        X = _finite_array("X", X, ndim=2)
        if X.shape[1] != len(self.coef_):
            raise ValueError(f"X : {X.shape[1]} colonnes reçues, {len(self.coef_)} attendues comme à l'apprentissage.")
        return X @ self.coef_ + self.intercept_

    def predict(self, X):
        """Classes (N,) de X (N, n_x), avec les étiquettes vues à l'apprentissage. Équation : eq-perceptron-output."""
        return np.where(self.decision_function(X) >= 0, self.classes_[1], self.classes_[0])

    def _describe(self):
        epochs, mistakes = len(self.mistakes_per_epoch_), self.n_mistakes_
        if self.converged_:
            return f"Convergence : l'époque {epochs} se passe sans erreur, après {mistakes} erreur{'s' * (mistakes > 1)} en tout."
        return (f"Pas de convergence en {epochs} époque{'s' * (epochs > 1)} ({mistakes} erreurs) : "
                "les données ne sont peut-être pas linéairement séparables, ou il faut augmenter max_epochs.")

    def __repr__(self):
        return f"Perceptron(max_epochs={self.max_epochs})"


def margin(X, y, w, b=0.0):
    """Marge γ avec laquelle la droite (w, b) sépare X (N, n_x) d'étiquettes y (N,) ; négative ou nulle si elle ne
    sépare pas.

    C'est celle des vecteurs augmentés (1, x) et (b, w) : γ = min_n t_n (w·x_n + b) / √(‖w‖² + b²), où t_n = ±1. Pour b
    = 0 c'est la distance du point le plus proche à la frontière. Équation : eq-margin.
    """
    X, signs, _ = _check_data(X, y)
    w = _finite_array("w", w, ndim=1)
    if len(w) != X.shape[1]:
        raise ValueError(f"w : {len(w)} composantes reçues, {X.shape[1]} attendues, une par colonne de X.")
    b = float(_finite_array("b", b, ndim=0))
    norm = np.hypot(np.linalg.norm(w), b)
    if norm == 0:
        raise ValueError("w et b : tous deux nuls, ils ne définissent aucune frontière.")
    return float(np.min(signs * (X @ w + b)) / norm)


def mistake_bound(X, y, w, b=0.0):
    """Borne (R/γ)² sur le nombre total d'erreurs du perceptron, connaissant un séparateur (w, b) de X (N, n_x), y (N,).

    R est la plus grande norme des vecteurs augmentés (1, x_n), γ la marge de (w, b) : le meilleur séparateur donne la
    meilleure borne. Lève ValueError si (w, b) ne sépare pas les données. Équation : eq-perceptron-bound. Source :
    Novikoff, 1962.
    """
    gamma = margin(X, y, w, b)
    if gamma <= 0:
        raise ValueError("(w, b) ne sépare pas les données : la borne n'existe que pour un séparateur.")
    radius = np.linalg.norm(_augment(_finite_array("X", X, ndim=2)), axis=1).max()
    return float((radius / gamma) ** 2)


def _augment(X):
    """Vecteurs augmentés (1, x) : la colonne d'entrées fictives x_0 = 1, puis X."""
    return np.column_stack([np.ones(len(X)), X])


def _finite_array(name, values, ndim):
    """``values`` en tableau float64 fini à ``ndim`` dimensions, ou une erreur qui nomme l'argument."""
    found = array(values, name)
    if found.dtype.kind not in "biuf":
        expected = "tableau de nombres" if ndim else "nombre"
        raise TypeError(f"{name} : {expected} attendu, reçu {'None' if values is None else type(values).__name__}.")
    if found.ndim != ndim:
        expected = ("un nombre", "un vecteur", "un tableau à deux dimensions (N, n_x)")[ndim]
        raise ValueError(f"{name} : forme {found.shape} reçue, {expected} attendu.")
    if not np.isfinite(found).all():
        problem = "contient NaN ou une valeur infinie" if ndim else f"{french_number(found)} reçu, un nombre fini attendu"
        raise ValueError(f"{name} : {problem}.")
    return found.astype(np.float64)


def _check_data(X, y):
    """X en float64, les signes ±1 de y, et les classes présentes dans y, triées."""
    X, y = _finite_array("X", X, ndim=2), array(y, "y")
    if X.size == 0:
        raise ValueError(f"X : ensemble vide, de forme {X.shape}.")
    if y.shape != (len(X),):
        raise ValueError(f"y : forme {y.shape} reçue, ({len(X)},) attendue, une étiquette par ligne de X.")
    classes = np.unique(y)
    if not (np.isin(classes, (0, 1)).all() or np.isin(classes, (-1, 1)).all()):
        raise ValueError(f"y : étiquettes {classes[:5].tolist()} reçues, {{0, 1}} ou {{−1, +1}} attendues.")
    return X, np.where(y == 1, 1, -1), classes
