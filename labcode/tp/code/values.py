"""Comparer deux résultats, et nommer ce qui les sépare : la forme, le type, puis les valeurs."""

import numpy as np

NUMBERS = "biuf"


# ── Égaux ou non ─────────────────────────────────────────────────────────────


def flatten(value):
    """Les tableaux d'un résultat, dans l'ordre : d'un tuple, d'une liste, ou d'un seul."""
    if isinstance(value, (tuple, list)):
        return [leaf for item in value for leaf in flatten(item)]
    return [value]


def close(ours, theirs, tolerance) -> bool:
    """Mêmes formes et mêmes valeurs, ``nan`` et infinis compris, à ``tolerance`` près relativement au plus grand."""
    ours, theirs = flatten(ours), flatten(theirs)
    return len(ours) == len(theirs) and all(_close(a, b, tolerance) for a, b in zip(ours, theirs))


def _close(a, b, tolerance):
    a, b = _array(a), _array(b)
    if a is None or b is None or a.shape != b.shape or a.dtype.kind not in NUMBERS or b.dtype.kind not in NUMBERS:
        return False
    finite = b[np.isfinite(b)]
    scale = np.abs(finite).max(initial=0)
    return bool(np.allclose(a, b, rtol=tolerance, atol=tolerance * max(scale, 1e-12), equal_nan=True))


def _array(value):
    try:
        return np.asarray(value)
    except (TypeError, ValueError):
        return None


# ── La forme et le type ──────────────────────────────────────────────────────


def compare_form(ours, expected, names=()):
    """Ce qui ne va pas avant même les valeurs, ou ``None`` : nombre de résultats, type, forme, entiers."""
    if isinstance(expected, (tuple, list)):
        return _compare_sequence(ours, expected, names)
    return _compare_leaf(ours, np.asarray(expected), names if isinstance(names, str) else "")


def _compare_sequence(ours, expected, names):
    labels = [f"{names}[{k}]" for k in range(len(expected))] if isinstance(names, str) else names
    wanted = f"`return {', '.join(names)}`"
    if isinstance(names, str):
        wanted = f"les {len(expected)} tableaux de `{names}`, dans une liste"
    if isinstance(ours, dict):
        return f"Votre fonction renvoie un dictionnaire. Attendu : {wanted}."
    if not isinstance(ours, (tuple, list)):
        return f"Votre fonction renvoie {_a(ours)}{_for(names)}. Attendu : {wanted}."
    if len(ours) != len(expected):
        count = one_or_many(len(ours), "un seul résultat", "résultats")
        return f"Votre fonction renvoie {count}{_for(names)}, il en faut {len(expected)} : {wanted}."
    return next((problem for a, b, name in zip(ours, expected, labels) if (problem := compare_form(a, b, name))), None)


def _compare_leaf(ours, expected, name):
    it = f"`{name}`" if name else "Le résultat"
    if ours is None:
        return f"{it} vaut `None` : une valeur n'a pas été calculée."
    if isinstance(ours, (list, tuple, dict, set, str)) or _array(ours) is None:
        advice = " Enveloppez la liste dans `np.array(…)`." if isinstance(ours, list) and expected.ndim else ""
        return f"{it} est {_a(ours)} ; attendu, {_wanted(expected)}.{advice}"
    ours = np.asarray(ours)
    if ours.dtype.kind == "O":
        return f"{it} est un tableau d'objets, non de nombres : les lignes n'ont-elles pas toutes la même longueur ?"
    if ours.dtype.kind not in NUMBERS:
        return f"{it} ne contient pas des nombres réels (type `{ours.dtype}`)."
    if ours.shape != expected.shape:
        return _shape(it, ours.shape, expected.shape)
    if ours.dtype.kind == "b":
        return f"{it} contient des booléens, vrai ou faux ; attendu, des nombres. Convertissez avec `.astype(int)`."
    truncated = ours.dtype.kind in "iu" and expected.dtype.kind == "f" and _close(ours, np.trunc(expected), 1e-9)
    if truncated and not _close(ours, expected, 1e-9):
        return (f"{it} contient des entiers : les décimales sont perdues. Créez le tableau avec `np.zeros(…)`, sans `dtype=int` ; "
                "`zeros_like` d'un tableau d'entiers en donne aussi.")
    return None


