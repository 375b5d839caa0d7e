"""La boucle d'apprentissage : mini-lots, historique, barre de progression, arrêt en cas de divergence."""

import math
import operator
import sys

import numpy as np
from tqdm import tqdm

from labcode.checks import french_number
from labcode.nn.losses import BCELoss, BCEWithLogitsLoss

EVALUATION_BATCH = 1024
EXPLOSION = 1e6         # une perte qui dépasse tant de fois celle du premier lot (ou 1) ne redescendra pas
MEASURES = ("train_loss", "train_error", "val_loss", "val_error")
HEADINGS = ("époque", "perte (app.)", "erreur (app.)", "perte (val.)", "erreur (val.)")


class DivergenceError(ArithmeticError):
    """L'apprentissage a divergé : perte énorme ou non finie, ou paramètre non fini. ``history`` garde les époques
    achevées.
    """

    def __init__(self, message, history):
        super().__init__(message)
        self.history = history


class History:
    """Historique d'un apprentissage : une valeur par époque achevée, NaN quand la mesure n'existe pas.

    ``epochs`` vaut [1, 2, …, E] ; ``train_loss``, ``train_error``, ``val_loss`` et ``val_error`` sont des tableaux (E,)
    de float64. Les erreurs sont des proportions. Les mesures d'apprentissage sont prises sur les lots au fil de
    l'époque, pendant que les poids changent (moyenne pondérée par la taille des lots) ; celles de validation, après
    l'époque.
    """

    def __init__(self):
        for name in MEASURES:
            setattr(self, name, np.empty(0))

    @property
    def epochs(self):
        """Numéros des époques achevées, à partir de 1."""
        return np.arange(1, len(self) + 1)

    def append(self, **measures):
        """Ajoute une époque ; une mesure qui manque vaut NaN."""
        for name in MEASURES:
            setattr(self, name, np.append(getattr(self, name), measures.get(name, np.nan)))

    def as_dict(self):
        """Dictionnaire de listes, prêt pour JSON ou un tableur."""
        return {"epochs": self.epochs.tolist()} | {name: getattr(self, name).tolist() for name in MEASURES}

    def table(self):
        """Tableau en texte, une ligne par époque, erreurs en pour cent."""
        lines = ["  ".join(f"{heading:>13}" for heading in HEADINGS)]
        for epoch, *measures in zip(self.epochs, *(getattr(self, name) for name in MEASURES)):
            cells = [_cell(value, percent="error" in name) for name, value in zip(MEASURES, measures)]
            lines.append("  ".join(f"{cell:>13}" for cell in [str(epoch), *cells]))
        return "\n".join(lines)

    def __len__(self):
        return len(self.train_loss)

    def __repr__(self):
        return f"History({len(self)} époque{'s' * (len(self) > 1)})"


