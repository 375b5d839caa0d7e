"""Bibliographie et citations en français, au lieu des « and », « In » et « editors » de pybtex."""

from dataclasses import dataclass, field

from pybtex.plugin import register_plugin
from pybtex.richtext import Text
from pybtex.style.formatting import toplevel
from pybtex.style.formatting.unsrt import Style, dashify
from pybtex.style.template import first_of, href, join, names, optional, optional_field, sentence, tag
from pybtex.style.template import field as value
from sphinxcontrib.bibtex.plugin import register_plugin as register_citation_style
from sphinxcontrib.bibtex.style.referencing import BracketStyle, PersonStyle
from sphinxcontrib.bibtex.style.referencing.author_year import AuthorYearReferenceStyle

NBSP = "\u00a0"
WHOLE = {"book", "booklet", "manual", "proceedings", "phdthesis", "mastersthesis"}  # titre en italique, sans guillemets
KINDS = {"phdthesis": "thèse de doctorat", "mastersthesis": "mémoire de master", "techreport": "rapport technique"}


def preceded(label, name):
    """« vol. 65 » : le champ `name`, précédé de `label` ; rien si le champ manque."""
    return optional[join[label, NBSP, value(name)]]


class French(Style):
    """Une seule forme pour toutes les notices : auteurs, titre, contenant, adresse web."""

    default_sorting_style = "author_year_title"

    def template(self, e):
        people = next((role for role in ("author", "editor") if role in e.persons), None)
        return toplevel[
            sentence[names(people, sep=", ", sep2=" et ", last_sep=" et ")] if people else "",
            sentence[tag("em")[value("title")]] if e.type in WHOLE else sentence[join["«", NBSP, value("title"), NBSP, "»"]],
            sentence(sep=", ")[self.container(e)],
            sentence[optional_field("note")],
            self.web(),
        ]

    def container(self, e):
        """Où l'ouvrage a paru, du plus large au plus précis, puis l'année."""
        return [
            first_of[optional_field("type"), KINDS.get(e.type, "")],
            optional[tag("em")[value("journal")]],
            optional[join["Dans ", tag("em")[value("booktitle")]]],
            optional_field("series"),
            preceded("vol.", "volume"),
            preceded("n\u1d52", "number"),
            optional[value("pages", apply_func=lambda text: Text("p.", NBSP, dashify(text)))],
            *(optional_field(name) for name in ("school", "institution", "organization", "publisher", "address", "howpublished")),
            optional[join[value("edition"), NBSP, "édition"]],
            optional_field("year"),
        ]

    def web(self):
        """Le DOI s'il existe, sinon arXiv, sinon l'adresse."""
        doi, eprint, url = (value(name, raw=True) for name in ("doi", "eprint", "url"))
        return first_of[
            optional[href(join["https://doi.org/", doi])[join["doi:", doi]]],
            optional[href(join["https://arxiv.org/abs/", eprint])[join["arXiv:", eprint]]],
            optional[href(url)[url]],
        ]


for kind in ("article", "book", "booklet", "dataset", "inbook", "incollection", "inproceedings", "manual", "mastersthesis", "misc",
             "online", "phdthesis", "proceedings", "software", "techreport", "unpublished"):
    setattr(French, f"get_{kind}_template", French.template)


@dataclass
class FrenchAuthorYear(AuthorYearReferenceStyle):
    """Citations (Rosenblatt, 1958), avec « et » entre deux auteurs et « ; » entre deux ouvrages."""

    bracket_parenthetical: BracketStyle = field(default_factory=lambda: BracketStyle("(", ")", f"{NBSP}; "))
    bracket_textual: BracketStyle = field(default_factory=lambda: BracketStyle("(", ")"))
    person: PersonStyle = field(default_factory=lambda: PersonStyle(sep2=" et ", last_sep=" et ", other=f" et{NBSP}al."))


def setup(app):
    register_plugin("pybtex.style.formatting", "francais", French)
    register_citation_style("sphinxcontrib.bibtex.style.referencing", "auteur_annee", FrenchAuthorYear)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
