"""La page construite : lisible sans JavaScript, vivante dans Chromium, au clavier, sans faute d'accessibilité."""

import functools
import html
import http.server
import json
import re
import shutil
import threading

import nbformat
import pytest

from labcode.tp import bank, schema
from labcode.tp.page import question_html

from .conftest import HERE, ROOT, build, write_book

AXE = ROOT / "node_modules/axe-core"
needs_axe = pytest.mark.skipif(not AXE.is_dir(), reason="axe-core n'est pas installé\u00a0: npm ci")


# ── Sans navigateur ──────────────────────────────────────────────────────────


def test_page_without_javascript(book):
    page = (book / "chapters/page.html").read_text(encoding="utf-8")
    without_data = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "Une couche linéaire reçoit" in without_data
    assert "Chaque composante augmente de 5." in without_data
    assert "<noscript>" in without_data
    assert "Le facteur $e^5$ se simplifie" not in without_data and "qui ne change pas" not in without_data
    assert "question(&quot;" not in page and 'question("' not in page  # la cellule qui montre la question est masquée
    assert page.count("questions.js") == 1 and page.count("question.css") == 1
    assert (book / "_static/questions.js").is_file()


def test_statement_is_searchable(book):
    index = (book / "searchindex.js").read_text(encoding="utf-8")
    terms = json.loads(index.removeprefix("Search.setIndex(").removesuffix(")"))["terms"]
    assert {"couch", "linéair", "dizain"} <= set(terms)
    assert "typeset" not in terms and "revision" not in terms  # le script et ses données n'y sont pas


def flat(text):
    """Les lettres et les chiffres d'un texte, sans balises ni échappements : ni la mise en forme ni les formules ne le cachent."""
    plain = html.unescape(text.replace("\\u003c", "<").replace("\\n", "\n").replace("\\\\", "\\"))
    return "".join(re.findall(r"\w+", re.sub(r"</?[a-z][^<>]*>", " ", plain).lower()))


def sentences(texts):
    """Les phrases de ces textes, assez longues pour qu'on les reconnaisse."""
    parts = [flat(part) for text in texts for part in re.split(r"[.:;!?|]\s|\n|\$\$|```(?:python)?", f"{text} ")]
    return {part for part in parts if len(part) >= 20}


def secrets(questions):
    """Toutes les phrases de toutes les questions que l'édition d'examen ne doit pas montrer."""
    seen = {"statement", "title"}
    hidden = [text for question in questions for field, text in schema.texts(question) if field not in seen]
    hidden += [str(question.get("answer", "")) for question in questions]
    hidden += [str(mistake.get("formula", "")) for question in questions for mistake in question.get("mistakes", [])]
    shown = [text for question in questions for text in shown_texts(question)]
    everything = flat("\n".join(shown))
    return {words for words in sentences(hidden) if words not in everything}


def shown_texts(question):
    """Ce que l'élève voit toujours."""
    texts = [question["statement"], question["title"], *(option["text"] for option in question.get("options", []))]
    for pair in question.get("pairs", []):
        texts += [pair["left"], pair["right"]]
    return texts + question.get("distractors", []) + [item["text"] for item in question.get("items", [])]


