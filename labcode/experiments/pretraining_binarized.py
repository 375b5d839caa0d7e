"""Le pré-entraînement de la source 004 (§2) : MNIST binarisé au seuil 128, lots de 5, taux 0,1.

Cent époques pour chaque machine, deux cents de rétropropagation : la grille de la source demande plus d'une journée. La
même, vingt fois plus courte (5 et 10 époques), sur 10 000 images au plus et avec moins de points, est une autre expérience,
« reduit ». La source ne dit ni l'échelle des poids au hasard, prise à 0,1 comme pour l'autre source, ni les images du
pré-entraînement : ici, celles de l'apprentissage.
"""

import matplotlib.pyplot as plt

from labcode.experiments import Experiment
from labcode.experiments.pretraining import SOURCE, draw_starts, run, sweep

FULL = SOURCE | {"binary": True, "lr": 0.1, "batch_size": 5, "epochs": 200, "pretraining_lr": 0.1, "pretraining_batch": 5,
                 "pretraining_epochs": 100}
REDUCED = FULL | {"epochs": 10, "pretraining_epochs": 5}
SMALL = FULL | {"width": 30, "n_train": 1000, "n_pool": 1000, "n_test": 1000, "epochs": 2, "pretraining_epochs": 1}
STARTS = ("train_only", "random")
BEST = [(2, 200), (2, 300), (2, 400), (4, 200), (4, 300), (4, 400)]
AXES = {"depth": "couches cachées", "width": "neurones par couche", "n_train": "images étiquetées"}
MIDDLE = {"complet": {"depth": 2, "width": 200, "n_train": 10000}, "rapide": {"depth": 2, "width": 30, "n_train": 1000}}


def grid(fixed, depths, widths, sizes, best):
    """Profondeur et largeur sur 10 000 images, puis le nombre d'images, puis les six configurations, sans répétition."""
    medium = at(fixed, min(10000, fixed["n_train"]))
    configs = sweep(medium, "depth", depths, STARTS) + sweep(medium, "width", widths, STARTS)
    for n in sizes:
        configs += [at(fixed, n) | {"start": start} for start in STARTS]
    configs += [fixed | {"start": "train_only", "depth": depth, "width": width} for depth, width in best]
    return [config for rank, config in enumerate(configs) if config not in configs[:rank]]


def at(config, n):
    """La même configuration sur n images, pré-entraînement compris."""
    return config | {"n_train": n, "n_pool": n}


def figure(results):
    """Erreur de test selon la profondeur, la largeur, puis le nombre d'images ; moyenne et intervalle à 95 %."""
    canvas, axes = plt.subplots(1, 3, figsize=(7.8, 3.8), sharey=True)
    for ax, (axis, label) in zip(axes, AXES.items()):
        others = {name: value for name, value in MIDDLE[results.size].items() if name != axis}
        draw_starts(ax, results, axis, "test_error", **others)
        ax.set_xlabel(label)
    axes[2].set_xscale("log")
    ticks = (2, 5, 10, 20, 50)
    axes[0].set(ylabel="erreur de test (%)", yscale="log", yticks=ticks, yticklabels=ticks)
    axes[0].minorticks_off()
    canvas.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=10)
    return canvas


rapid = grid(SMALL, [2, 3], [20, 30], [500, 1000], [])
whole = Experiment(
    name="preentrainement-binaire", title="Pré-entraînement sur MNIST binarisé, grille de la source", source="004 §2", run=run,
    grids={"rapide": rapid, "complet": grid(FULL, range(2, 10), range(100, 900, 100), [1000, 3000, 7000, 10000, 30000, 60000], BEST)},
    seeds={"rapide": 1, "complet": 3}, figure=figure)
reduced = Experiment(
    name="preentrainement-binaire-reduit", title="Pré-entraînement sur MNIST binarisé, vingt fois moins d'époques", source="004 §2, réduite",
    run=run, grids={"rapide": rapid, "complet": grid(at(REDUCED, 10000), [2, 4, 6, 9], [100, 200, 400], [1000, 3000, 10000], [])},
    seeds={"rapide": 1, "complet": 3}, figure=figure)
