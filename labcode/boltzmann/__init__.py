"""Machines de Boltzmann : la RBM, son empilement (DBN), le réseau qu'elle pré-entraîne (DNN), et la vraisemblance.

Un lot est (N, p), une ligne par exemple ; les poids ``weight_`` (n_hidden, n_visible) ont la forme de ceux de
``labcode.nn.Linear``, qui les partage. ``fit``, ``transform``, ``get_params`` : les manières de scikit-learn.
"""

from labcode.boltzmann.dbn import DBN
from labcode.boltzmann.dnn import DNN
from labcode.boltzmann.gaussian import GaussianRBM
from labcode.boltzmann.likelihood import (LogPartition, ais_log_partition, all_states, dbn_lower_bound, exact_expectations,
                                          exact_gradient, exact_log_partition, log_likelihood)
from labcode.boltzmann.rbm import RBM, hinton_momentum

__all__ = [
    "DBN", "DNN", "GaussianRBM", "LogPartition", "RBM", "ais_log_partition", "all_states", "dbn_lower_bound",
    "exact_expectations", "exact_gradient", "exact_log_partition", "hinton_momentum", "log_likelihood",
]
