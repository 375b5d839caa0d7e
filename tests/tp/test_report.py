"""Le compte-rendu : ce qu'il dit, ce qu'il relit, et l'accord du Python et du JavaScript qui l'écrivent."""

import csv
import importlib
import io
import json
import re
import subprocess
from pathlib import Path
from random import Random

import pytest

from labcode.tp import bank, bundle, compte_rendu, question, rehearsal, report
from labcode.tp.report import Report, ReportError
from labcode.tp.widget import Question

from .conftest import HERE, ROOT, write_book

needs_node = pytest.mark.skipif(not rehearsal.has_node(), reason="Node n'est pas installé")
HOSTILE = '"><img src=x onerror=pwned()>'
ANSWERS = {
    "exemple-nombre-poids": ("15", "right", 2, 1),
    "exemple-nombre-tolerance": ("0,5 `mal` ", "wrong", 3, 3),
    "exemple-formule-cachee": ("(1-h^2) * (W_y.T @ grad_y_tilde)", "right", 1, 0),
    "exemple-choix-softmax": (1, "wrong", 1, 0),
    "exemple-choix-multiples": ([0, 1], "right", 1, 0),
    "exemple-prediction-epoques": (2, "recorded", 1, 0),
    "exemple-taille-couche": ("(N, n_h)", "right", 1, 0),
    "exemple-association-pertes": ([2, None, 0], "wrong", 1, 0),
    "exemple-ordre-pas": ([4, 3, 2, 1, 0], "wrong", 1, 0),
    "exemple-texte-hasard": ({"text": f"Ils restent égaux, car $a<b$ et <b>x</b>.\n\n{HOSTILE}", "ticked": [0, 2]}, "recorded", 1, 0),
    "exemple-code-sigmoide": ("def sigmoid(x):\n    return ```x```", "wrong", 4, 0),
}


