"""Ce que fait un lecteur : chercher, changer de thème, naviguer au clavier, bouger un curseur, ouvrir depuis une clé USB."""

import importlib.util
import re

import examen
import pytest
from examen import PAGES, SITE

CHAPTERS = [name for name in PAGES if re.search(r"chapters/\d\d_", name)] or PAGES


@pytest.fixture
def reader(visit):
    """Ouvre des pages et vérifie à la fin que rien d'anormal n'est arrivé."""
    opened, marks = [], {}

    def open_page(name, theme="light", width=1280):
        visitor = visit(theme, width)
        marks.setdefault(visitor, len(visitor.incidents))
        opened.append(visitor.open(name))
        return opened[-1]

    yield open_page
    for page in opened:
        page.close()
    assert [incident for visitor, mark in marks.items() for incident in visitor.incidents[mark:]] == []


# --- Recherche ---------------------------------------------------------------

def results(page):
    page.wait_for_function("() => document.querySelector('#search-results .search-summary')?.textContent")
    return page.eval_on_selector_all("#search-results li > a", "links => links.map(a => a.getAttribute('href'))")


def test_la_recherche_ignore_les_accents(reader):
    """« derivee », « Dérivées » et « DÉRIVÉE » trouvent les mêmes pages, dont une qui contient « dérivée »."""
    found = [results(reader(f"search.html?q={query}")) for query in ("derivee", "Dérivées", "DÉRIVÉE")]
    pages = [{link.split("#")[0] for link in links} for links in found]
    text = {name: re.sub(r"(?s)<script.*?</script>", "", (SITE / name).read_text(encoding="utf-8")) for name in CHAPTERS}
    expected = [name for name in CHAPTERS if "dérivée" in text[name]]
    assert expected and set(expected) <= pages[0] == pages[1] == pages[2]


def test_la_recherche_montre_un_extrait_lisible(reader):
    page = reader("search.html?q=perceptron")
    page.wait_for_selector("#search-results .context")
    extracts = page.eval_on_selector_all("#search-results .context", "nodes => nodes.map(n => n.textContent)")
    assert extracts and all(len(text) > 15 and "\\(" not in text and "Sur cette page" not in text for text in extracts)
    assert examen.english(page) == [] and examen.axe(page) == []


def test_la_recherche_dit_qu_elle_n_a_rien_trouve(reader):
    page = reader("search.html?q=zzzyx")
    assert results(page) == []
    assert "Aucune page" in page.inner_text("#search-results")


def test_la_recherche_trouve_un_nombre(reader):
    """1943, année du neurone de McCulloch et Pitts, seul ou avec un mot."""
    for query in ("1943", "1943 neurone"):
        assert any("01_perceptron" in link for link in results(reader(f"search.html?q={query}")))


@pytest.mark.parametrize("query", ["a", "de", "%20%20", "%25"])
def test_la_recherche_dit_que_les_mots_sont_ignores(reader, query):
    page = reader(f"search.html?q={query}")
    assert results(page) == []
    assert "trop courants ou trop courts" in page.inner_text("#search-results")


def test_le_meme_radical_dans_l_index_et_dans_le_navigateur(reader):
    """Tout mot du livre se réduit pareil en Python (index) et en JavaScript (requête)."""
    spec = importlib.util.spec_from_file_location("recherche", SITE.parents[1] / "site" / "extensions" / "recherche.py")
    recherche = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recherche)
    words = {"œuvre", "réseaux", "cheval", "chevaux", "dérivées", "Élève", "naïf", "as", "x", "classe", "loss"}
    for name in PAGES:
        words |= set(re.findall(r"[^\W\d_]+", re.sub(r"<[^>]*>", " ", (SITE / name).read_text(encoding="utf-8"))))
    words = sorted(words)
    page = reader("search.html")
    assert page.evaluate("words => words.map(word => new Stemmer().stemWord(word))", words) == [recherche.stem(word) for word in words]
    for one, other in (("dérivée", "derivees"), ("réseau", "reseaux"), ("époque", "epoques"), ("perte", "pertes"), ("biais", "biais")):
        assert recherche.stem(one) == recherche.stem(other)
    assert recherche.stem("perte") != recherche.stem("perceptron")


# --- Clavier, thème, petits écrans -------------------------------------------

def test_lien_d_evitement(reader):
    page = reader(CHAPTERS[0])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").strip() == "Passer au contenu principal"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main-content")


def test_le_theme_se_change_et_se_garde(reader):
    page = reader("index.html")
    seen = set()
    for _ in range(3):
        page.click(".theme-switch-button")
        seen.add(page.evaluate("document.documentElement.dataset.mode"))
    assert seen == {"light", "dark", "auto"}
    page.evaluate("localStorage.clear()")


@pytest.mark.parametrize("width", [360, 1280])
def test_le_sommaire_s_ouvre_et_se_ferme(reader, width):
    page = reader(CHAPTERS[0], width=width)
    link = page.locator(".bd-sidebar-primary a", has_text="Glossaire")
    before = link.is_visible()
    toggle = page.locator(".bd-header-article .primary-toggle")
    toggle.focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)
    assert link.is_visible() != before
    if width == 360:
        assert examen.axe(page) == [] and examen.overflow(page) == []
        page.keyboard.press("Escape")
    else:
        page.keyboard.press("Enter")
    page.wait_for_timeout(500)
    assert link.is_visible() == before
    assert toggle.evaluate("button => button === document.activeElement"), "le clavier reste sur le bouton"


