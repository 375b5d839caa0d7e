"""Le rendu des textes de la banque : Markdown et LaTeX, sans HTML venu du texte."""

import functools
import html

from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin


@functools.lru_cache(maxsize=8192)  # la construction du site rend toute la banque à chaque page
def render(text: str | None, math: str, inline: bool = False) -> str:
    r"""Le HTML d'un texte Markdown, ses formules en MathML (``"mathml"``) ou en ``\(…\)`` pour MathJax (``"mathjax"``)."""
    if not text:
        return ""
    markdown = _markdown(math)
    return markdown.renderInline(text.strip()) if inline else markdown.render(text).strip()


def _mathml(latex, options):
    return convert(latex.strip(), display="block" if options["display_mode"] else "inline")


def _mathjax(latex, options):
    opening, closing = (r"\[", r"\]") if options["display_mode"] else (r"\(", r"\)")
    return opening + html.escape(latex.strip()) + closing


@functools.cache
def _markdown(math):
    renderer = {"mathml": _mathml, "mathjax": _mathjax}[math]
    typography = {"typographer": True, "quotes": "“”‘’"}  # l'apostrophe droite devient courbe, sauf dans le code
    markdown = MarkdownIt("commonmark", {"html": False} | typography).enable(["table", "smartquotes"])
    return markdown.use(dollarmath_plugin, renderer=renderer, allow_labels=False, double_inline=True)