def _shape(it, ours, expected):
    if not expected:
        return f"{it} est un tableau de forme `{ours}` ; attendu, un seul nombre. Une somme ou une moyenne manque-t-elle ?"
    if not ours:
        return f"{it} est un seul nombre ; attendu, un tableau de forme `{expected}`. Une somme de trop, ou un axe oublié ?"
    said = f"{it} est de forme `{ours}`, attendu `{expected}`"
    if ours == expected[::-1]:
        return f"{said} : une **transposée** ?"
    if ours.count(1) != expected.count(1) and [n for n in ours if n != 1] == [n for n in expected if n != 1]:
        return f"{said} : un axe de taille 1 de trop ou de moins (`keepdims`, `reshape`, `[:, None]`) ?"
    if len(ours) == len(expected) == 1:
        return f"{said} : une somme sur le mauvais **axe** ?"
    if len(ours) > len(expected):
        return f"{said} : une somme le long d'un axe manque-t-elle ?"
    return f"{said}."


def _wanted(expected):
    return f"un tableau NumPy de forme `{expected.shape}`" if expected.shape else "un nombre"


def _a(value):
    kinds = {list: "une liste", tuple: "un tuple", dict: "un dictionnaire", str: "une chaîne de caractères",
             set: "un ensemble", np.ndarray: "un seul tableau"}
    return kinds.get(type(value), "un seul nombre" if np.isscalar(value) else f"un objet `{type(value).__name__}`")


def _for(names):
    return f" pour `{names}`" if isinstance(names, str) and names else ""


def one_or_many(count, one, many=""):
    """« un seul résultat » ou « 3 résultats »."""
    return one if count == 1 else f"{count} {many}".strip()


# ── Les valeurs ──────────────────────────────────────────────────────────────


def compare_values(reference, cases) -> str:
    """Ce qui distingue des valeurs fausses des bonnes : ``cases`` est une liste (essai, résultat, bon résultat)."""
    wrong = next(expected for _, ours, expected in cases if not close(ours, expected, reference.tolerance))
    alike = [case for case in cases if len(flatten(case[2])) == len(flatten(wrong))]
    sizes, right = [_batch_size(reference, trial) for trial, *_ in alike], []
    for k, name in enumerate(_leaf_names(wrong, reference.outputs)):
        pairs = [(np.asarray(flatten(ours)[k], float), np.asarray(flatten(expected)[k], float), N)
                 for (_, ours, expected), N in zip(alike, sizes)]
        if not all(_close(a, b, reference.tolerance) for a, b, _ in pairs):
            it = f"`{name}`" if name else "Le résultat"
            prefix = f"{', '.join(right)} : juste. " if right else ""
            return prefix + (_explain(it, pairs, reference.tolerance) or _first_gap(it, pairs, reference.tolerance))
        right.append(f"`{name}`")
    return ""


def _leaf_names(expected, names):
    """Le nom de chaque tableau d'un résultat : « H », « grad_weights[1] », ou rien s'il n'y en a qu'un."""
    if not isinstance(expected, (tuple, list)):
        return [""]
    return [label for name, item in zip(names, expected)
            for label in ([f"{name}[{j}]" for j in range(len(item))] if isinstance(item, (tuple, list)) else [name])]


def _batch_size(reference, trial):
    return len(trial.arguments[reference.arguments.index(reference.batch)]) if reference.batch else 1


