"""Points de reprise : un apprentissage tué, puis repris, finit au bit près comme s'il ne l'avait jamais été."""

import errno
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from labcode.nn import BatchNorm1d, CrossEntropyLoss, Dropout, Linear, MSELoss, ReLU, Sequential, Tanh
from labcode.optim import L2, SGD, AdaGrad, Adam, AdamW, CosineLR, Layca, ReduceLROnPlateau, RMSprop, StepLR, WarmUp
from labcode.training import Callback, Checkpoint, CheckpointError, EarlyStopping, fit
from labcode.training.state import pack, unpack

RUN = Path(__file__).with_name("killed_run.py")
RNG = np.random.default_rng(0)
Y = RNG.integers(0, 3, 50)
X = (RNG.random((3, 4))[Y] + 0.5 * RNG.standard_normal((50, 4))).astype(np.float32)


def network(activation=ReLU, hidden=8):
    return Sequential(Linear(4, hidden, rng=0), BatchNorm1d(hidden), activation(), Dropout(0.2, rng=1), Linear(hidden, 3, rng=2))


def sgd(parameters):
    return SGD(parameters, 0.1)


def train(checkpoint=None, optimizer=sgd, scheduler=None, callbacks=(), model=None, loss=None, data=(X, Y), **options):
    """Un apprentissage neuf, ou repris ; renvoie tout ce dont dépend la suite, en octets et en texte."""
    model = model or network()
    optimizer = optimizer(model.parameters())
    callbacks = [*callbacks, scheduler(optimizer)] if scheduler else callbacks
    options = {"epochs": 5, "batch_size": 8, "progress": False, "validation": (X[:9], Y[:9])} | options
    history = fit(model, loss or CrossEntropyLoss(), optimizer, *data, checkpoint=checkpoint, callbacks=callbacks, **options)
    return history, everything(model, optimizer, history)


def everything(model, optimizer, history):
    arrays = {name: np.asarray(value).tobytes() for state in (model.state_dict(), optimizer.state_dict()) for name, value in state.items()}
    return arrays, json.dumps(model[3].rng.bit_generator.state), json.dumps(history.as_dict())


# --- Tué pour de bon ---------------------------------------------------------------------------------------------

def run(path, *death):
    return subprocess.Popen([sys.executable, str(RUN), str(path), *map(str, death)], stdout=subprocess.PIPE, text=True, cwd=path.parent)


def finish(path):
    output, _ = run(path).communicate(timeout=60)
    return output.split()


def test_tue_a_tout_moment_finit_au_bit_pres(tmp_path):
    *epochs, word, expected = finish(tmp_path / "jamais.npz")
    assert word == "fini" and epochs == [str(n) for n in range(1, 41)]
    path, chance, seen = tmp_path / "tue.npz", random.Random(int(time.time())), []
    for death in (("fsync", 1), ("fsync", 5), ("replace", 6), ("after", 4)):   # au milieu de l'écriture
        process = run(path, *death)
        seen += process.communicate(timeout=60)[0].split()
        assert process.returncode == -signal.SIGKILL
    for _ in range(3):                                                          # n'importe quand
        with run(path) as process:
            seen.append(process.stdout.readline().strip())
            time.sleep(chance.uniform(0, 0.05))
            process.kill()
            seen += process.stdout.read().split()
        assert process.returncode == -signal.SIGKILL, "tué trop tard : le test ne prouve rien"
    *epochs, word, result = finish(path)
    seen += epochs
    assert result == expected
    assert len(epochs) < 40 and set(seen) == {str(n) for n in range(1, 41)}   # rien n'est refait depuis le début, rien n'est sauté
    assert finish(path) == ["fini", expected]                                 # relancé une fois fini, il ne recommence pas
    assert sorted(file.name for file in tmp_path.iterdir()) == ["jamais.npz", "tue.npz"]


# --- Chaque chose qui a un état ------------------------------------------------------------------------------------

@pytest.mark.parametrize("optimizer", [
    lambda p: SGD(p, 0.1, momentum=0.9, nesterov=True), lambda p: AdaGrad(p, 0.1), lambda p: RMSprop(p, 0.01), lambda p: Adam(p, 0.01),
    lambda p: AdamW(p, 0.01), lambda p: Layca(Adam(p, 0.1))], ids=["nesterov", "adagrad", "rmsprop", "adam", "adamw", "layca"])
def test_chaque_optimiseur(optimizer, tmp_path):
    check_resume(tmp_path, optimizer=optimizer)


