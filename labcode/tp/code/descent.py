"""Chapitre 4 : un pas de descente, avec inertie puis par Adam."""

import numpy as np

from labcode.tp.code.reference import Trial, reference

SHAPES = (((4,), ""), ((3, 2), "une matrice"), ((1,), "une seule composante"))


# ── L'inertie ────────────────────────────────────────────────────────────────


def _momentum_trials(rng):
    trials = [Trial((rng.normal(size=shape), rng.normal(size=shape), rng.normal(size=shape), lr, momentum), label)
              for (shape, label), lr, momentum in zip(SHAPES, (0.1, 0.3, 0.05), (0.9, 0.5, 0.8))]
    return [*trials, Trial((rng.normal(size=5), np.zeros(5), rng.normal(size=5), 0.2, 0.9), "une vitesse nulle au départ")]


@reference(trials=_momentum_trials, outputs=("theta", "v"))
def momentum_step(theta, v, grad, lr, momentum):
    """Un pas de la boule pesante, vitesse comptée en gradients (eq-momentum)."""
    v = momentum * v + grad
    return theta - lr * v, v


@momentum_step.mistake("`theta` recule avec l'**ancienne** vitesse. Mettez d'abord `v` à jour.")
def _(theta, v, grad, lr, momentum):
    return theta - lr * v, momentum * v + grad


@momentum_step.mistake(
    "Votre vitesse contient déjà le taux : c'est un déplacement. Ici elle se compte en gradients, $v \\leftarrow "
    "\\mu v + \\nabla_\\theta L$, et le taux ne multiplie qu'au moment d'avancer."
)
def _(theta, v, grad, lr, momentum):
    v = momentum * v - lr * grad
    return theta + v, v


@momentum_step.mistake(
    "Votre vitesse contient déjà le taux : c'est un déplacement. Ici elle se compte en gradients, $v \\leftarrow "
    "\\mu v + \\nabla_\\theta L$, et le taux ne multiplie qu'au moment d'avancer."
)
def _(theta, v, grad, lr, momentum):
    v = momentum * v + lr * grad
    return theta - v, v


@momentum_step.mistake(
    "Vous faites une moyenne, avec un facteur $1 - \\mu$ devant le gradient. La boule pesante **additionne** : "
    "$v \\leftarrow \\mu v + \\nabla_\\theta L$."
)
def _(theta, v, grad, lr, momentum):
    v = momentum * v + (1 - momentum) * grad
    return theta - lr * v, v


@momentum_step.mistake("C'est le pas de **Nesterov** : il ajoute $\\mu v$ au gradient une fois de plus.")
def _(theta, v, grad, lr, momentum):
    v = momentum * v + grad
    return theta - lr * (grad + momentum * v), v


@momentum_step.mistake("Ce pas **monte** : la vitesse est comptée dans le sens du gradient, on la soustrait.")
def _(theta, v, grad, lr, momentum):
    v = momentum * v + grad
    return theta + lr * v, v


@momentum_step.mistake("C'est la descente sans inertie : `theta` n'utilise que le gradient, pas la vitesse.")
def _(theta, v, grad, lr, momentum):
    return theta - lr * grad, momentum * v + grad


# ── Adam ─────────────────────────────────────────────────────────────────────


def _adam_trials(rng):
    trials = []
    for (shape, label), t in zip((*SHAPES, ((5,), "le premier pas")), (3, 10, 2, 1)):
        theta, m, grad = rng.normal(size=(3, *shape))
        v = rng.random(shape) + 0.1
        if t == 1:
            m, v = np.zeros(shape), np.zeros(shape)
        trials.append(Trial((theta, m, v, grad, t, 0.1, 0.9, 0.99, 0.01), label))
    return trials


def _adam(theta, m, v, grad, t, lr, beta1, beta2, eps, *, square=np.square, correction=lambda beta, t: 1 - beta**t,
          divide=lambda v, eps: np.sqrt(v) + eps):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * square(grad)
    m_hat, v_hat = m / correction(beta1, t), v / correction(beta2, t)
    return theta - lr * m_hat / divide(v_hat, eps), m, v


@reference(trials=_adam_trials, outputs=("theta", "m", "v"))
def adam_step(theta, m, v, grad, t, lr, beta1, beta2, eps):
    """Le t-ième pas d'Adam (eq-adam)."""
    return _adam(theta, m, v, grad, t, lr, beta1, beta2, eps)


@adam_step.mistake(
    "Les deux moyennes ne sont pas corrigées : parties de zéro, elles sont trop petites. Divisez-les par $1 - "
    "\\beta_1^t$ et $1 - \\beta_2^t$ avant de vous en servir."
)
def _(*arguments):
    return _adam(*arguments, correction=lambda beta, t: 1)


@adam_step.mistake("Le décompte est en retard d'un pas : au premier, $t = 1$ et l'on divise par $1 - \\beta_1^1$.")
def _(*arguments):
    return _adam(*arguments, correction=lambda beta, t: 1 - beta ** (t - 1))


@adam_step.mistake(
    "Vous divisez par $1 - \\beta$ à chaque pas. C'est juste au premier seulement ; ensuite, il faut $1 - "
    "\\beta^t$."
)
def _(*arguments):
    return _adam(*arguments, correction=lambda beta, t: 1 - beta)


@adam_step.mistake("`v` est la moyenne des **carrés** du gradient : il manque le carré.")
def _(*arguments):
    return _adam(*arguments, square=lambda grad: grad)


@adam_step.mistake("Vous divisez par $\\hat v$. Il manque la **racine** : $\\sqrt{\\hat v} + \\varepsilon$.")
def _(*arguments):
    return _adam(*arguments, divide=lambda v, eps: v + eps)


@adam_step.mistake("$\\varepsilon$ s'ajoute **après** la racine : $\\sqrt{\\hat v} + \\varepsilon$.")
def _(*arguments):
    return _adam(*arguments, divide=lambda v, eps: np.sqrt(v + eps))


@adam_step.mistake(
    "Le pas est juste, mais vous rendez $\\hat m$ et $\\hat v$. Le pas suivant a besoin des moyennes `m` et `v`, "
    "**avant** correction."
)
def _(theta, m, v, grad, t, lr, beta1, beta2, eps):
    theta, m, v = _adam(theta, m, v, grad, t, lr, beta1, beta2, eps)
    return theta, m / (1 - beta1**t), v / (1 - beta2**t)


@adam_step.mistake(
    "Le pas est juste, mais vous rendez les anciens `m` et `v` : au pas suivant, la mémoire serait perdue."
)
def _(theta, m, v, *rest):
    return _adam(theta, m, v, *rest)[0], m, v


@adam_step.mistake("Ce pas **monte** : on soustrait $\\eta\\, \\hat m / (\\sqrt{\\hat v} + \\varepsilon)$.")
def _(theta, *rest):
    stepped, m, v = _adam(theta, *rest)
    return 2 * theta - stepped, m, v
