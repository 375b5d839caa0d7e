"""Les mêmes essais sur un vrai cluster Dask : un ordonnanceur et des processus de calcul, sur 127.0.0.1."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import toy

from labcode.experiments import RunError, run_experiment
from labcode.experiments.store import Store

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("default")  # les bibliothèques du cluster ont les leurs


@pytest.fixture
def cluster(tmp_path):
    """Adresse d'un ordonnanceur et de deux processus de calcul, à deux fils et un fil."""
    environment = os.environ | {"PYTHONPATH": str(Path(toy.__file__).parent), "DASK_DISTRIBUTED__WORKER__DAEMON": "false"}
    file = tmp_path / "ordonnanceur.json"
    commands = [["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", file],
                *(["worker", "--host", "127.0.0.1", "--nthreads", n, "--no-nanny", "--no-dashboard", "--local-directory", tmp_path,
                   "--scheduler-file", file] for n in (2, 1))]
    processes = [subprocess.Popen([sys.executable, "-m", f"distributed.cli.dask_{name}", *map(str, options)], env=environment,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for name, *options in commands]
    try:
        with distributed.Client(scheduler_file=str(file), timeout=60, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
            address = client.scheduler.address
        yield address, processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_same_bits_as_here(cluster, tmp_path):
    run_experiment(toy.declare(), folder=tmp_path / "ici", progress=False)
    results = run_experiment(toy.declare(), dask=cluster[0], folder=tmp_path / "là", progress=False)
    assert len(results) == 12 and not results.stale
    here, there = ({key: json.dumps(record.metrics) for key, record in Store("jouet", tmp_path / name).records().items()} for name in ("ici", "là"))
    assert here == there


def test_failure_and_lost_worker(cluster, tmp_path):
    with pytest.raises(RunError, match="(?s)échoué : 4.*échelle négative"):
        run_experiment(toy.declare(scales=(1.0, -1.0)), dask=cluster[0], folder=tmp_path, progress=False)
    cluster[1][1].kill()  # il en reste un : tout se fait quand même
    assert len(run_experiment(toy.declare(), "complet", dask=cluster[0], folder=tmp_path, progress=False)) == 30


def test_nobody_answers(tmp_path):
    with pytest.raises(RunError, match="« tcp://127.0.0.1:9 » ne répond pas"):
        run_experiment(toy.declare(), dask="tcp://127.0.0.1:9", folder=tmp_path, progress=False)