@pytest.mark.parametrize("scheduler", [
    lambda o: StepLR(o, 2), lambda o: CosineLR(o, T_max=5), lambda o: WarmUp(CosineLR(o, T_max=2), duration=2),
    lambda o: ReduceLROnPlateau(o, patience=0, threshold=0.5)], ids=["step", "cosine", "warm-up", "plateau"])
def test_chaque_programme(scheduler, tmp_path):
    check_resume(tmp_path, scheduler=scheduler)


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64])
def test_chaque_generateur(bits, tmp_path):
    check_resume(tmp_path, rng=lambda: np.random.Generator(bits(4)))


@pytest.mark.parametrize("options", [
    {"penalty": L2(1e-2)}, {"augment": lambda X, rng: X + rng.standard_normal(X.shape)}, {"validation": None}, {"batch_size": 50},
    {"data": (X.astype(float), Y)}, {"data": (X, np.eye(3)[Y]), "loss": MSELoss(), "validation": None}])
def test_chaque_option(options, tmp_path):
    check_resume(tmp_path, **options)


def check_resume(tmp_path, rng=lambda: 3, **options):
    """Une fois arrêté après 0, 2 et 4 époques, tout est refait de neuf puis repris."""
    _, expected = train(rng=rng(), **options)
    path = tmp_path / "reprise.npz"
    for epochs in (0, 2, 4):
        _, before = train(path, rng=rng(), epochs=epochs, **options)
        assert before != expected
    _, resumed = train(path, rng=rng(), **options)
    assert resumed == expected
    assert train(path, rng=rng(), **options)[1] == expected


def test_l_arret_anticipe_reprend_et_reste_arrete(tmp_path):
    _, expected = train(callbacks=[EarlyStopping(patience=3)], epochs=60)
    stopped_at = len(json.loads(expected[2])["epochs"])
    assert 4 < stopped_at < 60
    for epochs in (2, 4, stopped_at - 1, 60, 60):     # le dernier appel trouve un apprentissage déjà arrêté
        stopping = EarlyStopping(patience=3)
        _, result = train(tmp_path / "a.npz", callbacks=[stopping], epochs=epochs)
    assert result == expected
    assert stopping.best_epoch == stopped_at - 3


def test_le_seuil_de_divergence_est_garde(tmp_path):
    class Watch(CrossEntropyLoss):
        def forward(self, y_hat, y):
            return super().forward(y_hat, y) * self.factor

    loss = Watch()
    loss.factor = 1.0
    train(tmp_path / "a.npz", loss=loss, epochs=1)
    loss.factor = 1e8   # la première perte de la reprise ne redéfinit pas ce qu'est une explosion
    with pytest.raises(ArithmeticError, match="époque 2"):
        train(tmp_path / "a.npz", loss=loss)


def test_interrompu_au_clavier_puis_relance_avec_les_memes_objets(tmp_path):
    """La cellule que l'on relance dans le même noyau : modèle et optimiseur ont déjà servi."""
    _, expected = train(epochs=6, scheduler=lambda optimizer: StepLR(optimizer, 1, 0.5))
    model, calls = network(), []
    optimizer = SGD(model.parameters(), 0.1)

    class Interrupted(CrossEntropyLoss):
        def forward(self, y_hat, y):
            calls.append(1)
            if len(calls) == 25:     # au milieu de la troisième époque
                raise KeyboardInterrupt
            return super().forward(y_hat, y)

    loss, scheduler = Interrupted(), StepLR(optimizer, 1, 0.5)      # le taux a changé : ce n'est pas un autre apprentissage
    for done in (2, 6):
        history = fit(model, loss, optimizer, X, Y, epochs=6, batch_size=8, validation=(X[:9], Y[:9]), progress=False, callbacks=[scheduler],
                      checkpoint=tmp_path / "a.npz")
        assert len(history) == done
    assert everything(model, optimizer, history) == expected
    with pytest.raises(CheckpointError, match="réglages.*0.1.*0.3"):     # mais un optimiseur neuf, réglé autrement, en est un
        train(tmp_path / "a.npz", epochs=7, optimizer=lambda parameters: SGD(parameters, 0.3), callbacks=[scheduler])


def test_every(tmp_path):
    sizes = []

    def look(epoch, history):
        with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
            sizes.append(len(unpack(json.loads(str(file["metadata"]))["state"], file)["history"]["epochs"]))

    train(Checkpoint(tmp_path / "a.npz", every=3), callbacks=[look], epochs=8)
    assert sizes == [0, 0, 0, 3, 3, 3, 6, 6]
    history, _ = train(Checkpoint(tmp_path / "a.npz", every=3), callbacks=[look], epochs=8)
    assert len(history) == 8 and len(sizes) == 8


