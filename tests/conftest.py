"""Le navigateur que partagent tous les essais de pages : un seul Chromium, qui ne sort pas de cette machine."""

import os
import shutil

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ("--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update "
           "--disable-sync").split() + ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]


def missing(reason):
    """Sauté sur une machine à qui il manque quelque chose ; échec en intégration continue, où rien ne doit manquer."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    executable = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not executable:
        missing("il faut Chromium pour essayer les pages\u00a0: «\u00a0sudo apt install chromium\u00a0», ou CHROMIUM=/chemin/du/navigateur")
    if node := shutil.which("node"):  # celui que playwright apporte demande libatomic, qu'une machine nue n'a pas
        os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", node)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=OPTIONS)
        yield browser
        browser.close()
