import re

import numpy as np
import pytest

from labcode.checks import check_between, check_equal, check_true, french_number


@pytest.mark.parametrize("args, expected", [
    (("Erreur de test", 0.02, 0.015, 0.025, "%"), "Erreur de test : entre 1,5 % et 2,5 %"),
    (("Erreur de test", np.float32(0.02), 0.015, 0.025, "%"), "Erreur de test : entre 1,5 % et 2,5 %"),
    (("Écart relatif", 3e-9, 0, 1e-7), "Écart relatif : entre 0 et 10⁻⁷"),
    (("Écart relatif", 3e-9, 0, 2.5e-7), "Écart relatif : entre 0 et 2,5 × 10⁻⁷"),
    (("Rapport", 12.0, 1.5, np.inf), "Rapport : au moins 1,5"),
    (("Température", -3, -np.inf, -0.25, "°C"), "Température : au plus −0,25 °C"),
    (("Exemples", 60_000, 50_000, 70_000), "Exemples : entre 50\u202f000 et 70\u202f000"),
    (("Bord", 1, 1, 1), "Bord : entre 1 et 1"),
])
def test_check_between_affiche_l_intervalle(capsys, args, expected):
    check_between(*args)
    assert capsys.readouterr().out == expected + "\n"


@pytest.mark.parametrize("value", [0.0149, 0.0251, np.nan, float("nan"), np.inf, -np.inf])
def test_check_between_echoue(capsys, value):
    with pytest.raises(AssertionError, match="entre 1,5 % et 2,5 % attendu"):
        check_between("Erreur", value, 0.015, 0.025, "%")
    assert capsys.readouterr().out == ""


def test_message_d_echec_donne_la_mesure():
    with pytest.raises(AssertionError, match=re.escape("Erreur : 3,142 % mesuré")):
        check_between("Erreur", 0.0314159, 0.015, 0.025, "%", decimals=3)


@pytest.mark.parametrize("low, high", [(2, 1), (np.nan, 1), (0, np.nan), (-np.inf, np.inf)])
def test_check_between_refuse_un_faux_intervalle(low, high):
    with pytest.raises(ValueError, match="intervalle"):
        check_between("Erreur", 1, low, high)


@pytest.mark.parametrize("value", ["1", None, [1.0], np.array([1.0, 2.0])])
def test_check_between_refuse_autre_chose_qu_un_nombre(value):
    with pytest.raises(TypeError, match="value.*nombre attendu"):
        check_between("Erreur", value, 0, 2)


@pytest.mark.parametrize("value, expected, text", [
    (10, 10, "10"), (7850, np.int64(7850), "7\u202f850"), (0.5, 0.5, "0,5"), ("relu", "relu", "relu"), (True, True, "oui"),
    ((60_000, 784), (60_000, 784), "(60000, 784)"), ([0.0, 0.5, -2e4], np.array([0, 0.5, -2e4]), "[0 ; 0,5 ; −20\u202f000]"),
    ([[0.5], [1.0]], [[0.5], [1.0]], "[[0,5] ; [1]]"), (np.array([1, 2]), [1, 2], "[1, 2]"), (np.zeros((5, 5)), np.zeros((5, 5)), "tableau de forme (5, 5)"),
])
def test_check_equal(capsys, value, expected, text):
    check_equal("Valeur", value, expected)
    assert capsys.readouterr().out == f"Valeur : {text}\n"


@pytest.mark.parametrize("value, expected", [(10, 11), (np.nan, np.nan), ("a", "b"), ((1, 2), (1, 3)), (np.zeros(3), np.zeros(4)), (0.1 + 0.2, 0.3)])
def test_check_equal_echoue(value, expected):
    with pytest.raises(AssertionError, match="Valeur.*attendu"):
        check_equal("Valeur", value, expected)


def test_check_true(capsys):
    check_true("Les deux gradients coïncident", np.bool_(True))
    assert capsys.readouterr().out == "Les deux gradients coïncident : oui\n"
    with pytest.raises(AssertionError, match="non"):
        check_true("Faux", False)
    for not_boolean in (float("nan"), 1, np.array([True, True]), "oui", None):
        with pytest.raises(TypeError, match="booléen"):
            check_true("Vrai ?", not_boolean)


@pytest.mark.parametrize("value, text", [
    (0, "0"), (0.0, "0"), (0.1 + 0.2, "0,3"), (-1.5, "−1,5"), (1234567.25, "1\u202f234\u202f567,25"), (1e-12, "10⁻¹²"), (-2e10, "−2 × 10¹⁰"),
    (1 / 3, "0,333333333333"), (np.inf, "∞"), (-np.inf, "−∞"), (np.nan, "NaN"), (100.0, "100"), (np.float32(0.25), "0,25"), (np.int64(-3), "−3"),
])
def test_french_number(value, text):
    assert french_number(value) == text


def test_french_number_arrondit():
    assert [french_number(2.345678, d) for d in (0, 1, 2)] == ["2", "2,3", "2,35"]
    assert french_number(3.0, 2) == "3,00"
    assert french_number(1.23456e-7, 2) == "1,23 × 10⁻⁷"
