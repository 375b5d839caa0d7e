"""La grammaire des formules : lecture, calcul sur de petits tenseurs, messages, entrées hostiles."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from labcode.tp import bank, rehearsal
from labcode.tp.rehearsal import check_answers

HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(not rehearsal.has_node(), reason="Node n'est pas installé\u00a0: la grammaire n'est pas essayée")


def ask(answer, variables, *attempts, **fields):
    """Les résultats de plusieurs réponses à « écrivez `answer` »."""
    variables = {name: shape if isinstance(shape, dict) else {"shape": shape} for name, shape in variables.items()}
    question = {"id": "essai-formule", "type": "formula", "title": "Essai", "statement": "Essai", "difficulty": 1,
                "minutes": 1, "answer": answer, "variables": variables, **fields}
    [results] = check_answers([(question, list(attempts))])
    return results


NETWORK = {"W_y": ["n_y", "n_h"], "h": ["n_h"], "x": ["n_x"], "W_h": ["n_h", "n_x"], "g": ["n_y"], "y": ["n_y"]}
BATCH = {"X": ["N", "n_x"], "W": ["n_h", "n_x"], "b": ["n_h"], "N": [], "G": ["N", "n_h"]}


@pytest.mark.parametrize(
    ("answer", "variables", "equivalent"),
    [
        ("g @ h.T", NETWORK, ["outer(g, h)", "g@h'", "(h @ g.T).T", "g @ hᵀ", "g @ h^T", "g @ h⊤"]),
        ("W_y @ h", NETWORK, ["W_y@h", "(h.T @ W_y.T).T", "sum(W_y * h, 1)", "0 + W_y @ h", "np.sum(W_y * h, axis=1)"]),
        ("W_y.T @ g", NETWORK, ["(g.T @ W_y).T", "sum(W_y * g, 0)", "W_y' @ g"]),
        ("y.T @ g", NETWORK, ["y @ g", "sum(y * g)", "sum(g ⊙ y)", "g.T @ y", "mean(y · g) * sum(y*g) / mean(g*y)"]),
        ("norm(g)", NETWORK, ["sqrt(g.T @ g)", "√(g.T @ g)", "sum(g^2)^0,5", "sum(g**2)**.5", "sqrt(sum(abs(g)²))"]),
        ("relu(h)", NETWORK, ["max(0, h)", "max(h; 0)", "h * (h > 0)", "(h + abs(h)) / 2", "h * step(h)", "max(0,5*h, 0) * 2", "2*max(0, 0,5*h)"]),
        ("sigmoid(h)", NETWORK, ["1/(1+exp(-h))", "0,5 * tanh(0,5*h) + 0,5", "exp(h)/(1 + exp(h))", "σ(h)", "1 − σ(−h)"]),
        ("softmax(y)", NETWORK, ["exp(y)/sum(exp(y))", "exp(y - max(y)) / sum(exp(y - max(y)))", "exp(log_softmax(y))"]),
        ("X @ W.T + b", BATCH, ["X @ W.T + b.T", "b + X @ W'", "(W @ X.T).T + b", "(W @ X.T + b).T"]),
        ("sum(G, 0) / N", BATCH, ["mean(G, 0)", "mean(G, axis=0)", "G.T @ (sum(G,axis=1)*0 + 1) / N", "1/N * sum(G, 0)"]),
        ("G.T @ X / N", BATCH, ["(X.T @ G).T / N", "1/N*G.T@X", "(G/N).T @ X"]),
        ("softmax(X)", BATCH, ["exp(X) / sum(exp(X), 1)", "exp(X - max(X, axis=1)) / sum(exp(X - max(X, axis=1)), 1)"]),
        ("-h^2", NETWORK, ["-(h^2)", "-h*h", "0 - h**2"]),
        ("2^-1 * h", NETWORK, ["h/2", "0.5*h", "1/2*h", "h - h/2", "5e-1*h", ".5*h"]),
        ("2^3^2 * h", NETWORK, ["512*h", "2**9 * h"]),
        ("h/2/2", NETWORK, ["h/4", "0,25*h"]),
        ("lr * h", {"lr": [], "h": ["n_h"]}, ["η*h", "h*η", "lr·h", "lr × h"]),
        ("y_hat - y", {"y_hat": ["n_y"], "y": ["n_y"]}, ["ŷ − y", "-(y - ŷ)", "-y + y_hat", "+y_hat-y"]),
    ],
)
def test_equivalent_forms_are_right(answer, variables, equivalent):
    for attempt, result in zip(equivalent, ask(answer, variables, *equivalent)):
        assert result["ok"] is True, f"{attempt}\u00a0: {result['message']}"


@pytest.mark.parametrize(
    ("answer", "variables", "attempt", "expected"),
    [
        ("W_h @ x", NETWORK, "x @ W_h", "x (n_x × 1) @ W_h (n_h × n_x)"),
        ("W_y @ h", NETWORK, "W_y @ y", "Le produit « W_y (n_y × n_h) @ y (n_y × 1) » est impossible"),
        ("W_y @ h", NETWORK, "W_y * h", "le produit matriciel s’écrit @"),
        ("W_y @ h", NETWORK, "g + h", "La somme « g (n_y × 1) + h (n_h × 1) » est impossible"),
        ("W_y @ h", NETWORK, "h", "un vecteur colonne (n_h × 1), alors qu’on attend un vecteur colonne (n_y × 1)"),
        ("W_y @ h", NETWORK, "(W_y @ h).T", "une ligne (1 × n_y)"),
        ("g @ h.T", NETWORK, "h @ g.T", "une matrice (n_h × n_y), alors qu’on attend une matrice (n_y × n_h)"),
        ("W_y @ h", NETWORK, "2 @ h", "pour multiplier par un nombre, écrivez *"),
        ("W_y @ h", NETWORK, "sum(h, 1)", "un vecteur n’a qu’un axe"),
        ("W_y @ h", NETWORK, "outer(W_y, h)", "outer attend deux vecteurs"),
        ("h", NETWORK, "-h", "sauf le signe"),
        ("h", NETWORK, "3*h", "à un facteur numérique près"),
        ("G.T @ X / N", BATCH, "G.T @ X", "facteur N, ou 1/N"),
        ("G.T @ X", BATCH, "G.T @ X / N", "facteur N, ou 1/N"),
        ("h", NETWORK, "log(h)", "n’est pas définie partout"),
        ("h", NETWORK, "tanh(h)", "Ce n’est pas la bonne formule"),
        ("h", NETWORK, "h + 0,00001*tanh(h)", "Ce n’est pas la bonne formule"),
        ("h", NETWORK, "", "La formule est vide"),
        ("h", NETWORK, "h +", "s’arrête trop tôt, après « + »"),
        ("h", NETWORK, "(h", "parenthèse fermante"),
        ("h", NETWORK, "h)", "de trop"),
        ("h", NETWORK, "2 h", "il manque un opérateur"),
        ("h", NETWORK, "W_y.T g", "il manque un opérateur"),
        ("h", NETWORK, "h(2)", "« h( » : il manque un opérateur"),
        ("h", NETWORK, "H", "Vouliez-vous écrire h"),
        ("h", NETWORK, "Wy", "Vouliez-vous écrire W_y"),
        ("h", NETWORK, "sigmoide(h)", "Vouliez-vous écrire sigmoid"),
        ("h", NETWORK, "exp", "entre parenthèses"),
        ("h", NETWORK, "z = h", "sans le signe ="),
        ("h", NETWORK, "exp(h, h)", "attend 1 argument, elle en reçoit 2"),
        ("h", NETWORK, "sum(h^2,0)", "deux façons"),
        ("relu(h)", NETWORK, "max(0,1*h)", "« 0,1 » peut se lire de deux façons"),
        ("relu(h)", NETWORK, "min(h*0,5)", "(0.5)"),
        ("h", NETWORK, "√2*h", "La fonction sqrt attend son argument entre parenthèses"),
        ("h", NETWORK, "sum(h, 2)", "L’axe de sum est 0"),
        ("h", NETWORK, "exp(h, axis=0)", "ne prend pas d’axe"),
        ("h", NETWORK, "foo(h)", "n’est pas une fonction connue"),
        ("h", NETWORK, "h $ 2", "Le caractère « $ »"),
        ("h", NETWORK, "\\tanh(h)", "Le caractère « \\ »"),
        ("h", NETWORK, "h \0 2", "Le caractère invisible U+0000"),
        ("h", NETWORK, "’h’ - y", "lire « ’ » au début"),
        ("h", NETWORK, "h - y;", "Le point-virgule sépare"),
        ("h", NETWORK, "W_yᵀg", "« W_yᵀg » : il manque un opérateur"),
        ("h", NETWORK, "h²3", "« ²3 » : il manque un opérateur"),
        ("h", NETWORK, "(h ×", "après « × »"),
        ("h", NETWORK, "ηh", "« ηh » n’est pas un symbole"),
        ("h", NETWORK, "e^h", "L’exponentielle s’écrit exp(x)"),
        ("h", NETWORK, "h.sum(axis=0)", "écrivez sum(h, 0)."),
        ("h", NETWORK, "np.exp(g - y).mean()", "écrivez mean(exp(g - y))."),
        ("h", NETWORK, "(g + y).dot(h.T)", "écrivez (g + y) @ h.T."),
        ("h", NETWORK, "h.transpose()", "écrivez h.T."),
        ("h", NETWORK, "h.shape", "On ne lit pas « .shape »"),
        ("h", NETWORK, "h.sum", "On ne lit pas « .sum »"),
        ("h", NETWORK, "torch.exp(h)", "« torch » n’est pas un symbole"),
        ("h", NETWORK, "constructor", "n’est pas un symbole"),
        ("h", NETWORK, "__proto__(h)", "n’est pas une fonction connue"),
        ("h", NETWORK, "h" * 501, "trop longue"),
        ("h", NETWORK, "(" * 100 + "h" + ")" * 100, "trop imbriquée"),
    ],
)
def test_messages(answer, variables, attempt, expected):
    [result] = ask(answer, variables, attempt)
    assert result["ok"] is False
    assert expected in result["message"].replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("answer", "pasted"),
    [
        ("y_hat - y", ["𝑦_hat — 𝑦", "𝑦\u0302 ‒ 𝐲", "y_hat\u200b - \u202ey\u00ad"]),
        ("W_y @ h", ["Wᵧ @ ℎ", "𝑊_𝑦@h", "Ｗ_y @ h"]),
        ("sum(h^2, 0)", ["Σ(h²,0)", "∑(h²)", "np.linalg.norm(h)²", "sum(h ∙ h)"]),
        ("lambda_max * gamma * beta1", ["λ_max·γ·β₁", "𝜆_max × 𝛾 × β₁"]),
        ("160800 * h", ["160'800 * h", "160’800 × h", "１６０８００＊h", "1,608 × 10⁵ * h", "1608 × 10⁻¹ * 1000 * h"]),
    ],
)
def test_pasted_from_word_or_pdf(answer, pasted):
    variables = {"W_y": ["n_y", "n_h"], "h": ["n_h"], "y": ["n_y"], "y_hat": ["n_y"], "lambda_max": [], "gamma": [], "beta1": []}
    for attempt, result in zip(pasted, ask(answer, variables, *pasted)):
        assert result["ok"] is True, f"{attempt}\u00a0: {result['message']}"


def test_unreadable_answers_are_told_apart():
    """Une réponse illisible ne compte pas comme un essai ; une faute de taille, si."""
    unreadable, shape, wrong = ask("W_y @ h", NETWORK, "W_y @", "W_y @ y", "W_y @ tanh(h)")
    assert [unreadable["kind"], shape["kind"], wrong["kind"]] == ["invalid", "shape", "wrong"]


def test_mistakes_by_value_and_by_writing():
    mistakes = [{"formula": "h", "message": "valeur"}, {"formula": "W_y @ g", "message": "écriture"}]
    by_value, by_writing, other = ask("W_y.T @ g", NETWORK, "2*h - h", "(W_y) @ g", "W_y @ y", mistakes=mistakes)
    assert by_value["message"] == "valeur"
    assert by_writing["message"] == "écriture"
    assert other["kind"] == "shape"


def test_size_message_quotes_only_the_answer():
    """Ni la référence ni les fautes déclarées ne laissent leurs produits dans le message de taille."""
    mistakes = [{"formula": "W_y * h + y", "message": "étoile"}]
    results = ask("W_y @ h + sum(W_y * h, 1)", NETWORK, "h", "0", "2 * W_y * h", mistakes=mistakes)
    assert [result["kind"] for result in results] == ["shape"] * 3
    assert ["composante par composante" in result["message"] for result in results] == [False, False, True]


def test_forbidden_functions():
    results = ask("softmax(y)", NETWORK, "softmax(y)", "exp(y)/sum(exp(y))", forbidden=["softmax"])
    assert [result["ok"] for result in results] == [False, True]
    assert "sans utiliser la fonction softmax" in results[0]["message"]


def test_definitions_tie_symbols():
    variables = {"h_tilde": ["n_h"], "h": {"shape": ["n_h"], "definition": "tanh(h_tilde)"}}
    results = ask("1 - h^2", variables, "1 - tanh(h_tilde)^2", "1/cosh(h̃)²", "1 - h_tilde^2")
    assert [result["ok"] for result in results] == [True, True, False]


@pytest.mark.parametrize(
    ("domain", "right", "wrong"),
    [
        ("probability", "1 + u - u", "1 + 0*u + sum(u) - 1 + u"),
        ("onehot", "1 + u^2 - u", "1 + u^2 - 2*u"),
        ("binary", "1 + u*u - u", "1 + u"),
        ("sign", "u*u", "u"),
        ("positive", "abs(u) / u", "sum(u)/sum(u) + u"),
        ("unit", "1 + 0 * log(u) + 0 * log(1 - u)", "0*u"),
    ],
)
def test_domains(domain, right, wrong):
    results = ask("u - u + 1", {"u": {"shape": ["n_y"], "domain": domain}}, right, wrong)
    assert [result["ok"] for result in results] == [True, False]


def test_every_combination_of_two_valued_numbers_is_tried():
    """Une réponse fausse en un seul des cas possibles ne passe jamais, quel que soit le germe."""
    for count in (1, 2, 4):
        names = "abcd"[:count]
        for domain, low in (("binary", "(1 - {})"), ("sign", "(1 - {}) / 2")):
            high = {"binary": "{}", "sign": "(1 + {}) / 2"}[domain]
            variables = {name: {"shape": [], "domain": domain} for name in names} | {"x": []}
            spikes = [" * ".join((high if rank >> i & 1 else low).format(name) for i, name in enumerate(names)) for rank in range(2**count)]
            for seed in range(4):
                results = ask("x", variables, *[f"x + {spike}" for spike in spikes], id=f"essai-{seed}")
                assert not any(result["ok"] for result in results)


def test_probabilities_sum_to_one():
    variables = {"p": {"shape": ["n_y"], "domain": "probability"}, "P": {"shape": ["N", "n_y"], "domain": "probability"}}
    results = ask("sum(p)", variables, "1", "sum(sum(P, 1)) / sum(P) * sum(p)", "sum(p, 0)", "mean(sum(P, 1))", "mean(P)")
    assert [result["ok"] for result in results] == [True, True, True, True, False]


@pytest.mark.parametrize(
    ("text", "value"),
    [("1+2*3", 7), ("(1+2)*3", 9), ("2^3^2", 512), ("-2^2", -4), ("2*-3", -6), ("8/4/2", 1), ("1-2-3", -4), ("1e-3", 1e-3),
     ("1,5+2.5", 4), ("exp(1)", np.e), ("tanh(0,5)", np.tanh(0.5)), ("sigmoid(2)", 1 / (1 + np.exp(-2))), ("softplus(1)", np.log1p(np.e)),
     ("max(2; 3)", 3), ("min(2, 3)", 2), ("abs(-3)", 3), ("sqrt(2)", 2**0.5), ("ln(2)", np.log(2)), ("(3 > 2) + (2 >= 2)", 2),
     ("784*200 + 200", 157000), ("784 200", 784200), ("157\u202f000", 157000), ("160'800", 160800),
     ("1’160’800", 1160800), ("1,608 × 10⁵", 160800), ("2⁻²", 0.25), ("１２", 12)],
)
def test_numbers(text, value):
    """Les priorités et les fonctions, comparées à Python."""
    question = {"id": "essai-nombre", "type": "number", "title": "Essai", "statement": "Essai", "difficulty": 1, "minutes": 1,
                "answer": value, "tolerance": 1e-9}
    [[right]] = check_answers([(question, [text])])
    [[wrong]] = check_answers([({**question, "answer": value + 0.125}, [text])])
    assert right["ok"] is True, right["message"]
    assert wrong["ok"] is False


@pytest.mark.parametrize(
    ("text", "hint"),
    [("e^3/(e^3+e+1)", True), ("2e^3", True), ("e³", True), ("-log(e)", True), ("e**2", True), ("exp(3", False), ("1e-3 + z", False),
     ("zéro", False), ("le nombre", False)],
)
def test_exponential_has_a_name(text, hint):
    """« e^3 » est illisible, et l'élève apprend comment l'écrire ; « 1e-3 » n'y ressemble pas."""
    question = {"id": "essai-nombre", "type": "number", "title": "Essai", "statement": "Essai", "difficulty": 1, "minutes": 1, "answer": 1}
    [[result]] = check_answers([(question, [text])])
    assert result["kind"] == "invalid"
    assert ("exp(2)" in result["message"]) is hint


def test_hostile_input(sample):
    """Dix mille formules, réponses et contenus gardés : aucune exception, rien d'exécuté, rien de perdu."""
    questions = json.dumps([bank.compiled(question, math=None) for question in sample.values()])
    done = subprocess.run(["node", HERE / "fuzz.mjs", "10000"], input=questions, capture_output=True, text=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["failures"] == []
    assert report["cases"] > 10000
    assert report["slowest"] < 1000  # en millisecondes ; 15 au repos, mais la machine peut être occupée
