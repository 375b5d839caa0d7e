"""Programmes du taux d'apprentissage, valeur par valeur."""

import copy
import json

import numpy as np
import pytest

from labcode.nn import CrossEntropyLoss, Linear, Parameter
from labcode.optim import SGD, Adam, CosineLR, Layca, ReduceLROnPlateau, Scheduler, StepLR, WarmUp
from labcode.training import History, fit


def optimizer(lr=0.8):
    return SGD([Parameter(np.ones((2, 2)))], lr)


def rates(scheduler, n, *measures):
    """Taux de n périodes : avant le premier appel, puis après chacun."""
    found = [scheduler.optimizer.lr]
    for t in range(n - 1):
        scheduler.step(*(m[t] for m in measures))
        found.append(scheduler.optimizer.lr)
    return found


def test_par_paliers():
    assert np.allclose(rates(StepLR(optimizer(), 3, 0.5), 10), [0.8] * 3 + [0.4] * 3 + [0.2] * 3 + [0.1], rtol=1e-15)
    assert np.allclose(rates(StepLR(optimizer(), 2), 5), [0.8, 0.8, 0.08, 0.08, 0.008], rtol=1e-15)


def test_cosinus():
    """Au début, au quart, au milieu, à la fin, après."""
    found = rates(CosineLR(optimizer(), 4, 0.2), 8)
    half = 0.3 * np.sqrt(0.5)
    assert np.allclose(found, [0.8, 0.5 + half, 0.5, 0.5 - half, 0.2, 0.2, 0.2, 0.2], rtol=1e-14)
    assert rates(CosineLR(optimizer(), 3), 4)[-1] == 0


def test_echauffement():
    assert np.allclose(rates(WarmUp(optimizer(), 4, 0.2), 7), 0.8 * np.array([0.2, 0.4, 0.6, 0.8, 1, 1, 1]), rtol=1e-14)
    assert rates(WarmUp(optimizer(), 3), 1) == [pytest.approx(0.08)]
    assert rates(WarmUp(optimizer(), 2, 1.0), 4) == [0.8] * 4


def test_echauffement_puis_autre_programme():
    """Le second programme commence, à t = 0, quand l'échauffement finit."""
    warm = [0.8 * factor for factor in (0.1, 0.55)]
    assert np.allclose(rates(WarmUp(CosineLR(optimizer(), 4), 2), 8), warm + rates(CosineLR(optimizer(), 4), 6), rtol=1e-14)
    assert np.allclose(rates(WarmUp(StepLR(optimizer(), 2, 0.5), 2), 8), [*warm, 0.8, 0.8, 0.4, 0.4, 0.2, 0.2], rtol=1e-14)


def test_echauffement_puis_plateau():
    """Pendant l'échauffement, les mesures ne comptent pas."""
    scheduler = WarmUp(ReduceLROnPlateau(optimizer(), patience=1, factor=0.5), 3, 0.1)
    found = rates(scheduler, 9, [1, 2, 3, 2.5, 2.6, 2.7, 2.4, 2.5])
    assert np.allclose(found, [0.08, 0.32, 0.56, 0.8, 0.8, 0.8, 0.4, 0.4, 0.4], rtol=1e-14)
    assert scheduler.then.best == 2.4


PLATEAU = [
    # mesures, réglages, taux (en fraction du taux de départ) après chaque période
    ([5, 4, 4, 4, 4, 4, 4, 4], dict(patience=2), [1, 1, 1, 1, .5, .5, .5, .25]),
    ([5, 4, 4, 4, 4, 4], dict(patience=0), [1, 1, .5, .25, .125, .0625]),
    ([5, 4, 4, 3, 3, 3], dict(patience=1), [1, 1, 1, 1, 1, .5]),  # un progrès remet le compte à zéro
    ([10, 9.1, 9.1, 8.1], dict(patience=0, threshold=0.1), [1, .5, .25, .25]),  # relatif : il faut passer sous 9
    ([10, 9.1, 8.95, 8.0], dict(patience=0, threshold=0.1), [1, .5, .5, .5]),
    ([10, 9.1, 8.95, 8.94], dict(patience=0, threshold=0.1, threshold_mode="abs"), [1, 1, 1, .5]),  # absolu : de 0,1
    ([1, 1.05, 1.2, 1.31, 1.33], dict(patience=0, mode="max", threshold=0.1), [1, .5, .5, .25, .25]),
    ([1, 1.05, 1.2, 1.31, 1.29], dict(patience=0, mode="max", threshold=0.1, threshold_mode="abs"), [1, .5, .5, .5, .25]),
    ([1, 1, 1, 1, 1, 1, 1], dict(patience=0, cooldown=2), [1, .5, .5, .5, .25, .25, .25]),
    ([1, 1, 1, 1, 1], dict(patience=0, min_lr=0.2), [1, .5, .25, .25, .25]),
    ([1, 1, 1, 1], dict(patience=0, eps=0.3), [1, .5, .5, .5]),
    ([-1, -1.05, -1.2], dict(patience=0, threshold=0.1), [1, 1, 1]),  # perte négative : la part se soustrait, comme dans PyTorch
]


