"""Une chaîne de Gibbs qui avance sous les yeux du lecteur.

Tous les calculs sont dans `gibbs.js`, sur les poids de la machine écrits dans la page : elle vit aussi sans noyau Python.
"""

import anywidget
import traitlets

from labcode.boltzmann import GaussianRBM, RBM
from labcode.datasets.arguments import floats, integer, number
from labcode.explorations.files import joined
from labcode.explorations.packing import check_size, checked_images, checked_shape, packed_floats, packed_images, packed_rows

STARTS = ("Bruit", "Dessin")
FROZEN = ("Rien", "Moitié haute", "Moitié basse", "Moitié gauche", "Moitié droite")


class GibbsExplorer(anywidget.AnyWidget):
    """La chaîne v → h → p(v | h) → v d'une RBM, pas à pas ou en continu (eq-rbm-hidden, eq-rbm-visible, eq-free-energy).

    ``rbm``, déjà apprise, a des visibles à 0 ou 1 : les pixels d'une image de ``image_shape`` (hauteur, largeur). ``images``
    (N, p), entre 0 et 1, de noms ``labels``, sont celles dont la chaîne peut partir, outre le bruit et un dessin du lecteur.
    ``start`` est l'un de `STARTS` ou de ces noms ; ``frozen``, l'un de `FROZEN`, la moitié de l'image qui ne change pas ;
    ``temperature`` T (eq-gibbs-temperature) ; ``rate``, les pas par seconde ; ``seed``, la graine du hasard de la page.

    Les poids y sont à un octet près, à une demi-échelle de leur ligne : au plus 200 000, ou ValueError. ValueError aussi pour
    une forme, un nom ou un réglage qui ne conviennent pas, TypeError pour une machine d'une autre sorte.
    """

    _esm = joined("drawing.js", "packing.js", "pictures.js", "player.js", "gibbs.js")
    _css = joined("exploration.css", "gibbs.css")

    machine = traitlets.Dict().tag(sync=True)
    image_shape = traitlets.List().tag(sync=True)
    images = traitlets.Dict().tag(sync=True)
    labels = traitlets.List().tag(sync=True)
    start = traitlets.Unicode().tag(sync=True)
    frozen = traitlets.Unicode().tag(sync=True)
    temperature = traitlets.Float(1.0).tag(sync=True)
    rate = traitlets.Int(5).tag(sync=True)
    seed = traitlets.Int(0).tag(sync=True)

    def __init__(self, rbm, images=None, *, image_shape, labels=None, start="Bruit", frozen="Rien", temperature=1.0, rate=5, seed=0, **traits):
        if not isinstance(rbm, RBM) or isinstance(rbm, GaussianRBM):
            raise TypeError(f"rbm : {type(rbm).__name__} reçu, une RBM à visibles 0 ou 1 attendue.")
        rbm.require("weight_")
        q, p = rbm.weight_.shape
        check_size(q * p, f"rbm : {q} × {p} poids", "prenez moins d'unités cachées ou des images plus petites")
        shape = checked_shape(image_shape, p)
        images = [] if images is None else checked_images(images, shape)
        labels = checked_labels(labels, len(images))
        packed = packed_images(images) if labels else {}
        check_size(len(packed.get("values", "")) * 3 // 4, f"images : {len(images)}", "donnez-en moins")
        for name, value, known in (("start", start, (*STARTS, *labels)), ("frozen", frozen, FROZEN)):
            if value not in known:
                raise ValueError(f"{name} : « {value} » n'est pas parmi {', '.join(known)}.")
        super().__init__(machine=packed_machine(rbm), image_shape=shape, images=packed, labels=labels, start=start, frozen=frozen,
                         temperature=number("temperature", temperature, 0.1, 4), rate=integer("rate", rate, 1, 60),
                         seed=integer("seed", seed, 0), **traits)

    def __repr__(self):  # pas d'adresse mémoire : les carnets comparent ce texte
        height, width = self.image_shape
        return f"GibbsExplorer({height} × {width} pixels, {self.machine['hidden']} unités cachées, images : {len(self.labels)})"


def packed_machine(rbm):
    """Poids (q, p) et biais de la machine, tels que la page les lit."""
    names = ("weight_", "visible_bias_", "hidden_bias_")
    weight, visible, hidden = (floats(getattr(rbm, name), name) for name in names)
    return {"hidden": len(hidden), "weight": packed_rows(weight), "visibleBias": packed_floats(visible), "hiddenBias": packed_floats(hidden)}


def checked_labels(labels, count):
    """Un nom par image, tous différents et autres que ceux de `STARTS`."""
    labels = [f"Image {n + 1}" for n in range(count)] if labels is None else [str(label) for label in labels]
    if len(labels) != count:
        raise ValueError(f"labels : {len(labels)} noms pour {count} images.")
    if len({*labels, *STARTS}) < count + len(STARTS):
        raise ValueError(f"labels : deux noms pareils, ou l'un de {', '.join(STARTS)}, dans {labels}.")
    return labels
