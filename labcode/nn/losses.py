"""Les pertes : ce que le réseau cherche à rendre petit.

Une convention pour toutes : moyenne sur les N exemples du lot, somme sur les composantes. ``backward``
renvoie le gradient de cette moyenne : il porte le facteur 1/N.
"""

import numpy as np

from labcode.nn.activations import shifted, sigmoid
from labcode.nn.module import as_array, as_float


class Loss:
    """Perte : ``loss(y_hat, y)`` rend sa valeur (un float), ``loss.backward()`` son gradient en ``y_hat``.

    ``y_hat`` et ``y`` sont des lots ; formes différentes, lot vide ou cible non finie lèvent ValueError. Si
    c'est ``y_hat`` qui n'est pas fini, la perte vaut nan ou inf : à la boucle d'apprentissage de s'arrêter.
    """

    _saved = None

    def __call__(self, y_hat, y):
        return self.forward(y_hat, y)

    def forward(self, y_hat, y):
        """Valeur de la perte, moyenne du lot."""
        raise NotImplementedError(f"{type(self).__name__} ne définit pas forward")

    def backward(self):
        """Gradient de la dernière valeur calculée, de la forme de ``y_hat``."""
        raise NotImplementedError(f"{type(self).__name__} ne définit pas backward")

    def _batch(self, y_hat, y):
        """Convertit et compare ``y_hat`` et ``y``, qui doivent avoir la même forme (N, …)."""
        y_hat, y = as_float(y_hat, self), as_float(y, self)
        if y_hat.ndim == 0 or not y_hat.size:
            raise ValueError(f"{self} : y_hat de forme {y_hat.shape}, attendu un lot (N, …) avec N ≥ 1")
        if y.shape != y_hat.shape:
            raise ValueError(f"{self} : cible y de forme {y.shape}, attendu {y_hat.shape} comme y_hat")
        return y_hat, y.astype(y_hat.dtype, copy=False)

    def _between_0_and_1(self, name, p):
        if p.min() < 0 or p.max() > 1:
            raise ValueError(f"{self} : {name} doit être entre 0 et 1, reçu des valeurs "
                             + f"de {p.min():g} à {p.max():g}".replace(".", ","))

    def _mean(self, total, y):
        """Divise ``total`` par N ; si la perte n'est pas finie, vérifie que les données n'y sont pour rien."""
        value = float(total) / len(y)
        if not np.isfinite(value) and not np.isfinite(y).all():
            raise ValueError(f"{self} : la cible y contient des valeurs non finies (nan ou inf)")
        return value

    def _last(self):
        if self._saved is None:
            raise RuntimeError(f"{self} : backward appelé avant le calcul de la perte, il n'y a encore rien à dériver")
        return self._saved

    def __repr__(self):
        return f"{type(self).__name__}()"


class MSELoss(Loss):
    """Erreur quadratique : (1/N) Σ_n Σ_j (ŷ_nj − y_nj)² (eq-mse).

    ``y_hat`` et ``y`` ont la même forme (N, n_y) ou (N,). PyTorch divise aussi par n_y : sa valeur par défaut
    est n_y fois plus petite.
    """

    def forward(self, y_hat, y):
        y_hat, y = self._batch(y_hat, y)
        self._saved = difference = y_hat - y
        return self._mean(np.vdot(difference, difference), y)

    def backward(self):
        """Renvoie 2 (ŷ − y)/N (eq-mse-backward)."""
        difference = self._last()
        return difference * (2 / len(difference))


class BCELoss(Loss):
    """Entropie croisée binaire de probabilités : −(1/N) Σ_n Σ_j [y ln ŷ + (1 − y) ln(1 − ŷ)] (eq-bce).

    ``y_hat`` et ``y``, de même forme (N, n_y) ou (N,), sont entre 0 et 1, sinon ValueError. En ŷ = 0 ou 1,
    chaque logarithme est borné à −100 et le dénominateur du gradient à 10⁻¹², comme dans PyTorch : tout
    reste fini. BCEWithLogitsLoss n'a pas besoin de ces bornes.
    """

    def forward(self, y_hat, y):
        y_hat, y = self._batch(y_hat, y)
        self._between_0_and_1("y_hat", y_hat)
        self._between_0_and_1("y", y)
        self._saved = y_hat, y
        log_p = np.log(y_hat, out=np.full_like(y_hat, -100), where=y_hat != 0)
        log_q = np.log1p(-y_hat, out=np.full_like(y_hat, -100), where=y_hat != 1)
        return self._mean(-(y * np.maximum(log_p, -100) + (1 - y) * log_q).sum(), y)

    def backward(self):
        """Renvoie (ŷ − y)/(ŷ (1 − ŷ))/N (eq-bce-backward)."""
        y_hat, y = self._last()
        return (y_hat - y) / np.maximum(y_hat * (1 - y_hat), 1e-12) / len(y)


