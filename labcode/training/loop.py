"""La boucle d'apprentissage : mini-lots, historique, barre de progression, arrêt en cas de divergence."""

import math
import sys
import zlib

import numpy as np
from tqdm import tqdm

from labcode.checks import french_number
from labcode.datasets.arguments import generator, integer
from labcode.nn.losses import BCELoss, BCEWithLogitsLoss
from labcode.training.arguments import check_objects, checked_callbacks, checked_pair
from labcode.training.checkpoint import Checkpoint, CheckpointError
from labcode.training.divergence import DivergenceError, advice, broken_parameters, first_broken_layer
from labcode.training.evaluation import EVALUATION_BATCH, inputs, predict, predicted_classes, target_classes, targets
from labcode.training.history import History, cell
from labcode.training.state import named_generators

EXPLOSION = 1e6         # une perte qui dépasse tant de fois celle du premier lot (ou 1) ne redescendra pas


def fit(model, loss, optimizer, X, y, *, epochs, batch_size=64, validation=None, rng=0, progress=True, callbacks=(),
        penalty=None, augment=None, checkpoint=None):
    """Entraîne ``model`` par mini-lots et renvoie son historique (History).

    X : (N, …), float32 ou float64 conservé ; y : ce que ``loss`` attend. À chaque époque les exemples sont battus par
    ``rng`` et présentés par lots de ``batch_size``, le dernier pouvant être plus petit : même graine, mêmes bits.
    ``validation=(X_val, y_val)`` est mesurée après chaque époque. Chaque ``callback(epoch, history)`` est appelé après
    l'époque ; s'il renvoie True, on s'arrête. Ctrl-C arrête aussi, et rend l'historique acquis. Le modèle rendu est en
    mode évaluation.

    ``penalty`` (L1, L2) s'ajoute à la perte des lots et à son gradient, mais pas à la perte de validation.
    ``augment(X, rng)`` transforme chaque lot d'apprentissage, jamais les données elles-mêmes. ``checkpoint`` (un nom de
    fichier, ou un Checkpoint) garde de quoi reprendre : si le fichier existe, ``epochs`` compte aussi les époques déjà
    faites, et le résultat est, au bit près, celui d'un apprentissage jamais interrompu.

    Les arguments et les données sont vérifiés une fois, avant de toucher aux poids : ValueError ou TypeError, en
    particulier si l'optimiseur est celui d'un autre modèle. Si la perte ou un
    paramètre cesse d'être fini, ou si la perte dépasse un million de fois celle du premier lot : DivergenceError, qui
    dit où, quand et qu'essayer, et garde l'historique. CheckpointError si le point de reprise ne peut être lu ou écrit.
    """
    epochs, batch_size = integer("epochs", epochs, 0), integer("batch_size", batch_size, 1)
    check_objects(model, loss, optimizer)
    callbacks, generated = checked_callbacks(callbacks), generator(rng)
    training_set = _Examples("", X, y, model, loss)
    validation_set = None if validation is None else _Examples("_val", *checked_pair(validation), model, loss)
    run = _Run(model, loss, optimizer, generated, callbacks, penalty, augment)
    run.start()
    saver = None if checkpoint is None else _Saver(checkpoint, run, training_set, validation_set, batch_size, rng)
    history, steps = run.history, -(-len(training_set) // batch_size)
    with _progress_bar(epochs * steps, len(history) * steps, progress) as bar, np.errstate(over="ignore", invalid="ignore"):
        if progress and len(history):
            bar.write(f"Reprise de « {saver.checkpoint.path} », époques déjà faites : {len(history)}.", file=sys.stderr)
        try:
            while len(history) < epochs and not run.stopped:
                bar.set_description_str(f"Époque {len(history) + 1}/{epochs}", refresh=False)
                measures = run.epoch(training_set, validation_set, batch_size, bar)
                bar.set_postfix_str(_summary(measures), refresh=False)
                if saver:
                    saver.after_epoch(last=run.stopped or len(history) == epochs)
        except KeyboardInterrupt:
            bar.write(f"Entraînement interrompu pendant l'époque {len(history) + 1} ; époques achevées : {len(history)}.", file=sys.stderr)
        except DivergenceError:
            run.end()
            raise
        finally:
            model.eval()
    run.end()
    return history


class _Examples:
    """Des exemples vérifiés une fois pour toutes, leurs classes s'ils en ont, et de quoi en extraire des lots."""

    def __init__(self, suffix, X, y, model, loss):
        self.X = inputs(f"X{suffix}", X)
        self.y = targets(f"y{suffix}", y, len(self.X))
        if self.y.dtype.kind == "f":  # une cible en float64 ferait passer tout le calcul en float64
            self.y = self.y.astype(self.X.dtype, copy=False)
        try:
            y_hat = predict(model, self.X[:1])
            for start in range(0, len(self), EVALUATION_BATCH):  # la perte vérifie elle-même chaque cible, contre une sortie répétée
                y = self.y[start:start + EVALUATION_BATCH]
                loss(np.repeat(y_hat, len(y), axis=0), y)
        except (TypeError, ValueError) as error:
            error.add_note(f"C'est en vérifiant X{suffix} et y{suffix}, avant l'apprentissage.")
            raise
        self.threshold = 0.5 if isinstance(loss, BCELoss) else 0.0 if isinstance(loss, BCEWithLogitsLoss) else None
        self.classes = target_classes(self.y, y_hat, self.threshold)

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
        return np.count_nonzero(predicted_classes(y_hat, self.threshold) != self.classes[index])

    def fingerprint(self):
        """Une ligne qui change dès qu'un exemple ou une cible change."""
        checksum = zlib.crc32(np.ascontiguousarray(self.y), zlib.crc32(np.ascontiguousarray(self.X)))
        return f"{len(self)} exemples, forme {self.X.shape[1:]}, {self.X.dtype}, empreinte {checksum:08x}"


class _Run:
    """Un apprentissage en cours : ce qui change les poids, l'historique, et de quoi reconnaître une divergence."""

    def __init__(self, model, loss, optimizer, rng, callbacks, penalty, augment):
        self.model, self.loss, self.optimizer, self.rng = model, loss, optimizer, rng
        self.callbacks, self.penalty, self.augment = callbacks, penalty, augment
        self.history = History()
        self.highest_loss = None
        self.stopped = False

    def start(self):
        for callback in self.callbacks:
            if hasattr(callback, "on_start"):
                callback.on_start(self.model)

    def end(self):
        for callback in self.callbacks:
            if hasattr(callback, "on_end"):
                callback.on_end(self.history)

    def epoch(self, training_set, validation_set, batch_size, bar):
        """Une époque entière : apprentissage, validation, historique, rappels. Renvoie ses mesures."""
        measures = self.train(training_set, batch_size, bar)
        if validation_set is not None:
            measures |= self.evaluate(validation_set)
        self.check_parameters(training_set)
        self.history.append(**measures)
        self.stopped = any([callback(len(self.history), self.history) for callback in self.callbacks])  # tous sont appelés
        return measures

    def train(self, examples, batch_size, bar):
        """Une époque d'apprentissage ; renvoie la perte et l'erreur moyennes sur ses lots."""
        self.model.train()
        parameters = self.model.parameters()
        total_loss, errors = 0.0, 0
        for step, (X, y, index) in enumerate(examples.shuffled_batches(batch_size, self.rng), start=1):
            if self.augment is not None:
                X = _augmented(self.augment, X, self.rng)
            y_hat = self.model(X)
            value = self.loss(y_hat, y)
            if self.penalty is not None:
                value += self.penalty.value(parameters)
            self.check_loss(value, "la perte", f"au pas {step} de", X)
            self.optimizer.zero_grad()
            self.model.backward_parameters(self.loss.backward())
            if self.penalty is not None:
                self.penalty.accumulate(parameters)
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
        self.check_loss(total_loss / len(examples), "la perte de validation", "après", examples.X)
        return {"val_loss": total_loss / len(examples), "val_error": errors / len(examples)}

    def check_loss(self, value, what, when, X):
        if self.highest_loss is None:
            self.highest_loss = EXPLOSION * max(1.0, value)
        if not math.isfinite(value) or value > self.highest_loss:
            where = first_broken_layer(self.model, X[:EVALUATION_BATCH])
            raise self.divergence(f"{what} vaut {french_number(value, 2)}" + (f" ({where})" if where else ""), when, X)

    def check_parameters(self, examples):
        if spoiled := broken_parameters(self.model):
            raise self.divergence(f"le paramètre {spoiled[0]} n'est plus fini", "après", examples.X)

    def divergence(self, what, when, X):
        return DivergenceError(f"L'apprentissage a divergé : {when} l'époque {len(self.history) + 1}, {what}. {advice(self.optimizer, X)}", self.history)

    def state(self):
        """Tout ce dont dépend la suite, au bit près."""
        return {
            "model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(),
            "callbacks": [callback.state_dict() for callback in self.with_memory()],
            "rng": self.rng.bit_generator.state,
            "layer_rngs": {name: generator.bit_generator.state for name, generator in named_generators(self.model).items()},
            "history": self.history.as_dict(), "highest_loss": self.highest_loss, "stopped": self.stopped}

    def with_memory(self):
        """Les rappels qui se souviennent d'une époque à l'autre ; les autres peuvent changer à la reprise."""
        return [callback for callback in self.callbacks if hasattr(callback, "state_dict")]

    def load_state(self, state):
        """Rétablit ce que ``state`` a gardé."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        for callback, memory in zip(self.with_memory(), state["callbacks"], strict=True):
            callback.load_state_dict(memory)
        for name, generator in named_generators(self.model).items():
            generator.bit_generator.state = state["layer_rngs"][name]
        self.rng.bit_generator.state = state["rng"]
        self.history, self.highest_loss, self.stopped = History.from_dict(state["history"]), state["highest_loss"], state["stopped"]


class _Saver:
    """Ce qui relie un apprentissage à son point de reprise : reprend s'il existe, puis le tient à jour."""

    def __init__(self, checkpoint, run, training_set, validation_set, batch_size, seed):
        self.checkpoint = checkpoint if isinstance(checkpoint, Checkpoint) else Checkpoint(checkpoint)
        self.run = run
        if not hasattr(run.optimizer, "state_dict"):
            raise TypeError(f"checkpoint : l'optimiseur {type(run.optimizer).__name__} n'a pas de state_dict, son état ne peut pas être gardé.")
        self.configuration = {
            "modèle": repr(run.model),
            "paramètres": " ".join(f"{name}{list(array.shape)}:{array.dtype}" for name, array in run.model.state_dict().items()),
            "perte": type(run.loss).__name__, "optimiseur": type(run.optimizer).__name__,
            "données": training_set.fingerprint(), "validation": validation_set.fingerprint() if validation_set else "aucune",
            "batch_size": batch_size, "rng": seed if isinstance(seed, int) else type(run.rng.bit_generator).__name__,
            "pénalité": _described(run.penalty), "augmentation": _described(run.augment),
            "rappels": " ".join(type(callback).__name__ for callback in run.with_memory())}
        if run.optimizer.state_dict().get("n_steps") == 0:  # un optimiseur neuf doit être réglé comme au départ
            self.configuration["réglages"] = repr(run.optimizer)
        found = self.checkpoint.load(self.configuration)
        if found is None:
            self.save()  # tout de suite : mieux vaut apprendre maintenant que le dossier est interdit
        else:
            self.resume(*found)

    def resume(self, configuration, state):
        self.configuration = configuration
        try:
            self.run.load_state(state)
        except (ValueError, TypeError, KeyError) as error:
            raise CheckpointError(f"« {self.checkpoint.path} » ne convient pas à cet apprentissage : {error}") from error

    def after_epoch(self, last):
        if last or len(self.run.history) % self.checkpoint.every == 0:
            self.save()

    def save(self):
        try:
            self.checkpoint.save(self.configuration, self.run.state())
        except CheckpointError as error:
            error.history = self.run.history
            raise


def _augmented(augment, X, rng):
    """Le lot transformé. Lève ValueError si ``augment`` en a changé la forme."""
    result = np.asarray(augment(X, rng), dtype=X.dtype)
    if result.shape != X.shape:
        raise ValueError(f"augment : un lot de forme {X.shape} est devenu {result.shape}, la même forme était attendue.")
    return result


def _described(value):
    """Le nom d'une fonction, ou ce qu'un objet dit de lui-même, sans adresse en mémoire."""
    if value is None:
        return "aucune"
    if type(value).__repr__ is object.__repr__ or hasattr(value, "__qualname__"):
        return getattr(value, "__qualname__", type(value).__name__)
    return repr(value)


def _progress_bar(total, done, shown):
    # le texte simple se lit partout ; la barre de tqdm.auto laisserait un widget mort dans la page
    return tqdm(total=total, initial=min(done, total), disable=not shown, file=sys.stderr, leave=True,
                bar_format="{desc} {percentage:3.0f} % |{bar:30}| {elapsed} écoulé, reste {remaining}{postfix}")


def _summary(measures):
    loss, error = measures.get("val_loss", measures["train_loss"]), measures.get("val_error", measures["train_error"])
    where = "validation" if "val_loss" in measures else "apprentissage"
    return f"{where} : perte {cell(loss)}" + (f", erreur {cell(error, percent=True)}" if math.isfinite(error) else "")
