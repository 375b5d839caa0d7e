"""Juger des images engendrées : un réseau appris sur les vrais caractères d'AlphaDigits y reconnaît-il ce qu'on a appris ?

Le réseau distingue les 36 caractères et une classe de plus, « rien » : du bruit, et des superpositions de plusieurs
caractères. Sans elle, il verrait des lettres partout. « 0 » et « O », « 1 » et « I », que rien ne sépare hors contexte, ne
font qu'une classe.
"""

from functools import cache

import numpy as np

from labcode.datasets import load_alphadigits
from labcode.nn import CrossEntropyLoss, Dropout, Linear, ReLU, Sequential, softmax
from labcode.optim import Adam

TWINS = {24: 0, 18: 1}  # rang de « O », de « I » → la classe qui les absorbe
NOTHING = 36            # la classe « rien »


@cache
def alphadigits():
    """Images (1404, 320), rangs des caractères (1404,) et les 36 caractères ; lus une fois par processus."""
    data = load_alphadigits()
    return data.X_train, data.y_train, "".join(data.classes)


def images_of(characters):
    """Les vraies images de ces caractères, p. ex. « 24B » : (39 × leur nombre, 320), et leur rang."""
    X, y, classes = alphadigits()
    chosen = np.isin(y, ranks(characters))
    return X[chosen], y[chosen]


def ranks(characters):
    """Rangs, de 0 à 35, de ces caractères."""
    classes = alphadigits()[2]
    return [classes.index(character) for character in characters]


def merged(y):
    """Rangs où « O » compte comme « 0 » et « I » comme « 1 »."""
    return np.array([TWINS.get(rank, rank) for rank in y])


@cache
def train_judge(held_out=0, n_epochs=80, seed=0):
    """Le juge : un réseau 320-300-37 appris sur 39 − ``held_out`` images de chaque caractère, altérées à chaque époque."""
    rng = np.random.default_rng(seed)
    X, y, _ = alphadigits()
    X, y = (part.reshape(36, 39, -1)[:, held_out:].reshape(len(part) - 36 * held_out, -1) for part in (X, merged(y)))
    model = Sequential(Linear(320, 300, rng=rng), ReLU(), Dropout(0.3, rng=rng), Linear(300, NOTHING + 1, rng=rng))
    loss, optimizer = CrossEntropyLoss(), Adam(model.parameters(), lr=2e-3)
    for _ in range(n_epochs):
        images = np.concatenate([altered(X, rng), nothing(X, len(X) // 2, rng)])
        labels = np.concatenate([y[:, 0], np.full(len(X) // 2, NOTHING)])
        order = rng.permutation(len(images))
        for start in range(0, len(order), 64):
            batch = order[start:start + 64]
            model.zero_grad()
            loss(model(images[batch]), labels[batch])
            model.backward(loss.backward())
            optimizer.step()
    return model.eval()


def held_out_accuracy(held_out=9):
    """Part des images que reconnaît un juge qui n'a pas vu les ``held_out`` premières de chaque caractère : celles-là."""
    X, y, _ = alphadigits()
    unseen = np.tile(np.arange(39) < held_out, 36)
    return float(np.mean(train_judge(held_out)(X[unseen]).argmax(axis=1) == merged(y[unseen])))


def altered(X, rng):
    """Chaque image décalée d'au plus un pixel dans chaque sens, et 3 % de ses pixels basculés."""
    images = X.reshape(-1, 20, 16)
    shifted = np.stack([np.roll(image, shift, (0, 1)) for image, shift in zip(images, rng.integers(-1, 2, (len(X), 2)))])
    return np.abs(shifted.reshape(X.shape) - (rng.random(X.shape) < 0.03)).astype(np.float32)


def nothing(X, n, rng):
    """Ce qui n'est pas un caractère : une moitié de bruit plus ou moins dense, une moitié de superpositions de deux à six images."""
    noise = np.broadcast_to(rng.uniform(0.1, 0.7, (n // 2, 1)), (n // 2, X.shape[1]))
    mixed = [X[rng.integers(len(X), size=rng.integers(2, 7))].mean(axis=0) for _ in range(n - n // 2)]
    return (rng.random((n, X.shape[1])) < np.concatenate([noise, mixed])).astype(np.float32)


def judge(images, characters, *, asked=None, threshold=0.5, model=None):
    """Ce que le juge dit d'images (n, 320) censées représenter ``characters`` : un dictionnaire de mesures.

    ``recognised`` : part des images à qui il donne l'une de ces classes avec une probabilité d'au moins ``threshold`` ;
    ``counts`` : combien pour chacune ; ``diversity`` : nombre effectif de caractères, exponentielle de l'entropie de ces
    comptes, de 1 au nombre de classes (0 si rien n'est reconnu) ; ``present`` : nombre de classes reconnues dans au
    moins un quart de leur part, n divisé par leur nombre ; ``distance`` : part moyenne des pixels qui diffèrent de la plus
    proche vraie image de ces caractères. Si ``asked`` dit quel caractère (son rang, de 0 à 35) chaque image devait être,
    ``obeyed`` est la part de celles qui le sont.
    """
    model = train_judge() if model is None else model
    p = softmax(model(np.asarray(images, np.float32)))
    classes = np.unique(merged(ranks(characters)))  # « 0 » et « O » n'en font qu'une
    found, sure = p.argmax(axis=1), p.max(axis=1) >= threshold
    counts = np.array([np.sum(sure & (found == rank)) for rank in classes])
    verdict = {"recognised": float(np.isin(found[sure], classes).sum() / len(images)), "counts": counts.tolist(),
               "diversity": effective_number(counts), "present": int(np.sum(counts >= 0.25 * len(images) / len(classes))),
               "distance": nearest_distance(images, images_of(characters)[0])}
    if asked is not None:
        verdict["obeyed"] = float(np.mean(sure & (found == merged(asked))))
    return verdict


def effective_number(counts):
    """Exponentielle de l'entropie des parts : k si k classes ont la même part ; 0 si tout est nul."""
    p = counts[counts > 0] / max(counts.sum(), 1)
    return float(np.exp(-np.sum(p * np.log(p)))) if len(p) else 0.0


def nearest_distance(images, real):
    """Part des pixels qui diffèrent entre une image binaire et la vraie la plus proche, en moyenne."""
    images, real = np.asarray(images, np.float64), real.astype(np.float64)
    differing = images.sum(axis=1)[:, None] + real.sum(axis=1) - 2 * images @ real.T
    return float(differing.min(axis=1).mean() / real.shape[1])


def packed(images):
    """Images binaires (n, 320) en (n, 20) entiers, un par ligne de 16 pixels, pour tenir peu de place."""
    return (images.reshape(len(images), 20, 16).astype(int) @ (1 << np.arange(16)[::-1])).tolist()


def unpacked(rows):
    """L'inverse de ``packed`` : (…, 20) entiers donnent (…, 320) pixels."""
    bits = np.asarray(rows, int)[..., None] >> np.arange(16)[::-1] & 1
    return bits.reshape(*bits.shape[:-2], 320)