@pytest.mark.parametrize("values, options, factors", PLATEAU)
def test_plateau(values, options, factors):
    options = {"factor": 0.5, "threshold": 0} | options
    scheduler = ReduceLROnPlateau(optimizer(), **options)
    assert np.allclose(rates(scheduler, len(values) + 1, values)[1:], 0.8 * np.array(factors), rtol=1e-15)


def history(**measures):
    found = History()
    for name, values in measures.items():
        for value in values:
            found.append(**{name: value})
    return found


def test_plateau_lit_l_historique():
    scheduler = ReduceLROnPlateau(optimizer(), monitor="val_error", patience=0, factor=0.5)
    for epoch, (n, factor) in enumerate([(1, 1), (2, 0.5), (3, 0.5)], start=1):
        assert scheduler(epoch, history(val_error=[0.5, 0.6, 0.4][:n])) is None
        assert scheduler.optimizer.lr == 0.8 * factor
    for absent in (history(train_loss=[1.0]), History()):
        with pytest.raises(ValueError, match=r"l'historique n'a pas de val_error\s; donner validation=…"):
            scheduler(4, absent)
    with pytest.raises(ValueError, match="n'a pas de val_loss"):
        WarmUp(ReduceLROnPlateau(optimizer()), 1).then(1, history(train_loss=[1.0]))


def data():
    rng = np.random.default_rng(0)
    return rng.standard_normal((40, 3)).astype(np.float32), rng.integers(0, 2, 40)


@pytest.mark.parametrize("make, expected", [
    (lambda o: StepLR(o, 2, 0.5), [1, 1, .5, .5, .25]),
    (lambda o: WarmUp(StepLR(o, 1, 0.5), 2, 0.5), [.5, .75, 1, .5, .25]),
    (lambda o: ReduceLROnPlateau(o, "train_loss", patience=0, threshold=0.9, factor=0.5), [1, 1, .5, .25, .125]),
    (lambda o: WarmUp(ReduceLROnPlateau(o, patience=0, threshold=0.9, factor=0.5), 2, 0.5), [.5, .75, 1, 1, .5]),
])
@pytest.mark.parametrize("wrap", [lambda o: o, Layca], ids=["seul", "layca"])
def test_dans_fit(make, expected, wrap):
    """Appelé après l'époque t, il règle le taux de l'époque t + 1 ; il n'arrête pas l'apprentissage."""
    (x, y), layer, seen = data(), Linear(3, 2, rng=0), []
    opt = wrap(SGD(layer.parameters(), 0.1))
    scheduler = make(opt)
    opt.before_step.append(lambda parameters: seen.append(opt.lr))
    fit(layer, CrossEntropyLoss(), opt, x, y, epochs=5, batch_size=40, validation=(x, y), progress=False, callbacks=[scheduler])
    assert np.allclose(seen, 0.1 * np.array(expected), rtol=1e-14)


