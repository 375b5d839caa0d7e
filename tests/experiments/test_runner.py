"""L'exécution : mêmes mesures quel que soit le nombre d'essais de front, reprise après une interruption ou une mort brutale."""

import json
import os
import random
import signal
import time

import numpy as np
import pytest
import toy

from labcode.experiments import RunError, experiment_state, run_experiment
from labcode.experiments.runner import duration_text
from labcode.experiments.store import Store


def measures(folder):
    """Les mesures rangées, par essai, en texte : deux NaN y sont égaux."""
    return {key: json.dumps(record.metrics) for key, record in Store("jouet", folder).records().items()}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """Les mesures d'une exécution d'un trait."""
    folder = tmp_path_factory.mktemp("reference")
    run_experiment(toy.declare(pause=0.02), "complet", folder=folder, progress=False)
    return measures(folder)


def test_a_whole_grid(tmp_path):
    results = run_experiment(toy.declare(), folder=tmp_path, progress=False)
    assert len(results) == 12 and results.configs == toy.declare().grids["rapide"] and not results.stale
    expected = [toy.run(dict(scale=2.0, steps=3, pause=0), seed)["total"] for seed in range(4)]
    np.testing.assert_allclose(results.values("total", scale=2.0), expected, rtol=1e-5)
    assert results.values("curve", scale=2.0).shape == (4, 3)
    record = results.records[0]
    assert record.duration >= 0 and record.versions["numpy"] == np.__version__ and "processeurs" in record.machine


def test_only_what_is_missing_is_run(tmp_path, monkeypatch):
    calls = []

    def counted(config, seed):
        calls.append((config["steps"], seed))
        return {"value": 1}

    experiment = toy.declare()
    object.__setattr__(experiment, "run", counted)
    run_experiment(experiment, folder=tmp_path, progress=False)
    assert len(calls) == 12
    run_experiment(experiment, folder=tmp_path, progress=False)
    assert len(calls) == 12
    run_experiment(experiment, "complet", folder=tmp_path, progress=False)  # 6 configurations × 5 graines, dont 12 essais faits
    assert len(calls) == 30 and len(set(calls)) == 10
    run_experiment(experiment, seeds=[2, 7], folder=tmp_path, progress=False)
    assert len(calls) == 33 and calls[-1] == (3, 7)


def test_two_at_a_time_give_the_same_bits(tmp_path, reference):
    run_experiment(toy.declare(pause=0.02), "complet", n_jobs=2, folder=tmp_path, progress=False)
    assert measures(tmp_path) == reference


def test_failures_do_not_stop_the_others(tmp_path):
    with pytest.raises(RunError, match=r"(?s)échoué : 4. Le premier, avec scale=-1.0.* la graine 0\s.*échelle négative"):
        run_experiment(toy.declare(scales=(1.0, -1.0, 2.0)), folder=tmp_path, progress=False)
    assert len(measures(tmp_path)) == 8


@pytest.mark.parametrize("metrics, message", [(3.0, "dictionnaire de mesures, reçu float"), ({"a": {1, 2}}, "mesure de type set")])
def test_bad_measures(tmp_path, metrics, message):
    experiment = toy.declare()
    object.__setattr__(experiment, "run", lambda config, seed: metrics)
    with pytest.raises(RunError, match=message):
        run_experiment(experiment, folder=tmp_path, progress=False)


@pytest.mark.parametrize("n_jobs", [0, -1, 1.5, True])
def test_bad_n_jobs(tmp_path, n_jobs):
    with pytest.raises(ValueError, match="n_jobs"):
        run_experiment(toy.declare(), n_jobs=n_jobs, folder=tmp_path)


def test_ctrl_c_swallowed_by_a_run_stores_nothing_of_it(tmp_path):
    """``fit`` rend l'historique acquis quand on l'interrompt : cet essai écourté n'est pas un résultat."""
    def swallowing(config, seed):
        try:
            if seed == 1:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(5)
        except KeyboardInterrupt:
            pass
        return {"value": seed}

    experiment = toy.declare()
    object.__setattr__(experiment, "run", swallowing)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run_experiment(experiment, folder=tmp_path, progress=False)
    assert len(measures(tmp_path)) == 3 and signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("arguments", [(), ("--paralleles", "2")])
def test_ctrl_c_then_resume(tmp_path, reference, start_toy, arguments):
    process = start_toy(tmp_path, *arguments)
    while not measures(tmp_path):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)  # comme au terminal : tout le groupe le reçoit
    process.communicate(timeout=60)
    assert process.returncode in (1, -signal.SIGINT, 130)
    kept = measures(tmp_path)
    assert kept.items() <= reference.items()
    assert start_toy(tmp_path).wait(timeout=60) == 0 and measures(tmp_path) == reference


