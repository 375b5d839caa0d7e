"""Le widget de question : Python lui donne la question, le JavaScript corrige."""

import weakref

import anywidget
import traitlets

from labcode.tp import bank, bundle

MIMETYPE = "application/vnd.labcode.question+json"
LONGEST_ANSWER = 5000  # caractères, comme dans storage.js


class Question(anywidget.AnyWidget):
    """Une question de TP ; l'état (réponse, essais, verdict) revient à Python quand un noyau tourne."""

    _esm = bundle.widget_module()
    _css = bundle.stylesheet()
    question = traitlets.Dict().tag(sync=True)
    answer = traitlets.Any(None, allow_none=True).tag(sync=True)
    attempts = traitlets.Int(0).tag(sync=True)
    hints = traitlets.Int(0).tag(sync=True)
    verdict = traitlets.Unicode("").tag(sync=True)
    feedback = traitlets.Unicode("").tag(sync=True)
    instances: "weakref.WeakSet[Question]" = weakref.WeakSet()

    def __init__(self, **state):
        super().__init__(**state)
        self.instances.add(self)

    def __repr__(self):
        title, name = self.question.get("title"), self.question.get("id")
        return f"Question «\u00a0{title}\u00a0» ({name})"

    def _repr_mimebundle_(self, **kwargs):
        """Le widget, ce que montre un carnet pas encore exécuté, et de quoi reconnaître la question."""
        data, metadata = super()._repr_mimebundle_(**kwargs)
        plain = f"{self!r}\nExécutez cette cellule pour répondre."
        return {**data, "text/plain": plain, MIMETYPE: {"id": self.question.get("id")}}, metadata


def question(name: str) -> Question:
    """Affiche la question ``name`` de la banque ; ``KeyError`` si elle n'existe pas, avec les noms proches."""
    return Question(question=bank.compiled(bank.find_question(name, bank.load_bank())))


def record(name: str, ok: bool, message: str, answer: str = "") -> bool:
    """Inscrit une vérification de code dans les widgets de la question ``name`` ; faux si aucun ne vit dans ce noyau.

    ``message`` est un court texte Markdown, ``answer`` le code de l'élève : le navigateur garde l'un et montre l'autre.
    """
    found = [widget for widget in list(Question.instances) if widget.question.get("id") == name]
    for widget in found:
        with widget.hold_sync():
            widget.answer = answer[:LONGEST_ANSWER]
            widget.verdict = "right" if ok else "wrong"
            widget.feedback = bank.render(message, "mathml")
            widget.attempts += 1
    return bool(found)
