"""Les optimiseurs : comment changer les paramètres une fois les gradients connus."""

from labcode.optim.optimizer import Optimizer
from labcode.optim.sgd import SGD

__all__ = ["Optimizer", "SGD"]
