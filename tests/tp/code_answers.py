"""Des réponses d'élèves aux questions de code : au moins deux justes et trois fausses par question, avec l'extrait du message attendu."""

import math

import numpy as np

ACCEPTED, REJECTED = [], []


def accepted(question):
    def keep(function):
        ACCEPTED.append((question, function))
        return function
    return keep


def rejected(question, excerpt):
    def keep(function):
        REJECTED.append((question, function, excerpt))
        return function
    return keep


def stable_softmax(Y_tilde):
    e = np.exp(Y_tilde - Y_tilde.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# ── Chapitre 1 ───────────────────────────────────────────────────────────────


@accepted("perceptron-code-predict")
def predict_by_loop(X, w, b):
    answers = np.zeros(len(X), dtype=int)
    for n in range(len(X)):
        s = b
        for j in range(len(w)):
            s += w[j] * X[n, j]
        answers[n] = 1 if s >= 0 else 0
    return answers


@accepted("perceptron-code-predict")
def predict_by_where(X, w, b):
    return np.where(np.sum(X * w, axis=1) >= -b, 1.0, 0.0)


@rejected("perceptron-code-predict", "il faut `>=`")
def predict_strict(X, w, b):
    return np.array([int(x @ w + b > 0) for x in X])


@rejected("perceptron-code-predict", "booléens")
def predict_booleans(X, w, b):
    return X @ w + b >= 0


@rejected("perceptron-code-predict", "une liste ; attendu, un tableau NumPy")
def predict_list(X, w, b):
    return [int(x @ w + b >= 0) for x in X]


@rejected("perceptron-code-predict", "comparez composante par composante")
def predict_if(X, w, b):
    if X @ w + b >= 0:
        return 1
    return 0


@rejected("perceptron-code-predict", "Le biais n'est pas ajouté")
def predict_without_bias(X, w, b):
    return np.array([1 if np.dot(w, x) >= 0 else 0 for x in X])


@rejected("perceptron-code-predict", "un seul nombre ; attendu, un tableau")
def predict_first(X, w, b):
    for x in X:
        return int(w @ x + b >= 0)


@accepted("perceptron-code-epoch")
def epoch_by_cases(X, y, w, b):
    w, mistakes = w.copy(), 0
    for n in range(len(X)):
        y_hat = 1 if w @ X[n] + b >= 0 else 0
        if y_hat < y[n]:
            w += X[n]
            b += 1
            mistakes += 1
        elif y_hat > y[n]:
            w -= X[n]
            b -= 1
            mistakes += 1
    return w, b, mistakes


@accepted("perceptron-code-epoch")
def epoch_augmented(X, y, w, b):
    Z, u, mistakes = np.column_stack([np.ones(len(X)), X]), np.concatenate([[b], w]), 0
    for z, target in zip(Z, y):
        error = target - (z @ u >= 0)
        u, mistakes = u + error * z, mistakes + error**2
    return [u[1:], u[0], mistakes]


@rejected("perceptron-code-epoch", "après **chaque** erreur")
def epoch_in_one_go(X, y, w, b):
    error = y - (X @ w + b >= 0)
    return w + error @ X, b + error.sum(), np.count_nonzero(error)


@rejected("perceptron-code-epoch", "modifie son argument** `w`")
def epoch_in_place(X, y, w, b):
    mistakes = 0
    for x, target in zip(X, y):
        error = target - int(x @ w + b >= 0)
        w += error * x
        b += error
        mistakes += abs(error)
    return w, b, mistakes


@rejected("perceptron-code-epoch", "le biais n'apprend pas")
def epoch_frozen_bias(X, y, w, b):
    mistakes = 0
    for x, target in zip(X, y):
        error = target - int(x @ w + b >= 0)
        w = w + error * x
        mistakes += abs(error)
    return w, b, mistakes


@rejected("perceptron-code-epoch", "se compensent")
def epoch_signed_count(X, y, w, b):
    mistakes = 0
    for x, target in zip(X, y):
        error = target - int(x @ w + b >= 0)
        w, b, mistakes = w + error * x, b + error, mistakes + error
    return w, b, mistakes


@rejected("perceptron-code-epoch", "2 résultats, il en faut 3")
def epoch_two_results(X, y, w, b):
    return w, b


@rejected("perceptron-code-epoch", "signe de la correction")
def epoch_wrong_sign(X, y, w, b):
    mistakes = 0
    for x, target in zip(X, y):
        error = int(x @ w + b >= 0) - target
        w, b, mistakes = w + error * x, b + error, mistakes + abs(error)
    return w, b, mistakes


# ── Chapitre 2 ───────────────────────────────────────────────────────────────


@accepted("reseau-code-softmax")
def softmax_by_rows(Y_tilde):
    rows = []
    for row in Y_tilde:
        e = np.exp(row - max(row))
        rows.append(e / sum(e))
    return np.array(rows)


@accepted("reseau-code-softmax")
def softmax_by_logarithm(Y_tilde):
    shifted = (Y_tilde.T - Y_tilde.max(axis=1)).T
    return np.exp(shifted - np.log(np.exp(shifted).sum(axis=1))[:, None])


@rejected("reseau-code-softmax", "`exp` déborde")
def softmax_naive(Y_tilde):
    return np.array([np.exp(row) / np.exp(row).sum() for row in Y_tilde])


@rejected("reseau-code-softmax", "de **tout** le lot")
def softmax_global_maximum(Y_tilde):
    e = np.exp(Y_tilde - np.max(Y_tilde))
    return e / np.sum(e, axis=1, keepdims=True)


@rejected("reseau-code-softmax", "Mauvais **axe**")
def softmax_columns(Y_tilde):
    e = np.exp(Y_tilde - Y_tilde.max(axis=0))
    return e / e.sum(axis=0)


@rejected("reseau-code-softmax", "Deux tableaux de tailles incompatibles")
def softmax_without_keepdims(Y_tilde):
    return np.exp(Y_tilde) / np.exp(Y_tilde).sum(axis=1)


@rejected("reseau-code-softmax", "Une fonction de `math`")
def softmax_math(Y_tilde):
    return math.exp(Y_tilde)


@rejected("reseau-code-softmax", "modifie son argument** `Y_tilde`")
def softmax_in_place(Y_tilde):
    Y_tilde -= Y_tilde.max(axis=1, keepdims=True)
    return np.exp(Y_tilde) / np.exp(Y_tilde).sum(axis=1, keepdims=True)


@accepted("reseau-code-forward")
def forward_by_example(X, W_h, b_h, W_y, b_y):
    H, Y_hat = [], []
    for x in X:
        h = np.tanh(W_h @ x + b_h)
        e = W_y @ h + b_y
        e = np.exp(e - e.max())
        H.append(h)
        Y_hat.append(e / e.sum())
    return np.array(H), np.array(Y_hat)


@accepted("reseau-code-forward")
def forward_in_columns(X, W_h, b_h, W_y, b_y):
    H = np.tanh(W_h @ X.T + b_h[:, None])
    return H.T, stable_softmax((W_y @ H + b_y[:, None]).T)


@rejected("reseau-code-forward", "transposée")
def forward_without_transpose(X, W_h, b_h, W_y, b_y):
    H = np.tanh(X @ W_h + b_h)
    return H, stable_softmax(H @ W_y + b_y)


@rejected("reseau-code-forward", "n'a pas d'activation")
def forward_linear(X, W_h, b_h, W_y, b_y):
    H = X @ W_h.T + b_h
    return H, stable_softmax(H @ W_y.T + b_y)


@rejected("reseau-code-forward", "`exp` déborde quand les logits sont grands")
def forward_overflow(X, W_h, b_h, W_y, b_y):
    H = np.tanh(X @ W_h.T + b_h)
    e = np.exp(H @ W_y.T + b_y)
    return H, e / e.sum(axis=1, keepdims=True)


@rejected("reseau-code-forward", "pas dans l'ordre attendu : `return H, Y_hat`")
def forward_swapped(X, W_h, b_h, W_y, b_y):
    return forward_by_example(X, W_h, b_h, W_y, b_y)[::-1]


@rejected("reseau-code-forward", "ne renvoie rien")
def forward_silent(X, W_h, b_h, W_y, b_y):
    forward_by_example(X, W_h, b_h, W_y, b_y)


@rejected("reseau-code-forward", "un seul tableau. Attendu : `return H, Y_hat`")
def forward_only_output(X, W_h, b_h, W_y, b_y):
    return forward_by_example(X, W_h, b_h, W_y, b_y)[1]


@rejected("reseau-code-forward", "Une transposée manque, ou est de trop")
def forward_wrong_order(X, W_h, b_h, W_y, b_y):
    H = np.tanh(W_h @ X + b_h)
    return H, stable_softmax(W_y @ H + b_y)


@accepted("reseau-code-cross-entropy")
def cross_entropy_by_index(Y_tilde, Y):
    m = Y_tilde.max(axis=1)
    log_sum = m + np.log(np.exp(Y_tilde - m[:, None]).sum(axis=1))
    return np.mean(log_sum - Y_tilde[np.arange(len(Y)), Y.argmax(axis=1)])


@accepted("reseau-code-cross-entropy")
def cross_entropy_by_loop(Y_tilde, Y):
    total = 0.0
    for logits, y in zip(Y_tilde, Y):
        m = max(logits)
        total += m + math.log(sum(math.exp(u - m) for u in logits)) - logits @ y
    return total / len(Y)


@rejected("reseau-code-cross-entropy", "la **somme** des pertes")
def cross_entropy_sum(Y_tilde, Y):
    return cross_entropy_by_loop(Y_tilde, Y) * len(Y)


@rejected("reseau-code-cross-entropy", "divise par $N \\times n_y$")
def cross_entropy_mean_of_all(Y_tilde, Y):
    shifted = Y_tilde - Y_tilde.max(axis=1, keepdims=True)
    return -(Y * (shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))).mean()


