"""La courbe d'apprentissage tracée en cours de route, dans un carnet."""

import base64
import io
import sys
from time import monotonic

from labcode.training.callbacks import Callback

TEXT = "Courbes d'apprentissage : la perte et l'erreur à chaque époque"


class LiveCurve(Callback):
    """Trace la perte et l'erreur pendant l'apprentissage, dans la sortie de la cellule ; ailleurs que dans un carnet, ne
    fait rien.

    La figure est redessinée au plus toutes les ``every`` secondes (0,5 au moins), et ne prend jamais plus d'un dixième
    du temps. À la fin il ne reste qu'elle, à jour.
    """

    def __init__(self, every=0.5):
        if isinstance(every, bool) or not isinstance(every, (int, float)) or not every >= 0.5:
            raise ValueError(f"every : {every!r} reçu, un nombre de secondes au moins égal à 0,5 attendu.")
        self.every = every

    def on_start(self, model):
        """Cherche un carnet où dessiner."""
        self._shell = _notebook_shell()
        if self._shell is not None:
            import labcode.figures  # Matplotlib est long à charger : pas aux frais du premier dessin
        self._handle, self._next, self._drawn = None, 0.0, 0

    def __call__(self, epoch, history):
        if self._shell is not None and monotonic() >= self._next:
            self._draw(history)

    def on_end(self, history):
        """Laisse la figure de toutes les époques."""
        if self._shell is not None and len(history) > self._drawn:
            self._draw(history)

    def _draw(self, history):
        start = monotonic()
        bundle = {"text/plain": TEXT, "image/png": base64.b64encode(picture(history)).decode()}
        if self._handle is None:
            from IPython.display import display
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)
        self._drawn = len(history)
        self._next = max(start + self.every, monotonic() + 9 * (monotonic() - start))


def picture(history):
    """Les courbes de l'historique, en octets PNG ; la figure n'appartient pas à pyplot, qui la montrerait une seconde fois."""
    from matplotlib.figure import Figure

    from labcode.figures import plot_history  # ici : l'apprentissage se passe de Matplotlib

    with_error = not (history.train_error != history.train_error).all()
    figure = Figure(figsize=(7.2 if with_error else 6.4, 3.4), layout="constrained")
    plot_history(history, figure.subplots(1, 1 + with_error))
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def _notebook_shell():
    """L'interpréteur d'un carnet, ou None dans un terminal ou un script."""
    ipython = sys.modules.get("IPython")  # un noyau l'a déjà importé
    shell = ipython.get_ipython() if ipython else None
    return shell if hasattr(shell, "kernel") else None
