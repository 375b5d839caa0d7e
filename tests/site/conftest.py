"""Un vrai navigateur devant le site construit : un serveur, un Chromium, et rien qui sorte de cette machine."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from examen import SITE


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        """Pas de journal : les erreurs sont relevées dans le navigateur."""


@pytest.fixture(scope="session")
def site():
    """Adresse du site, servi sur un port libre."""
    if not (SITE / "index.html").exists():
        pytest.fail("le site n'est pas construit\u00a0: lancez «\u00a0make livre\u00a0»")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=SITE)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


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
