"""Ce que tous les optimiseurs ont en commun : des paramètres, un taux d'apprentissage, un pas, un état que l'on garde."""

from math import inf
from numbers import Real

import numpy as np

from labcode.nn.module import Parameter


class Domain:
    """Intervalle des valeurs permises pour un réglage, et les mots pour le dire."""

    def __init__(self, words, low=0, high=inf, *, low_included=True, high_included=False):
        self.words, self.low, self.high = words, low, high
        self.low_included, self.high_included = low_included, high_included

    def __contains__(self, value):
        return (self.low < value < self.high or self.low_included and value == self.low
                or self.high_included and value == self.high)


NON_NEGATIVE = Domain("fini, positif ou nul")
POSITIVE = Domain("fini, strictement positif", low_included=False)
FRACTION = Domain("dans [0 ; 1[", high=1)
FACTOR = Domain("dans ]0 ; 1]", high=1, low_included=False, high_included=True)


def checked_number(owner, name, value, domain):
    """Rend ``value`` en float ; lève TypeError si ce n'est pas un nombre, ValueError s'il est hors de ``domain`` ou NaN."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{owner} : {name} doit être un nombre, reçu {value!r}")
    try:
        number = float(value)
    except OverflowError:
        number = inf if value > 0 else -inf
    if number not in domain:
        raise ValueError(f"{owner} : {name} doit être {domain.words}, reçu {number:g}")
    return number


def checked_integer(owner, name, value, minimum=1):
    """Rend ``value`` en int ; lève TypeError si ce n'est pas un entier, ValueError s'il est inférieur à ``minimum``."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
        raise TypeError(f"{owner} : {name} doit être un entier, reçu {value!r}")
    if value < minimum:
        raise ValueError(f"{owner} : {name} doit être au moins égal à {minimum}, reçu {value}")
    return int(value)


def checked_parameters(owner, parameters):
    """Rend la liste des Parameter ; lève TypeError ou ValueError si c'est un modèle, une liste vide, un doublon…"""
    if hasattr(parameters, "parameters"):
        raise TypeError(f"{owner} : donner model.parameters(), et non le modèle")
    if callable(parameters):
        raise TypeError(f"{owner} : il manque les parenthèses, model.parameters()")
    try:
        parameters = list(parameters)
    except TypeError:
        found = "None" if parameters is None else type(parameters).__name__
        raise TypeError(f"{owner} : liste de Parameter attendue, reçu {found}") from None
    if not parameters:
        raise ValueError(f"{owner} : la liste de paramètres est vide")
    for parameter in parameters:
        if not isinstance(parameter, Parameter):
            raise TypeError(f"{owner} : liste de Parameter attendue, reçu {type(parameter).__name__}")
    if len({id(parameter) for parameter in parameters}) < len(parameters):
        raise ValueError(f"{owner} : un même paramètre figure deux fois dans la liste")
    return parameters


class Setting:
    """Réglage numérique d'un optimiseur, vérifié à chaque affectation et gardé dans ``state_dict``."""

    def __init__(self, domain, default=None):
        self.domain, self.default = domain, default

    def __set_name__(self, owner, name):
        self.name, self.key = name, "_" + name

    def __get__(self, instance, owner=None):
        return self if instance is None else instance.__dict__[self.key]

    def __set__(self, instance, value):
        instance.__dict__[self.key] = checked_number(type(instance).__name__, self.name, value, self.domain)


