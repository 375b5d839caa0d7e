"""La vitesse de labcode, à côté de celle de scikit-learn et, s'il est installé, de PyTorch.

    python bench/bench.py                # tout ; trois minutes
    python bench/bench.py mlp lenet      # les travaux dont le nom commence ainsi
    python bench/bench.py --ecrire       # range aussi le tableau dans data/results/vitesse.csv

Chaque bibliothèque travaille dans son propre processus, avec le même nombre de fils et les instructions qu'elle choisit pour
ce processeur ; on passe de l'une à l'autre à chaque tour : ce qui ralentit la machine ralentit tout le monde. Entre deux
tours on attend que les fils de la précédente soient endormis ; sans cela ils tournent à vide et gênent la suivante. Les temps
sont des médianes ; les rapports, celles des rapports de chaque tour. La dernière colonne compare la vitesse de labcode
(opérations utiles par seconde) à celle d'un grand produit de matrices NumPy. Le plancher d'un perceptron est le temps que prennent
en NumPy ses seuls produits de matrices et ses seules mises à jour, mémoire réservée d'avance : un vrai pas fait tout cela, et
de plus les activations, la perte et les vérifications.
"""

import argparse
import csv
import datetime
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

RESULTS = Path(__file__).resolve().parents[1] / "data" / "results" / "vitesse.csv"
ROUNDS, SECONDS, REST = 15, 0.25, 0.3  # tours, durée visée d'un tour, attente entre deux
FORCED = {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS"}
NAMES = {"labcode": "labcode", "torch": "PyTorch", "sklearn": "scikit-learn", "plancher": "plancher NumPy"}
PEERS = ("labcode", "torch", "sklearn")


# --- Les travaux : ce qu'on mesure, écrit une seule fois pour les bibliothèques qui ont les mêmes noms de couches ---


def mlp(nn):
    return nn.Sequential(nn.Linear(784, 200), nn.ReLU(), nn.Linear(200, 200), nn.ReLU(), nn.Linear(200, 10))


def lenet(nn):
    return nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.MaxPool2d(2),
                         nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10))


def quarter_vgg(nn):
    layers, channels = [], 3
    for width in (16, 16, 0, 32, 32, 0, 64, 64, 64, 0, 128, 128, 128, 0, 128, 128, 128, 0):
        if width:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        else:
            layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(128, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 10),
                         nn.BatchNorm1d(10))


TRAINING, IMAGES = "un pas d'apprentissage", (128, 16, 32, 32)
WORKS = {  # nom → (intitulé, réseau ou couche, forme du lot, bibliothèques)
    "mlp-64": (f"perceptron 784-200-200-10, lot de 64, {TRAINING}", mlp, (64, 784), tuple(NAMES)),
    "mlp-5": (f"le même, lot de 5, {TRAINING}", mlp, (5, 784), tuple(NAMES)),
    "lenet": (f"LeNet-5, 28×28, lot de 64, {TRAINING}", lenet, (64, 1, 28, 28), PEERS[:2]),
    "vgg": (f"VGG-16 au quart des canaux, 32×32×3, lot de 128, {TRAINING}", quarter_vgg, (128, 3, 32, 32), PEERS[:2]),
    "maximum": ("maximum 2×2, aller et retour", lambda nn: nn.MaxPool2d(2), IMAGES, PEERS[:2]),
    "norme": ("normalisation par lot, aller et retour", lambda nn: nn.BatchNorm2d(16), IMAGES, PEERS[:2]),
    "relu": ("ReLU, aller et retour", lambda nn: nn.ReLU(), IMAGES, PEERS[:2]),
}


def useful_operations(work):
    """Opérations des produits de matrices d'un pas (avance, gradient des poids, gradient de l'entrée) ; 0 pour une couche."""
    import labcode.nn as nn

    _, build, shape, _ = WORKS[work]
    model = build(nn)
    if not isinstance(model, nn.Sequential):
        return 0
    import numpy as np

    total, first, x = 0, True, np.zeros((1, *shape[1:]), np.float32)
    for layer in model.eval():
        x = layer(x)
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            positions = x[0, 0].size  # nombre d'applications des mêmes poids
            total += 2 * shape[0] * layer.weight.data.size * positions * (2 if first else 3)  # la première ne dérive pas x
            first = False
    return total


# --- Un pas de chaque bibliothèque ---


def labcode_step(build, shape):
    import numpy as np

    import labcode.nn as nn
    from labcode.optim import SGD

    rng, model = np.random.default_rng(0), build(nn)
    x = rng.random(shape, dtype=np.float32)
    if not isinstance(model, nn.Sequential):
        x = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 0, -1)), -1, 0)  # l'ordre de mémoire entre deux couches
        dy = np.ones_like(model(x))

        def step():
            model(x)
            model.backward(dy)

        return step
    y, loss, optimizer = rng.integers(0, 10, shape[0]), nn.CrossEntropyLoss(), SGD(model.parameters(), lr=0.01)

    def step():
        loss(model(x), y)
        optimizer.zero_grad()
        model.backward_parameters(loss.backward())
        optimizer.step()

    return step