def _explain(it, pairs, tolerance):
    """La relation, la même sur tous les essais, entre ce qui est rendu et ce qui est attendu."""
    if any(np.isnan(a).any() and not np.isnan(b).any() for a, b, _ in pairs):
        return f"{it} contient des `nan` : un quotient 0/0, le logarithme d'un nombre négatif, ou deux infinis ?"
    if any(np.isinf(a).any() and not np.isinf(b).any() for a, b, _ in pairs):
        return f"{it} contient des valeurs infinies : une exponentielle qui déborde, une division par zéro, ou `log(0)` ?"
    told = [(a, b, N) for a, b, N in pairs if b.any()]
    if not any(a.any() for a, _, _ in told):
        return f"{it} est toujours nul."
    factors = [_factor(a, b) for a, b, _ in told]
    if None not in factors:
        scalar = all(b.size == 1 for _, b, _ in told)
        return _explain_factor(it, np.array(factors), np.array([N for *_, N in told]), scalar)

    def always(relation):
        return all(relation(a, b) for a, b, _ in told)

    if always(lambda a, b: _close(a, b, tolerance) or _close(a.T, b, tolerance)):
        return f"{it} est juste quand on le **transpose**."
    if always(lambda a, b: _close(np.sort(a, axis=None), np.sort(b, axis=None), tolerance)):
        return f"{it} contient les bonnes valeurs, mais pas à leur place : un axe ou un ordre échangé ?"
    if always(lambda a, b: _only_first_row(np.atleast_1d(a), np.atleast_1d(b), tolerance)):
        return f"{it} n'est calculé que pour la première ligne : un `return` dans la boucle ?"
    if always(lambda a, b: _close(a, b, 1e-3)):
        return (f"{it} est presque juste : l'écart relatif reste sous un millième. Un arrondi, un calcul en `float32`, "
                "ou un $\\varepsilon$ de trop ?")
    return None


def _only_first_row(a, b, tolerance):
    return _close(a[:1], b[:1], tolerance) and not a[1:].any()


def _factor(a, b):
    """Le nombre f tel que a = f b, ou ``None``."""
    if a.shape != b.shape:
        return None
    factor = float(np.sum(a * b) / np.sum(b * b))
    return factor if factor and np.allclose(a, factor * b, rtol=1e-6, atol=1e-9 * np.abs(a).max()) else None


def _explain_factor(it, factors, sizes, scalar):
    sign = "de **signe** opposé" if np.all(factors < 0) else ""
    size = np.abs(factors)
    varied = len(set(sizes)) > 1
    if np.allclose(size, 1):
        return f"{it} est {sign} : $-$ au lieu de $+$, ou une différence prise à l'envers." if sign else None
    start = f"{it} est {sign}, et " if sign else f"{it} est "
    if varied and np.allclose(size, sizes):
        return f"{start}$N$ fois trop grand : le $\\frac1N$ de la **moyenne** est oublié."
    if varied and np.allclose(size, 1 / sizes):
        return f"{start}$N$ fois trop petit : le $\\frac1N$ est compté **deux fois**, ou une somme est devenue une moyenne."
    if np.allclose(size, size[0]):
        for value, word in ((2, "deux fois trop grand"), (0.5, "deux fois trop petit")):
            if np.isclose(size[0], value):
                return f"{start}{word} : un **facteur** 2."
        return f"{start}proportionnel au bon : un **facteur** {_french(size[0])} de trop."
    if not scalar and (np.all(factors > 0) or sign):
        return f"{start}proportionnel au bon, mais le **facteur** change d'un essai à l'autre : une normalisation oubliée, ou de trop ?"
    return None


def _first_gap(it, pairs, tolerance):
    a, b = next((a, b) for a, b, _ in pairs if not _close(a, b, tolerance))
    if not a.ndim:
        return f"{it} vaut {_instead(a, b)}."
    gap = np.abs(a - b)
    index = tuple(int(k) for k in np.argwhere(gap > tolerance * np.abs(b).max(initial=1e-12))[0])
    place = ", ".join(map(str, index))
    return (f"{it} a la bonne forme, mais pas les bonnes valeurs. Le premier écart est à la case `[{place}]` : "
            f"{_instead(a[index], b[index])}.")


def _instead(a, b):
    """« 2,47 au lieu de 2,48 », avec assez de chiffres pour voir la différence."""
    digits = next(n for n in range(3, 18) if n == 17 or f"{a:.{n}g}" != f"{b:.{n}g}")
    return f"{_french(float(a), digits)} au lieu de {_french(float(b), digits)}"


def _french(number, digits=4):
    return f"{number:.{digits}g}".replace(".", ",").replace("-", "−")
