"""Le paramètre, la couche, et la suite de couches : un réseau est une liste de couches."""

import copy
import numbers
import zipfile
import zlib
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from labcode.nn.memory import keep_freed_memory
from labcode.nn.parallel import one_blas_thread

keep_freed_memory()


def as_array(x, owner):
    """Rend ``x`` en tableau ; lève ValueError pour une liste dont les lignes diffèrent, ou des valeurs masquées."""
    if np.ma.is_masked(x):
        raise ValueError(f"{owner} : valeurs masquées dans le tableau ; les remplacer d'abord, par exemple avec x.filled(0)")
    try:
        return np.asarray(x)
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise
        raise ValueError(f"{owner} : lignes de longueurs différentes, ce n'est pas un tableau") from None


def as_float(x, owner):
    """Rend ``x`` en tableau flottant : float32 et float64 sont gardés, entiers et booléens passent en float32.

    Lève TypeError si ``x`` n'est pas fait de nombres réels ; ``owner`` est nommé dans le message.
    """
    x = as_array(x, owner)
    if x.dtype == np.float32 or x.dtype == np.float64:
        return x
    if x.dtype.kind in "biuf":
        return x.astype(np.float32)
    raise TypeError(f"{owner} : tableau de nombres réels attendu, reçu un tableau de type {x.dtype}")


def as_gradient(dy, owner, shape):
    """Rend ``dy`` en tableau flottant de forme ``shape``, celle de la sortie (None avant ``forward``).

    Lève RuntimeError si ``forward`` n'a pas eu lieu, ValueError si ``dy`` n'a pas la forme de la sortie.
    """
    if shape is None:
        raise RuntimeError(f"{owner} : backward appelé avant forward, il n'y a encore rien à dériver")
    dy = as_float(dy, owner)
    if dy.shape != shape:
        raise ValueError(f"{owner} : gradient dy de forme {dy.shape}, attendu {shape} comme la sortie")
    return dy


def is_number(value):
    """Vrai pour un nombre réel fini, ni booléen, ni texte, ni tableau."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and -np.inf < value < np.inf


def is_integer(value, minimum):
    """Vrai pour un entier d'au moins ``minimum``, qui n'est pas un booléen."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= minimum


def as_float_type(dtype, owner):
    """Rend ``dtype``, qui doit être float32 ou float64 ; sinon lève ValueError."""
    try:
        if np.dtype(dtype) in (np.float32, np.float64):
            return np.dtype(dtype)
    except TypeError:
        pass
    raise ValueError(f"{owner} : dtype doit être np.float32 ou np.float64, reçu {dtype!r}")


def as_generator(rng, owner):
    """Générateur de nombres au hasard, tiré d'une graine (entier positif ou None) ou rendu tel quel ; sinon ValueError."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError):
        raise ValueError(f"{owner} : rng doit être une graine (entier positif), un générateur ou None, "
                         f"reçu {rng!r}") from None


class Buffer:
    """Tableau qu'une couche garde sans l'apprendre par le gradient, comme une moyenne mobile ; il est sauvegardé.

    Affecter ``data`` copie les valeurs dans le tableau existant (même forme, sinon ValueError).
    """

    __slots__ = ("_data",)

    def __init__(self, data):
        self._data = np.array(as_float(data, type(self).__name__), order="C")

    @property
    def data(self):
        """Valeurs du tableau."""
        return self._data

    @data.setter
    def data(self, value):
        if value is not self._data:  # « data -= … » a déjà tout fait sur place
            self._data[...] = self._same_shape("data", value)

    @property
    def shape(self):
        """Forme de ``data``."""
        return self._data.shape

    def _same_shape(self, name, value):
        value = as_float(value, f"{type(self).__name__}.{name}")
        if value.shape != self.shape:
            raise ValueError(f"{type(self).__name__}.{name} : forme {value.shape}, attendu {self.shape}")
        return value

    def __repr__(self):
        return f"{type(self).__name__}(shape={self.shape}, dtype={self._data.dtype})"


class Parameter(Buffer):
    """Tableau que l'on apprend : ses valeurs ``data`` et le gradient ``grad`` de la perte, de même forme.

    Affecter ``data`` ou ``grad`` copie les valeurs dans le tableau existant (même forme, sinon ValueError),
    de sorte que la couche et l'optimiseur voient toujours le même.
    """

    __slots__ = ("_grad", "_grad_is_zero")

    def __init__(self, data):
        super().__init__(data)
        self._grad = None
        self._grad_is_zero = True

    @property
    def grad(self):
        """Gradient accumulé par ``backward`` depuis le dernier ``zero_grad`` (des zéros s'il n'y en a pas eu)."""
        if self._grad_is_zero:
            self._buffer().fill(0)
            self._grad_is_zero = False
        return self._grad

    @grad.setter
    def grad(self, value):
        if value is not self._grad:  # « grad += … » a déjà tout fait sur place
            self._buffer()[...] = self._same_shape("grad", value)
            self._grad_is_zero = False

    def accumulate(self, operation, *operands):
        """Ajoute ``operation(*operands)`` au gradient ; ``operation`` accepte ``out=``, comme ``np.matmul``.

        Juste après ``zero_grad``, le résultat est écrit dans ``grad`` au lieu d'être ajouté à des zéros :
        ni remise à zéro, ni tableau temporaire.
        """
        if self._grad_is_zero:
            operation(*operands, out=self._buffer())
            self._grad_is_zero = False
        else:
            self._grad += operation(*operands)

    def zero_grad(self):
        """Remet le gradient à zéro, sans toucher à la mémoire : la prochaine écriture s'en charge."""
        self._grad_is_zero = True

    def _buffer(self):
        if self._grad is None:
            self._grad = np.empty_like(self._data)
        return self._grad


