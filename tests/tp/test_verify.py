"""« verifier » : les bonnes réponses sont acceptées, chaque faute est nommée, et le carnet sort indemne de tout le reste."""

import random
import re
import signal
import subprocess
import sys
import threading
import time
import warnings
import zlib

import numpy as np
import pytest

from labcode.tp import Question, bank, code, verifier
from labcode.tp.code.limit import run

from .code_answers import ACCEPTED, REJECTED

QUESTIONS = {name: question for name, question in bank.load_bank().items() if question["type"] == "code"}
SPACES = str.maketrans("\u00a0", " ")


def flat(text):
    return text.translate(SPACES)


def solution(question):
    """La fonction écrite dans la solution de la question."""
    space = {"np": np}
    exec(re.search(r"```python\n(.*?)```", question["solution"], re.S)[1], space)
    return space[question["function"]]


def check(question, function, seconds=5):
    """Juge comme ``verifier``, sans limite de temps serrée : une machine chargée ne doit rien changer au verdict."""
    return code.judge(code.REFERENCES[question["reference"]], function, seconds, question["function"], zlib.crc32(question["id"].encode()))


# ── Les questions de la banque ───────────────────────────────────────────────


def test_every_code_question_has_a_reference_and_students():
    for name, question in QUESTIONS.items():
        reference = code.REFERENCES[question["reference"]]
        assert question["signature"] == f"{question['function']}({', '.join(reference.arguments)})"
        assert sum(asked == name for asked, _ in ACCEPTED) >= 2 and sum(asked == name for asked, *_ in REJECTED) >= 3, name
    assert {name for name, *_ in [*ACCEPTED, *REJECTED]} <= set(QUESTIONS)


@pytest.mark.parametrize("name", QUESTIONS)
def test_solution_is_accepted(name):
    found = verifier(name, solution(QUESTIONS[name]))
    assert found.ok and bool(found), found
    assert "lente" not in found.message


@pytest.mark.parametrize(("name", "function"), ACCEPTED, ids=lambda value: getattr(value, "__name__", None))
def test_other_right_answers_are_accepted(name, function):
    assert check(QUESTIONS[name], function).ok, check(QUESTIONS[name], function).message


@pytest.mark.parametrize(("name", "function", "excerpt"), REJECTED, ids=lambda value: getattr(value, "__name__", None))
def test_wrong_answers_are_named(name, function, excerpt):
    judgement = check(QUESTIONS[name], function)
    assert not judgement.ok
    assert excerpt.casefold() in flat(judgement.message).casefold(), judgement.message
    assert bank.render(judgement.message, "mathml")


@pytest.mark.parametrize("name", code.REFERENCES)
def test_declared_mistakes_are_recognised(name):
    """Chaque faute prévue est fausse, et reçoit son message."""
    reference = code.REFERENCES[name]
    for message, mistake in reference.mistakes:
        judgement = code.judge(reference, lambda *arguments: mistake(*arguments), 5)
        assert not judgement.ok and judgement.message.startswith(message), judgement.message
        bank.render(message, "mathml")


@pytest.mark.parametrize("name", code.REFERENCES)
def test_trials_are_varied_and_reproducible(name):
    reference = code.REFERENCES[name]
    trials = reference.trials(3)
    assert len(trials) >= 4 and any(trial.label for trial in trials)
    shapes = [[np.shape(value) for value in trial.arguments if isinstance(value, np.ndarray)] for trial in trials]
    assert len({str(shape) for shape in shapes}) >= 3
    again = reference.trials(3)
    for one, other in zip(trials, again):
        for a, b in zip(one.arguments, other.arguments):
            assert not isinstance(a, np.ndarray) or np.array_equal(a, b)


def test_all_questions_of_the_tp_are_there():
    """Les dix-sept questions du TP 3-4 et les trois de son bonus sur les SVM."""
    sources = [question.get("source", "") for question in bank.load_bank().values()]
    numbers = {int(n) for source in sources if re.match(r"TP 3-4, questions? \d", source) for n in re.findall(r"\d+", source.split("question")[1])}
    bonus = {int(n) for source in sources for n in re.findall(r"bonus SVM, question (\d)", source)}
    assert numbers == set(range(1, 18)) and bonus == {1, 2, 3}