@rejected("reseau-code-cross-entropy", "tant que les logits sont petits")
def cross_entropy_through_softmax(Y_tilde, Y):
    return -np.mean(np.sum(Y * np.log(stable_softmax(Y_tilde)), axis=1))


@rejected("reseau-code-cross-entropy", "Le **signe** est opposé")
def cross_entropy_sign(Y_tilde, Y):
    return -cross_entropy_by_loop(Y_tilde, Y)


@rejected("reseau-code-cross-entropy", "attendu, un seul nombre")
def cross_entropy_per_example(Y_tilde, Y):
    m = Y_tilde.max(axis=1, keepdims=True)
    return (m[:, 0] + np.log(np.exp(Y_tilde - m).sum(axis=1))) - (Y * Y_tilde).sum(axis=1)


# ── Chapitre 3 ───────────────────────────────────────────────────────────────


@accepted("retropropagation-code-backward")
def backward_by_example(X, Y, H, Y_hat, W_y):
    n_h, n_y = H.shape[1], Y.shape[1]
    grad_W_h, grad_b_h = np.zeros((n_h, X.shape[1])), np.zeros(n_h)
    grad_W_y, grad_b_y = np.zeros((n_y, n_h)), np.zeros(n_y)
    for x, y, h, y_hat in zip(X, Y, H, Y_hat):
        g = (y_hat - y) / len(X)
        grad_W_y += np.outer(g, h)
        grad_b_y += g
        g = np.where(h > 0, W_y.T @ g, 0)
        grad_W_h += np.outer(g, x)
        grad_b_h += g
    return grad_W_h, grad_b_h, grad_W_y, grad_b_y


@accepted("retropropagation-code-backward")
def backward_divided_at_the_end(X, Y, H, Y_hat, W_y):
    g = Y_hat - Y
    k = np.sign(H) * (g @ W_y)
    N = len(X)
    return k.T @ X / N, np.mean(k, axis=0), g.T @ H / N, np.mean(g, axis=0)


@rejected("retropropagation-code-backward", "une **ReLU**")
def backward_tanh(X, Y, H, Y_hat, W_y):
    g = (Y_hat - Y) / len(X)
    k = (g @ W_y) * (1 - H**2)
    return k.T @ X, k.sum(axis=0), g.T @ H, g.sum(axis=0)


@rejected("retropropagation-code-backward", "oublié la **dérivée** de l'activation")
def backward_without_slope(X, Y, H, Y_hat, W_y):
    g = (Y_hat - Y) / len(X)
    k = g @ W_y
    return k.T @ X, k.sum(axis=0), g.T @ H, g.sum(axis=0)


