"""Le point de reprise : un fichier qui permet à un apprentissage tué de reprendre, et de finir au bit près comme les autres."""

import json
import os
from contextlib import suppress
from pathlib import Path

import numpy as np

from labcode.datasets.arguments import integer
from labcode.training.state import pack, unpack

FORMAT = "point de reprise de labcode, version 1"


class CheckpointError(RuntimeError):
    """Point de reprise illisible, étranger à cet apprentissage, ou impossible à écrire.

    Si l'apprentissage avait commencé, le modèle est dans l'état de la dernière époque achevée et ``history`` la
    contient ; le fichier, s'il existait, est intact.
    """

    history = None


class Checkpoint:
    """Point de reprise : ``fit(…, checkpoint=Checkpoint("mnist.npz", every=5))``, ou plus court ``checkpoint="mnist.npz"``.

    Le fichier est écrit au départ, toutes les ``every`` époques, et à la fin. S'il existe déjà, ``fit`` reprend là où
    il en était : relancer la même cellule suffit. C'est un .npz, que ``np.load`` ouvre sans pickle : les tableaux et,
    sous « metadata », le reste en JSON. Il est écrit à côté puis mis en place d'un coup : un arrêt brutal laisse
    l'ancien fichier ou le nouveau, jamais une moitié.

    « Au bit près » suppose le même ordinateur et le même nombre de fils de calcul, et que tout hasard vienne de
    générateurs connus : celui de ``fit``, qu'il prête à ``augment``, et ceux que les couches ont en attribut.
    """

    def __init__(self, path, every=1):
        if not isinstance(path, (str, os.PathLike)):
            raise TypeError(f"checkpoint : un nom de fichier ou un Checkpoint attendu, reçu {type(path).__name__}.")
        self.path, self.every = Path(path), integer("every", every, 1)

    def save(self, configuration, state):
        """Écrit l'état. Lève CheckpointError si le dossier est absent ou interdit, ou le disque plein."""
        arrays = {}
        metadata = {"format": FORMAT, "configuration": configuration, "state": pack(state, "state", arrays)}
        partial = self.path.with_name(self.path.name + ".partiel")
        try:
            with open(partial, "wb") as file:
                np.savez(file, metadata=np.array(json.dumps(metadata, ensure_ascii=False)), **arrays)
                file.flush()
                os.fsync(file.fileno())  # sur le disque avant de remplacer l'ancien
            os.replace(partial, self.path)
        except OSError as error:
            reason = error.strerror or str(error)
            raise CheckpointError(f"Le point de reprise « {self.path} » n'a pas pu être écrit ({reason}). Vérifiez que le dossier existe, que "
                                  "vous pouvez y écrire et que le disque n'est pas plein.") from error
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)

    def load(self, configuration):
        """La configuration et l'état gardés, ou None s'il n'y a pas encore de fichier.

        Lève CheckpointError si le fichier est abîmé, ou s'il vient d'un apprentissage de configuration différente.
        """
        if not os.path.lexists(self.path):
            return None
        try:
            with open(self.path, "rb") as stream, np.load(stream, allow_pickle=False) as file:  # np.load oublierait de fermer un fichier abîmé
                arrays = {name: file[name] for name in file.files}
            metadata = json.loads(str(arrays.pop("metadata")))
            if metadata["format"] != FORMAT:
                raise ValueError(f"« {FORMAT} » attendu, « {metadata['format']} » trouvé")
            stored, state = metadata["configuration"], unpack(metadata["state"], arrays)
        except Exception as error:  # un fichier abîmé peut faire échouer n'importe quelle étape de la lecture
            raise CheckpointError(f"« {self.path} » n'est pas un point de reprise, ou il est abîmé ({type(error).__name__} : {error}). "
                                  "Effacez-le pour repartir du début, ou donnez un autre nom.") from error
        self._check_same(stored, configuration)
        return stored, state

    def _check_same(self, stored, configuration):
        different = [name for name in configuration if stored.get(name) != configuration[name]]
        if different:
            details = " ; ".join(f"{name} : {_shown(stored.get(name))} dans le fichier, {_shown(configuration[name])} ici" for name in different)
            raise CheckpointError(f"« {self.path} » vient d'un autre apprentissage ({details}). "
                                  "Effacez-le pour repartir du début, ou donnez un autre nom.")

    def __repr__(self):
        return f"Checkpoint({str(self.path)!r}, every={self.every})"


def _shown(value):
    return " ".join(str(value).split())
