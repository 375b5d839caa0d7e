"""Juger une fonction : elle passe les essais, et le premier défaut trouvé est dit en français."""

import inspect
import itertools
from dataclasses import dataclass

import numpy as np

from labcode.tp.code.errors import explain_error
from labcode.tp.code.limit import run
from labcode.tp.code.values import close, compare_form, compare_values, flatten, one_or_many

SLOW_FACTOR, SLOW_SECONDS = 50, 0.1  # on ne parle de lenteur qu'au-delà des deux : jamais à cause d'une machine chargée


@dataclass(frozen=True)
class Judgement:
    """Le verdict, et son message en Markdown."""

    ok: bool
    message: str


def judge(reference, function, seconds: float = 2, name: str = "", seed: int = 0) -> Judgement:
    """Compare ``function`` à ``reference`` sur des entrées tirées au hasard, chaque appel durant ``seconds`` au plus."""
    problem = _not_usable(reference, function, name or reference.function.__name__)
    if problem:
        return Judgement(False, problem)
    trials = reference.trials(seed)
    outcomes = []
    for trial in trials:
        outcomes.append(run(function, trial.arguments, seconds))
        if outcomes[-1].timed_out:
            break
    problem = _first_problem(reference, function, trials, outcomes, seconds)
    if problem:
        return Judgement(False, problem)
    return Judgement(True, _praise(reference, function, trials, seed, seconds))


# ── Avant d'appeler ──────────────────────────────────────────────────────────


def _not_usable(reference, function, name):
    """Ce qui empêche d'appeler : pas une fonction, ou pas le bon nombre d'arguments."""
    signature = f"`{name}({', '.join(reference.arguments)})`"
    if isinstance(function, type):
        return f"`{function.__name__}` est une classe ; il faut une fonction, {signature}."
    if not callable(function):
        given = "`None`" if function is None else f"un résultat ({_kind(function)})"
        return (f"Vous avez donné {given}, non une fonction. Donnez son nom seul, sans parenthèses ni guillemets : "
                f"`verifier(\"…\", {name})`.")
    try:
        parameters = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    try:
        parameters.bind(*reference.arguments)
    except TypeError:
        wanted = one_or_many(len(reference.arguments), "un seul")
        return f"Votre fonction prend {_count(parameters)} ; il en faut {wanted}, dans cet ordre : {signature}."
    names = [parameter.name for parameter in parameters.parameters.values()]
    if names != list(reference.arguments) and sorted(names) == sorted(reference.arguments):
        return f"Les arguments de votre fonction ne sont pas dans l'ordre attendu, {signature}."
    return None


def _kind(value):
    kinds = {np.ndarray: "un tableau", tuple: "un tuple", list: "une liste", str: "une chaîne de caractères",
             dict: "un dictionnaire"}
    return kinds.get(type(value), type(value).__name__)


