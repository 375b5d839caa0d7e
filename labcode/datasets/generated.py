"""Jeux de données engendrés : on en connaît la géométrie exacte, et on en tire autant d'exemples que l'on veut.

Tous rendent X (N, p) float32 et y (N,) int64. Les classes ont le même effectif à un exemple près, dans un ordre tiré au
hasard ; ``noise`` est l'écart-type du bruit gaussien ajouté à chaque coordonnée, ``rng`` une graine ou un générateur.
Un argument hors de son domaine lève ValueError ou TypeError.
"""

import numpy as np

from labcode.datasets.arguments import floats, generator, integer, number


def make_gaussians(n_samples, centers=((-1, -1), (1, 1)), scale=0.5, rng=None):
    """Nuages gaussiens, un par classe : x = c_k + s_k ε avec ε ~ N(0, I).

    ``centers`` (K, p) donne les centres c_k, ``scale`` l'écart-type s_k, le même pour tous ou un par classe (K,).
    """
    centers = floats(centers, "centers").astype(np.float64)
    if centers.ndim != 2:
        raise ValueError(f"centers : forme {centers.shape} reçue, (K, p) attendue, un centre par ligne.")
    scales = [number("scale", s) for s in (scale if np.ndim(scale) else [scale] * len(centers))]
    if len(scales) != len(centers):
        raise ValueError(f"scale : {len(scales)} valeurs reçues pour {len(centers)} centres.")
    rng = generator(rng)
    y = _balanced(n_samples, len(centers), rng)
    return _finish(centers[y] + np.array(scales)[y, None] * rng.standard_normal((len(y), centers.shape[1])), 0.0, rng), y


def make_xor(n_samples, noise=0.2, rng=None):
    """Le « ou exclusif » : les quatre coins (±1, ±1) du carré ; classe 1 là où les deux signes diffèrent, 0 ailleurs.

    Aucune droite ne sépare les deux classes. Sans bruit, chaque exemple est exactement un coin.
    """
    rng = generator(rng)
    corner = _balanced(n_samples, 4, rng, least=2)
    corners = np.array([(-1, -1), (-1, 1), (1, 1), (1, -1)])  # en tournant : la classe alterne
    return _finish(corners[corner], noise, rng), corner % 2


def make_checkerboard(n_samples, *, n_squares=4, noise=0.0, rng=None):
    """Damier de ``n_squares`` × ``n_squares`` cases sur [−1, 1]² ; la case (i, j) est de classe (i + j) mod 2.

    La case (0, 0) est en bas à gauche, i compte vers la droite et j vers le haut. Chaque exemple est tiré uniformément dans
    une case de sa classe, elle-même tirée uniformément ; le bruit est ajouté ensuite et peut l'en faire sortir.
    """
    n_squares = integer("n_squares", n_squares, 2)
    rng = generator(rng)
    y = _balanced(n_samples, 2, rng)
    cells = np.array([(i, j) for i in range(n_squares) for j in range(n_squares)])
    X = np.empty((len(y), 2))
    for k in (0, 1):
        same = cells[cells.sum(axis=1) % 2 == k]
        X[y == k] = same[rng.integers(len(same), size=np.sum(y == k))]
    return _finish(2 * (X + rng.random(X.shape)) / n_squares - 1, noise, rng), y


def make_circles(n_samples, noise=0.1, rng=None, *, factor=0.5):
    """Deux cercles concentriques : la classe 0 sur le cercle de rayon 1, la classe 1 sur celui de rayon ``factor`` < 1.

    Sur chaque cercle de n points, le i-ième est à l'angle 2πi/n, avant le bruit.
    """
    factor = number("factor", factor, 0.0, 1.0)
    if factor == 1:
        raise ValueError("factor : 1 reçu, un nombre strictement inférieur à 1 attendu, sans quoi les cercles se confondent.")
    rng = generator(rng)
    y = _balanced(n_samples, 2, rng)
    X = np.empty((len(y), 2))
    for k, radius in enumerate((1.0, factor)):
        n = np.sum(y == k)
        angle = 2 * np.pi * np.arange(n) / n
        X[y == k] = radius * np.column_stack([np.cos(angle), np.sin(angle)])
    return _finish(X, noise, rng), y


def make_moons(n_samples, noise=0.1, rng=None):
    """Deux croissants imbriqués, des demi-cercles de rayon 1.

    La classe 0 suit (cos t, sin t), la classe 1 suit (1 − cos t, 1/2 − sin t), pour des t régulièrement espacés de 0 à π.
    """
    rng = generator(rng)
    y = _balanced(n_samples, 2, rng)
    X = np.empty((len(y), 2))
    for k in (0, 1):
        t = np.linspace(0, np.pi, np.sum(y == k))
        X[y == k] = np.column_stack([np.cos(t), np.sin(t)] if k == 0 else [1 - np.cos(t), 0.5 - np.sin(t)])
    return _finish(X, noise, rng), y


def make_bars_and_stripes(size):
    """Barres et rayures : toutes les images binaires ``size`` × ``size`` faites de colonnes (classe 0) ou de lignes (classe 1).

    Chacune des ``size`` colonnes est toute noire ou toute blanche, soit 2^size images ; de même pour les lignes. Rend les
    2^(size+1) images aplaties, X (2^(size+1), size²) : les deux images unies y sont une fois dans chaque classe, ce qui est la
    loi d'un tirage qui choisit d'abord l'orientation, puis chaque ligne à pile ou face. ``size`` va de 1 à 12.
    Source : MacKay, 2003.
    """
    size = integer("size", size, 1, 12)
    lines = np.arange(2 ** size)[:, None] >> np.arange(size)[::-1] & 1
    bars = np.repeat(lines[:, None, :], size, axis=1)
    images = np.concatenate([bars, bars.transpose(0, 2, 1)]).astype(np.float32)
    return images.reshape(-1, size * size), np.repeat(np.arange(2), 2 ** size).astype(np.int64)


def _balanced(n_samples, n_classes, rng, least=None):
    """Classes (N,) de même effectif à un près, en ordre aléatoire."""
    n_samples = integer("n_samples", n_samples, least or n_classes)
    return rng.permutation(np.arange(n_samples, dtype=np.int64) % n_classes)


def _finish(X, noise, rng):
    """X en float32, un bruit gaussien d'écart-type ``noise`` ajouté."""
    noise = number("noise", 0.0 if noise is None else noise)
    return (X + noise * rng.standard_normal(X.shape) if noise else X).astype(np.float32)
