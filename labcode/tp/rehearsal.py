"""Répétition générale : les essais que chaque question déclare, passés au vrai JavaScript dans Node."""

import json
import shutil
import subprocess
from pathlib import Path

from labcode.tp.bank import compiled

SCRIPT = Path(__file__).with_name("check_answers.js")


def has_node() -> bool:
    """Vrai si Node est installé."""
    return shutil.which("node") is not None


def check_answers(jobs: list[tuple[dict, list]]) -> list[list[dict]]:
    """Corrige des réponses : un couple (question, réponses) par question, une liste de résultats en retour."""
    payload = [{"question": compiled(question, math=None), "answers": answers} for question, answers in jobs]
    done = subprocess.run(["node", SCRIPT], input=json.dumps(payload), capture_output=True, text=True,
                          encoding="utf-8", timeout=120)
    if done.returncode:
        raise RuntimeError(f"Node a échoué\u00a0:\n{done.stderr}")
    return json.loads(done.stdout)


def rehearse(questions: list[dict]) -> dict[str, list[str]]:
    """Les problèmes de chaque question, par identifiant (liste vide : la question tient)."""
    cases = [_cases(question) for question in questions]
    results = check_answers([(question, [answer for answer, _, _ in case]) for question, case in zip(questions, cases)])
    return {
        question["id"]: [problem for (answer, ok, message), result in zip(case, outcome)
                         if (problem := _problem(question, answer, ok, message, result))]
        for question, case, outcome in zip(questions, cases, results)
    }


def _cases(question):
    """(réponse, verdict attendu, extrait attendu du message), déduits de la question puis déclarés par elle."""
    tests = question.get("tests", {})
    cases = []
    options = question.get("options", [])
    for rank, option in enumerate(options):
        if question["type"] == "prediction":
            cases.append((rank, None, ""))
        elif question["type"] == "choice":
            cases.append((rank, bool(option.get("correct")), option.get("message") or ""))
        elif not option.get("correct"):
            cases.append(([rank], False, option["message"]))
    if question["type"] == "choices":
        correct = [rank for rank, option in enumerate(options) if option.get("correct")]
        cases.append((correct, True, ""))
        if len(correct) > 1:
            cases.append((correct[1:], False, "il manque"))
    if "answer" in question:
        cases.append((str(question["answer"]), True, ""))
        cases += [(str(mistake.get("formula", mistake.get("shape", mistake.get("value")))), False, mistake["message"])
                  for mistake in question.get("mistakes") or []]
    if question["type"] in ("matching", "ordering"):
        cases += _shuffled_cases(question)
    if question["type"] == "text":
        cases += [({"text": question["solution"], "ticked": []}, None, "cochez"), ({"text": "", "ticked": []}, False, "Écrivez")]
    cases += [(_as_given(question, answer), True, "") for answer in tests.get("accepted", [])]
    cases += [(_as_given(question, case["answer"]), False, case["message"]) for case in tests.get("rejected", [])]
    return cases


def _shuffled_cases(question):
    """Associer, ordonner : la bonne réponse, puis chaque faute d'un seul élément, qui doit recevoir son message."""
    data = compiled(question, math=None)
    key = data["key"]
    yield key, True, ""
    if question["type"] == "matching":
        for i, pair in enumerate(question["pairs"]):
            for other in set(range(len(data["right"]))) - {key[i]}:
                yield [*key[:i], other, *key[i + 1:]], False, pair["message"]
    else:
        for i in range(1, len(key)):
            yield [*key[:i - 1], key[i], key[i - 1], *key[i + 1:]], False, question["items"][i]["message"]


def _texts(question):
    """Les textes entre lesquels l'élève choisit, dans l'ordre où il les voit."""
    data = compiled(question, math=None)
    return [option["text"] for option in data.get("options", [])] or data.get("right") or data.get("items") or []


def _as_given(question, answer):
    """Une réponse de test : le texte d'une option, ou son rang à partir de 0, ou ce qu'on tape."""
    texts = _texts(question)
    if isinstance(answer, list):
        ranks = [_as_given(question, entry) for entry in answer]
        return sorted(ranks) if question["type"] == "choices" else ranks
    if answer in texts:
        return texts.index(answer)
    return answer if texts else str(answer)


def _problem(question, answer, ok, message, result):
    shown = f"«\u00a0{answer}\u00a0»"
    if texts := _texts(question):
        ranks = answer if isinstance(answer, list) else [answer]
        shown = " + ".join(f"«\u00a0{texts[rank]}\u00a0»" for rank in ranks)
    if result["kind"] == "broken":
        return f"la réponse {shown} met la question en panne\u00a0: {result['message']}"
    if result["ok"] is not ok:
        expected = {True: "acceptée", False: "refusée", None: "enregistrée"}[ok]
        return f"la réponse {shown} devrait être {expected}\u00a0; message\u00a0: «\u00a0{result['message'].strip()}\u00a0»"
    if _flat(message) not in _flat(result["message"]):
        return f"la réponse {shown} reçoit «\u00a0{result['message'].strip()}\u00a0», on attendait «\u00a0{message.strip()}\u00a0»"
    return None


def _flat(text):
    """Le texte sans distinction d'espaces, de casse ni d'apostrophe, pour comparer des extraits."""
    return " ".join(text.split()).replace("’", "'").casefold()
