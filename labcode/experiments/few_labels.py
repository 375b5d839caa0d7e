"""Peu d'étiquettes : 60 000 images sans étiquette pour se pré-entraîner, de 100 à 3 000 étiquettes pour apprendre.

C'est là que le pré-entraînement devrait encore servir. Réseau 784-500-500-10 ; cinquante époques, lots de 10, taux 0,1, les
mêmes pour tous les départs. Les images de test ne servent jamais à apprendre.
"""

from functools import partial

from labcode.experiments import Experiment
from labcode.experiments.pretraining import SOURCE, figure, run, sweep

FULL = SOURCE | {"width": 500, "lr": 0.1, "batch_size": 10, "epochs": 50, "practice": "hinton", "pretraining_lr": 0.1}
SMALL = FULL | {"width": 50, "n_pool": 3000, "n_test": 1000, "epochs": 20, "pretraining_epochs": 3}
STARTS = ("train_only", "random", "he_relu")

experiment = Experiment(
    name="peu-d-etiquettes", title="Peu d'étiquettes, avec et sans pré-entraînement", source="000 §4, ouverture", run=run,
    grids={"rapide": sweep(SMALL, "n_train", [100, 300], STARTS), "complet": sweep(FULL, "n_train", [100, 300, 1000, 3000], STARTS)},
    seeds={"rapide": 1, "complet": 5}, figure=partial(figure, axis="n_train", label="images étiquetées", log=True))