@rejected("retropropagation-code-backward", "$N$ fois trop grand")
def backward_sum(X, Y, H, Y_hat, W_y):
    g = Y_hat - Y
    k = (g @ W_y) * (H > 0)
    return k.T @ X, k.sum(axis=0), g.T @ H, g.sum(axis=0)


@rejected("retropropagation-code-backward", "il faut une **somme**, non une moyenne")
def backward_mean_of_mean(X, Y, H, Y_hat, W_y):
    g = (Y_hat - Y) / len(X)
    k = (g @ W_y) * (H > 0)
    return k.T @ X, k.mean(axis=0), g.T @ H, g.mean(axis=0)


@rejected("retropropagation-code-backward", "la prédiction moins la cible")
def backward_sign(X, Y, H, Y_hat, W_y):
    g = (Y - Y_hat) / len(X)
    k = (g @ W_y) * (H > 0)
    return k.T @ X, k.sum(axis=0), g.T @ H, g.sum(axis=0)


@rejected("retropropagation-code-backward", "une somme sur le mauvais **axe**")
def backward_axis(X, Y, H, Y_hat, W_y):
    g = (Y_hat - Y) / len(X)
    k = (g @ W_y) * (H > 0)
    return k.T @ X, k.sum(axis=1), g.T @ H, g.sum(axis=1)


@rejected("retropropagation-code-backward", "**transposée** ?")
def backward_transposed(X, Y, H, Y_hat, W_y):
    g = (Y_hat - Y) / len(X)
    k = (g @ W_y) * (H > 0)
    return k.T @ X, k.sum(axis=0), H.T @ g, g.sum(axis=0)


def deep_forward(X, weights, biases):
    values = [X]
    for W, b in zip(weights[:-1], biases[:-1]):
        values.append(np.tanh(values[-1] @ W.T + b))
    return values, stable_softmax(values[-1] @ weights[-1].T + biases[-1])


@accepted("retropropagation-code-profond")
def deep_reversed_at_the_end(X, Y, weights, biases):
    values, Y_hat = deep_forward(X, weights, biases)
    g, grad_W, grad_b = (Y_hat - Y) / len(X), [], []
    for l in reversed(range(len(weights))):
        grad_W.append(g.T @ values[l])
        grad_b.append(g.sum(axis=0))
        if l:
            g = (1 - values[l] ** 2) * (g @ weights[l])
    return grad_W[::-1], grad_b[::-1]


@accepted("retropropagation-code-profond")
def deep_recursive(X, Y, weights, biases, N=None):
    N = N or len(X)

    def descend(values, W, b):
        if len(W) == 1:
            g = (stable_softmax(values @ W[0].T + b[0]) - Y) / N
            return g @ W[0], [g.T @ values], [g.sum(axis=0)]
        H = np.tanh(values @ W[0].T + b[0])
        g, grad_W, grad_b = descend(H, W[1:], b[1:])
        g = g * (1 - H * H)
        return g @ W[0], [g.T @ values, *grad_W], [g.sum(axis=0), *grad_b]

    _, grad_W, grad_b = descend(X, weights, biases)
    return tuple(grad_W), tuple(grad_b)


@rejected("retropropagation-code-profond", "rangés de la sortie vers l'entrée")
def deep_unreversed(X, Y, weights, biases):
    grad_W, grad_b = deep_reversed_at_the_end(X, Y, weights, biases)
    return grad_W[::-1], grad_b[::-1]


@rejected("retropropagation-code-profond", "oublié la **dérivée** de $\\tanh$")
def deep_without_slope(X, Y, weights, biases):
    values, Y_hat = deep_forward(X, weights, biases)
    g, grad_W, grad_b = (Y_hat - Y) / len(X), [], []
    for W, H in zip(reversed(weights), reversed(values)):
        grad_W, grad_b = [g.T @ H, *grad_W], [g.sum(axis=0), *grad_b]
        g = g @ W
    return grad_W, grad_b


@rejected("retropropagation-code-profond", "La sortie n'a pas de $\\tanh$")
def deep_slope_at_the_output(X, Y, weights, biases):
    values, Y_hat = deep_forward(X, weights, biases)
    g, grad_W, grad_b = (Y_hat - Y) / len(X) * (1 - Y_hat**2), [], []
    for W, H in zip(reversed(weights), reversed(values)):
        grad_W, grad_b = [g.T @ H, *grad_W], [g.sum(axis=0), *grad_b]
        g = (g @ W) * (1 - H**2)
    return grad_W, grad_b


@rejected("retropropagation-code-profond", "$N$ fois trop grand")
def deep_sum(X, Y, weights, biases):
    grad_W, grad_b = deep_reversed_at_the_end(X, Y, weights, biases)
    return [len(X) * g for g in grad_W], [len(X) * g for g in grad_b]


@rejected("retropropagation-code-profond", "modifie son argument** `weights`")
def deep_consuming(X, Y, weights, biases):
    found = deep_reversed_at_the_end(X, Y, weights, biases)
    weights.reverse()
    return found


@rejected("retropropagation-code-profond", "un indice sort du tableau")
def deep_index(X, Y, weights, biases):
    return weights[len(weights)], biases


@accepted("retropropagation-code-differences")
def differences_on_a_copy(f, theta, eps):
    theta, gradient = theta.copy(), np.empty_like(theta)
    for index in np.ndindex(theta.shape):
        start = theta[index]
        theta[index] = start + eps
        above = f(theta)
        theta[index] = start - eps
        gradient[index] = (above - f(theta)) / (2 * eps)
        theta[index] = start
    return gradient


@accepted("retropropagation-code-differences")
def differences_put_back(f, theta, eps):
    gradient, flat = np.zeros(theta.size), theta.reshape(-1)
    for k in range(theta.size):
        flat[k] += eps
        above = f(theta)
        flat[k] -= 2 * eps
        gradient[k] = (above - f(theta)) / 2 / eps
        flat[k] += eps
    return gradient.reshape(theta.shape)


