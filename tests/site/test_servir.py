"""« make servir » parle français : pages introuvables et ports impossibles compris."""

import importlib.util
import signal
import socket
import subprocess
import sys
import threading
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "site" / "servir.py"
SPEC = importlib.util.spec_from_file_location("servir", SCRIPT)
servir = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(servir)


@pytest.fixture
def served(tmp_path):
    """Adresse d'un petit site : un accueil et un dossier sans accueil."""
    (tmp_path / "index.html").write_text("accueil", encoding="utf-8")
    (tmp_path / "dossier").mkdir()
    (tmp_path / "dossier" / "secret.txt").write_text("x", encoding="utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(servir.Handler, directory=tmp_path)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_l_accueil_est_servi(served):
    with urlopen(served) as answer:
        assert answer.read() == b"accueil"


@pytest.mark.parametrize("path", ["absente.html", "dossier/"])
def test_page_introuvable(served, path):
    """Ni message anglais ni liste de fichiers."""
    with pytest.raises(HTTPError) as caught:
        urlopen(served + path)
    with caught.value as answer:
        text = answer.read().decode("utf-8")
    assert answer.code == 404 and '<html lang="fr">' in text and "Page introuvable" in text
    assert "Error" not in text and "secret" not in text


@pytest.mark.parametrize("port", ["abc", "-1", "65536", "99999", "1.5", ""])
def test_port_impossible(capsys, port):
    assert servir.main(port) == 1
    error = capsys.readouterr().err
    assert "de 1 à 65535" in error and f"«\u00a0{port}\u00a0»" in error


def test_port_deja_pris(capsys):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        assert servir.main(str(busy.getsockname()[1])) == 1
    error = capsys.readouterr().err
    assert "est déjà pris" in error and "Errno" not in error


def test_port_reserve(capsys, monkeypatch):
    def refuse(*args):
        raise PermissionError(servir.errno.EACCES, "Permission denied")

    monkeypatch.setattr(servir, "ThreadingHTTPServer", refuse)
    assert servir.main("80") == 1
    assert "est réservé au système" in capsys.readouterr().err


def test_le_port_zero_en_choisit_un_et_le_dit():
    with subprocess.Popen([sys.executable, SCRIPT, "0"], stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    assert int(line.split("http://127.0.0.1:")[1].split()[0]) > 0
