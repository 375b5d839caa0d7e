"""Appeler la fonction d'un élève sans risque pour le carnet : durée bornée, copies, impressions retenues."""

import contextlib
import copy
import ctypes
import io
import random
import signal
import sys
import threading
import time
import warnings
from dataclasses import dataclass, field

import numpy as np


class TimeLimit(BaseException):
    """La durée permise est passée ; ce n'est pas une ``Exception``, pour qu'un ``except Exception`` ne l'arrête pas."""


@dataclass
class Outcome:
    """Ce qu'a fait un appel : sa valeur ou son erreur, ses arguments tels qu'il les laisse, sa durée."""

    arguments: tuple
    value: object = None
    error: BaseException | None = None
    duration: float = 0.0
    printed: bool = field(default=False)

    @property
    def timed_out(self):
        return isinstance(self.error, TimeLimit)


def run(function, arguments: tuple, seconds: float) -> Outcome:
    """Appelle ``function`` sur une copie des arguments, ``seconds`` au plus ; ne lève rien, sauf l'arrêt du noyau."""
    outcome, ink = Outcome(copy.deepcopy(arguments)), _Ink()
    with _untouched_world(ink):
        start = time.perf_counter()
        try:
            with time_limit(seconds):
                outcome.value = function(*outcome.arguments)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            outcome.error = error
        outcome.duration = time.perf_counter() - start
    outcome.printed = ink.used
    return outcome


class _Ink(io.TextIOBase):
    """Une sortie qui ne garde rien : elle note seulement qu'on y a écrit."""

    used = False

    def write(self, text):
        self.used = self.used or bool(text.strip())
        return len(text)


@contextlib.contextmanager
def _untouched_world(ink):
    """Ni impression, ni avertissement, ni tirage global déplacé, ni réglage de NumPy changé."""
    numpy_state, python_state = np.random.get_state(), random.getstate()
    with contextlib.redirect_stdout(ink), contextlib.redirect_stderr(ink), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            np.random.set_state(numpy_state)
            random.setstate(python_state)


# ── La durée ─────────────────────────────────────────────────────────────────


def time_limit(seconds: float):
    """Un bloc interrompu par ``TimeLimit`` : par un signal dans le fil principal, sinon depuis un autre fil."""
    by_signal = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    return _by_signal(seconds) if by_signal else _by_another_thread(seconds)


@contextlib.contextmanager
def _by_signal(seconds):
    boundary, trace, armed = sys._getframe(2), sys.gettrace(), True  # celui qui écrit « with » : ses lignes ne lèvent rien

    def ring(_signal, frame):
        if not armed:
            return
        sys.settrace(lambda *_: None)
        while frame and frame is not boundary:  # un « except: » sans nom n'y échappe pas : la ligne suivante lève encore
            frame.f_trace = _stop
            frame = frame.f_back
        raise TimeLimit

    handler, timer = signal.signal(signal.SIGALRM, ring), signal.setitimer(signal.ITIMER_REAL, seconds, 0.05)
    try:
        try:
            yield
        finally:
            armed = False
    finally:
        sys.settrace(trace)
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, handler)


@contextlib.contextmanager
def _by_another_thread(seconds):
    """Sans signal (Windows, ou hors du fil principal) : un second fil fait lever l'exception dans celui-ci."""
    target, ended = ctypes.c_ulong(threading.get_ident()), threading.Event()

    def watch():
        wait = seconds
        while not ended.wait(wait):
            ctypes.pythonapi.PyThreadState_SetAsyncExc(target, ctypes.py_object(TimeLimit))
            wait = 0.05

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        # Ce que le second fil aurait encore levé est reçu ici. L'effacer laisserait Python 3.11 aux aguets,
        # et le premier traceur venu (débogueur, couverture) tournerait sans fin.
        while True:
            try:
                ended.set()
                watcher.join()
                (lambda: None)()  # une exception en attente est levée au plus tard à cet appel
                break
            except TimeLimit:
                pass


def _stop(_frame, event, _argument):
    if event == "line":
        raise TimeLimit
    return _stop