@rejected("retropropagation-code-differences", "différence **décentrée**")
def differences_forward(f, theta, eps):
    gradient, here = np.zeros_like(theta), f(theta)
    for index in np.ndindex(theta.shape):
        moved = theta.copy()
        moved[index] += eps
        gradient[index] = (f(moved) - here) / eps
    return gradient


@rejected("retropropagation-code-differences", "l'écart est $2\\varepsilon$")
def differences_half(f, theta, eps):
    return 2 * differences_on_a_copy(f, theta, eps)


@rejected("retropropagation-code-differences", "toute une **ligne**")
def differences_by_row(f, theta, eps):
    gradient = np.zeros_like(theta)
    for k in range(len(theta)):
        plus, minus = theta.copy(), theta.copy()
        plus[k] += eps
        minus[k] -= eps
        gradient[k] = (f(plus) - f(minus)) / (2 * eps)
    return gradient


@rejected("retropropagation-code-differences", "modifie son argument `theta`")
def differences_not_put_back(f, theta, eps):
    gradient = np.zeros_like(theta)
    for index in np.ndindex(theta.shape):
        theta[index] += eps
        above = f(theta)
        theta[index] -= 2 * eps
        gradient[index] = (above - f(theta)) / (2 * eps)
    return gradient


@rejected("retropropagation-code-differences", "est toujours nul")
def differences_alias(f, theta, eps):
    gradient = np.zeros_like(theta)
    for index in np.ndindex(theta.shape):
        plus = minus = theta.copy()
        plus[index] += eps
        minus[index] -= eps
        gradient[index] = (f(plus) - f(minus)) / (2 * eps)
    return gradient


# ── Chapitre 4 ───────────────────────────────────────────────────────────────


@accepted("descente-code-momentum")
def momentum_list(theta, v, grad, lr, momentum):
    new_v = grad + v * momentum
    new_theta = theta - new_v * lr
    return [new_theta, new_v]


@accepted("descente-code-momentum")
def momentum_on_copies(theta, v, grad, lr, momentum):
    theta, v = theta.copy(), v.copy()
    v *= momentum
    v += grad
    theta -= lr * v
    return theta, v


@rejected("descente-code-momentum", "l'**ancienne** vitesse")
def momentum_late(theta, v, grad, lr, momentum):
    theta = theta - lr * v
    return theta, momentum * v + grad


@rejected("descente-code-momentum", "c'est un déplacement")
def momentum_displacement(theta, v, grad, lr, momentum):
    v = momentum * v - lr * grad
    return theta + v, v


@rejected("descente-code-momentum", "modifie son argument** `theta`")
def momentum_in_place(theta, v, grad, lr, momentum):
    v = momentum * v + grad
    theta -= lr * v
    return theta, v


@rejected("descente-code-momentum", "**Nesterov**")
def momentum_nesterov(theta, v, grad, lr, momentum):
    v = momentum * v + grad
    return theta - lr * grad - lr * momentum * v, v


@rejected("descente-code-momentum", "Ce pas **monte**")
def momentum_up(theta, v, grad, lr, momentum):
    v = grad + momentum * v
    return lr * v + theta, v


@accepted("descente-code-adam")
def adam_fused(theta, m, v, grad, t, lr, beta1, beta2, eps):
    m = m + (1 - beta1) * (grad - m)
    v = v + (1 - beta2) * (grad * grad - v)
    step = lr * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    return theta - step * m / (np.sqrt(v) + eps * np.sqrt(1 - beta2**t)), m, v


@accepted("descente-code-adam")
def adam_by_component(theta, m, v, grad, t, lr, beta1, beta2, eps):
    theta, m, v = theta.copy(), m.copy(), v.copy()
    for k in np.ndindex(theta.shape):
        m[k] = beta1 * m[k] + (1 - beta1) * grad[k]
        v[k] = beta2 * v[k] + (1 - beta2) * grad[k] ** 2
        theta[k] -= lr * m[k] / (1 - beta1**t) / (math.sqrt(v[k] / (1 - beta2**t)) + eps)
    return theta, m, v


@rejected("descente-code-adam", "ne sont pas corrigées")
def adam_uncorrected(theta, m, v, grad, t, lr, beta1, beta2, eps):
    m, v = beta1 * m + (1 - beta1) * grad, beta2 * v + (1 - beta2) * grad**2
    return theta - lr * m / (np.sqrt(v) + eps), m, v


@rejected("descente-code-adam", "**avant** correction")
def adam_keeps_corrected(theta, m, v, grad, t, lr, beta1, beta2, eps):
    m, v = beta1 * m + (1 - beta1) * grad, beta2 * v + (1 - beta2) * grad**2
    m, v = m / (1 - beta1**t), v / (1 - beta2**t)
    return theta - lr * m / (np.sqrt(v) + eps), m, v


@rejected("descente-code-adam", "**après** la racine")
def adam_eps_inside(theta, m, v, grad, t, lr, beta1, beta2, eps):
    m, v = beta1 * m + (1 - beta1) * grad, beta2 * v + (1 - beta2) * grad**2
    return theta - lr * m / (1 - beta1**t) / np.sqrt(v / (1 - beta2**t) + eps), m, v


@rejected("descente-code-adam", "il manque le carré")
def adam_without_square(theta, m, v, grad, t, lr, beta1, beta2, eps):
    m, v = beta1 * m + (1 - beta1) * grad, beta2 * v + (1 - beta2) * grad
    return theta - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


@rejected("descente-code-adam", "3 arguments ; il en faut 9")
def adam_without_arguments(theta, grad, lr):
    return theta


# ── Chapitre 7 ───────────────────────────────────────────────────────────────


@accepted("svm-code-objectif")
def objective_by_loop(w, b, X, t, C):
    total = sum(c * c for c in w) / 2
    for x, label in zip(X, t):
        total += C * max(0, 1 - label * (sum(w * x) + b))
    return total


@accepted("svm-code-objectif")
def objective_by_slack(w, b, X, t, C):
    slack = 1 - t * (X @ w + b)
    return 0.5 * np.linalg.norm(w) ** 2 + C * slack[slack > 0].sum()


@rejected("svm-code-objectif", "La charnière veut une marge")
def objective_perceptron(w, b, X, t, C):
    return 0.5 * w @ w + C * np.maximum(0, -t * (X @ w + b)).sum()


