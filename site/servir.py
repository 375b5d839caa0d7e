"""Sert le site construit, sur cette machine seulement."""

import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SITE = Path(__file__).resolve().parents[1] / "_build" / "html"


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        """Pas de journal : le lecteur n'a rien à y lire."""


def main(port):
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, directory=SITE))
    except (OSError, OverflowError) as error:
        print(f"Le port {port} n'est pas utilisable ({error}). Essayez « make servir PORT={port + 1} ».", file=sys.stderr)
        return 1
    print(f"Le livre est sur http://127.0.0.1:{port} (Ctrl-C pour arrêter).", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print("\nArrêté.")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 8000))
