"""La frontière d'un perceptron à deux entrées, que le lecteur déplace.

Tous les calculs sont dans `boundary.js` : l'exploration vit aussi dans la page, sans noyau Python.
"""

from math import isfinite

import anywidget
import traitlets

from labcode.explorations.files import joined

CORNERS = [(0, 0), (0, 1), (1, 0), (1, 1)]

# Deux nuages que la droite 5 x1 + 8 x2 = 4 sépare ; des dixièmes, comme le pas des curseurs.
CLOUD = [
    (-1.5, 0.6, 0), (-0.7, -0.3, 0), (-1.8, -0.9, 0), (0.2, -0.8, 0), (-0.4, 0.4, 0), (0.9, -1.2, 0), (-1.1, -1.6, 0), (0.4, -0.1, 0),
    (-0.6, 1.6, 1), (1.6, 0.5, 1), (0.3, 1.1, 1), (1.2, 1.5, 1), (1.9, -0.4, 1), (-1.3, 1.9, 1), (0.9, 0.4, 1), (0.2, 0.7, 1),
]


def logic_gate(outputs):
    """Les quatre points de la table d'une porte : sorties données dans l'ordre de `CORNERS`."""
    return [(x1, x2, y) for (x1, x2), y in zip(CORNERS, outputs, strict=True)]


EXAMPLES = {
    "AND": logic_gate([0, 0, 0, 1]),
    "OR": logic_gate([0, 1, 1, 1]),
    "XOR": logic_gate([0, 1, 1, 0]),
    "Nuage séparable": CLOUD,
}


class BoundaryExplorer(anywidget.AnyWidget):
    """Une droite w1·x1 + w2·x2 + b = 0 à placer entre deux classes, à la main ou pas à pas.

    `examples` associe à chaque nom une liste de points (x1, x2, y), y valant 0 ou 1 ; `example` est
    celui que l'on montre. Les curseurs, les pas du perceptron (eq-perceptron-update) et le compte des
    erreurs se font dans le navigateur ; w1, w2 et b reviennent à Python quand un noyau est là.
    Des points mal formés ou un exemple inconnu lèvent ValueError.
    """

    _esm = joined("drawing.js", "boundary.js")
    _css = joined("exploration.css", "boundary.css")

    w1 = traitlets.Float(1.0).tag(sync=True)
    w2 = traitlets.Float(-1.0).tag(sync=True)
    b = traitlets.Float(0.0).tag(sync=True)
    examples = traitlets.List().tag(sync=True)  # des couples [nom, points] : le JSON d'un carnet trie les clés d'un dictionnaire
    example = traitlets.Unicode().tag(sync=True)

    def __init__(self, example="AND", *, examples=None, **traits):
        examples = EXAMPLES if examples is None else examples
        if example not in examples:
            raise ValueError(f"example : « {example} » n'est pas parmi {', '.join(examples)}.")
        if not all(examples.values()):
            raise ValueError("examples : aucun point dans l'un des exemples.")
        points = [[name, [check_point(name, point) for point in listed]] for name, listed in examples.items()]
        super().__init__(example=example, examples=points, **traits)

    def __repr__(self):  # pas d'adresse mémoire : les carnets comparent ce texte
        return f"BoundaryExplorer({self.example!r}, w1={self.w1:g}, w2={self.w2:g}, b={self.b:g})"


def check_point(name, point):
    """Un point (x1, x2, y) en nombres ordinaires, ou ValueError."""
    try:
        x1, x2, y = (float(value) for value in point)
    except (TypeError, ValueError):
        raise ValueError(f"examples[{name!r}] : attendu des points (x1, x2, y), reçu {point!r}.") from None
    if y not in (0, 1) or not isfinite(x1) or not isfinite(x2):
        raise ValueError(f"examples[{name!r}] : x1 et x2 doivent être finis, y valoir 0 ou 1 ; reçu {point!r}.")
    return [x1, x2, int(y)]
