"""Vérifier ce que l'on donne à ``fit`` : un modèle, sa perte, son optimiseur, des rappels."""

from labcode.training.checkpoint import Checkpoint

ROLES = {  # ce qui est attendu, et ce qu'il doit savoir faire
    "model": ("un modèle (p. ex. un Sequential)", ("backward_parameters", "named_parameters")),
    "loss": ("une perte (p. ex. CrossEntropyLoss())", ("__call__", "backward")),
    "optimizer": ("un optimiseur (p. ex. SGD(model.parameters(), lr=0.1))", ("step", "zero_grad")),
}


def check_objects(model, loss, optimizer):
    """Lève TypeError si l'un des trois n'est pas ce qu'il doit être, ValueError s'il n'y a rien à apprendre, ou si
    l'optimiseur ne changerait aucun paramètre du modèle.
    """
    for name, value in (("model", model), ("loss", loss), ("optimizer", optimizer)):
        expected, methods = ROLES[name]
        if isinstance(value, type):
            raise TypeError(f"{name} : la classe {value.__name__} reçue, un objet attendu ; il manque les parenthèses, {value.__name__}(…).")
        if not all(hasattr(value, method) for method in methods):
            raise TypeError(f"{name} : {_kind(value)} reçu au lieu d'{expected}.")
    known = {id(parameter) for parameter in model.parameters()}
    if not known:
        raise ValueError("model : ce modèle n'a aucun paramètre, il n'y a rien à apprendre.")
    changed = getattr(optimizer, "parameters", None)  # un optimiseur à soi peut ne pas en avoir la liste
    if isinstance(changed, (list, tuple)) and known.isdisjoint(map(id, changed)):
        raise ValueError("optimizer : ne contient aucun paramètre de ce modèle ; recréez-le après le modèle.")


def checked_callbacks(callbacks):
    """La liste des rappels. Lève TypeError si ce n'en est pas une, ou si l'un d'eux ne s'appelle pas."""
    try:
        callbacks = list(callbacks)
    except TypeError:
        raise TypeError(f"callbacks : {_kind(callbacks)} reçu, une liste de rappels attendue.") from None
    for callback in callbacks:
        if isinstance(callback, Checkpoint):
            raise TypeError("callbacks : un Checkpoint se donne à part, fit(…, checkpoint=…).")
        if isinstance(callback, type) or not callable(callback):
            raise TypeError(f"callbacks : une fonction (epoch, history) attendue, reçu {_kind(callback)}.")
    return callbacks


def checked_pair(validation):
    """Le couple (X_val, y_val). Lève TypeError si ce n'en est pas un."""
    if not isinstance(validation, (tuple, list)) or len(validation) != 2:
        raise TypeError("validation : un couple (X_val, y_val) attendu.")
    return validation


def _kind(value):
    if isinstance(value, type):
        return f"la classe {value.__name__}"
    return "None" if value is None else type(value).__name__
