"""Les optimiseurs : comment changer les paramètres une fois les gradients connus.

Un optimiseur fait un pas ; des pénalités et des bornes corrigent le gradient avant le pas (``before_step``) ; un
programme fait varier le taux d'une époque à l'autre. Tout ce qu'il faut pour reprendre un apprentissage au bit près est
dans ``state_dict()``, un dictionnaire de nombres et de tableaux.
"""

from labcode.optim.adaptive import AdaGrad, Adam, AdamW, RMSprop
from labcode.optim.clipping import clip_grad_norm, clip_grad_value
from labcode.optim.layca import Layca
from labcode.optim.optimizer import Optimizer
from labcode.optim.penalties import L1, L2
from labcode.optim.range_test import lr_range_test
from labcode.optim.schedulers import CosineLR, ReduceLROnPlateau, Scheduler, StepLR, WarmUp
from labcode.optim.sgd import SGD

__all__ = [
    "AdaGrad", "Adam", "AdamW", "CosineLR", "L1", "L2", "Layca", "Optimizer", "RMSprop", "ReduceLROnPlateau", "SGD",
    "Scheduler", "StepLR", "WarmUp", "clip_grad_norm", "clip_grad_value", "lr_range_test",
]
