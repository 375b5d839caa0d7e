"""Ce que partagent les essais du moteur d'expériences."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOY = Path(__file__).with_name("toy.py")


@pytest.fixture
def start_toy():
    """Lance l'expérience jouet dans un autre processus ; ceux qui vivent encore à la fin du test sont arrêtés."""
    started = []

    def start(folder, *arguments, **options):
        process = subprocess.Popen([sys.executable, str(TOY), str(folder), *arguments], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"}, **options)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
