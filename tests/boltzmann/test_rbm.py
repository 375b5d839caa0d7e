"""La RBM : lois exactes sur de petites machines, directions d'apprentissage, tirages, fautes."""

import _thread
import signal
import sys

import numpy as np
import pytest
from machines import bits, joint, machine, sample_indices
from scipy.stats import chisquare

from labcode.boltzmann import RBM, hinton_momentum
from labcode.training import DivergenceError

DATA = np.array([[1, 0, 1, 1], [1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 1, 1]], dtype=float)


# --- Le modèle ---


@pytest.mark.parametrize("seed", range(3))
def test_lois_conditionnelles_et_energie_libre_sont_celles_de_la_loi_jointe(seed):
    """eq-rbm-energy, écrite terme à terme, donne eq-rbm-hidden, eq-rbm-visible et eq-free-energy."""
    rbm = machine(4, 3, seed=seed)
    p, V, H = joint(rbm), bits(4), bits(3)
    np.testing.assert_allclose(rbm.hidden_probabilities(V), p @ H / p.sum(axis=1, keepdims=True), rtol=1e-12)
    np.testing.assert_allclose(rbm.visible_probabilities(H), p.T @ V / p.sum(axis=0)[:, None], rtol=1e-12)
    weights = np.exp(-rbm.free_energy(V))
    np.testing.assert_allclose(weights / weights.sum(), p.sum(axis=1), rtol=1e-12)


def test_transform_comme_scikit_learn():
    from sklearn.neural_network import BernoulliRBM

    rbm, X = machine(7, 5), np.random.default_rng(0).random((20, 7))
    oracle = BernoulliRBM(5)
    oracle.components_, oracle.intercept_hidden_, oracle.intercept_visible_ = rbm.weight_, rbm.hidden_bias_, rbm.visible_bias_
    np.testing.assert_allclose(rbm.transform(X), oracle.transform(X), rtol=1e-12)
    np.testing.assert_allclose(rbm.free_energy(X), oracle._free_energy(X), rtol=1e-12)


def test_pseudo_vraisemblance_par_sa_definition():
    """eq-pseudo-likelihood, contre les lois conditionnelles tirées de la loi jointe."""
    rbm, V = machine(4, 3), bits(4)
    p = joint(rbm).sum(axis=1).reshape(2, 2, 2, 2)
    expected = sum(np.log(p / p.sum(axis=i, keepdims=True)) for i in range(4)).ravel()
    np.testing.assert_allclose(rbm.pseudo_likelihood(V), expected, rtol=1e-10)
    np.testing.assert_array_equal(rbm.score_samples(V), rbm.pseudo_likelihood(V))


def test_erreur_de_reconstruction():
    """eq-reconstruction-error, refaite à la main."""
    rbm = machine()
    h = 1 / (1 + np.exp(-(DATA @ rbm.weight_.T + rbm.hidden_bias_)))
    v = 1 / (1 + np.exp(-(h @ rbm.weight_ + rbm.visible_bias_)))
    assert rbm.reconstruction_error(DATA) == pytest.approx(np.mean((DATA - v) ** 2), rel=1e-12)


# --- L'apprentissage ---


def exact_gradient(rbm, X):
    """⟨h vᵀ⟩_données − ⟨h vᵀ⟩_modèle par la loi jointe."""
    p, V, H = joint(rbm), bits(X.shape[1]), bits(rbm.n_hidden)
    conditional = (p / p.sum(axis=1, keepdims=True))[sample_indices(X)]
    return (conditional @ H).T @ X / len(X) - H.T @ p.T @ V


def expected_cd(rbm, X, k=1, mean_field=False):
    """Espérance exacte du pas de CD-k : on pousse la loi des données dans k noyaux de Gibbs."""
    p, V, H = joint(rbm), bits(X.shape[1]), bits(rbm.n_hidden)
    h_given_v, v_given_h = p / p.sum(axis=1, keepdims=True), p / p.sum(axis=0)
    start = np.bincount(sample_indices(X), minlength=len(V)) / len(X)
    if mean_field:  # v n'est pas tiré : p(v | h), puis p(h | v) en ce point
        points = v_given_h.T @ V
        hidden = 1 / (1 + np.exp(-(points @ rbm.weight_.T + rbm.hidden_bias_)))
        negative = np.einsum("s,sh,hj,hi->ji", start, h_given_v, hidden, points)
    else:
        end = start
        for _ in range(k):
            end = v_given_h @ (h_given_v.T @ end)
        negative = (h_given_v @ H).T @ (end[:, None] * V)
    return (h_given_v @ H).T @ (start[:, None] * V) - negative


