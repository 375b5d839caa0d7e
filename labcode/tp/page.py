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
    lists = [[option["text"] for option in data.get("options", [])], data.get("left"), data.get("right"), data.get("items")]
    listed = "\n".join("\n".join(["<ul>", *(f"<li>{text}</li>" for text in texts), "</ul>"]) for texts in lists if texts)
    function = f"<pre><code>{html.escape(data['signature'], quote=False)}</code></pre>" if "signature" in data else ""
    return f"""<div class="lc-question" id="question-{data['id']}" data-question="{data['id']}">
<div class="lc-card">
<p class="lc-title">{kind}\u00a0: {html.escape(data['title'], quote=False)}</p>
<p class="lc-meta"><span>{stars}</span> <span>{data['minutes']}\u00a0min</span> <span>{html.escape(data.get('source', ''), quote=False)}</span></p>
<div class="lc-statement">{data['statement']}</div>
{listed}{function}
<noscript><p>Cette question se corrige dans la page\u00a0: activez JavaScript, ou répondez dans le carnet.</p></noscript>
</div>
<script type="application/json">{payload}</script>
</div>"""
