"""La question dans la page du livre : lisible et cherchable sans JavaScript, vivante avec."""

import html
import json

from labcode.tp.bank import compiled


def question_html(question: dict, edition: str = "eleve") -> str:
    """Le HTML d'une question ; ``page.js`` le remplace par le widget, d'après les données qu'il porte."""
    data = compiled(question, math="mathjax", edition=edition)
    payload = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    stars = "★" * data["difficulty"] + "☆" * (3 - data["difficulty"])
    kind = "Prédiction" if data["type"] == "prediction" else "Question"
    options = "\n".join(f"<li>{option['text']}</li>" for option in data.get("options", []))
    return f"""<div class="lc-question" data-question="{data['id']}">
<div class="lc-card">
<p class="lc-title">{kind}\u00a0: {html.escape(data['title'], quote=False)}</p>
<p class="lc-meta"><span>{stars}</span> <span>{data['minutes']}\u00a0min</span> <span>{html.escape(data.get('source', ''), quote=False)}</span></p>
<div class="lc-statement">{data['statement']}</div>
{f'<ul>{options}</ul>' if options else ''}
<noscript><p>Cette question se corrige dans la page\u00a0: activez JavaScript, ou répondez dans le carnet.</p></noscript>
</div>
<script type="application/json">{payload}</script>
</div>"""
