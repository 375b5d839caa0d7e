"""Une erreur Python dite en français : où, et ce qu'elle veut souvent dire."""

import inspect
import linecache
import re
import traceback

CAUSES = (  # ce que dit Python, et ce que cela veut souvent dire
    (r"matmul|shapes .* not aligned|mismatch in its core dimension",
     "Les tailles d'un produit de matrices ne se répondent pas : à gauche, le nombre de colonnes ; à droite, le "
     "nombre de lignes. Une transposée manque, ou est de trop."),
    (r"could not be broadcast|broadcast",
     "Deux tableaux de tailles incompatibles sont combinés composante par composante. Après une somme le long d'un "
     "axe, pensez à `keepdims=True`."),
    (r"unsupported operand .*NoneType|NoneType",
     "Une valeur est `None` : une fonction que vous appelez ne renvoie rien."),
    (r"name '(\w+)' is not defined",
     "`{0}` n'est pas défini : une faute de frappe, ou une variable d'une autre cellule ?"),
    (r"local variable '(\w+)'", "`{0}` est lue avant d'avoir reçu une valeur."),
    (r"truth value of an array",
     "Un `if` ne peut pas décider pour tout un tableau : comparez composante par composante, `(X > 0)`, ou avec "
     "`np.where`."),
    (r"only (?:length-1|0-dimensional|size-1) arrays",
     "Une fonction de `math`, comme `math.exp`, ne prend qu'un nombre : utilisez celle de NumPy, `np.exp`."),
    (r"'numpy.ndarray' object is not callable",
     "Un tableau est appelé comme une fonction : des crochets, ou un `*`, à la place des parenthèses ?"),
    (r"axis \d+ is out of bounds", "Cet axe n'existe pas : un vecteur n'a que l'axe 0."),
    (r"out of bounds|index out of range", "Un indice sort du tableau : une boucle va-t-elle trop loin ?"),
    (r"Cannot cast ufunc",
     "Un tableau d'entiers ne peut pas recevoir de décimales : créez-le avec `np.zeros(…)`, sans `dtype=int`."),
    (r"maximum recursion depth", "Elle s'appelle elle-même sans fin."),
    (r"division by zero", "Une division par zéro."),
    (r"missing \d+ required positional|takes \d+ positional",
     "Une fonction que vous appelez n'a pas reçu le bon nombre d'arguments."),
    (r"has no attribute '(\w+)'",
     "`{0}` n'existe pas pour cet objet : une faute de frappe, ou une liste au lieu d'un tableau ?"),
)


def explain_error(error: BaseException, function) -> str:
    """« Votre fonction s'arrête à la ligne 3, `H = X @ W_h` », le message de Python, et sa cause la plus courante."""
    if isinstance(error, SystemExit):
        return "Votre fonction appelle `exit()` ou `quit()`, qui arrêterait le carnet. Retirez cet appel."
    said = re.sub(r"\s+", " ", str(error)).strip(" .").replace("`", "'")
    said = f" : {said[:160]}" if said else ""
    return f"Votre fonction s'arrête{_where(error, function)} sur une erreur, `{type(error).__name__}{said}`.{_cause(error)}"


def _where(error, function):
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return ""
    frames = [frame for frame in traceback.walk_tb(error.__traceback__) if frame[0].f_code.co_filename == code.co_filename]
    if not frames:
        return ""
    frame, number = frames[-1]
    line = linecache.getline(code.co_filename, number).strip().replace("`", "'")
    rank = f" à la ligne {number - code.co_firstlineno + 1}" if frame.f_code is code else ""
    return f"{rank}, `{line}`," if line else rank


def _cause(error):
    for pattern, cause in CAUSES:
        if found := re.search(pattern, str(error)):
            return " " + cause.format(*found.groups())
    return ""
