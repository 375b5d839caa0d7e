"""Réseaux de neurones : couches, activations, pertes, et la vérification de leurs gradients.

Deux conventions valent partout. L'indice d'exemple vient en premier : une entrée est un lot (N, n_x).
``backward(dy)`` reçoit le gradient de la perte par rapport à la sortie, renvoie celui par rapport à
l'entrée et ajoute à ``Parameter.grad`` celui de chaque paramètre.
"""

from labcode.nn.activations import (Identity, LeakyReLU, LogSoftmax, ReLU, Sigmoid, Softmax, Softplus,
                                    StochasticNeuron, Tanh, Threshold, leaky_relu, log_softmax, relu,
                                    sigmoid, softmax, softplus, tanh)
from labcode.nn.conv import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d
from labcode.nn.dropout import Dropout
from labcode.nn.gradient_check import GradientCheck, gradient_check
from labcode.nn.init import calculate_gain, initialize
from labcode.nn.linear import Flatten, Linear, Reshape
from labcode.nn.losses import BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, Loss, MSELoss
from labcode.nn.module import Buffer, Module, Parameter, Sequential
from labcode.nn.normalization import BatchNorm1d, BatchNorm2d
from labcode.nn.pooling import (AvgPool1d, AvgPool2d, GlobalAvgPool1d, GlobalAvgPool2d, GlobalMaxPool1d,
                                GlobalMaxPool2d, MaxPool1d, MaxPool2d)
from labcode.nn.upsample import Upsample

__all__ = [
    "AvgPool1d", "AvgPool2d", "BCELoss", "BCEWithLogitsLoss", "BatchNorm1d", "BatchNorm2d", "Buffer", "Conv1d",
    "Conv2d", "ConvTranspose1d", "ConvTranspose2d", "CrossEntropyLoss", "Dropout", "Flatten", "GlobalAvgPool1d",
    "GlobalAvgPool2d", "GlobalMaxPool1d", "GlobalMaxPool2d", "GradientCheck", "Identity", "LeakyReLU", "Linear",
    "LogSoftmax", "Loss", "MSELoss", "MaxPool1d", "MaxPool2d", "Module", "Parameter", "ReLU", "Reshape", "Sequential",
    "Sigmoid", "Softmax", "Softplus", "StochasticNeuron", "Tanh", "Threshold", "Upsample", "calculate_gain",
    "gradient_check", "initialize", "leaky_relu", "log_softmax", "relu", "sigmoid", "softmax", "softplus", "tanh",
]