def test_ctrl_k_ouvre_la_recherche(reader):
    page = reader("index.html")
    page.keyboard.press("Control+k")
    page.wait_for_selector("#pst-search-dialog[open]")
    assert examen.english(page) == [] and examen.axe(page) == []
    page.keyboard.type("retropropagation")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=retropropagation")
    assert any("retropropagation" in link for link in results(page))


FULL = "Storage.prototype.setItem = () => { throw new DOMException('plein', 'QuotaExceededError') }"
FORBIDDEN = """for (const name of ["localStorage", "sessionStorage"])
    Object.defineProperty(window, name, {configurable: true, get() { throw new DOMException("interdit", "SecurityError") }})"""


@pytest.mark.parametrize("storage", [FULL, FORBIDDEN], ids=["plein", "interdit"])
def test_sans_stockage_tout_marche(browser, site, storage):
    """Stockage plein ou interdit : recherche, sommaire et thème répondent, sans erreur."""
    context = browser.new_context(viewport={"width": 400, "height": 800})
    context.add_init_script(storage)
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(site + CHAPTERS[0])
    before = page.evaluate("document.documentElement.dataset.mode")
    page.click(".theme-switch-button")
    assert page.evaluate("document.documentElement.dataset.mode") != before
    page.click(".bd-header-article .primary-toggle")
    page.locator(".bd-sidebar-primary a", has_text="Glossaire").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.wait_for_selector("#pst-search-dialog[open]")
    page.goto(site + "search.html?q=perceptron")
    assert results(page) and errors == []
    context.close()


@pytest.mark.parametrize("name", CHAPTERS)
def test_un_texte_double_ne_coupe_pas_les_titres(reader, name):
    page = reader(name)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    cut = "nodes => nodes.filter(n => n.scrollWidth > n.clientWidth || n.getBoundingClientRect().right > innerWidth).map(n => n.textContent)"
    assert page.eval_on_selector_all(".bd-article :is(h1, h2)", cut) == []


# --- Depuis un fichier, sans JavaScript, à l'impression -----------------------

@pytest.mark.parametrize("name", CHAPTERS[:1])
def test_depuis_une_cle_usb(reader, name):
    """Ouverte comme un fichier, sans serveur, une page compose ses formules et montre ses widgets."""
    page = reader((SITE / name).as_uri())
    assert page.locator("mjx-container").count()
    assert examen.formulas(page) == [] and examen.widgets(page) == []


def test_la_recherche_depuis_une_cle_usb(reader):
    assert results(reader((SITE / "search.html").as_uri() + "?q=derivee"))


def test_sans_javascript_la_page_le_dit(browser, site):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 800})
    page = context.new_page()
    page.goto(site + CHAPTERS[0])
    assert "JavaScript" in page.locator(".sans-javascript").inner_text()
    assert page.locator("article h1").is_visible()
    context.close()


def test_a_l_impression_rien_que_le_texte(reader):
    page = reader(CHAPTERS[0], theme="dark")
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    hidden = ".bd-sidebar-primary, .bd-sidebar-secondary, .bd-header-article, .prev-next-footer, .headerlink, .copybtn"
    assert not any(node.is_visible() for node in page.locator(hidden).all())
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


# --- Ces contrôles savent échouer --------------------------------------------

@pytest.fixture(scope="module")
def home(visit):
    page = visit().open("index.html")
    yield page
    page.close()


FAULTS = [
    (examen.english, "<p>Toggle secondary sidebar</p>"),
    (examen.english, "<button aria-label='Search'>Chercher</button>"),
    (examen.axe, "<p style='color: #888; background: #999'>Texte trop pâle</p>"),
    (examen.axe, "<button></button>"),
    (examen.axe, "<div style='overflow: auto; width: 50px; height: 20px'><div style='width: 500px'>défile sans clavier</div></div>"),
    (examen.overflow, "<div style='width: 3000px'>trop large</div>"),
    (examen.formulas, "<p>La dérivée de $x^2$</p>"),
    (examen.formulas, "<span class='math'>x</span>"),
    (examen.pictures, "<img src='_static/logo.svg' alt='../_images/abc.png'>"),
    (examen.pictures, "<img src='_static/logo.svg'>"),
    (examen.identifiers, "<p id='main-content'></p>"),
    (examen.widgets, "<div class='widget-subarea'><div></div></div>"),
]


@pytest.mark.parametrize(("check", "fault"), FAULTS, ids=[f"{check.__name__}-{number}" for number, (check, _) in enumerate(FAULTS)])
def test_un_defaut_plante_se_voit(home, check, fault):
    home.evaluate("html => document.querySelector('article').insertAdjacentHTML('beforeend', `<div class='faute'>${html}</div>`)", fault)
    found = check(home)
    home.evaluate("document.querySelector('.faute').remove()")
    assert found != [] and check(home) == []


def test_une_requete_exterieure_se_voit(visit):
    visitor = visit("light", 1280)
    before = len(visitor.incidents)
    page = visitor.open("index.html")
    page.evaluate("fetch('https://exemple.invalid/a.js').catch(() => null)")
    page.evaluate("() => { const image = new Image(); image.src = '/absent.png'; return new Promise(done => image.onerror = () => done(null)) }")
    page.evaluate("() => console.error('essai')")
    page.wait_for_timeout(100)
    text = " ".join(visitor.incidents[before:])
    del visitor.incidents[before:]
    page.close()
    assert "exemple.invalid" in text and "HTTP 404" in text and "essai" in text
