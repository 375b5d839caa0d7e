"""La vérification d'un gradient : le comparer à des différences finies, qui ne demandent aucune dérivation."""

import copy

import numpy as np

from labcode.nn.losses import Loss
from labcode.nn.module import Parameter, as_float, as_generator, is_integer, is_number


def gradient_check(module, x, loss=None, y=None, *, eps=1e-5, tol=1e-6, rng=0, strict=False, max_entries=1000):
    """Compare ``module.backward`` aux différences centrées (f(u + ε) − f(u − ε))/2ε (eq-gradient-check).

    ``module`` : tout objet ayant ``forward(x)`` et ``backward(dy)``, y compris une couche écrite à la main.
    Ses paramètres sont ceux de ``named_parameters()`` ou de ``parameters()`` (liste ou dictionnaire), sinon ses
    attributs de type Parameter. ``x`` : le lot d'entrée. On dérive ``loss(module(x), y)`` ou, sans ``loss``, une
    combinaison aléatoire des sorties. Tout se fait en float64 et sur une copie : ``module`` et ``x`` restent intacts.

    Erreur relative : le plus grand écart du tableau, rapporté à son plus grand gradient. Là où la fonction fait
    un angle (ReLU en 0), toute valeur entre les deux dérivées latérales est admise. D'un tableau de plus de
    ``max_entries`` composantes, on en vérifie autant, tirées au hasard.

    Renvoie un GradientCheck ; un gradient faux ne lève AssertionError que si ``strict=True``. Lève ValueError si
    la sortie n'est pas finie ou reste en float32, ou si ``forward`` modifie son entrée ou tire au hasard ; TypeError si
    ``module`` ou ``loss`` n'a pas ce qu'il faut (une classe au lieu d'un objet, ``backward`` absent…). Méthode : Bengio,
    *Practical Recommendations for Gradient-Based Training of Deep Architectures* (2012).
    """
    _check_arguments(module, x, loss, y, eps, tol, max_entries)
    rng = as_generator(rng, "gradient_check").spawn(1)[0]  # un tirage à part : x vient souvent de la même graine
    module, loss, x = copy.deepcopy(module), copy.deepcopy(loss), np.array(x, dtype=np.float64)
    parameters = _parameters_in_float64(module)

    def value(y_hat):
        return np.array(y_hat if loss is None else loss(y_hat, y), dtype=np.float64)

    x_before, held, y_hat = x.copy(), _float_arrays(module), module.forward(x)
    if y_hat is None:
        raise TypeError("gradient_check : forward ne renvoie rien (return oublié ?)")
    y_hat, again = np.array(y_hat), np.array(module.forward(x))
    start = value(again)
    if not np.isfinite(start).all():
        raise ValueError("gradient_check : la sortie n'est pas finie (nan ou inf) en ce point")
    if y_hat.dtype == np.float32:
        raise ValueError("gradient_check : la sortie est en float32, trop peu précise ; calculer dans le type de x")
    if not np.array_equal(x, x_before):
        raise ValueError("gradient_check : forward modifie son entrée x ; travailler sur une copie")

    direction = rng.standard_normal(start.shape) if loss is None else np.float64(1)
    dx = module.backward(direction.copy() if loss is None else loss.backward())
    if isinstance(dx, tuple):
        raise TypeError("gradient_check : backward renvoie un tuple, attendu dx seul ; le gradient d'un paramètre s'ajoute "
                        "à son attribut grad")
    if not np.array_equal(y_hat, again):
        raise ValueError("gradient_check : forward ne redonne pas la même sortie (hasard ?) ; essayer en mode évaluation")
    tensors = {"x": (x, dx)}
    tensors |= {name: (parameter.data, copy.copy(parameter.grad)) for name, parameter in parameters.items()}

    check = GradientCheck(tol)
    after = _float_arrays(module)
    check.only_x = not parameters and any(after.get(name) is array for name, array in held.items())
    noise = 10 * np.finfo(np.float64).eps * (1 + np.abs(start * direction).sum() / eps)  # arrondi des différences
    for name, (values, gradient) in tensors.items():
        entries = np.arange(values.size)
        if values.size > max_entries:
            entries = rng.choice(values.size, max_entries, replace=False)
        left, right = _one_sided_differences(lambda: value(module.forward(x)), start, direction, values, entries, eps)
        check.compare(name, gradient, values.shape, entries, left, right, noise, n=len(x) if x.ndim else 1)
    if strict and not check.ok:
        raise AssertionError(f"Gradient faux :\n{check}")
    return check


