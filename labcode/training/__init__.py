"""L'apprentissage : la boucle par mini-lots et ce qui l'accompagne.

``fit`` entraîne, ``predict`` et ``error_rate`` évaluent, ``History`` garde les mesures. À la demande : arrêt anticipé
(``EarlyStopping``), courbe tracée en cours de route (``LiveCurve``), point de reprise (``Checkpoint``). Chaque idée a
son fichier.
"""

from labcode.training.callbacks import Callback, EarlyStopping
from labcode.training.checkpoint import Checkpoint, CheckpointError
from labcode.training.divergence import DivergenceError
from labcode.training.evaluation import error_rate, predict
from labcode.training.history import History
from labcode.training.live_curve import LiveCurve
from labcode.training.loop import fit

__all__ = ["Callback", "Checkpoint", "CheckpointError", "DivergenceError", "EarlyStopping", "History", "LiveCurve", "error_rate", "fit", "predict"]
