"""La banque : ses erreurs nomment le fichier, la question et le champ ; son rendu est sûr."""

import copy
import json
import os

import pytest
import yaml

from labcode.tp import bank


def problems_of(question):
    return "\n".join(bank.validate(question, "09_exemple"))


def test_sample_is_valid(sample):
    assert {question["type"] for question in sample.values()} == set(bank.TYPES)
    for question in sample.values():
        assert problems_of(question) == ""


@pytest.mark.parametrize(
    ("name", "field", "value", "expected"),
    [
        ("exemple-nombre-poids", "type", "quiz", "champ « type » : « quiz » n'existe pas"),
        ("exemple-nombre-poids", "id", "Exemple Un", "champ « id » : il faut des mots en minuscules"),
        ("exemple-nombre-poids", "id", "autre-nom", "doit commencer par « exemple- »"),
        ("exemple-nombre-poids", "title", "", "champ « title »"),
        ("exemple-nombre-poids", "difficulty", 4, "champ « difficulty »"),
        ("exemple-nombre-poids", "minutes", "5", "champ « minutes »"),
        ("exemple-nombre-poids", "hints", ["un seul"], "trois indices gradués"),
        ("exemple-nombre-poids", "solution", None, "champ « solution »"),
        ("exemple-nombre-poids", "equations", ["softmax"], "champ « equations »"),
        ("exemple-nombre-poids", "answer", "douze", "champ « answer » : un nombre"),
        ("exemple-nombre-poids", "tolerance", -1, "champ « tolerance »"),
        ("exemple-nombre-poids", "tolérance", 1, "vouliez-vous dire « tolerance »"),
        ("exemple-nombre-poids", "mistakes", [{"value": 3}], "chaque faute a une valeur"),
        ("exemple-nombre-poids", "tests", {"accepted": ["15"]}, "au moins deux autres réponses justes"),
        ("exemple-nombre-poids", "tests", {"rejected": [{"answer": 1}]}, "un champ message"),
        ("exemple-formule-cachee", "variables", {"h": [[1]]}, "la taille de « h »"),
        ("exemple-formule-cachee", "variables", {"h": {"shape": [], "domain": "réel"}}, "le domaine de « h »"),
        ("exemple-formule-cachee", "variables", {}, "les symboles et leurs tailles"),
        ("exemple-formule-cachee", "mistakes", ["h"], "chaque faute a une formule"),
        ("exemple-choix-softmax", "options", [{"text": "seule", "correct": True}], "au moins deux options"),
        ("exemple-choix-softmax", "options", [{"text": "a", "correct": True}, {"text": "b"}], "option 2 : une option fausse a un message"),
        ("exemple-choix-softmax", "options", [{"text": "a", "correct": True}, {"text": "b", "correct": True}], "une seule option juste"),
        ("exemple-prediction-epoques", "options", [{"text": "a", "correct": True}, {"text": "b"}], "n'a pas de « correct »"),
        ("exemple-choix-softmax", "options", [{"text": "$x^$", "correct": True}, {"text": "b", "message": "non"}], "champ « options » : formule LaTeX illisible"),
        ("exemple-taille-couche", "answer", [3, 4], "champ « answer » : une taille est attendue"),
        ("exemple-taille-couche", "symbols", ["n h"], "champ « symbols »"),
        ("exemple-taille-couche", "symbols", "N", "champ « symbols »"),
        ("exemple-taille-couche", "mistakes", [{"formula": "(N)", "message": "non"}], "chaque faute a une taille (shape)"),
        ("exemple-taille-couche", "tests", {"accepted": ["(N, n_h)", "N × n_h"]}, "au moins trois réponses fausses"),
        ("exemple-taille-couche", "pairs", [], "champ « pairs » : champ inconnu"),
        ("exemple-association-pertes", "pairs", [{"left": "a", "right": "b"}] * 2, "paire 1 : trois textes"),
        ("exemple-association-pertes", "pairs", [{"left": "a", "right": r, "message": "m"} for r in "bc"], "deux paires ont le même élément de gauche"),
        ("exemple-association-pertes", "pairs", [{"left": "a", "right": "b", "message": "m"}], "au moins deux paires"),
        ("exemple-association-pertes", "distractors", ["l'erreur quadratique"], "champ « distractors »"),
        ("exemple-ordre-pas", "items", [{"text": "a"}, {"text": "b", "message": "m"}], "au moins trois étapes"),
        ("exemple-ordre-pas", "items", [{"text": t} for t in "abc"], "étape 2 : un message dit pourquoi"),
        ("exemple-ordre-pas", "items", [{"text": "a", "message": "m"}] * 3, "deux étapes ont le même texte"),
        ("exemple-texte-hasard", "criteria", ["un seul"], "deux à huit critères"),
        ("exemple-texte-hasard", "tests", {"accepted": ["oui"]}, "champ « tests » : une question de ce type"),
        ("exemple-code-sigmoide", "function", "def", "champ « function »"),
        ("exemple-code-sigmoide", "signature", 3, "champ « signature »"),
        ("exemple-code-sigmoide", "seconds", 0, "champ « seconds »"),
        ("exemple-code-sigmoide", "solution", "sans programme", "un bloc ```python"),
    ],
)
def test_errors_name_the_field(sample, name, field, value, expected):
    question = {**copy.deepcopy(sample[name]), field: value}
    assert expected.replace(" ", "") in problems_of(question).replace("\u00a0", " ").replace(" ", "")


