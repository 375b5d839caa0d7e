"""Chaque page construite, ouverte au clair sur un grand écran puis au sombre sur un petit."""

import re
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag

import examen
import pytest
from examen import PAGES, SITE


def opened(visit, name, theme, width):
    """Page ouverte, avec les incidents que son ouverture a causés."""
    visitor = visit(theme, width)
    before = len(visitor.incidents)
    page = visitor.open(name)
    page.incidents = lambda: visitor.incidents[before:]
    return page


@pytest.fixture(scope="module", params=PAGES)
def wide(visit, request):
    page = opened(visit, request.param, "light", 1280)
    yield page
    page.close()


@pytest.fixture(scope="module", params=PAGES)
def narrow(visit, request):
    page = opened(visit, request.param, "dark", 320)  # en deçà, WCAG 1.4.10 ne demande plus rien
    yield page
    page.close()


def test_langue(wide):
    assert wide.evaluate("document.documentElement.lang") == "fr"


def test_cellules_repliees(wide):
    """Toute cellule repliée dit en français ce qu'elle cache et s'ouvre au clavier (la suite examine donc aussi ce qu'elle cachait)."""
    for fold in wide.locator("details.repli").all():
        summary = fold.locator("summary")
        assert summary.inner_text() in {"Afficher le code", "Afficher le résultat", "Afficher la cellule"}
        summary.focus()
        wide.keyboard.press("Enter")
        assert summary.inner_text().startswith("Masquer")


def test_curseurs(wide):
    """Tout curseur d'ipywidgets porte un nom, répond aux flèches et montre une virgule décimale."""
    for slider in wide.locator(".widget-slider").all():
        handle, readout = slider.locator("[role=slider]").first, slider.locator(".widget-readout")
        assert handle.get_attribute("aria-label")
        before = readout.inner_text()
        handle.focus()
        full = handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemax")
        wide.keyboard.press("ArrowLeft" if full else "ArrowRight")
        wide.wait_for_timeout(50)
        assert readout.inner_text() != before and not re.search(r"\d\.\d", readout.inner_text())


def test_aucun_texte_anglais(wide):
    assert examen.english(wide) == []


def test_formules(wide):
    assert examen.formulas(wide) == []


def test_images_decrites(wide):
    assert examen.pictures(wide) == []


def test_identifiants_uniques(wide):
    assert examen.identifiers(wide) == []


def test_widgets_affiches(wide):
    assert examen.widgets(wide) == []


def test_rien_ne_deborde_sur_un_grand_ecran(wide):
    assert examen.overflow(wide) == []


def test_quatre_vingts_colonnes_de_code_tiennent_sans_defiler(wide):
    cut = wide.locator(".cell_input pre").evaluate_all(
        "frames => frames.filter(e => e.scrollWidth > e.clientWidth).map(e => e.innerText.slice(0, 80))")
    assert cut == []


def test_les_formules_tiennent_sans_defiler(wide):
    cut = wide.locator('mjx-container[display="true"]').evaluate_all(
        "formulas => formulas.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.parentElement.id)")
    assert cut == []


def test_accessible_au_clair(wide):
    assert wide.evaluate("document.documentElement.dataset.theme") == "light"
    assert examen.axe(wide) == []


def test_ni_requete_exterieure_ni_erreur(wide):
    assert wide.incidents() == []


def test_rien_ne_deborde_sur_un_telephone(narrow):
    assert examen.overflow(narrow) == []


def test_accessible_au_sombre(narrow):
    assert narrow.evaluate("document.documentElement.dataset.theme") == "dark"
    assert examen.axe(narrow) == []


def test_tout_cadre_defilant_est_au_clavier(narrow):
    """Ce qui défile sur un petit écran (formule, code, tableau) est atteint par la tabulation ; une formule porte alors un nom."""
    frames = narrow.evaluate("""() => [...document.querySelectorAll('main *')].filter(e => {
        const reached = e.tabIndex === 0 || e.querySelector('[tabindex="0"], a, button, input');
        return /auto|scroll/.test(getComputedStyle(e).overflowX) && e.checkVisibility() && e.scrollWidth > e.clientWidth + 1 && !reached })
        .map(e => e.outerHTML.slice(0, 150))""")
    unnamed = narrow.locator("mjx-container[tabindex]:not([aria-label])").count()
    assert frames == [] and unnamed == 0


def test_ni_requete_ni_erreur_sur_un_telephone(narrow):
    assert narrow.incidents() == []


class Outline(HTMLParser):
    """Identifiants et adresses internes d'une page, lus dans son HTML."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.targets = set(), []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids.add(attributes.get("id"))
        target = attributes.get("href") or attributes.get("src") or ""
        if target and not target.startswith(("http:", "https:", "mailto:", "data:")):
            self.targets.append(target)


def broken_links(root):
    """Adresses internes de tout le site qui ne mènent nulle part."""
    pages = {path.resolve(): Outline(path) for path in root.rglob("*.html") if "_static" not in path.parts}
    for path, page in pages.items():
        for target in page.targets:
            address, anchor = urldefrag(target)
            found = (path.parent / unquote(address.split("?")[0])).resolve() if address else path
            if not found.is_file() or (anchor and found in pages and unquote(anchor) not in pages[found].ids):
                yield f"{path.relative_to(root.resolve())} → {target}"


def test_liens_et_ancres(site):
    assert list(broken_links(SITE)) == []


def test_rien_d_autre_serveur_dans_le_html(site):
    """Aucun script, style, image ou cadre ne vient d'ailleurs, même sans être demandé à l'ouverture."""
    class Foreign(HTMLParser):
        found = []

        def handle_starttag(self, tag, attributes):
            for name, value in attributes:
                if tag in {"script", "link", "img", "iframe", "source", "video"} and name in {"src", "href"} and "//" in (value or ""):
                    self.found.append(value)

    for path in SITE.rglob("*.html"):
        Foreign().feed(path.read_text(encoding="utf-8"))
    assert Foreign.found == []