class Module:
    """Brique d'un réseau : ``forward`` calcule la sortie, ``backward`` rétropropage le gradient.

    Une couche à soi hérite de Module, range ses Parameter et ses sous-couches en attributs (ou en listes),
    et définit ``forward(x)`` et ``backward(dy)``.
    """

    training = True
    shares_batch = False  # vrai si la couche fait le gros de son travail dans labcode.nn.parallel.share

    def forward(self, x):
        """Sortie de la couche pour le lot ``x`` (N, …) ; garde ce dont ``backward`` aura besoin.

        Une couche garde souvent ``x`` lui-même et non une copie : ne pas modifier ``x`` avant ``backward``.
        """
        raise NotImplementedError(f"{type(self).__name__} ne définit pas forward")

    def backward(self, dy):
        """Gradient ``dx`` de la perte par rapport à l'entrée ; ajoute à ``grad`` celui des paramètres.

        ``dy``, de la forme de la sortie, est le gradient par rapport à la sortie du dernier ``forward``.
        Lève RuntimeError avant tout ``forward``, ValueError si la forme de ``dy`` ne convient pas.
        """
        raise NotImplementedError(f"{type(self).__name__} ne définit pas backward")

    def backward_parameters(self, dy):
        """Comme ``backward``, mais sans ``dx`` : personne n'apprend l'entrée du réseau, autant ne pas la dériver."""
        self.backward(dy)

    def __call__(self, x):
        return self.forward(x)

    def children(self):
        """Sous-couches directes : liste de couples (nom, Module)."""
        return [(name, value) for name, value in self._attributes() if isinstance(value, Module)]

    def named_parameters(self):
        """Paramètres de la couche et de ses sous-couches, chacun une fois : liste de couples (nom, Parameter)."""
        return [(name, array) for name, array in self._named_arrays() if isinstance(array, Parameter)]

    def named_buffers(self):
        """Tableaux gardés sans être appris (moyennes mobiles…), chacun une fois : liste de couples (nom, Buffer)."""
        return [(name, array) for name, array in self._named_arrays() if not isinstance(array, Parameter)]

    def parameters(self):
        """Liste des Parameter, à donner à un optimiseur."""
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self):
        """Remet à zéro le gradient de tous les paramètres."""
        for parameter in self.parameters():
            parameter.zero_grad()

    def train(self, mode=True):
        """Passe la couche et ses sous-couches en mode apprentissage (ou évaluation) ; renvoie ``self``."""
        self.training = bool(mode)
        for _, child in self.children():
            child.train(mode)
        return self

    def eval(self):
        """Passe la couche et ses sous-couches en mode évaluation ; renvoie ``self``."""
        return self.train(False)

    def state_dict(self):
        """Copie de tout ce qui distingue ce réseau d'un neuf : dictionnaire nom → valeurs des paramètres et des Buffer."""
        return {name: array.data.copy() for name, array in self._named_arrays()}

    def load_state_dict(self, state):
        """Reprend les valeurs de ``state``, venu de ``state_dict``.

        Lève ValueError si un nom manque, est de trop, ou si une forme diffère ; rien n'est alors changé.
        """
        arrays = dict(self._named_arrays())
        missing, unknown = sorted(arrays.keys() - state), sorted(state.keys() - arrays)
        if missing or unknown:
            raise ValueError("load_state_dict : ce réseau n'a pas les mêmes tableaux"
                             + (f" ; il manque {', '.join(missing)}" if missing else "")
                             + (f" ; {', '.join(unknown)} en trop" if unknown else ""))
        for name, array in arrays.items():
            if np.shape(state[name]) != array.shape:
                raise ValueError(f"load_state_dict : {name} de forme {np.shape(state[name])}, attendu {array.shape}")
        for name, array in arrays.items():
            array.data = state[name]

    def save(self, path):
        """Écrit les paramètres et les Buffer dans un fichier ``.npz`` (l'extension est ajoutée si elle manque)."""
        path = _npz(path)
        partial = path.with_name(path.name + ".partiel")
        with open(partial, "wb") as file:
            np.savez(file, **self.state_dict())
        partial.replace(path)  # un arrêt pendant l'écriture laisse l'ancien fichier intact

    def load(self, path):
        """Reprend les paramètres et les Buffer écrits par ``save`` ; renvoie ``self``.

        Lève FileNotFoundError si le fichier n'existe pas, ValueError s'il est illisible ou vient d'un autre réseau.
        """
        path = _npz(path)
        if not path.is_file():
            raise FileNotFoundError(f"load : le fichier {path} n'existe pas")
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
                state = dict(arrays)
        except (ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise ValueError(f"load : {path} n'est pas un fichier .npz lisible ({error})") from error
        try:
            self.load_state_dict(state)
        except ValueError as error:
            error.add_note(f"(en lisant {path})")
            raise
        return self

    def _named_arrays(self):
        """Paramètres et Buffer de la couche et de ses sous-couches : liste de couples (nom, tableau)."""
        named = [(name, value) for name, value in self._attributes() if isinstance(value, Buffer)]
        named += [(f"{prefix}.{name}", array)
                  for prefix, child in self.children() for name, array in child._named_arrays()]
        first_name = {}
        for name, array in named:  # un paramètre partagé par deux couches ne compte qu'une fois
            first_name.setdefault(id(array), (name, array))
        return list(first_name.values())

    def _attributes(self):
        """Attributs de la couche, ceux qui sont des listes étant dépliés en « nom.indice »."""
        for name, value in vars(self).items():
            if isinstance(value, (list, tuple)):
                yield from ((f"{name}.{i}", item) for i, item in enumerate(value))
            else:
                yield name, value

    def __repr__(self):
        return f"{type(self).__name__}()"


def _npz(path):
    path = Path(path)
    return path if path.suffix == ".npz" else path.with_name(path.name + ".npz")


def _shape(x):
    """Forme d'un lot, « (N, 3, 32, 32) »."""
    return f"({', '.join(['N', *map(str, x.shape[1:])])})"


def _count(module):
    """Nombre de paramètres d'une couche, par groupes de trois chiffres : « 262 656 »."""
    return f"{sum(parameter.data.size for parameter in module.parameters()):,}".replace(",", "\u202f")


def _descendants(module, name):
    """Le module et toutes ses sous-couches : couples (Module, nom)."""
    yield module, name
    for child_name, child in module.children():
        yield from _descendants(child, f"{name}.{child_name}")


class Sequential(Module):
    """Réseau en chaîne : la sortie de chaque couche est l'entrée de la suivante.

    ``Sequential(Linear(784, 200), ReLU(), Linear(200, 10))`` ; les paramètres s'appellent « 0.weight »,
    « 0.bias », « 2.weight »… ``model[i]`` est la i-ème couche. Lève TypeError si l'une n'est pas un Module,
    ValueError si un même objet y sert deux fois : une couche ne se souvient que de son dernier ``forward``.
    """

    def __init__(self, *layers):
        for layer in layers:
            if not isinstance(layer, Module):
                advice = " (écrire Sequential(*couches))" if isinstance(layer, (list, tuple)) else ""
                raise TypeError(f"Sequential : chaque couche doit être un Module, reçu {type(layer).__name__}{advice}")
        self.layers = list(layers)
        self._refuse_repeated_layers()

    def _refuse_repeated_layers(self):
        first_name = {}
        for index, layer in enumerate(self.layers):
            inside = {id(module): (module, name) for module, name in _descendants(layer, str(index))}
            for key, (module, name) in inside.items():
                if key in first_name:
                    raise ValueError(f"Sequential : la couche {name} ({module!r}) est la même que la couche "
                                     f"{first_name[key][1]} ; créer un objet par couche")
            first_name |= inside

    def forward(self, x):
        """Sortie de la dernière couche, (N, …)."""
        with self._threads():
            for index, layer in enumerate(self.layers):
                try:
                    x = layer.forward(x)
                except (ValueError, TypeError) as error:
                    error.add_note(f"(dans la couche {index} du réseau)")
                    raise
            return x

    def backward(self, dy):
        """Rétropropage ``dy`` de la dernière couche à la première (Rumelhart et al., 1986) ; renvoie ``dx``."""
        with self._threads():
            for layer in reversed(self.layers):
                dy = layer.backward(dy)
            return dy

    def backward_parameters(self, dy):
        """Rétropropage jusqu'à la première couche qui a des paramètres, sans dériver l'entrée."""
        first = next((i for i, layer in enumerate(self.layers) if layer.named_parameters()), None)
        if first is None:
            return
        with self._threads():
            for layer in reversed(self.layers[first + 1:]):
                dy = layer.backward(dy)
            self.layers[first].backward_parameters(dy)

    @property
    def shares_batch(self):
        """Vrai si une des couches partage le lot entre les processeurs."""
        return any(layer.shares_batch for layer in self.layers)

    def _threads(self):
        """Qui occupe les processeurs : nos parts du lot, ou les produits de matrices de NumPy."""
        return one_blas_thread() if self.shares_batch else nullcontext()

    def summary(self, input_shape):
        """Tableau en texte : pour chaque couche, forme de la sortie et nombre de paramètres.

        ``input_shape`` : forme d'un exemple, sans N, comme (784,) ou (3, 32, 32). On y fait passer un exemple nul, en
        mode évaluation. Lève ValueError si cette forme ne convient pas au réseau.
        """
        twin, x = copy.deepcopy(self).eval(), np.zeros((1, *input_shape), np.float32)
        rows = [("couche", "sortie", "paramètres"), ("entrée", _shape(x), "")]
        for name, layer in twin._leaves():
            x = layer.forward(x)
            rows.append((f"{name} : {layer!r}".splitlines()[0], _shape(x), _count(layer)))
        rows.append(("total", "", _count(self)))
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = [f"{layer:<{widths[0]}}  {shape:<{widths[1]}}  {count:>{widths[2]}}".rstrip() for layer, shape, count in rows]
        rule = "─" * (sum(widths) + 4)
        return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])

    def _leaves(self, prefix=""):
        """Couches simples, celles des Sequential intérieurs comprises, avec leur nom."""
        for name, layer in self.children():
            if isinstance(layer, Sequential):
                yield from layer._leaves(f"{prefix}{name}.")
            else:
                yield prefix + name, layer

    def children(self):
        """Couches et leurs rangs : liste de couples (« 0 », Module)."""
        return [(str(index), layer) for index, layer in enumerate(self.layers)]

    def __len__(self):
        return len(self.layers)

    def __getitem__(self, index):
        return Sequential(*self.layers[index]) if isinstance(index, slice) else self.layers[index]

    def __iter__(self):
        return iter(self.layers)

    def __repr__(self):
        lines = [f"  ({index}): {layer!r}".replace("\n", "\n  ") for index, layer in self.children()]
        return "\n".join(["Sequential(", *lines, ")"]) if lines else "Sequential()"
