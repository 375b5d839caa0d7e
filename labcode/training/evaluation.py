"""Évaluer un modèle : ses sorties, son taux d'erreur ; et vérifier les données qu'on lui donne."""

import operator

import numpy as np

EVALUATION_BATCH = 1024


def predict(model, X, batch_size=EVALUATION_BATCH):
    """Sorties du modèle, en mode évaluation, pour X (N, …) : un tableau (N, …) calculé par lots. Le mode du modèle
    est rétabli ensuite.
    """
    X = inputs("X", X)
    batch_size = integer("batch_size", batch_size, 1)
    was_training = model.training
    model.eval()
    try:
        return np.concatenate([model(X[start:start + batch_size]) for start in range(0, len(X), batch_size)])
    finally:
        model.train(was_training)


def error_rate(model, X, y, *, threshold=None):
    """Proportion, entre 0 et 1, des exemples X (N, …) que le modèle range dans une autre classe que y.

    y : classes entières (N,) ou one-hot (N, n_y) ; la classe prédite est l'indice de la plus grande sortie. Pour un
    modèle à une seule sortie, la classe est 1 au-delà de ``threshold`` : 0 pour un logit, 0,5 pour une probabilité.
    """
    X, y = inputs("X", X), targets("y", y, len(X))
    y_hat = predict(model, X)
    if _single_output(y_hat) and threshold is None:
        raise ValueError("threshold : à donner pour un modèle à une seule sortie (0 pour un logit, 0,5 pour une probabilité).")
    classes = target_classes(y, y_hat, threshold)
    if classes is None:
        raise ValueError(f"y : des classes entières (N,) ou one-hot (N, n_y) étaient attendues ; reçu {y.dtype}, de forme {y.shape}.")
    if not _single_output(y_hat) and classes.max() >= y_hat.shape[1]:
        raise ValueError(f"y : étiquette {classes.max()} reçue, de 0 à {y_hat.shape[1] - 1} attendues.")
    return float(np.mean(predicted_classes(y_hat, threshold) != classes))


def target_classes(y, y_hat, threshold):
    """Classes entières (N,) que décrit y, ou None si les cibles ne sont pas des classes (régression, probabilités)."""
    if _single_output(y_hat):
        return y.reshape(-1) if threshold is not None and y[0].size == 1 and np.isin(y, (0, 1)).all() else None
    if y.ndim == 1:
        return y if y.dtype.kind in "biu" else None
    one_hot = y.ndim == 2 and y.shape[1] > 1 and np.isin(y, (0, 1)).all() and (y.sum(axis=1) == 1).all()
    return y.argmax(axis=1) if one_hot else None


def predicted_classes(y_hat, threshold):
    """Classe prédite (N,) : au-delà du seuil pour une sortie unique, indice de la plus grande sinon."""
    return y_hat.reshape(-1) > threshold if _single_output(y_hat) else y_hat.argmax(axis=1)


def inputs(name, X):
    """X en tableau flottant fini (N, …), N ≥ 1, sans copie s'il est déjà en float32 ou en float64."""
    X = np.asarray(X)
    if X.dtype.kind not in "biuf":
        raise TypeError(f"{name} : tableau de nombres attendu, reçu le type {X.dtype}.")
    if X.dtype not in (np.float32, np.float64):
        X = X.astype(np.float32)
    if X.ndim < 2:
        raise ValueError(f"{name} : forme {X.shape} reçue, un lot (N, …) attendu, un exemple par ligne.")
    if X.size == 0:
        raise ValueError(f"{name} : ensemble vide, de forme {X.shape}.")
    _refuse_not_finite(name, X)
    return X


def targets(name, y, n_examples):
    """y en tableau de nombres finis, une cible par exemple."""
    y = np.asarray(y)
    if y.dtype.kind not in "biuf":
        raise TypeError(f"{name} : tableau de nombres attendu, reçu le type {y.dtype}.")
    if y.ndim == 0 or len(y) != n_examples:
        raise ValueError(f"{name} : {len(y) if y.ndim else 'aucune'} cible(s) pour {n_examples} exemples.")
    _refuse_not_finite(name, y)
    return y


def integer(name, value, minimum):
    """``value`` en int. Lève TypeError si ce n'est pas un entier, ValueError s'il est inférieur à ``minimum``."""
    try:
        value = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} : entier attendu, reçu {value!r}.") from None
    if value < minimum:
        raise ValueError(f"{name} : {value} reçu, un entier au moins égal à {minimum} attendu.")
    return value


def _single_output(y_hat):
    return y_hat.ndim == 1 or y_hat.shape[1:] == (1,)


def _refuse_not_finite(name, array):
    # min et max propagent NaN, et n'allouent pas un tableau de booléens aussi grand que les données
    if not (np.isfinite(array.min()) and np.isfinite(array.max())):
        first = next(n for n, row in enumerate(array) if not np.isfinite(row).all())
        raise ValueError(f"{name} : contient NaN ou une valeur infinie (premier exemple touché : {first}).")