@rejected("svm-code-objectif", "la **moyenne** des charnières")
def objective_mean(w, b, X, t, C):
    return 0.5 * w @ w + C * np.maximum(0, 1 - t * (X @ w + b)).mean()


@rejected("svm-code-objectif", "facteur $\\frac12$")
def objective_whole_norm(w, b, X, t, C):
    return w @ w + C * np.maximum(0, 1 - t * (X @ w + b)).sum()


@rejected("svm-code-objectif", "porte sur le **carré** de la norme")
def objective_norm(w, b, X, t, C):
    return 0.5 * np.sqrt(w @ w) + C * np.maximum(0, 1 - t * (X @ w + b)).sum()


@rejected("svm-code-objectif", "attendu, un seul nombre")
def objective_vector(w, b, X, t, C):
    return 0.5 * w @ w + C * np.maximum(0, 1 - t * (X @ w + b))


@accepted("svm-code-noyau")
def kernel_by_differences(X, Z, gamma):
    gap = X[:, None, :] - Z[None, :, :]
    return np.exp(-gamma * np.sum(gap**2, axis=2))


@accepted("svm-code-noyau")
def kernel_by_row(X, Z, gamma):
    return np.array([np.exp(-gamma * ((x - Z) ** 2).sum(axis=1)) for x in X])


@rejected("svm-code-noyau", "n'est pas élevée au **carré**")
def kernel_norm(X, Z, gamma):
    return np.exp(-gamma * np.linalg.norm(X[:, None] - Z, axis=2))


@rejected("svm-code-noyau", "**décroître** quand la distance augmente")
def kernel_growing(X, Z, gamma):
    return np.exp(gamma * np.sum((X[:, None] - Z) ** 2, axis=2))


@rejected("svm-code-noyau", "une **transposée** ?")
def kernel_transposed(X, Z, gamma):
    return np.exp(-gamma * np.sum((Z[:, None] - X) ** 2, axis=2))


@rejected("svm-code-noyau", "une somme le long d'un axe manque-t-elle")
def kernel_unsummed(X, Z, gamma):
    return np.exp(-gamma * (X[:, None] - Z) ** 2)


@rejected("svm-code-noyau", "facteur 2 du produit scalaire")
def kernel_without_two(X, Z, gamma):
    return np.exp(-gamma * ((X**2).sum(1)[:, None] - X @ Z.T + (Z**2).sum(1)))


# ── Chapitre 5 ───────────────────────────────────────────────────────────────


@accepted("initialisation-code-he")
def he_by_interpolation(u):
    bound = (6 / len(u[0])) ** 0.5
    return np.interp(u, [0, 1], [-bound, bound])


@accepted("initialisation-code-he")
def he_by_standard_deviation(u):
    centered = (u - 0.5) * np.sqrt(12)
    return centered * np.sqrt(2 / u.shape[-1])


@rejected("initialisation-code-he", "écart-type")
def he_bound_is_the_standard_deviation(u):
    return (2 * u - 1) * (2 / u.shape[1]) ** 0.5


@rejected("initialisation-code-he", "**Glorot**")
def he_with_glorot(u):
    n_out, n_in = u.shape
    return (2 * u - 1) * math.sqrt(6 / (n_in + n_out))


@rejected("initialisation-code-he", "`u.shape[1]`")
def he_with_the_wrong_axis(u):
    return (2 * u - 1) * math.sqrt(6 / len(u))


@rejected("initialisation-code-he", "**nulle**")
def he_not_centered(u):
    return u * math.sqrt(6 / u.shape[1])


# ── Chapitre 6 ───────────────────────────────────────────────────────────────


@accepted("regularisation-code-abandon")
def dropout_by_where(H, u, p):
    return np.where(u < p, 0.0, H / (1 - p))


@accepted("regularisation-code-abandon")
def dropout_by_loop(H, u, p):
    y = np.zeros(H.shape)
    for n in range(H.shape[0]):
        for j in range(H.shape[1]):
            if u[n, j] >= p:
                y[n, j] = H[n, j] / (1 - p)
    return y


@rejected("regularisation-code-abandon", "**agrandies**")
def dropout_without_scale(H, u, p):
    return H * (u >= p)


@rejected("regularisation-code-abandon", "**diviser**")
def dropout_shrunk(H, u, p):
    return H * (u >= p) * (1 - p)


@rejected("regularisation-code-abandon", "**abandonner**")
def dropout_reversed(H, u, p):
    return H * (u < p) / (1 - p)


# ── Chapitre 7 ───────────────────────────────────────────────────────────────


@accepted("normalisation-code-avant")
def batch_norm_by_hand(X, gamma, beta, eps):
    mean = X.sum(0) / len(X)
    variance = ((X - mean) ** 2).sum(0) / len(X)
    return gamma * ((X - mean) * (variance + eps) ** -0.5) + beta


@accepted("normalisation-code-avant")
def batch_norm_by_moments(X, gamma, beta, eps):
    scale = gamma / np.sqrt(np.mean(X**2, axis=0) - np.mean(X, axis=0) ** 2 + eps)
    return X * scale + (beta - np.mean(X, axis=0) * scale)


@rejected("normalisation-code-avant", "chaque **exemple**")
def batch_norm_by_rows(X, gamma, beta, eps):
    x_hat = (X - X.mean(1, keepdims=True)) / np.sqrt(X.var(1, keepdims=True) + eps)
    return gamma * x_hat + beta


@rejected("normalisation-code-avant", "$N - 1$")
def batch_norm_unbiased(X, gamma, beta, eps):
    return gamma * (X - X.mean(0)) / np.sqrt(X.var(0, ddof=1) + eps) + beta


@rejected("normalisation-code-avant", "**sous** la racine")
def batch_norm_eps_outside(X, gamma, beta, eps):
    return gamma * (X - X.mean(0)) / (X.std(0) + eps) + beta


@rejected("normalisation-code-avant", "**racine**")
def batch_norm_by_variance(X, gamma, beta, eps):
    return gamma * (X - X.mean(0)) / (X.var(0) + eps) + beta


# ── Chapitre 10 ──────────────────────────────────────────────────────────────


def logistic(x):
    return 1 / (1 + np.exp(-x))


