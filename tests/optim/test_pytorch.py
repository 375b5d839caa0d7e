"""PyTorch en témoin, quand il est installé : cinquante pas en float64, à 10⁻¹⁰ près."""

import numpy as np
import pytest

from labcode.nn import Parameter
from labcode.optim import (SGD, AdaGrad, Adam, AdamW, CosineLR, ReduceLROnPlateau, RMSprop, StepLR, WarmUp,
                           clip_grad_norm, clip_grad_value)

torch = pytest.importorskip("torch")
TARGET = np.linspace(-1, 1, 12).reshape(3, 4)

CASES = [
    (SGD, "SGD", {"lr": 0.05}), (SGD, "SGD", {"lr": 0.05, "momentum": 0.9}),
    (SGD, "SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    (SGD, "SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    (AdaGrad, "Adagrad", {"lr": 0.1}), (AdaGrad, "Adagrad", {"lr": 0.1, "weight_decay": 0.1, "eps": 1e-3}),
    (RMSprop, "RMSprop", {}), (RMSprop, "RMSprop", {"lr": 0.02, "alpha": 0.8, "eps": 1e-3, "weight_decay": 0.1}),
    (Adam, "Adam", {}), (Adam, "Adam", {"lr": 0.02, "betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.1}),
    (Adam, "Adam", {"lr": 0.02, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    (AdamW, "AdamW", {}), (AdamW, "AdamW", {"lr": 0.02, "betas": (0.5, 0.9), "weight_decay": 0.3}),
]


def gradient(theta, step):
    """Un gradient non linéaire, qui change à chaque pas, le même pour les deux bibliothèques."""
    return np.sin(theta - TARGET) + 0.3 * theta**3 + np.cos(step + TARGET)


def pair(ours, theirs, options):
    theta = Parameter(2 * TARGET[::-1] + 0.1)
    twin = torch.nn.Parameter(torch.tensor(theta.data.copy()))
    return theta, ours([theta], **options), twin, getattr(torch.optim, theirs)([twin], **options)


def advance(theta, optimizer, twin, reference, step):
    theta.grad = gradient(theta.data, step)
    twin.grad = torch.tensor(gradient(twin.detach().numpy(), step))
    optimizer.step()
    reference.step()
    assert np.allclose(theta.data, twin.detach().numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("ours, theirs, options", CASES)
def test_cinquante_pas(ours, theirs, options):
    everything = pair(ours, theirs, options)
    for step in range(50):
        advance(*everything, step)


SCHEDULERS = [
    (lambda o: StepLR(o, 7, 0.5), lambda t, s: s.StepLR(t, 7, 0.5)),
    (lambda o: CosineLR(o, 50, 1e-3), lambda t, s: s.CosineAnnealingLR(t, 50, 1e-3)),
    (lambda o: WarmUp(o, 8, 0.25), lambda t, s: s.LinearLR(t, 0.25, 1.0, 8)),
]


@pytest.mark.parametrize("ours, theirs", SCHEDULERS)
def test_programmes(ours, theirs):
    """Avec l'inertie, qui ressent tout changement de taux."""
    theta, optimizer, twin, reference = pair(SGD, "SGD", {"lr": 0.05, "momentum": 0.9})
    scheduler, other = ours(optimizer), theirs(reference, torch.optim.lr_scheduler)
    for step in range(50):
        assert optimizer.lr == pytest.approx(reference.param_groups[0]["lr"], rel=1e-12)
        advance(theta, optimizer, twin, reference, step)
        scheduler.step()
        other.step()


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize("options", [{}, {"patience": 0}, {"patience": 2, "cooldown": 3}, {"patience": 1, "min_lr": 1e-3, "factor": 0.3},
                                     {"patience": 0, "eps": 1e-3}])
def test_plateau(mode, threshold_mode, options):
    rng, (_, optimizer, _, reference) = np.random.default_rng(0), pair(SGD, "SGD", {"lr": 0.5})
    options = {"mode": mode, "threshold_mode": threshold_mode, "threshold": 0.05, "patience": 3} | options
    scheduler = ReduceLROnPlateau(optimizer, **options)
    other = torch.optim.lr_scheduler.ReduceLROnPlateau(reference, **options)
    for value in (1.5 if mode == "min" else -1.5) * np.exp(-np.arange(60) / 20) + 0.1 * rng.standard_normal(60):
        scheduler.step(value)
        other.step(value)
        assert optimizer.lr == pytest.approx(reference.param_groups[0]["lr"], rel=1e-12)
    assert optimizer.lr < 0.5


@pytest.mark.parametrize("bound", [0.5, 1000.0])
def test_gradient_borne(bound):
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape) for shape in [(4, 5), (7,)]]
    for ours, theirs in [(clip_grad_norm, torch.nn.utils.clip_grad_norm_), (clip_grad_value, torch.nn.utils.clip_grad_value_)]:
        parameters = [Parameter(np.zeros(a.shape)) for a in arrays]
        twins = [torch.nn.Parameter(torch.zeros(a.shape, dtype=torch.float64)) for a in arrays]
        for parameter, twin, array in zip(parameters, twins, arrays):
            parameter.grad, twin.grad = array, torch.tensor(array)
        norm, reference = ours(parameters, bound), theirs(twins, bound)
        assert norm == reference is None or norm == pytest.approx(float(reference), rel=1e-12)
        for parameter, twin in zip(parameters, twins):
            assert np.allclose(parameter.grad, twin.grad.numpy(), rtol=1e-5)  # PyTorch ajoute 10⁻⁶ à la norme
