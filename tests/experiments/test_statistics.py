"""Moyenne et intervalle de confiance."""

import numpy as np
import pytest
from scipy import stats

from labcode.experiments import mean_interval


def test_three_values_by_hand():
    mean, half = mean_interval([1, 2, 3])
    assert mean == 2 and half == pytest.approx(4.302652729911275 / np.sqrt(3))  # t de Student à 2 degrés, table


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
def test_curves_against_scipy(confidence):
    values = np.random.default_rng(0).normal(3, 2, (6, 4))
    mean, half = mean_interval(values, confidence)
    low, high = stats.t.interval(confidence, 5, loc=values.mean(axis=0), scale=stats.sem(values))
    np.testing.assert_allclose([mean - half, mean + half], [low, high])


def test_the_interval_covers_as_often_as_it_says():
    mean, half = mean_interval(np.random.default_rng(1).normal(0, 1, (5, 20000)), 0.9)
    assert np.mean(np.abs(mean) < half) == pytest.approx(0.9, abs=0.01)


def test_one_seed_says_nothing_of_the_spread():
    mean, half = mean_interval([0.25])
    assert mean == 0.25 and np.isnan(half)


@pytest.mark.parametrize("values, confidence, message", [([], 0.95, "aucune valeur"), (3.0, 0.95, "aucune valeur"), ([1, 2], 95, "confidence")])
def test_refused(values, confidence, message):
    with pytest.raises(ValueError, match=message):
        mean_interval(values, confidence)
