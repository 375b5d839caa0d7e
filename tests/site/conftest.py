"""Un vrai navigateur devant le site construit : un serveur, un Chromium, et rien qui sorte de cette machine."""

import os
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

SITE = Path(__file__).resolve().parents[2] / "_build" / "html"
PAGES = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html") if "_static" not in path.parts) or ["index.html"]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ("--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update "
           "--disable-sync").split() + ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]


def missing(reason):
    """Sauté sur une machine à qui il manque quelque chose ; échec en intégration continue, où rien ne doit manquer."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        """Pas de journal : les erreurs sont relevées dans le navigateur."""


@pytest.fixture(scope="session")
def site():
    """Adresse du site, servi sur un port libre."""
    if not (SITE / "index.html").exists():
        missing("le site n'est pas construit\u00a0: lancez «\u00a0make livre\u00a0»")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=SITE)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def browser():
    executable = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not executable:
        missing("il faut Chromium pour les tests du site\u00a0: «\u00a0sudo apt install chromium\u00a0», ou CHROMIUM=/chemin/du/navigateur")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=OPTIONS)
        yield browser
        browser.close()


class Visitor:
    """Ouvre des pages dans un contexte et note tout ce qu'un lecteur ne doit jamais rencontrer."""

    def __init__(self, browser, base, theme, width):
        self.base, self.incidents = base, []
        self.context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme, locale="fr-FR")
        self.context.set_default_timeout(20_000)

    def open(self, name):
        """La page `name` chargée, formules composées et widgets affichés."""
        page = self.context.new_page()
        page.on("request", self._request)
        page.on("requestfailed", lambda request: self.incidents.append(f"requête échouée\u00a0: {request.url}"))
        page.on("response", lambda answer: answer.status >= 400 and self.incidents.append(f"HTTP {answer.status}\u00a0: {answer.url}"))
        page.on("console", lambda message: message.type == "error" and self.incidents.append(f"console\u00a0: {message.text}"))
        page.on("pageerror", lambda error: self.incidents.append(f"erreur JavaScript\u00a0: {error}"))
        page.goto(name if "://" in name else self.base + name)
        page.evaluate("() => window.MathJax && MathJax.startup ? MathJax.startup.promise.then(() => null) : null")
        page.wait_for_function("""() => {
            const views = document.querySelectorAll('script[type="application/vnd.jupyter.widget-view+json"]').length;
            return document.querySelectorAll('.widget-subarea > *').length >= views }""")
        page.wait_for_load_state("networkidle")
        return page

    def _request(self, request):
        if not request.url.startswith((self.base, "file:", "data:", "blob:", "about:")):
            self.incidents.append(f"requête vers un autre serveur\u00a0: {request.url}")


@pytest.fixture(scope="session")
def visit(browser, site):
    """visit(theme, largeur) : un visiteur, gardé pour toute la session."""
    visitors = {}

    def get(theme="light", width=1280):
        if (theme, width) not in visitors:
            visitors[theme, width] = Visitor(browser, site, theme, width)
        return visitors[theme, width]

    yield get
    for visitor in visitors.values():
        visitor.context.close()
