"""Ce que rend tout chargeur : un jeu d'images étiquetées, déjà partagé en apprentissage et test."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Jeu d'images étiquetées, partagé en apprentissage et test.

    ``X_train`` (N, p) et ``X_test`` sont en float32 entre 0 et 1, une image aplatie par ligne ; ``y_train`` (N,)
    et ``y_test`` sont des indices int64 dans ``classes``. ``image_shape`` rend sa forme à une ligne de X :
    (hauteur, largeur), ou (canaux, hauteur, largeur) en couleurs. Un jeu sans test a un test vide, (0, p).
    """

    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    classes: tuple
    image_shape: tuple
    name: str

    def __repr__(self):
        train, test = (f"{len(y):_}".replace("_", "\u00a0") for y in (self.y_train, self.y_test))
        shape = " × ".join(str(size) for size in self.image_shape)
        tests = f"et {test} de test" if len(self.y_test) else "sans test"
        return f"{self.name} : {train} images d'apprentissage {tests}, {shape}, {len(self.classes)} classes"