def torch_step(build, shape):
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    model = build(torch.nn)
    if not isinstance(model, torch.nn.Sequential):
        x = torch.rand(shape, requires_grad=True)
        dy = torch.ones_like(model(x))

        def step():
            x.grad = None
            model(x).backward(dy)

        return step
    x, y, loss = torch.rand(shape), torch.randint(0, 10, shape[:1]), torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def step():
        optimizer.zero_grad()
        loss(model(x), y).backward()
        optimizer.step()

    return step


def sklearn_step(build, shape):
    """Vingt pas à la fois, pour que les vérifications de ``partial_fit`` ne comptent pas ; renvoie aussi ce nombre."""
    import numpy as np
    from sklearn.neural_network import MLPClassifier

    rng, steps = np.random.default_rng(0), 20
    x, y = rng.random((steps * shape[0], 784), dtype=np.float32), np.arange(steps * shape[0]) % 10
    model = MLPClassifier((200, 200), solver="sgd", momentum=0, alpha=0, batch_size=shape[0], shuffle=False, random_state=0)
    return lambda: model.partial_fit(x, y, classes=np.arange(10)), steps


def floor_step(build, shape):
    """Les produits de matrices et les mises à jour d'un perceptron, rien d'autre.

    Chaque produit reçoit ses facteurs dans l'ordre de mémoire qui lui va le mieux, ce qu'un vrai pas ne peut pas s'offrir.
    """
    import numpy as np

    import labcode.nn as nn

    def zeros(*size):
        return np.zeros(size, np.float32)

    lr, n, layers = np.float32(0.01), shape[0], []
    for layer in build(nn):
        if isinstance(layer, nn.Linear):
            n_out, n_in = layer.weight.shape
            layers.append((layer.weight.data, zeros(n_in, n), zeros(n, n_in), zeros(n_out, n), zeros(n, n_out), zeros(n_out, n_in)))

    def step():
        for weight, x_t, _, y_t, _, _ in layers:
            np.matmul(weight, x_t, out=y_t)
        for index in reversed(range(len(layers))):
            weight, _, x, dy_t, dy, gradient = layers[index]
            np.matmul(dy_t, x, out=gradient)
            if index:
                np.matmul(dy, weight, out=x)
        for weight, *_, gradient in layers:
            np.multiply(gradient, lr, out=gradient)
            np.subtract(weight, gradient, out=weight)

    return step


def product_step():
    """Le grand produit de matrices, et son nombre d'opérations."""
    import numpy as np

    a, n = np.random.default_rng(0).random((2048, 2048), dtype=np.float32), 2048
    out = np.empty_like(a)
    return (lambda: np.matmul(a, a, out=out)), 2 * n**3


def worker(library, work):
    """Processus d'une bibliothèque : à chaque ligne reçue, mesure un tour et répond par les durées d'un pas."""
    importlib.import_module({"labcode": "labcode.nn", "plancher": "labcode.nn", "product": "numpy"}.get(library, library))
    memory, steps = peak_memory(), 1
    if library == "product":
        step, _ = product_step()
    else:
        step = {"labcode": labcode_step, "torch": torch_step, "sklearn": sklearn_step, "plancher": floor_step}[library](*WORKS[work][1:3])
    if isinstance(step, tuple):
        step, steps = step
    for _ in range(3):
        step()
    for _ in sys.stdin:
        times, end = [], time.perf_counter() + SECONDS
        step()  # réveille les fils
        while time.perf_counter() < end or len(times) < 3:
            start = time.perf_counter()
            step()
            times.append((time.perf_counter() - start) / steps)
        print(json.dumps({"times": times, "memory": peak_memory() - memory}), flush=True)


def peak_memory():
    """Plus haute mémoire occupée par ce processus, en Mo ; 0 si le système ne le dit pas."""
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


# --- La mesure et le tableau ---


def environment(threads):
    """Variables d'environnement d'un processus : ce nombre de fils, et rien de ce qui brimerait une seule bibliothèque.

    OPENBLAS_CORETYPE=Haswell, par exemple, interdit à NumPy les instructions AVX-512, et lui seul : deux fois plus lent.
    """
    kept = {name: value for name, value in os.environ.items() if name not in FORCED}
    return kept | {f"{name}_NUM_THREADS": str(threads) for name in ("OMP", "OPENBLAS", "MKL")}