def test_exam_edition_hides_the_key(tmp_path):
    """Toutes les questions du livre : aucune phrase d'un corrigé, d'un indice ni d'un message dans aucun fichier."""
    files = [HERE / "09_exemple.yml", *sorted((ROOT / "chapters/questions").glob("*.yml"))]
    questions = {question["id"]: question for path in files for question in bank.load_file(path)}
    hidden = secrets(questions.values())
    student = flat("\n".join(question_html(question) for question in questions.values()))
    assert len(hidden) > 5 * len(questions)
    assert [words for words in hidden if words not in student] == []  # ce qu'on cherche, l'édition de l'élève le contient

    folder = write_book(tmp_path / "livre", questions, edition="examen", files=files)
    done = build(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    site = folder / "_build/html"
    written = {path: path.read_text(encoding="utf-8", errors="ignore") for path in site.rglob("*") if path.is_file() and "mathjax" not in path.parts}
    page = written[site / "chapters/page.html"]
    assert not (site / "_sources").exists() and page.count("application/json") == len(questions)
    for path, text in written.items():
        text = flat(text)
        assert [words for words in hidden if words in text] == [], path
    keys = {"correct", "message", "messages", "key", "answer", "tolerance", "mistakes", "hints", "solution", "criteria", "definition"}
    assert not set(re.findall(r'"(\w+)":', page)) & keys


def test_changed_bank_reaches_the_page(tmp_path, sample):
    """Seconde construction, sans rien nettoyer : la page suit la banque, et l'état des widgets n'y entre pas."""
    folder = write_book(tmp_path / "livre", sample)
    notebook = nbformat.read(folder / "chapters/page.ipynb", 4)
    state = {"q": {"model_name": "AnyModel", "state": {"_anywidget_id": "labcode.tp.widget.Question", "layout": "IPY_MODEL_l", "answer": "SECRET"}},
             "l": {"model_name": "LayoutModel", "state": {}}}
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": state, "version_major": 2, "version_minor": 0}}
    nbformat.write(notebook, folder / "chapters/page.ipynb")
    assert build(folder).returncode == 0
    page = folder / "_build/html/chapters/page.html"
    assert "SECRET" not in page.read_text(encoding="utf-8")
    questions = folder / "chapters/questions/09_exemple.yml"
    questions.write_text(questions.read_text(encoding="utf-8").replace("Compter les paramètres", "Dénombrer les poids"), encoding="utf-8")
    assert build(folder).returncode == 0
    assert "Dénombrer les poids" in page.read_text(encoding="utf-8")


def test_unknown_question_stops_the_build(tmp_path, sample):
    folder = write_book(tmp_path / "livre", sample)
    notebook = folder / "chapters/page.ipynb"
    notebook.write_text(notebook.read_text(encoding="utf-8").replace("exemple-nombre-poids", "exemple-inconnue"), encoding="utf-8")
    done = build(folder)
    assert done.returncode != 0
    assert "exemple-inconnue" in done.stdout + done.stderr


# ── Dans Chromium ────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def address(book):
    """L'adresse http du livre, servi le temps des essais."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=book))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=["file", "http"])
def open_page(request, browser, book, address):
    """Ouvre la page dans un profil neuf, par dossier puis par http ; toute erreur de nos scripts fait échouer."""
    base = book.as_uri() if request.param == "file" else address
    context = browser.new_context(locale="fr-FR")
    yield functools.partial(opened, context, f"{base}/chapters/page.html")
    context.close()


# Rechargée aussitôt, une page file:// reçoit parfois de Chromium une mémoire en retard sur ce qu'elle vient d'écrire.
reloads = pytest.mark.parametrize("open_page", ["http"], indirect=True)


def opened(context, url):
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector(".lc-question form")
    page.evaluate("MathJax.startup.promise")
    return page


def settle(page):
    """Attend que les formules soient composées, puis que le clavier puisse atteindre celles qui défilent."""
    page.evaluate("MathJax.startup.promise.then(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))")


def card(page, name):
    return page.locator(f'[data-question="{name}"]')


def answer(page, name, text):
    field = card(page, name).get_by_role("textbox")
    field.fill(text)
    field.press("Enter")
    return card(page, name).get_by_role("status")


@reloads
def test_answers_and_reload(open_page):
    page = open_page()
    status = answer(page, "exemple-formule-cachee", "W_y.T @ grad_y_tilde")
    assert "Pas encore." in status.inner_text() and "il manque la dérivée" in status.inner_text()
    assert status.locator("mjx-container").count() >= 1  # le message est composé
    status = answer(page, "exemple-formule-cachee", "(1-h²) ⊙ (W_yᵀ @ ∇ỹ)")
    assert "Juste." in status.inner_text()
    assert "2\u00a0essais" in card(page, "exemple-formule-cachee").inner_text()
    assert card(page, "exemple-formule-cachee").locator(".lc-solution").count() == 1

    page.reload()
    page.wait_for_selector(".lc-question form")
    question = card(page, "exemple-formule-cachee")
    assert question.get_by_role("textbox").input_value() == "(1-h²) ⊙ (W_yᵀ @ ∇ỹ)"
    assert "Juste." in question.get_by_role("status").inner_text()
    assert "2\u00a0essais" in question.inner_text()

    question.get_by_role("button", name="Recommencer").click()
    page.reload()
    page.wait_for_selector(".lc-question form")
    assert card(page, "exemple-formule-cachee").get_by_role("textbox").input_value() == ""
    assert card(page, "exemple-formule-cachee").locator(".lc-solution").count() == 0


def test_hints_then_solution(open_page):
    page = open_page()
    question = card(page, "exemple-nombre-poids")
    for rank in range(3):
        question.get_by_role("button", name=f"Indice {rank + 1}/3").click()
        assert question.locator(".lc-hints li").count() == rank + 1
    assert question.get_by_role("button", name="Plus d’indice").get_attribute("aria-disabled") == "true"
    for attempt, visible in (("1", 0), ("1", 0), ("abc", 0), ("2", 0), ("3", 1)):  # ni une redite ni l'illisible ne comptent
        answer(page, "exemple-nombre-poids", attempt)
        assert question.locator(".lc-solution").count() == visible


def test_choices_and_prediction(open_page):
    page = open_page()
    question = card(page, "exemple-choix-multiples")
    verify = question.get_by_role("button", name="Vérifier")
    verify.click()
    assert "Cochez au moins une réponse" in question.get_by_role("status").inner_text()
    question.get_by_role("checkbox").nth(0).check()
    verify.click()
    assert "il manque une réponse" in question.get_by_role("status").inner_text()
    question.get_by_role("checkbox").nth(1).check()
    verify.click()
    assert "Juste." in question.get_by_role("status").inner_text()

    prediction = card(page, "exemple-prediction-epoques")
    prediction.get_by_role("radio").nth(0).check()
    prediction.get_by_role("button", name="Enregistrer").click()
    told = prediction.get_by_role("status").inner_text()
    assert "Prédiction enregistrée" in told and "Juste" not in told and "Pas encore" not in told


def test_teacher_and_exam_editions(browser, tmp_path, sample):
    """Professeur : indices et solution ouverts ; examen : la réponse est gardée sans être jugée."""
    seen = {}
    for edition in ("professeur", "examen"):
        folder = write_book(tmp_path / edition, sample, edition=edition)
        assert build(folder).returncode == 0
        context = browser.new_context()
        page = opened(context, f"{(folder / '_build/html').as_uri()}/chapters/page.html")
        status = answer(page, "exemple-nombre-poids", "12").inner_text()
        question = card(page, "exemple-nombre-poids")
        if edition == "examen":
            for other, data in sample.items():
                told = respond(page, other, bank.compiled(data)).inner_text()
                assert "Réponse enregistrée." in told and "Juste" not in told, other
            assert page.evaluate("Object.entries(localStorage).filter(([key, text]) => key.startsWith('labcode.question.') && JSON.parse(text).verdict === 'recorded').length") == len(sample)
        seen[edition] = (status.strip(), question.locator(".lc-hints li").count(), question.locator(".lc-solution[open]").count())
        context.close()
    assert "Vous avez oublié les biais" in seen["professeur"][0] and seen["professeur"][1:] == (3, 1)
    assert "Réponse enregistrée" in seen["examen"][0] and seen["examen"][1:] == (0, 0)


def test_formula_is_echoed(open_page):
    page = open_page()
    question = card(page, "exemple-formule-cachee")
    question.get_by_role("textbox").fill("(1-h²) ⊙ (W_yᵀ @ ∇ỹ) / 2")
    assert question.locator(".lc-echo math").count() == 1
    assert "".join(question.locator(".lc-echo").text_content().split()) == "(1−h2)⊙(Wy⊤\u2062∇y~)2"
    question.get_by_role("textbox").fill("(1-h²")
    assert question.locator(".lc-echo math").count() == 0


def test_wide_formula_can_be_reached(browser, book):
    context = browser.new_context(viewport={"width": 360, "height": 800})
    page = opened(context, f"{book.as_uri()}/chapters/page.html")
    answer(page, "exemple-formule-cachee", "(1-h^2) * (W_y.T @ grad_y_tilde)")
    card(page, "exemple-formule-cachee").locator(".lc-solution summary").click()
    wide = card(page, "exemple-formule-cachee").locator(".lc-solution .math.block")
    page.wait_for_function("e => e.tabIndex === 0", arg=wide.element_handle())
    edges = wide.evaluate("e => [e.scrollLeft, e.getBoundingClientRect().left, e.querySelector('mjx-math').getBoundingClientRect().left]")
    assert edges[0] == 0 and edges[2] >= edges[1]  # le début de la formule n'est pas rogné
    context.close()


# ── Associer, ordonner, rédiger, programmer ──────────────────────────────────


def arrange(page, name, wanted):
    """Range les étapes dans l'ordre voulu, une flèche après l'autre."""
    question = card(page, name)
    for place, rank in enumerate(wanted):
        step = question.locator(f'li[data-rank="{rank}"]')
        while int(step.evaluate("e => [...e.parentNode.children].indexOf(e)")) > place:
            step.get_by_role("button", name="Monter").click()


def respond(page, name, data, right=True):
    """Répond à une question de n'importe quel type, juste ou faux, et rend sa zone de message."""
    question = card(page, name)
    match data["type"]:
        case "prediction":
            question.get_by_role("radio").first.check()
        case "choice" | "choices":
            for rank, option in enumerate(data["options"]):
                if option["correct"] == right:
                    question.locator(".lc-option input").nth(rank).check()
                elif data["type"] == "choices":
                    question.locator(".lc-option input").nth(rank).uncheck()
        case "number" | "formula" | "shape":
            question.get_by_role("textbox").fill(str(data["answer"]) if right else "2 + 2")
        case "matching":
            for select, rank in zip(question.get_by_role("combobox").all(), data["key"]):
                select.select_option(str(rank if right else data["key"][0]))
        case "ordering":
            arrange(page, name, data["key"] if right else data["key"][::-1])
        case "text":
            question.get_by_role("textbox").fill("Deux neurones égaux le restent." if right else " ")
    question.locator(".lc-primary").click()
    return question.get_by_role("status")


@reloads
def test_matching(open_page, sample):
    page = open_page()
    name = "exemple-association-pertes"
    question, data = card(page, name), bank.compiled(sample[name])
    question.locator(".lc-primary").click()
    assert "Choisissez une lettre pour chaque élément" in question.get_by_role("status").inner_text()
    assert question.get_by_role("combobox", name="un prix").locator("option").all_inner_texts()[0] == "Choisir…"
    told = respond(page, name, data, right=False).inner_text()
    assert "1 sur 3 est juste" in told and "pensez à Bernoulli" in told and "réel quelconque" not in told
    assert "Juste." in respond(page, name, data).inner_text()
    page.reload()
    page.wait_for_selector(".lc-question form")
    assert [int(select.input_value()) for select in card(page, name).get_by_role("combobox").all()] == data["key"]
    assert "Juste." in card(page, name).get_by_role("status").inner_text()


@reloads
def test_ordering(open_page, sample):
    page = open_page()
    name = "exemple-ordre-pas"
    question, data = card(page, name), bank.compiled(sample[name])
    assert "on vide les gradients avant la passe avant" in respond(page, name, data, right=False).inner_text()
    up = question.get_by_role("button", name="Monter").nth(1)
    up.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Monter"  # le bouton garde le foyer
    assert question.locator("[aria-live=polite].lc-hidden").text_content() == "Place 1 sur 5"
    assert "Juste." in respond(page, name, data).inner_text()
    page.reload()
    page.wait_for_selector(".lc-question form")
    assert [int(step.get_attribute("data-rank")) for step in card(page, name).locator(".lc-steps li").all()] == data["key"]
    card(page, name).get_by_role("button", name="Recommencer").click()
    assert [int(step.get_attribute("data-rank")) for step in card(page, name).locator(".lc-steps li").all()] == list(range(5))


@reloads
def test_text_is_compared_then_assessed(open_page, sample):
    page = open_page()
    name = "exemple-texte-hasard"
    question, data = card(page, name), bank.compiled(sample[name])
    assert "Écrivez d’abord" in respond(page, name, data, right=False).inner_text()
    assert question.locator(".lc-solution").count() == question.get_by_role("checkbox").count() == 0
    long = "é" * 4000 + "\nUne autre ligne, avec <b>, \\(x\\) et « ».\n" + "a" * 900
    question.get_by_role("textbox").fill("é" * 5001)
    assert "dépasse 5000 caractères" in question.get_by_role("status").inner_text()  # dit sans attendre que l'on vérifie
    question.get_by_role("textbox").fill("é" * 5000)
    assert question.get_by_role("status").inner_text() == ""
    question.get_by_role("textbox").fill(long)  # le foyer y reste : quitter la page ne déclenche pas « change »
    page.reload()  # un brouillon non enregistré est gardé
    page.wait_for_selector(".lc-question form")
    question = card(page, name)
    assert question.get_by_role("textbox").input_value() == long
    question.locator(".lc-primary").click()
    assert "Comparez-la à la solution" in question.get_by_role("status").inner_text()
    assert question.locator(".lc-solution[open]").count() == 1
    question.get_by_role("checkbox").nth(1).check()
    assert "Votre évaluation\u00a0: 1 sur 3" in question.get_by_role("status").inner_text()
    page.reload()
    page.wait_for_selector(".lc-question form")
    assert card(page, name).get_by_role("checkbox", checked=True).count() == 1
    stored = json.loads(page.evaluate("name => localStorage.getItem(`labcode.question.${name}`)", name))
    assert (stored["version"], stored["verdict"], stored["answer"]) == (2, "recorded", {"text": long, "ticked": [1]})
    card(page, name).get_by_role("textbox").fill("x" * 5001)
    card(page, name).locator(".lc-primary").click()
    assert "dépasse 5000 caractères" in card(page, name).get_by_role("status").inner_text()


@reloads
def test_code_is_read_here_and_checked_in_the_notebook(open_page):
    page = open_page()
    question = card(page, "exemple-code-sigmoide")
    assert 'verifier("exemple-code-sigmoide", sigmoid)' in question.locator("pre").inner_text()
    assert question.locator(".lc-solution").count() == 0
    question.get_by_role("button", name="J’ai essayé").click()
    assert question.locator(".lc-solution[open] pre").count() == 1
    page.reload()
    page.wait_for_selector(".lc-question form")
    assert card(page, "exemple-code-sigmoide").locator(".lc-solution").count() == 1


def test_every_change_is_told(open_page, sample):
    """Ce que les marques de progression écoutent : un évènement par changement, après la mise en mémoire."""
    page = open_page()
    page.evaluate("""() => { window.told = [];
        document.addEventListener("labcode:etat", ({ detail }) => told.push([detail, localStorage.getItem(`labcode.question.${detail.id}`) !== null])); }""")
    name = "exemple-nombre-poids"
    respond(page, name, bank.compiled(sample[name]))
    card(page, name).get_by_role("button", name="Recommencer").click()
    assert page.evaluate("told") == [[{"id": name, "verdict": "right", "attempts": 1}, True], [{"id": name, "verdict": "", "attempts": 0}, False]]


def test_keyboard_only(open_page, sample):
    """De la première à la dernière question sans souris : Tab, flèches, Espace, Entrée."""
    page = open_page()
    press = page.keyboard.press

    def tab_to(condition, key="Tab"):
        for _ in range(60):
            if page.evaluate(f"(() => {{ const e = document.activeElement; return Boolean({condition}); }})()"):
                return
            press(key)
        raise AssertionError(f"le clavier n'atteint pas {condition}")

    for name, question in sample.items():
        data = bank.compiled(question)
        inside = f"e.closest('[data-question={name}]')"
        match data["type"]:
            case "choice" | "prediction":
                tab_to(f"{inside} && e.type === 'radio'")
                press("Space")
                for _ in range(next((rank for rank, option in enumerate(data["options"]) if option["correct"]), 0)):
                    press("ArrowDown")
            case "choices":
                for rank, option in enumerate(data["options"]):
                    tab_to(f"{inside} && e.type === 'checkbox' && e.value === '{rank}'")
                    if option["correct"]:
                        press("Space")
            case "number" | "formula" | "shape":
                tab_to(f"{inside} && e.type === 'text'")
                page.keyboard.type(str(question["answer"]))
            case "matching":
                for i, rank in enumerate(data["key"]):
                    tab_to(f"{inside} && e.tagName === 'SELECT' && e.id.endsWith('-{i}')")
                    page.keyboard.type("ABCD"[rank])
            case "ordering":
                for place, rank in enumerate(data["key"]):
                    tab_to(f"{inside} && e.ariaLabel === 'Monter' && e.closest('li').dataset.rank === '{rank}'")
                    while page.evaluate("[...document.activeElement.closest('ol').children].indexOf(document.activeElement.closest('li'))") > place:
                        press("Enter")
            case "text":
                tab_to(f"{inside} && e.tagName === 'TEXTAREA'")
                page.keyboard.type("Ils restent égaux.")
        tab_to(f"{inside} && e.type === 'submit'")
        press("Enter")
        told = card(page, name).get_by_role("status").inner_text()
        assert ("enregistrée" in told or "noté" in told) if data["type"] in ("prediction", "text", "code") else "Juste." in told, (name, told)
    tab_to("e.closest('.lc-solution') && e.closest('[data-question=exemple-code-sigmoide]')")
    tab_to("e.type === 'checkbox' && e.closest('[data-question=exemple-texte-hasard]')", key="Shift+Tab")
    press("Space")
    assert "1 sur 3" in card(page, "exemple-texte-hasard").get_by_role("status").inner_text()


@pytest.mark.parametrize("stored", ["{", "null", '{"version": 99}', '{"version": 2, "revision": "autre", "answer": [0], "verdict": "right"}',
                                    '{"version": 1, "answer": "<img src=x>", "attempts": -3, "verdict": {}, "revision": {}}', "[]", '"x"'])
@reloads
def test_corrupt_storage_is_offered_then_dropped(open_page, stored):
    name = "exemple-choix-softmax"
    page = open_page()
    page.evaluate("([name, stored]) => localStorage.setItem(`labcode.question.${name}`, stored)", [name, stored])
    for _ in range(2):  # l'avis reste tant qu'on n'a pas choisi
        page.reload()
        question = card(page, name)
        question.locator(".lc-note").wait_for()
        assert "Juste" not in question.inner_text() and "essai" not in question.inner_text()
        assert "n’a pas pu être relue" in question.inner_text()
        assert page.locator(".lc-note").count() == 1
    with page.expect_download() as download:
        question.get_by_role("link", name="Télécharger").click()
    assert download.value.suggested_filename == f"{name}.json"
    assert download.value.path().read_text(encoding="utf-8") == stored
    question.locator(".lc-option input").first.check()
    question.locator(".lc-primary").click()
    question.get_by_role("button", name="Oublier").click()
    assert page.evaluate("document.activeElement.className") == "lc-primary"
    page.reload()
    card(page, name).locator("form").wait_for()
    assert card(page, name).locator(".lc-note").count() == 0
    assert "Juste." in card(page, name).get_by_role("status").inner_text()


def test_page_is_interactive_at_once(browser, book):
    """Chaque question est prête dès que le document l'est, sans attendre MathJax ni le réseau."""
    context = browser.new_context()
    page = context.new_page()
    page.route("**/tex-chtml.js*", lambda route: route.abort())
    page.goto(f"{book.as_uri()}/chapters/page.html", wait_until="domcontentloaded")
    assert page.locator(".lc-question form").count() == 12
    assert "Juste." in answer(page, "exemple-nombre-poids", "15").inner_text()
    context.close()


@pytest.mark.parametrize("obstacle", ["Object.defineProperty(window, 'localStorage', { get() { throw new Error('interdit'); } })",
                                      "Storage.prototype.setItem = () => { throw new DOMException('plein', 'QuotaExceededError'); }"], ids=["interdit", "plein"])
def test_without_memory(browser, book, obstacle):
    context = browser.new_context()
    context.add_init_script(obstacle)
    page = opened(context, f"{book.as_uri()}/chapters/page.html")
    assert "Juste." in answer(page, "exemple-nombre-poids", "15").inner_text()
    answer(page, "exemple-nombre-poids", "16")
    assert card(page, "exemple-nombre-poids").get_by_text("Ce navigateur ne garde pas les réponses").count() == 1
    context.close()


def test_student_text_is_never_html(open_page):
    page = open_page()
    status = answer(page, "exemple-formule-cachee", "<img src=x onerror=alert(1)>")
    assert status.locator("img").count() == 0 and status.inner_text().strip()


@needs_axe
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessibility_in_every_state(browser, book, sample, scheme):
    """axe ne trouve rien, dans aucun état d'aucun type de question, sur un écran de 360 points."""
    context = browser.new_context(color_scheme=scheme, viewport={"width": 360, "height": 800}, locale="fr-FR")
    context.add_init_script("localStorage.setItem('labcode.question.exemple-choix-softmax', '{')")
    page = opened(context, f"{book.as_uri()}/chapters/page.html")
    page.add_script_tag(path=str(AXE / "axe.min.js"))
    locale = json.loads((AXE / "locales/fr.json").read_text(encoding="utf-8"))
    page.evaluate("locale => axe.configure({ locale })", locale)
    questions = {name: bank.compiled(question) for name, question in sample.items()}
    found = []

    def look(state):
        settle(page)
        for entry in page.evaluate("axe.run('.lc-question')")["violations"]:
            found.append((state, entry["id"], [node["html"] for node in entry["nodes"]]))
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, state

    look("vide")
    for name, data in questions.items():
        respond(page, name, data, right=False)
    look("faux")
    for name, data in questions.items():
        if data["type"] in ("number", "formula", "shape"):
            answer(page, name, "2 +")
        if data["hints"]:
            card(page, name).get_by_role("button", name="Indice").click()
    page.locator(".lc-help summary").first.click()
    look("illisible, indice, aide")
    for name, data in questions.items():
        respond(page, name, data)
    look("juste")
    page.locator(".lc-solution").evaluate_all("all => all.forEach((details) => { details.open = true; })")
    assert page.locator(".lc-solution[open]").count() == len(questions) - 1  # sauf la prédiction
    look("solution")
    assert found == []
    context.close()