def dbn_forward(X, weights, biases):
    values = [X]
    for W, b in zip(weights[:-1], biases[:-1]):
        values.append(logistic(values[-1] @ W.T + b))
    return values[1:], stable_softmax(values[-1] @ weights[-1].T + biases[-1])


@accepted("preentrainement-code-softmax")
def calcul_softmax_by_rows(H, W, b):
    return np.array([np.exp(s - s.max()) / np.exp(s - s.max()).sum() for s in (W @ h + b for h in H)])


@accepted("preentrainement-code-softmax")
def calcul_softmax_by_logarithm(H, W, b):
    Y_tilde = H @ W.T + b
    return np.exp(Y_tilde - np.logaddexp.reduce(Y_tilde, axis=1, keepdims=True))


@rejected("preentrainement-code-softmax", "pas pour somme 1")
def calcul_softmax_sigmoid(H, W, b):
    return 0.5 * (1 + np.tanh(0.5 * (H @ W.T + b)))


@rejected("preentrainement-code-softmax", "les logits")
def calcul_softmax_logits(H, W, b):
    return H @ W.T + b


@rejected("preentrainement-code-softmax", "**axe**")
def calcul_softmax_columns(H, W, b):
    return stable_softmax((H @ W.T + b).T).T


@rejected("preentrainement-code-softmax", "déborde")
def calcul_softmax_naive(H, W, b):
    e = np.exp(H @ W.T + b)
    return e / e.sum(axis=1)[:, None]


@accepted("preentrainement-code-reseau")
def entree_sortie_by_values(X, weights, biases):
    return dbn_forward(X, weights, biases)


@accepted("preentrainement-code-reseau")
def entree_sortie_by_loop(X, weights, biases):
    layers = []
    for rank in range(len(weights)):
        X = X @ weights[rank].T + biases[rank]
        if rank < len(weights) - 1:
            X = 0.5 * (1 + np.tanh(X / 2))
            layers.append(X)
    return layers, stable_softmax(X)


@rejected("preentrainement-code-reseau", "**sigmoïde**")
def entree_sortie_tanh(X, weights, biases):
    layers = []
    for W, b in zip(weights[:-1], biases[:-1]):
        X = np.tanh(X @ W.T + b)
        layers.append(X)
    return layers, stable_softmax(X @ weights[-1].T + biases[-1])


@rejected("preentrainement-code-reseau", "**classification**")
def entree_sortie_sigmoid_output(X, weights, biases):
    layers, _ = dbn_forward(X, weights, biases)
    last = layers[-1] if layers else X
    return layers, 0.5 * (1 + np.tanh(0.5 * (last @ weights[-1].T + biases[-1])))


@rejected("preentrainement-code-reseau", "couches **cachées**")
def entree_sortie_with_input(X, weights, biases):
    layers, Y_hat = dbn_forward(X, weights, biases)
    return [X] + layers, Y_hat


@accepted("preentrainement-code-retropropagation")
def pas_by_lists(X, Y, weights, biases, lr):
    layers, Y_hat = dbn_forward(X, weights, biases)
    values, grad = [X] + layers, (Y_hat - Y) / len(X)
    new_weights, new_biases = list(weights), list(biases)
    for rank in range(len(weights) - 1, -1, -1):
        new_weights[rank] = weights[rank] - lr * grad.T @ values[rank]
        new_biases[rank] = biases[rank] - lr * grad.sum(axis=0)
        grad = grad @ weights[rank] * values[rank] * (1 - values[rank])
    return new_weights, new_biases


@accepted("preentrainement-code-retropropagation")
def pas_by_images(X, Y, weights, biases, lr):
    new_weights, new_biases = [W.copy() for W in weights], [b.copy() for b in biases]
    for x, y in zip(X, Y):
        layers, y_hat = dbn_forward(x[None], weights, biases)
        values, grad = [x] + [layer[0] for layer in layers], y_hat[0] - y
        for rank in range(len(weights) - 1, -1, -1):
            new_weights[rank] -= lr / len(X) * np.outer(grad, values[rank])
            new_biases[rank] -= lr / len(X) * grad
            grad = weights[rank].T @ grad * values[rank] * (1 - values[rank])
    return new_weights, new_biases


@rejected("preentrainement-code-retropropagation", "**montez**")
def pas_ascending(X, Y, weights, biases, lr):
    return pas_by_lists(X, Y, weights, biases, -lr)


@rejected("preentrainement-code-retropropagation", "$N$ fois trop grand")
def pas_without_mean(X, Y, weights, biases, lr):
    return pas_by_lists(X, Y, weights, biases, lr * len(X))


@rejected("preentrainement-code-retropropagation", "**déjà changés**")
def pas_with_new_weights(X, Y, weights, biases, lr):
    layers, Y_hat = dbn_forward(X, weights, biases)
    values, grad = [X] + layers, (Y_hat - Y) / len(X)
    new_weights, new_biases = list(weights), list(biases)
    for rank in range(len(weights) - 1, -1, -1):
        new_weights[rank] = weights[rank] - lr * grad.T @ values[rank]
        new_biases[rank] = biases[rank] - lr * grad.sum(axis=0)
        grad = grad @ new_weights[rank] * values[rank] * (1 - values[rank])
    return new_weights, new_biases


@accepted("preentrainement-code-test")
def test_by_count(X, y, weights, biases):
    return sum(int(row.argmax() != label) for row, label in zip(dbn_forward(X, weights, biases)[1], y)) / len(y)


@accepted("preentrainement-code-test")
def test_from_logits(X, y, weights, biases):
    layers, _ = dbn_forward(X, weights, biases)
    return 1 - np.mean(np.argmax(layers[-1] @ weights[-1].T + biases[-1], axis=1) == y)


@rejected("preentrainement-code-test", "**bien**")
def test_accuracy(X, y, weights, biases):
    return np.mean(dbn_forward(X, weights, biases)[1].argmax(axis=1) == y)


@rejected("preentrainement-code-test", "le nombre d'images")
def test_number(X, y, weights, biases):
    return np.sum(dbn_forward(X, weights, biases)[1].argmax(axis=1) != y)


@rejected("preentrainement-code-test", "par `argmax`")
def test_mean_probability(X, y, weights, biases):
    return np.mean([1 - row[label] for row, label in zip(dbn_forward(X, weights, biases)[1], y)])


