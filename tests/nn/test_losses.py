"""Pertes : valeurs, gradients, saturation, messages."""

import re
import warnings

import numpy as np
import pytest
import scipy.special
import sklearn.metrics

from labcode.nn import (BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, Identity, Linear, Loss, MSELoss, Sequential,
                        Sigmoid, Softmax, Tanh, gradient_check)

LOSSES = [MSELoss, BCELoss, BCEWithLogitsLoss, CrossEntropyLoss]


def strict():
    """Tout avertissement de NumPy devient une erreur, sauf le dépassement vers 0, qui est voulu."""
    return np.errstate(over="raise", divide="raise", invalid="raise")


def example(loss, seed, n=6, n_y=4):
    """Prédictions et cibles qui conviennent à la perte ; les cibles sont des probabilités quelconques."""
    rng = np.random.default_rng(seed)
    y_hat = rng.standard_normal((n, n_y))
    if loss is BCELoss:
        y_hat = rng.uniform(0.02, 0.98, (n, n_y))
    if loss is CrossEntropyLoss:
        return y_hat, rng.dirichlet(np.ones(n_y), n)
    return y_hat, rng.random((n, n_y))


@pytest.mark.parametrize("n, n_y", [(1, 1), (1, 4), (6, 1), (9, 5)])
@pytest.mark.parametrize("seed", range(3))
class TestValeurs:
    def test_mse(self, n, n_y, seed):
        """eq-mse, eq-mse-backward : moyenne sur le lot, somme sur les composantes."""
        (y_hat, y), loss = example(MSELoss, seed, n, n_y), MSELoss()
        assert np.isclose(loss(y_hat, y), sum((y_hat[k, j] - y[k, j])**2 for k in range(n) for j in range(n_y)) / n)
        # la moyenne de scikit-learn et de PyTorch porte aussi sur les composantes
        assert np.isclose(loss(y_hat, y), n_y * sklearn.metrics.mean_squared_error(y, y_hat))
        assert np.allclose(loss.backward(), 2 * (y_hat - y) / n, rtol=1e-12)

    def test_bce(self, n, n_y, seed):
        """eq-bce, eq-bce-backward."""
        (y_hat, y), loss = example(BCELoss, seed, n, n_y), BCELoss()
        expected = -(scipy.special.xlogy(y, y_hat) + scipy.special.xlog1py(1 - y, -y_hat)).sum() / n
        assert np.isclose(loss(y_hat, y), expected, rtol=1e-12)
        assert np.allclose(loss.backward(), (-y / y_hat + (1 - y) / (1 - y_hat)) / n, rtol=1e-10, atol=1e-13)

    def test_bce_logits(self, n, n_y, seed):
        """eq-bce-logits, eq-bce-logits-backward."""
        (logits, y), loss = example(BCEWithLogitsLoss, seed, n, n_y), BCEWithLogitsLoss()
        expected = (np.logaddexp(0, logits) - y * logits).sum() / n
        assert np.isclose(loss(logits, y), expected, rtol=1e-12)
        assert np.isclose(loss(logits, y), BCELoss()(scipy.special.expit(logits), y), rtol=1e-10)
        assert np.allclose(loss.backward(), (scipy.special.expit(logits) - y) / n, rtol=1e-12, atol=1e-15)

    def test_cross_entropy(self, n, n_y, seed):
        """eq-cross-entropy, eq-cross-entropy-backward : cibles probabilités, classes, et one-hot."""
        (logits, y), loss = example(CrossEntropyLoss, seed, n, n_y), CrossEntropyLoss()
        log_p, p = scipy.special.log_softmax(logits, axis=1), scipy.special.softmax(logits, axis=1)
        assert np.isclose(loss(logits, y), -(y * log_p).sum() / n, rtol=1e-12, atol=1e-15)
        assert np.allclose(loss.backward(), (p - y) / n, rtol=1e-12, atol=1e-15)
        labels = np.random.default_rng(seed).integers(0, n_y, n)
        one_hot = np.eye(n_y)[labels]
        assert np.isclose(loss(logits, labels), -np.mean([log_p[k, c] for k, c in enumerate(labels)]), atol=1e-15)
        gradient = loss.backward()
        assert np.allclose(gradient, (p - one_hot) / n, rtol=1e-12, atol=1e-15)
        assert np.isclose(loss(logits, one_hot), loss(logits, labels), rtol=1e-12, atol=1e-15)
        loss(logits, one_hot.astype(bool))
        assert np.allclose(loss.backward(), gradient, rtol=1e-12, atol=1e-15)
        if n_y > 1:
            expected = sklearn.metrics.log_loss(labels, p, labels=range(n_y))
            assert np.isclose(loss(logits, labels), expected, rtol=1e-10)

    @pytest.mark.parametrize("loss", LOSSES)
    def test_gradient_par_differences_finies(self, n, n_y, seed, loss):
        y_hat, y = example(loss, seed, n, n_y)
        assert gradient_check(Identity(), y_hat, loss(), y, rng=seed).max_error < 1e-6


