"""Recherche en français, indifférente aux accents et aux pluriels.

Le même petit algorithme (d'après celui, « minimal », de J. Savoy, 1999) réduit les mots de l'index, ici, et ceux de la
requête, dans le navigateur : « derivees » trouve « dérivée ». Les deux versions se lisent côte à côte ; un test les compare.
"""

import re
import unicodedata

from sphinx.search.fr import SearchFrench


def fold(text):
    """Minuscules, sans accents ni ligatures."""
    text = unicodedata.normalize("NFD", text.lower().replace("œ", "oe").replace("æ", "ae"))
    return "".join(letter for letter in text if not unicodedata.combining(letter))


def stem(word):
    """Racine d'un mot : ni accents, ni pluriel, ni terminaison courante ; trois lettres au moins restent."""
    word = re.sub("([^e])aux$", r"\1al", fold(word))
    word = re.sub("^(.{3,}?)e?e?r?[sx]?$", r"\1", word)
    return re.sub(r"^(.{2,})(.)\2$", r"\1\2", word)


STEMMER = r"""
var fold = function (text) {
  return text.toLowerCase().replace(/œ/g, "oe").replace(/æ/g, "ae").normalize("NFD").replace(/\p{M}/gu, "");
};
var Stemmer = function () {
  this.stemWord = function (word) {
    word = fold(word).replace(/([^e])aux$/, "$1al");
    word = word.replace(/^(.{3,}?)e?e?r?[sx]?$/, "$1");
    return word.replace(/^(.{2,})(.)\2$/, "$1$2");
  };
};
// Les mots vides se reconnaissent aussi sans accents.
stopwords.indexOf = function (word) { return Array.prototype.indexOf.call(stopwords, fold(word)); };
"""


class French(SearchFrench):
    """Le français de Sphinx, avec notre réduction des mots."""

    stopwords = {fold(word) for word in SearchFrench.stopwords}
    js_stemmer_rawcode = ""
    js_stemmer_code = STEMMER

    def init(self, options):
        """Rien à préparer : pas d'algorithme extérieur."""

    def stem(self, word):
        return stem(word)

    def word_filter(self, word):
        return fold(word) not in self.stopwords


def setup(app):
    app.add_search_language(French)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
