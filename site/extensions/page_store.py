"""Ce qu'une extension retient de chaque page, d'une construction à l'autre, même quand Sphinx lit les pages en parallèle."""


class PageStore:
    """Une liste par page, gardée dans l'environnement de Sphinx sous le nom ``name``."""

    def __init__(self, name: str):
        self.name = name

    def of(self, env) -> dict[str, list]:
        """Les listes, par page."""
        if not hasattr(env, self.name):
            setattr(env, self.name, {})
        return getattr(env, self.name)

    def connect(self, app):
        """Oublie une page qu'on relit, et réunit ce que chaque processus a vu."""
        app.connect("env-purge-doc", lambda app, env, docname: self.of(env).pop(docname, None))
        app.connect("env-merge-info", self._merge)

    def _merge(self, app, env, docnames, other):
        self.of(env).update({name: found for name, found in self.of(other).items() if name in docnames})
