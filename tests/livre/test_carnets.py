"""site/carnets.py : des sorties rangées toujours de la même façon."""

import importlib.util
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def carnets():
    spec = importlib.util.spec_from_file_location("carnets", ROOT / "site" / "carnets.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def model(name, state=None):
    return {"model_module": "m", "model_module_version": "1", "model_name": name, "state": state or {}}


def notebook(carnets, state, shown, question=None):
    outputs = [nbformat.v4.new_output("display_data", {carnets.VIEW: {"model_id": shown}, "text/plain": "curseur"})]
    if question:
        outputs.append(nbformat.v4.new_output("display_data", {carnets.VIEW: {"model_id": question},
                                                               carnets.QUESTION: {"id": "q"}, "text/plain": "Q"}))
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", id="abc", outputs=outputs)])
    nb.metadata["widgets"] = {carnets.STATE: {"state": state, "version_major": 2, "version_minor": 0}}
    return nb


def random_state(a, b, link, orphan, quiz):
    return {a: model("FloatSliderModel", {"layout": f"IPY_MODEL_{b}"}), b: model("LayoutModel"),
            link: model("LinkModel", {"source": [f"IPY_MODEL_{a}", "value"]}),
            orphan: model("FloatSliderModel"), quiz: model("AnyModel")}


def test_identifiants_reproductibles(carnets):
    ids = [[f"{letter}{i}" * 16 for letter in "abcde"] for i in (1, 2)]
    results = [nbformat.writes(carnets.tidy(notebook(carnets, random_state(*names), names[0], names[4]), "chapitre"))
               for names in ids]
    assert results[0] == results[1]
    assert not any(name in results[0] for name in ids[0])


def test_ne_garde_que_ce_qui_est_affiche(carnets):
    names = [letter * 32 for letter in "abcde"]
    nb = carnets.tidy(notebook(carnets, random_state(*names), names[0], names[4]), "chapitre")
    kept = nb.metadata["widgets"][carnets.STATE]["state"]
    assert sorted(m["model_name"] for m in kept.values()) == ["FloatSliderModel", "LayoutModel", "LinkModel"]
    shown, question = nb.cells[0].outputs
    assert shown.data[carnets.VIEW]["model_id"] in kept
    assert carnets.VIEW not in question.data and question.data[carnets.QUESTION] == {"id": "q"}


def test_carnet_sans_widget(carnets):
    nb = carnets.tidy(notebook(carnets, {}, "a" * 32), "chapitre")
    assert "widgets" not in nb.metadata


def test_empreinte_suit_le_code_pas_le_texte(carnets):
    def nb(text, code):
        return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text), nbformat.v4.new_code_cell(code)])
    assert carnets.fingerprint(nb("a", "x = 1")) == carnets.fingerprint(nb("b", "x = 1"))
    assert carnets.fingerprint(nb("a", "x = 1")) != carnets.fingerprint(nb("a", "x = 2"))


def test_cellule_en_echec_laisse_le_carnet_intact(carnets, tmp_path, monkeypatch, capsys):
    path = tmp_path / "essai.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0", id="x")]), path)
    before = path.read_bytes()
    monkeypatch.setattr("sys.argv", ["carnets.py", str(path)])
    monkeypatch.setattr(carnets, "STAMPS", tmp_path / "marques")
    assert carnets.main() == 1
    assert path.read_bytes() == before
    assert "ÉCHEC" in capsys.readouterr().err


def test_execution_repetee_memes_octets(carnets, tmp_path, monkeypatch):
    path = tmp_path / "essai.ipynb"
    code = "import ipywidgets\nipywidgets.FloatSlider(description='a')"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code, id="x")]), path)
    monkeypatch.setattr(carnets, "STAMPS", tmp_path / "marques")
    assert carnets.refresh(path) == "réécrit"
    first = path.read_bytes()
    assert carnets.refresh(path) == "à jour"
    assert carnets.refresh(path, force=True) == "inchangé"
    assert path.read_bytes() == first


def test_figure_de_durees_gardee_tant_que_la_cellule_ne_change_pas(carnets, tmp_path, monkeypatch):
    path = tmp_path / "essai.ipynb"
    code = "import time\nfrom IPython.display import display\ndisplay({'image/png': str(time.time_ns())}, raw=True)"
    cell = nbformat.v4.new_code_cell(code, id="x", metadata={"tags": ["durees"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    monkeypatch.setattr(carnets, "STAMPS", tmp_path / "marques")
    carnets.refresh(path)
    first = path.read_bytes()
    assert carnets.refresh(path, force=True) == "inchangé" and path.read_bytes() == first
    changed = nbformat.read(path, as_version=4)
    changed.cells[0].source += "\n"
    nbformat.write(changed, path)
    carnets.refresh(path)
    image = nbformat.read(path, as_version=4).cells[0].outputs[0].data["image/png"]
    assert image not in first.decode()


def test_sorties_ecrites_en_plusieurs_fois_reunies(carnets, tmp_path, monkeypatch):
    path = tmp_path / "essai.ipynb"
    code = "import time\nfor i in range(3):\n    print(i, flush=True)\n    time.sleep(0.3)"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code, id="x")]), path)
    monkeypatch.setattr(carnets, "STAMPS", tmp_path / "marques")
    carnets.refresh(path)
    outputs = nbformat.read(path, as_version=4).cells[0].outputs
    assert [output.text for output in outputs] == ["0\n1\n2\n"]
