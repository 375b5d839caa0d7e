"""Une forme quadratique, sur laquelle tout optimiseur se calcule à la main."""

import numpy as np

from labcode.nn import Parameter

CURVATURE = np.array([0.3, 1.0, 2.5])
START = np.array([1.0, -2.0, 4.0])


def descend(make_optimizer, n_steps, start=START, curvature=CURVATURE, before=lambda optimizer, step: None):
    """Trajectoire (n_steps + 1, 3) de θ sur ½ Σ λ θ², et l'optimiseur."""
    theta = Parameter(np.array(start, dtype=np.float64))
    optimizer, path = make_optimizer([theta]), [theta.data.copy()]
    for step in range(n_steps):
        optimizer.zero_grad()
        theta.grad += curvature * theta.data
        before(optimizer, step)
        optimizer.step()
        path.append(theta.data.copy())
    return np.array(path), optimizer


def with_gradients(gradients, make_optimizer, start=None):
    """θ après des gradients imposés, un par pas."""
    gradients = np.asarray(gradients, dtype=np.float64)
    theta = Parameter(np.zeros(gradients.shape[1:]) if start is None else np.array(start, dtype=np.float64))
    optimizer, path = make_optimizer([theta]), []
    for gradient in gradients:
        theta.grad = gradient
        optimizer.step()
        assert np.array_equal(theta.grad, gradient)  # le pas lit le gradient, il ne le change pas
        path.append(theta.data.copy())
    return np.array(path)
