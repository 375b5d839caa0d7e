"""Le DNN : des poids vraiment partagés, un pré-entraînement, une rétropropagation."""

from functools import partial

import numpy as np
import pytest
from sklearn.datasets import load_digits

from labcode.boltzmann import DBN, DNN, RBM
from labcode.nn import CrossEntropyLoss, gradient_check
from labcode.optim import Adam

X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)


def small(**options):
    layers = [RBM(20, n_epochs=2, batch_size=20), RBM(15, n_epochs=2, batch_size=20)]
    return DNN(DBN(layers), **({"rng": 0, "n_epochs": 2, "batch_size": 20} | options))


def assert_shared(dnn):
    for rbm, linear in zip(dnn.dbn_.rbms_, dnn.network_.layers[::2]):
        assert rbm.weight_ is linear.weight.data and rbm.hidden_bias_ is linear.bias.data


def test_les_poids_sont_partages_a_chaque_etape():
    """À chaque étape, la montée du DBN est celle du réseau (eq-dnn-forward)."""
    dnn = small().initialize(64)
    assert_shared(dnn)
    random = [rbm.weight_.copy() for rbm in dnn.dbn_.rbms_]
    dnn.pretrain(X[:200])
    assert_shared(dnn)
    pretrained = [rbm.weight_.copy() for rbm in dnn.dbn_.rbms_]
    dnn.train(X[:200], y[:200])
    assert_shared(dnn)
    for rbm, before, between in zip(dnn.dbn_.rbms_, random, pretrained):  # chaque étape a changé les poids de l'une et de l'autre
        assert not np.array_equal(before, between) and not np.array_equal(between, rbm.weight_)
    hidden = dnn.dbn_.transform(X[:5])
    np.testing.assert_allclose(dnn.network_.layers[-1](hidden), dnn.network_(X[:5]), rtol=1e-5, atol=1e-6)
    dnn.dbn_.rbms_[0].partial_fit(X[:200])
    np.testing.assert_allclose(dnn.network_.layers[-1](dnn.dbn_.transform(X[:5])), dnn.network_(X[:5]), rtol=1e-5, atol=1e-6)


def test_pre_entrainement_egal_a_celui_du_dbn():
    dnn = DNN(DBN([RBM(20, n_epochs=2, rng=1), RBM(15, n_epochs=2, rng=2)]), rng=0).initialize(64).pretrain(X[:200])
    dbn = DBN([RBM(20, n_epochs=2, rng=1), RBM(15, n_epochs=2, rng=2)]).fit(X[:200])
    for rbm, alone in zip(dnn.dbn_.rbms_, dbn.rbms_):
        np.testing.assert_array_equal(rbm.weight_, alone.weight_)


def test_fit_apprend():
    dnn = DNN(DBN([RBM(80, n_epochs=10, batch_size=10)]), n_epochs=40, batch_size=10, learning_rate=0.1, rng=0)
    dnn.fit(X[:1200], y[:1200], validation=(X[1200:], y[1200:]))
    error = dnn.error_rate(X[1200:], y[1200:])
    assert error < 0.12 and error == pytest.approx(dnn.history_.val_error[-1]) and dnn.score(X[1200:], y[1200:]) == 1 - error
    p = dnn.predict_proba(X[1200:])
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    assert np.mean(dnn.predict(X[1200:]) != y[1200:]) == pytest.approx(error)
    assert p.max(axis=1).mean() > 0.8


def test_sans_pre_entrainement():
    dnn = small(pretraining=False).fit(X[:200], y[:200])
    assert all(not rbm.history_["reconstruction_error"] for rbm in dnn.dbn_.rbms_)
    assert len(dnn.history_) == 2


def test_gradient_du_reseau():
    """La rétropropagation du réseau entier, contre les différences finies (eq-dnn-gradient)."""
    dnn = DNN(DBN([RBM(5), RBM(4)]), n_epochs=0, rng=0).initialize(64, np.float64).train(X[:20].astype(float), y[:20])
    assert gradient_check(dnn.network_, X[:4].astype(float), CrossEntropyLoss(), y[:4]).ok


def test_etiquettes_quelconques():
    names = np.array(["zéro", "un", "deux"])[y[y < 3]]
    dnn = small(n_epochs=30, learning_rate=0.5).fit(X[y < 3], names)
    assert dnn.classes_.tolist() == ["deux", "un", "zéro"] and dnn.error_rate(X[y < 3], names) < 0.1


def test_validation_d_etiquettes_quelconques():
    """Des « 7 », des « 8 » et des « 9 » : l'erreur de validation compte les mêmes classes que ``error_rate``."""
    images, digits = X[y > 6], y[y > 6]
    dnn = small().fit(images[:300], digits[:300], validation=(images[300:], digits[300:]))
    assert dnn.history_.val_error[-1] == pytest.approx(dnn.error_rate(images[300:], digits[300:]))


def test_reapprendre_d_autres_classes():
    """Un second ``fit`` repart de zéro : le réseau a la sortie des nouvelles classes."""
    dnn = small().fit(X[:100], y[:100])
    dnn.fit(X[y < 3], y[y < 3])
    assert dnn.classes_.tolist() == [0, 1, 2] and dnn.predict_proba(X[:4]).shape == (4, 3)


def test_partir_d_un_dbn_deja_appris():
    dbn = DBN([RBM(20, n_epochs=2), RBM(15, n_epochs=2), RBM(10, n_epochs=1)], rng=0).fit(X[:200])
    before = dbn.rbms_[0].weight_.copy()
    dnn = small().start_from(dbn[:2])
    assert_shared(dnn)
    np.testing.assert_array_equal(dnn.dbn_.rbms_[1].weight_, dbn.rbms_[1].weight_)
    assert len(dnn.dbn_.rbms_) == 2
    dnn.train(X[:200], y[:200])
    np.testing.assert_array_equal(dbn.rbms_[0].weight_, before)  # une copie : la pile d'origine peut resservir


def test_optimiseur_et_rappels():
    epochs = []
    dnn = small(optimizer=partial(Adam, lr=0.01), n_epochs=5).initialize(64)
    dnn.train(X[:200], y[:200], callbacks=[lambda epoch, history: epochs.append(epoch)])
    assert epochs == [1, 2, 3, 4, 5] and dnn.history_.train_loss[-1] < dnn.history_.train_loss[0]
    dnn.train(X[:200], y[:200])  # continue avec la même couche de classification
    assert dnn.history_.train_loss[0] < 1.1 * dnn.history_.train_loss[-1] + 2


def test_meme_graine_memes_bits():
    first, second = (small().fit(X[:100], y[:100]) for _ in range(2))
    np.testing.assert_array_equal(first.predict_proba(X[:9]), second.predict_proba(X[:9]))


def test_refus():
    with pytest.raises(TypeError, match="un DBN attendu"):
        DNN([RBM(3)]).fit(X, y)
    with pytest.raises(ValueError, match="une seule classe, 0"):
        small().fit(X[:30], np.zeros(30, int))
    with pytest.raises(ValueError, match="étiquettes inconnues"):
        small().fit(X[y < 5], y[y < 5]).train(X, y)
    with pytest.raises(ValueError, match="n'a encore rien appris"):
        small().predict(X)
    with pytest.raises(ValueError, match="valeurs de 0 à 16 reçues"):
        small().fit(X * 16, y)


def test_clone():
    from sklearn.base import clone

    dnn = small()
    assert clone(dnn).dbn is not dnn.dbn and clone(dnn).fit(X[:60], y[:60]).predict(X[:3]).shape == (3,)
