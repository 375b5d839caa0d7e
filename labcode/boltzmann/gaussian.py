"""La machine de Boltzmann restreinte à visibles réels : chacun suit une loi normale, sachant les cachés."""

import numpy as np

from labcode.boltzmann.rbm import RBM


class GaussianRBM(RBM):
    """RBM à visibles réels, de variance 1 sachant les cachés (Welling et al., 2005 ; Hinton et Salakhutdinov, 2006).

    Énergie E(v, h) = ½‖v‖² − b·v − c·h − hᵀWv (eq-gaussian-rbm) : v sachant h suit N(b + Wᵀh, I). Les données sont à centrer et à réduire ;
    le taux d'apprentissage est dix à cent fois plus petit que celui d'une RBM binaire, rien ne bornant les visibles. À la
    température T, la variance est T. Le reste est comme dans RBM, sauf la pseudo-vraisemblance, qui n'est pas définie.
    """

    def __init__(self, n_hidden=100, *, learning_rate=0.001, batch_size=64, n_epochs=10, k=1, persistent=False, momentum=0.0,
                 weight_cost=0.0, sample_visible=True, data_bias=False, init_std=0.01, rng=None, progress=False):
        super().__init__(n_hidden, learning_rate=learning_rate, batch_size=batch_size, n_epochs=n_epochs, k=k, persistent=persistent,
                         momentum=momentum, weight_cost=weight_cost, sample_visible=sample_visible, data_bias=data_bias,
                         init_std=init_std, rng=rng, progress=progress)

    def visible_probabilities(self, H):
        """Espérance des visibles, b + Wᵀh : H (N, q), entre 0 et 1, donne (N, p)."""
        return super().visible_probabilities(H)

    def pseudo_likelihood(self, X):
        """Lève toujours NotImplementedError : faire basculer un visible n'a de sens que s'il vaut 0 ou 1."""
        raise NotImplementedError("GaussianRBM : pas de pseudo-vraisemblance, les visibles ne sont pas binaires ; utilisez free_energy.")

    def score_samples(self, X):
        """−F(v), la log-vraisemblance à la constante ln Z près : X (N, p) donne (N,)."""
        return -self.free_energy(X)

    def _visible(self, H, out=None, temperature=1.0):
        V = np.matmul(H, self.weight_, out=out)
        V += self.visible_bias_
        return V

    def _draw_visible(self, P, rng, temperature=1.0):
        P += P.dtype.type(np.sqrt(temperature)) * rng.standard_normal(P.shape, P.dtype)
        return P

    def _noise(self, n, rng):
        return rng.standard_normal((n, self.n_features_in_), self.weight_.dtype)

    def _visible_energy(self, V):
        return 0.5 * np.square(V).sum(axis=1) - V @ self.visible_bias_

    def _visible_log_partition(self, bias):
        return bias.shape[-1] / 2 * np.log(2 * np.pi) + 0.5 * np.square(bias, dtype=np.float64).sum(axis=-1)

    def _data_bias(self, X):
        return X.mean(axis=0, dtype=np.float64)

    def _checked_values(self, X, name):
        return X
