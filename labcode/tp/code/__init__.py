"""Les fonctions que l'élève écrit : une référence par fonction, rangées par chapitre."""

from labcode.tp.code import (backpropagation, beliefs, boltzmann, descent, initialization, network, normalization, perceptron,
                             pretraining, regularization, svm)
from labcode.tp.code.judge import Judgement, judge
from labcode.tp.code.reference import REFERENCES, Reference, Trial

__all__ = ["REFERENCES", "Judgement", "Reference", "Trial", "backpropagation", "beliefs", "boltzmann", "descent", "initialization", "judge",
           "network", "normalization", "perceptron", "pretraining", "regularization", "svm"]
