"""L'avancement, le compte-rendu et la table du professeur, dans le site construit : répondre, exporter, effacer, reprendre, corriger."""

import csv
import io
import json
from pathlib import Path

import pytest
from examen import ROOT, SITE, axe, english, formulas, identifiers, overflow

from labcode.tp import bank, report

BANK = bank.load_bank(ROOT / "chapters/questions")
CHAPTERS = report.load_chapters(ROOT / "chapters/questions")
OVERVIEW, TEACHER, CHAPTER = "chapters/compte_rendu.html", "chapters/professeur.html", "chapters/01_perceptron.html"
IN_CHAPTER = [question for question in BANK.values() if question["id"].startswith("perceptron-")]
CHOICE = next(question for question in IN_CHAPTER if question["type"] == "choice")
NUMBER = next(question for question in IN_CHAPTER if question["type"] == "number")
RIGHT = next(rank for rank, option in enumerate(CHOICE["options"]) if option.get("correct"))
HOSTILE = "<img src=x onerror=\"window.pwned=1\"><script>window.pwned=1</script>"


@pytest.fixture(params=[("light", 1280)], ids=["clair"])
def context(request, browser):
    """Un profil neuf ; toute erreur de nos scripts et toute requête vers un autre serveur font échouer."""
    theme, width = request.param
    context = browser.new_context(color_scheme=theme, viewport={"width": width, "height": 800}, locale="fr-FR", accept_downloads=True)
    context.set_default_timeout(30_000)
    incidents = []
    context.on("weberror", lambda error: incidents.append(str(error.error)))
    context.on("console", lambda message: message.type == "error" and incidents.append(message.text))
    context.on("request", lambda request: request.url.startswith(("http://127.0.0.1", "file:", "data:", "blob:", "about:")) or incidents.append(request.url))
    yield context
    context.close()
    assert incidents == []


def opened(context, address):
    page = context.new_page()
    page.goto(address)
    page.wait_for_load_state("load")
    return page


def answer_two(context, site):
    """Répond juste à une question à choix, puis faux à un nombre ; rend la page du chapitre."""
    page = opened(context, site + CHAPTER)
    card = page.locator(f"#question-{CHOICE['id']}")
    card.get_by_role("radio").nth(RIGHT).check()
    card.get_by_role("button", name="Vérifier").click()
    card = page.locator(f"#question-{NUMBER['id']}")
    card.get_by_role("textbox").fill("123456")
    card.get_by_role("textbox").press("Enter")
    return page


def saved(page):
    """Les réponses gardées par le navigateur, sans leur date."""
    kept = page.evaluate("Object.fromEntries(Object.entries(localStorage).filter(([key]) => key.startsWith('labcode.question.')))")
    return {key.removeprefix("labcode.question."): {**json.loads(text), "date": ""} for key, text in kept.items()}


def download(page, button, folder):
    with page.expect_download() as waited:
        page.get_by_role("button", name=button).click()
    path = folder / waited.value.suggested_filename
    waited.value.save_as(path)
    return path


def entry(question, answer, verdict, attempts=1):
    revision = bank.compiled(BANK[question], None)["revision"]
    return {"revision": revision, "answer": answer, "attempts": attempts, "hints": 0, "verdict": verdict, "date": "", "remark": ""}


def written(folder, name, answers, **more):
    """Un fichier d'élève."""
    content = {"format": report.FORMAT, "version": report.VERSION, "names": [name], "date": "2026-11-21", "edition": "eleve", "remark": "", "answers": answers} | more
    path = folder / f"{len(list(folder.iterdir()))}.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


# ── Avancement et tableau ────────────────────────────────────────────────────