def test_la_barre_compte_les_epoques_deja_faites(tmp_path, capsys):
    train(tmp_path / "a.npz", epochs=3)
    train(tmp_path / "a.npz", epochs=4, progress=True)
    err = capsys.readouterr().err
    assert "a.npz" in err and "déjà faites\u00a0: 3" in err
    assert "\u00a075\u00a0%" in err or " 75\u00a0%" in err
    assert "Époque 4/4" in err and "100\u00a0%" in err and "Époque 1/4" not in err


# --- Le fichier ------------------------------------------------------------------------------------------------------

def test_le_fichier_se_lit_sans_pickle(tmp_path):
    history, (arrays, *_) = train(tmp_path / "a.npz", optimizer=lambda p: Adam(p, 0.01))
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        metadata = json.loads(str(file["metadata"]))
        assert file["state/model/0.weight"].tobytes() == arrays["0.weight"]
        assert file["state/model/1.running_mean"].tobytes() == arrays["1.running_mean"]
        assert file["state/optimizer/exp_avg.0"].tobytes() == arrays["exp_avg.0"]
        state = unpack(metadata["state"], file)
    assert state["history"]["val_loss"] == history.val_loss.tolist()
    assert metadata["configuration"]["batch_size"] == 8


def test_pack_et_unpack_sont_reciproques():
    value = {"a": [1, 2.5, None, True, "é"], 3: (np.float32(0.1), {"x/y": np.arange(3), "x": {"y": np.array(2.0)}}), "inf": float("inf"), "big": 2**127 + 1}
    arrays = {}
    text = json.dumps(pack(value, "p", arrays))
    back = unpack(json.loads(text), {name: np.asarray(array) for name, array in arrays.items()})   # ce qu'un .npz en fait
    assert list(back) == list(value) and back["a"] == value["a"] and back["inf"] == float("inf") and back["big"] == 2**127 + 1
    assert isinstance(back[3], tuple) and type(back[3][0]) is np.float32 and back[3][0] == np.float32(0.1)
    assert back[3][1]["x/y"].tolist() == [0, 1, 2] and back[3][1]["x"]["y"] == 2 and back[3][1]["x"]["y"].shape == ()
    for refused in ({1, 2}, object(), np.array([None])):
        with pytest.raises(TypeError, match="p/x.*point de reprise"):
            pack({"x": refused}, "p", {})


