"""Les méthodes adaptatives : chaque composante a son propre taux, réglé par la taille de ses gradients passés."""

import numpy as np

from labcode.optim.optimizer import FRACTION, POSITIVE, Optimizer, Setting


class AdaGrad(Optimizer):
    """AdaGrad (Duchi et al., 2011) : le taux d'une composante décroît comme l'inverse de la racine de Σ g².

    ``eps`` évite de diviser par 0.
    """

    eps = Setting(POSITIVE, default=1e-10)
    memory_names = ("sum",)

    def __init__(self, parameters, lr=0.01, eps=1e-10, **decay):
        super().__init__(parameters, lr, **decay)
        self.eps = eps

    def compute_step(self, grad, memory, out):
        """s ← s + g², puis θ ← θ − η g/(√s + ε) (eq-adagrad)."""
        total = memory["sum"]
        total += np.multiply(grad, grad, out=out)
        _divide_by_root(grad, total, self.eps, out)
        out *= self.lr


class RMSprop(Optimizer):
    """RMSprop (Tieleman et Hinton, 2012) : comme AdaGrad, mais l'on oublie peu à peu les gradients anciens.

    ``alpha``, dans [0 ; 1[, est le poids du passé dans la moyenne des g².
    """

    alpha = Setting(FRACTION, default=0.99)
    eps = Setting(POSITIVE, default=1e-8)
    memory_names = ("square_avg",)

    def __init__(self, parameters, lr=0.01, alpha=0.99, eps=1e-8, **decay):
        super().__init__(parameters, lr, **decay)
        self.alpha, self.eps = alpha, eps

    def compute_step(self, grad, memory, out):
        """s ← αs + (1 − α)g², puis θ ← θ − η g/(√s + ε) (eq-rmsprop)."""
        _average(memory["square_avg"], np.multiply(grad, grad, out=out), self.alpha, out)
        _divide_by_root(grad, memory["square_avg"], self.eps, out)
        out *= self.lr


class Adam(Optimizer):
    """Adam (Kingma et Ba, 2015) : une moyenne m des gradients, divisée par la racine d'une moyenne v de leurs carrés.

    ``betas`` = (β₁, β₂), dans [0 ; 1[, sont les poids du passé dans m et dans v. L'une et l'autre partent de 0 :
    diviser par 1 − βᵗ au pas t les corrige, si bien que le premier pas vaut η dans chaque direction.
    """

    beta1 = Setting(FRACTION, default=0.9)
    beta2 = Setting(FRACTION, default=0.999)
    eps = Setting(POSITIVE, default=1e-8)
    memory_names = ("exp_avg", "exp_avg_sq")

    def __init__(self, parameters, lr=0.001, betas=(0.9, 0.999), eps=1e-8, **decay):
        super().__init__(parameters, lr, **decay)
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise TypeError(f"{type(self).__name__} : betas doit être un couple (β₁, β₂), reçu {betas!r}")
        self.beta1, self.beta2 = betas
        self.eps = eps

    def compute_step(self, grad, memory, out):
        """m ← β₁m + (1 − β₁)g et v ← β₂v + (1 − β₂)g², corrigés en m̂ et v̂, puis θ ← θ − η m̂/(√v̂ + ε) (eq-adam)."""
        m, v = memory["exp_avg"], memory["exp_avg_sq"]
        _average(m, grad, self.beta1, out)
        _average(v, np.multiply(grad, grad, out=out), self.beta2, out)
        m_correction, v_correction = 1 - self.beta1**self.n_steps, 1 - self.beta2**self.n_steps
        # m/(√v + ε√(1 − β₂ᵗ)), au facteur √(1 − β₂ᵗ)/(1 − β₁ᵗ) près, vaut m̂/(√v̂ + ε) : une passe de moins
        _divide_by_root(m, v, self.eps * v_correction**0.5, out)
        out *= self.lr * v_correction**0.5 / m_correction


class AdamW(Adam):
    """Adam dont la décroissance des poids est découplée : θ ← θ − ηλθ, hors des moyennes (Loshchilov et Hutter, 2019)."""

    def __init__(self, parameters, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01, **decay):
        super().__init__(parameters, lr, betas, eps, weight_decay=weight_decay,
                         decoupled_weight_decay=True, **decay)


def _average(average, value, memory, work):
    """average ← memory·average + (1 − memory)·value, sur place ; ``work``, un tampon, peut être ``value``."""
    average *= memory
    average += np.multiply(value, 1 - memory, out=work)


def _divide_by_root(numerator, square, eps, out):
    """out ← numerator/(√square + ε)."""
    np.sqrt(square, out=out)
    out += eps
    np.divide(numerator, out, out=out)
