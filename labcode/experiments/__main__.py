"""``python -m labcode.experiments`` : lister, lancer, suivre et dessiner les expériences."""

import argparse
import re
import sys
from pathlib import Path

from labcode.experiments.experiment import SIZES, checked_seeds, discover, find
from labcode.experiments.runner import RunError, duration_text, experiment_state, load_results, run_experiment
from labcode.experiments.store import REASONS, StoreError

TRANSLATIONS = (  # les erreurs d'argparse, qui ne parle qu'anglais
    (r"unrecognized arguments: (.*)", r"argument inconnu : \1"),
    (r"the following arguments are required: (.*)", r"il manque : \1"),
    (r"argument (\S+): expected one argument", r"\1 : une valeur est attendue"),
    (r"argument (\S+): invalid choice: (.*) \(choose from (.*)\)", r"\1 : \2 inconnu, au choix : \3"),
    (r"argument (\S+): ignored explicit argument (.*)", r"\1 : cette option ne prend pas de valeur, reçu \2"),
    (r"argument (\S+): not allowed with argument (\S+)", r"\1 et \2 ne vont pas ensemble"),
    (r"argument (\S+): (.*)", r"\1 : \2"),
)


class FrenchParser(argparse.ArgumentParser):
    """Un analyseur de ligne de commande qui parle français."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, add_help=False, allow_abbrev=False, **options)
        self._positionals.title, self._optionals.title = "arguments", "options"
        self.add_argument("-h", "--aide", action="help", help="montre cette aide")

    def format_usage(self):
        return super().format_usage().replace("usage:", "utilisation :", 1)

    def format_help(self):
        return re.sub(r"^(\w+):$", r"\1 :", super().format_help().replace("usage:", "utilisation :", 1), flags=re.M)

    def error(self, message):
        for pattern, french in TRANSLATIONS:
            if re.fullmatch(pattern, message):
                message = re.sub(pattern, french, message)
                break
        self.print_usage(sys.stderr)
        self.exit(2, f"Erreur : {message}\n")


def count(text):
    """Un entier d'au moins 1."""
    if not re.fullmatch(r"0*[1-9]\d{0,8}", text):
        raise argparse.ArgumentTypeError(f"un nombre entier d'au moins 1 est attendu, reçu {text!r}")
    return int(text)


def parser():
    """La ligne de commande."""
    top = FrenchParser(prog="python -m labcode.experiments", description="Les expériences du livre.")
    commands = top.add_subparsers(dest="commande", required=True, metavar="commande", title="commandes", parser_class=FrenchParser)
    commands.add_parser("lister", help="montre les expériences")
    launch = commands.add_parser("lancer", help="fait les essais qui manquent")
    launch.add_argument("nom", help="nom de l'expérience")
    launch.add_argument("--complet", action="store_true", help="aux réglages de la source (par défaut : rapide)")
    launch.add_argument("--graines", type=count, metavar="N", help="nombre de graines (par défaut : celui de l'expérience)")
    where = launch.add_mutually_exclusive_group()
    where.add_argument("--paralleles", type=count, default=1, metavar="N", help="nombre d'essais de front")
    where.add_argument("--dask", metavar="ADRESSE", help="adresse de l'ordonnanceur d'un cluster Dask")
    launch.add_argument("--refaire", action="store_true", help="refait aussi les essais d'un autre code")
    state = commands.add_parser("etat", help="dit ce qui est fait, ce qui manque et ce que cela coûtera")
    state.add_argument("nom", nargs="?", help="nom de l'expérience (par défaut : toutes)")
    draw = commands.add_parser("figure", help="dessine les résultats rangés")
    draw.add_argument("nom", help="nom de l'expérience")
    draw.add_argument("--taille", choices=SIZES, help="par défaut : complet s'il y en a, rapide sinon")
    draw.add_argument("--fichier", type=Path, help="fichier .png, .svg ou .pdf à écrire (par défaut : NOM.png)")
    for command in (launch, state, draw):
        command.add_argument("--dossier", type=Path, help="dossier des résultats (par défaut : data/results)")
    return top


def list_experiments():
    """Le nom, le titre, la source et la taille des grilles de chaque expérience."""
    for experiment in available():
        sizes = ", ".join(f"{size} {len(experiment.grids[size])} × {len(checked_seeds(experiment.seeds[size]))}" for size in SIZES)
        print(f"{experiment.name} : {experiment.title} (source : {experiment.source})\n    configurations × graines : {sizes}")


def available():
    """Les expériences qui se chargent ; le dit des autres."""
    for module, found in discover():
        if isinstance(found, Exception):
            print(f"{module} : ce module ne se charge pas ({found})", file=sys.stderr)
        else:
            yield found


def show_state(experiment, folder):
    """Ce qui est fait, périmé ou manquant, par taille, et le temps que le reste prendra."""
    print(f"{experiment.name} : {experiment.title}")
    for size in SIZES:
        state = experiment_state(experiment, size, folder=folder)
        line = f"    {size:8} faits {len(state.done)}, périmés {len(state.stale)}, manquants {len(state.missing)}"
        if state.missing:
            cost = state.cost(state.missing)
            line += " (durée inconnue)" if cost is None else f" (environ {duration_text(cost)} de calcul)"
        print(line)


def launch(options):
    """Lance une expérience et dit ce qui en est rangé."""
    experiment, size = find(options.nom), "complet" if options.complet else "rapide"
    results = run_experiment(experiment, size, options.graines, options.paralleles, options.dask, folder=options.dossier, redo=options.refaire)
    print(f"{experiment.name} ({size}) : configurations {len(results.configs)}, essais rangés {len(results)}")
    if results.stale:
        print(f"Essais faits par un autre code que le présent : {len(results.stale)}. Pour les refaire : --refaire")


def draw(options):
    """Dessine les résultats d'une expérience dans un fichier."""
    import matplotlib

    matplotlib.use("agg")
    from labcode.figures import use_style

    experiment = find(options.nom)
    if experiment.figure is None:
        raise ValueError(f"l'expérience {experiment.name} n'a pas de figure")
    size = options.taille or ("complet" if has_results(experiment, options.dossier) else "rapide")
    results, path = load_results(experiment, size, options.dossier), options.fichier or Path(f"{experiment.name}.png")
    use_style()
    drawing = experiment.figure(results)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        drawing.savefig(path)
    except OSError as error:
        raise StoreError(f"« {path} » ne peut être écrit : {REASONS.get(error.errno, error.strerror)}.") from error
    print(f"{path} : résultats « {size} », essais {len(results)}")


def has_results(experiment, folder):
    """Vrai si des résultats complets sont rangés."""
    state = experiment_state(experiment, "complet", folder=folder)
    return bool(state.done or state.stale)


def main(arguments=None):
    """Rend 0 si tout va bien, 1 en cas d'erreur, 130 après Ctrl-C."""
    options = parser().parse_args(arguments)
    try:
        if options.commande == "lister":
            list_experiments()
        elif options.commande == "lancer":
            launch(options)
        elif options.commande == "figure":
            draw(options)
        else:
            for experiment in [find(options.nom)] if options.nom else available():
                show_state(experiment, options.dossier)
    except KeyboardInterrupt:
        print("\nInterrompu. Les essais finis sont rangés ; la même commande reprendra la suite.", file=sys.stderr)
        return 130
    except (ValueError, StoreError, RunError) as error:
        print(f"Erreur : {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