def _check_arguments(module, x, loss, y, eps, tol, max_entries):
    """Lève TypeError ou ValueError pour un argument qui n'a pas de sens."""
    if isinstance(module, Loss):
        raise TypeError(f"gradient_check : {module!r} est une perte ; écrire gradient_check(module, x, {module!r}, y)")
    for name, given, methods in (("module", module, ("forward", "backward")), ("loss", loss, ("__call__", "backward"))):
        if isinstance(given, type):
            raise TypeError(f"gradient_check : {name} est la classe {given.__name__}, attendu un objet ; "
                            f"ajouter des parenthèses, {given.__name__}(…)")
        for method in methods:
            if not callable(getattr(given, method, None)) and (name, given) != ("loss", None):
                raise TypeError(f"gradient_check : {name} ({type(given).__name__}) n'a pas de méthode {method}")
    if loss is not None and y is None:
        raise ValueError("gradient_check : avec une perte, donner aussi la cible y")
    if not as_float(x, "gradient_check").size:
        raise ValueError(f"gradient_check : x de forme {np.shape(x)} est vide, il n'y a rien à vérifier")
    for name, value in (("eps", eps), ("tol", tol)):
        if not (is_number(value) and value > 0):
            raise ValueError(f"gradient_check : {name} doit être un nombre strictement positif, reçu {value!r}")
    if not is_integer(max_entries, 1):
        raise ValueError(f"gradient_check : max_entries doit être un entier au moins égal à 1, reçu {max_entries!r}")


def _float_arrays(module):
    """Attributs qui sont des tableaux flottants : ceux que ni forward ni backward ne remplacent sont des poids."""
    return {name: value for name, value in getattr(module, "__dict__", {}).items()
            if isinstance(value, np.ndarray) and value.dtype.kind == "f"}


def _parameters_in_float64(module):
    """Dictionnaire nom → paramètre (objet ayant ``data`` et ``grad``), converti en float64, gradient nul."""
    if hasattr(module, "named_parameters"):
        found = module.named_parameters()
    elif hasattr(module, "parameters"):
        found = module.parameters() if callable(module.parameters) else module.parameters
        if found is not None and not isinstance(found, dict):
            found = {f"paramètre {i}": parameter for i, parameter in enumerate(found)}
    else:
        found = {name: value for name, value in vars(module).items() if isinstance(value, Parameter)}
    if found is None:
        raise TypeError("gradient_check : parameters() ne renvoie rien (return oublié ?)")
    found = dict(found)
    for name, parameter in found.items():
        if not (hasattr(parameter, "data") and hasattr(parameter, "grad")):
            raise TypeError(f"gradient_check : {name} doit avoir les attributs data et grad, comme Parameter")
        data = np.array(parameter.data, dtype=np.float64)
        if isinstance(parameter, Parameter):
            parameter.__init__(data)
        else:
            parameter.data, parameter.grad = data, np.zeros_like(data)
    return found


def _one_sided_differences(output, start, direction, values, entries, eps):
    """Dérivées numériques à gauche et à droite de ⟨direction, sortie⟩ ; leur moyenne est la différence centrée."""
    sides = np.empty((2, len(entries)))
    for i, entry in enumerate(entries):
        index = np.unravel_index(entry, values.shape)
        saved = values[index]
        for side, step in zip(sides, (-eps, eps)):
            values[index] = saved + step
            side[i] = (direction * (output() - start)).sum() / (values[index] - saved)
        values[index] = saved
    return sides


