"""Borner le gradient, pour qu'un lot exceptionnel ne détruise pas l'acquis."""

from math import isfinite, sqrt

import numpy as np

from labcode.optim.optimizer import POSITIVE, checked_number, checked_parameters


def clip_grad_norm(parameters, max_norm):
    """Réduit ensemble les gradients pour que leur norme ne dépasse pas ``max_norm`` ; renvoie la norme d'avant.

    La norme est celle de tous les gradients mis bout à bout : la direction ne change pas (Pascanu et al., 2013). Un
    gradient non fini est laissé tel quel, pour que la divergence se voie. Lève ValueError si ``max_norm`` ≤ 0.
    """
    max_norm = checked_number("clip_grad_norm", "max_norm", max_norm, POSITIVE)
    parameters = checked_parameters("clip_grad_norm", parameters)
    norm = sqrt(sum(float(np.square(parameter.grad, dtype=np.float64).sum()) for parameter in parameters))
    if norm > max_norm and isfinite(norm):
        for parameter in parameters:
            parameter.grad *= max_norm / norm
    return norm


def clip_grad_value(parameters, clip_value):
    """Ramène chaque composante des gradients entre −``clip_value`` et ``clip_value``. Lève ValueError s'il est ≤ 0."""
    clip_value = checked_number("clip_grad_value", "clip_value", clip_value, POSITIVE)
    for parameter in checked_parameters("clip_grad_value", parameters):
        np.clip(parameter.grad, -clip_value, clip_value, out=parameter.grad)