@pytest.mark.parametrize("stem", ["01_perceptron", "02_reseau", "03_retropropagation", "04_descente", "07_svm"])
def test_each_chapter_has_enough_questions(stem):
    types = [question["type"] for question in bank.load_file(bank.find_folder() / f"{stem}.yml")]
    assert sum(kind != "prediction" for kind in types) >= 8
    assert types.count("formula") >= 2 and types.count("code") >= 1


# ── Ce qui n'est pas une bonne fonction ──────────────────────────────────────


def judge(function, seconds=0.3, name="forward"):
    judgement = code.judge(code.REFERENCES[name], function, seconds, name)
    assert not judgement.ok
    return flat(judgement.message)


@pytest.mark.parametrize(
    ("given", "excerpt"),
    [
        (None, "Vous avez donné `None`"),
        (np.zeros(3), "un résultat (un tableau), non une fonction"),
        ("forward", "sans parenthèses ni guillemets"),
        (dict, "est une classe"),
        (lambda X, W_h: X, "2 arguments ; il en faut 5, dans cet ordre"),
        (lambda: 0, "zéro argument ; il en faut 5"),
        (lambda X, b_h, W_h, b_y, W_y: X, "pas dans l'ordre attendu"),
        (lambda X, W_h, b_h, W_y, b_y: None, "`return` est-il oublié"),
        (lambda X, W_h, b_h, W_y, b_y: print(X), "remplacez `print(…)` par `return …`"),
        (lambda X, W_h, b_h, W_y, b_y: {"H": X}, "un dictionnaire. Attendu : `return H, Y_hat`"),
        (lambda X, W_h, b_h, W_y, b_y: exit(), "`exit()`"),
        (lambda X, W_h, b_h, W_y, b_y: inconnu, "`inconnu` n'est pas défini"),  # noqa: F821
        (lambda X, W_h, b_h, W_y, b_y: (X.forme, 1), "`forme` n'existe pas"),
        (lambda X, W_h, b_h, W_y, b_y: X @ W_h, "Une transposée manque, ou est de trop"),
        (lambda X, W_h, b_h, W_y, b_y: (np.array([[1], [1, 2]], dtype=object), 0), "tableau d'objets"),
        (lambda X, W_h, b_h, W_y, b_y: (1j * X @ W_h.T, 0), "nombres réels"),
    ],
)
def test_what_is_not_a_good_function(given, excerpt):
    assert excerpt in judge(given)


def test_the_line_of_an_error_is_told():
    def forward(X, W_h, b_h, W_y, b_y):
        H = np.tanh(X @ W_h.T + b_h)
        return H, H @ W_y + b_y

    message = judge(forward)
    assert "à la ligne 3, `return H, H @ W_y + b_y`," in message and "ValueError" in message
    assert "`X` de forme `(5, 3)`" in message


def test_a_size_written_by_hand_is_seen():
    def forward(X, W_h, b_h, W_y, b_y):
        H, Y_hat = np.zeros((5, 4)), np.zeros((5, 2))
        for n in range(len(X)):
            H[n] = np.tanh(W_h @ X[n] + b_h)
            e = np.exp(W_y @ H[n] + b_y - (W_y @ H[n] + b_y).max())
            Y_hat[n] = e / e.sum()
        return H, Y_hat

    assert "une taille est-elle écrite en dur" in judge(forward)


def test_a_variable_of_the_notebook_read_by_mistake():
    space = {"np": np, "A": np.ones((5, 3))}
    exec("def forward(X, W_h, b_h, W_y, b_y):\n    H = np.tanh(A @ W_h.T + b_h)\n    return H, H @ W_y.T", space)
    assert "lire la variable `A` du carnet" in judge(space["forward"])


def test_a_function_that_remembers_is_seen():
    calls = []

    def predict(X, w, b):
        calls.append(1)
        return (X @ w + b >= 0).astype(int) if len(calls) <= 5 else np.zeros(len(X))

    assert "deux fois le même résultat" in judge(predict, name="predict")


def returns(transform, name="svm_objective"):
    reference = code.REFERENCES[name]
    return judge(lambda *arguments: transform(reference(*arguments), *arguments), name=name)


