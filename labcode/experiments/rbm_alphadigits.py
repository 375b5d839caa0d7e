"""La machine de Boltzmann restreinte sur Binary AlphaDigits, comme dans la source 004 (§1.1), et un peu au-delà.

La source juge à l'œil des images tirées en 50 pas de Gibbs depuis du bruit. Ici un réseau appris sur les vrais caractères
les juge (``judge``), après 50 pas, après 1000, et après un recuit ; et l'on met la vraisemblance à côté de l'erreur de
reconstruction. Au-delà de la source : des images laissées de côté, des chaînes persistantes, et des unités d'étiquette, que
l'on fige pour demander un caractère.
"""

import matplotlib.pyplot as plt
import numpy as np

from labcode.boltzmann import RBM, ais_log_partition, exact_log_partition, log_likelihood
from labcode.boltzmann.likelihood import ENUMERABLE
from labcode.boltzmann.units import bernoulli_
from labcode.checks import french_number
from labcode.experiments import Experiment, mean_interval
from labcode.experiments.initialization import rounded
from labcode.experiments.judge import images_of, judge, packed, ranks, unpacked
from labcode.figures import plot_seeds

SIZES = (1, 10, 100, 320, 500, 1000, 10000, 100000)     # q, figure 3 de la source
SOURCE_ERRORS = (0.27668, 0.17965, 0.03221, 0.00938, 0.00288, 0.00208, 0.00032, 0.00016)  # ses erreurs, pour « 0 »
CHARACTERS = "24BZ9PTN"                                  # ses huit caractères, figure 4
ALL = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CHANGES = {"base": {}, "q = 10": {"q": 10}, "q = 1000": {"q": 1000}, "q = 10 000": {"q": 10000}, "η = 1": {"rate": 1.0},
           "lots de 15": {"batch_size": 15}, "100 époques": {"epochs": 100}, "200 pas": {"steps": 200}}  # figure 2
COPIES = 10              # unités visibles par étiquette : une seule pèserait peu devant 320 pixels
HOT = 2.0                # température de départ du recuit
TICKS = (0, -100, -200, -1000, -10_000, -100_000, -1_000_000)  # log-vraisemblances
STORED = 8               # images gardées, pour la première graine
BASE = {"rate": 0.1, "batch_size": 5, "epochs": 100, "steps": 50, "held_out": 0, "learning": "cd", "long_steps": 1000, "betas": 1000,
        "n_images": 100}  # les réglages de la source, puis les nôtres


def run(config, seed):
    """Une machine apprise : son erreur, sa vraisemblance, ses images et ce que le juge en dit."""
    rng = np.random.default_rng(seed)
    train, held_out, labels = split(config["characters"], config["held_out"], rng)
    labelled = config["learning"] == "labels"
    X = np.hstack([train, labels]) if labelled else train
    rbm = RBM(config["q"], learning_rate=config["rate"], batch_size=config["batch_size"], n_epochs=config["epochs"],
              persistent=config["learning"] == "pcd", rng=rng).fit(X)
    curve = rbm.history_["reconstruction_error"]
    metrics = {"reconstruction_curve": rounded(curve), "reconstruction_error": rounded(curve[-1]), "drawn_error": drawn_error(rbm, X, rng)}
    if not labelled:
        metrics |= likelihood(rbm, train, held_out, config, rng)
    start, clamped, asked = labelled_start(config, labels, rng) if labelled else (None, None, None)
    for name, steps, temperature in (("short", config["steps"], 1), ("long", config["long_steps"], 1), ("annealed", config["long_steps"], HOT)):
        images = rbm.sample(n_images(config), steps, start=start, clamped=clamped, initial_temperature=temperature, rng=rng)[:, :320]
        metrics |= {f"{name}_{key}": rounded(value) for key, value in judge(images, config["characters"], asked=asked).items()}
        metrics[f"{name}_images"] = packed(images[:STORED]) if seed == 0 else []
    return metrics


def split(characters, n_held_out, rng):
    """Images d'apprentissage, images laissées de côté (``n_held_out`` par caractère), étiquettes des premières."""
    X, y = images_of(characters)
    order = np.concatenate([rng.permutation(np.flatnonzero(y == rank)) for rank in np.unique(y)])
    kept = np.tile(np.arange(39) >= n_held_out, len(characters))
    labels = (y[order[kept]][:, None] == np.unique(y)).astype(np.float32).repeat(COPIES, axis=1)
    return X[order[kept]], X[order[~kept]], labels