def test_marque_du_chapitre(context, site):
    """La marque suit chaque réponse, sans recharger ; une mauvaise réponse ne la fait pas monter ; un autre onglet la voit."""
    other = opened(context, site + OVERVIEW)
    page = opened(context, site + CHAPTER)
    mark = page.locator(".suivi-marque")
    total = len(IN_CHAPTER)
    assert f"Aucune question sur {total} n’est faite" in mark.inner_text()
    answer_two(context, site).close()
    for place in (mark, other.locator("[data-chapter-progress='0']")):
        place.get_by_text(f"1 question sur {total} faite").wait_for()
    assert mark.locator("progress").evaluate("bar => [bar.value, bar.max]") == [1, total]
    assert mark.get_by_role("link").get_attribute("href") == "compte_rendu.html"
    page.reload()
    page.locator(f"#question-{CHOICE['id']}").get_by_role("button", name="Recommencer").click()
    mark.get_by_text("Aucune question").wait_for()


def test_tableau_sans_javascript(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = opened(context, site + OVERVIEW)
    rows = page.locator("tr[data-question]")
    assert rows.count() == len(BANK)
    for question in (CHOICE, NUMBER):
        text = page.locator(f"tr[data-question='{question['id']}']").inner_text()
        assert question["title"] in text and f"{question['minutes']}\u00a0min" in text
    assert f"{len(IN_CHAPTER)} questions, environ " in page.locator("tbody").first.inner_text()
    assert not page.locator(".suivi-filtres").is_visible() and not page.locator(".suivi-rapport").is_visible()
    context.close()


def test_liens_du_tableau(site):
    """Chaque lien mène à l'ancre de sa question."""
    html = SITE / OVERVIEW
    links = [line.split('"')[0] for line in html.read_text(encoding="utf-8").split('<td role="cell"><a href="')[1:]]
    assert len(links) == len(BANK)
    for link in links:
        page, anchor = link.split("#")
        assert f'id="{anchor}"' in (html.parent / page).read_text(encoding="utf-8")


def test_etats_et_filtres(context, site):
    answer_two(context, site).close()
    page = opened(context, site + OVERVIEW)
    state = {name: page.locator(f"tr[data-question='{name}'] .suivi-etat").inner_text() for name in (CHOICE["id"], NUMBER["id"])}
    assert state == {CHOICE["id"]: "✓ juste", NUMBER["id"]: "◐ en cours"}
    assert page.locator(".suivi-etat", has_text="à faire").count() == len(BANK) - 2
    page.get_by_label("État").select_option("en cours")
    assert page.locator("tr[data-question]:visible").count() == 1
    assert page.get_by_role("status").first.inner_text() == f"1 question sur {len(BANK)}"
    page.get_by_label("Type").select_option("formule")
    assert page.locator("tr[data-question]:visible").count() == 0 and "Aucune question" in page.locator(".suivi-compte").inner_text()
    page.get_by_role("button", name="Tout montrer").click()
    page.wait_for_function("n => document.querySelectorAll('tr[data-question]:not([hidden])').length === n", arg=len(BANK))
    page.locator("select[name=chapter]").select_option(index=1)
    assert page.locator("tr[data-question]:visible").count() == len(IN_CHAPTER)


# ── Compte-rendu et reprise ──────────────────────────────────────────────────


def test_exporter_effacer_reprendre(context, site, tmp_path):
    """Le tour complet : mêmes réponses, mêmes remarques ; et les fichiers écrits sont ceux que Python écrit."""
    answer_two(context, site).close()
    page = opened(context, site + OVERVIEW)
    page.get_by_label("Nom, ou noms").fill("Ada Lovelace, Alan Turing")
    page.get_by_label("Remarque générale").fill("Fait en binôme.")
    page.get_by_text("Ajouter une remarque à une question").click()
    page.get_by_label("Question", exact=True).select_option(NUMBER["id"])
    page.get_by_label("Remarque sur cette question").fill(f"Je sèche. {HOSTILE}")
    before = saved(page)
    assert set(before) == {CHOICE["id"], NUMBER["id"]}
    exported = download(page, "Exporter les réponses", tmp_path)
    assert exported.name == "compte-rendu-ada-lovelace-alan-turing.json"
    shown = report.Report.read(exported.read_text(encoding="utf-8"), CHAPTERS[:1])
    assert shown.names == ["Ada Lovelace", "Alan Turing"] and shown.answers[NUMBER["id"]]["remark"].startswith("Je sèche.")
    assert download(page, "Télécharger en Markdown", tmp_path).read_text(encoding="utf-8") == shown.markdown()
    printable = download(page, "Télécharger en HTML", tmp_path)
    assert printable.read_text(encoding="utf-8") == shown.html()

    page.evaluate("localStorage.clear()")
    page.reload()
    assert saved(page) == {} and page.get_by_label("Nom, ou noms").input_value() == ""
    page.set_input_files("#suivi-fichier", exported)
    page.get_by_text("2 réponses reprises.").wait_for()
    assert saved(page) == before
    assert page.get_by_label("Nom, ou noms").input_value() == "Ada Lovelace, Alan Turing"
    assert page.locator(f"tr[data-question='{CHOICE['id']}'] .suivi-etat").inner_text() == "✓ juste"
    chapter = opened(context, site + CHAPTER)
    assert "Juste." in chapter.locator(f"#question-{CHOICE['id']}").get_by_role("status").inner_text()
    assert chapter.locator(f"#question-{NUMBER['id']}").get_by_role("textbox").input_value() == "123456"
    assert not page.evaluate("window.pwned")


def test_la_reprise_ne_perd_rien(context, site, tmp_path):
    """Une moins bonne réponse ne remplace pas la vôtre sans votre accord ; un fichier abîmé ne change rien."""
    answer_two(context, site).close()
    page = opened(context, site + OVERVIEW)
    before = saved(page)
    (tmp_path / "abîmé.json").write_text('{"format": "labcode-compte-rendu", "vers', encoding="utf-8")
    page.set_input_files("#suivi-fichier", tmp_path / "abîmé.json")
    told = page.locator(".suivi-reprise").get_by_role("status")
    told.get_by_text("« abîmé.json » n’est pas repris".replace(" a", "\u00a0a").replace(" »", "\u00a0»")).wait_for()
    assert "pas du JSON lisible" in told.inner_text() and saved(page) == before

    wrong = (RIGHT + 1) % len(CHOICE["options"])
    file = written(tmp_path, "Ada", {CHOICE["id"]: entry(CHOICE["id"], wrong, "wrong", 5), "inconnue-x": {}, NUMBER["id"]: entry(NUMBER["id"], str(NUMBER["answer"]), "right")})
    page.set_input_files("#suivi-fichier", file)
    told.get_by_text("Une réponse reprise.").wait_for()
    assert "Une réponse est laissée de côté" in told.inner_text() and "Une de vos réponses est gardée" in told.inner_text()
    assert saved(page)[CHOICE["id"]]["answer"] == RIGHT and saved(page)[NUMBER["id"]]["verdict"] == "right"
    assert axe(page) == []
    told.get_by_role("button", name="Prendre celle du fichier").click()
    assert saved(page)[CHOICE["id"]]["answer"] == wrong
    assert page.locator(f"tr[data-question='{CHOICE['id']}'] .suivi-etat").inner_text() == "◐ en cours"


def test_la_reprise_met_de_cote_l_illisible(context, site, tmp_path):
    page = opened(context, site + OVERVIEW)
    page.evaluate("id => localStorage.setItem(`labcode.question.${id}`, '{')", NUMBER["id"])
    page.set_input_files("#suivi-fichier", written(tmp_path, "Ada", {NUMBER["id"]: entry(NUMBER["id"], str(NUMBER["answer"]), "right")}))
    page.get_by_text("Une réponse reprise.").wait_for()
    assert saved(page)[NUMBER["id"]]["verdict"] == "right"
    assert page.evaluate("id => localStorage.getItem(`labcode.illisible.${id}`)", NUMBER["id"]) == "{"


def test_deposer_un_fichier(context, site, tmp_path):
    page = opened(context, site + OVERVIEW)
    text = written(tmp_path, "Ada", {NUMBER["id"]: entry(NUMBER["id"], str(NUMBER["answer"]), "right")}).read_text(encoding="utf-8")
    transfer = page.evaluate_handle("text => { const t = new DataTransfer(); t.items.add(new File([text], 'a.json')); return t }", text)
    page.dispatch_event(".suivi-reprise", "drop", {"dataTransfer": transfer})
    page.get_by_text("Une réponse reprise.").wait_for()


def test_apercu_et_impression(context, site):
    """L'aperçu n'exécute rien, et c'est lui seul que l'on imprime."""
    answer_two(context, site).close()
    page = opened(context, site + OVERVIEW)
    page.get_by_label("Nom, ou noms").fill(HOSTILE)
    page.get_by_role("button", name="Aperçu").click()
    inside = page.frame_locator(".suivi-rapport iframe")
    inside.get_by_role("heading", name="Compte-rendu").wait_for()
    assert inside.get_by_text("window.pwned=1").first.is_visible() and inside.locator("img, script").count() == 0
    assert CHOICE["options"][RIGHT]["text"].split("$")[0].strip() in inside.locator("main").inner_text()
    page.evaluate("""() => { const frame = document.querySelector(".suivi-rapport iframe");
        frame.addEventListener("load", () => { frame.contentWindow.print = () => { window.printed = frame.contentDocument.title } }) }""")
    page.get_by_role("button", name="Imprimer, ou PDF").click()
    page.wait_for_function("window.printed")
    assert page.evaluate("printed").startswith("Compte-rendu, ") and not page.evaluate("window.pwned")
    for box in page.locator(".suivi-rapport [name=chapter]").all():
        box.uncheck()
    page.get_by_role("button", name="Aperçu").click()
    page.get_by_text("Choisissez au moins un chapitre.").wait_for()


def test_le_html_est_imprimable(context, site, tmp_path):
    """Ouvert seul : sans faute d'accessibilité, et plusieurs pages de papier."""
    answers = {question["id"]: entry(question["id"], 0, "wrong") for question in BANK.values() if question["type"] == "choice"}
    text = report.Report.read(written(tmp_path, "Ada", answers).read_text(encoding="utf-8"), CHAPTERS).html()
    (tmp_path / "rendu.html").write_text(text.replace("<meta http-equiv", "<meta name"), encoding="utf-8")  # la politique de sécurité interdit jusqu'à axe
    page = opened(context, (tmp_path / "rendu.html").as_uri())
    assert axe(page) == [] and overflow(page) == []
    assert page.pdf(format="A4").count(b"/Type /Page\n") >= 3


# ── Table du professeur ──────────────────────────────────────────────────────


@pytest.fixture
def files(tmp_path):
    """Trois élèves (l'une triche, l'un est hostile), et un fichier qui n'en est pas un."""
    right, number = entry(CHOICE["id"], RIGHT, "right"), entry(NUMBER["id"], str(NUMBER["answer"]), "right", 3)
    formula = next(question for question in IN_CHAPTER if question["type"] == "formula")
    return [
        written(tmp_path, "Zoé Petit", {CHOICE["id"]: right, NUMBER["id"]: number, formula["id"]: entry(formula["id"], formula["answer"], "right")}),
        written(tmp_path, "Ada Lovelace", {CHOICE["id"]: right, NUMBER["id"]: entry(NUMBER["id"], "123456", "right")}),
        written(tmp_path, HOSTILE, {NUMBER["id"]: entry(NUMBER["id"], HOSTILE, "wrong") | {"remark": HOSTILE}}, remark=HOSTILE),
        Path(tmp_path / "notes.txt"),
    ]


def filled(context, site, files):
    files[-1].write_text("rien à voir", encoding="utf-8")
    page = opened(context, site + TEACHER)
    page.set_input_files("#suivi-fichiers", files)
    page.get_by_text("3 comptes-rendus ajoutés.").wait_for()
    return page


def column(page, position):
    return [text.strip() for text in page.locator(f".suivi-table tbody tr > :nth-child({position})").all_inner_texts()]


def test_table_du_professeur(context, site, files, tmp_path):
    page = filled(context, site, files)
    told = page.locator(".suivi-messages").inner_text()
    assert "«\u00a0notes.txt\u00a0» est laissé de côté. Ce fichier n’est pas du JSON lisible" in told
    assert column(page, 1) == [HOSTILE, "Ada Lovelace", "Zoé Petit"] and column(page, 2) == ["0", "1", "3"]
    page.get_by_role("button", name="Total").click()
    page.get_by_role("button", name="Total").click()
    assert column(page, 1)[0] == "Zoé Petit" and page.locator("[aria-sort]").get_attribute("aria-sort") == "descending"

    page.get_by_label("Vue").select_option(index=1)
    rank = [question["id"] for question in IN_CHAPTER].index(NUMBER["id"]) + 2
    assert column(page, rank) == ["✗ 1", "✗ 1 !", "✓ 3"]
    cheat = page.get_by_role("button", name=f"Ada Lovelace, {NUMBER['title']}")
    cheat.focus()
    page.keyboard.press("Enter")
    detail = page.locator(".suivi-detail")
    assert "123456" in detail.inner_text() and "Le fichier dit le contraire." in detail.inner_text()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # Fermer : le focus revient à la note
    assert not detail.is_visible() and cheat.evaluate("button => button === document.activeElement")

    page.get_by_role("button", name="Zoé Petit", exact=True).click()
    inside = page.frame_locator(".suivi-professeur iframe")
    inside.get_by_role("heading", name="Compte-rendu").wait_for()
    assert "Zoé Petit" in inside.locator("main").inner_text()
    rows = list(csv.reader(io.StringIO(download(page, "Télécharger en CSV", tmp_path).read_text(encoding="utf-8-sig")), delimiter=";"))
    assert sorted(row[0] for row in rows[1:]) == sorted([HOSTILE, "Ada Lovelace", "Zoé Petit"])
    assert {row[0]: row[rows[0].index(NUMBER["id"])] for row in rows[1:]}["Ada Lovelace"] == "faux"
    page.set_input_files("#suivi-fichiers", files[:1])
    page.get_by_text("est déjà dans la table").wait_for()
    page.get_by_role("button", name="Vider la table").click()
    assert not page.locator(".suivi-table").is_visible()


def test_un_eleve_hostile_reste_inerte(context, site, files):
    page = filled(context, site, files)
    page.get_by_label("Vue").select_option(index=1)
    page.locator(".suivi-note[aria-label*='onerror']").click()
    detail = page.locator(".suivi-detail")
    assert detail.inner_text().count("<img src=x") == 3 and detail.locator("img, script").count() == 0  # nom, réponse, remarque
    page.get_by_role("button", name="<img").first.click()
    page.frame_locator(".suivi-professeur iframe").get_by_role("heading", name="Compte-rendu").wait_for()
    page.wait_for_timeout(200)
    assert not page.evaluate("window.pwned") and page.locator(".suivi-professeur img").count() == 0


@pytest.mark.parametrize("context", [("light", 360), ("dark", 360), ("dark", 1280)], indirect=True, ids=["clair-360", "sombre-360", "sombre-1280"])
def test_accessible_dans_tous_les_etats(context, site, files):
    answer_two(context, site).close()
    page = opened(context, site + OVERVIEW)
    page.get_by_text("Ajouter une remarque à une question").click()
    page.get_by_role("button", name="Aperçu").click()
    page.frame_locator(".suivi-rapport iframe").get_by_role("heading", name="Compte-rendu").wait_for()
    found = [axe(page), overflow(page), english(page), formulas(page), identifiers(page)]
    page = filled(context, site, files)
    found += [axe(page), overflow(page)]
    page.get_by_label("Vue").select_option(index=1)
    page.locator(".suivi-note").first.click()
    found += [axe(page), overflow(page), english(page), formulas(page), identifiers(page)]
    page.locator(".suivi-nom").first.click()
    found += [axe(page), overflow(page)]
    assert [problem for problems in found for problem in problems] == []
