"""La ligne de commande, en français jusque dans ses erreurs."""

import re
import sys

import pytest
import toy

import labcode.experiments
from labcode.experiments.__main__ import main
from labcode.experiments.store import Store

ENGLISH = re.compile(r"\b(usage|error|invalid|choose|required|expected|show|help|exit|the|following|unrecognized|traceback)\b", re.I)


@pytest.fixture
def type_command(tmp_path, monkeypatch, capsys):
    """Tape une commande ; renvoie le code de sortie, la sortie et les erreurs."""
    (tmp_path / "un_jouet_de_plus.py").write_text("from toy import declare\nexperiment = declare()\n")
    (tmp_path / "un_module_fautif.py").write_text("import inexistant_\n")
    monkeypatch.setattr(labcode.experiments, "__path__", [str(tmp_path)])
    for name in ("un_jouet_de_plus", "un_module_fautif"):  # ceux d'un autre essai
        monkeypatch.delitem(sys.modules, f"labcode.experiments.{name}", raising=False)
    monkeypatch.chdir(tmp_path)

    def run(line):
        try:
            code = main(line.split())
        except SystemExit as stop:
            code = stop.code
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_from_listing_to_figure(type_command, tmp_path):
    code, out, err = type_command("lister")
    assert code == 0 and "jouet" in out and "rapide 3 × 4, complet 6 × 5" in out and "un_module_fautif" in err
    assert "manquants 30 (durée inconnue)" in type_command("etat jouet --dossier r")[1]
    code, out, err = type_command("figure jouet --dossier r")
    assert code == 1 and "lancer jouet" in err
    code, out, err = type_command("lancer jouet --dossier r --graines 2")
    assert code == 0 and "configurations 3, essais rangés 6" in out and "6/6" in err
    code, out, _ = type_command("etat --dossier r")
    assert "faits 6, périmés 0, manquants 6 (environ moins de 1 s de calcul)" in out
    code, out, _ = type_command("figure jouet --dossier r")
    assert code == 0 and (tmp_path / "jouet.png").read_bytes().startswith(b"\x89PNG") and out.startswith("jouet.png")
    type_command("lancer jouet --complet --dossier r --paralleles 2")
    assert "« complet »" in type_command("figure jouet --dossier r --fichier f.svg")[1] and (tmp_path / "f.svg").exists()
    assert len(Store("jouet", tmp_path / "r").records()) == 6 + 30 - 6


@pytest.mark.parametrize("line, message", [
    ("", "il manque : commande"),
    ("lance jouet", "'lance' inconnu, au choix"),
    ("lancer", "il manque : nom"),
    ("lancer jouet --vite", "argument inconnu : --vite"),
    ("lancer jouet de trop", "argument inconnu : de trop"),
    ("lancer jouet --graines", "--graines : une valeur est attendue"),
    ("lancer jouet --graines deux", "--graines : un nombre entier d'au moins 1 est attendu, reçu 'deux'"),
    ("lancer jouet --graines 0", "reçu '0'"),
    ("lancer jouet --graines -3", "--graines : "),
    ("lancer jouet --paralleles 1.5", "reçu '1.5'"),
    ("lancer jouet --paralleles 2 --dask tcp://127.0.0.1:9", "ne vont pas ensemble"),
    ("lancer jouet --complet=oui", "ne prend pas de valeur"),
    ("figure jouet --taille grand", "'grand' inconnu, au choix"),
])
def test_bad_command_lines(type_command, line, message):
    code, out, err = type_command(line)
    assert code == 2 and message in err and not out
    assert not ENGLISH.search(err), err


@pytest.mark.parametrize("line, message", [
    ("lancer chimere", "« chimere » inconnue. Existent : jouet"),
    ("etat chimere", "« chimere » inconnue"),
    ("lancer jouet --dossier /proc/labcode", "ne peut être écrit"),
    ("figure jouet --dossier /proc/labcode", "Aucun résultat"),
])
def test_errors(type_command, line, message):
    code, out, err = type_command(line)
    assert code == 1 and err.startswith("Erreur : ") and message in err
    assert not ENGLISH.search(err.replace("inexistant_", "").replace("No module named", "")), err


def test_help(type_command):
    for line in ("--aide", "lancer -h", "etat --aide", "figure --aide", "lister --aide"):
        code, out, _ = type_command(line)
        assert code == 0 and "utilisation :" in out and not ENGLISH.search(out), out


def test_interrupted(type_command, monkeypatch):
    def interrupted(config, seed):
        raise KeyboardInterrupt

    monkeypatch.setattr(toy, "run", interrupted)
    code, _, err = type_command("lancer jouet --dossier r")
    assert code == 130 and "la même commande reprendra" in err
