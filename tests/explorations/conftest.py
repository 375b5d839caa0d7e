"""De quoi essayer une exploration : ses calculs dans Node, son dessin dans un navigateur sans noyau."""

import json
import shutil
import subprocess
from base64 import b64encode

import pytest

NODE = shutil.which("node")
# Le strict nécessaire de ce qu'anywidget donne à `render` : un modèle que l'on lit, écrit et observe.
PAGE = """<!doctype html><html lang="fr" data-theme="%s"><title>Essai</title><meta name="viewport" content="width=device-width">
<style>%s</style><main><h1>Essai</h1><div id="ici"></div></main><script type="module">
const {render} = (await import("data:text/javascript;base64," + "%s")).default;
const state = %s, heard = {};
window.model = {get: (name) => state[name], save_changes() {}, off() {}, on: (name, f) => (heard[name] ??= []).push(f),
  set(name, value) {
    if (typeof name === "object") return Object.entries(name).forEach(([key, v]) => this.set(key, v));
    state[name] = value; (heard["change:" + name] ?? []).forEach((f) => f()); }};
render({model, el: document.getElementById("ici")});
</script>"""


@pytest.fixture
def run():
    """``run(widget, corps, **d)`` rend ce que renvoie le corps, où ``m`` est le script du widget et ``d`` les données."""
    if NODE is None:
        pytest.skip("Node est absent : les calculs de la page ne sont pas vérifiés")

    def call(widget, body, **data):
        url = "data:text/javascript;base64," + b64encode(widget._esm.encode()).decode()
        code = (f"const m = await import({json.dumps(url)}); const d = {json.dumps(data)};"
                f"console.log(JSON.stringify(await (async () => {{ {body} }})()));")
        done = subprocess.run([NODE, "--input-type=module", "-"], input=code, capture_output=True, text=True,
                              encoding="utf-8", timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return call


@pytest.fixture
def visit(browser):
    """``visit(widget, theme, width)`` ouvre une page qui montre ce widget ; toute erreur de script fait échouer l'essai."""
    pages = []

    def open_page(widget, theme="light", width=900):
        state = {name: value for name, value in widget.get_state().items() if not name.startswith("_") and name not in ("layout", "tooltip")}
        pages.append(page := browser.new_page(viewport={"width": width, "height": 800}))
        page.incidents = []
        page.on("pageerror", lambda error: page.incidents.append(str(error)))
        page.set_content(PAGE % (theme, widget._css, b64encode(widget._esm.encode()).decode(), json.dumps(state)))
        page.wait_for_selector(".exploration")
        return page

    yield open_page
    for page in pages:
        assert page.incidents == []
        page.close()
