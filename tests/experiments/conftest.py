"""Ce que partagent les essais du moteur d'expériences."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

TOY = Path(__file__).with_name("toy.py")


@pytest.fixture
def start_toy():
    """Lance l'expérience jouet dans un autre processus ; ceux qui vivent encore à la fin du test sont arrêtés."""
    started = []

    def start(folder, *arguments):
        process = subprocess.Popen([sys.executable, str(TOY), str(folder), *arguments], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"}, start_new_session=True)
        started.append(process)
        return process

    yield start
    for process in started:
        with suppress(ProcessLookupError):  # tout le groupe : les ouvriers d'un processus tué lui survivent, et tiennent sa sortie
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
