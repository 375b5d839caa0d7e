"""Les vérifications d'estimateur de scikit-learn, celles qui s'appliquent.

Elles donnent des données quelconques : la RBM binaire y est mise à l'essai sans son refus des valeurs hors de [0, 1], que
vérifie test_rbm.py. Ce qui ne s'applique pas est nommé ici, et doit échouer pour cette raison-là.
"""

import warnings

import pytest
from sklearn.utils.estimator_checks import check_estimator

from labcode.boltzmann import RBM, GaussianRBM

FRENCH = "le message est en français, scikit-learn attend ses propres mots anglais"
NUMBERS = "labcode refuse tout tableau qui n'est pas fait de nombres réels"
EXPECTED = {
    "check_n_features_in_after_fitting": FRENCH, "check_estimators_empty_data_messages": FRENCH, "check_fit2d_predict1d": FRENCH,
    "check_estimator_sparse_tag": FRENCH, "check_estimator_sparse_array": FRENCH, "check_estimator_sparse_matrix": FRENCH,
    "check_complex_data": NUMBERS, "check_dtype_object": NUMBERS,
}


class AnyValues(RBM):
    """RBM qui ne vérifie pas que les visibles sont entre 0 et 1."""

    def _checked_values(self, X, name):
        return X


@pytest.mark.parametrize("model", [AnyValues(4, n_epochs=2, rng=0), GaussianRBM(4, n_epochs=2, rng=0)], ids=["RBM", "GaussianRBM"])
def test_verifications_d_estimateur(model):
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        if isinstance(model, AnyValues):
            patch.setattr("labcode.boltzmann.rbm._unit_interval", lambda X, name: X)
        results = check_estimator(model, expected_failed_checks=EXPECTED, on_fail=None, on_skip=None)
    statuses = {result["check_name"]: result["status"] for result in results}
    failed = {result["check_name"]: str(result["exception"]) for result in results if result["status"] == "failed"}
    assert failed == {}
    assert sum(status == "passed" for status in statuses.values()) > 25
