"""Télécharger un fichier avec pooch, sans jamais attendre longtemps un serveur qui ne répond pas."""

import errno
import threading
import time

CHUNK = 1 << 18
PATIENCE = 10  # secondes sans recevoir un octet avant d'abandonner une adresse


class DownloadError(Exception):
    """Une adresse n'a pas donné le fichier ; le message dit pourquoi."""


def download(url, path):
    """Télécharge ``url`` dans le fichier ``path`` ; DownloadError au bout de PATIENCE secondes sans rien recevoir.

    Le travail se fait dans un fil à part : la résolution d'un nom et l'essai de toutes les adresses d'un serveur
    n'ont pas de délai maximal d'ensemble.
    """
    try:
        import pooch
    except ImportError:
        raise DownloadError("le paquet pooch n'est pas installé") from None
    watch, failures, responses = _Watch(), [], []

    def work():
        try:
            pooch.HTTPDownloader(progressbar=watch, chunk_size=CHUNK, timeout=PATIENCE,
                                 hooks={"response": lambda response, **_: responses.append(response)})(url, str(path), None)
        except Exception as error:
            failures.append(error)
        for response in responses:  # pooch laisse la connexion ouverte après un échec
            response.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(0.1)
            if time.monotonic() - watch.last > PATIENCE:
                raise DownloadError(f"pas de réponse en {PATIENCE} secondes")
    finally:
        watch.stopped = True
    if failures:
        raise DownloadError(_reason(failures[0])) from failures[0]


class _Watch:
    """Le compteur que pooch met à jour à chaque bloc : il date le dernier, et interrompt sur demande."""

    total, stopped = 0, False

    def __init__(self):
        self.last = time.monotonic()

    def update(self, _):
        if self.stopped:
            raise InterruptedError
        self.last = time.monotonic()

    def reset(self):
        pass

    def close(self):
        pass


def _reason(error):
    """En français, pourquoi un téléchargement a échoué."""
    import requests
    if isinstance(error, requests.HTTPError):
        return f"le serveur répond {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return f"pas de réponse en {PATIENCE} secondes"
    if isinstance(error, requests.ConnectionError):
        return "connexion impossible ou coupée"
    if isinstance(error, requests.RequestException):
        return "téléchargement interrompu"
    if getattr(error, "errno", None) == errno.ENOSPC:
        return "plus de place sur le disque"
    return f"téléchargement impossible ({type(error).__name__})"
