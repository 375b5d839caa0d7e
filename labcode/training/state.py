"""Ce qu'un point de reprise doit garder en plus des tableaux : les générateurs aléatoires, et la mise en JSON, sans pickle."""

import numpy as np


def named_generators(model, prefix=""):
    """Générateurs aléatoires des couches (Dropout…) : dictionnaire nom → np.random.Generator."""
    found = {prefix + name: value for name, value in vars(model).items() if isinstance(value, np.random.Generator)}
    for name, child in model.children():
        found |= named_generators(child, f"{prefix}{name}.")
    return found


def pack(value, path, arrays):
    """``value`` en objet JSON, ses tableaux étant rangés dans ``arrays`` sous des noms qui commencent par ``path``.

    ``unpack`` fait l'inverse, au bit près et aux types près. Lève TypeError pour ce qui n'est ni nombre, ni texte, ni
    tableau, ni liste ou dictionnaire de ceux-ci.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biufU":
        while path in arrays:
            path += "_"
        arrays[path] = value
        return {"array" if isinstance(value, np.ndarray) else "scalar": path}
    if isinstance(value, (list, tuple)):
        return {"list" if isinstance(value, list) else "tuple": [pack(item, f"{path}/{rank}", arrays) for rank, item in enumerate(value)]}
    if isinstance(value, dict):  # en liste de couples : une clé entière reste entière
        return {"dict": [[pack(key, f"{path}/clé {rank}", arrays), pack(item, f"{path}/{key}", arrays)]
                         for rank, (key, item) in enumerate(value.items())]}
    raise TypeError(f"{path} : un objet {type(value).__name__} ne peut pas être gardé dans un point de reprise.")


def unpack(value, arrays):
    """L'objet que ``pack`` a mis en JSON et en tableaux."""
    if not isinstance(value, dict):
        return value
    (kind, content), = value.items()
    if kind == "dict":
        return {unpack(key, arrays): unpack(item, arrays) for key, item in content}
    if kind in ("list", "tuple"):
        items = [unpack(item, arrays) for item in content]
        return items if kind == "list" else tuple(items)
    return arrays[content] if kind == "array" else arrays[content][()]