class Optimizer:
    """Optimiseur : ``step()`` change les paramètres sur place d'après leurs gradients, ``zero_grad()`` oublie ceux-ci.

    ``parameters`` est une liste de Parameter (``model.parameters()``), ``lr`` le taux d'apprentissage η. Les réglages
    (``lr``, ``momentum``…) se changent en cours de route. Lève TypeError ou ValueError si l'un ne convient pas.

    ``weight_decay`` λ ramène les poids vers 0, de l'une de deux façons :

    - par le gradient (par défaut) : g ← g + λθ, le gradient de la pénalité (λ/2) ‖θ‖² ; l'optimiseur le traite comme
      le reste du gradient, moments et normalisation compris ;
    - découplée (``decoupled_weight_decay=True``) : θ ← θ − ηλθ, à côté du pas (Loshchilov et Hutter, 2019).

    Pour la descente de gradient sans inertie, c'est la même chose ; pour les autres, non. ``decay_biases=False`` en
    dispense les paramètres à un seul axe (biais, normalisation par lots).

    ``before_step`` est une liste de fonctions de la liste des paramètres, appelées au début de chaque pas ; on y met de
    quoi borner le gradient : ``optimizer.before_step.append(partial(clip_grad_norm, max_norm=1))``.

    Un optimiseur à soi définit ``compute_step`` (et ``memory_names``), ou bien ``step`` tout entier.
    """

    lr = Setting(NON_NEGATIVE)
    weight_decay = Setting(NON_NEGATIVE, default=0)
    memory_names = ()  # tableaux que la règle garde d'un pas à l'autre, de la forme de chaque paramètre

    def __init__(self, parameters, lr, *, weight_decay=0, decoupled_weight_decay=False, decay_biases=True):
        self.parameters = checked_parameters(type(self).__name__, parameters)
        self.lr, self.weight_decay = lr, weight_decay
        self.decoupled_weight_decay, self.decay_biases = bool(decoupled_weight_decay), bool(decay_biases)
        self.before_step = []
        self.n_steps = 0
        self._memory = [{} for _ in self.parameters]
        self._out, self._work = _shared_buffers(self.parameters), None

    def step(self):
        """Fait un pas : met à jour tous les paramètres, sur place, sans toucher à leurs gradients."""
        self.begin_step()
        for index, parameter in enumerate(self.parameters):
            parameter.data -= self.proposed_step(index)

    def compute_step(self, grad, memory, out):
        """Écrit dans ``out`` le pas à soustraire à un paramètre de gradient ``grad``, les deux de sa forme.

        ``memory[nom]``, de la même forme, nul au premier pas, se change sur place ; ``grad`` ne se change pas.
        ``self.n_steps`` vaut 1 au premier pas.
        """
        raise NotImplementedError(f"{type(self).__name__} ne définit pas step, ni compute_step")

    def needs_memory(self):
        """Vrai si la règle, avec ses réglages présents, se sert de ses tableaux : sinon on ne les crée pas."""
        return True

    def begin_step(self):
        """Compte le pas et appelle les fonctions de ``before_step``."""
        self.n_steps += 1
        for prepare in self.before_step:
            prepare(self.parameters)

    def proposed_step(self, index):
        """Pas à soustraire au paramètre n° ``index`` : un tampon, que le prochain appel réutilise."""
        parameter, memory, out = self.parameters[index], self._memory[index], self._out[index]
        if not memory and self.needs_memory():
            memory |= {name: np.zeros_like(parameter.data) for name in self.memory_names}
        if not self.weight_decay or parameter.data.ndim < 2 and not self.decay_biases:
            self.compute_step(parameter.grad, memory, out)
        elif self.decoupled_weight_decay:
            self.compute_step(parameter.grad, memory, out)
            out += np.multiply(parameter.data, self.lr * self.weight_decay, out=self._work_buffer(index))
        else:
            grad = np.multiply(parameter.data, self.weight_decay, out=self._work_buffer(index))
            grad += parameter.grad
            self.compute_step(grad, memory, out)
        return out

    def zero_grad(self):
        """Remet à zéro le gradient de tous les paramètres, avant un nouveau calcul."""
        for parameter in self.parameters:
            parameter.zero_grad()

    def state_dict(self):
        """Tout ce qu'il faut pour reprendre au bit près : un dictionnaire de nombres et de tableaux (copiés).

        Les réglages et le nombre de pas y sont sous leur nom, les tableaux sous « nom.rang du paramètre ». Il
        s'enregistre tel quel dans un fichier .npz.
        """
        state = {name: getattr(self, name) for name in self._settings()} | {"n_steps": self.n_steps}
        for index, memory in enumerate(self._memory):
            state |= {f"{name}.{index}": array.copy() for name, array in memory.items()}
        return state

    def load_state_dict(self, state):
        """Rétablit ce que ``state_dict`` a gardé ; les paramètres du modèle se rétablissent à part.

        Lève ValueError si l'état n'est pas celui d'un tel optimiseur sur de tels paramètres ; rien n'est alors changé.
        """
        owner, numbers, memory = type(self).__name__, {}, [{} for _ in self.parameters]
        for key, value in state.items():
            name, _, index = key.partition(".")
            if not index:
                numbers[name] = np.asarray(value).item()
            elif name in self.memory_names and index.isdecimal() and int(index) < len(memory):
                parameter = self.parameters[int(index)]
                if np.shape(value) != parameter.shape:
                    raise ValueError(f"{owner} : {key} de forme {np.shape(value)}, attendu {parameter.shape} comme le paramètre")
                memory[int(index)][name] = np.array(value, parameter.data.dtype, order="C")
            else:
                raise ValueError(f"{owner} : {key} n'est pas dans l'état d'un tel optimiseur")
        if any(arrays and set(arrays) != set(self.memory_names) for arrays in memory):
            raise ValueError(f"{owner} : un tableau manque, {', '.join(self.memory_names)} vont ensemble")
        settings = self._settings()
        if odd := set(numbers) ^ {*settings, "n_steps"}:
            raise ValueError(f"{owner} : état d'un autre optimiseur, en trop ou manquant : {', '.join(sorted(odd))}")
        numbers = {name: checked_number(owner, name, value, settings.get(name, NON_NEGATIVE)) for name, value in numbers.items()}
        self.n_steps, self._memory = int(numbers.pop("n_steps")), memory
        for name, value in numbers.items():
            setattr(self, name, value)

    def _work_buffer(self, index):
        if self._work is None:
            self._work = _shared_buffers(self.parameters)
        return self._work[index]

    @classmethod
    def _settings(cls):
        """Réglages numériques : nom et domaine, ceux de la classe de base d'abord."""
        return {name: value.domain for base in reversed(cls.__mro__) for name, value in vars(base).items()
                if isinstance(value, Setting)}

    def __repr__(self):
        shown = [f"{name}={getattr(self, name):g}" for name in self._settings()
                 if getattr(self, name) != getattr(type(self), name).default]
        shown += ["decoupled_weight_decay=True"] if self.weight_decay and self.decoupled_weight_decay else []
        return f"{type(self).__name__}({', '.join(shown)})"


def _shared_buffers(parameters):
    """Un tampon de la forme de chaque paramètre ; ceux d'un même type occupent tous la même mémoire."""
    size = {}
    for parameter in parameters:
        size[parameter.data.dtype] = max(parameter.data.size, size.get(parameter.data.dtype, 0))
    storage = {dtype: np.empty(n, dtype) for dtype, n in size.items()}
    return [storage[p.data.dtype][:p.data.size].reshape(p.shape) for p in parameters]
