"""Le rangement des résultats : rien de ce qui est rangé ne se perd."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import toy

from labcode.experiments import StoreError, load_results, run_experiment
from labcode.experiments.store import Record, Results, Store


def record(seed=0, value=1.0, **config):
    return Record(config or {"a": 1}, seed, {"value": value}, 0.5, "2026-01-01T00:00:00+00:00", {}, "", "abc")


def test_what_is_stored_comes_back(tmp_path):
    store = Store("essai", tmp_path / "dossier" / "neuf")
    assert store.records() == {}
    first, second = record(value=[[1.5, float("inf")], [0.1, -2]]), record(seed=1, a="é", b=None, c=True)
    store.append(first)
    store.append(second)
    assert list(store.records().values()) == [first, second]
    assert all(json.loads(line)["date"] for line in store.path.read_text().splitlines())


def test_the_last_line_of_a_run_counts(tmp_path):
    store = Store("essai", tmp_path)
    store.append(record(value=1.0, a=1, b=2))
    store.append(record(value=2.0, b=2, a=1))  # l'ordre des réglages ne compte pas
    assert [r.metrics["value"] for r in store.records().values()] == [2.0]


@pytest.mark.parametrize("kept", [1, 30, -2, -1])
def test_a_torn_line_loses_only_itself(tmp_path, kept):
    store = Store("essai", tmp_path)
    store.append(record(seed=0))
    whole = store.path.read_bytes()
    store.path.write_bytes(whole + whole.replace(b'"seed": 0', b'"seed": 1')[:kept])
    store.append(record(seed=2))
    # Il peut ne manquer que la fin de ligne : l'essai est alors entier.
    assert {r.seed for r in store.records().values()} == ({0, 1, 2} if kept == -1 else {0, 2})


def test_nothing_is_computed_if_nothing_can_be_stored(tmp_path):
    (tmp_path / "fichier").write_text("")
    calls = []
    experiment = toy.declare()
    object.__setattr__(experiment, "run", lambda config, seed: calls.append(seed))
    for folder, reason in ((tmp_path / "fichier", "un fichier porte le nom"), (Path("/proc/labcode"), "son dossier ne peut être créé|interdite")):
        with pytest.raises(StoreError, match=f"ne peut être .* : .*({reason}).*intact"):
            run_experiment(experiment, folder=folder, progress=False)
    assert not calls


WRITE_UNTIL_FULL = """
import sys
from labcode.experiments import StoreError
from labcode.experiments.store import Record, Store
store = Store("essai", sys.argv[1])
for seed in range(1000):
    try:
        store.append(Record({}, seed, {"values": [0.1] * 300}, 0.5, "", {}, "", ""))
    except StoreError as error:
        print(seed, error)
        break
"""


def check_full(folder, reason, **options):
    """Écrit jusqu'à ce que le disque refuse : un message clair, tout ce qui était rangé est là, et aucune moitié de ligne."""
    done = subprocess.run([sys.executable, "-c", WRITE_UNTIL_FULL, str(folder)], capture_output=True, text=True, check=True, **options)
    seed, _, message = done.stdout.partition(" ")
    assert reason in message and "intact" in message and not done.stderr
    assert len(Store("essai", folder).records()) == int(seed) > 3
    assert Store("essai", folder).path.read_bytes().endswith(b"\n")


def test_file_size_limit(tmp_path):
    resource = pytest.importorskip("resource")
    check_full(tmp_path, "taille permise", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000)))


def test_full_disk(tmp_path):
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)], capture_output=True) if os.geteuid() == 0 else None
    if mounted is None or mounted.returncode:
        pytest.skip("monter un petit disque demande d'être administrateur")
    try:
        check_full(tmp_path, "le disque est plein")
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_interrupted_write_leaves_no_half_line(tmp_path, monkeypatch):
    store = Store("essai", tmp_path)
    store.append(record())
    before = store.path.read_bytes()

    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.append(record(seed=1))
    assert store.path.read_bytes() == before


def test_one_writer_at_a_time(tmp_path):
    """Tant qu'un processus écrit, un autre ne peut prendre le fichier, même à plusieurs ; après, si."""
    fcntl, store = pytest.importorskip("fcntl"), Store("essai", tmp_path)
    with store.locked(), open(store.path) as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
    with open(store.path) as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.fixture
def results():
    grid = [{"lr": 0.1, "depth": 2}, {"lr": 0.1, "depth": 3}, {"lr": 1, "depth": 2, "bias": True}, {"lr": 9.0, "depth": 9}]
    records = {}
    for config in grid[:3]:
        for seed in (3, 0, 11):
            curve = [seed] * (2 + (seed == 3))
            records[str(config), seed] = Record(config, seed, {"error": config["depth"] + seed / 100, "curve": curve}, 1, "", {}, "", f"code{seed}")
    return Results("essai", "complet", grid, records, code="code3")


def test_values_by_seed(results):
    assert results.configs == [{"lr": 0.1, "depth": 2}, {"lr": 0.1, "depth": 3}, {"lr": 1, "depth": 2, "bias": True}]
    assert list(results.seeds(lr=1.0)) == [0, 3, 11]  # 1 et 1.0 sont le même réglage
    np.testing.assert_allclose(results.values("error", lr=0.1, depth=3), [3, 3.03, 3.11])
    np.testing.assert_array_equal(results.values("curve", depth=3), [[0, 0, np.nan], [3, 3, 3], [11, 11, np.nan]])
    assert len(results) == 9 and {r.seed for r in results.stale} == {0, 11}


@pytest.mark.parametrize("metric, config, message", [
    ("error", {"lr": 5}, "aucun essai rangé avec lr=5. lr parmi 0.1, 1"),
    ("error", {"lr": 9.0}, "aucun essai"),
    ("error", {"bias": 1}, "aucun essai"),
    ("error", {"depht": 2}, "aucun essai"),
    ("error", {"lr": 0.1}, "2 configurations.*depth parmi 2, 3"),
    ("erreur", {"lr": 1}, "« erreur » inconnue. Existent : error, curve"),
])
def test_unknown_or_ambiguous(results, metric, config, message):
    with pytest.raises(ValueError, match=message):
        results.values(metric, **config)


def test_no_result_says_what_to_type(tmp_path):
    with pytest.raises(ValueError, match="lancer jouet --complet$"):
        load_results(toy.declare(), folder=tmp_path)
    with pytest.raises(ValueError, match="taille 'grand' inconnue"):
        load_results(toy.declare(), "grand", folder=tmp_path)
