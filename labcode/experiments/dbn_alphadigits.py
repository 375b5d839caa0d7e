"""Les réseaux de croyances de la source 004 (§1.2) sur Binary AlphaDigits : profondeur, largeur, nombre de caractères.

Apprise couche par couche, une pile contient toutes les piles plus courtes : un seul apprentissage de L couches donne, par
ses préfixes, les mesures de toutes les profondeurs, la RBM seule comprise. Les images engendrées sont jugées par le réseau
de ``judge``, et non à l'œil.
"""

import matplotlib.pyplot as plt
import numpy as np

from labcode.boltzmann import DBN, RBM
from labcode.experiments import Experiment, load_results, mean_interval, product
from labcode.experiments.initialization import rounded
from labcode.experiments.judge import images_of, judge, packed, ranks, unpacked
from labcode.figures import COLORS, MARKERS, plot_seeds

DEPTHS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)  # celles que l'on mesure, si la pile y va
CHARACTERS = "24BZ9PTN0K"                             # dans l'ordre où la source les ajoute
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
UNKNOWN = "13567ACDEFGHJLMQRSUVWXY"                      # ni ceux-là, ni leurs jumeaux « O » et « I »
LABEL_COPIES = 30   # une étiquette de 10 bits ne pèse rien devant 320 pixels : on la répète
ANNEALED_FROM = 5.0
PICTURED = {"source": 4, "data": 4, "random_top": 4}  # combien d'images garder, et desquelles ; une par étiquette figée


def run(config, seed):
    """Apprend une pile, puis mesure chacun de ses préfixes : une valeur par profondeur de ``depths``."""
    rng = np.random.default_rng(seed)
    X, y = images_of(config["characters"])
    template = RBM(config["n_hidden"], learning_rate=config["lr"], batch_size=config["batch_size"],
                   n_epochs=config["epochs"], persistent=config["persistent"])
    dbn = DBN([template] * config["depth"], rng=rng).fit(X)
    depths = [depth for depth in DEPTHS if depth <= config["depth"]]
    measures = [{"depths": depth} | information(dbn[:depth], X, y) | generation(dbn[:depth], X, y, config, rng) for depth in depths]
    return {name: [measure[name] for measure in measures] for name in measures[0]}


def information(dbn, X, y):
    """Ce qui reste de X (N, 320) au sommet : reconstruction, images que l'on y distingue encore, variance, classes."""
    H, R = dbn.transform(X), dbn.reconstruct(X)
    gaps = pairwise(H, H) + np.diag(np.full(len(X), np.inf))
    return {"reconstruction_error": rounded(np.mean((X - R) ** 2)),
            "identified": rounded(np.mean(pairwise(R, X).argmin(axis=1) == np.arange(len(X)))),
            "top_variance": rounded(H.var(axis=0).mean()), "top_entropy": rounded(bernoulli_entropy(H)),
            "neighbour_accuracy": rounded(np.mean(y[gaps.argmin(axis=1)] == y))}


def generation(dbn, X, y, config, rng):
    """Les images engendrées de chaque manière : ce qu'en dit le juge, leur variance, et quelques-unes d'entre elles."""
    n, steps, long = config["n_samples"], config["n_steps"], config["long_steps"]
    index = rng.integers(len(X), size=n)
    images = {"source": dbn.sample(n, steps, rng=rng), "long": dbn.sample(n, long, rng=rng),
              "annealed": dbn.sample(n, long, initial_temperature=ANNEALED_FROM, rng=rng),
              "data": dbn.sample(n, steps, start=visible_of_top(dbn, X[index], rng), rng=rng),
              "random_top": drawn(dbn.down(drawn(np.full((n, config["n_hidden"]), 0.5, np.float32), rng), rng=rng), rng)}
    measures = {"real_variance": rounded(X.var(axis=0).mean()), "data_kept": rounded(np.mean(pairwise(images["data"], X).argmin(axis=1) == index))}
    if config["labels"]:
        wanted = np.arange(n) % len(config["characters"])
        images["labelled"] = labelled(dbn, X, y, wanted, config, rng)
        right = [judge(images["labelled"][wanted == k], c)["recognised"] for k, c in enumerate(config["characters"])]
        measures["labelled_right"] = rounded(right)
    for regime, V in images.items():
        found = judge(V, config["characters"]) | {"variance": V.var(axis=0).mean()}
        measures |= {f"{regime}_{name}": rounded(value) for name, value in found.items()}
        if pictured := len(config["characters"]) if regime == "labelled" else PICTURED.get(regime, 0):
            measures[f"{regime}_images"] = packed(V[:pictured])
    return measures


