"""Réexécute les carnets et range leurs sorties, toujours de la même façon.

    python site/carnets.py                 les carnets dont les sorties ne sont plus à jour
    python site/carnets.py --tout          tous
    python site/carnets.py chapters/01_perceptron.ipynb …

Un carnet est à jour tant que n'ont changé ni ses cellules de code, ni `labcode`, ni la banque de
questions, ni les versions figées. Deux exécutions de suite écrivent les mêmes octets : identifiants
de cellules conservés, identifiants de widgets recalculés, aucune date. Une figure de durées mesurées n'est jamais deux
fois la même : sous l'étiquette de cellule `durees`, l'image stockée reste tant que la cellule ne change pas (effacer
la sortie pour la remesurer).
"""

import argparse
import hashlib
import json
import os
import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parents[1]
STAMPS = ROOT / "_build" / "carnets"
CELL_TIMEOUT = 120  # secondes : quatre fois le budget d'une cellule
VIEW = "application/vnd.jupyter.widget-view+json"
IMAGE, TIMED = "image/png", "durees"
STATE = "application/vnd.jupyter.widget-state+json"
QUESTION = "application/vnd.labcode.question+json"


def fingerprint(notebook):
    """Empreinte de tout ce dont dépendent les sorties d'un carnet."""
    digest = hashlib.sha256()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            digest.update(cell.source.encode() + b"\0")
    sources = [*ROOT.glob("labcode/**/*.py"), *ROOT.glob("labcode/**/*.js"), *ROOT.glob("labcode/**/*.css"),
               *ROOT.glob("chapters/questions/*.yml"), ROOT / "constraints.txt", Path(__file__)]
    for path in sorted(sources):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def execute(notebook, path):
    """Exécute toutes les cellules dans un noyau neuf, depuis le dossier du carnet."""
    os.environ["PYTHONHASHSEED"] = "0"
    client = NotebookClient(notebook, timeout=CELL_TIMEOUT, kernel_name="python3", record_timing=False, coalesce_streams=True,
                            store_widget_state=True, resources={"metadata": {"path": str(path.parent)}})
    client.execute()
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.get("name") == "stderr":
                raise ValueError(f"une cellule écrit sur la sortie d'erreur :\n{output['text']}\n\nCellule :\n{cell.source}")


def references(model):
    """Identifiants des modèles cités par l'état d'un modèle de widget."""
    return set(re.findall(r"IPY_MODEL_(\w+)", json.dumps(model)))


def prune_widgets(notebook):
    """Ne garde que l'état des widgets affichés, et des liens entre eux.

    Les questions n'en ont pas besoin : le site les reconstruit depuis la banque.
    """
    kept, pending = set(), []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if QUESTION in data:
                data.pop(VIEW, None)
            elif VIEW in data:
                pending.append(data[VIEW]["model_id"])
    widgets = notebook.metadata.get("widgets", {}).get(STATE, {})
    state = widgets.get("state", {})
    while pending:
        name = pending.pop()
        if name in state and name not in kept:
            kept.add(name)
            pending.extend(references(state[name]))
    kept |= {name for name, model in state.items()
             if "LinkModel" in model["model_name"] and references(model) <= kept}
    if kept:
        widgets["state"] = {name: model for name, model in state.items() if name in kept}
    else:
        notebook.metadata.pop("widgets", None)


def rename_widgets(notebook, seed):
    """Remplace les identifiants tirés au hasard par des identifiants reproductibles."""
    state = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    text = nbformat.writes(notebook)
    for rank, name in enumerate(state):
        text = text.replace(name, hashlib.sha256(f"{seed}/{rank}".encode()).hexdigest()[:32])
    return nbformat.reads(text, as_version=4)


def tidy(notebook, seed):
    """Retire des sorties tout ce qui varie d'une exécution ou d'une machine à l'autre."""
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    prune_widgets(notebook)
    return rename_widgets(notebook, seed)


def timed_images(notebook):
    """Images encore bonnes des cellules étiquetées `durees`, par identifiant : leur code n'a pas changé depuis."""
    return {cell.id: [output.data[IMAGE] for output in cell.outputs if IMAGE in output.get("data", {})]
            for cell in notebook.cells
            if TIMED in cell.metadata.get("tags", ()) and cell.metadata.get(TIMED) == source_digest(cell)}


def keep_timed_images(notebook, images):
    """Remet ces images à leur place, et note de quel code elles sont la mesure."""
    for cell in notebook.cells:
        if TIMED in cell.metadata.get("tags", ()):
            cell.metadata[TIMED] = source_digest(cell)
            drawn = [output for output in cell.outputs if IMAGE in output.get("data", {})]
            for output, image in zip(drawn, images.get(cell.id, ())):
                output.data[IMAGE] = image


def source_digest(cell):
    return hashlib.sha256(cell.source.encode()).hexdigest()[:16]


def write(path, text):
    """Écrit d'un coup : un arrêt en cours d'écriture ne laisse pas de carnet tronqué."""
    temporary = path.with_name(path.name + ".partiel")
    temporary.write_text(text, encoding="utf-8", newline="\n")
    os.replace(temporary, path)


def refresh(path, force=False):
    """Réexécute un carnet s'il le faut ; rend le mot qui dit ce qui a été fait."""
    notebook = nbformat.read(path, as_version=4)
    stamp = STAMPS / f"{path.stem}.sha256"
    mark = fingerprint(notebook)
    if not force and stamp.exists() and stamp.read_text() == mark:
        return "à jour"
    before = path.read_text(encoding="utf-8")
    images = timed_images(notebook)
    execute(notebook, path)
    keep_timed_images(notebook, images)
    after = nbformat.writes(tidy(notebook, path.stem)) + "\n"
    if after != before:
        write(path, after)
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(mark)
    return "inchangé" if after == before else "réécrit"


def main():
    parser = argparse.ArgumentParser(description="Réexécute les carnets du livre et range leurs sorties.")
    parser.add_argument("carnets", nargs="*", type=Path, help="carnets à traiter (par défaut : tous ceux de chapters/)")
    parser.add_argument("--tout", action="store_true", help="réexécuter même ce qui est à jour")
    args = parser.parse_args()
    failures = 0
    for path in args.carnets or sorted((ROOT / "chapters").glob("*.ipynb")):
        try:
            print(f"{path.name} : {refresh(path.resolve(), args.tout)}", flush=True)
        except (CellExecutionError, ValueError, OSError, TimeoutError) as error:
            failures += 1
            print(f"{path.name} : ÉCHEC, carnet laissé tel quel\n{error}", file=sys.stderr, flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
