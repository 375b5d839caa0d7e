"""Exécuter une expérience : les essais qui manquent, de front s'il le faut, rangés un à un."""

import datetime
import json
import os
import platform
import signal
import threading
import time
import traceback
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version

import joblib
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from labcode.experiments.experiment import Experiment, checked_seeds, find
from labcode.experiments.fingerprint import fingerprint
from labcode.experiments.store import Record, Results, Store, key, plain, shown


class RunError(RuntimeError):
    """Des essais ont échoué, ou n'ont pu être lancés ; les autres sont rangés."""


def load_results(experiment, size="complet", folder=None):
    """Résultats rangés d'une expérience, ou de celle de ce nom. Lève ValueError s'il n'y en a pas, et dit comment les obtenir."""
    experiment = experiment if isinstance(experiment, Experiment) else find(experiment)
    experiment.check_size(size)
    results = Results(experiment.name, size, experiment.grids[size], Store(experiment.name, folder).records(), fingerprint(experiment.run))
    if not len(results):
        option = " --complet" if size == "complet" else ""
        raise ValueError(f"Aucun résultat « {size} » de l'expérience {experiment.name} n'est rangé. Pour les calculer : "
                         f"python -m labcode.experiments lancer {experiment.name}{option}")
    return results


def run_experiment(experiment, size="rapide", seeds=None, n_jobs=1, dask=None, progress=True, folder=None, redo=False):
    """Fait les essais qui manquent à la grille ``size``, les range un à un, et renvoie tous ceux de la grille (Results).

    ``seeds`` : un nombre de graines, ou leur liste ; par défaut, ce que déclare l'expérience. ``n_jobs`` essais vont de front
    sur cette machine, ou bien ``dask`` est l'adresse du cluster qui les fait. Chacun n'a qu'un fil de calcul : sur une
    même machine, les mesures sont les mêmes au bit près, quel que soit le nombre d'essais de front. ``redo`` refait aussi
    les essais périmés. Ctrl-C lève KeyboardInterrupt : le même appel reprend, sans les essais déjà rangés.

    Lève ValueError ou TypeError si un argument ne convient pas, StoreError si l'on ne peut ranger, RunError si le cluster
    ne répond pas ou, une fois les autres faits, si des essais ont échoué.
    """
    if type(n_jobs) is not int or n_jobs < 1:
        raise ValueError(f"run_experiment : n_jobs doit être un entier positif, reçu {n_jobs!r}")
    state, store = experiment_state(experiment, size, seeds, folder), Store(experiment.name, folder)
    store.check()
    pending = {key(*task): task for task in state.missing + (state.stale if redo else [])}
    failures, start, worked = [], time.perf_counter(), 0
    with tqdm(total=len(pending), disable=not progress or not pending, desc=experiment.name,
              bar_format="{desc} |{bar:30}| {n}/{total}{postfix}") as bar:
        for outcome in outcomes(experiment.run, list(pending.values()), n_jobs, dask):
            del pending[key(outcome.config, outcome.seed)]
            if isinstance(outcome, Failure):
                failures.append(outcome)
            else:
                store.append(outcome)
                state.note(outcome)
                worked += outcome.duration
                slowness = (time.perf_counter() - start) / worked if worked else 0  # l'inverse du nombre moyen d'essais de front
                bar.set_postfix_str(f"reste environ {duration_text(slowness * state.cost(pending.values()))}" if pending else "", refresh=False)
            bar.update()
    if failures:
        raise RunError(f"Essais de {experiment.name} qui ont échoué : {len(failures)}. Le premier, avec {shown(failures[0].config)} "
                       f"et la graine {failures[0].seed} :\n{failures[0].reason}")
    return load_results(experiment, size, folder)


@dataclass(frozen=True)
class Failure:
    """Un essai qui a échoué, et pourquoi."""

    config: dict
    seed: int
    reason: str