def fit(model, loss, optimizer, X, y, *, epochs, batch_size=64, validation=None, rng=0, progress=True, callbacks=()):
    """Entraîne ``model`` par mini-lots et renvoie son historique (History).

    X : (N, …), float32 ou float64 conservé ; y : ce que ``loss`` attend. À chaque époque les exemples sont battus par
    ``rng`` et présentés par lots de ``batch_size``, le dernier pouvant être plus petit : même graine, mêmes bits.
    ``validation=(X_val, y_val)`` est mesurée après chaque époque. Chaque ``callback(epoch, history)`` est appelé après
    l'époque ; s'il renvoie True, on s'arrête. Ctrl-C arrête aussi, et rend l'historique acquis. Le modèle rendu est en
    mode évaluation.

    Les données sont vérifiées une fois, avant de toucher aux poids : ValueError ou TypeError. Si la perte ou un
    paramètre cesse d'être fini, ou si la perte dépasse un million de fois celle du premier lot : DivergenceError, qui
    dit quand et qu'essayer, et garde l'historique.
    """
    epochs, batch_size = _integer("epochs", epochs, 0), _integer("batch_size", batch_size, 1)
    training_set = _Examples("", X, y, model, loss)
    validation_set = None if validation is None else _Examples("_val", *_pair(validation), model, loss)
    run = _Run(model, loss, optimizer, np.random.default_rng(rng))
    history = run.history
    steps = -(-len(training_set) // batch_size)
    with _progress_bar(epochs * steps, progress) as bar, np.errstate(over="ignore", invalid="ignore"):
        try:
            for epoch in range(1, epochs + 1):
                bar.set_description_str(f"Époque {epoch}/{epochs}", refresh=False)
                measures = run.train_epoch(training_set, batch_size, bar)
                if validation_set is not None:
                    measures |= run.evaluate(validation_set)
                run.check_parameters()
                history.append(**measures)
                bar.set_postfix_str(_summary(measures), refresh=False)
                if any([callback(epoch, history) for callback in callbacks]):  # tous sont appelés
                    break
        except KeyboardInterrupt:
            bar.write(f"Entraînement interrompu pendant l'époque {len(history) + 1} ; époques achevées : {len(history)}.", file=sys.stderr)
    model.eval()
    return history


def predict(model, X, batch_size=EVALUATION_BATCH):
    """Sorties du modèle, en mode évaluation, pour X (N, …) : un tableau (N, …) calculé par lots. Le mode du modèle
    est rétabli ensuite.
    """
    X = _inputs("X", X)
    batch_size = _integer("batch_size", batch_size, 1)
    was_training = model.training
    model.eval()
    try:
        return np.concatenate([model(X[start:start + batch_size]) for start in range(0, len(X), batch_size)])
    finally:
        model.train(was_training)


def error_rate(model, X, y, *, threshold=None):
    """Proportion, entre 0 et 1, des exemples X (N, …) que le modèle range dans une autre classe que y.

    y : classes entières (N,) ou one-hot (N, n_y) ; la classe prédite est l'indice de la plus grande sortie. Pour un
    modèle à une seule sortie, la classe est 1 au-delà de ``threshold`` : 0 pour un logit, 0,5 pour une probabilité.
    """
    X, y = _inputs("X", X), _targets("y", y, len(X))
    y_hat = predict(model, X)
    if _single_output(y_hat) and threshold is None:
        raise ValueError("threshold : à donner pour un modèle à une seule sortie (0 pour un logit, 0,5 pour une probabilité).")
    classes = _target_classes(y, y_hat, threshold)
    if classes is None:
        raise ValueError(f"y : des classes entières (N,) ou one-hot (N, n_y) étaient attendues ; reçu {y.dtype}, de forme {y.shape}.")
    if not _single_output(y_hat) and classes.max() >= y_hat.shape[1]:
        raise ValueError(f"y : étiquette {classes.max()} reçue, de 0 à {y_hat.shape[1] - 1} attendues.")
    return float(np.mean(_predicted_classes(y_hat, threshold) != classes))


class _Examples:
    """Des exemples vérifiés une fois pour toutes, leurs classes s'ils en ont, et de quoi en extraire des lots."""

    def __init__(self, suffix, X, y, model, loss):
        self.X = _inputs(f"X{suffix}", X)
        self.y = _targets(f"y{suffix}", y, len(self.X))
        if self.y.dtype.kind == "f":  # une cible en float64 ferait passer tout le calcul en float64
            self.y = self.y.astype(self.X.dtype, copy=False)
        y_hat = model.eval()(self.X[:1])
        for start in range(0, len(self), EVALUATION_BATCH):  # la perte vérifie elle-même chaque cible, contre une sortie répétée
            y = self.y[start:start + EVALUATION_BATCH]
            loss(np.repeat(y_hat, len(y), axis=0), y)
        self.threshold = 0.5 if isinstance(loss, BCELoss) else 0.0 if isinstance(loss, BCEWithLogitsLoss) else None
        self.classes = _target_classes(self.y, y_hat, self.threshold)

    def __len__(self):
        return len(self.X)

    def shuffled_batches(self, batch_size, rng):
        """Lots (X, y, indices) d'une époque ; X et y sont rangés dans des tampons que le lot suivant réutilise."""
        order = rng.permutation(len(self))
        size = min(batch_size, len(self))
        X, y = np.empty((size, *self.X.shape[1:]), self.X.dtype), np.empty((size, *self.y.shape[1:]), self.y.dtype)
        for start in range(0, len(self), batch_size):
            index = order[start:start + batch_size]
            n = len(index)
            # mode="clip" : sans lui, np.take passerait par une copie intermédiaire
            yield self.X.take(index, 0, X[:n], "clip"), self.y.take(index, 0, y[:n], "clip"), index

    def count_errors(self, y_hat, index):
        """Nombre de sorties mal classées parmi les exemples ``index`` ; NaN si les cibles ne sont pas des classes."""
        if self.classes is None:
            return math.nan
        return np.count_nonzero(_predicted_classes(y_hat, self.threshold) != self.classes[index])


class _Run:
    """Un apprentissage en cours : ce qui change les poids, l'historique, et de quoi reconnaître une divergence."""

    def __init__(self, model, loss, optimizer, rng):
        self.model, self.loss, self.optimizer, self.rng = model, loss, optimizer, rng
        self.history = History()
        self.highest_loss = None

    def train_epoch(self, examples, batch_size, bar):
        """Une époque d'apprentissage ; renvoie la perte et l'erreur moyennes sur ses lots."""
        self.model.train()
        total_loss, errors = 0.0, 0
        for step, (X, y, index) in enumerate(examples.shuffled_batches(batch_size, self.rng), start=1):
            y_hat = self.model(X)
            value = self.loss(y_hat, y)
            self.check_loss(value, "la perte", f"au pas {step} de")
            self.optimizer.zero_grad()
            self.model.backward_parameters(self.loss.backward())
            self.optimizer.step()
            total_loss += value * len(index)
            errors += examples.count_errors(y_hat, index)
            bar.update()
        return {"train_loss": total_loss / len(examples), "train_error": errors / len(examples)}

    def evaluate(self, examples):
        """Perte et erreur moyennes sur les exemples de validation, en mode évaluation."""
        self.model.eval()
        total_loss, errors = 0.0, 0
        for start in range(0, len(examples), EVALUATION_BATCH):
            part = slice(start, start + EVALUATION_BATCH)
            y_hat = self.model(examples.X[part])
            total_loss += self.loss(y_hat, examples.y[part]) * len(y_hat)
            errors += examples.count_errors(y_hat, part)
        self.check_loss(total_loss / len(examples), "la perte de validation", "après")
        return {"val_loss": total_loss / len(examples), "val_error": errors / len(examples)}

    def check_loss(self, value, what, when):
        if self.highest_loss is None:
            self.highest_loss = EXPLOSION * max(1.0, value)
        if not math.isfinite(value) or value > self.highest_loss:
            raise self.divergence(f"{what} vaut {french_number(value, 2)}", when)

    def check_parameters(self):
        for name, parameter in self.model.named_parameters():
            if not np.isfinite(parameter.data).all():
                raise self.divergence(f"le paramètre {name} n'est plus fini", "après")

    def divergence(self, what, when):
        rate = f" (ici lr = {french_number(self.optimizer.lr)})" if hasattr(self.optimizer, "lr") else ""
        return DivergenceError(f"L'apprentissage a divergé : {when} l'époque {len(self.history) + 1}, {what}. Essayez un taux d'apprentissage "
                               f"dix fois plus petit{rate}, ou des données ramenées entre 0 et 1.", self.history)


def _single_output(y_hat):
    return y_hat.ndim == 1 or y_hat.shape[1:] == (1,)


def _target_classes(y, y_hat, threshold):
    """Classes entières (N,) que décrit y, ou None si les cibles ne sont pas des classes (régression, probabilités)."""
    if _single_output(y_hat):
        return y.reshape(-1) if threshold is not None and y[0].size == 1 and np.isin(y, (0, 1)).all() else None
    if y.ndim == 1:
        return y if y.dtype.kind in "biu" else None
    one_hot = y.ndim == 2 and y.shape[1] > 1 and np.isin(y, (0, 1)).all() and (y.sum(axis=1) == 1).all()
    return y.argmax(axis=1) if one_hot else None


def _predicted_classes(y_hat, threshold):
    return y_hat.reshape(-1) > threshold if _single_output(y_hat) else y_hat.argmax(axis=1)


def _inputs(name, X):
    """X en tableau flottant fini (N, …), N ≥ 1, sans copie s'il est déjà en float32 ou en float64."""
    X = np.asarray(X)
    if X.dtype.kind not in "biuf":
        raise TypeError(f"{name} : tableau de nombres attendu, reçu le type {X.dtype}.")
    if X.dtype not in (np.float32, np.float64):
        X = X.astype(np.float32)
    if X.ndim < 2:
        raise ValueError(f"{name} : forme {X.shape} reçue, un lot (N, …) attendu, un exemple par ligne.")
    if X.size == 0:
        raise ValueError(f"{name} : ensemble vide, de forme {X.shape}.")
    _refuse_not_finite(name, X)
    return X


def _targets(name, y, n_examples):
    y = np.asarray(y)
    if y.dtype.kind not in "biuf":
        raise TypeError(f"{name} : tableau de nombres attendu, reçu le type {y.dtype}.")
    if y.ndim == 0 or len(y) != n_examples:
        raise ValueError(f"{name} : {len(y) if y.ndim else 'aucune'} cible(s) pour {n_examples} exemples.")
    _refuse_not_finite(name, y)
    return y


def _refuse_not_finite(name, array):
    # min et max propagent NaN, et n'allouent pas un tableau de booléens aussi grand que les données
    if not (np.isfinite(array.min()) and np.isfinite(array.max())):
        first = next(n for n, row in enumerate(array) if not np.isfinite(row).all())
        raise ValueError(f"{name} : contient NaN ou une valeur infinie (premier exemple touché : {first}).")


def _pair(validation):
    if not isinstance(validation, (tuple, list)) or len(validation) != 2:
        raise TypeError("validation : un couple (X_val, y_val) attendu.")
    return validation


def _integer(name, value, minimum):
    try:
        value = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} : entier attendu, reçu {value!r}.") from None
    if value < minimum:
        raise ValueError(f"{name} : {value} reçu, un entier au moins égal à {minimum} attendu.")
    return value


def _progress_bar(total, shown):
    # le texte simple se lit partout ; la barre de tqdm.auto laisserait un widget mort dans la page
    return tqdm(total=total, disable=not shown, file=sys.stderr, leave=True,
                bar_format="{desc} {percentage:3.0f} % |{bar:30}| {elapsed} écoulé, reste {remaining}{postfix}")


def _summary(measures):
    loss, error = measures.get("val_loss", measures["train_loss"]), measures.get("val_error", measures["train_error"])
    where = "validation" if "val_loss" in measures else "apprentissage"
    return f"{where} : perte {_cell(loss)}" + (f", erreur {_cell(error, percent=True)}" if math.isfinite(error) else "")


def _cell(value, percent=False):
    if math.isnan(value):
        return "–"
    return french_number(100 * value, 2) + "\u00a0%" if percent else french_number(value, 4)
