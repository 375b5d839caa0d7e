"""Les données du livre : jeux réels vérifiés octet par octet, jeux engendrés, découpage et préparation.

Les jeux réels sont cherchés dans ``data/``, dans le dossier que nomme la variable LABCODE_DATA, dans le cache,
et enfin téléchargés ; ``data/README.md`` dit d'où ils viennent et sous quelle licence.
"""

from labcode.datasets.alphadigits import load_alphadigits
from labcode.datasets.cifar10 import load_cifar10
from labcode.datasets.dataset import Dataset
from labcode.datasets.files import DataUnavailableError, DataWarning
from labcode.datasets.generated import (make_bars_and_stripes, make_checkerboard, make_circles, make_gaussians,
                                        make_moons, make_xor)
from labcode.datasets.mnist import load_fashion_mnist, load_mnist
from labcode.datasets.preparation import (add_gaussian_noise, add_masking, add_salt_and_pepper, binarize,
                                          one_hot)
from labcode.datasets.split import train_validation_test_split
from labcode.datasets.usps import load_usps

__all__ = [
    "DataUnavailableError", "DataWarning", "Dataset", "add_gaussian_noise", "add_masking",
    "add_salt_and_pepper", "binarize", "load_alphadigits", "load_cifar10", "load_fashion_mnist", "load_mnist",
    "load_usps", "make_bars_and_stripes", "make_checkerboard", "make_circles", "make_gaussians", "make_moons",
    "make_xor", "one_hot", "train_validation_test_split",
]