@pytest.mark.parametrize(
    ("transform", "name", "excerpt"),
    [
        (lambda K, X, Z, gamma: -K, "gaussian_kernel", "de **signe** opposé"),
        (lambda K, X, Z, gamma: 2 * K, "gaussian_kernel", "deux fois trop grand"),
        (lambda K, X, Z, gamma: K * len(X), "gaussian_kernel", "$N$ fois trop grand"),
        (lambda K, X, Z, gamma: K / len(X), "gaussian_kernel", "$N$ fois trop petit"),
        (lambda K, X, Z, gamma: K * 1.7, "gaussian_kernel", "**facteur** 1,7 de trop"),
        (lambda K, X, Z, gamma: K * np.nan, "gaussian_kernel", "contient des `nan`"),
        (lambda K, X, Z, gamma: K / 0, "gaussian_kernel", "valeurs infinies"),
        (lambda K, X, Z, gamma: 0 * K, "gaussian_kernel", "toujours nul"),
        (lambda K, X, Z, gamma: K[::-1], "gaussian_kernel", "pas à leur place"),
        (lambda K, X, Z, gamma: K.astype(np.float16), "gaussian_kernel", "presque juste"),
        (lambda K, X, Z, gamma: K[:, :, None], "gaussian_kernel", "un axe de taille 1 de trop"),
        (lambda K, X, Z, gamma: K.sum(), "gaussian_kernel", "un seul nombre ; attendu, un tableau"),
        (lambda K, X, Z, gamma: K.tolist(), "gaussian_kernel", "np.array(…)"),
        (lambda K, X, Z, gamma: K + 0.1 * X[0, 0], "gaussian_kernel", "Le premier écart est à la case `[0, 0]`"),
        (lambda s, *_: s + 1, "svm_objective", "au lieu de"),
        (lambda s, *_: np.array([s]), "svm_objective", "attendu, un seul nombre"),
        (lambda s, *_: str(s), "svm_objective", "une chaîne de caractères ; attendu, un nombre"),
        (lambda r, *_: (r[0].astype(int), r[1]), "momentum_step", "les décimales sont perdues"),
        (lambda r, *_: (r[1], r[0]), "momentum_step", "pas dans l'ordre attendu"),
        (lambda r, *_: (r[0], 3 * r[1]), "momentum_step", "`theta` : juste. `v` est proportionnel"),
        (lambda s, Y: np.where(np.abs(Y).max() > 100, 0.5, s), "softmax", "de très grands logits"),
        (lambda s, Y: s * 0 if len(Y) == 1 else s, "softmax", "c'est avec un seul exemple que cela échoue"),
    ],
)
def test_values_are_compared_in_words(transform, name, excerpt):
    assert excerpt in returns(transform, name)


# ── Le carnet sort indemne ───────────────────────────────────────────────────


def forever():
    while True:
        pass


def stubborn():
    while True:
        try:
            sum(range(100))
        except:  # noqa: E722
            pass


def sleepy():
    time.sleep(60)


@pytest.mark.parametrize("function", [forever, stubborn, sleepy, lambda: sum(1 for _ in iter(int, 1))])
def test_an_endless_loop_is_stopped(function):
    handler, trace = signal.getsignal(signal.SIGALRM), sys.gettrace()
    outcome = run(function, (), 0.2)
    assert outcome.timed_out and outcome.duration < 5
    assert signal.getsignal(signal.SIGALRM) == handler and signal.getitimer(signal.ITIMER_REAL) == (0, 0) and sys.gettrace() is trace
    assert sys.exc_info() == (None, None, None) and sys._getframe().f_trace is trace  # la prochaine erreur de l'élève ne s'y enchaîne pas


def test_an_endless_loop_is_stopped_outside_the_main_thread():
    outcomes = []
    worker = threading.Thread(target=lambda: outcomes.append(run(forever, (), 0.2)), daemon=True)
    worker.start()
    worker.join(20)
    assert outcomes and outcomes[0].timed_out


def test_a_stubborn_loop_is_stopped_outside_the_main_thread():
    """Un « except: » sans nom avale le premier arrêt : il en vient d'autres, jusqu'à ce que l'un tombe en dehors."""
    swallowed, outcomes, give_up = [], [], threading.Event()

    def twice():
        while len(swallowed) < 2 and not give_up.is_set():
            try:
                while not give_up.is_set():
                    pass
            except:  # noqa: E722
                swallowed.append(1)
        return len(swallowed)

    worker = threading.Thread(target=lambda: outcomes.append(run(twice, (), 0.2)), daemon=True)
    worker.start()
    worker.join(20)
    give_up.set()
    worker.join(20)
    assert len(swallowed) == 2 and not worker.is_alive()


