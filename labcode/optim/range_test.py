"""L'essai de taux : parcourir en un seul apprentissage toute une plage de taux d'apprentissage."""

import copy
from math import isfinite

import numpy as np

from labcode.optim.optimizer import POSITIVE, checked_integer, checked_number


def lr_range_test(model, loss, optimizer, X, y, *, low=1e-5, high=10.0, n_steps=100, batch_size=64, rng=0, explosion=4.0):
    """Pertes d'un apprentissage dont le taux croît, en progression géométrique, de ``low`` à ``high`` (Smith, 2017).

    Renvoie deux tableaux de même taille, au plus ``n_steps`` : les taux, et la perte du lot avant le pas fait à ce taux.
    On s'arrête dès que la perte n'est plus finie, ou dépasse ``explosion`` fois la première : cette dernière perte, si
    elle est finie, est gardée. Un bon taux est là où la perte descend le plus vite, bien avant le minimum de la courbe.

    Tout se fait sur une copie de ``model``, ``loss`` et ``optimizer`` (qui doit être celui du modèle) : ils restent
    intacts. Lève ValueError ou TypeError si un argument ne convient pas.
    """
    low, high = checked_number("lr_range_test", "low", low, POSITIVE), checked_number("lr_range_test", "high", high, POSITIVE)
    if not low < high:
        raise ValueError(f"lr_range_test : low doit être plus petit que high, reçu {low:g} et {high:g}")
    n_steps, batch_size = checked_integer("lr_range_test", "n_steps", n_steps, 2), checked_integer("lr_range_test", "batch_size", batch_size)
    X, y = np.asarray(X), np.asarray(y)
    if not len(X) or len(X) != len(y):
        raise ValueError(f"lr_range_test : {len(X)} exemples et {len(y)} cibles reçus, autant des deux attendus, au moins un")
    known = {id(parameter) for parameter in model.parameters()}
    if not all(id(parameter) in known for parameter in optimizer.parameters):
        raise ValueError("lr_range_test : l'optimiseur n'est pas celui du modèle")

    model, loss, optimizer = copy.deepcopy((model, loss, optimizer))  # ensemble : la copie de l'un connaît celle de l'autre
    model.train()
    rates, losses = np.geomspace(low, high, n_steps), []
    with np.errstate(over="ignore", invalid="ignore"):
        for rate, batch in zip(rates, _batches(len(X), batch_size, n_steps, np.random.default_rng(rng))):
            value = loss(model(X[batch]), y[batch])
            if not isfinite(value):
                break
            losses.append(value)
            if value > explosion * losses[0]:
                break
            optimizer.lr = rate
            optimizer.zero_grad()
            model.backward_parameters(loss.backward())
            optimizer.step()
    return rates[:len(losses)], np.array(losses)


def _batches(n, batch_size, n_batches, rng):
    """Indices de ``n_batches`` lots : des permutations des n exemples mises bout à bout, puis découpées."""
    batch_size = min(batch_size, n)
    order = np.concatenate([rng.permutation(n) for _ in range(-(-n_batches * batch_size // n))])
    return order[:n_batches * batch_size].reshape(n_batches, batch_size)
