"""Sert le site construit, sur cette machine seulement."""

import errno
import sys
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SITE = Path(__file__).resolve().parents[1] / "_build" / "html"
REASONS = {errno.EADDRINUSE: "est déjà pris", errno.EACCES: "est réservé au système"}
ADVICE = "Essayez «\u00a0make servir PORT=0\u00a0», qui choisit un port libre."
ERROR_PAGE = """<!DOCTYPE html>
<html lang="fr">
<head><meta charset="utf-8"><title>Page introuvable</title></head>
<body><h1>Page introuvable</h1><p>Erreur %(code)d. <a href="/">Revenir à l'accueil du livre</a></p></body>
</html>
"""


class Handler(SimpleHTTPRequestHandler):
    error_message_format = ERROR_PAGE

    def list_directory(self, path):
        """Un dossier sans page d'accueil n'est pas une page du livre."""
        self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, *args):
        """Pas de journal : le lecteur n'a rien à y lire."""


def main(port):
    """Sert le site sur `port`, texte reçu de la ligne de commande ; rend le code de sortie."""
    if not (port.isdecimal() and int(port) <= 65535):
        print(f"Le port doit être un entier de 1 à 65535, ou 0\u00a0; reçu\u00a0: «\u00a0{port}\u00a0». {ADVICE}", file=sys.stderr)
        return 1
    try:
        server = ThreadingHTTPServer(("127.0.0.1", int(port)), partial(Handler, directory=SITE))
    except OSError as error:
        print(f"Le port {port} {REASONS.get(error.errno, 'est inutilisable')}. {ADVICE}", file=sys.stderr)
        return 1
    with server:
        try:
            print(f"Le livre est sur http://127.0.0.1:{server.server_port} (Ctrl-C pour arrêter).", flush=True)
            server.serve_forever()
        except KeyboardInterrupt:
            print("\nArrêté.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "8000"))