def run_start(config, seed):
    """Témoin : la même pile, dont la chaîne part d'images apprises, puis d'images de caractères que l'on ne lui a pas montrés.

    Une machine qui recopierait tout les garderait toutes. Une valeur par profondeur : ``…_moved``, part des pixels changés ;
    ``…_kept``, part des images dont le juge lit encore le caractère ; ``…_captured``, part de celles où il lit un caractère appris.
    """
    rng = np.random.default_rng(seed)
    X, _ = images_of(config["characters"])
    template = RBM(config["n_hidden"], learning_rate=config["lr"], batch_size=config["batch_size"], n_epochs=config["epochs"])
    dbn, measures = DBN([template] * config["depth"], rng=rng).fit(X), []
    for depth in (depth for depth in DEPTHS if depth <= config["depth"]):
        measures.append({"depths": depth})
        for name, characters in (("known", config["characters"]), ("unknown", config["unknown"])):
            images, ranks_ = images_of(characters)
            index = rng.integers(len(images), size=config["n_samples"])
            V = dbn[:depth].sample(len(index), config["n_steps"], start=visible_of_top(dbn[:depth], images[index], rng), rng=rng)
            measures[-1] |= {f"{name}_moved": rounded(np.mean(V != images[index])),
                             f"{name}_kept": judge(V, characters, asked=ranks_[index])["obeyed"],
                             f"{name}_captured": judge(V, config["characters"])["recognised"]}
    return {name: [measure[name] for measure in measures] for name in measures[0]}


def run_groups(config, seed):
    """Ce que le sommet distingue encore, couche après couche : groupes d'images confondues, rang effectif de leurs états."""
    X, _ = images_of(config["characters"])
    template = RBM(config["n_hidden"], learning_rate=config["lr"], batch_size=config["batch_size"], n_epochs=config["epochs"])
    dbn = DBN([template] * config["depth"], rng=np.random.default_rng(seed)).fit(X)
    depths = [depth for depth in (1, 2, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 60, 80, 100) if depth <= config["depth"]]
    states = [dbn[:depth].transform(X) for depth in depths]
    groups = [group_sizes(H) for H in states]
    return {"depths": depths, "groups": [len(sizes) for sizes in groups], "bits": rounded([entropy_bits(sizes) for sizes in groups]),
            "effective_rank": rounded([effective_rank(H) for H in states])}


def group_sizes(H, threshold=0.5):
    """Effectifs des groupes de lignes de H (N, q) que l'on joint de proche en proche, par des distances sous le seuil."""
    joined = pairwise(H, H) < threshold**2
    for _ in range(int(np.ceil(np.log2(len(H)))) + 1):  # chaque carré double la longueur des chemins
        joined = joined @ joined
    return np.unique(joined, axis=0, return_counts=True)[1]


def entropy_bits(sizes):
    """Entropie du groupe d'une image tirée au hasard, en bits : log₂ N si toutes se distinguent, 0 si toutes se confondent."""
    p = sizes / sizes.sum()
    return float(abs(np.sum(p * np.log2(p))))


def effective_rank(H):
    """(Σ λ)² / Σ λ², λ étant les valeurs propres de la covariance des lignes : le nombre de directions où elles varient."""
    squared = np.linalg.svd(H - H.mean(axis=0), compute_uv=False).astype(np.float64) ** 2
    return squared.sum() ** 2 / np.sum(squared**2)


