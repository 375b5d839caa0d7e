"""Les pénalités L1 et L2 : des termes de la perte, dont le gradient s'ajoute à celui des données.

La décroissance découplée des poids (eq-weight-decay), elle, n'est le gradient de rien : c'est un réglage des optimiseurs,
``decoupled_weight_decay``.
"""

import numpy as np

from labcode.optim.optimizer import NON_NEGATIVE, checked_number, checked_parameters


class Penalty:
    """Pénalité de coefficient ``strength`` λ ≥ 0 : ``penalty.value(parameters)`` est sa valeur, à ajouter à la perte, et
    ``penalty.accumulate(parameters)`` ajoute son gradient à ceux des paramètres.

    Pendant un apprentissage : ``fit(…, penalty=L1(1e-4) + L2(1e-3))``. ``biases=False`` en dispense les paramètres à un
    seul axe. Lève ValueError si λ est négatif.
    """

    def __init__(self, strength, *, biases=True):
        self.strength = checked_number(type(self).__name__, "strength", strength, NON_NEGATIVE)
        self.biases = bool(biases)

    def value(self, parameters):
        """Valeur de la pénalité, un float."""
        return self.strength * sum(self.measure(parameter.data) for parameter in self._penalized(parameters))

    def accumulate(self, parameters):
        """Ajoute le gradient de la pénalité à ``grad`` de chaque paramètre."""
        for parameter in self._penalized(parameters):
            parameter.accumulate(self.gradient, parameter.data)

    def __add__(self, other):
        return Sum(self, other) if isinstance(other, Penalty) else NotImplemented

    def measure(self, w):
        """Mesure pénalisée d'un tableau, sans son coefficient."""
        raise NotImplementedError(f"{type(self).__name__} ne définit pas measure")

    def gradient(self, w, out=None):
        """Gradient de la pénalité en ``w``, coefficient compris, dans ``out`` s'il est donné."""
        raise NotImplementedError(f"{type(self).__name__} ne définit pas gradient")

    def _penalized(self, parameters):
        parameters = checked_parameters(type(self).__name__, parameters)
        return [parameter for parameter in parameters if self.biases or parameter.data.ndim > 1]

    def __repr__(self):
        return f"{type(self).__name__}({self.strength:g}{'' if self.biases else ', biases=False'})"


class Sum(Penalty):
    """Somme de pénalités, p. ex. ``L1(a) + L2(b)``, dite filet élastique (Zou et Hastie, 2005)."""

    def __init__(self, *terms):
        self.terms = terms

    def value(self, parameters):
        """Somme des valeurs."""
        return sum(term.value(parameters) for term in self.terms)

    def accumulate(self, parameters):
        """Ajoute le gradient de chaque terme."""
        for term in self.terms:
            term.accumulate(parameters)

    def __repr__(self):
        return " + ".join(map(repr, self.terms))


class L1(Penalty):
    """λ Σ |w| : une force constante vers 0, qui annule les poids inutiles (Tibshirani, 1996). Gradient : λ signe(w) (eq-l1)."""

    def measure(self, w):
        """Σ |w|."""
        return float(np.abs(w).sum(dtype=np.float64))

    def gradient(self, w, out=None):
        """λ signe(w), soit 0 en 0."""
        out = np.sign(w, out=out)
        out *= self.strength
        return out


class L2(Penalty):
    """λ Σ w² : une force proportionnelle au poids (Hoerl et Kennard, 1970). Gradient : 2λw (eq-l2).

    Il n'y a pas de 1/2 devant la somme : L2(λ) fait ce que fait ``weight_decay=2*λ`` par le gradient.
    """

    def measure(self, w):
        """Σ w²."""
        return float(np.square(w, dtype=np.float64).sum())

    def gradient(self, w, out=None):
        """2λw."""
        return np.multiply(w, 2 * self.strength, out=out)