def test_killed_twenty_times(tmp_path, reference, start_toy):
    """Tué vingt fois au hasard, de plus en plus loin, puis mené à son terme : rien n'est perdu, rien n'est changé."""
    chance, found = random.Random(0), 0
    for kill in range(20):
        process = start_toy(tmp_path, *(("--paralleles", "2") if kill % 5 == 4 else ()))
        process.stdout.readline()
        time.sleep(chance.uniform(0, 0.12))
        process.kill()
        process.wait()
        kept = measures(tmp_path)
        assert len(kept) >= found and kept.items() <= reference.items()
        found = len(kept)
    assert start_toy(tmp_path).wait(timeout=60) == 0
    assert measures(tmp_path) == reference


def test_two_processes_on_the_same_store(tmp_path, reference, start_toy):
    both = [start_toy(tmp_path, *arguments) for arguments in ((), ("--paralleles", "2"))]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    assert all(json.loads(line) for line in Store("jouet", tmp_path).path.read_text().splitlines())
    assert measures(tmp_path) == reference


def test_state(tmp_path, monkeypatch):
    experiment = toy.declare()
    state = experiment_state(experiment, "complet", folder=tmp_path)
    assert len(state.missing) == 30 and not state.done and state.cost(state.missing) is None
    run_experiment(experiment, folder=tmp_path, progress=False)
    store = Store("jouet", tmp_path)
    lines = [json.loads(line) for line in store.path.read_text().splitlines()]
    for line in lines:
        line["duration"] = {1.0: 10, 2.0: 20, 0.5: 60}[line["config"]["scale"]]
        line["code"] = "autre" if line["seed"] == 0 else line["code"]
    store.path.write_text("\n".join(map(json.dumps, lines)))
    state = experiment_state(experiment, "complet", folder=tmp_path)
    assert (len(state.done), len(state.stale), len(state.missing)) == (9, 3, 18)
    # Manquent la graine 4 des configurations connues (10 + 20 + 60 s) et cinq graines de trois inconnues (30 s en moyenne).
    assert state.cost(state.missing) == pytest.approx(90 + 15 * 30)
    assert run_experiment(experiment, folder=tmp_path, progress=False).stale
    assert not run_experiment(experiment, folder=tmp_path, progress=False, redo=True).stale


def test_a_run_that_changes_its_configuration(tmp_path):
    """L'essai a sa copie : ce qui est rangé, et la grille, gardent la configuration entière."""
    experiment = toy.declare()
    object.__setattr__(experiment, "run", lambda config, seed: {"value": config.pop("scale")})
    results = run_experiment(experiment, folder=tmp_path, progress=False)
    assert results.configs == toy.declare().grids["rapide"] and list(results.values("value", scale=2.0)) == [2.0] * 4


def test_a_seed_of_every_configuration_before_the_next(tmp_path):
    """Interrompue, une grille a ainsi autant de graines, ou presque, de chaque configuration."""
    missing = experiment_state(toy.declare(), "rapide", folder=tmp_path).missing
    assert [seed for _, seed in missing] == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_cost_ignores_what_is_not_in_the_grid(tmp_path):
    """Trois essais rapides de 1 s, trois complets de 101 s : les neuf rapides qui manquent prendront 9 s."""
    run_experiment(toy.declare(seeds=1), "complet", seeds=1, folder=tmp_path, progress=False)
    path = Store("jouet", tmp_path).path
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        line["duration"] = {3: 1, 5: 101}[line["config"]["steps"]]
    path.write_text("\n".join(map(json.dumps, lines)))
    state = experiment_state(toy.declare(scales=(1.0, 2.0, 0.5, 4.0)), "rapide", folder=tmp_path)
    assert len(state.missing) == 13 and state.cost(state.missing) == pytest.approx(13)


def test_progress_tells_the_remaining_time(tmp_path, capsys):
    run_experiment(toy.declare(pause=0.05), folder=tmp_path)
    shown = capsys.readouterr().err
    assert "jouet" in shown and "12/12" in shown and "reste environ" in shown
    run_experiment(toy.declare(pause=0.05), folder=tmp_path)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("seconds, text", [(0.2, "moins de 1 s"), (12.4, "12 s"), (59, "59 s"), (200, "3 min"), (3599, "1 h 00 min"), (7500, "2 h 05 min")])
def test_duration_text(seconds, text):
    assert duration_text(seconds) == text