def test_bce_contre_scikit_learn():
    rng = np.random.default_rng(0)
    p, y = rng.uniform(0.01, 0.99, 50), rng.integers(0, 2, 50)
    assert np.isclose(BCELoss()(p, y), sklearn.metrics.log_loss(y, p))
    assert np.isclose(BCEWithLogitsLoss()(scipy.special.logit(p), y), sklearn.metrics.log_loss(y, p))


@pytest.mark.parametrize("loss, output", [(MSELoss, Identity), (MSELoss, Softmax), (BCELoss, Sigmoid),
                                          (BCEWithLogitsLoss, Identity), (CrossEntropyLoss, Identity)])
def test_gradients_de_bout_en_bout(loss, output):
    _, y = example(loss, 0)
    model = Sequential(Linear(3, 5, rng=1), Tanh(), Linear(5, 4, rng=2), output())
    check = gradient_check(model, np.random.default_rng(3).standard_normal((6, 3)), loss(), y)
    assert len(check.errors) == 5 and check.max_error < 1e-6


def test_gradient_de_l_entropie_croisee_est_celui_de_softmax_puis_log():
    """La chaîne complète LogSoftmax → vraisemblance redonne (ŷ − y)/N : chaque logit reçoit un gradient."""
    logits, labels = np.random.default_rng(0).standard_normal((5, 3)), np.array([0, 2, 1, 1, 0])
    loss = CrossEntropyLoss()
    loss(logits, labels)
    gradient = loss.backward()
    assert np.allclose(gradient.sum(axis=1), 0, atol=1e-15) and (gradient != 0).all()
    assert (gradient[np.arange(5), labels] < 0).all() and (gradient < 0).sum() == 5


# --- Types et mémoire ---


@pytest.mark.parametrize("loss", LOSSES)
def test_valeur_est_un_float_et_les_types_sont_gardes(loss):
    y_hat, y = example(loss, 0)
    for dtype in (np.float32, np.float64):
        criterion = loss()
        assert type(criterion(y_hat.astype(dtype), y)) is float
        assert criterion.backward().dtype == dtype and criterion.backward().shape == y_hat.shape


@pytest.mark.parametrize("loss", LOSSES)
def test_float32_proche_de_float64(loss):
    y_hat, y = example(loss, 0, 40, 10)
    single, double = loss(), loss()
    assert np.isclose(single(y_hat.astype(np.float32), y.astype(np.float32)), double(y_hat, y), rtol=1e-5)
    assert np.allclose(single.backward(), double.backward(), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_non_contigu_jamais_modifie_et_backward_repetable(loss):
    y_hat, y = example(loss, 0)
    before, criterion = (y_hat.copy(), y.copy()), loss()
    value, gradient = criterion(y_hat, y), criterion.backward()
    assert np.array_equal(criterion.backward(), gradient)
    gradient += 1  # le tableau rendu appartient à l'appelant
    assert np.allclose(criterion.backward(), gradient - 1)
    assert np.array_equal(y_hat, before[0]) and np.array_equal(y, before[1])
    assert np.isclose(criterion(np.asfortranarray(y_hat), np.repeat(y, 2, axis=1)[:, ::2]), value, rtol=1e-12)
    assert np.allclose(criterion.backward(), gradient - 1)


@pytest.mark.parametrize("loss", [MSELoss, BCELoss, BCEWithLogitsLoss])
def test_sorties_a_une_dimension(loss):
    y_hat, y = example(loss, 0, 6, 1)
    flat, column = loss(), loss()
    assert flat(y_hat[:, 0], y[:, 0]) == column(y_hat, y)
    assert np.array_equal(flat.backward(), column.backward()[:, 0])


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int32, np.int64])
def test_cibles_entieres(dtype):
    y = np.array([[0, 1], [1, 0], [1, 0]])
    y_hat = np.array([[0.2, 0.7], [0.9, 0.4], [0.5, 0.5]], np.float32)
    for loss in LOSSES:
        assert loss()(y_hat, y.astype(dtype)) == loss()(y_hat, y.astype(np.float32))
    assert CrossEntropyLoss()(y_hat, y[:, 1].astype(dtype)) == CrossEntropyLoss()(y_hat, y[:, 1])


