"""Une expérience jouet, pour les essais du moteur, et de quoi la lancer dans un processus à part :

    python toy.py DOSSIER [--paralleles N]
"""

import sys
import time

import numpy as np

from labcode.experiments import Experiment, mean_interval, product, run_experiment


def run(config, seed):
    """Des produits de matrices en float32, dont les bits dépendent du nombre de fils de calcul."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((300, 300), dtype=np.float32) / 30
    vector = rng.standard_normal((300, 40), dtype=np.float32)
    for _ in range(config["steps"]):
        vector = matrix @ vector
    if config["scale"] < 0:
        raise ValueError("échelle négative")
    time.sleep(config["pause"])
    return {"total": config["scale"] * vector.sum(), "curve": vector[:config["steps"], 0], "n": np.int64(seed), "nan": np.nan}


def figure(results):
    """Une figure vide."""
    import matplotlib.pyplot as plt

    mean_interval(results.values("total", scale=1.0, steps=3))
    return plt.figure()


def declare(pause=0.0, scales=(1.0, 2.0, 0.5), seeds=4):
    """L'expérience, en deux tailles qui ont des configurations communes."""
    return Experiment(name="jouet", title="Un jouet", source="les tests", run=run,
                      grids={"rapide": product(scale=list(scales), steps=[3], pause=[pause]),
                             "complet": product(scale=list(scales), steps=[3, 5], pause=[pause])},
                      seeds={"rapide": seeds, "complet": seeds + 1}, figure=figure)


if __name__ == "__main__":
    import toy  # pour que les processus de calcul retrouvent « run » par son nom

    print("prêt", flush=True)
    jobs = int(sys.argv[sys.argv.index("--paralleles") + 1]) if "--paralleles" in sys.argv else 1
    run_experiment(toy.declare(pause=0.02), "complet", n_jobs=jobs, folder=sys.argv[1], progress=False)