def attempt(run, config, seed, ignore_interrupt=False):
    """Fait un essai sur un seul fil de calcul ; renvoie Record, ou Failure si la fonction ou ses mesures ne conviennent pas."""
    threadpool_limits(1)
    if ignore_interrupt:  # Ctrl-C atteint tous les processus du terminal : c'est au premier d'arrêter les autres
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    code = fingerprint(run)  # avant l'essai : le source peut changer pendant
    start = time.perf_counter()
    try:
        metrics = run(dict(config), seed)
        duration = time.perf_counter() - start
        if not isinstance(metrics, dict):
            raise TypeError(f"run doit renvoyer un dictionnaire de mesures, reçu {type(metrics).__name__}")
        metrics = json.loads(json.dumps(metrics, default=plain))
    except Exception:
        return Failure(config, seed, traceback.format_exc())
    return Record(config, seed, metrics, round(duration, 3), datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
                  {"python": platform.python_version(), "numpy": version("numpy"), "labcode": version("labcode")},
                  f"{platform.system()} {platform.machine()}, processeurs : {os.cpu_count()}", code)


def outcomes(run, tasks, n_jobs, dask):
    """Fait les essais, et donne chacun dès qu'il est fini."""
    if dask:
        yield from cluster_outcomes(run, tasks, dask)
    elif n_jobs == 1:
        with threadpool_limits(1), noted_interrupts() as interrupts:
            for task in tasks:
                outcome = attempt(run, *task)
                if interrupts:
                    raise KeyboardInterrupt
                yield outcome
    else:
        try:
            with joblib.parallel_config("loky", inner_max_num_threads=1):
                yield from joblib.Parallel(n_jobs, return_as="generator_unordered", pre_dispatch=n_jobs, batch_size=1)(
                    joblib.delayed(attempt)(run, *task, ignore_interrupt=True) for task in tasks)
        except BrokenProcessPool as error:
            raise RunError("Un des processus de calcul a été tué, peut-être faute de mémoire. Les essais finis sont rangés : "
                           "relancer, avec moins d'essais de front.") from error


@contextmanager
def noted_interrupts():
    """Retient les Ctrl-C, qui se lèvent comme d'habitude : ``fit`` les rattrape, et l'on rangerait un essai écourté."""
    noted = []

    def note(signum, frame):
        noted.append(signum)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # Ctrl-C n'atteint que le fil principal
        yield noted
        return
    previous = signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, previous)


def cluster_outcomes(run, tasks, address):
    """Comme ``outcomes``, sur le cluster Dask dont l'ordonnanceur est à cette adresse."""
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise RunError("Un cluster demande le paquet distributed : pip install distributed") from None
    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise RunError(f"L'ordonnanceur Dask « {address} » ne répond pas : {error}") from error
    with client:
        futures = {client.submit(attempt, run, *task, pure=False): task for task in tasks}
        try:
            for future in as_completed(futures):
                error = future.exception()
                yield Failure(*futures[future], repr(error)) if error else future.result()
        finally:
            client.cancel(list(futures))


class State:
    """Où en est une grille : essais faits (``done``), faits par un autre code (``stale``), et qui manquent (``missing``).

    Ce sont des listes de couples (configuration, graine).
    """

    def __init__(self, experiment, size, seeds, records):
        self.done, self.stale, self.missing, self.durations = [], [], [], {}
        code = fingerprint(experiment.run)
        for seed in seeds:  # une graine de toutes les configurations avant la suivante
            for config in experiment.grids[size]:
                record = records.get(key(config, seed))
                (self.missing if record is None else self.done if record.code == code else self.stale).append((config, seed))
        for record in records.values():
            if record.config in experiment.grids[size]:
                self.note(record)

    def note(self, record):
        """Retient la durée d'un essai."""
        self.durations.setdefault(key(record.config, 0), []).append(record.duration)

    def cost(self, tasks):
        """Secondes que prendront ces essais l'un après l'autre, d'après les durées connues ; None si l'on ne sait rien."""
        means = {config: sum(durations) / len(durations) for config, durations in self.durations.items()}
        if not means:
            return None
        typical = sum(means.values()) / len(means)
        return sum(means.get(key(config, 0), typical) for config, _ in tasks)


def experiment_state(experiment, size, seeds=None, folder=None):
    """État de la grille ``size`` d'une expérience. Lève ValueError ou TypeError si un argument ne convient pas."""
    experiment.check_size(size)
    seeds = checked_seeds(experiment.seeds[size] if seeds is None else seeds)
    return State(experiment, size, seeds, Store(experiment.name, folder).records())


def duration_text(seconds):
    """Une durée en clair : « 12 s », « 3 min », « 2 h 05 min »."""
    minutes = round(seconds / 60)
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 1 else "moins de 1 s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
