"""Vitesse de la RBM : labcode, PyTorch écrit à la main et scikit-learn, tour à tour, sur le même apprentissage.

    python bench/bench_rbm.py [--fils 2] [--tours 7]

RBM 784-500, CD-1, lots de 64, visibles et cachées tirées, float32. Chaque bibliothèque a son processus, qui attend son tour :
ce qui ralentit la machine ralentit tout le monde, et l'on compare tour par tour. Un tour est une époque sur 6400 images.
PyTorch est facultatif.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time

from bench import environment

N, P, Q, BATCH, RATE = 6400, 784, 500, 64, 0.01
NAMES = {"labcode": "labcode", "torch": "PyTorch à la main", "sklearn": "scikit-learn"}


def data():
    import numpy as np

    return (np.random.default_rng(0).random((N, P), dtype=np.float32) < 0.15).astype(np.float32)


def labcode_epoch():
    from labcode.boltzmann import RBM

    rbm, X = RBM(Q, learning_rate=RATE, batch_size=BATCH, rng=0), data()
    return lambda: rbm.partial_fit(X)


def sklearn_epoch():
    from sklearn.neural_network import BernoulliRBM

    rbm, X = BernoulliRBM(Q, learning_rate=RATE, batch_size=BATCH, n_iter=1, random_state=0), data()
    return lambda: rbm.fit(X)


def torch_epoch():
    """Produits et sommes sur place, deux produits accumulés dans les poids par ``addmm_`` : aussi vite qu'on sait l'écrire."""
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.manual_seed(0)
    X = torch.from_numpy(data())
    W, b, c = torch.randn(Q, P) * 0.01, torch.zeros(P), torch.zeros(Q)
    h, h_model, v_model = torch.empty(BATCH, Q), torch.empty(BATCH, Q), torch.empty(BATCH, P)
    noise_h, noise_v = torch.empty(BATCH, Q), torch.empty(BATCH, P)
    sample_h, sample_v = torch.empty(BATCH, Q), torch.empty(BATCH, P)

    def epoch():
        with torch.inference_mode():
            for start in range(0, N, BATCH):
                v = X[start:start + BATCH]
                torch.addmm(c, v, W.T, out=h).sigmoid_()
                torch.lt(noise_h.uniform_(), h, out=sample_h)
                torch.addmm(b, sample_h, W, out=v_model).sigmoid_()
                torch.lt(noise_v.uniform_(), v_model, out=sample_v)
                torch.addmm(c, sample_v, W.T, out=h_model).sigmoid_()
                W.addmm_(h.T, v, alpha=RATE / BATCH)
                W.addmm_(h_model.T, sample_v, alpha=-RATE / BATCH)
                b.add_(v.sum(0), alpha=RATE / BATCH).sub_(sample_v.sum(0), alpha=RATE / BATCH)
                c.add_(h.sum(0), alpha=RATE / BATCH).sub_(h_model.sum(0), alpha=RATE / BATCH)

    return epoch


def worker(library):
    """À chaque ligne reçue, une époque ; répond par sa durée."""
    epoch = globals()[f"{library}_epoch"]()
    epoch()
    for _ in sys.stdin:
        start = time.perf_counter()
        epoch()
        print(json.dumps(time.perf_counter() - start), flush=True)


def main(threads, rounds):
    libraries = ["labcode", "sklearn"] + ["torch"] * bool(importlib.util.find_spec("torch"))
    processes = {library: subprocess.Popen([sys.executable, __file__, "--ouvrier", library], env=environment(threads), text=True,
                                           stdin=subprocess.PIPE, stdout=subprocess.PIPE) for library in libraries}
    times = {library: [] for library in libraries}
    for _ in range(rounds):
        for library, process in processes.items():
            time.sleep(0.3)  # que les fils de la précédente s'endorment
            print(file=process.stdin, flush=True)
            times[library].append(json.loads(process.stdout.readline()))
    for process in processes.values():
        process.communicate()
    for library in libraries:
        ratio = statistics.median(other / own for other, own in zip(times[library], times["labcode"]))
        line = f"{NAMES[library]:<18} {statistics.median(times[library]) / N * 1e6:7.1f} µs par exemple"
        print((line + (f"   labcode va {ratio:.2f} fois plus vite" if library != "labcode" else "")).replace(".", ","))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ouvrier", help=argparse.SUPPRESS)
    parser.add_argument("--fils", type=int, default=os.cpu_count())
    parser.add_argument("--tours", type=int, default=7)
    options = parser.parse_args()
    worker(options.ouvrier) if options.ouvrier else main(options.fils, options.tours)