def node(action, **data):
    """Ce que le JavaScript fait de ces données."""
    done = subprocess.run(["node", HERE / "report.mjs", action], input=json.dumps(data), capture_output=True, text=True,
                          encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def chapters():
    """Les questions d'exemple, en un seul chapitre."""
    return report.load_chapters(HERE)


@pytest.fixture
def questions(chapters):
    return {question["id"]: question for chapter in chapters for question in chapter["questions"]}


@pytest.fixture
def full(chapters, questions):
    """Un compte-rendu où l'on a répondu à tout, avec un nom et des remarques hostiles."""
    answers = {name: state(questions[name], *given) for name, given in ANSWERS.items()}
    answers["exemple-nombre-poids"]["remark"] = f"Facile.\n{HOSTILE}"
    return Report(["Ada *Lovelace*", HOSTILE], answers, chapters, "Fait en binôme.\n<script>pwned()</script>", "2026-03-01")


def state(question, answer, verdict, attempts=1, hints=0):
    return {"revision": question["revision"], "answer": answer, "attempts": attempts, "hints": hints, "verdict": verdict, "date": "", "remark": ""}


def book(chapters):
    return {"book": report.BOOK, "style": report.stylesheet(), "edition": "eleve", "chapters": chapters}


# ── Ce qu'il dit ─────────────────────────────────────────────────────────────


def test_dates():
    assert [report.french_date(date) for date in ("2026-03-01", "2026-11-21", "2026-13-01", "", "hier")] == ["1er mars 2026", "21 novembre 2026", "", "", ""]


def test_markdown_says_everything(full):
    text = full.markdown()
    assert text.startswith("# Compte-rendu\n\nRéseaux de neurones à partir de rien\n\n**Ada \\*Lovelace\\*, ")
    assert "*1er mars 2026 · 4 justes sur 11 questions, 2 enregistrées" in text
    assert "$X$ a la taille $N \\times n_x$" in text  # l'énoncé, formules comprises
    assert "*✓ Juste · 2 essais · 1 indice*" in text
    assert "`(1-h^2) * (W_y.T @ grad_y_tilde)`" in text
    assert "- Aucun nombre n'y suffira" in text and "*● Prédiction*" in text
    assert "● Auto-évaluation\u00a0: 2 critères sur 3" in text and "**Critères cochés**\n\n- Les neurones égaux" in text
    assert "````python\ndef sigmoid(x):\n    return ```x```\n````" in text
    assert "`` 0,5 `mal` ``" in text  # l'accent grave de l'élève ne ferme pas le code
    assert "> Facile." in text and "**Remarque**" in text


def test_matching_and_ordering_are_readable(full, questions):
    raw = bank.load_bank(HERE)["exemple-association-pertes"]
    shown = bank.compiled(raw, None)
    text = full.markdown()
    assert f"- {shown['left'][0]} → {shown['right'][2]}" in text and f"- {shown['left'][1]} → …" in text
    items = bank.compiled(bank.load_bank(HERE)["exemple-ordre-pas"], None)["items"]
    assert f"1. {items[4]}\n2. {items[3]}" in text


def test_unanswered_questions_are_there(chapters):
    text = Report([], {}, chapters).markdown()
    assert text.count("*○ Sans réponse") == len(chapters[0]["questions"]) and "**Réponse**" not in text
    assert all(question["title"] in text for question in chapters[0]["questions"])


def test_student_text_is_inert(full):
    page, text = full.html(), full.markdown()
    body = page.split("<body>")[1]
    assert "<img" not in page and "<script" not in page and "<b>x" not in page
    assert "&lt;img src=x" in body and 'default-src \'none\'' in page
    assert "< img src=x" in text and "<img" not in text.replace("\\<img", "") and "< script" in text


def test_no_key_is_shown(chapters, sample):
    """Rien du corrigé n'est dans les données de la page : ni solution, ni indice, ni message, ni réponse."""
    for edition in ("eleve", "examen"):
        for question in sample.values():
            data = report.shown(question, edition)
            assert not {"answer", "solution", "mistakes", "key", "messages", "tolerance", "variables"} & set(data)
            assert set(data["hints"]) <= {""} and all(set(option) == {"text"} for option in data.get("options", []))


def test_chapter_titles_come_from_the_notebooks():
    titles = [chapter["title"] for chapter in report.load_chapters(ROOT / "chapters/questions")]
    assert "La rétropropagation" in titles and "Du neurone formel au perceptron" in titles


# ── Ce qu'il relit ───────────────────────────────────────────────────────────


def test_file_reads_back(full, chapters):
    again = Report.read(full.json(), chapters)
    assert again.answers == full.answers and again.json() == full.json() and again.html() == full.html()


BAD = {
    "{": "JSON lisible", "[" * 100_000: "JSON lisible", "null": "pas un compte-rendu", '{"a": 1}': "pas un compte-rendu",
    '{"format": "labcode-compte-rendu", "answers": {}}': "numéro de version", '{"format": "labcode-compte-rendu", "version": true, "answers": {}}': "numéro de version",
    '{"format": "labcode-compte-rendu", "version": 2, "answers": {}}': "version plus récente",
    '{"format": "labcode-compte-rendu", "version": 1, "answers": [1]}': "pas de réponses lisibles", " " * 5_000_001: "trop gros",
}


@pytest.mark.parametrize("text", BAD, ids=lambda text: text[:20].strip() or "gros")
def test_bad_files_are_explained(text, chapters):
    with pytest.raises(ReportError, match=BAD[text]):
        Report.read(text, chapters)


@needs_node
def test_the_page_refuses_the_same_files(chapters):
    results = node("lire", texts=list(BAD), questions=chapters[0]["questions"])
    assert [expected in result["error"] and result["report"] is None for result, expected in zip(results, BAD.values())] == [True] * len(BAD)


def test_bad_answers_are_left(full, chapters, questions):
    content = json.loads(full.json())
    content["answers"] |= {"inconnue": {}, "exemple-choix-softmax": {**content["answers"]["exemple-choix-softmax"], "answer": 99},
                           "exemple-nombre-poids": {**content["answers"]["exemple-nombre-poids"], "revision": "00000000"},
                           "exemple-choix-multiples": {**content["answers"]["exemple-choix-multiples"], "revision": "00000000"}}
    content["names"] = ["  Ada\u202e ", 3, "", "x" * 500]
    again = Report.read(json.dumps(content), chapters)
    assert not {"inconnue", "exemple-choix-softmax", "exemple-choix-multiples"} & set(again.answers)
    kept = again.answers["exemple-nombre-poids"]  # question récrite : le texte reste, le verdict non
    assert (kept["answer"], kept["verdict"], kept["attempts"]) == ("15", "", 0)
    assert again.names == ["Ada", "x" * 100]


@needs_node
def test_page_and_python_write_the_same(full, chapters):
    report_ = json.loads(full.json())
    name = "exemple-texte-hasard"
    draft = {name: report_["answers"][name] | {"verdict": "", "answer": {"text": "Un brouillon", "ticked": []}}}
    for given in (report_, report_ | {"names": [], "date": "", "remark": "", "answers": {}}, report_ | {"answers": draft}):
        written = node("ecrire", report=given, book=book(chapters))
        again = Report.read(json.dumps(given), chapters)
        assert written["markdown"] == again.markdown()
        assert written["html"] == again.html()
    assert "◐ Brouillon" in again.markdown()


@needs_node
def test_page_and_python_read_the_same(questions):
    """Deux mille états au hasard, souvent faux : les deux décodeurs sont d'accord."""
    random, cases = Random(4), []
    pool = [None, True, False, 0, 1, 3, -1, 7, 1.5, "", "15", "x" * 5001, [], [0], [0, 1], [4, 3, 2, 1, 0], [0, 0, 0], [None, 0, 1], [1, 2, 3, "a"],
            {}, {"text": "a", "ticked": [0]}, {"text": 3, "ticked": []}, {"text": "a", "ticked": [9]}, {"text": "a"}]
    for _ in range(2000):
        question = random.choice(list(questions.values()))
        cases.append((question, {"revision": random.choice([question["revision"]] * 3 + ["autre", None]), "answer": random.choice(pool),
                                 "attempts": random.choice([0, 3, -1, 2.5, True, "2", 10**6]), "hints": random.choice([0, 2, 50, None]),
                                 "verdict": random.choice(["right", "wrong", "recorded", "", "x", None, []]), "date": random.choice(["", "hier", 3])}))
    for (question, given), page in zip(cases, node("decoder", cases=cases)):
        python = report.decode(question, given)
        trimmed = python and {name: python[name] for name in page or python}
        assert trimmed == page, (question["id"], given)


# ── Réunir, avancer, noter (JavaScript) ──────────────────────────────────────


@needs_node
def test_a_better_answer_is_never_replaced():
    entry = dict(attempts=1, hints=0)
    mine = {"a": {"answer": "1", "verdict": "right", **entry}, "b": {"answer": "1", "verdict": "wrong", **entry}, "c": {"answer": "1", "verdict": "right", **entry},
            "d": {"answer": None, "verdict": "", **entry}, "f": {"answer": 1, "verdict": "recorded", **entry}}
    theirs = {"a": {"answer": "2", "verdict": "wrong", **entry}, "b": {"answer": "2", "verdict": "right", **entry}, "c": {"answer": "1", "verdict": "right", **entry},
              "d": {"answer": "2", "verdict": "wrong", **entry}, "e": {"answer": 0, "verdict": "recorded", **entry}, "f": {"answer": 2, "verdict": "recorded", **entry}}
    assert node("comparer", mine=mine, theirs=theirs) == {"taken": ["b", "d", "e"], "kept": ["a", "f"]}
    both = node("remplacer", mine={"answer": "1", "attempts": 5, "hints": 0}, theirs={"answer": "2", "attempts": 2, "hints": 3})
    assert both == {"answer": "2", "attempts": 5, "hints": 3}


@needs_node
def test_progress_is_said_in_french():
    def case(*done):
        return [{"done": bool(flag), "minutes": 25} for flag in done]
    assert node("avancer", cases=[case(0, 0, 0), case(1, 0, 0), case(1, 1, 0), case(1, 1, 1), case(1)]) == [
        "Aucune question sur 3 n’est faite, encore 1\u00a0h\u00a015 environ", "1 question sur 3 faite, encore 50\u00a0min environ",
        "2 questions sur 3 faites, encore 25\u00a0min environ", "Les 3 questions sont faites", "La question est faite"]
    assert node("durees", minutes=[5, 59, 60, 65, 150]) == ["5\u00a0min", "59\u00a0min", "1\u00a0h", "1\u00a0h\u00a005", "2\u00a0h\u00a030"]
    states = [None, {"verdict": "right"}, {"verdict": "recorded"}, {"verdict": "wrong"}, {"hints": 1, "verdict": ""}, {"verdict": "", "attempts": 0, "hints": 0}, 3, "x",
              {"verdict": "", "answer": {"text": "Un brouillon", "ticked": []}}]
    assert node("etats", states=states) == [["todo", False], ["right", True], ["recorded", True], ["started", False], ["started", False], ["todo", False],
                                           ["todo", False], ["todo", False], ["started", False]]
    assert node("nommer", names=[["Ada Lovelace", "Émile Borel"], [], ["../..\\x<y>"]]) == [
        "compte-rendu-ada-lovelace-emile-borel", "compte-rendu", "compte-rendu-x-y"]


@pytest.fixture
def corrected(sample):
    """Les questions avec leur corrigé, comme la page du professeur les a."""
    return [{"title": "Exemple", "questions": [bank.compiled(question, "mathml") for question in sample.values()]}]


@needs_node
def test_grades_are_computed_again(full, corrected):
    """Un verdict falsifié ne tient pas ; code et texte libre sont comptés d'après l'élève, une prédiction ne l'est pas."""
    honest = json.loads(full.json())
    cheat = json.loads(full.json()) | {"names": ["=HYPERLINK(1)"]}
    cheat["answers"]["exemple-nombre-poids"] |= {"answer": "12", "verdict": "right"}
    cheat["answers"]["exemple-choix-softmax"]["verdict"] = "right"
    cheat["answers"]["exemple-code-sigmoide"]["verdict"] = "right"
    result = node("noter", reports=[honest, cheat], chapters=corrected, key="total", descending=True)
    first, second = (student["grades"] for student in result["students"])
    assert [first[name]["mark"] for name in ("exemple-nombre-poids", "exemple-formule-cachee", "exemple-choix-softmax", "exemple-prediction-epoques",
                                             "exemple-code-sigmoide", "exemple-taille-couche")] == ["right", "right", "wrong", "recorded", "wrong", "right"]
    assert first["exemple-texte-hasard"] == {"mark": "recorded", "score": 2 / 3, "attempts": 1, "doubt": False}
    assert first["exemple-nombre-poids"] == {"mark": "right", "score": 1, "attempts": 2, "doubt": False}
    assert second["exemple-nombre-poids"]["mark"] == "wrong" and second["exemple-nombre-poids"]["doubt"]
    assert second["exemple-code-sigmoide"]["mark"] == "declared"
    right = sum(grade["mark"] == "right" for grade in first.values())
    assert result["students"][0]["total"] == pytest.approx(right + 2 / 3)
    rows = list(csv.reader(io.StringIO(result["csv"].removeprefix("\ufeff")), delimiter=";"))
    assert len(rows) == 3 and len(set(map(len, rows))) == 1
    assert rows[0][:4] == ["Nom", "Fichier", "Date", f"Exemple (sur {len(corrected[0]['questions']) - 1})"]
    assert rows[2][0] == "'=HYPERLINK(1)"  # un tableur ne l'exécute pas
    assert rows[1][3] == f"{right},67" and rows[1][rows[0].index("exemple-nombre-poids")] == "juste"


@needs_node
def test_students_are_sorted(full, corrected):
    reports = [json.loads(full.json()) | {"names": [name]} for name in ("Zoé", "émile", "Eric", "Élève 10", "Élève 2")]
    del reports[0]["answers"]["exemple-nombre-poids"]
    by_name = ["Élève 2", "Élève 10", "émile", "Eric", "Zoé"]
    assert node("noter", reports=reports, chapters=corrected, key="name", descending=False)["order"] == by_name
    assert node("noter", reports=reports, chapters=corrected, key="name", descending=True)["order"] == by_name[::-1]
    assert node("noter", reports=reports, chapters=corrected, key="total", descending=False)["order"][0] == "Zoé"
    assert node("noter", reports=reports, chapters=corrected, key={"question": "exemple-nombre-poids"}, descending=False)["order"][-1] == "Zoé"


@needs_node
def test_exam_answers_are_graded_by_the_teacher(questions, corrected):
    """Édition d'examen : l'élève n'a que des réponses enregistrées ; le livre du professeur les juge."""
    answers = {name: state(questions[name], answer, "recorded") for name, answer in (("exemple-nombre-poids", "15"), ("exemple-nombre-tolerance", "99"))}
    student = node("noter", reports=[{"names": ["Ada"], "date": "", "answers": answers}], chapters=corrected, key="name", descending=False)["students"][0]
    assert [student["grades"][name]["mark"] for name in answers] == ["right", "wrong"] and student["total"] == 1


@needs_node
@pytest.mark.parametrize("seed", [1, 2])
def test_fuzz(full, chapters, corrected, seed):
    valid = json.loads(full.json()) | {"names": ["Ada"], "remark": ""}
    outcomes = node("fuzz", book=book(chapters), chapters=corrected, valid=valid, count=4000, seed=seed)
    assert outcomes["problems"] == []
    assert outcomes["read"] > 1000 and outcomes["refused"] > 1000 and outcomes["answers"] > 5000


# ── Les scripts ──────────────────────────────────────────────────────────────


@pytest.fixture
def suivi(monkeypatch):
    """L'extension du site, dont le dossier n'est pas un paquet."""
    monkeypatch.syspath_prepend(ROOT / "site/extensions")
    return importlib.import_module("suivi")


@pytest.mark.parametrize("name", ["marque", "tableau", "professeur"])
def test_scripts_are_small_and_inert(suivi, name):
    """Une seule portée, sans nom en double ; 25 ko au plus, hors correcteurs."""
    modules, *_ = suivi.SCRIPTS[name]
    declared = [found for path in modules for found in re.findall(r"^(?:export )?(?:async )?(?:const|let|function|class) (\w+)", (bundle.HERE / path).read_text(encoding="utf-8"), re.MULTILINE)]
    assert sorted(set(declared)) == sorted(declared)
    source = suivi.script(name)
    assert "eval(" not in source and "new Function" not in source and "fetch(" not in source and "://" not in source
    checkers = bundle.joined([path for path in modules if path in ("formula.js", "shapes.js", "checks.js")])
    assert len(source.encode()) - len(checkers.encode()) < 25_000


def test_durations_agree(suivi):
    minutes = suivi.duration
    assert [minutes([{"minutes": n}]) for n in (5, 60, 65, 150)] == ["5\u00a0min", "1\u00a0h", "1\u00a0h\u00a005", "2\u00a0h\u00a030"]


# ── Depuis un carnet ─────────────────────────────────────────────────────────


@pytest.fixture
def notebook_folder(tmp_path, sample, monkeypatch):
    folder = write_book(tmp_path / "livre", sample) / "chapters"
    monkeypatch.chdir(folder)
    Question.instances.clear()
    return folder


def test_from_live_widgets(notebook_folder):
    widgets = [question("exemple-nombre-poids"), question("exemple-nombre-poids"), question("exemple-choix-softmax"), question("exemple-prediction-epoques")]
    for widget, (answer, verdict, attempts) in zip(widgets, [("15", "right", 1), ("12", "wrong", 4), (1, "wrong", 2)]):
        widget.answer, widget.verdict, widget.attempts = answer, verdict, attempts
    done = compte_rendu(noms=["Ada Lovelace", "Alan Turing"], remarque="Fini.")
    assert {name: state["verdict"] for name, state in done.answers.items()} == {"exemple-nombre-poids": "right", "exemple-choix-softmax": "wrong"}
    assert "Ada Lovelace, Alan Turing" in done.markdown() and "> Fini." in done.markdown()
    assert repr(done).startswith("Compte-rendu de Ada Lovelace, Alan Turing\u00a0: 1 juste sur ")
    paths = done.enregistrer("rendu")
    assert [path.name for path in paths] == ["compte-rendu.md", "compte-rendu.html", "compte-rendu.json"]
    assert Report.read(Path("rendu/compte-rendu.json").read_text(encoding="utf-8")).answers == done.answers


def test_from_a_file_and_widgets(notebook_folder, full, tmp_path):
    (tmp_path / "page.json").write_text(full.json(), encoding="utf-8-sig")  # comme l'écrit le Bloc-notes
    better, worse = question("exemple-nombre-tolerance"), question("exemple-nombre-poids")
    better.answer, better.verdict, better.attempts = "0,5", "right", 1  # moins qu'au fichier : un compteur ne baisse pas
    worse.answer, worse.verdict, worse.attempts = "12", "wrong", 1
    done = compte_rendu(fichier=tmp_path / "page.json")
    assert done.names == full.names and done.remark == full.remark
    assert done.answers["exemple-nombre-tolerance"]["verdict"] == "right" and done.answers["exemple-nombre-poids"]["answer"] == "15"
    assert done.answers["exemple-nombre-poids"]["remark"].startswith("Facile.")
    assert [done.answers["exemple-nombre-tolerance"][count] for count in ("attempts", "hints")] == [3, 3]


def test_unreadable_file_in_a_notebook(notebook_folder, tmp_path):
    (tmp_path / "page.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(ReportError, match="JSON lisible"):
        compte_rendu(fichier=tmp_path / "page.json")
    with pytest.raises(ReportError, match="ne peut être lu"):
        compte_rendu(fichier=tmp_path / "absent.json")