class GradientCheck:
    """Résultat de :func:`gradient_check` : ``errors`` (nom → erreur relative), ``max_error``, ``ok``, ``hints``.

    ``hints`` donne, pour un gradient faux, ce qui ressemble à la cause : signe, facteur 1/N, transposée…
    """

    def __init__(self, tol):
        self.tol, self.errors, self.hints = tol, {}, {}
        self.only_x = False  # vrai si des poids, rangés hors d'un Parameter, échappent à la vérification

    @property
    def max_error(self):
        """La plus grande des erreurs relatives."""
        return max(self.errors.values())

    @property
    def ok(self):
        """Vrai si toutes les erreurs relatives sont inférieures à la tolérance."""
        return self.max_error < self.tol

    def compare(self, name, gradient, shape, entries, left, right, noise, n):
        """Range l'erreur relative de ``gradient`` et, s'il est faux, un indice sur la cause ; N = ``n``."""
        self.errors[name] = np.inf
        if gradient is None:
            self.hints[name] = "aucun gradient calculé"
            return
        gradient = np.asarray(gradient, dtype=np.float64)
        if gradient.shape != shape:
            self.hints[name] = f"forme {gradient.shape}, attendu {shape}"
            return
        ours, numeric = gradient.ravel()[entries], (left + right) / 2
        if not np.isfinite(ours).all():
            self.hints[name] = "valeurs non finies"
            return
        scale = max(np.abs(ours).max(initial=0), np.abs(numeric).max(initial=0), noise / self.tol, 1e-300)
        gap = np.abs(right - left)
        slack = np.where(gap > 1e-3 * scale, 0.501 * gap, 0)  # un angle : on admet tout l'intervalle
        difference = np.maximum(np.abs(ours - numeric) - slack, 0)
        self.errors[name] = float(difference.max(initial=0) / scale)
        if not self.errors[name] < self.tol:
            transposed = gradient.T.ravel()[entries] if gradient.T.shape == shape else ours
            self.hints[name] = _hint(ours, transposed, numeric, n)

    def __repr__(self):
        lines = [self._verdict(name, error) for name, error in self.errors.items()]
        if self.only_x:
            lines.append("aucun Parameter trouvé : seul x est vérifié (ranger les poids dans un Parameter)")
        return "\n".join(lines)

    def _verdict(self, name, error):
        if error < self.tol:
            return f"✓ {name} : juste (erreur relative < {_power(self.tol)})"
        hint = self.hints[name]
        if not np.isfinite(error):
            return f"✗ {name} : faux ({hint})"
        return f"✗ {name} : faux (erreur relative {_power(error)}{' : ' + hint if hint else ''})"


def _hint(ours, transposed, numeric, n):
    """Ce qui ressemble à la cause d'un gradient faux, ou une chaîne vide."""

    def close(a, b):
        return np.abs(a - b).max() <= 1e-4 * np.abs(b).max()

    if not ours.any():
        return "toujours nul"
    if close(ours, numeric):
        return "presque juste, calculé en float32 ?"
    if close(transposed, numeric):
        return "transposé ?"
    factor = ours @ numeric / (numeric @ numeric) if numeric.any() else 0
    if not close(ours, factor * numeric):
        return ""
    sign = "signe opposé" if factor < 0 else ""
    size = abs(factor)
    for value, cause in ((1, ""), (n, f"{n} fois trop grand, facteur 1/N oublié"),
                         (1 / n, f"{n} fois trop petit, facteur 1/N de trop"),
                         (2, "deux fois trop grand"), (1 / 2, "deux fois trop petit")):
        if abs(size / value - 1) < 1e-4:
            return ", ".join(filter(None, (sign, cause))) + " ?"
    return ", ".join(filter(None, (sign, f"proportionnel au bon, facteur {size:.3g}".replace(".", ",")))) + " ?"


def _power(value):
    """Ordre de grandeur lisible et stable : « 1e-6 », « 0,5 », « 2 »."""
    if 0.1 <= value < 10:
        return f"{value:.1g}".replace(".", ",")
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"
