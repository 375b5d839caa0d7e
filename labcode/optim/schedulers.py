"""Faire varier le taux d'apprentissage en cours de route.

Un programme se donne à ``fit`` parmi ses ``callbacks`` : appelé après chaque époque, il règle le taux de la suivante. On
peut aussi l'avancer soi-même par ``step()``, à chaque époque ou à chaque pas : une « période » est ce qui sépare deux appels.
"""

from math import cos, inf, isnan, pi

import numpy as np

from labcode.optim.optimizer import FACTOR, NON_NEGATIVE, POSITIVE, checked_integer, checked_number


class Scheduler:
    """Programme du taux d'apprentissage d'un optimiseur, à partir de son taux ``base_lr`` à la construction.

    Une sous-classe définit ``lr_at(t)``, le taux de la période t, comptée à partir de 0.
    """

    counters = ("base_lr", "n_calls")  # les nombres qui forment l'état

    def __init__(self, optimizer):
        if not hasattr(optimizer, "lr") or not hasattr(optimizer, "step"):
            raise TypeError(f"{type(self).__name__} : un optimiseur est attendu, reçu {type(optimizer).__name__}")
        self.optimizer, self.base_lr, self.n_calls = optimizer, optimizer.lr, 0

    def __call__(self, epoch, history):
        """Avance d'une période : la forme que ``fit`` attend d'un ``callback``."""
        self.step(*self.measures(history))

    def step(self):
        """Avance d'une période et règle le taux de l'optimiseur."""
        self.n_calls += 1
        self.optimizer.lr = self.lr_at(self.n_calls)

    def lr_at(self, t):
        """Taux de la période ``t``."""
        raise NotImplementedError(f"{type(self).__name__} ne définit pas lr_at")

    def measures(self, history):
        """Ce que ``step`` veut savoir de l'historique : rien, le plus souvent."""
        return ()

    def state_dict(self):
        """État à garder pour reprendre au bit près, avec celui de l'optimiseur : un dictionnaire de nombres."""
        return {name: getattr(self, name) for name in self.counters}

    def load_state_dict(self, state):
        """Rétablit ce que ``state_dict`` a gardé ; lève ValueError si c'est l'état d'un autre programme."""
        if set(state) != set(self.counters):
            raise ValueError(f"{type(self).__name__} : état {sorted(state)}, attendu {sorted(self.counters)}")
        for name, value in state.items():
            setattr(self, name, np.asarray(value).item())