class BCEWithLogitsLoss(Loss):
    """Entropie croisée binaire de logits : (1/N) Σ_n Σ_j [ln(1 + e^ỹ) − y ỹ] (eq-bce-logits).

    Égale à BCELoss appliquée à σ(ỹ), sans en perdre la précision. Logits et cibles ont la même forme (N, n_y)
    ou (N,) ; une cible hors de [0, 1] lève ValueError.
    """

    def forward(self, y_hat, y):
        logits, y = self._batch(y_hat, y)
        self._between_0_and_1("y", y)
        self._saved = logits, y
        size = np.abs(logits)
        refuted = np.where(logits > 0, 1 - y, y)  # part de la cible que contredit le signe du logit
        penalty = np.multiply(size, refuted, out=np.zeros_like(size), where=refuted != 0)  # 0·∞ vaut ici 0
        return self._mean((penalty + np.log1p(np.exp(-size))).sum(), y)

    def backward(self):
        """Renvoie (σ(ỹ) − y)/N (eq-bce-logits-backward)."""
        logits, y = self._last()
        return (sigmoid(logits) - y) / len(y)


class CrossEntropyLoss(Loss):
    """Entropie croisée de softmax(ỹ) : −(1/N) Σ_n Σ_j y_nj ln softmax(ỹ_n)_j (eq-cross-entropy).

    Logits : (N, n_y). Cibles : classes entières (N,) entre 0 et n_y − 1, ou probabilités (one-hot compris)
    (N, n_y), de somme 1 par ligne ; sinon ValueError, ou TypeError pour des classes non entières.
    """

    def forward(self, y_hat, y):
        logits, y = as_float(y_hat, self), as_array(y, self)
        if logits.ndim != 2 or not logits.size:
            raise ValueError(f"{self} : logits de forme {logits.shape}, attendu (N, n_y) avec N ≥ 1")
        z = shifted(logits, -1, self)
        exponentials = np.exp(z)
        sums = exponentials.sum(axis=1, keepdims=True)
        if y.shape == logits.shape:
            y = self._distributions(y, logits.dtype)
            chosen = np.multiply(y, z, out=np.zeros_like(z), where=y != 0)  # 0·(−∞) vaut ici 0
        else:
            y = self._classes(y, *logits.shape)
            chosen = z[np.arange(len(z)), y]
        self._saved = exponentials, sums, y
        return self._mean(np.log(sums).sum() - chosen.sum(), y)

    def backward(self):
        """Renvoie (softmax(ỹ) − y)/N, de la forme des logits (eq-cross-entropy-backward)."""
        exponentials, sums, y = self._last()
        gradient = exponentials / sums
        if y.ndim == 2:
            gradient -= y
        else:
            gradient[np.arange(len(y)), y] -= 1
        gradient /= len(y)
        return gradient

    def _classes(self, y, n, n_classes):
        if y.shape != (n,):
            raise ValueError(f"{self} : cible de forme {y.shape}, attendu ({n},) pour des classes "
                             f"ou ({n}, {n_classes}) pour des probabilités")
        if y.dtype.kind not in "biu":
            raise TypeError(f"{self} : les classes doivent être entières, reçu le type {y.dtype}")
        if y.min() < 0 or y.max() >= n_classes:
            wrong = y[(y < 0) | (y >= n_classes)][0]
            raise ValueError(f"{self} : étiquette {wrong} reçue, attendu une classe de 0 à {n_classes - 1}")
        return y.astype(np.intp, copy=False)

    def _distributions(self, y, dtype):
        y = as_float(y, self).astype(dtype, copy=False)
        if not (y.min() >= 0 and np.abs(y.sum(axis=1) - 1).max() <= 1e-3):
            raise ValueError(f"{self} : chaque ligne de la cible doit être une loi de probabilité "
                             "(valeurs positives, de somme 1)")
        return y
