"""Évaluer un modèle : ses sorties, son taux d'erreur ; et vérifier les données qu'on lui donne."""

import numpy as np

from labcode.datasets.arguments import array, integer, number

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
    threshold = None if threshold is None else number("threshold", threshold, -np.inf)
    y_hat = predict(model, X)
    if _single_output(y_hat) and threshold is None:
        raise ValueError("threshold : à donner pour un modèle à une seule sortie (0 pour un logit, 0,5 pour une probabilité).")
    classes = target_classes(y, y_hat, threshold)
    if classes is None:
        expected = "des étiquettes 0 et 1" if _single_output(y_hat) else "des classes entières (N,) ou one-hot (N, n_y)"
        raise ValueError(f"y : {expected} étaient attendues ; reçu {y.dtype}, de forme {y.shape}.")
    if not _single_output(y_hat):
        _check_classes(y, classes, y_hat.shape[1])
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
    X = array(X, name)
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
    y = array(y, name)
    if y.dtype.kind not in "biuf":
        raise TypeError(f"{name} : tableau de nombres attendu, reçu le type {y.dtype}.")
    if y.ndim == 0:
        raise ValueError(f"{name} : un nombre seul reçu, une cible par exemple attendue.")
    if len(y) != n_examples:
        raise ValueError(f"{name} : {len(y)} cible{'s' * (len(y) > 1)} pour {n_examples} exemple{'s' * (n_examples > 1)}.")
    _refuse_not_finite(name, y)
    return y


def _check_classes(y, classes, n_classes):
    """Lève ValueError si une étiquette, ou la largeur du codage one-hot, ne convient pas à ``n_classes`` sorties."""
    if y.ndim == 2 and y.shape[1] != n_classes:
        raise ValueError(f"y : codage one-hot à {y.shape[1]} colonnes reçu, {n_classes} attendues, une par sortie du modèle.")
    wrong = classes[(classes < 0) | (classes >= n_classes)]
    if len(wrong):
        raise ValueError(f"y : étiquette {wrong[0]} reçue, une classe de 0 à {n_classes - 1} attendue.")


def _single_output(y_hat):
    return y_hat.ndim == 1 or y_hat.shape[1:] == (1,)


def _refuse_not_finite(name, array):
    # min et max propagent NaN, et n'allouent pas un tableau de booléens aussi grand que les données
    if not (np.isfinite(array.min()) and np.isfinite(array.max())):
        first = next(n for n, row in enumerate(array) if not np.isfinite(row).all())
        raise ValueError(f"{name} : contient NaN ou une valeur infinie (premier exemple touché : {first}).")