class StepLR(Scheduler):
    """Multiplie le taux par ``gamma`` toutes les ``step_size`` périodes : η_t = η₀ γ^⌊t/step_size⌋."""

    def __init__(self, optimizer, step_size, gamma=0.1):
        super().__init__(optimizer)
        self.step_size = checked_integer("StepLR", "step_size", step_size)
        self.gamma = checked_number("StepLR", "gamma", gamma, FACTOR)

    def lr_at(self, t):
        """η₀ γ^⌊t/step_size⌋."""
        return self.base_lr * self.gamma**(t // self.step_size)


class CosineLR(Scheduler):
    """Descend de η₀ à ``eta_min`` en ``T_max`` périodes, selon une demi-période de cosinus, puis y reste
    (Loshchilov et Hutter, 2017).
    """

    def __init__(self, optimizer, T_max, eta_min=0.0):
        super().__init__(optimizer)
        self.T_max = checked_integer("CosineLR", "T_max", T_max)
        self.eta_min = checked_number("CosineLR", "eta_min", eta_min, NON_NEGATIVE)

    def lr_at(self, t):
        """η_min + (η₀ − η_min)(1 + cos(πt/T_max))/2."""
        return self.eta_min + (self.base_lr - self.eta_min) * (1 + cos(pi * min(t, self.T_max) / self.T_max)) / 2


class WarmUp(Scheduler):
    """Monte en ligne droite de ``start_factor``·η₀ à η₀ en ``duration`` périodes, puis laisse la main (Goyal et al., 2017).

    ``then`` est un optimiseur, dont le taux reste ensuite η₀, ou un autre programme, qui commence alors :
    ``WarmUp(CosineLR(optimizer, T_max=95), duration=5)`` pour cent époques.
    """

    def __init__(self, then, duration, start_factor=0.1):
        self.then = then if isinstance(then, Scheduler) else None
        super().__init__(then.optimizer if self.then else then)
        self.duration = checked_integer("WarmUp", "duration", duration)
        self.start_factor = checked_number("WarmUp", "start_factor", start_factor, FACTOR)
        self.optimizer.lr = self.lr_at(0)

    def lr_at(self, t):
        """η₀ (f + (1 − f) t/duration), f étant ``start_factor`` ; η₀ à partir de t = ``duration``."""
        return self.base_lr * (self.start_factor + (1 - self.start_factor) * min(t / self.duration, 1))

    def step(self, *measures):
        """Avance d'une période l'échauffement ou, s'il est fini, ce qui le suit."""
        if self.then and self.n_calls >= self.duration:
            self.then.step(*measures)
        else:
            super().step()

    def measures(self, history):
        """Ce que veut savoir le programme qui suit, une fois l'échauffement fini."""
        return self.then.measures(history) if self.then and self.n_calls >= self.duration else ()

    def state_dict(self):
        """État de l'échauffement et, sous « then.… », du programme qui suit."""
        inner = self.then.state_dict() if self.then else {}
        return super().state_dict() | {f"then.{name}": value for name, value in inner.items()}

    def load_state_dict(self, state):
        """Rétablit les deux états ; lève ValueError s'ils ne conviennent pas."""
        inner = {name[len("then."):]: value for name, value in state.items() if name.startswith("then.")}
        if self.then:
            self.then.load_state_dict(inner)
            state = {name: value for name, value in state.items() if not name.startswith("then.")}
        super().load_state_dict(state)


class ReduceLROnPlateau(Scheduler):
    """Multiplie le taux par ``factor`` quand la mesure ``monitor`` de l'historique cesse de progresser.

    Il y a progrès si la mesure descend (``mode="min"``) sous la meilleure, d'une part ``threshold`` de celle-ci
    (``threshold_mode="rel"``) ou de ``threshold`` tout court (``"abs"``) ; ``mode="max"`` de même en montant. Le taux
    baisse à la (patience + 1)-ième période de suite sans progrès, comme dans PyTorch ; Keras le fait à la patience-ième :
    sa patience de 2 est donc ici ``patience=1``. Suivent ``cooldown`` périodes où l'on ne compte rien. Le taux ne passe
    pas sous ``min_lr``, et une baisse d'au plus ``eps`` ne se fait pas.

    Lève ValueError si un réglage ne convient pas, ou si l'historique n'a pas la mesure (pas de validation).
    """

    counters = ("base_lr", "n_calls", "best", "n_bad", "n_cooldown")

    def __init__(self, optimizer, monitor="val_loss", mode="min", factor=0.1, patience=10, threshold=1e-4,
                 threshold_mode="rel", cooldown=0, min_lr=0.0, eps=1e-8):
        super().__init__(optimizer)
        for name, value, choices in (("mode", mode, ("min", "max")), ("threshold_mode", threshold_mode, ("rel", "abs"))):
            if value not in choices:
                raise ValueError(f"ReduceLROnPlateau : {name} doit être {choices[0]!r} ou {choices[1]!r}, reçu {value!r}")
        self.monitor, self.mode, self.threshold_mode = monitor, mode, threshold_mode
        self.factor = checked_number("ReduceLROnPlateau", "factor", factor, FACTOR)
        self.patience = checked_integer("ReduceLROnPlateau", "patience", patience, 0)
        self.threshold = checked_number("ReduceLROnPlateau", "threshold", threshold, NON_NEGATIVE)
        self.cooldown = checked_integer("ReduceLROnPlateau", "cooldown", cooldown, 0)
        self.min_lr = checked_number("ReduceLROnPlateau", "min_lr", min_lr, NON_NEGATIVE)
        self.eps = checked_number("ReduceLROnPlateau", "eps", eps, NON_NEGATIVE)
        self.best, self.n_bad, self.n_cooldown = (inf if mode == "min" else -inf), 0, 0

    def step(self, value):
        """Compte une période où la mesure vaut ``value``, et baisse le taux s'il le faut."""
        self.n_calls += 1
        if self.is_better(value):
            self.best, self.n_bad = float(value), 0
        else:
            self.n_bad += 1
        if self.n_cooldown > 0:
            self.n_cooldown, self.n_bad = self.n_cooldown - 1, 0
        if self.n_bad > self.patience:
            lr = max(self.optimizer.lr * self.factor, self.min_lr)
            if self.optimizer.lr - lr > self.eps:
                self.optimizer.lr = lr
            self.n_cooldown, self.n_bad = self.cooldown, 0

    def is_better(self, value):
        """Vrai si ``value`` est un progrès sur la meilleure mesure."""
        sign = -1 if self.mode == "min" else 1
        goal = self.best * (1 + sign * self.threshold) if self.threshold_mode == "rel" else self.best + sign * self.threshold
        return value < goal if self.mode == "min" else value > goal

    def measures(self, history):
        """Dernière valeur de ``monitor`` dans l'historique."""
        values = getattr(history, self.monitor, ())
        if not len(values) or isnan(values[-1]):
            raise ValueError(f"ReduceLROnPlateau : l'historique n'a pas de {self.monitor} ; donner validation=… à fit, ou suivre train_loss")
        return (values[-1],)