# ── Chapitre 9 ───────────────────────────────────────────────────────────────


@accepted("croyances-code-train")
def train_stack_by_loop(X, sizes, train_RBM):
    machines, data = [], X
    for q in sizes:
        machines.append(train_RBM(data, q))
        data = logistic(data @ machines[-1][0].T + machines[-1][2])
    return [m[0] for m in machines], [m[1] for m in machines], [m[2] for m in machines]


@accepted("croyances-code-train")
def train_stack_by_recursion(X, sizes, train_RBM):
    if not sizes:
        return [], [], []
    W, b, c = train_RBM(X, sizes[0])
    rest = train_stack_by_recursion(0.5 + 0.5 * np.tanh(0.5 * (X @ W.T + c)), sizes[1:], train_RBM)
    return tuple([first, *others] for first, others in zip((W, b, c), rest))


@rejected("croyances-code-train", "ce que **cache** la première")
def train_stack_on_images(X, sizes, train_RBM):
    machines = [train_RBM(X, q) for q in sizes]
    return tuple(list(part) for part in zip(*machines))


@rejected("croyances-code-train", "il manque la sigmoïde")
def train_stack_on_activations(X, sizes, train_RBM):
    machines = []
    for q in sizes:
        machines.append(train_RBM(X, q))
        X = X @ machines[-1][0].T + machines[-1][2]
    return tuple(list(part) for part in zip(*machines))


@rejected("croyances-code-train", "**probabilités**")
def train_stack_on_bits(X, sizes, train_RBM):
    machines = []
    for q in sizes:
        machines.append(train_RBM(X, q))
        X = np.round(logistic(X @ machines[-1][0].T + machines[-1][2]))
    return tuple(list(part) for part in zip(*machines))


@rejected("croyances-code-train", "celui des visibles")
def train_stack_with_visible_bias(X, sizes, train_RBM):
    machines = []
    for q in sizes:
        W, b, c = train_RBM(X, q)
        machines.append((W, b, c))
        X = logistic(X @ W.T + b)
    return tuple(list(part) for part in zip(*machines))


@rejected("croyances-code-train", "du sommet vers le bas")
def train_stack_reversed(X, sizes, train_RBM):
    weights, visible_biases, hidden_biases = train_stack_by_loop(X, sizes, train_RBM)
    return weights[::-1], visible_biases[::-1], hidden_biases[::-1]


@accepted("croyances-code-generer")
def generate_by_two_loops(V, weights, visible_biases, hidden_biases, n_steps, tirage):
    for _ in range(n_steps):
        H = tirage(logistic(V @ weights[-1].T + hidden_biases[-1]))
        V = tirage(logistic(H @ weights[-1] + visible_biases[-1]))
    for rank in range(len(weights) - 2, -1, -1):
        V = tirage(logistic(V @ weights[rank] + visible_biases[rank]))
    return V


@accepted("croyances-code-generer")
def generate_by_slices(V, weights, visible_biases, hidden_biases, n_steps, tirage):
    *below, top = zip(weights, visible_biases, hidden_biases)
    W, b, c = top
    for _ in range(n_steps):
        V = tirage(logistic(tirage(logistic(V @ W.T + c)) @ W + b))
    for W, b, _ in below[::-1]:
        V = tirage(logistic(V @ W + b))
    return V


@rejected("croyances-code-generer", "**descendez** pas")
def generate_without_descent(V, weights, visible_biases, hidden_biases, n_steps, tirage):
    return generate_by_two_loops(V, weights[-1:], visible_biases[-1:], hidden_biases[-1:], n_steps, tirage)


@rejected("croyances-code-generer", "la seule machine qui dise")
def generate_without_gibbs(V, weights, visible_biases, hidden_biases, n_steps, tirage):
    return generate_by_two_loops(V, weights, visible_biases, hidden_biases, 0, tirage)


@rejected("croyances-code-generer", "manque un pas")
def generate_one_step_less(V, weights, visible_biases, hidden_biases, n_steps, tirage):
    return generate_by_two_loops(V, weights, visible_biases, hidden_biases, n_steps - 1, tirage)


@rejected("croyances-code-generer", "sans les tirer en chemin")
def generate_by_means(V, weights, visible_biases, hidden_biases, n_steps, tirage):
    V = generate_without_descent(V, weights, visible_biases, hidden_biases, n_steps, tirage)
    for W, b in zip(weights[-2::-1], visible_biases[-2::-1]):
        V = logistic(V @ W + b)
    return tirage(V) if len(weights) > 1 else V


@rejected("croyances-code-generer", "des **probabilités**. On demande")
def generate_probabilities(V, weights, visible_biases, hidden_biases, n_steps, tirage):
    draws = 2 * n_steps + len(weights) - 1
    def but_last(P):
        nonlocal draws
        draws -= 1
        return tirage(P) if draws else P
    return generate_by_two_loops(V, weights, visible_biases, hidden_biases, n_steps, but_last)


@rejected("croyances-code-generer", "de **trop**")
def generate_down_twice(V, weights, visible_biases, hidden_biases, n_steps, tirage):
    V = generate_without_descent(V, weights, visible_biases, hidden_biases, n_steps, tirage)
    V = tirage(logistic(V @ weights[-1].T + hidden_biases[-1]))
    for W, b in zip(weights[::-1], visible_biases[::-1]):
        V = tirage(logistic(V @ W + b))
    return V


# ── Chapitre 8 ───────────────────────────────────────────────────────────────


def logistic(x):
    return 1 / (1 + np.exp(-x))


@accepted("boltzmann-code-cachees")
def hidden_by_loop(W, b, c, X):
    p = np.empty((len(X), len(W)))
    for n in range(len(X)):
        for j in range(len(W)):
            p[n, j] = logistic(c[j] + W[j] @ X[n])
    return p


@accepted("boltzmann-code-cachees")
def hidden_by_tanh(W, b, c, X):
    return 0.5 + 0.5 * np.tanh((W @ X.T + c[:, None]) / 2).T


@rejected("boltzmann-code-cachees", "**biais** des unités cachées")
def hidden_without_bias(W, b, c, X):
    return logistic(np.dot(X, W.T))


@rejected("boltzmann-code-cachees", "**potentiels**")
def hidden_potential(W, b, c, X):
    return X @ W.T + c


