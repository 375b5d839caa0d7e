"""Aucun test de ce dossier ne touche au vrai réseau : les autres machines sont injoignables, un serveur local les remplace."""

import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from labcode.datasets import files


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Comme une machine débranchée : aucun nom ne se résout, hors de la machine elle-même."""
    resolve = socket.getaddrinfo

    def refuse(host, *arguments, **options):
        if host in ("127.0.0.1", "localhost", "::1"):
            return resolve(host, *arguments, **options)
        raise socket.gaierror(socket.EAI_NONAME, "réseau interdit dans les tests")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Un data/, un LABCODE_DATA et un cache, tous vides et à nous."""
    class Folders:
        data, extra, cache = tmp_path / "data", tmp_path / "perso", tmp_path / "cache"
    for folder in (Folders.data, Folders.extra):
        folder.mkdir()
    monkeypatch.setattr(files, "repository_folders", lambda: [Folders.data])
    monkeypatch.setattr(files, "cache_folder", lambda: Folders.cache)
    monkeypatch.setenv("LABCODE_DATA", str(Folders.extra))
    return Folders


@pytest.fixture
def server():
    """Un serveur local : ``server.pages[chemin]`` est un contenu, un code d'erreur, ou « coupé » ou « muet » avec un contenu."""
    with running_server() as running:
        yield running


@contextmanager
def running_server():
    release = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.append(self.path)
            page = self.server.pages.get(self.path, 404)
            if page == "muet":
                release.wait(20)
            elif isinstance(page, int):
                self.send_error(page)
            else:
                cut, content = page if isinstance(page, tuple) else ("", page)
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[:len(content) // 2] if cut else content)

        def log_message(self, *_):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.pages, running.asked = {}, []
    running.url = f"http://127.0.0.1:{running.server_address[1]}/"
    thread = threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield running
    finally:
        release.set()
        running.shutdown()
        running.server_close()