# --- Saturation ---


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e4, 88, 710])
def test_logits_enormes(dtype, scale):
    """±10⁴, contredits ou non par la cible : la perte vaut |ỹ| quand elle se trompe, 0 sinon."""
    logits, y = np.array([[scale], [scale], [-scale], [-scale]], dtype), np.array([[1], [0], [1], [0]])
    loss = BCEWithLogitsLoss()
    with strict(), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isclose(loss(logits, y), scale / 2, rtol=1e-6)
        assert np.allclose(loss.backward()[:, 0], [0, 0.25, -0.25, 0], atol=1e-30)
        loss, logits = CrossEntropyLoss(), np.hstack([-logits, logits])  # le second logit est celui de la classe 1
        for target in (y[:, 0], np.hstack([1 - y, y])):
            assert np.isclose(loss(logits, target), scale, rtol=1e-6)
            assert np.allclose(loss.backward()[:, 1], [0, 0.25, -0.25, 0], atol=1e-30)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_mse_enorme(dtype):
    loss = MSELoss()
    with strict():
        assert np.isclose(loss(np.array([[1e4, -1e4]], dtype), np.zeros((1, 2))), 2e8)
        assert np.allclose(loss.backward(), [[2e4, -2e4]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bce_aux_bornes(dtype):
    """ŷ exactement 0 ou 1 : logarithmes bornés à −100, gradient à 10¹², comme PyTorch."""
    y_hat, loss = np.array([0, 0, 1, 1], dtype), BCELoss()
    with strict():
        assert loss(y_hat, [0, 1, 0, 1]) == 50  # deux exemples sur quatre coûtent 100
        assert np.allclose(loss.backward(), [0, -2.5e11, 2.5e11, 0])
        assert loss(y_hat, np.full(4, 0.5)) == 50
        assert loss(np.array([1e-60, 0.5]).astype(dtype), [1, 1]) == pytest.approx((100 + np.log(2)) / 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logits_infinis(dtype):
    """Un logit infini qui dit vrai ne coûte rien ; qui dit faux coûte +∞ ; le gradient reste fini."""
    inf = np.inf
    with strict():
        loss = BCEWithLogitsLoss()
        assert loss(np.array([inf, -inf], dtype), [1, 0]) == 0
        assert np.array_equal(loss.backward(), [0, 0])
        assert loss(np.array([inf, -inf], dtype), [0, 0]) == inf
        assert np.array_equal(loss.backward(), [0.5, 0])
        loss, logits = CrossEntropyLoss(), np.array([[inf, 0, -inf]], dtype)
        for right, wrong in (([0], [1]), ([[1, 0, 0]], [[0, 1, 0]])):
            assert loss(logits, right) == 0
            assert np.array_equal(loss.backward(), [[0, 0, 0]])
            assert loss(logits, wrong) == inf
            assert np.array_equal(loss.backward(), [[1, -1, 0]])


@pytest.mark.parametrize("loss", LOSSES)
def test_prediction_nan_donne_une_perte_nan(loss):
    """La divergence se voit dans la valeur : c'est la boucle d'apprentissage qui s'arrête et qui explique."""
    y_hat, y = example(loss, 0)
    y_hat[2, 1] = np.nan
    with strict():
        assert np.isnan(loss()(y_hat, y))
    if loss is CrossEntropyLoss:
        assert np.isnan(loss()(y_hat, np.zeros(6, int)))


# --- Messages ---


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_cible_non_finie(loss, value):
    y_hat, y = example(loss, 0)
    y[2, 1] = value
    with pytest.raises(ValueError, match="^" + re.escape(f"{loss()} : ")):
        with np.errstate(invalid="ignore"):
            loss()(y_hat, y)


@pytest.mark.parametrize("loss", LOSSES)
def test_lot_vide(loss):
    with pytest.raises(ValueError, match=r"de forme \(0, 3\), attendu .* avec N ≥ 1"):
        loss()(np.zeros((0, 3)), np.zeros((0, 3)))


@pytest.mark.parametrize("loss", LOSSES)
def test_formes_differentes(loss):
    with pytest.raises(ValueError, match=r"cible.* de forme \(4, 2\), attendu \(4,? ?3?\)"):
        loss()(np.full((4, 3), 0.5), np.zeros((4, 2)))
    with pytest.raises(ValueError, match=r"cible.* de forme \(3, 1\)"):  # pas de diffusion (« broadcasting »)
        loss()(np.full((3, 3), 0.5), np.zeros((3, 1)))


def test_colonne_contre_ligne():
    """Le piège classique : (N, 1) contre (N,) donnerait une matrice N × N."""
    with pytest.raises(ValueError, match=re.escape("MSELoss() : cible y de forme (4,), attendu (4, 1) comme y_hat")):
        MSELoss()(np.zeros((4, 1)), np.zeros(4))


@pytest.mark.parametrize("loss", LOSSES)
def test_backward_avant_la_valeur(loss):
    with pytest.raises(RuntimeError, match=re.escape(f"{loss()} : backward appelé avant le calcul de la perte")):
        loss().backward()


@pytest.mark.parametrize("loss", LOSSES)
def test_tableaux_qui_ne_sont_pas_des_nombres(loss):
    with pytest.raises(TypeError, match="nombres réels attendu"):
        loss()(np.array([["a", "b"]]), np.zeros((1, 2)))
    with pytest.raises(TypeError, match="nombres réels attendu"):
        loss()(np.full((1, 2), 0.5), np.array([["a", "b"]]))


@pytest.mark.parametrize("labels, wrong", [([0, 1, 3], 3), ([0, -1, 2], -1), ([9, 0, 12], 9)])
def test_etiquette_hors_limites(labels, wrong):
    with pytest.raises(ValueError, match=f"étiquette {wrong} reçue, attendu une classe de 0 à 2"):
        CrossEntropyLoss()(np.zeros((3, 3)), labels)


def test_etiquettes_mal_faites():
    with pytest.raises(TypeError, match="classes doivent être entières, reçu le type float64"):
        CrossEntropyLoss()(np.zeros((3, 3)), np.zeros(3))
    expected = "(2,), attendu (3,) pour des classes ou (3, 4) pour des probabilités"
    with pytest.raises(ValueError, match=re.escape(expected)):
        CrossEntropyLoss()(np.zeros((3, 4)), [0, 1])
    with pytest.raises(ValueError, match=re.escape("logits de forme (3,), attendu (N, n_y) avec N ≥ 1")):
        CrossEntropyLoss()(np.zeros(3), [0])


@pytest.mark.parametrize("row", [[0, 0, 0], [1, 1, 0], [1.5, -0.5, 0], [0.2, 0.2, 0.2]])
def test_cible_qui_n_est_pas_une_loi(row):
    with pytest.raises(ValueError, match="chaque ligne de la cible doit être une loi de probabilité"):
        CrossEntropyLoss()(np.zeros((2, 3)), [[1, 0, 0], row])


def test_cible_arrondie_en_float32_reste_une_loi():
    y = np.full((4, 7), 1 / 7, np.float32)
    assert np.isclose(CrossEntropyLoss()(np.zeros((4, 7), np.float32), y), np.log(7))


@pytest.mark.parametrize("loss", [BCELoss, BCEWithLogitsLoss])
def test_cible_binaire_hors_de_0_1(loss):
    with pytest.raises(ValueError, match="y doit être entre 0 et 1, reçu des valeurs de -1 à 1"):
        loss()(np.full(3, 0.5), [-1, 1, 1])


def test_bce_veut_des_probabilites():
    with pytest.raises(ValueError, match="y_hat doit être entre 0 et 1, reçu des valeurs de 0.5 à 3"):
        BCELoss()(np.array([0.5, 3]), [0, 1])


def test_perte_abstraite():
    with pytest.raises(NotImplementedError, match="Loss ne définit pas forward"):
        Loss()(np.zeros(1), np.zeros(1))
    with pytest.raises(NotImplementedError, match="Loss ne définit pas backward"):
        Loss().backward()


def test_etiquettes_uint64_et_masquees():
    with pytest.raises(ValueError, match="étiquette 9223372036854775808 reçue"):
        CrossEntropyLoss()(np.zeros((2, 3)), np.array([0, 2**63], np.uint64))
    assert np.isclose(CrossEntropyLoss()(np.zeros((2, 3)), np.array([0, 2], np.uint64)), np.log(3))
    for loss, y_hat in ((CrossEntropyLoss(), np.zeros((2, 3))), (MSELoss(), np.zeros(2))):
        with pytest.raises(ValueError, match="valeurs masquées"):
            loss(y_hat, np.ma.masked_equal([1, 2], 2))


def test_virgule_decimale_dans_le_message():
    with pytest.raises(ValueError, match="de 0,25 à 1,5$"):
        BCELoss()([1.5, 0.25], [0, 1])