def test_a_debugger_still_works_after_a_loop_stopped_outside_the_main_thread():
    code = ("import sys, threading; from labcode.tp.code.limit import run; from tests.tp.test_verify import forever; "
            "worker = threading.Thread(target=run, args=(forever, (), 0.2)); worker.start(); worker.join(); "
            "sys.settrace(lambda *_: None); (lambda: None)()")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_an_endless_loop_is_told():
    def forward(X, W_h, b_h, W_y, b_y):
        while True:
            pass

    assert "ne répond pas en 0,3 s ; elle a été arrêtée" in judge(forward)


def test_nothing_of_the_notebook_changes(capsys):
    np.random.seed(3)
    random.seed(3)
    expected = np.random.get_state()[1].copy(), random.getstate()
    given, settings = np.ones(3), np.geterr()

    def noisy(x):
        x += np.random.random(3) + random.random()
        np.seterr(all="raise")
        print("bruit")
        print("bruit", file=sys.stderr)
        return np.log(-x[0])

    outcome = run(noisy, (given,), 1)
    assert isinstance(outcome.error, FloatingPointError) and outcome.printed
    assert np.array_equal(np.random.get_state()[1], expected[0]) and random.getstate() == expected[1]
    assert np.array_equal(given, np.ones(3)) and np.geterr() == settings
    assert capsys.readouterr() == ("", "")


def test_a_warning_of_the_student_is_not_shown():
    """Ni levé ni imprimé : un avertissement n'est pas une impression oubliée."""
    outcome = run(lambda: warnings.warn("attention") or 3, (), 1)
    assert outcome.value == 3 and outcome.error is None and not outcome.printed


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="sans minuterie sous Windows")
def test_a_timer_of_the_notebook_goes_on():
    """La minuterie que le carnet avait lancée repart pour le temps qui lui restait."""
    handler = signal.signal(signal.SIGALRM, lambda *_: None)
    try:
        signal.setitimer(signal.ITIMER_REAL, 600, 7)
        run(lambda: None, (), 1)
        left, period = signal.getitimer(signal.ITIMER_REAL)
        assert 500 < left <= 600 and period == 7
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)


def test_keyboard_interrupt_is_not_swallowed():
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(stop, (), 1)


def test_a_triple_loop_is_accepted_with_advice():
    def forward(X, W_h, b_h, W_y, b_y):
        H = np.zeros((len(X), len(W_h)))
        for n in range(len(X)):
            for i in range(len(W_h)):
                for j in range(X.shape[1]):
                    H[n, i] += W_h[i, j] * X[n, j]
        H = np.tanh(H + b_h)
        e = H @ W_y.T + b_y
        e = np.exp(e - e.max(axis=1, keepdims=True))
        return H, e / e.sum(axis=1, keepdims=True)

    judgement = code.judge(code.REFERENCES["forward"], forward, 5)
    assert judgement.ok and "**lente**" in judgement.message and "produit de matrices" in judgement.message


# ── Ce que voit l'élève ──────────────────────────────────────────────────────


def test_display_is_stable_and_readable():
    good = verifier("perceptron-code-predict", lambda X, w, b: (X @ w + b >= 0).astype(int))
    bad = verifier("perceptron-code-predict", lambda X, w, b: X @ w + b)
    assert flat(repr(good)) == "✓ Juste. Vérifiée sur 5 essais tirés au hasard."
    assert repr(bad).startswith("✗ À reprendre. Vous rendez le potentiel") and "`" not in repr(bad)
    assert repr(bad) == repr(verifier("perceptron-code-predict", lambda X, w, b: X @ w + b))
    html = bad._repr_html_()
    assert "<math" in html and "À reprendre" in html and 'role="status"' in html
    assert "<script" not in verifier("perceptron-code-predict", lambda X, w, b: "<script>")._repr_html_()


def test_the_question_shown_learns_the_verdict():
    question = bank.load_bank()["perceptron-code-predict"]
    widget = Question(question=bank.compiled(question))
    verifier("perceptron-code-predict", lambda X, w, b: X @ w + b)
    assert widget.verdict == "wrong" and widget.attempts == 1 and "potentiel" in widget.feedback and "X @ w + b" in widget.answer
    verifier("perceptron-code-predict", solution(question))
    assert widget.verdict == "right" and widget.attempts == 2 and widget.answer == ""


def test_a_wrong_name_is_explained():
    with pytest.raises(KeyError, match="perceptron-code-predict"):
        verifier("perceptron-code-predit", print)
    with pytest.raises(ValueError, match="ne demande pas de code"):
        verifier("perceptron-taux", print)
    with pytest.raises(TypeError, match="le nom de la question"):
        verifier(print, "perceptron-code-predict")
