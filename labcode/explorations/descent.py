"""La descente d'un point sur une surface, que le lecteur choisit avec la méthode, le taux et le départ.

Tous les calculs sont dans `descent.js` : l'exploration vit aussi dans la page, sans noyau Python.
"""

import anywidget
import traitlets

from labcode.explorations.files import joined

SURFACES = ("Vallée", "Vallée en diagonale", "Selle", "Rosenbrock")
METHODS = ("Gradient", "Inertie", "Nesterov", "AdaGrad", "RMSprop", "Adam")


class DescentExplorer(anywidget.AnyWidget):
    """Une trajectoire de descente sur les lignes de niveau d'une fonction de deux variables.

    `surface` est l'un des noms de `SURFACES`, `method` l'un de `METHODS` : les règles de `labcode.optim` (eq-sgd,
    eq-momentum, eq-nesterov, eq-adagrad, eq-rmsprop, eq-adam), α = 0,9 pour RMSprop. `log_lr` est le logarithme décimal du
    taux, `momentum` l'inertie μ, `steps` le nombre de pas montrés, (`x`, `y`) le départ ; None, celui que la surface propose.
    Un nom inconnu lève ValueError.
    """

    _esm = joined("drawing.js", "descent.js")
    _css = joined("exploration.css", "descent.css")

    surface = traitlets.Unicode("Vallée").tag(sync=True)
    method = traitlets.Unicode("Gradient").tag(sync=True)
    log_lr = traitlets.Float(-1.1).tag(sync=True)
    momentum = traitlets.Float(0.9).tag(sync=True)
    steps = traitlets.Int(60).tag(sync=True)
    x = traitlets.Float(None, allow_none=True).tag(sync=True)
    y = traitlets.Float(None, allow_none=True).tag(sync=True)

    def __init__(self, surface="Vallée", method="Gradient", **traits):
        for name, value, known in (("surface", surface, SURFACES), ("method", method, METHODS)):
            if value not in known:
                raise ValueError(f"{name} : « {value} » n'est pas parmi {', '.join(known)}.")
        super().__init__(surface=surface, method=method, **traits)

    def __repr__(self):  # pas d'adresse mémoire : les carnets comparent ce texte
        return f"DescentExplorer({self.surface!r}, {self.method!r}, lr={10**self.log_lr:.2g})"
