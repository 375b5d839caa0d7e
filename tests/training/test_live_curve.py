"""La courbe tracée en cours de route : dans un noyau factice pour le rythme, dans un vrai pour le résultat."""

import base64
import io
import sys
from types import SimpleNamespace

import matplotlib.image
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from labcode.training import History, LiveCurve, live_curve


class Notebook:
    """Un faux noyau et une fausse horloge : note ce qui est montré, et à quelle heure."""

    def __init__(self, monkeypatch, drawing_time):
        self.now, self.shown, self.updates = 100.0, [], []
        monkeypatch.setattr(live_curve, "monotonic", lambda: self.now)
        monkeypatch.setattr(live_curve, "_notebook_shell", lambda: object())
        monkeypatch.setattr("IPython.display.display", self.display)
        monkeypatch.setattr(live_curve, "picture", lambda history: self.draw(history, drawing_time))

    def draw(self, history, drawing_time):
        self.now += drawing_time
        return str(len(history)).encode()

    def display(self, bundle, raw, display_id):
        assert raw and display_id
        self.shown.append(self.read(bundle))
        return SimpleNamespace(update=lambda bundle, raw: self.updates.append(self.read(bundle)))

    def read(self, bundle):
        return self.now, int(base64.b64decode(bundle["image/png"]))


def epochs(notebook, n, duration):
    curve, history = LiveCurve(), History()
    curve.on_start(None)
    for epoch in range(1, n + 1):
        notebook.now += duration
        history.append(train_loss=1 / epoch)
        assert not curve(epoch, history)
    curve.on_end(history)


def test_au_plus_deux_fois_par_seconde_et_la_derniere_epoque_toujours(monkeypatch):
    notebook = Notebook(monkeypatch, drawing_time=0.0)
    epochs(notebook, 100, 0.0625)
    times = [time for time, _ in notebook.shown + notebook.updates]
    assert len(notebook.shown) == 1                         # une seule sortie, mise à jour
    assert np.diff(times[:-1]).min() >= 0.5 and len(times) >= 12
    assert notebook.updates[-1][1] == 100


def test_pas_plus_d_un_dixieme_du_temps(monkeypatch):
    notebook = Notebook(monkeypatch, drawing_time=0.25)
    epochs(notebook, 400, 0.0625)
    drawings = len(notebook.shown + notebook.updates) - 1   # le dernier dessin est dû
    assert 0.05 < drawings * 0.25 / (notebook.now - 100) <= 0.11


def test_rien_n_est_redessine_si_tout_est_a_jour(monkeypatch):
    notebook = Notebook(monkeypatch, drawing_time=0.0)
    epochs(notebook, 4, 1.0)
    assert [size for _, size in notebook.shown + notebook.updates] == [1, 2, 3, 4]
    epochs(notebook, 0, 1.0)
    assert len(notebook.shown) == 1                         # sans époque, rien à montrer


def test_hors_d_un_carnet_rien(monkeypatch, capsys):
    monkeypatch.setattr(live_curve, "picture", lambda history: pytest.fail("dessiné hors d'un carnet"))
    for ipython in (None, SimpleNamespace(get_ipython=lambda: None), SimpleNamespace(get_ipython=lambda: object())):   # script, IPython importé, terminal
        monkeypatch.setitem(sys.modules, "IPython", ipython)
        curve, history = LiveCurve(), History()
        curve.on_start(None)
        history.append(train_loss=1.0)
        assert not curve(1, history)
        curve.on_end(history)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("every", [0.1, -1, float("nan"), "1", True])
def test_arguments(every):
    with pytest.raises(ValueError, match="every.*0,5"):
        LiveCurve(every)


def test_la_figure_dit_la_perte_et_l_erreur():
    history = History()
    for epoch in range(5):
        history.append(train_loss=1 / (1 + epoch), val_loss=1.5)
    loss_only = matplotlib.image.imread(io.BytesIO(live_curve.picture(history)))
    for name in ("train_error", "val_error"):
        setattr(history, name, np.linspace(0.5, 0.1, 5))
    both = matplotlib.image.imread(io.BytesIO(live_curve.picture(history)))
    assert both.shape[1] > loss_only.shape[1]
    right = both[:, both.shape[1] // 2:, :3]
    assert (np.ptp(right, axis=2) > 0.3).mean() > 0.002     # des traits de couleur dans la moitié droite : l'erreur


CELL = """
import numpy as np
from labcode.nn import CrossEntropyLoss, Linear
from labcode.optim import SGD
from labcode.training import LiveCurve, fit
X = np.eye(4, dtype=np.float32)
model = Linear(4, 4, rng=0)
history = fit(model, CrossEntropyLoss(), SGD(model.parameters(), 0.5), X, np.arange(4), epochs=300, batch_size=1,
              progress=False, callbacks=[LiveCurve(), lambda epoch, history: __import__("time").sleep(0.005)])
"""


def test_dans_un_vrai_carnet_il_ne_reste_que_la_figure():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    messages = []

    class Client(NotebookClient):
        def process_message(self, msg, *arguments):
            messages.append(msg["msg_type"])
            return super().process_message(msg, *arguments)

    Client(notebook, timeout=60, kernel_name="python3").execute()
    output, = notebook.cells[0].outputs
    assert output.output_type == "display_data" and output.data["text/plain"] == live_curve.TEXT
    assert base64.b64decode(output.data["image/png"]).startswith(b"\x89PNG")
    assert messages.count("display_data") == 1 and messages.count("update_display_data") >= 1
