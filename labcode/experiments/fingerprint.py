"""L'empreinte du code dont dépend un essai : si elle change, un résultat rangé n'est plus celui du code présent.

On part de la fonction qui fait l'essai et l'on suit les noms qu'elle emploie jusqu'à leur définition, dans son module ou
dans un autre de labcode, de proche en proche. N'y entrent donc ni les figures, ni ce qui ne sert pas à l'essai ; ni,
parce qu'ils ne changent aucune mesure, les commentaires, les docstrings et les erreurs levées.
"""

import ast
import functools
import hashlib
import importlib.util
import inspect
from pathlib import Path

IMPORTS = (ast.Import, ast.ImportFrom)
# Sans effet sur les mesures : des messages, des dessins, et la recherche des fichiers de données, dont le contenu est vérifié.
IGNORED = ("labcode.checks", "labcode.datasets.download", "labcode.datasets.files", "labcode.figures")


@functools.cache
def fingerprint(run):
    """Empreinte du code dont dépend la fonction ``run``, douze chiffres hexadécimaux ; vide si sa source est introuvable."""
    try:
        Source.known[run.__module__] = Source(Path(inspect.getsourcefile(run)))
    except (TypeError, OSError, SyntaxError):
        return ""
    reached = {}
    follow(run.__module__, run.__qualname__.partition(".")[0], reached)
    return hashlib.sha256("\n".join(sorted(reached.values())).encode()).hexdigest()[:12]


class Source:
    """Un module lu sans l'exécuter : ``definitions`` donne, pour chaque nom, les instructions qui le définissent."""

    known = {}

    def __init__(self, path):
        self.body = ast.parse(path.read_bytes()).body
        self.definitions = {}
        for statement in self.body:
            for name in bound_names(statement):
                self.definitions.setdefault(name, []).append(statement)

    @classmethod
    def of(cls, module):
        """La source d'un module de labcode (ou de celui de l'essai) ; None s'il n'y en a pas."""
        if module not in cls.known:
            spec = importlib.util.find_spec(module) if module.partition(".")[0] == "labcode" else None
            cls.known[module] = cls(Path(spec.origin)) if spec and spec.origin else None
        return cls.known[module]


def follow(module, path, reached):
    """Ajoute à ``reached`` ce que désigne ``path``, noms séparés par des points, vu du module ; tout le module si ``path`` est vide."""
    source, (name, _, rest) = Source.of(module), path.partition(".")
    if source is None or module in IGNORED:
        return
    if name and name not in source.definitions:
        if is_module(f"{module}.{name}"):
            follow(f"{module}.{name}", rest, reached)
        return
    for statement in source.definitions[name] if name else source.body:
        if isinstance(statement, IMPORTS):
            for target, alias in imported(statement):
                if not name or alias == name:
                    follow_absolute(f"{target}.{rest}".rstrip("."), reached)
        elif not is_docstring(statement):
            add(module, statement, reached)


def follow_absolute(path, reached):
    """Suit un nom complet, p. ex. ``labcode.nn.init.initialize``, depuis le plus profond module qui le contient."""
    module, _, rest = path.partition(".")
    while is_module(inner := f"{module}.{rest.partition('.')[0]}") and rest:
        module, rest = inner, rest.partition(".")[2]
    follow(module, rest, reached)


def add(module, statement, reached):
    """Ajoute une instruction et, la première fois, tout ce qu'elle emploie."""
    key = module, statement.lineno, statement.col_offset
    if key in reached:
        return
    reached[key] = described(statement)
    for path in used_paths(statement):
        if path.partition(".")[0] in Source.of(module).definitions:
            follow(module, path, reached)
    for inner in ast.walk(statement):  # un import à l'intérieur d'une fonction
        if isinstance(inner, IMPORTS):
            for target, _ in imported(inner):
                follow_absolute(target, reached)


def is_module(path):
    """Vrai si ``path`` est un module ou un paquet de labcode."""
    try:
        return path.startswith("labcode") and importlib.util.find_spec(path) is not None
    except ModuleNotFoundError:  # le parent n'est pas un paquet
        return False


def imported(statement):
    """Couples (nom complet importé, nom qui le désigne ici)."""
    for alias in statement.names:
        if isinstance(statement, ast.ImportFrom):
            yield f"{statement.module}.{alias.name}", alias.asname or alias.name
        elif alias.asname:
            yield alias.name, alias.asname
        else:
            yield alias.name.partition(".")[0], alias.name.partition(".")[0]


def bound_names(statement):
    """Noms qu'une instruction définit ou modifie, au niveau du module."""
    if isinstance(statement, IMPORTS):
        return {alias for _, alias in imported(statement)}
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {statement.name}
    if isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}
    return {name for inner in ast.iter_child_nodes(statement) if isinstance(inner, (ast.stmt, ast.ExceptHandler)) for name in bound_names(inner)}


def used_paths(node):
    """Noms employés dans un arbre, avec leurs attributs : ``nn.Linear(2, 3)`` donne ``nn.Linear``."""
    path = dotted(node)
    if path:
        yield path
    else:
        for child in ast.iter_child_nodes(node):
            yield from used_paths(child)


def dotted(node):
    """Le nom, avec ses attributs, qu'est cette expression ; vide si c'en est une autre."""
    if isinstance(node, ast.Name):
        return node.id
    inner = dotted(node.value) if isinstance(node, ast.Attribute) else ""
    return f"{inner}.{node.attr}" if inner else ""


def described(node):
    """Texte d'un arbre, le même d'une version de Python à l'autre, sans docstring ni erreur levée."""
    if isinstance(node, list):
        return f"[{' '.join(described(item) for item in node if not is_docstring(item))}]"
    if isinstance(node, ast.Raise):
        return "Raise"
    if isinstance(node, ast.AST):
        fields = [f"{name}={described(value)}" for name, value in ast.iter_fields(node) if value not in (None, [])]
        return f"{type(node).__name__}({' '.join(fields)})"
    return repr(node)


def is_docstring(node):
    """Vrai pour une instruction réduite à un texte."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
