"""La convolution 3×3 de Winograd : quatre sorties voisines en 16 multiplications au lieu de 36.

L'idée (Winograd, 1980 ; Lavin et Gray, 2016). Un carré de 2 × 2 sorties y ne dépend que d'un carré de 4 × 4 entrées d :

    y = Aᵀ [(G K Gᵀ) ⊙ (Bᵀ d B)] A

où G K Gᵀ ne se calcule qu'une fois, où A et B ne font qu'ajouter et soustraire, et où ⊙, une fois sommé sur les canaux,
fait 16 produits de matrices. Le gradient du noyau est la même chose lue à rebours : Gᵀ [(A dy Aᵀ) (Bᵀ d B)ᵀ] G.

Les additions coûtent : on n'y gagne qu'à partir d'une soixantaine de canaux, jusqu'à une fois et demie (:func:`pays_off`).
"""

import numpy as np

from labcode.nn.parallel import share

G = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
GG = np.kron(G, G).astype(np.float32)  # G K Gᵀ, noyau mis à plat : (16, 9), exact
WORTH = 64       # canaux et exemples, au moins, pour que les additions se rentabilisent
BLOCK = 1 << 19  # nombres des 16 matrices d'un bloc de carrés : 2 Mo en float32


def pays_off(kernel, windows, count, n):
    """Vrai pour des fenêtres 3×3 de pas 1, en nombre pair, et assez de canaux et d'exemples ; ``kernel`` : forme du noyau."""
    possible = windows.kernel == (3, 3) and {*windows.stride, *windows.dilation} == {1} and not any(c % 2 for c in count)
    return possible and min(*kernel[:2], n) >= WORTH and min(count) >= 4


def correlate(padded, kernel, bias=None):
    """Corrélation d'un lot (C, H + 2, W + 2, N) par un noyau (C′, C, 3, 3) : (C′, H, W, N)."""
    n_out, (n_in, *size, n) = len(kernel), padded.shape
    count = [length - 2 for length in size]
    transformed = (GG @ kernel.reshape(-1, 9).T).reshape(4, 4, n_out, n_in)
    y = np.empty((n_out, *count, n), padded.dtype)

    def part(lines):
        for square in squares(lines, count, max(n_out, n_in) * n):
            seen = input_squares(padded, square)
            product = transformed @ seen.reshape(4, 4, n_in, -1)
            out = output(y, square)
            collect(product.reshape(4, 4, n_out, -1, n), out)
            if bias is not None:
                out += bias[:, None, None, None, None]

    share(part, count[0] // 2, work=y.size * n_in)
    return y


def kernel_gradient(padded, dy):
    """Gradient de ⟨correlate(padded, K), dy⟩ en K : (C, H + 2, W + 2, N) et (C′, H, W, N) donnent (C′, C, 3, 3)."""
    n_out, *count, n = dy.shape

    def part(lines):
        total = 0
        for square in squares(lines, count, max(n_out, len(padded)) * n):
            seen = input_squares(padded, square).reshape(4, 4, len(padded), -1)
            total += spread(output(dy, square)).reshape(4, 4, n_out, -1) @ seen.swapaxes(2, 3)
        return total

    total = sum(share(part, count[0] // 2, work=dy.size * len(padded)))
    return (total.reshape(16, -1).T @ GG).reshape(n_out, len(padded), 3, 3)


def squares(lines, count, per_square):
    """Parcourt les carrés des lignes de carrés ``lines``, par blocs : couples (ligne, tranche de carrés)."""
    step = max(1, BLOCK // (16 * per_square))
    for line in range(lines.start, lines.stop):
        yield from ((line, slice(a, min(a + step, count[1] // 2))) for a in range(0, count[1] // 2, step))


def input_squares(padded, square):
    """Bᵀ d B des carrés 4 × 4 d'entrées : (4, 4, C, nombre de carrés, N)."""
    line, columns = square
    x = padded[:, 2 * line:2 * line + 4, 2 * columns.start:2 * columns.stop + 2]
    channels, _, width, n = x.shape
    rows = np.empty((4, channels, width, n), x.dtype)
    differences([x[:, i] for i in range(4)], rows)
    seen = np.empty((4, 4, channels, width // 2 - 1, n), x.dtype)
    differences([rows[:, :, j:j + width - 3:2] for j in range(4)], seen.swapaxes(0, 1))
    return seen


def output(y, square):
    """Vue (C′, 2, 2, nombre de carrés, N) des carrés 2 × 2 de sorties : lignes, puis colonnes du carré."""
    line, columns = square
    lines = y[:, 2 * line:2 * line + 2, 2 * columns.start:2 * columns.stop]
    return lines.reshape(*lines.shape[:2], -1, 2, lines.shape[-1], copy=False).swapaxes(2, 3)


def differences(d, out):
    """Bᵀ d, pour quatre tableaux d."""
    np.subtract(d[0], d[2], out=out[0])
    np.add(d[1], d[2], out=out[1])
    np.subtract(d[2], d[1], out=out[2])
    np.subtract(d[1], d[3], out=out[3])


def sums(m, out, work):
    """Aᵀ m, pour quatre tableaux m : m₀ + m₁ + m₂ et m₁ − m₂ − m₃."""
    np.add(m[1], m[2], out=work)
    np.add(work, m[0], out=out[0])
    np.subtract(m[1], m[2], out=work)
    np.subtract(work, m[3], out=out[1])


def collect(product, out):
    """Écrit Aᵀ m A dans ``out`` (C′, 2, 2, carrés, N), m étant (4, 4, C′, carrés, N)."""
    rows, work = np.empty((2, *product.shape[1:]), product.dtype), np.empty(product.shape[1:], product.dtype)
    sums(product, rows, work)
    for i in range(2):
        sums(rows[i], out[:, i].swapaxes(0, 1), work[0])


def spread(dy):
    """A dy Aᵀ des carrés 2 × 2 ``dy`` (C′, 2, 2, carrés, N) : (4, 4, C′, carrés, N)."""
    channels, _, _, *rest = dy.shape
    rows, out = np.empty((4, channels, 2, *rest), dy.dtype), np.empty((4, 4, channels, *rest), dy.dtype)
    alternate(dy.swapaxes(0, 1), rows)
    alternate(rows.transpose(2, 0, 1, *range(3, rows.ndim)), out.swapaxes(0, 1))
    return out


def alternate(y, out):
    """A y, pour deux tableaux y : y₀, y₀ + y₁, y₀ − y₁, −y₁."""
    np.copyto(out[0], y[0])
    np.add(y[0], y[1], out=out[1])
    np.subtract(y[0], y[1], out=out[2])
    np.negative(y[1], out=out[3])