def _count(signature):
    needed = [p for p in signature.parameters.values()
              if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return {0: "zéro argument", 1: "un seul argument"}.get(len(needed), f"{len(needed)} arguments")


# ── Après les essais ─────────────────────────────────────────────────────────


def _first_problem(reference, function, trials, outcomes, seconds):
    expected = [reference(*trial.arguments) for trial in trials]
    done = list(zip(trials, outcomes, expected))
    wrong = [case for case in done if not _is_right(reference, *case)]
    if not wrong:
        return _side_effect(reference, done) or _not_repeatable(function, done, seconds)
    trial, outcome, value = wrong[0]
    if outcome.timed_out:
        return (f"Votre fonction ne répond pas en {_french(seconds)} s ; elle a été arrêtée. Une boucle sans fin, ou bien "
                f"trop de calculs ? {_inputs(reference, trial)}")
    known = _known_mistake(reference, done)
    if known:
        return known + _modified_too(reference, wrong)
    if outcome.error:
        told = explain_error(outcome.error, function) + _only_some_sizes(done, wrong)
        return f"{told}\n\n{_inputs(reference, trial)}{_hint_globals(reference, function)}"
    if outcome.value is None:
        remark = "Elle affiche son résultat : remplacez `print(…)` par `return …`." if outcome.printed else "Le `return` est-il oublié ?"
        return f"Votre fonction ne renvoie rien (`None`). {remark}"
    return _wrong_value(reference, function, done, wrong)


def _wrong_value(reference, function, done, wrong):
    trial, outcome, value = wrong[0]
    where = _inputs(reference, trial)
    if _swapped(reference, done):
        return f"Les résultats sont justes, mais pas dans l'ordre attendu : `return {', '.join(reference.outputs)}`."
    problem = compare_form(outcome.value, value, reference.outputs)
    if problem:
        return f"{problem}{_only_some_sizes(done, wrong)}\n\n{where}{_hint_globals(reference, function)}"
    formed = [case for case in done if not case[1].error and not compare_form(case[1].value, case[2], reference.outputs)]
    problem = compare_values(reference, [(trial, outcome.value, value) for trial, outcome, value in formed])
    limits = _only_when(done, wrong)
    return f"{problem}{limits}\n\n{where}{_hint_globals(reference, function)}{_modified_too(reference, wrong)}"


def _is_right(reference, _trial, outcome, expected):
    if outcome.error is not None or outcome.value is None or compare_form(outcome.value, expected, reference.outputs):
        return False
    return close(outcome.value, expected, reference.tolerance)


def _known_mistake(reference, done):
    """Le message de la faute prévue qui donne les mêmes résultats sur tous les essais, échecs compris."""
    for message, mistake in reference.mistakes:
        runs = [run(mistake, trial.arguments, 60) for trial, _, _ in done]
        same = [_same_outcome(outcome, other, reference.tolerance) for (_, outcome, _), other in zip(done, runs)]
        telling = [other.error is None and not close(other.value, expected, reference.tolerance)
                   for (_, _, expected), other in zip(done, runs)]
        if all(same) and any(telling):
            return message
    return None


def _same_outcome(ours, other, tolerance):
    if ours.error or other.error:
        return bool(ours.error and other.error and not ours.timed_out)
    return close(ours.value, other.value, tolerance)


def _swapped(reference, done):
    """Vrai si les bons résultats sont rendus dans un autre ordre."""
    count = len(reference.outputs)
    for order in itertools.permutations(range(count)):
        if list(order) != list(range(count)) and all(
                isinstance(outcome.value, (tuple, list)) and len(outcome.value) == count
                and close([outcome.value[k] for k in order], list(expected), reference.tolerance) for _, outcome, expected in done):
            return True
    return False


def _only_when(done, wrong):
    """« Faux pour de grandes valeurs seulement » : quand tous les essais ordinaires sont justes."""
    labels = [trial.label for trial, _, _ in wrong]
    if len(wrong) == len(done) or not all(labels):
        return ""
    return f" Les autres essais sont justes : c'est avec {' et avec '.join(dict.fromkeys(labels))} que cela échoue."


def _only_some_sizes(done, wrong):
    """Une erreur ou une mauvaise forme, alors qu'un autre essai ordinaire passe."""
    right = [trial for trial, *_ in done if not trial.label and all(trial is not other for other, *_ in wrong)]
    return " Un autre essai, de tailles différentes, est juste : une taille est-elle écrite en dur ?" if right else ""


# ── Ce que la fonction fait au carnet ────────────────────────────────────────


def _modified(reference, trial, outcome):
    """Les arguments que l'appel a changés."""
    return [name for name, before, after in zip(reference.arguments, trial.arguments, outcome.arguments)
            if not callable(before) and not close(after, before, 1e-9)]


def _side_effect(reference, done):
    for trial, outcome, expected in done:
        for name in _modified(reference, trial, outcome):
            array = isinstance(trial.arguments[reference.arguments.index(name)], np.ndarray)
            advice = f"Écrivez `{name} = {name} + …` au lieu de `{name} += …`, ou travaillez" if array else "Travaillez"
            return (f"Le résultat est juste, mais votre fonction **modifie son argument** `{name}` : celui qui l'appelle le "
                    f"retrouverait changé. {advice} sur une copie, `{name}.copy()`.")
    return None


def _modified_too(reference, wrong):
    trial, outcome, _ = wrong[0]
    changed = _modified(reference, trial, outcome)
    if not changed:
        return ""
    return f"\n\nDe plus, votre fonction modifie son argument `{changed[0]}` : c'est peut-être la cause. Travaillez sur une copie."


def _not_repeatable(function, done, seconds):
    trial, outcome, _ = done[0]
    if close(run(function, trial.arguments, seconds).value, outcome.value, 1e-12):
        return None
    return ("Appelée deux fois avec les mêmes arguments, votre fonction ne rend pas deux fois le même résultat : garde-t-elle une "
            "variable d'un appel à l'autre ?")


def _hint_globals(reference, function):
    """Une variable du carnet lue à la place d'un argument : la faute la plus sournoise."""
    try:
        found = inspect.getclosurevars(inspect.unwrap(function)).globals
    except (TypeError, ValueError):
        return ""
    names = [name for name, value in found.items() if isinstance(value, np.ndarray)]
    return f"\n\nElle semble lire la variable `{names[0]}` du carnet, qui n'est pas un de ses arguments." if names else ""


# ── Ce qui s'affiche ─────────────────────────────────────────────────────────


def _praise(reference, function, trials, seed, seconds):
    message = f"Vérifiée sur {len(trials)} essais tirés au hasard."
    return f"{message} {slow}" if (slow := _slow(reference, function, seed, seconds)) else message


def _slow(reference, function, seed, seconds):
    """Un conseil quand la fonction est bien plus lente que la référence ; jamais un refus."""
    if not reference.speed:
        return None
    arguments = reference.speed(np.random.default_rng(seed))
    best = min(run(reference, arguments, 60).duration for _ in range(3))
    for _ in range(3):  # il faut être lent trois fois de suite
        outcome = run(function, arguments, seconds)
        if outcome.timed_out:
            break
        if outcome.duration < max(SLOW_SECONDS, SLOW_FACTOR * best):
            return None
    sizes = ", ".join(_describe(name, value) for name, value in zip(reference.arguments, arguments)
                      if isinstance(value, np.ndarray))
    return (f"Mais elle est **lente** : avec {sizes}, elle dure plus de {SLOW_FACTOR} fois le temps d'un calcul sur des tableaux "
            "entiers. Remplacez les boucles par un produit de matrices ou par une opération sur tout le tableau.")


def _inputs(reference, trial):
    """« Essai : `X` (5, 3), `W_h` (4, 3) »."""
    shown = ", ".join(_describe(name, value) for name, value in zip(reference.arguments, trial.arguments) if not callable(value))
    return f"Essai fait avec {shown}."


def _describe(name, value):
    if isinstance(value, np.ndarray):
        return f"`{name}` de forme `{value.shape}`"
    if isinstance(value, list):
        return f"`{name}` ({', '.join(f'`{item.shape}`' for item in flatten(value))})"
    return f"`{name} = {value:.4g}`"


def _french(number):
    return f"{number:g}".replace(".", ",")