def measure(work, libraries, threads):
    """Durée d'un pas (s) à chaque tour, et mémoire de pointe (Mo), de chaque bibliothèque."""
    processes = {library: subprocess.Popen([sys.executable, __file__, "--ouvrier", library, work], env=environment(threads),
                                           text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for library in libraries}
    times, memory = {library: [] for library in libraries}, {}
    for _ in range(ROUNDS):
        for library, process in processes.items():
            time.sleep(REST)
            print(file=process.stdin, flush=True)
            answer = process.stdout.readline()
            if not answer:
                raise SystemExit(f"bench : le processus {library} s'est arrêté pendant « {work} »")
            answer = json.loads(answer)
            times[library].append(statistics.median(answer["times"]))
            memory[library] = answer["memory"]
    for process in processes.values():
        process.communicate()
    return times, memory


def ratio(times, library, reference):
    """Combien de fois plus longtemps prend ``library`` que ``reference`` : médiane des rapports de chaque tour."""
    return statistics.median(a / b for a, b in zip(times[library], times[reference]))


def main(works, threads, write):
    rows, peers = [], ["labcode", "plancher", "sklearn"] + ["torch"] * bool(importlib.util.find_spec("torch"))
    if "torch" not in peers:
        print("PyTorch n'est pas installé : comparaison avec scikit-learn seulement.")
    speed = product_step()[1] / statistics.median(measure("mlp-64", ["product"], threads)[0]["product"])
    print(f"Fils : {threads}. Produit de matrices 2048×2048 : {french(speed / 1e9, 0)} milliards d'opérations par seconde.\n")
    for work in works:
        title, _, _, libraries = WORKS[work]
        times, memory = measure(work, [library for library in libraries if library in peers], threads)
        medians = {library: statistics.median(rounds) for library, rounds in times.items()}
        share = useful_operations(work) / medians["labcode"] / speed
        print(title)
        for library, seconds in medians.items():
            line = f"    {NAMES[library]:<14} {french(seconds * 1e3, 3):>9} ms"
            if library == "plancher":
                line += "   produits et mises à jour seuls : " + ", ".join(
                    f"{french(ratio(times, peer, library), 2)} fois plus vite que {NAMES[peer]}" for peer in PEERS[1:] if peer in times)
            elif library != "labcode":
                line += f"   labcode va {french(ratio(times, library, 'labcode'), 2)} fois plus vite"
            elif share:
                line += f"   {french(100 * share, 0)} % de la vitesse du produit de matrices"
            print(line + (f"   mémoire {french(memory[library], 0)} Mo" if work == "vgg" else ""), flush=True)
        rows.append({"travail": work, "intitule": title, "part_du_produit": f"{share:.3f}" if share else ""}
                    | {f"{library}_ms": f"{medians[library] * 1e3:.4f}" if library in times else "" for library in NAMES}
                    | {f"{library}_rapport": f"{ratio(times, library, 'labcode'):.3f}" if library in times else ""
                       for library in PEERS[1:]}
                    | {f"{library}_Mo": f"{memory.get(library, 0):.0f}" if library in times else "" for library in PEERS})
    if write:
        save(rows, threads, speed)
        print(f"\nTableau écrit dans {RESULTS.relative_to(Path.cwd()) if RESULTS.is_relative_to(Path.cwd()) else RESULTS}")


def save(rows, threads, speed):
    """Écrit le tableau, précédé de ce qu'il faut pour le comprendre : versions, machine, réglages."""
    from importlib.metadata import version

    versions = ", ".join(f"{package} {version(package)}" for package in ("numpy", "scikit-learn", "torch")
                         if importlib.util.find_spec(package.replace("scikit-learn", "sklearn")))
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    with open(RESULTS, "w", encoding="utf-8", newline="") as file:
        file.write(f"# {datetime.date.today()} ; Python {platform.python_version()}, {versions} ; {processor()}, {threads} fils, "
                   f"noyaux OpenBLAS {openblas_kernels(threads)}\n")
        file.write(f"# produit de matrices 2048 x 2048 : {speed / 1e9:.0f} milliards d'opérations par seconde ; "
                   f"médianes de {ROUNDS} tours ; rapport : durée de l'autre / durée de labcode, dans le même tour\n")
        table = csv.DictWriter(file, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def openblas_kernels(threads):
    """Famille de processeurs pour laquelle OpenBLAS choisit ses produits, par exemple SkylakeX (AVX-512)."""
    ask = "import numpy, threadpoolctl as t; print(*{lib['architecture'] for lib in t.threadpool_info() if 'architecture' in lib})"
    return subprocess.run([sys.executable, "-c", ask], env=environment(threads), capture_output=True, text=True).stdout.strip() or "?"


def french(value, decimals):
    return f"{value:.{decimals}f}".replace(".", ",")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("travaux", nargs="*", help=f"débuts de noms parmi {', '.join(WORKS)} (tous par défaut)")
    parser.add_argument("--fils", type=int, default=min(2, os.cpu_count() or 1), help="fils de chaque bibliothèque (2 au plus par défaut)")
    parser.add_argument("--ecrire", action="store_true", help="range le tableau dans data/results/vitesse.csv")
    parser.add_argument("--ouvrier", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.ouvrier:
        worker(*arguments.ouvrier)
    else:
        chosen = [work for work in WORKS if not arguments.travaux or any(work.startswith(name) for name in arguments.travaux)]
        if not chosen:
            parser.error(f"aucun travail de ce nom ; il y a {', '.join(WORKS)}")
        main(chosen, arguments.fils, arguments.ecrire)
