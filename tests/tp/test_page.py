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

from .conftest import ROOT, build, write_book

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


def test_exam_edition_hides_the_key(tmp_path, sample):
    folder = write_book(tmp_path / "livre", sample, edition="examen")
    done = build(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    site = folder / "_build/html"
    shutil.rmtree(site / "_sources", ignore_errors=True)  # ne contient que le carnet, lui-même sans corrigé
    written = "\n".join(html.unescape(path.read_text(encoding="utf-8")) for path in site.rglob("*") if path.suffix in (".html", ".js") and path.name != "questions.js" and "mathjax" not in path.parts)
    assert "Une couche linéaire reçoit" in written
    for question in sample.values():
        for secret in (question.get("solution"), *question.get("hints", []), *(m["message"] for m in question.get("mistakes", []))):
            for words in re.findall(r"[A-Za-zÀ-ÿ' ]{25,}", secret or ""):
                assert words.strip() not in written, (question["id"], words)


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


def opened(context, url):
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector(".lc-question form")
    page.evaluate("MathJax.startup.promise")
    return page


def card(page, name):
    return page.locator(f'[data-question="{name}"]')


def answer(page, name, text):
    field = card(page, name).get_by_role("textbox")
    field.fill(text)
    field.press("Enter")
    return card(page, name).get_by_role("status")


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
    assert question.get_by_role("button", name="Plus d'indice").get_attribute("aria-disabled") == "true"
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


def test_keyboard_only(open_page):
    page = open_page()
    card(page, "exemple-nombre-poids").get_by_role("textbox").focus()
    page.keyboard.type("15")
    page.keyboard.press("Enter")
    assert "Juste." in card(page, "exemple-nombre-poids").get_by_role("status").inner_text()
    reached = []
    for _ in range(60):  # jusqu'à la dernière question, par la seule touche Tab
        page.keyboard.press("Tab")
        name = page.evaluate("document.activeElement.closest('[data-question]')?.dataset.question ?? ''")
        reached.append(name)
        kind = page.evaluate("document.activeElement.type ?? ''")
        if name == "exemple-choix-softmax" and kind == "radio":
            page.keyboard.press("Space")
            page.keyboard.press("Enter")
            assert "Juste." in card(page, name).get_by_role("status").inner_text()
        if name == "exemple-prediction-epoques":
            break
    assert list(dict.fromkeys(filter(None, reached))) == [
        "exemple-nombre-poids", "exemple-nombre-tolerance", "exemple-formule-cachee", "exemple-choix-softmax",
        "exemple-choix-multiples", "exemple-prediction-epoques"]


@pytest.mark.parametrize("stored", ["{", "null", '{"version": 99}', '{"version": 1, "revision": "autre", "answer": [0], "verdict": "right"}',
                                    '{"version": 1, "answer": "<img src=x>", "attempts": -3, "verdict": {}}', "[]", '"x"'])
def test_corrupt_storage_is_ignored(browser, book, stored):
    context = browser.new_context()
    context.add_init_script(f"localStorage.setItem('labcode.question.exemple-nombre-poids', {json.dumps(stored)})")
    page = opened(context, f"{book.as_uri()}/chapters/page.html")
    question = card(page, "exemple-nombre-poids")
    assert "Juste" not in question.inner_text() and "essai" not in question.inner_text()
    assert "Juste." in answer(page, "exemple-nombre-poids", "15").inner_text()
    context.close()


def test_page_is_interactive_at_once(browser, book):
    """Chaque question est prête dès que le document l'est, sans attendre MathJax ni le réseau."""
    context = browser.new_context()
    page = context.new_page()
    page.route("**/tex-chtml.js*", lambda route: route.abort())
    page.goto(f"{book.as_uri()}/chapters/page.html", wait_until="domcontentloaded")
    assert page.locator(".lc-question form").count() == 6
    assert "Juste." in answer(page, "exemple-nombre-poids", "15").inner_text()
    context.close()


def test_forbidden_storage(browser, book):
    context = browser.new_context()
    context.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('interdit'); } })")
    page = opened(context, f"{book.as_uri()}/chapters/page.html")
    assert "Juste." in answer(page, "exemple-nombre-poids", "15").inner_text()
    context.close()


def test_student_text_is_never_html(open_page):
    page = open_page()
    status = answer(page, "exemple-formule-cachee", "<img src=x onerror=alert(1)>")
    assert status.locator("img").count() == 0 and status.inner_text().strip()


@needs_axe
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessibility_in_every_state(browser, book, scheme):
    context = browser.new_context(color_scheme=scheme, viewport={"width": 360, "height": 800}, locale="fr-FR")
    page = opened(context, f"{book.as_uri()}/chapters/page.html")
    page.add_script_tag(path=str(AXE / "axe.min.js"))
    locale = json.loads((AXE / "locales/fr.json").read_text(encoding="utf-8"))
    page.evaluate("locale => axe.configure({ locale })", locale)

    def violations(state):
        found = page.evaluate("axe.run('.lc-question')")["violations"]
        return [(state, entry["id"], [node["html"] for node in entry["nodes"]]) for entry in found]

    names = ["exemple-nombre-poids", "exemple-formule-cachee"]
    found = violations("vide")
    for name in names:
        answer(page, name, "2")
        answer(page, name, "2 +")
    found += violations("faux, illisible")
    for name in names:
        card(page, name).get_by_role("button", name="Indice").click()
        card(page, name).locator(".lc-help summary").click() if name == names[1] else None
    found += violations("indice")
    answer(page, names[0], "15")
    answer(page, names[1], "(1-h^2) * (W_y.T @ grad_y_tilde)")
    found += violations("juste")
    for name in names:
        card(page, name).locator(".lc-solution summary").click()
    for name, role in (("exemple-choix-softmax", "radio"), ("exemple-choix-multiples", "checkbox"), ("exemple-prediction-epoques", "radio")):
        card(page, name).get_by_role(role).last.check()
        card(page, name).get_by_role("button").first.click()
    found += violations("solution")
    assert found == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()
