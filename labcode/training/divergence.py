"""La divergence : la reconnaître, dire où elle a commencé et qu'essayer."""

import numpy as np

from labcode.checks import french_number
from labcode.nn.module import Sequential

LARGE_INPUT = 10.0      # au-delà, des entrées passent pour mal mises à l'échelle


class DivergenceError(ArithmeticError):
    """L'apprentissage a divergé : perte énorme ou non finie, ou paramètre non fini. ``history`` garde les époques
    achevées.
    """

    def __init__(self, message, history):
        super().__init__(message)
        self.history = history


def first_broken_layer(model, x, prefix=""):
    """Où la première valeur non finie est née, en une phrase, ou None : chaque couche d'un Sequential est rejouée sur x.

    Une couche dont les paramètres sont déjà gâtés l'a été par le pas précédent : c'est elle qu'il faut nommer.
    """
    for name, layer in model.children() if isinstance(model, Sequential) else [("", model)]:
        where = f"la couche {prefix}{name} ({type(layer).__name__})" if prefix or name else f"le modèle ({type(layer).__name__})"
        if isinstance(layer, Sequential):
            found = first_broken_layer(layer, x, f"{prefix}{name}.")
            if found:
                return found
        elif spoiled := broken_parameters(layer):
            return f"premières valeurs non finies dans {where}, paramètre {spoiled[0]}, depuis le pas précédent"
        x = layer(x)
        if not np.isfinite(x).all():
            return f"premières valeurs non finies à la sortie de {where}"
    return None


def broken_parameters(model):
    """Noms des paramètres qui contiennent NaN ou l'infini."""
    return [name for name, parameter in model.named_parameters() if not np.isfinite(parameter.data).all()]


def advice(optimizer, X):
    """Qu'essayer après une divergence : le taux d'apprentissage, puis l'échelle des données ou le gradient."""
    rate = f" (ici lr = {french_number(optimizer.lr)})" if hasattr(optimizer, "lr") else ""
    low, high = float(X.min()), float(X.max())
    if max(-low, high) > LARGE_INPUT:
        then = f"ramenez les données entre 0 et 1 (elles vont ici de {french_number(low, 2)} à {french_number(high, 2)})"
    else:
        then = "bornez le gradient (clip_grad_norm), ou partez de poids plus petits"
    return f"Essayez un taux d'apprentissage dix fois plus petit{rate} ; ou {then}."