@pytest.mark.parametrize("make", [
    lambda o: StepLR(o, 2, 0.5), lambda o: CosineLR(o, 7, 0.01), lambda o: WarmUp(o, 5), lambda o: WarmUp(CosineLR(o, 6), 3),
    lambda o: ReduceLROnPlateau(o, patience=1, cooldown=3), lambda o: WarmUp(ReduceLROnPlateau(o, patience=0), 3),
])
@pytest.mark.parametrize("stop", [0, 2, 3, 5])
def test_reprise(make, stop):
    """Avec l'état de l'optimiseur, passé par JSON, la suite des taux est la même au bit près."""
    values = [3.0, 2.0, 2.5, 2.4, 2.3, 2.2, 2.1, 1.0, 1.1, 1.2]

    def feed(scheduler, part):
        found = []
        for value in part:
            scheduler(1, history(val_loss=[value]))
            found.append(scheduler.optimizer.lr)
        return found

    first = make(optimizer())
    feed(first, values[:stop])
    state = json.loads(json.dumps([first.state_dict(), first.optimizer.state_dict()]))
    expected = feed(first, values[stop:])
    other = make(optimizer())
    feed(other, values[3:7])
    other.load_state_dict(state[0])
    other.optimizer.load_state_dict(state[1])
    assert feed(other, values[stop:]) == expected
    rebuilt = make(optimizer(0.3))  # même construit sur un autre taux
    rebuilt.load_state_dict({name: np.float64(value) for name, value in state[0].items()})
    rebuilt.optimizer.load_state_dict(state[1])
    assert {type(value) for value in rebuilt.state_dict().values()} <= {int, float}
    assert feed(rebuilt, values[stop:]) == expected


def test_etat_d_un_autre_programme():
    with pytest.raises(ValueError, match=r"StepLR\s: état"):
        StepLR(optimizer(), 2).load_state_dict(ReduceLROnPlateau(optimizer()).state_dict())
    with pytest.raises(ValueError, match=r"WarmUp\s: état"):
        WarmUp(optimizer(), 2).load_state_dict(WarmUp(CosineLR(optimizer(), 3), 2).state_dict())
    with pytest.raises(ValueError, match=r"CosineLR\s: état"):
        WarmUp(CosineLR(optimizer(), 3), 2).load_state_dict(WarmUp(optimizer(), 2).state_dict())


def test_copie_profonde():
    scheduler = StepLR(optimizer(), 1, 0.5)
    twin = copy.deepcopy(scheduler)
    twin.step()
    assert scheduler.optimizer.lr == 0.8 and twin.optimizer.lr == 0.4


@pytest.mark.parametrize("make, message", [
    (lambda o: StepLR(o, 0), "StepLR : step_size doit être au moins égal à 1, reçu 0"),
    (lambda o: StepLR(o, 2, 0), r"StepLR : gamma doit être dans \]0 ; 1\], reçu 0"),
    (lambda o: StepLR(o, 2, 1.5), "StepLR : gamma doit être dans"),
    (lambda o: CosineLR(o, -1), "CosineLR : T_max doit être au moins égal à 1"),
    (lambda o: CosineLR(o, 3, -1), "CosineLR : eta_min doit être fini, positif ou nul"),
    (lambda o: WarmUp(o, 0), "WarmUp : duration doit être au moins égal à 1"),
    (lambda o: WarmUp(o, 2, 0), "WarmUp : start_factor doit être dans"),
    (lambda o: ReduceLROnPlateau(o, mode="minimum"), "ReduceLROnPlateau : mode doit être 'min' ou 'max', reçu 'minimum'"),
    (lambda o: ReduceLROnPlateau(o, threshold_mode=None), "threshold_mode doit être 'rel' ou 'abs', reçu None"),
    (lambda o: ReduceLROnPlateau(o, factor=2), "factor doit être dans"),
    (lambda o: ReduceLROnPlateau(o, patience=-1), "patience doit être au moins égal à 0, reçu -1"),
    (lambda o: ReduceLROnPlateau(o, cooldown=-1), "cooldown doit être"),
    (lambda o: ReduceLROnPlateau(o, threshold=-1), "threshold doit être"),
    (lambda o: ReduceLROnPlateau(o, min_lr=-1), "min_lr doit être"),
    (lambda o: ReduceLROnPlateau(o, eps=-1), "eps doit être"),
])
def test_reglages_impossibles(make, message):
    with pytest.raises(ValueError, match=message.replace(" :", r"\s:").replace(" ;", r"\s;")):
        make(optimizer())


def test_types_impossibles():
    for scheduler in (lambda o: StepLR(o, 2), lambda o: WarmUp(o, 2), ReduceLROnPlateau):
        with pytest.raises(TypeError, match="un optimiseur est attendu, reçu list"):
            scheduler([1])
    for size in (2.5, "3", True):
        with pytest.raises(TypeError, match="step_size doit être un entier"):
            StepLR(optimizer(), size)
    with pytest.raises(NotImplementedError, match="Scheduler ne définit pas lr_at"):
        Scheduler(optimizer()).step()
    assert ReduceLROnPlateau(Adam([Parameter(np.ones(1))]), patience=np.int64(2)).patience == 2