def test_un_fichier_abime_est_refuse_ou_sans_effet(tmp_path):
    path = tmp_path / "a.npz"
    train(path, epochs=2)
    good, (_, expected) = path.read_bytes(), train(path, epochs=3)
    chance, refused = random.Random(0), 0
    damaged = [good[:n] for n in (0, 1, 100, len(good) // 2, len(good) - 1)] + [b"bonjour", good[1000:]]
    for _ in range(60):
        position = chance.randrange(len(good))
        damaged.append(good[:position] + bytes([good[position] ^ 1 << chance.randrange(8)]) + good[position + 1:])
    for content in damaged:
        path.write_bytes(content)
        model = network()
        before = model.state_dict()
        try:
            _, result = train(path, epochs=3, model=model)
        except CheckpointError as error:
            refused += 1
            assert "a.npz" in str(error) and "Effacez-le" in str(error)
            assert path.read_bytes() == content
            assert all((model.state_dict()[name] == before[name]).all() for name in before)
        else:       # une date du zip, par exemple, ne compte pas
            assert result == expected
    assert refused > 40


def test_un_npz_qui_n_est_pas_un_point_de_reprise(tmp_path):
    network().save(tmp_path / "poids.npz")
    with pytest.raises(CheckpointError, match="n'est pas un point de reprise"):
        train(tmp_path / "poids.npz")
    np.savez(tmp_path / "objet.npz", metadata=np.array([{}], dtype=object))
    with pytest.raises(CheckpointError, match="n'est pas un point de reprise"):
        train(tmp_path / "objet.npz")
    np.savez(tmp_path / "autre.npz", metadata=np.array(json.dumps({"format": "autre", "configuration": {}, "state": {}})))
    with pytest.raises(CheckpointError, match="« autre »".replace(" ", "\u00a0")):
        train(tmp_path / "autre.npz")


@pytest.mark.parametrize("changes, message", [
    ({"model": network(hidden=9)}, "paramètres"), ({"model": network(Tanh)}, "modèle"), ({"data": (X + 1, Y)}, "données"), ({"data": (X, (Y + 1) % 3)}, "données"),
    ({"data": (X[:40], Y[:40])}, "données.*50 exemples.*40 exemples"), ({"validation": None}, "validation.*aucune"), ({"batch_size": 9}, "batch_size.*8 dans le fichier, 9 ici"),
    ({"rng": 1}, "rng"), ({"rng": np.random.Generator(np.random.SFC64(0))}, "rng.*SFC64"), ({"penalty": L2(1e-3)}, r"pénalité.*L2\(0.001\)"),
    ({"augment": np.add}, "augmentation"), ({"optimizer": lambda p: Adam(p, 0.1)}, "optimiseur.*SGD.*Adam"), ({"optimizer": lambda p: SGD(p, 0.2)}, "réglages.*0.1.*0.2"),
    ({"loss": MSELoss(), "data": (X, np.eye(3)[Y]), "validation": (X[:9], np.eye(3)[Y[:9]])}, "perte"), ({"callbacks": [EarlyStopping()]}, "rappels.*EarlyStopping")])
def test_un_point_de_reprise_etranger_est_refuse(changes, message, tmp_path):
    path = tmp_path / "a.npz"
    train(path, epochs=2)
    content = path.read_bytes()
    model = changes.get("model") or network()
    before = model.state_dict()
    with pytest.raises(CheckpointError, match=f"vient d'un autre apprentissage.*{message}") as caught:
        train(path, **{"model": model} | changes)
    assert "Effacez-le" in str(caught.value) and path.read_bytes() == content
    assert all((model.state_dict()[name] == before[name]).all() for name in before)


# --- Écrire n'est pas toujours possible ------------------------------------------------------------------------------

@pytest.mark.parametrize("path", ["absent/a.npz", "fichier/a.npz", "."])
def test_dossier_ou_l_on_ne_peut_ecrire(path, tmp_path):
    """Su avant le premier pas, et non après la première époque."""
    (tmp_path / "fichier").write_text("")
    model = network()
    before = model.state_dict()
    with pytest.raises(CheckpointError, match="n'a pas pu être écrit|n'est pas un point de reprise"):
        train(tmp_path / path, model=model)
    assert all((model.state_dict()[name] == before[name]).all() for name in before)


def test_disque_plein_en_cours_de_route(tmp_path, monkeypatch):
    path, full = tmp_path / "a.npz", []
    _, after_three = train(epochs=3)
    _, expected = train()

    def fsync(descriptor):
        if full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    model, kept = network(), []
    optimizer = SGD(model.parameters(), 0.1)

    def fill(epoch, history):
        if epoch == 3:
            kept.append(path.read_bytes())
            full.append(True)

    with pytest.raises(CheckpointError, match="n'a pas pu être écrit.*disque") as caught:
        fit(model, CrossEntropyLoss(), optimizer, X, Y, epochs=5, batch_size=8, validation=(X[:9], Y[:9]), progress=False, callbacks=[fill], checkpoint=path)
    assert everything(model, optimizer, caught.value.history) == after_three          # rien de ce qui a été appris n'est perdu
    assert path.read_bytes() == kept[0] and [file.name for file in tmp_path.iterdir()] == ["a.npz"]
    full.clear()
    assert train(path)[1] == expected


def test_fichier_trop_gros_pour_le_systeme(tmp_path):
    """Une vraie erreur d'écriture, et non une imitation : la taille des fichiers est limitée pendant l'apprentissage."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        with pytest.raises(CheckpointError, match="n'a pas pu être écrit"):
            train(tmp_path / "a.npz")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_arguments():
    with pytest.raises(TypeError, match="checkpoint.*int"):
        train(3)
    with pytest.raises(ValueError, match="every.*0"):
        Checkpoint("a.npz", every=0)
    with pytest.raises(TypeError, match=r"callbacks.*checkpoint="):
        train(callbacks=[Checkpoint("a.npz")])
    with pytest.raises(TypeError, match="callbacks.*int"):
        train(callbacks=[3])


def test_optimiseur_sans_etat_refuse(tmp_path):
    class Bare:
        def __init__(self, parameters):
            self.inner = SGD(parameters, 0.1)

        def step(self):
            self.inner.step()

        def zero_grad(self):
            self.inner.zero_grad()

    model = network()
    fit(model, CrossEntropyLoss(), Bare(model.parameters()), X, Y, epochs=1, progress=False)
    with pytest.raises(TypeError, match="Bare.*state_dict"):
        fit(model, CrossEntropyLoss(), Bare(model.parameters()), X, Y, epochs=1, progress=False, checkpoint=tmp_path / "a.npz")


def test_rappel_dont_l_etat_ne_se_garde_pas(tmp_path):
    class Odd(Callback):
        def state_dict(self):
            return {"lock": object()}

    with pytest.raises(TypeError, match="state/callbacks/0/lock.*object"):
        train(tmp_path / "a.npz", callbacks=[Odd()])
