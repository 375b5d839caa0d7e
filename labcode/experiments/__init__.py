"""Les expériences des sources, refaites à leur échelle : chacune est déclarée, exécutée, rangée, dessinée.

    experiment = Experiment(name="…", title="…", source="…", run=run, grids={…}, seeds={…}, figure=figure)
    results = run_experiment(experiment, size="complet", n_jobs=2)
    mean, half_width = mean_interval(results.values("test_error", lr=0.1))

Une expérience est un module de ce paquet. En ligne de commande : ``python -m labcode.experiments``.
"""

from labcode.experiments.experiment import Experiment, find, product
from labcode.experiments.runner import RunError, experiment_state, load_results, run_experiment
from labcode.experiments.statistics import mean_interval
from labcode.experiments.store import Results, StoreError

__all__ = ["Experiment", "Results", "RunError", "StoreError", "experiment_state", "find", "load_results", "mean_interval",
           "product", "run_experiment"]