@rejected("boltzmann-code-cachees", "à **transposer**")
def hidden_transposed(W, b, c, X):
    return logistic(X @ W + c)


@rejected("boltzmann-code-cachees", "**visibles**")
def hidden_with_visible_bias(W, b, c, X):
    return logistic((X + b) @ W.T + c)


@rejected("boltzmann-code-cachees", "**tranchez**")
def hidden_rounded(W, b, c, X):
    return (logistic(X @ W.T + c) > 0.5).astype(float)


@accepted("boltzmann-code-visibles")
def visible_by_rows(W, b, c, H):
    return np.array([logistic(b + W.T @ h) for h in H])


@accepted("boltzmann-code-visibles")
def visible_by_einsum(W, b, c, H):
    return logistic(np.einsum("nq,qp->np", H, W) + b)


@rejected("boltzmann-code-visibles", "**biais** des unités visibles")
def visible_without_bias(W, b, c, H):
    return logistic(H @ W)


@rejected("boltzmann-code-visibles", "sans transposée")
def visible_transposed(W, b, c, H):
    return logistic(H @ W.T + b)


@rejected("boltzmann-code-visibles", "**cachées**")
def visible_with_hidden_bias(W, b, c, H):
    return logistic(H @ W + c)


def contrastive_step(W, b, c, X, u_h, u_v, lr, share=True, sign=1, drawn_h=True, drawn_v=True):
    H = logistic(X @ W.T + c)
    V = logistic(((u_h < H) * 1.0 if drawn_h else H) @ W + b)
    V = np.where(u_v < V, 1.0, 0.0) if drawn_v else V
    H_v = logistic(V @ W.T + c)
    scale = sign * lr / (len(X) if share else 1)
    return W + scale * (H.T @ X - H_v.T @ V), b + scale * np.sum(X - V, 0), c + scale * np.sum(H - H_v, 0)


@accepted("boltzmann-code-apprendre")
def epoch_by_steps(W, b, c, batches, lr):
    for X, u_h, u_v in batches:
        W, b, c = contrastive_step(W, b, c, X, u_h, u_v, lr)
    return W, b, c


@accepted("boltzmann-code-apprendre")
def epoch_by_images(W, b, c, batches, lr):
    for X, u_h, u_v in batches:
        dW, db, dc = np.zeros_like(W), np.zeros_like(b), np.zeros_like(c)
        for x, r, s in zip(X, u_h, u_v):
            h = logistic(c + W @ x)
            v = 1.0 * (s < logistic(b + W.T @ (r < h)))
            h_v = logistic(c + W @ v)
            dW, db, dc = dW + np.outer(h, x) - np.outer(h_v, v), db + x - v, dc + h - h_v
        W, b, c = W + lr * dW / len(X), b + lr * db / len(X), c + lr * dc / len(X)
    return W, b, c


@rejected("boltzmann-code-apprendre", "$1/N$")
def epoch_summed(W, b, c, batches, lr):
    for batch in batches:
        W, b, c = contrastive_step(W, b, c, *batch, lr, share=False)
    return W, b, c


@rejected("boltzmann-code-apprendre", "mauvais **sens**")
def epoch_downwards(W, b, c, batches, lr):
    for batch in batches:
        W, b, c = contrastive_step(W, b, c, *batch, lr, sign=-1)
    return W, b, c


@rejected("boltzmann-code-apprendre", "Rien n'est tiré")
def epoch_without_draws(W, b, c, batches, lr):
    for batch in batches:
        W, b, c = contrastive_step(W, b, c, *batch, lr, drawn_h=False, drawn_v=False)
    return W, b, c


@rejected("boltzmann-code-apprendre", "part des **probabilités**")
def epoch_without_hidden_draws(W, b, c, batches, lr):
    for batch in batches:
        W, b, c = contrastive_step(W, b, c, *batch, lr, drawn_h=False)
    return W, b, c


@rejected("boltzmann-code-apprendre", "le **premier**")
def epoch_of_one_batch(W, b, c, batches, lr):
    for batch in batches:
        return contrastive_step(W, b, c, *batch, lr)


@rejected("boltzmann-code-apprendre", "modifie son argument")
def epoch_in_place(W, b, c, batches, lr):
    for batch in batches:
        W_new, b_new, c_new = contrastive_step(W, b, c, *batch, lr)
        W[:], b[:], c[:] = W_new, b_new, c_new
    return W, b, c


@accepted("boltzmann-code-engendrer")
def chain_by_index(W, b, c, V, u_h, u_v):
    for t in range(len(u_h)):
        H = np.where(logistic(V @ W.T + c) > u_h[t], 1.0, 0.0)
        V = np.where(logistic(H @ W + b) > u_v[t], 1.0, 0.0)
    return V


@accepted("boltzmann-code-engendrer")
def chain_by_images(W, b, c, V, u_h, u_v):
    images = []
    for n, v in enumerate(V):
        for r, s in zip(u_h[:, n], u_v[:, n]):
            h = r < logistic(W @ v + c)
            v = s < logistic(W.T @ h + b)
        images.append(v)
    return np.array(images, dtype=float)


@rejected("boltzmann-code-engendrer", "déterministe")
def chain_without_draws(W, b, c, V, u_h, u_v):
    for _ in u_h:
        V = logistic(logistic(V @ W.T + c) @ W + b)
    return V


@rejected("boltzmann-code-engendrer", "**probabilités** du dernier pas")
def chain_of_probabilities(W, b, c, V, u_h, u_v):
    for r, s in zip(u_h, u_v):
        p = logistic((r < logistic(V @ W.T + c)) @ W + b)
        V = (s < p).astype(float)
    return p


@rejected("boltzmann-code-engendrer", "**un pas**")
def chain_of_one_step(W, b, c, V, u_h, u_v):
    for r, s in zip(u_h, u_v):
        return ((s < logistic((r < logistic(V @ W.T + c)) @ W + b))).astype(float)


@rejected("boltzmann-code-engendrer", "image de **départ**")
def chain_that_restarts(W, b, c, V, u_h, u_v):
    for r, s in zip(u_h, u_v):
        image = ((s < logistic((r < logistic(V @ W.T + c)) @ W + b))).astype(float)
    return image
