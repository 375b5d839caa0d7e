"""Vérifications des carnets : un résultat qui dépend du hasard ou du processeur est comparé à un intervalle, que l'on
affiche.

Le texte affiché ne contient que ce qui est attendu, jamais la valeur mesurée : il est le même sur toutes les machines.
"""

import math
import numbers

import numpy as np


def check_between(label, value, low, high, unit="", decimals=2):
    """Vérifie que low ≤ value ≤ high et affiche l'intervalle, p. ex. « Erreur de test : entre 1,5 % et 2,5 % ».

    Avec ``unit="%"``, la valeur et les bornes sont des proportions, affichées multipliées par 100. Une borne infinie
    donne « au moins » ou « au plus ». ``decimals`` est le nombre de décimales de la valeur mesurée dans le message
    d'échec. Lève AssertionError hors de l'intervalle ou pour NaN, ValueError si les bornes ne forment pas un
    intervalle.
    """
    low, high, value = _number("low", low), _number("high", high), _number("value", value)
    if not low <= high or math.isinf(low) and math.isinf(high):
        raise ValueError(f"Bornes {french_number(low)} et {french_number(high)} : ce n'est pas un intervalle.")
    if math.isinf(low):
        expected = f"au plus {_quantity(high, unit)}"
    elif math.isinf(high):
        expected = f"au moins {_quantity(low, unit)}"
    else:
        expected = f"entre {_quantity(low, unit)} et {_quantity(high, unit)}"
    if not low <= value <= high:
        raise AssertionError(f"{label} : {_quantity(value, unit, decimals)} mesuré, {expected} attendu.")
    print(f"{label} : {expected}")


def check_equal(label, value, expected):
    """Vérifie que value est égal à expected (nombre, chaîne, n-uplet, tableau) et affiche la valeur attendue.

    Un grand tableau n'est pas recopié à l'écran. NaN n'est égal à rien. Lève AssertionError en cas de différence.
    """
    if not np.array_equal(value, expected):
        raise AssertionError(f"{label} : {_shown(value)} obtenu, {_shown(expected)} attendu.")
    print(f"{label} : {_shown(expected)}")


def check_true(label, condition):
    """Vérifie une condition et affiche « label : oui ».

    Lève AssertionError si elle est fausse, TypeError si ce n'est pas un booléen : NaN ou un tableau ne passe pas pour
    vrai.
    """
    if not isinstance(condition, (bool, np.bool_)):
        raise TypeError(f"{label} : {type(condition).__name__} reçu, un booléen attendu (pour un tableau, np.all ou np.any).")
    if not condition:
        raise AssertionError(f"{label} : non, alors que ce devrait être vrai.")
    print(f"{label} : oui")


def french_number(value, decimals=None):
    """Écrit un nombre à la française : virgule décimale, milliers séparés, puissance de dix pour le très petit et le
    très grand.

    Sans ``decimals``, toutes les décimales utiles (douze chiffres significatifs au plus).
    """
    if isinstance(value, numbers.Integral):
        return f"{int(value):,}".replace(",", "\u202f").replace("-", "−")
    value = float(value)
    if not math.isfinite(value):
        return str(value).replace("inf", "∞").replace("-", "−").replace("nan", "NaN")
    if value and not 1e-4 <= abs(value) < 1e9:
        mantissa, exponent = f"{value:.{11 if decimals is None else decimals}e}".split("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        power = "10" + str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        text = power if mantissa == "1" else f"{mantissa}\u00a0×\u00a0{power}"
    elif decimals is None:
        significant = max(0, 11 - math.floor(math.log10(abs(value)))) if value else 0
        text = f"{value:,.{significant}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        text = f"{value:,.{decimals}f}"
    return text.replace(",", "\u202f").replace(".", ",").replace("-", "−")


def _quantity(value, unit, decimals=None):
    """Un nombre et son unité, séparés par une espace insécable ; un pourcentage est multiplié par 100."""
    number = french_number(100 * value if unit == "%" else value, decimals)
    return f"{number}\u00a0{unit}" if unit else number


def _number(name, value):
    """``value`` en float, ou une erreur : un tableau n'est pas un nombre, une chaîne non plus."""
    if np.ndim(value) != 0 or not isinstance(value, (numbers.Real, np.number, np.bool_, np.ndarray)):
        raise TypeError(f"{name} : {type(value).__name__} reçu, un nombre attendu.")
    return float(value)


def _shown(value):
    """Ce que l'on montre d'une valeur : en français pour un nombre ou un booléen, en bref pour un grand tableau."""
    if isinstance(value, (bool, np.bool_)):
        return "oui" if value else "non"
    if isinstance(value, numbers.Real):
        return french_number(value)
    if isinstance(value, str):
        return value
    array = np.asarray(value)
    if array.size > 20:
        return f"tableau de forme {array.shape}"
    if array.dtype.kind == "f":  # le point-virgule sépare, puisque la virgule est décimale
        return "[" + "\u00a0; ".join(map(_shown, value)) + "]"
    return str(array.tolist() if isinstance(value, np.ndarray) else value)
