/* Complète la recherche de Sphinx : nombres, titres comparés sans accents, extraits lisibles, marche depuis un fichier. `fold` vient de language_data.js. */
(function () {
  // Depuis un fichier, le navigateur refuse de lire les autres pages : pas d'extrait.
  if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

  const NOTHING = "Your search did not match any documents. Please make sure that all words are spelled correctly and that you've selected enough categories.";

  Documentation.addTranslations({
    locale: "fr",
    plural_expr: "n > 1",
    messages: {
      "Searching": "Recherche en cours",
      "Search Results": "Résultats",
      "Search finished, found ${resultCount} page(s) matching the search query.": "Passages trouvés\u00a0: ${resultCount}.",
      [NOTHING]: "Aucune page ne contient tous ces mots.",
      ", in ": ", dans ",
    },
  });

  // Sphinx écarte les nombres de la requête, mais son index les a.
  const parse = Search._parseQuery;
  Search._parseQuery = function (query) {
    const parsed = parse(query), [, terms, , highlighted] = parsed, stemmer = new Stemmer();
    for (const number of splitQuery(query).filter((word) => /^\d+$/.test(word))) {
      terms.add(stemmer.stemWord(number));
      highlighted.add(number);
    }
    if (!terms.size) Documentation.TRANSLATIONS[NOTHING] = "Ces mots sont trop courants ou trop courts pour être cherchés.";
    return parsed;
  };

  const search = Search._performSearch;
  Search._performSearch = function (query, ...rest) {
    const results = search(query, ...rest), found = new Set(results.map((r) => r[0] + r[2]));
    const { alltitles, titles, docnames, filenames } = Search._index, wanted = fold(query.trim());
    if (wanted.length < 3) return results;
    for (const [title, places] of Object.entries(alltitles)) {
      if (!fold(title).includes(wanted)) continue;
      for (const [file, id] of places) {
        const anchor = id === null ? "" : "#" + id, page = titles[file];
        if (found.has(docnames[file] + anchor)) continue;
        const score = Math.round((Scorer.title * wanted.length) / title.length);
        results.push([docnames[file], page === title ? page : `${page} › ${title}`, anchor, null, score, filenames[file]]);
      }
    }
    return results.sort(_orderResultsByScoreThenName);
  };

  Search.htmlToText = function (html, anchor) {
    const article = new DOMParser().parseFromString(html, "text/html").querySelector("article");
    let part = (anchor && article.querySelector("#" + CSS.escape(anchor.slice(1)))) || article;
    if (part.matches("dt")) part = part.nextElementSibling || part; // entrée de glossaire : sa définition
    part.querySelectorAll(".headerlink, script, style, pre, noscript, h1").forEach((node) => node.remove());
    part.querySelectorAll("p, li, dt, dd, td, th, h2, h3, div").forEach((node) => node.append(" "));
    part.querySelectorAll(".math").forEach((node) => node.replaceWith("…"));
    return part.textContent.replace(/\s+/g, " ").trim();
  };

  // Même longueur que le texte, pour que les positions se correspondent.
  const flatten = (text) => Array.from(text, (c) => c.normalize("NFD")[0].toLowerCase()).join("");

  Search.makeSearchSummary = function (html, terms, anchor) {
    const text = Search.htmlToText(html, anchor), flat = flatten(text);
    const places = [...terms].map((term) => flat.indexOf(term)).filter((place) => place >= 0);
    const start = Math.max((places.length ? Math.min(...places) : 0) - 100, 0);
    const summary = document.createElement("p");
    summary.className = "context";
    summary.textContent = (start ? "…" : "") + text.slice(start, start + 240).trim() + (start + 240 < text.length ? "…" : "");
    return text ? summary : null;
  };
})();
