"""Le contrat des chapitres : mêmes rubriques, cellules courtes, sorties stockées, figures décrites."""

import re

import jupytext
import pytest

HEADINGS = ["Objectifs", "Prédire, puis exécuter", "Expériences", "Questions de TP",
            "À retenir", "Pour aller plus loin", "Sources et écarts"]
ONLY_A_QUESTION = re.compile(r"^```\{code-cell\}[^\n]*\nquestion\([^\n]*\)\n```\n\n?", re.M)
QUESTION_CALL = re.compile(r"question\(\s*[\"']([\w-]+)[\"']")


def test_rubriques_dans_l_ordre(chapter):
    found = re.findall(r"^## (.+)$", chapter.markdown, re.M)
    assert [title for title in found if title in HEADINGS] == HEADINGS
    assert found[0] == "Objectifs"
    objectives = chapter.markdown.split("## Objectifs")[1].split("\n## ")[0]
    assert "**Prérequis" in objectives and "**Durée" in objectives


def test_un_seul_titre(chapter):
    assert len(re.findall(r"^# .+$", chapter.markdown, re.M)) == 1


def test_se_lit_d_une_traite(chapter):
    """450 lignes de texte et de code ; les cellules qui ne font qu'afficher une question ne comptent pas."""
    text = re.sub(r"^durees: .*\n", "", jupytext.writes(chapter.notebook, fmt="md:myst"), flags=re.M)
    assert len(ONLY_A_QUESTION.sub("", text).splitlines()) <= 450


def test_cellules_courtes(chapter):
    """Dix lignes au plus, sauf les figures dont le code est replié ; jamais plus large que la colonne."""
    for cell in chapter.code_cells:
        lines = cell.source.strip().splitlines()
        assert len(lines) <= (25 if "hide-input" in cell.metadata.get("tags", []) else 10), cell.source
        assert max(map(len, lines)) <= 80, f"ligne de plus de 80 caractères :\n{cell.source}"


def test_executees_dans_l_ordre_sans_erreur(chapter):
    counts = [cell.execution_count for cell in chapter.code_cells]
    assert counts == list(range(1, len(counts) + 1))
    outputs = [output for cell in chapter.code_cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]


def test_figures_decrites(chapter):
    for cell in chapter.code_cells:
        if any("image/png" in output.get("data", {}) for output in cell.outputs):
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            assert len(alt) >= 40, f"figure sans description :\n{cell.source}"


LOADED_BY = {"alphadigits": r"load_alphadigits|images_of\(", "usps": r"load_usps", "cifar10": r"load_cifar10"}


@pytest.mark.parametrize("name", LOADED_BY)
def test_donnees_absentes_du_depot_annoncees(chapter, name):
    """Ce que le dépôt ne contient pas, le carnet l'annonce dans ses métadonnées : nbval le saute si on ne peut l'obtenir."""
    loaded = any(re.search(LOADED_BY[name], cell.source) for cell in chapter.code_cells)
    assert loaded == (name in chapter.notebook.metadata.get("labcode", {}).get("datasets", ()))


def test_sorties_sans_adresse_ni_chemin(chapter):
    for cell in chapter.code_cells:
        for output in cell.outputs:
            text = output.get("text", "") + str(output.get("data", {}).get("text/plain", ""))
            assert not re.search(r"0x[0-9a-f]{6,}|/(home|root|Users)/|C:\\", text), text


def test_le_lecteur_parie_avant_de_voir(chapter):
    section = False
    hidden = 0
    for cell in chapter.notebook.cells:
        if cell.cell_type == "markdown" and re.search(r"^## ", cell.source, re.M):
            section = "## Prédire, puis exécuter" in cell.source
        elif section and cell.cell_type == "code":
            hidden += bool({"hide-output", "hide-cell"} & set(cell.metadata.get("tags", [])))
    assert hidden >= 1
    assert any(question["type"] == "prediction" for question in chapter.questions)


def test_chaque_question_est_posee_une_fois(chapter):
    asked = [name for cell in chapter.code_cells for name in QUESTION_CALL.findall(cell.source)]
    assert sorted(asked) == sorted(question["id"] for question in chapter.questions)
    assert sum(question["type"] != "prediction" for question in chapter.questions) >= 6


def test_dimensions_du_dépôt(chapter):
    assert chapter.path.stat().st_size < 2_000_000