def mean_step(n=40_000, **options):
    """Pas moyen ΔW/η d'une machine sur un seul lot de n exemples, DATA répétées."""
    rbm = machine(learning_rate=1e-6, batch_size=n, **options)
    before = rbm.weight_.copy()
    rbm.partial_fit(np.tile(DATA, (n // len(DATA), 1)))
    return (rbm.weight_ - before) / 1e-6


def test_cd1_suit_son_esperance_et_non_le_gradient():
    """eq-rbm-cd : le pas moyen, contre son espérance énumérée."""
    rbm = machine()
    expected, gradient = expected_cd(rbm, DATA), exact_gradient(rbm, DATA)
    np.testing.assert_allclose(mean_step(), expected, atol=0.01)
    assert abs(expected - gradient).max() > 0.03  # le biais de CD-1 se voit : ce n'est pas le gradient


def test_cd_k_tend_vers_le_gradient():
    rbm = machine()
    gradient = exact_gradient(rbm, DATA)
    np.testing.assert_allclose(mean_step(k=30), gradient, atol=0.012)
    bias = [abs(expected_cd(rbm, DATA, k) - gradient).max() for k in (1, 2, 5, 20)]
    assert bias[0] > bias[1] > bias[2] > bias[3] and bias[3] < 0.01


def test_visibles_non_tires():
    expected = expected_cd(machine(), DATA, mean_field=True)
    np.testing.assert_allclose(mean_step(sample_visible=False), expected, atol=0.01)
    assert abs(expected - expected_cd(machine(), DATA)).max() > 0.02


def test_chaines_persistantes_suivent_le_gradient():
    """eq-rbm-pcd, contre le gradient exact."""
    rbm = machine(learning_rate=1e-9, batch_size=40_000, persistent=True)
    X = np.tile(DATA, (10_000, 1))
    for _ in range(25):
        before = rbm.weight_.copy()
        rbm.partial_fit(X)
    np.testing.assert_allclose((rbm.weight_ - before) / 1e-9, exact_gradient(rbm, DATA), atol=0.012)


def test_biais():
    rbm = machine(learning_rate=1e-6, batch_size=40_000, k=30)
    p, (b, c) = joint(rbm), (rbm.visible_bias_.copy(), rbm.hidden_bias_.copy())
    hidden = rbm.hidden_probabilities(DATA).mean(axis=0)
    rbm.partial_fit(np.tile(DATA, (10_000, 1)))
    np.testing.assert_allclose((rbm.visible_bias_ - b) / 1e-6, DATA.mean(axis=0) - p.sum(axis=1) @ bits(4), atol=0.012)
    np.testing.assert_allclose((rbm.hidden_bias_ - c) / 1e-6, hidden - p.sum(axis=0) @ bits(3), atol=0.012)


def test_inertie_et_cout_des_poids(monkeypatch):
    """Trois pas refaits à la main, par blocs d'une ligne, à partir des phases que la machine a vues."""
    monkeypatch.setattr("labcode.boltzmann.rbm.BLOCK", 4)
    rbm = machine(learning_rate=0.3, momentum=lambda epoch: 0.1 * epoch, weight_cost=0.2, batch_size=4)
    W, b, c = rbm.weight_.copy(), rbm.visible_bias_.copy(), rbm.hidden_bias_.copy()
    seen, phases = [], rbm._phases

    def spy(*arrays):
        phases(*arrays)
        seen.append([array.copy() for array in arrays])

    monkeypatch.setattr(rbm, "_phases", spy)
    speed = [0, 0, 0]
    for epoch in (1, 2, 3):
        rbm.partial_fit(DATA)
        v, h, v_model, h_model = seen[-1]
        gradient = [(h.T @ v - h_model.T @ v_model) / 4 - 0.2 * W, (v - v_model).mean(axis=0), (h - h_model).mean(axis=0)]
        speed = [0.1 * epoch * s + 0.3 * g for s, g in zip(speed, gradient)]
        W, b, c = W + speed[0], b + speed[1], c + speed[2]
        for found, expected in zip((rbm.weight_, rbm.visible_bias_, rbm.hidden_bias_), (W, b, c)):
            np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_hinton_momentum():
    assert [hinton_momentum(epoch) for epoch in (1, 5, 6, 100)] == [0.5, 0.5, 0.9, 0.9]


def test_le_dernier_lot_compte_a_sa_taille():
    """Cinq exemples par lots de 4 : le second pas, d'un seul exemple, n'est pas divisé par 4."""
    X = np.ones((5, 4))
    rbm = machine(scale=0, learning_rate=1.0, batch_size=4, sample_visible=False)
    rbm.partial_fit(X)
    b = 0.5 * np.ones(4)  # après le premier pas : ⟨v⟩_données − ⟨v⟩_modèle = 1 − σ(0), et de même c = 0, W = ½(1 − ½)
    assert np.all(rbm.visible_bias_ > b + 0.2)  # le second ajoute 1 − σ(0,5 + …) ≥ 0,2


def test_biais_des_donnees():
    X = np.array([[1, 0, 1, 0]] * 3 + [[1, 1, 0, 0]], dtype=float)
    rbm = RBM(2, n_epochs=0, data_bias=True, rng=0).fit(X)
    p = (X.sum(axis=0) + 0.5) / 5
    np.testing.assert_allclose(1 / (1 + np.exp(-rbm.visible_bias_)), p, rtol=1e-12)


def test_apprend_une_loi():
    """Deux motifs seulement : après l'apprentissage la machine leur donne presque toute la probabilité."""
    X = np.repeat([[1.0, 1, 0, 0], [0, 0, 1, 1]], 50, axis=0)
    rbm = RBM(4, learning_rate=lambda epoch: 0.3 * (1 - epoch / 401), batch_size=100, n_epochs=400, persistent=True, rng=0).fit(X)
    p = joint(rbm).sum(axis=1)
    assert p[0b1100] + p[0b0011] > 0.8 and min(p[0b1100], p[0b0011]) > 0.25
    errors = rbm.history_["reconstruction_error"]
    assert len(errors) == 400 and errors[-1] < 0.02 < errors[0]


def test_historique_et_validation():
    X = np.random.default_rng(0).random((30, 6)).round()
    rbm = RBM(3, n_epochs=4, rng=0).fit(X[:20], validation=X[20:])
    history = rbm.history_
    assert len(history["reconstruction_error"]) == len(history["free_energy_gap"]) == 4
    assert history["reconstruction_error"][-1] == rbm.reconstruction_error(X[:20])
    assert history["free_energy_gap"][-1] == pytest.approx(rbm.free_energy(X[20:]).mean() - rbm.free_energy(X[:20]).mean())
    assert np.isnan(RBM(3, n_epochs=1, rng=0).fit(X).history_["free_energy_gap"]).all()


def test_meme_graine_memes_bits_et_donnees_intactes():
    X = np.random.default_rng(0).random((50, 6), dtype=np.float32)
    copy = X.copy()
    first, second = (RBM(5, n_epochs=3, batch_size=8, rng=7).fit(X) for _ in range(2))
    np.testing.assert_array_equal(first.weight_, second.weight_)
    np.testing.assert_array_equal(X, copy)
    assert first.weight_.dtype == np.float32 and first.fit(X.astype(float)).weight_.dtype == np.float64


def test_interruption_garde_les_epoques_achevees(monkeypatch, capsys):
    rbm, epoch = RBM(3, n_epochs=10, rng=0), RBM._epoch

    def interrupted(self, X, order):
        if self._epochs_done() == 4:
            _thread.interrupt_main()
            np.sin(1)  # laisse passer le signal
        epoch(self, X, order)

    monkeypatch.setattr(RBM, "_epoch", interrupted)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # lancé en arrière-plan, le processus peut ignorer Ctrl-C
    rbm.fit(DATA)
    signal.signal(signal.SIGINT, handler)
    assert rbm.interrupted_ and len(rbm.history_["reconstruction_error"]) in (4, 5)
    assert "apprentissage interrompu" in capsys.readouterr().err and np.isfinite(rbm.weight_).all()


def test_divergence():
    rbm = RBM(3, n_epochs=5, learning_rate=1e30, weight_cost=1e30, batch_size=1, rng=0)
    with np.errstate(over="ignore", invalid="ignore"), pytest.raises(DivergenceError, match="à l'époque 1, les poids ne sont plus finis") as error:
        rbm.fit(DATA.astype(np.float32))
    assert len(error.value.history["reconstruction_error"]) == 1


def test_progression(capsys):
    RBM(3, n_epochs=2, progress=True, rng=0).fit(DATA)
    assert "RBM 4-3" in capsys.readouterr().err


def test_l_ordre_des_exemples_change_a_chaque_epoque(monkeypatch):
    """``train`` voit tous les exemples à chaque époque, chaque fois dans un ordre neuf."""
    orders, epoch = [], RBM._epoch
    monkeypatch.setattr(RBM, "_epoch", lambda self, X, order: orders.append(tuple(order)) or epoch(self, X, order))
    RBM(3, n_epochs=3, batch_size=4, rng=0).fit(np.tile(DATA, (5, 1)))
    assert all(sorted(order) == list(range(20)) for order in orders)
    assert len({*orders, tuple(range(20))}) == 4


def test_un_second_apprentissage_repart_sans_vitesse():
    """L'inertie ne passe pas d'un ``train`` au suivant : à un taux négligeable, le second ne bouge pas."""
    rbm = RBM(3, learning_rate=0.5, momentum=0.9, n_epochs=2, rng=0).fit(DATA)
    before = rbm.weight_.copy()
    rbm.set_params(learning_rate=1e-9).train(DATA)
    np.testing.assert_allclose(rbm.weight_, before, rtol=0, atol=1e-7)


def test_un_second_apprentissage_garde_les_biais_appris():
    """``data_bias`` ne vaut qu'au départ : reprendre n'efface pas ce qui est appris."""
    rbm = RBM(3, learning_rate=0.5, data_bias=True, n_epochs=3, rng=0).fit(DATA)
    learned = rbm.visible_bias_.copy()
    rbm.set_params(n_epochs=0).train(DATA)
    np.testing.assert_array_equal(rbm.visible_bias_, learned)
    assert abs(learned - rbm._data_bias(DATA)).max() > 0.01


def test_biais_des_donnees_par_partial_fit():
    """Moyennes 3/4, 1/4, 3/4 et 1/2 sur quatre exemples, soit (3 + ½)/5, (1 + ½)/5, (3 + ½)/5 et (2 + ½)/5 ; le taux est négligeable."""
    rbm = RBM(2, learning_rate=1e-12, data_bias=True, rng=0).partial_fit(DATA)
    np.testing.assert_allclose(rbm.visible_bias_, np.log([0.7 / 0.3, 0.3 / 0.7, 0.7 / 0.3, 1]), atol=1e-9)


def test_reprendre_apres_une_interruption(monkeypatch, capsys):
    """L'interruption d'un apprentissage ne marque pas le suivant, qui va au bout."""
    def interrupted(self, X, order):
        raise KeyboardInterrupt

    rbm = RBM(3, n_epochs=2, rng=0)
    with monkeypatch.context() as patch:
        patch.setattr(RBM, "_epoch", interrupted)
        assert rbm.fit(DATA).interrupted_
    assert not rbm.train(DATA).interrupted_ and len(rbm.history_["reconstruction_error"]) == 2


# --- Tirer ---


@pytest.mark.parametrize("options", [{}, {"start": DATA[0]}, {"initial_temperature": 5.0}], ids=["bruit", "donnée", "recuit"])
def test_frequences_des_tirages(options):
    rbm = machine(seed=3)
    V = rbm.sample(20_000, 60, rng=1, **options)
    counts = np.bincount(sample_indices(V), minlength=16)
    assert chisquare(counts, 20_000 * joint(rbm).sum(axis=1)).pvalue > 1e-3


def test_une_seule_chaine_longue():
    rbm = machine(seed=3)
    states = [v[0] for (_, _, v), _ in zip(rbm.gibbs(DATA[:1], rng=0), range(20_000))]
    frequencies = np.bincount(sample_indices(np.array(states)), minlength=16) / len(states)
    np.testing.assert_allclose(frequencies, joint(rbm).sum(axis=1), atol=0.015)


def test_temperature():
    """eq-gibbs-temperature : les fréquences sont celles de e^(−E/T)."""
    rbm = machine(seed=3)
    *_, (_, _, V) = rbm.gibbs(np.tile(DATA, (5000, 1)), temperatures=[2.5] * 40, rng=0)
    counts = np.bincount(sample_indices(V), minlength=16)
    assert chisquare(counts, len(V) * joint(rbm, temperature=2.5).sum(axis=1)).pvalue > 1e-3


def test_visibles_figes():
    """v_0 = 1 et v_2 = 0 figés : les autres suivent la loi conditionnelle."""
    rbm, clamped = machine(seed=3), np.array([True, False, True, False])
    V = rbm.sample(20_000, 60, start=[1.0, 1, 0, 0], clamped=clamped, rng=1)
    assert (V[:, 0] == 1).all() and (V[:, 2] == 0).all()
    conditional = joint(rbm).sum(axis=1).reshape(2, 2, 2, 2)[1, :, 0, :].ravel()
    counts = np.bincount(sample_indices(V[:, [1, 3]]), minlength=4)
    assert chisquare(counts, 20_000 * conditional / conditional.sum()).pvalue > 1e-3


def test_le_recuit_descend_geometriquement(monkeypatch):
    seen, gibbs = [], RBM.gibbs
    monkeypatch.setattr(RBM, "gibbs", lambda self, V, **options: seen.append(options["temperatures"]) or gibbs(self, V, **options))
    machine().sample(2, 5, initial_temperature=16.0, rng=0)
    np.testing.assert_allclose(seen[0], [16, 8, 4, 2, 1])


def test_probabilites_des_visibles_figes():
    """Figé à 1 ou à 0, un visible l'est aussi dans les probabilités rendues ; les autres n'y sont ni 0 ni 1."""
    p = machine().sample(3, 5, start=[1.0, 1, 0, 0], clamped=np.array([True, False, True, False]), probabilities=True, rng=0)
    assert (p[:, 0] == 1).all() and (p[:, 2] == 0).all() and ((0 < p[:, [1, 3]]) & (p[:, [1, 3]] < 1)).all()


def test_depart_de_bruit():
    """Sans aucun pas, ``sample`` rend son départ : 20 000 bits à pile ou face, de moyenne ½ à 0,0035 près."""
    V = RBM(3, rng=0).initialize(400).sample(50, 0, rng=0)
    assert np.isin(V, (0, 1)).all() and V.mean() == pytest.approx(0.5, abs=0.015)


def test_probabilites_du_dernier_tirage():
    rbm = machine()
    p, v = (rbm.sample(3, 5, probabilities=probabilities, rng=0) for probabilities in (True, False))
    assert ((0 < p) & (p < 1)).all() and np.isin(v, (0, 1)).all()
    assert rbm.sample(2, 0, start=DATA[:2], rng=0).tolist() == DATA[:2].tolist()


# --- Les fautes ---


@pytest.mark.parametrize("settings, message", [
    ({"n_hidden": 0}, "n_hidden doit être au moins égal à 1, reçu 0"),
    ({"learning_rate": 0}, "learning_rate doit être fini, strictement positif, reçu 0"),
    ({"learning_rate": -0.1}, "learning_rate doit être fini, strictement positif, reçu -0.1"),
    ({"learning_rate": lambda epoch: np.nan}, "learning_rate doit être fini"),
    ({"momentum": 1.0}, "momentum doit être dans"),
    ({"weight_cost": -1}, "weight_cost doit être fini, positif ou nul"),
    ({"batch_size": 0}, "batch_size doit être au moins égal à 1"),
    ({"k": 0}, "k doit être au moins égal à 1"),
    ({"n_epochs": -1}, "n_epochs doit être au moins égal à 0"),
    ({"init_std": np.inf}, "init_std doit être fini"),
    ({"rng": -1}, "graine -1 reçue"),
])
def test_reglages_refuses(settings, message):
    with pytest.raises(ValueError, match=message):
        RBM(**({"n_hidden": 3} | settings)).fit(DATA)


@pytest.mark.parametrize("X, message", [
    (DATA * 255, "valeurs de 0 à 255 reçues, des valeurs entre 0 et 1 attendues.*255"),
    (DATA - 0.5, "valeurs de -0.5 à 0.5 reçues, .* voir GaussianRBM"),
    (np.where(DATA == 1, np.nan, 0), "contient NaN"),
    (DATA[:0], "tableau non vide"),
    (DATA[0], r"forme \(4,\) reçue, .* donnez X\[None, :\]"),
])
def test_donnees_refusees(X, message):
    with pytest.raises(ValueError, match=message):
        RBM(3).fit(X)
    rbm = machine()
    for method in (rbm.train, rbm.partial_fit, rbm.transform, rbm.free_energy, rbm.reconstruct, rbm.pseudo_likelihood):
        with pytest.raises(ValueError, match=message):
            method(X)


def test_mauvaise_largeur():
    rbm = machine(4, 3)
    for method in (rbm.train, rbm.partial_fit, rbm.transform, rbm.free_energy):
        with pytest.raises(ValueError, match="3 colonnes reçues, 4 attendues, le nombre d'unités visibles"):
            method(DATA[:, :3])
    with pytest.raises(ValueError, match="H.*: 4 colonnes reçues, 3 attendues, le nombre d'unités cachées"):
        rbm.visible_probabilities(DATA)
    with pytest.raises(ValueError, match="validation.*: 2 colonnes reçues"):
        rbm.train(DATA, validation=DATA[:, :2])


def test_tirages_refuses():
    rbm = machine()
    for options, message in [({"clamped": np.ones(4, bool)}, "il faut dire avec start"), ({"start": DATA[:3]}, "3 exemples reçus pour n_samples = 2"),
                             ({"start": DATA[0], "clamped": [0, 1, 0, 1]}, "masque de 4 booléens"), ({"initial_temperature": 0}, "strictement positif"),
                             ({"n_steps": -1}, "n_steps")]:
        with pytest.raises(ValueError, match=message):
            rbm.sample(2, **options)


def test_avant_d_avoir_appris():
    rbm = RBM(3)
    for call in (lambda: rbm.transform(DATA), lambda: rbm.sample(), lambda: rbm.visible_probabilities(DATA), lambda: rbm.train(DATA)):
        with pytest.raises(ValueError, match="n'a encore rien appris"):
            call()


# --- Les manières de scikit-learn ---


def test_reglages():
    rbm = RBM(7, k=2)
    assert rbm.get_params()["n_hidden"] == 7 and rbm.set_params(k=3).k == 3 and repr(rbm) == "RBM(n_hidden=7, k=3)"
    with pytest.raises(ValueError, match="réglage 'q' inconnu"):
        rbm.set_params(q=3)


def test_pipeline_et_clone():
    from sklearn.base import clone
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline

    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    model = make_pipeline(RBM(60, learning_rate=0.2, batch_size=10, n_epochs=20, rng=0), LogisticRegression(C=100, max_iter=500))
    copy = clone(model)
    assert copy[0] is not model[0] and copy[0].get_params() == model[0].get_params()
    search = GridSearchCV(model, {"rbm__n_hidden": [2, 60]}, cv=2).fit(X[:600], y[:600])
    assert search.best_params_ == {"rbm__n_hidden": 60}
    assert search.score(X[600:], y[600:]) > 0.85


def test_n_importe_que_numpy():
    import subprocess

    code = "import sys, labcode.boltzmann; print([m for m in ('sklearn', 'scipy', 'matplotlib') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