def labelled(dbn, X, y, wanted, config, rng):
    """Images de caractères demandés : un autre sommet apprend les cachées et l'étiquette, que l'on fige pour tirer."""
    *_, top = dbn.rbms_
    below = dbn[:-1] if len(dbn.rbms_) > 1 else None
    H = X if below is None else below.transform(X)
    labels = np.eye(len(config["characters"]), dtype=np.float32).repeat(LABEL_COPIES, axis=1)
    position = {rank: k for k, rank in enumerate(ranks(config["characters"]))}
    machine = top.untrained(rng=rng).fit(np.hstack([H, labels[[position[rank] for rank in y]]]))
    noise = drawn(np.full((len(wanted), H.shape[1]), 0.5, np.float32), rng)
    clamped = np.arange(H.shape[1] + labels.shape[1]) >= H.shape[1]
    V = machine.sample(len(wanted), config["n_steps"], start=np.hstack([noise, labels[wanted]]), clamped=clamped, rng=rng)[:, ~clamped]
    return V if below is None else drawn(below.down(V, rng=rng), rng)


def visible_of_top(dbn, X, rng):
    """État des visibles de la machine du sommet quand X (N, p) est en bas."""
    return X if len(dbn.rbms_) == 1 else dbn[:-1].up(X, rng)[-1]


def drawn(P, rng):
    """Un tirage 0 ou 1 de chaque probabilité."""
    return (rng.random(P.shape, np.float32) < P).astype(np.float32)


def pairwise(A, B):
    """Carrés des distances entre les lignes de A (N, d) et celles de B (M, d) : (N, M)."""
    A, B = A.astype(np.float64), B.astype(np.float64)
    return (A**2).sum(axis=1)[:, None] + (B**2).sum(axis=1) - 2 * A @ B.T


def bernoulli_entropy(P):
    """Entropie moyenne d'une unité, en bits : 0 si les probabilités valent 0 ou 1, 1 si elles valent ½."""
    P = np.clip(P.astype(np.float64), 1e-12, 1 - 1e-12)
    return -np.mean(P * np.log2(P) + (1 - P) * np.log2(1 - P))


def draw_characters(results):
    """Caractères présents et écart à une vraie image, selon le nombre de caractères appris, pour 1, 2 et 5 couches."""
    canvas, axes = plt.subplots(1, 2, figsize=(7.6, 3.9))
    learned = {config["characters"] for config in results.configs if config["lr"] == 0.1}
    numbers = [n for n in range(1, 11) if CHARACTERS[:n] in learned]
    for rank, L in enumerate((1, 2, 5)):
        for ax, measure, factor in zip(axes, ("source_present", "source_distance"), (1, 100)):
            values = [factor * results.values(measure, characters=CHARACTERS[:n], lr=0.1)[:, rank] for n in numbers]
            plot_seeds(ax, numbers, values, f"L = {L}", rank)
    axes[0].plot([1, 10], [1, 10], color="0.85", lw=8, label="tous", zorder=0)
    axes[0].set(xlabel="caractères appris", ylabel="caractères présents", ylim=(0, 10.3))
    axes[1].set(xlabel="caractères appris", ylabel="écart à une vraie image (%)", ylim=(0, None))
    axes[0].legend(fontsize=10)
    return canvas


def draw_ways(results):
    """Caractères présents sur dix, selon la façon de tirer (mêmes poids) puis d'apprendre : moyenne et chaque graine."""
    ten, slow = {"characters": CHARACTERS, "lr": 0.1}, {"characters": CHARACTERS, "lr": 0.01}
    ways = {"bruit, 50 pas": ("source", ten), "bruit, 300 pas": ("long", ten), "recuit, 300 pas": ("annealed", ten),
            "vraie image, 50 pas": ("data", ten), "η = 0,01": ("source", slow | {"persistent": False}),
            "η = 0,01, persistantes": ("source", slow | {"persistent": True}), "étiquette figée": ("labelled", ten)}
    canvas, ax = plt.subplots(figsize=(7.2, 4.2))
    for row, (regime, config) in enumerate(ways.values()):
        values = results.values(f"{regime}_present", **config)
        for color, L, rank, shift in zip(COLORS, (1, 5), (0, 2), (-0.2, 0.2)):
            ax.barh(row + shift, values[:, rank].mean(), 0.36, color=color, label="" if row else f"L = {L}")
            ax.plot(values[:, rank], np.full(len(values), row + shift), "o", color="black", ms=3.5)
    ax.set(yticks=range(len(ways)), yticklabels=ways, xlabel="caractères présents, sur dix", ylim=(len(ways) - 0.4, -0.6))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, fontsize=10)  # dedans, elle cacherait une graine
    return canvas


