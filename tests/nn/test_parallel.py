"""Le partage d'un lot entre plusieurs fils : tout est fait une fois, dans l'ordre, et rien ne reste déréglé."""

import os
import threading

import numpy as np
import pytest

from labcode.nn import parallel
from labcode.nn.parallel import one_blas_thread, openblas, share

BIG = parallel.WORTH_SHARING


@pytest.fixture(params=[1, 2, 3])
def threads(request, monkeypatch):
    """Un OpenBLAS de remplacement, réglé sur ce nombre de fils."""
    state = [request.param]
    monkeypatch.setattr(parallel, "openblas", lambda: (lambda: state[0], lambda n: state.__setitem__(0, n)))
    return state


@pytest.mark.parametrize("n", [1, 2, 5, 64])
def test_chaque_exemple_une_fois_et_dans_l_ordre(threads, n):
    total = threads[0]
    results = share(lambda part: list(range(n))[part], n, work=BIG)
    assert [i for part in results for i in part] == list(range(n))
    assert len(results) == min(n, total)
    sizes = [len(part) for part in results]
    assert max(sizes) - min(sizes) <= 1


def test_un_seul_fil_par_produit_pendant_le_partage_puis_comme_avant(threads):
    total = threads[0]
    assert share(lambda part: threads[0], 8, work=BIG) == [1] * total
    assert threads == [total]
    with one_blas_thread() as available:
        assert available == total and threads == [1]
        assert len(share(lambda part: 0, 8, work=BIG)) == total  # un bloc dans un bloc garde le partage
        assert threads == [1]
    assert threads == [total]


def test_petit_travail_reste_dans_le_fil_appelant(threads):
    assert share(lambda part: (part, threading.current_thread()), 9, work=BIG - 1) == [
        (slice(0, 9), threading.current_thread())]


def test_une_erreur_dans_une_part_remonte_et_le_reglage_est_rendu(threads):
    total = threads[0]
    for wrong in range(min(total, 3)):
        def part(images, wrong=wrong):
            if images.start == 9 * wrong // total:
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            share(part, 9, work=BIG)
        assert threads == [total]


def test_errstate_vaut_dans_toutes_les_parts(threads):
    with np.errstate(divide="raise"):
        with pytest.raises(FloatingPointError):
            share(lambda part: 1 / np.zeros(2) if part.stop == 8 else 0, 8, work=BIG)
    with np.errstate(divide="ignore"):
        assert np.isinf(share(lambda part: 1 / np.zeros(2), 8, work=BIG)).all()


def test_deux_appelants_a_la_fois(threads):
    """Le premier bloc entré règle, le dernier sorti rétablit, quel que soit l'ordre des sorties."""
    total, first, second = threads[0], one_blas_thread(), one_blas_thread()
    assert first.__enter__() == total and second.__enter__() == total
    first.__exit__()
    assert threads == [1]
    second.__exit__()
    assert threads == [total]


def test_openblas_est_trouve_et_obeit():
    get, set_ = openblas()
    before = get()
    with one_blas_thread() as available:
        assert available == before and get() == 1
    assert get() == before
    if "openblas" in np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"] and before > 1:
        set_(1)
        assert get() == 1
        set_(before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="pas de fork sur ce système")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_un_processus_ne_par_fork_a_ses_propres_fils(monkeypatch):
    monkeypatch.setattr(parallel, "openblas", lambda: (lambda: 2, lambda n: None))
    assert share(lambda part: part.start, 8, work=BIG) == [0, 4]
    child = os.fork()
    if child == 0:
        os._exit(0 if share(lambda part: part.start, 8, work=BIG) == [0, 4] else 1)
    assert os.waitpid(child, 0)[1] == 0