def n_images(config):
    """Images tirées : moins quand la couche cachée est si grande que chaque pas est long."""
    return int(np.clip(200_000 // config["q"], 20, config["n_images"]))


def labelled_start(config, labels, rng):
    """Du bruit à côté d'étiquettes, autant de chacune ; le masque qui fige celles-ci ; le caractère ainsi demandé."""
    classes = np.sort(ranks(config["characters"]))
    noise = (rng.random((n_images(config), 320)) < 0.5).astype(np.float32)
    turn = np.arange(len(noise)) % len(classes)
    asked = np.eye(len(classes), dtype=np.float32)[turn].repeat(COPIES, axis=1)
    return np.hstack([noise, asked]), np.arange(320 + labels.shape[1]) >= 320, classes[turn]


def drawn_error(rbm, X, rng):
    """L'erreur de reconstruction quand l'aller et le retour sont des tirages et non des probabilités."""
    H = bernoulli_(rbm.hidden_probabilities(X), rng)
    return rounded(np.mean((X - bernoulli_(rbm.visible_probabilities(H), rng)) ** 2))


def likelihood(rbm, train, held_out, config, rng):
    """Log-vraisemblance moyenne (nats par image), exacte si possible, sinon par AIS avec son intervalle ; pseudo-vraisemblance.

    ``free_energy_gap`` est l'écart entre les images apprises et les autres : Z s'y simplifie, il est exact.
    """
    exact = rbm.n_hidden <= ENUMERABLE
    log_z = exact_log_partition(rbm) if exact else ais_log_partition(
        rbm, train, n_chains=100 if rbm.n_hidden <= 1000 else 20, betas=config["betas"], rng=rng)
    bounds = [log_likelihood(rbm, train, z).mean() for z in (log_z.value, log_z.high, log_z.low)]
    metrics = dict(zip(("log_likelihood", "log_likelihood_low", "log_likelihood_high"), map(rounded, bounds)))
    metrics |= {"exact": int(exact), "pseudo_likelihood": rounded(rbm.pseudo_likelihood(train[:10]).mean())}
    if len(held_out):
        gap = rbm.free_energy(held_out).mean(dtype=float) - rbm.free_energy(train).mean(dtype=float)
        metrics |= {"free_energy_gap": rounded(gap), "held_out_log_likelihood": rounded(bounds[0] - gap)}
    return metrics


def figure(results):
    """Selon q : les deux erreurs et celle de la source, la log-vraisemblance, la part d'images reconnues."""
    canvas, axes = plt.subplots(1, 3, figsize=(9.6, 3.9))
    for name, label in (("drawn_error", "ici, tirages"), ("reconstruction_error", "ici, probabilités")):
        draw(axes[0], results, name, label)
    axes[0].plot(SIZES, SOURCE_ERRORS, "^--", color="0.5", label="source")
    axes[0].set(title="erreur de reconstruction", yscale="log")
    for name, label, held_out in (("log_likelihood", "39 apprises", 0), ("held_out_log_likelihood", "9 de côté", 9)):
        draw(axes[1], results, name, label, held_out)
    axes[1].set(title="log-vraisemblance (nats)")
    axes[1].set_yscale("symlog", linthresh=200)
    low = min((min(line.get_ydata()) for line in axes[1].lines), default=-200)
    axes[1].set(yticks=[tick for tick in TICKS if tick > 2 * low], ylim=(min(-250, 2 * low), 60))
    axes[1].set_yticklabels([french_number(tick) for tick in axes[1].get_yticks()])
    axes[1].minorticks_off()
    for rank, (way, label) in enumerate((("short", "50 pas"), ("long", "1 000 pas"), ("annealed", "recuit"))):
        sizes = [q for q in SIZES if has(results, **q_config(q))]
        plot_seeds(axes[2], sizes, [results.values(f"{way}_recognised", **q_config(q)) for q in sizes], label, rank)
    axes[2].set(title="part d'images reconnues", ylim=(0, 1.05))
    for ax in axes:
        ax.set(xscale="log", xlabel="unités cachées q")
        ax.legend(fontsize=10)
    return canvas


def characters_figure(results):
    """Selon le nombre de caractères appris : combien sont présents dans les images, et quelle part est reconnue."""
    canvas, axes = plt.subplots(1, 2, figsize=(8, 3.8))
    axes[0].plot((1, 8), (1, 8), color="0.85", lw=8, label="tous", zorder=0)
    ways = (("cd", "short", "CD-1, 50 pas (source)"), ("cd", "long", "CD-1, 1 000 pas"), ("cd", "annealed", "CD-1, recuit"),
            ("pcd", "long", "PCD, 1 000 pas"), ("labels", "long", "étiquettes figées"))
    for rank, (learning, way, label) in enumerate(ways):
        learned = [n for n in range(1, 9) if several(n, learning) in results.configs]
        for ax, name in zip(axes, ("present", "recognised")):
            plot_seeds(ax, learned, [results.values(f"{way}_{name}", **several(n, learning)) for n in learned], label, rank)
    axes[0].set(ylabel="caractères présents", xlabel="caractères appris", ylim=(0, 12))
    axes[1].set(ylabel="part d'images reconnues", xlabel="caractères appris", ylim=(0, 1.05))
    axes[0].legend(fontsize=10, loc="upper left")
    return canvas


def mosaic(results, cases):
    """Une ligne d'images par cas : (titre, « short », « long » ou « annealed », configuration)."""
    canvas, axes = plt.subplots(len(cases), 1, figsize=(7.4, 0.86 * len(cases)), squeeze=False)
    for ax, (title, way, config) in zip(axes[:, 0], cases):
        images = unpacked(results.runs(**config)[0].metrics[f"{way}_images"]).reshape(-1, 20, 16)
        ax.imshow(np.hstack([np.pad(image, ((0, 0), (0, 3)), constant_values=0.5) for image in images])[:, :-3], cmap="gray", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
        ax.set_ylabel(title, rotation=0, ha="right", va="center")
    return canvas


def changes_figure(results):
    """Figure 2 de la source : des « A », un réglage changé à la fois, et la part que le juge en reconnaît."""
    cases = []
    for name, change in CHANGES.items():
        if basic(**change) in results.configs:
            share = 100 * results.values("short_recognised", **basic(**change)).mean()
            cases.append((f"{name} : {share:.0f} %", "short", basic(**change)))
    return mosaic(results, cases)


def sizes_mosaic(results):
    """Figure 3 de la source : des « 0 », selon le nombre d'unités cachées ; et ce que donne un recuit des deux plus grandes."""
    rows = [(f"q = {french_number(q)}", "short", q_config(q)) for q in SIZES] + [(f"{french_number(q)}, recuit", "annealed", q_config(q)) for q in SIZES[-2:]]
    return mosaic(results, [row for row in rows if has(results, **row[2])])


def characters_mosaic(results):
    """Figure 4 de la source : de un à huit caractères ; puis les 36, sans étiquette et en demandant les huit premiers."""
    rows = [(CHARACTERS[:n], "short", several(n)) for n in range(1, 9)]
    rows += [("les 36", "long", gentle("cd")), ("0 à 7 demandés", "long", gentle("labels"))]
    return mosaic(results, [row for row in rows if row[2] in results.configs])


def basic(**change):
    """La configuration de la figure 2 de la source, et un réglage changé."""
    return BASE | {"characters": "A", "q": 200, "epochs": 20} | change


def several(n, learning="cd"):
    """La configuration à n caractères (figure 4) : celle de la source si ``learning`` vaut « cd »."""
    return BASE | {"q": 500, "characters": CHARACTERS[:n], "learning": learning}


def everything(learning, **change):
    """Les trente-six caractères à la fois."""
    return BASE | {"q": 500, "characters": ALL, "learning": learning, "n_images": 360} | change


def draw(ax, results, metric, label, held_out=0):
    """Moyenne et intervalle à 95 % d'une mesure, selon q ; ce qui n'a pas encore été calculé manque."""
    present = [q for q in sorted({config["q"] for config in results.configs}) if has(results, **q_config(q, held_out))]
    values = [mean_interval(results.values(metric, **q_config(q, held_out))) for q in present]
    if values:
        mean, half = np.array(values).T
        ax.errorbar(present, mean, half, fmt="o-", capsize=3, label=label)


def q_config(q, held_out=0):
    """Ce qui distingue, dans la grille, la machine à q unités de la figure 3."""
    return {"characters": "0", "q": q, "held_out": held_out}


def has(results, **config):
    """Vrai s'il y a un essai de cette configuration."""
    return any(all(found[name] == value for name, value in config.items()) for found in results.configs)


def gentle(learning):
    """Les trente-six caractères, par un apprentissage plus doux que celui de la source."""
    return everything(learning, rate=0.05, batch_size=20)


def complete_grid():
    """Les figures 4, 3 et 2 de la source, puis au-delà ; les machines les plus grandes en dernier."""
    characters = [several(n, learning) for learning in ("cd", "pcd", "labels") for n in range(1, 9) if n > 1 or learning != "labels"]
    sizes = [BASE | q_config(q, held_out) for q in SIZES for held_out in (0, 9)]
    alphabet = [found(learning) for learning in ("cd", "labels") for found in (everything, gentle)]
    return characters + sizes[:12] + [basic(**change) for change in CHANGES.values()] + alphabet + sizes[12:]


def quick(config):
    """La même configuration, en bien plus court."""
    return config | {"q": {10000: 1200, 100000: 1500}.get(config["q"], config["q"]), "epochs": 3 if config["epochs"] == 100 else 2,
                     "long_steps": 5, "betas": 20, "n_images": config["n_images"] // 5}


experiment = Experiment(
    name="rbm-alphadigits", title="Une machine de Boltzmann sur AlphaDigits : combien d'unités, combien de caractères", source="004 §1.1",
    run=run, grids={"rapide": list(map(quick, complete_grid())), "complet": complete_grid()}, seeds={"rapide": 1, "complet": 5}, figure=figure)