def draw_depth(results):
    """Selon la profondeur, pour « W » : images que l'on retrouve, et images reconnues, sommet en chaîne ou à pile ou face."""
    depths = results.values("depths", characters="W")[0]
    panels = {"retrouvées": {"identified": "sans tirage", "data_kept": "par tirages"},
              "reconnues « W »": {"source_recognised": "50 pas depuis du bruit", "random_top_recognised": "sommet à pile ou face"}}
    canvas, axes = plt.subplots(1, 2, figsize=(7.6, 4.1), sharey=True)
    for ax, (title, measures) in zip(axes, panels.items()):
        for rank, (measure, label) in enumerate(measures.items()):
            draw_curve(ax, dict(zip(depths, results.values(measure, characters="W").T)), rank, label, 100)
        ax.set(xscale="log", xlabel="nombre de couches", title=title, ylim=(-3, 103))
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), fontsize=10)
    axes[0].set_ylabel("part des images (%)")
    axes[0].axhline(100 / 39, color="black", ls=":")
    return canvas


def draw_groups(results):
    """Selon la profondeur, une courbe par graine : bits que le sommet garde d'une image sur 39, et rang effectif de ses états."""
    canvas, axes = plt.subplots(1, 2, figsize=(7.6, 3.6))
    depths = results.values("depths")[0]
    for ax, measure, label in zip(axes, ("bits", "effective_rank"), ("bits gardés", "rang effectif")):
        for seed, (values, color) in enumerate(zip(results.values(measure), COLORS)):
            ax.plot(depths, values, color=color, marker=MARKERS[seed], label=f"graine {seed}")
        ax.set(xlabel="nombre de couches", ylabel=label, ylim=(0, None))
    axes[0].axhline(np.log2(39), color="black", ls=":", label="log₂ 39")
    axes[0].legend(fontsize=10)
    return canvas


def draw_width(results):
    """Selon la largeur, pour « F », une et cinq couches : part des images reconnues, écart à une vraie image."""
    widths = sorted(config["n_hidden"] for config in results.configs if config["characters"] == "F")
    canvas, axes = plt.subplots(1, 2, figsize=(7.6, 3.9))
    for ax, measure, label in zip(axes, ("source_recognised", "source_distance"), ("images reconnues (%)", "écart à une vraie image (%)")):
        for rank, L in ((0, 1), (2, 5)):
            values = {q: results.values(measure, characters="F", n_hidden=q)[:, rank] for q in widths}
            draw_curve(ax, values, rank, f"L = {L}", 100)
        ax.set(xscale="log", xlabel="unités par couche", ylabel=label, ylim=(0, None))
    axes[0].legend(fontsize=10)
    return canvas


def draw_curve(ax, values, rank, label, factor=1):
    """Moyenne de ``values``, dictionnaire abscisse → une valeur par graine (S,) ; intervalle à 95 % dès trois graines, sinon elles-mêmes."""
    style = {"color": COLORS[rank], "marker": MARKERS[rank]}
    mean, half = factor * np.transpose([mean_interval(seeds) for seeds in values.values()])
    enough = [len(seeds) >= 3 for seeds in values.values()]
    ax.errorbar(list(values), mean, yerr=np.where(enough, half, 0), label=label, capsize=3, **style)
    for (x, seeds), shown in zip(values.items(), enough):
        if not shown:
            ax.scatter(np.full(len(seeds), x), factor * seeds, s=12, alpha=0.6, **style)


