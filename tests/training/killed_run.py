"""L'apprentissage que test_checkpoint.py tue : python killed_run.py FICHIER [fsync|replace|after RANG].

Écrit chaque époque achevée puis, à la fin, l'empreinte de tout ce qui a changé. Avec un second argument, il se tue
lui-même au milieu de l'écriture n° RANG du point de reprise : avant que les octets soient sûrs, juste avant la mise en
place, ou juste après.
"""

import hashlib
import json
import os
import signal
import sys

import numpy as np

from labcode.datasets.augmentation import GaussianNoise
from labcode.nn import BatchNorm1d, CrossEntropyLoss, Dropout, Linear, ReLU, Sequential
from labcode.optim import L1, Adam, CosineLR, ReduceLROnPlateau, WarmUp
from labcode.training import EarlyStopping, fit

EPOCHS = 40


def die_during_write(where, rank):
    """Remplace l'appel du système choisi par un suicide à son ``rank``-ième passage."""
    name, calls = "fsync" if where == "fsync" else "replace", []
    original = getattr(os, name)

    def fatal(*arguments):
        calls.append(name)
        if where == "after":
            original(*arguments)
        if len(calls) == rank:
            os.kill(os.getpid(), signal.SIGKILL)
        if where != "after":
            original(*arguments)

    setattr(os, name, fatal)


def main(path):
    rng = np.random.default_rng(5)
    y = rng.integers(0, 3, 230)
    X = np.clip(rng.random((3, 12))[y] + 0.3 * rng.standard_normal((230, 12)), 0, 1).astype(np.float32)
    model = Sequential(Linear(12, 16, rng=0), BatchNorm1d(16), ReLU(), Dropout(0.3, rng=1), Linear(16, 3, rng=2))
    optimizer = Adam(model.parameters(), lr=0.01, weight_decay=1e-3)
    stopping = EarlyStopping(patience=EPOCHS)
    callbacks = [ReduceLROnPlateau(optimizer, patience=3, factor=0.9), WarmUp(CosineLR(optimizer, T_max=EPOCHS), duration=4), stopping,
                 lambda epoch, history: print(epoch, flush=True)]
    generator = np.random.default_rng(3)
    history = fit(model, CrossEntropyLoss(), optimizer, X[:200], y[:200], epochs=EPOCHS, batch_size=16, validation=(X[200:], y[200:]), rng=generator,
                  progress=False, callbacks=callbacks, penalty=L1(1e-4), augment=GaussianNoise(0.1), checkpoint=path)
    digest = hashlib.sha256()
    for state in (model.state_dict(), optimizer.state_dict(), stopping.state_dict()["best"]):
        for name, value in sorted(state.items()):
            digest.update(name.encode() + np.asarray(value).tobytes())
    for memory in (generator.bit_generator.state, model[3].rng.bit_generator.state, history.as_dict(), stopping.best_epoch,
                   *(callback.state_dict() for callback in callbacks[:2])):
        digest.update(json.dumps(memory).encode())
    print("fini", digest.hexdigest(), flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        die_during_write(sys.argv[2], int(sys.argv[3]))
    main(sys.argv[1])
