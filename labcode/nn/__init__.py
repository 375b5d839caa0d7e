"""Réseaux de neurones : couches, activations, pertes, et la vérification de leurs gradients.

Deux conventions valent partout. L'indice d'exemple vient en premier : une entrée est un lot (N, n_x).
``backward(dy)`` reçoit le gradient de la perte par rapport à la sortie, renvoie celui par rapport à
l'entrée et ajoute à ``Parameter.grad`` celui de chaque paramètre.
"""

from labcode.nn.activations import (Identity, LeakyReLU, LogSoftmax, ReLU, Sigmoid, Softmax, Softplus,
                                    StochasticNeuron, Tanh, Threshold, leaky_relu, log_softmax, relu,
                                    sigmoid, softmax, softplus, tanh)
from labcode.nn.gradient_check import GradientCheck, gradient_check
from labcode.nn.linear import Flatten, Linear
from labcode.nn.losses import BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, Loss, MSELoss
from labcode.nn.module import Module, Parameter, Sequential

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "Flatten", "GradientCheck", "Identity", "LeakyReLU",
    "Linear", "LogSoftmax", "Loss", "MSELoss", "Module", "Parameter", "ReLU", "Sequential", "Sigmoid",
    "Softmax", "Softplus", "StochasticNeuron", "Tanh", "Threshold", "gradient_check", "leaky_relu",
    "log_softmax", "relu", "sigmoid", "softmax", "softplus", "tanh",
]
