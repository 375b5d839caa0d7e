"""Les filtres d'une machine de Boltzmann pendant qu'elle apprend : ce que chaque unité cachée guette, époque après époque.

Le dessin est dans `filters.js`, les poids sont dans la page : elle vit aussi sans noyau Python.
"""

import anywidget
import traitlets

from labcode.datasets.arguments import floats, integer
from labcode.explorations.files import joined
from labcode.explorations.packing import check_size, checked_shape, packed_rows


class FiltersExplorer(anywidget.AnyWidget):
    """Les poids (q, p) d'une couche à plusieurs époques, chaque ligne montrée comme une image : bleu négatif, orange positif.

    ``snapshots`` associe à chaque époque, un entier, les poids W (q, p) qu'avait alors la machine. On garde les ``n_filters``
    premières unités, chaque poids à un octet près. ``measures`` associe à un nom une valeur par époque, dite sous l'image.
    ``epoch`` est l'époque montrée d'abord : la première si rien n'est dit. Plus de 200 000 poids en tout, des formes qui
    diffèrent ou une époque absente lèvent ValueError.
    """

    _esm = joined("drawing.js", "packing.js", "pictures.js", "player.js", "filters.js")
    _css = joined("exploration.css", "filters.css")

    snapshots = traitlets.List().tag(sync=True)  # un dictionnaire de `packed_rows` par époque
    epochs = traitlets.List().tag(sync=True)
    image_shape = traitlets.List().tag(sync=True)
    measures = traitlets.List().tag(sync=True)  # des couples [nom, valeurs] : le JSON d'un carnet trie les clés d'un dictionnaire
    rank = traitlets.Int(0).tag(sync=True)
    common = traitlets.Bool(False).tag(sync=True)

    def __init__(self, snapshots, image_shape, *, n_filters=36, measures=None, epoch=None, **traits):
        n_filters, epochs = integer("n_filters", n_filters, 1), sorted(snapshots)
        if not epochs:
            raise ValueError("snapshots : aucune époque reçue.")
        weights = [floats(snapshots[integer("snapshots", key, 0)], f"snapshots[{key}]") for key in epochs]
        if weights[0].ndim != 2 or len({weight.shape for weight in weights}) > 1:
            raise ValueError("snapshots : formes " + ", ".join(str(weight.shape) for weight in weights)
                             + " reçues, une même forme (q, p) attendue à toutes les époques.")
        shape, kept = checked_shape(image_shape, weights[0].shape[1]), [weight[:n_filters] for weight in weights]
        check_size(sum(weight.size for weight in kept), f"snapshots : {len(kept)} époques de {len(kept[0])} filtres",
                   "donnez moins d'époques ou un n_filters plus petit")
        if epoch is not None and epoch not in epochs:
            raise ValueError(f"epoch : {epoch!r} n'est pas parmi {', '.join(map(str, epochs))}.")
        super().__init__(snapshots=[packed_rows(weight) for weight in kept], epochs=epochs, image_shape=shape,
                         measures=checked_measures(measures or {}, len(epochs)), rank=0 if epoch is None else epochs.index(epoch), **traits)

    def __repr__(self):  # pas d'adresse mémoire : les carnets comparent ce texte
        height, width = self.image_shape
        return f"FiltersExplorer({height} × {width} pixels, époques : {', '.join(map(str, self.epochs))})"


def checked_measures(measures, count):
    """Des couples [nom, valeurs], une valeur finie par époque, à six chiffres."""
    checked = []
    for name, values in measures.items():
        values = floats(values, f"measures[{name!r}]")
        if values.shape != (count,):
            raise ValueError(f"measures[{name!r}] : forme {values.shape} reçue, une valeur par époque attendue : ({count},).")
        checked.append([str(name), [float(f"{value:.6g}") for value in values]])
    return checked