def test_errors_name_file_and_question(tmp_path, sample):
    path = tmp_path / "09_exemple.yml"
    questions = [dict(sample["exemple-nombre-poids"], difficulty=9), dict(sample["exemple-choix-softmax"], minutes=0)]
    path.write_text(yaml.safe_dump(questions, allow_unicode=True), encoding="utf-8")
    with pytest.raises(bank.BankError) as error:
        bank.load_file(path)
    lines = str(error.value).splitlines()
    assert len(lines) == 2
    for line, name, field in zip(lines, ("exemple-nombre-poids", "exemple-choix-softmax"), ("difficulty", "minutes")):
        assert "09_exemple.yml" in line and name in line and field in line


@pytest.mark.parametrize("content", ["- id: [", "titre: seul", "", "- 3", "\t- id: x"])
def test_unreadable_files(tmp_path, content):
    path = tmp_path / "09_exemple.yml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(bank.BankError, match="09_exemple.yml"):
        bank.load_file(path)


def test_identifiers_are_unique(tmp_path, sample):
    question = sample["exemple-nombre-poids"]
    (tmp_path / "09_exemple.yml").write_text(yaml.safe_dump([question, question]), encoding="utf-8")
    with pytest.raises(bank.BankError, match="sert deux fois"):
        bank.load_bank(tmp_path)


def test_edited_file_is_read_again(tmp_path, sample):
    path = tmp_path / "09_exemple.yml"
    for rank, title in enumerate(["Avant", "Après"]):
        path.write_text(yaml.safe_dump([dict(sample["exemple-nombre-poids"], title=title)]), encoding="utf-8")
        os.utime(path, ns=(rank, rank))
        assert bank.load_file(path)[0]["title"] == title


def test_rendering():
    assert bank.render("a $x < y$ **b**", "mathjax") == '<p>a <span class="math inline">\\(x &lt; y\\)</span> <strong>b</strong></p>'
    assert "<math" in bank.render("$x^2$", "mathml") and "<msup>" in bank.render("$x^2$", "mathml")
    assert "\\[" in bank.render("$$x$$", "mathjax")
    assert "<script" not in bank.render("<script>alert(1)</script>", "mathml")
    assert bank.render("$x$", "mathjax", inline=True).startswith("<span")


def test_exam_edition_carries_no_key(sample):
    for question in sample.values():
        data = bank.compiled(question, edition="examen")
        assert not {"answer", "tolerance", "mistakes", "hints", "solution", "key", "messages", "criteria"} & set(data)
        assert all(set(option) == {"text"} for option in data.get("options", []))
        assert all(set(declared) == {"shape"} for declared in data.get("variables", {}).values())


def test_shuffled_items_are_stable_and_never_in_order(sample):
    for seed in ("a", "b", "c", "d"):
        order = bank.shuffled(["un", "deux", "trois"], seed)
        assert order == bank.shuffled(["un", "deux", "trois"], seed) != ["un", "deux", "trois"]
        assert sorted(order) == ["deux", "trois", "un"]
    data = bank.compiled(sample["exemple-association-pertes"], math=None)
    assert [data["right"][rank] for rank in data["key"]] == [pair["right"] for pair in sample["exemple-association-pertes"]["pairs"]]
    data = bank.compiled(sample["exemple-ordre-pas"], math=None)
    assert [data["items"][rank] for rank in data["key"]] == [item["text"] for item in sample["exemple-ordre-pas"]["items"]]


def test_code_defaults(sample):
    question = sample["exemple-code-sigmoide"]
    assert (question["signature"], question["reference"], question["seconds"]) == ("sigmoid(x)", "sigmoid", 2.0)


def test_revision_follows_the_content(sample):
    question = sample["exemple-nombre-poids"]
    changed = dict(question, answer=16.0)
    assert bank.compiled(question)["revision"] == bank.compiled(copy.deepcopy(question))["revision"]
    assert bank.compiled(question)["revision"] != bank.compiled(changed)["revision"]
    assert bank.compiled(question)["revision"] == bank.compiled(dict(question, minutes=question["minutes"] + 5))["revision"]  # rien à rejuger
    json.dumps(bank.compiled(question))
