"""Ce que l'on exige d'une page ouverte : chaque fonction rend la liste des défauts, vide quand tout va bien."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core"
SITE = ROOT / "_build" / "html"
PAGES = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html") if "_static" not in path.parts) or ["index.html"]

# Mots anglais que le thème, Sphinx, les widgets ou MathJax affichent quand une traduction manque (aucun n'est aussi un mot français).
ENGLISH = re.compile(
    r"\b(toggle|search(ing)?|show|hide|hidden|copy|copied|click|contents|skip|next|previous|home|permalink|link to|close|download|"
    r"fullscreen|dark|light|warning|hint|see also|error|example|back to top|loading|submit|check|answer|your|built|created|theme|the|"
    r"this|with|settings|expand|collapse|sidebar|value|widget model|output|input|slider)\b|^main$", re.I)


def english(page):
    """Textes d'interface restés en anglais, hors code, bibliographie et termes anglais signalés en italique."""
    texts = page.evaluate("""() => {
        const out = [], skip = 'code, pre, script, style, noscript, em, i, cite, kbd, svg title, mjx-container, [lang="en"], .citation, .bibtex-citation, .context';
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
            const parent = walker.currentNode.parentElement;
            if (!parent.closest(skip) && walker.currentNode.data.trim()) out.push(walker.currentNode.data.trim());
        }
        for (const name of ['aria-label', 'title', 'placeholder', 'alt', 'data-tooltip', 'data-toggle-hint', 'data-bs-title', 'data-bs-original-title'])
            for (const node of document.querySelectorAll(`[${name}]`))
                if (!node.closest('.bibtex-citation, .citation, mjx-container')) out.push(node.getAttribute(name));
        return out }""")
    return [text for text in texts if ENGLISH.search(text)]


def axe(page):
    """Violations d'accessibilité trouvées par axe-core, en français."""
    page.evaluate((AXE / "axe.min.js").read_text(encoding="utf-8"))
    locale = json.loads((AXE / "locales" / "fr.json").read_text(encoding="utf-8"))
    found = page.evaluate("""async (locale) => {
        axe.configure({ locale });
        return (await axe.run()).violations.flatMap(v => v.nodes.map(n => `${v.id} (${v.help}) : ${n.target.join(' ')}`)) }""", locale)
    return found


def overflow(page):
    """Éléments qui élargissent la page au-delà de l'écran."""
    return page.evaluate("""() => {
        const width = document.documentElement.clientWidth;
        if (document.documentElement.scrollWidth <= width) return [];
        return ['largeur ' + document.documentElement.scrollWidth + ' > ' + width,
            ...[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > width + 1).slice(0, 5).map(e => e.outerHTML.slice(0, 120))] }""")


def formulas(page):
    """Formules fausses, non composées, ou LaTeX resté tel quel."""
    return page.evaluate(r"""() => {
        const out = [...document.querySelectorAll('mjx-merror, [data-mjx-error], .MathJax_Error')].map(e => 'erreur : ' + e.textContent);
        for (const e of document.querySelectorAll('.math')) if (!e.querySelector('mjx-container')) out.push('non composée : ' + e.textContent);
        const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
            const node = walker.currentNode;
            if (/\$|\\[(\[a-z]/.test(node.data) && !node.parentElement.closest('code, pre, script, style, textarea, noscript')) out.push('LaTeX : ' + node.data.trim());
        }
        return out }""")


def pictures(page):
    """Images sans description, ou décrites par un nom de fichier."""
    return page.evaluate(r"""() => [...document.querySelectorAll('main img')]
        .filter(img => (img.alt || '').trim().split(/\s+/).length < 3 || /\.(png|jpe?g|svg|gif)$/i.test(img.alt) || !img.complete || !img.naturalWidth)
        .map(img => img.outerHTML.slice(0, 200))""")


def identifiers(page):
    """Identifiants en double, dans la page vivante."""
    return page.evaluate("""() => {
        const seen = new Set();
        return [...document.querySelectorAll('[id]')].map(e => e.id).filter(id => seen.has(id) || !seen.add(id)) }""")


def widgets(page):
    """Widgets enregistrés qui ne s'affichent pas."""
    return page.evaluate("""() => [...document.querySelectorAll('.widget-subarea > *')]
        .filter(e => !e.getBoundingClientRect().height || /error/i.test(e.className)).map(e => e.outerHTML.slice(0, 200))""")