def draw_rows(rows, image_shape, columns=10, width=6.8):
    """Des images (N, p), une ligne par nom de ``rows`` ; renvoie la figure."""
    canvas, axes = plt.subplots(len(rows), 1, figsize=(width, 0.9 * len(rows)))
    for ax, (name, images) in zip(axes, rows.items()):
        images = np.pad(images.reshape(-1, *image_shape)[:columns].astype(float), ((0, 0), (1, 1), (1, 1)), constant_values=0.5)
        missing = np.full((columns - len(images), *images.shape[1:]), 0.5)
        ax.imshow(np.hstack([*images, *missing]), vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
        ax.grid(False)
        ax.set_ylabel(name, rotation=0, ha="right", va="center")
    return canvas


def pictures(results, regime, rank, **config):
    """Les images gardées (N, 320) d'une manière de tirer, à la profondeur de rang ``rank``, graine après graine."""
    return unpacked(results.values(f"{regime}_images", **config)[:, rank]).reshape(-1, 320)


def deepest_results():
    """Les résultats qui vont le plus profond : mille couches s'ils sont rangés, cent sinon."""
    try:
        results = load_results(extremes)
        results.runs(characters="W")
        return results
    except ValueError:
        return load_results(experiment)


def grid(*studies, **scale):
    """Des études : chacune ne dit que ce qui la distingue des réglages de la source ; ``scale`` s'impose à toutes."""
    usual = {"lr": 0.1, "batch_size": 5, "epochs": 100, "n_hidden": 500, "depth": 5, "persistent": False, "labels": False,
             "n_samples": 200, "n_steps": 50, "long_steps": 300}
    return [usual | config | scale for study in studies for config in study]


def studies(depth, widths):
    """De 1 à 10 caractères ; la profondeur, pour « W » ; la largeur, pour « F » ; deux autres façons d'apprendre les dix caractères."""
    return [product(characters=[CHARACTERS[:n] for n in range(1, 10)]) + product(characters=[CHARACTERS], labels=[True]),
            product(characters=["W"], depth=[depth]), product(characters=["F"], n_hidden=widths),
            product(characters=[CHARACTERS], lr=[0.01], persistent=[False, True])]


def extreme_studies(depth, several_depth, width):
    """Ce qui dure : mille couches, cinquante pour dix caractères, l'alphabet entier, dix mille neurones."""
    return [product(characters=["W"], depth=[depth]), product(characters=[CHARACTERS], depth=[several_depth]),
            product(characters=[ALPHABET], depth=[1], labels=[True], n_samples=[720], long_steps=[50]),
            product(characters=["F"], n_hidden=[width], n_samples=[50], long_steps=[50])]


TINY = {"epochs": 2, "n_samples": 20, "n_steps": 5, "long_steps": 5}

experiment = Experiment(name="dbn-alphadigits", title="DBN sur AlphaDigits : caractères, profondeur, largeur", source="004 §1.2",
                        run=run, grids={"rapide": grid(*studies(10, [1, 10, 20]), **TINY),
                                        "complet": grid(*studies(100, [1, 10, 100, 200, 320, 500, 1000]))},
                        seeds={"rapide": 1, "complet": 3}, figure=draw_characters)

extremes = Experiment(name="dbn-alphadigits-extremes", title="DBN sur AlphaDigits : mille couches, dix mille neurones",
                      source="004 §1.2", run=run, grids={"rapide": grid(*extreme_studies(50, 10, 1000), **TINY | {"epochs": 1}),
                                                         "complet": grid(*extreme_studies(1000, 50, 10000))},
                      seeds={"rapide": 1, "complet": 3}, figure=draw_depth)

start = Experiment(name="dbn-alphadigits-depart", title="DBN sur AlphaDigits : partir d'un caractère appris, ou d'un inconnu",
                   source="004 §1.2", run=run_start, seeds={"rapide": 1, "complet": 3},
                   grids={size: [{"characters": CHARACTERS, "unknown": UNKNOWN, "lr": 0.1,
                                  "batch_size": 5, "epochs": epochs, "n_hidden": q, "depth": 5, "n_samples": n, "n_steps": 50}]
                          for size, epochs, q, n in (("rapide", 1, 20, 20), ("complet", 100, 500, 200))})

information_left = Experiment(name="dbn-alphadigits-information", title="DBN sur AlphaDigits : les images que le sommet distingue encore",
                              source="004 §1.2.1", run=run_groups, seeds={"rapide": 1, "complet": 3}, figure=draw_groups,
                              grids={size: [{"characters": "W", "lr": 0.1, "batch_size": 5, "epochs": epochs, "n_hidden": q, "depth": depth}]
                                     for size, epochs, q, depth in (("rapide", 1, 20, 5), ("complet", 100, 500, 100))})
