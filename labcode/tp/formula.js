/*
 * Les formules de l'élève : une petite grammaire, lue par nos soins (jamais
 * `eval`), évaluée en des points tirés au hasard et comparée à la référence.
 *
 * Conventions de calcul, celles du livre :
 * - un vecteur déclaré [n] est une COLONNE (n × 1) : `W @ x` est un vecteur,
 *   `u @ v.T` (ou `outer(u, v)`) une matrice, `u.T @ v` un nombre ;
 * - `u @ v`, pour deux vecteurs de même taille, est leur produit scalaire, comme
 *   dans NumPy ; en revanche `v @ W` est refusé : on écrit `W.T @ v` ;
 * - `*` (⊙, ·, ×), `/`, `+`, `-`, `^` opèrent composante par composante ; un nombre
 *   s'ajoute à tout ; un vecteur [n] s'ajoute à chaque ligne d'une matrice (m × n),
 *   comme un tableau NumPy, sinon à chaque colonne d'une matrice (n × m) ;
 * - `sum(X, 0)` additionne les lignes, `sum(X, 1)` les colonnes ; `softmax` d'une
 *   matrice opère ligne par ligne ; `max(a, b)` est le plus grand des deux,
 *   `max(X, axis=1)` le plus grand de chaque ligne.
 *
 * Toute valeur est une matrice {r, c, data} (lignes, colonnes, valeurs ligne par
 * ligne) ; un nombre est 1 × 1, un vecteur n × 1.
 */

const LIMITS = { length: 500, tokens: 250, depth: 40 };
const POINTS = 6; // points de comparaison
const COMBINATIONS = 32; // jusque-là, toutes les combinaisons des nombres 0/1 ou ±1 sont essayées
const MIN_POINTS = 3; // en deçà, la référence est trop rarement définie
const DRAWS = 60; // tirages au plus, ceux où la référence n'est pas définie étant écartés

/** Erreur destinée à l'élève. `kind` : "syntax" (illisible) ou "shape" (tailles). */
class FormulaError extends Error {
  constructor(message, kind = "syntax") {
    super(message);
    this.kind = kind;
  }
}

// ── Lecture ────────────────────────────────────────────────────────────────

// Ce que Word ou un PDF écrit autrement sans que cela se voie : italiques mathématiques, pleine chasse.
const TYPEFACES = /[\u{1D400}-\u{1D7FF}\u2100-\u214F\uFF01-\uFF5E\u00B5\u03D0-\u03F6]/gu;
const GREEK = {
  α: "alpha", β: "beta", γ: "gamma", δ: "delta", ε: "epsilon", η: "lr", θ: "theta", λ: "lambda", μ: "mu", ξ: "xi",
  ρ: "rho", σ: "sigmoid", φ: "phi", Σ: "sum", "∑": "sum",
};
const plain = (typed) => typed.normalize("NFKC").replace("−", "-").replaceAll("γ", "y");
// L'espace après un exposant l'empêche de se coller à la suite : « wᵀx », « x²,0 ».
const SPELLINGS = [
  [/\b\d+(?:['’]\d{3})+\b/, (typed) => typed.replace(/['’]/g, "")],
  [/∇_?/, "grad_"],
  [/ŷ/, "y_hat"], [/Ŷ/, "Y_hat"], [/ỹ/, "y_tilde"], [/Ỹ/, "Y_tilde"],
  [/h\u0303/, "h_tilde"], [/H\u0303/, "H_tilde"],
  [/[αβγδεηθλμξρσφΣ∑]/, (typed) => GREEK[typed]],
  [/[₀-₉]/, plain],
  [/_?[ₐ-ₜᵢᵣᵤᵥᵧ]+/, (typed) => `_${plain(typed.replace("_", ""))}`],
  [/[−‐-―]/, "-"], [/[×·∙⋅∗⊙⨀∘]/, "*"], [/÷/, "/"], [/√/, "sqrt "], [/[’‘′]/, "'"],
  [/\^?[ᵀ⊤]/, ".T "], [/[⁺⁻]?[⁰¹²³⁴-⁹]+/, (typed) => `^${plain(typed)} `], [/≥/, ">="], [/≤/, "<="],
  [/\b(?:np|numpy)\.(?:linalg\.)?(?=\p{L})/, ""],
];
const PIECE = new RegExp([...SPELLINGS.map(([{ source }]) => `(${source})`), "[^]"].join("|"), "gu");

/** Le texte en écriture simple, et `typed(début, fin)` : ce que l'élève a tapé à cet endroit. */
function respell(text) {
  const legible = text.replace(TYPEFACES, (character) => character.normalize("NFKC")).replace(/\p{Cf}/gu, "").normalize("NFC");
  let source = "";
  const [starts, ends] = [[], []];
  for (const match of legible.matchAll(PIECE)) {
    const { 0: typed, index } = match;
    const rank = match.findIndex((group, k) => k > 0 && group !== undefined);
    const spelling = rank > 0 ? SPELLINGS[rank - 1][1] : typed;
    const piece = typeof spelling === "function" ? spelling(typed) : spelling;
    source += piece;
    starts.push(...Array(piece.length).fill(index));
    ends.push(...Array(piece.length).fill(index + typed.length));
  }
  return { source, typed: (start, end) => legible.slice(starts[start], ends[end - 1]) };
}

const TOKEN = new RegExp(
  [
    "(?<space>\\s+)",
    "(?<num>(?:\\d+(?:\\.(?!\\s*T(?![\\p{L}\\p{N}_]))\\d*)?|\\.\\d+)(?:[eE][+-]?\\d+)?)",
    "(?<transpose>\\.\\s*T(?![\\p{L}\\p{N}_])|')",
    "(?<method>\\.\\s*\\p{L}[\\p{L}\\p{N}_]*)",
    "(?<name>[\\p{L}_][\\p{L}\\p{M}\\p{N}_]*)",
    "(?<op>\\*\\*|>=|<=|[-+*/^@(),;<>=])",
  ].join("|"),
  "uy",
);

function tokenize(text) {
  if (text.length > LIMITS.length) {
    throw new FormulaError(`Cette formule est trop longue (${LIMITS.length} caractères au plus).`);
  }
  const { source, typed } = respell(text);
  const tokens = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.length) {
    const start = TOKEN.lastIndex;
    const match = TOKEN.exec(source);
    if (!match) {
      const character = typed(start, start + 1);
      const code = `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
      const shown = /^\p{C}/u.test(character) ? `invisible ${code}` : `« ${character} »`;
      throw new FormulaError(`Le caractère ${shown} n’a pas de sens dans une formule.`);
    }
    const { space, num, transpose, method, name, op } = match.groups;
    if (space) continue;
    const token = { text: match[0], typed: typed(start, TOKEN.lastIndex), start, end: TOKEN.lastIndex };
    if (num) Object.assign(token, { type: "num", value: Number(num) });
    else if (transpose) Object.assign(token, { type: "op", text: ".T" });
    else if (method) Object.assign(token, { type: "method", text: method.slice(1).trim() });
    else if (name) token.type = "name";
    else Object.assign(token, { type: "op", text: op === "**" ? "^" : op });
    tokens.push(token);
    if (tokens.length > LIMITS.tokens) throw new FormulaError("Cette formule est trop longue.");
  }
  tokens.push({ type: "end", text: "", typed: "", start: source.length, end: source.length });
  return { tokens, typed };
}

/** Priorités de lecture et d'écriture : plus c'est grand, plus cela lie. */
export const PRIORITY = { "<": 5, ">": 5, "<=": 5, ">=": 5, "+": 10, "-": 10, "*": 20, "/": 20, "@": 20, "^": 30 };
export const NEGATION = 25;
export const POSTFIX = 40;

/** Analyse descendante avec priorités : le texte devient un arbre. */
class Parser {
  constructor(text, names) {
    const { tokens, typed } = tokenize(text);
    this.tokens = tokens;
    this.typed = typed;
    this.names = names;
    this.index = 0;
    this.depth = 0;
  }

  get token() {
    return this.tokens[this.index];
  }

  is(...operators) {
    return this.token.type === "op" && operators.includes(this.token.text);
  }

  expect(operator) {
    if (!this.is(operator)) {
      const found = this.token.type === "end" ? "la formule s’arrête" : `on lit « ${this.token.typed} »`;
      throw new FormulaError(
        operator === ")" ? `Il manque une parenthèse fermante : ${found}.` : `On attend « ${operator} », mais ${found}.`,
      );
    }
    this.index++;
  }

  parse() {
    const equal = this.tokens.findIndex(({ text }) => text === "=");
    if (equal >= 0 && this.tokens[equal - 1]?.text !== "axis") {
      throw new FormulaError("Écrivez seulement le membre de droite, sans le signe =.");
    }
    const tree = this.expression(0);
    if (this.is(")")) throw new FormulaError("Il y a une parenthèse fermante de trop.");
    if (this.is(";")) throw new FormulaError("Le point-virgule sépare les arguments d’une fonction : il est ici de trop.");
    if (this.is(",")) {
      throw new FormulaError("Une virgule sépare les arguments d’une fonction, ou les décimales d’un nombre écrit sans espace (0,5).");
    }
    if (this.token.type !== "end") this.missingOperator();
    return tree;
  }

  missingOperator() {
    const transposed = this.index > 1 && this.tokens[this.index - 1].text === ".T";
    const first = this.tokens[this.index - (transposed ? 2 : 1)];
    throw new FormulaError(
      `On ne comprend pas « ${this.typed(first.start, this.token.end)} » : il manque un opérateur, * (composante par composante) ou @ (produit matriciel).`,
    );
  }

  expression(minimum, axisFunction = false) {
    if (++this.depth > LIMITS.depth) throw new FormulaError("Cette formule est trop imbriquée.");
    let left = this.prefix(axisFunction);
    for (;;) {
      const { type, text } = this.token;
      if (type === "num" || type === "name" || this.is("(")) this.missingOperator();
      if (type === "method") this.method(left);
      if (type !== "op") break;
      if (text === ".T" && POSTFIX > minimum) {
        this.index++;
        left = { type: "transpose", arg: left };
        continue;
      }
      const power = PRIORITY[text];
      if (power === undefined || power <= minimum) break;
      this.index++;
      if (text === "^" && this.token.text === "T" && !this.names.includes("T")) {
        this.index++;
        left = { type: "transpose", arg: left };
        continue;
      }
      const right = this.expression(text === "^" ? power - 1 : power, axisFunction);
      left = { type: "binary", op: text, left, right };
    }
    this.depth--;
    return left;
  }

  prefix(axisFunction) {
    const token = this.token;
    if (token.type === "num") return this.number(axisFunction);
    if (token.type === "name") return this.name();
    if (this.is("-", "+")) {
      this.index++;
      const arg = this.expression(NEGATION, axisFunction);
      return token.text === "-" ? { type: "negation", arg } : arg;
    }
    if (this.is("(")) {
      this.index++;
      const inner = this.expression(0);
      this.expect(")");
      return inner;
    }
    const before = this.tokens[this.index - 1];
    throw new FormulaError(
      token.type === "end"
        ? before
          ? `La formule s’arrête trop tôt, après « ${before.typed} ».`
          : "La formule est vide."
        : `On ne s’attend pas à lire « ${token.typed} » ${before ? `après « ${before.typed} »` : "au début d’une formule"}.`,
    );
  }

  /** Un nombre, avec virgule décimale si elle est collée à ses deux chiffres. */
  number(axisFunction) {
    const [token, comma, digits, after] = this.tokens.slice(this.index, this.index + 4);
    const decimal =
      comma?.text === "," && digits?.type === "num" && /^\d+$/.test(token.text) && /^\d/.test(digits.text) &&
      !digits.text.includes(".") && token.end === comma.start && comma.end === digits.start;
    if (!decimal) {
      this.index++;
      return { type: "number", value: token.value };
    }
    // sum(x^2,0) : un nombre à virgule, ou l'axe 0 ? Mieux vaut demander que deviner.
    if (axisFunction && ["0", "1"].includes(digits.text) && after.text === ")") throw ambiguous(token, digits);
    this.decimal = { index: this.index, token, digits };
    this.index += 3;
    return { type: "number", value: Number(`${token.text}.${digits.text}`) };
  }

  name() {
    const { text, typed } = this.token;
    const called = this.tokens[this.index + 1].text === "(";
    if (this.names.includes(text) && !(called && text in FUNCTIONS)) {
      this.index++;
      return { type: "name", name: text };
    }
    const name = text === "ln" ? "log" : text;
    if (text === "e" && this.tokens[this.index + 1].text === "^") {
      throw new FormulaError("L’exponentielle s’écrit exp(x), et non e^x.");
    }
    if (!Object.hasOwn(FUNCTIONS, name)) throw unknownName(text, typed, this.names, called);
    this.index++;
    if (!called) throw new FormulaError(`La fonction ${text} attend son argument entre parenthèses : ${text}(…).`);
    this.index++;
    return this.call(name);
  }

  /** « A.sum(axis=0) », « A.dot(B) » : rien de tel ici, mais on dit comment l'écrire. */
  method(owner) {
    const { text, typed } = this.token;
    const refuse = (advice) => {
      throw new FormulaError(`On ne lit pas « ${typed} » : ${advice}.`);
    };
    const write = (tree) => refuse(`écrivez ${print(tree).replace("axis=", "")}`);
    if (text === "transpose") write({ type: "transpose", arg: owner });
    const product = ["dot", "matmul"].includes(text);
    const called = this.tokens[this.index + 1].text === "(";
    if (!called || !(product || Object.hasOwn(FUNCTIONS, text))) refuse("un point ne se lit que dans un nombre ou dans .T, la transposée");
    this.index++;
    this.expect("(");
    if (product) write({ type: "binary", op: "@", left: owner, right: this.expression(0) });
    write(this.call(text, [owner]));
  }

  call(name, args = []) {
    const [least, most, hasAxis] = FUNCTIONS[name].arity;
    const given = args.length, first = this.index;
    let axis = null;
    while (!this.is(")")) {
      if (args.length > given) {
        if (!this.is(",", ";")) this.expect(")");
        this.index++;
      }
      if (this.token.text === "axis" && this.tokens[this.index + 1].text === "=") {
        this.index += 2;
        axis = this.axis(name, hasAxis, this.token);
        this.index++;
      } else {
        args.push(this.expression(0, hasAxis));
      }
      if (args.length > 3) break;
    }
    this.expect(")");
    // max(0,1 - x) : le nombre 0,1 tout seul, ou 0 et 1 - x ?
    if (most === 2 && hasAxis && args.length === 1 && axis === null && this.decimal?.index >= first) {
      throw ambiguous(this.decimal.token, this.decimal.digits);
    }
    // sum(X, 0) : le second argument d'une somme ou d'une moyenne est son axe.
    if (hasAxis && most === 1 && args.length === 2 && axis === null) {
      const last = args.pop();
      axis = this.axis(name, true, { type: last.type === "number" ? "num" : "", text: String(last.value) });
    }
    if (args.length < least || args.length > most) {
      const expected = least === most ? `${least} argument${least > 1 ? "s" : ""}` : `${least} ou ${most} arguments`;
      throw new FormulaError(`La fonction ${name} attend ${expected}, elle en reçoit ${args.length}.`);
    }
    return { type: "call", name, args, axis };
  }

  axis(name, hasAxis, token) {
    if (!hasAxis) throw new FormulaError(`La fonction ${name} ne prend pas d’axe.`);
    if (token.type !== "num" || !["0", "1"].includes(token.text)) {
      throw new FormulaError(`L’axe de ${name} est 0 (le long des lignes) ou 1 (le long des colonnes).`);
    }
    return Number(token.text);
  }
}

const ambiguous = (token, digits) =>
  new FormulaError(
    `« ${token.text},${digits.text} » peut se lire de deux façons : mettez une espace après la virgule si elle sépare deux arguments, ou écrivez le nombre avec un point (${token.text}.${digits.text}).`,
  );

function unknownName(text, typed, names, called) {
  const known = called ? Object.keys(FUNCTIONS) : names;
  const shown = typed.length > 30 ? `${typed.slice(0, 30)}…` : typed;
  const near = text.length <= 30 ? known.filter((name) => distance(text, name) <= Math.max(1, Math.floor(name.length / 3))) : [];
  near.sort((a, b) => distance(text, a) - distance(text, b));
  const kind = called ? "une fonction connue" : "un symbole de cette question";
  const hint = near.length ? ` Vouliez-vous écrire ${near[0]} ?` : known.length ? ` On peut écrire : ${known.join(", ")}.` : "";
  return new FormulaError(`« ${shown} » n’est pas ${kind}.${hint}`);
}

/** Distance d'édition, la casse et le souligné comptant pour presque rien. */
function distance(a, b) {
  const [s, t] = [a, b].map((word) => word.toLowerCase().replaceAll("_", ""));
  let row = Array.from({ length: t.length + 1 }, (_, j) => j);
  for (let i = 1; i <= s.length; i++) {
    const next = [i];
    for (let j = 1; j <= t.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (s[i - 1] !== t[j - 1]));
    }
    row = next;
  }
  return row[t.length] + (a === b ? 0 : 0.5);
}

/** Écriture canonique d'un arbre, avec les seules parenthèses utiles. */
function print(node, minimum = 0) {
  const wrap = (text, power) => (power < minimum ? `(${text})` : text);
  switch (node.type) {
    case "number":
      return String(node.value).replace(".", ",");
    case "name":
      return node.name;
    case "negation":
      return wrap(`-${print(node.arg, NEGATION + 1)}`, NEGATION);
    case "transpose":
      return `${print(node.arg, POSTFIX)}.T`;
    case "call": {
      const args = node.args.map((arg) => print(arg));
      if (node.axis !== null) args.push(`axis=${node.axis}`);
      return `${node.name}(${args.join(", ")})`;
    }
    default: {
      const power = PRIORITY[node.op];
      const [left, right] = node.op === "^" ? [power + 1, power] : [power, power + 1];
      const space = node.op === "^" ? "" : " ";
      return wrap(`${print(node.left, left)}${space}${node.op}${space}${print(node.right, right)}`, power);
    }
  }
}

function functionsIn(node, found = new Set()) {
  if (node.type === "call") found.add(node.name);
  for (const child of [node.arg, node.left, node.right, ...(node.args ?? [])]) if (child) functionsIn(child, found);
  return found;
}

// ── Calcul ─────────────────────────────────────────────────────────────────

const matrix = (r, c, data) => ({ r, c, data });
const scalar = (value) => matrix(1, 1, [value]);
const isScalar = (t) => t.r === 1 && t.c === 1;
const isVector = (t) => t.c === 1 && t.r > 1;
const isMatrix = (t) => t.r > 1 && t.c > 1;
const map = (t, f) => matrix(t.r, t.c, t.data.map(f));
const sameShape = (a, b) => a.r === b.r && a.c === b.c;

function transpose(t) {
  const data = [];
  for (let j = 0; j < t.c; j++) for (let i = 0; i < t.r; i++) data.push(t.data[i * t.c + j]);
  return matrix(t.c, t.r, data);
}

function product(a, b) {
  const data = [];
  for (let i = 0; i < a.r; i++) {
    for (let j = 0; j < b.c; j++) {
      let total = 0;
      for (let k = 0; k < a.c; k++) total += a.data[i * a.c + k] * b.data[k * b.c + j];
      data.push(total);
    }
  }
  return matrix(a.r, b.c, data);
}

/** Étend `t` à la taille de la matrice `to`, ou rend null si c'est impossible. */
function stretch(t, to) {
  if (sameShape(t, to)) return t;
  let at = null;
  if (isScalar(t)) at = () => 0;
  else if (isMatrix(to) && t.c === 1 && t.r === to.c) at = (i, j) => j; // un tableau NumPy (n,) sur chaque ligne
  else if (isMatrix(to) && t.c === 1 && t.r === to.r) at = (i) => i; // une colonne sur chaque colonne
  else if (isMatrix(to) && t.r === 1 && t.c === to.c) at = (i, j) => j; // une ligne sur chaque ligne
  if (!at) return null;
  const data = [];
  for (let i = 0; i < to.r; i++) for (let j = 0; j < to.c; j++) data.push(t.data[at(i, j)]);
  return matrix(to.r, to.c, data);
}

function along(t, axis, f) {
  if (axis === null) return scalar(f(t.data));
  const source = axis === 0 ? transpose(t) : t;
  const data = [];
  for (let i = 0; i < source.r; i++) data.push(f(source.data.slice(i * source.c, (i + 1) * source.c)));
  return matrix(data.length, 1, data);
}

const rowsOf = (t) => (t.c === 1 ? transpose(t) : t);
function byRow(t, f) {
  const rows = rowsOf(t);
  const data = [];
  for (let i = 0; i < rows.r; i++) data.push(...f(rows.data.slice(i * rows.c, (i + 1) * rows.c)));
  return t.c === 1 ? matrix(t.r, t.c, data) : matrix(rows.r, rows.c, data);
}
const sum = (values) => values.reduce((total, value) => total + value, 0);
function softmax(values) {
  const top = Math.max(...values);
  const exponentials = values.map((value) => Math.exp(value - top));
  const total = sum(exponentials);
  return exponentials.map((value) => value / total);
}

const elementwise = (f) => ({ arity: [1, 1, false], apply: ([t]) => map(t, f) });
const reduction = (f, most = 1) => ({ arity: [1, most, true], reduce: f });
const FUNCTIONS = {
  exp: elementwise(Math.exp),
  log: elementwise(Math.log),
  sqrt: elementwise(Math.sqrt),
  abs: elementwise(Math.abs),
  sign: elementwise(Math.sign),
  tanh: elementwise(Math.tanh),
  cosh: elementwise(Math.cosh),
  sinh: elementwise(Math.sinh),
  sigmoid: elementwise((x) => 1 / (1 + Math.exp(-x))),
  softplus: elementwise((x) => Math.log1p(Math.exp(x))),
  relu: elementwise((x) => (Number.isNaN(x) ? x : Math.max(x, 0))),
  step: elementwise((x) => Number(x >= 0)),
  softmax: { arity: [1, 1, false], apply: ([t]) => byRow(t, softmax) },
  log_softmax: { arity: [1, 1, false], apply: ([t]) => byRow(t, (row) => softmax(row).map(Math.log)) },
  sum: reduction(sum),
  mean: reduction((values) => sum(values) / values.length),
  max: reduction((values) => Math.max(...values), 2),
  min: reduction((values) => Math.min(...values), 2),
  norm: { arity: [1, 1, false], apply: ([t]) => scalar(Math.hypot(...t.data)) },
  outer: { arity: [2, 2, false] },
};
Object.setPrototypeOf(FUNCTIONS, null);

const ELEMENTWISE = {
  "+": [(x, y) => x + y, "La somme"],
  "-": [(x, y) => x - y, "La différence"],
  "*": [(x, y) => x * y, "Le produit composante par composante"],
  "/": [(x, y) => x / y, "Le quotient"],
  "^": [(x, y) => x ** y, "La puissance"],
  "<": [(x, y) => Number(x < y), "La comparaison"],
  ">": [(x, y) => Number(x > y), "La comparaison"],
  "<=": [(x, y) => Number(x <= y), "La comparaison"],
  ">=": [(x, y) => Number(x >= y), "La comparaison"],
};

/** Un point de calcul : les valeurs des symboles, et le nom de chaque taille. */
class Point {
  constructor(values, sizes) {
    this.values = values;
    this.letters = new Map(Object.entries(sizes).map(([letter, size]) => [size, letter]));
    this.stretched = new Set(); // produits « * » qui ont étendu un vecteur : suspects si la taille finale est fausse
  }

  shape(t) {
    if (isScalar(t)) return "nombre";
    const letter = (size) => this.letters.get(size) ?? String(size);
    return `${letter(t.r)} × ${letter(t.c)}`;
  }

  show(node, t, minimum = 0) {
    return `${print(node, minimum)} (${this.shape(t)})`;
  }

  evaluate(node) {
    switch (node.type) {
      case "number":
        return scalar(node.value);
      case "name":
        return this.values.get(node.name);
      case "negation":
        return map(this.evaluate(node.arg), (x) => -x);
      case "transpose":
        return transpose(this.evaluate(node.arg));
      case "call":
        return this.call(node);
      default:
        return this.binary(node.op, node.left, node.right);
    }
  }

  binary(op, leftNode, rightNode) {
    const [a, b] = [this.evaluate(leftNode), this.evaluate(rightNode)];
    if (op === "@") return this.matmul(a, b, leftNode, rightNode);
    const [f, label] = ELEMENTWISE[op];
    const fail = () => {
      throw new FormulaError(this.mismatch(`${label} « ${this.operands(op, leftNode, a, rightNode, b)} »`), "shape");
    };
    return this.combine(f, a, b, fail, () => {
      if (op === "*") this.stretched.add(this.operands(op, leftNode, a, rightNode, b));
    });
  }

  combine(f, a, b, fail, onStretch = () => {}) {
    const target = a.data.length >= b.data.length ? a : b;
    const [x, y] = [stretch(a, target), stretch(b, target)];
    if (!x || !y) fail();
    if (!isScalar(a) && !isScalar(b) && !sameShape(a, b)) onStretch();
    return matrix(target.r, target.c, x.data.map((value, i) => f(value, y.data[i])));
  }

  operands(op, leftNode, a, rightNode, b) {
    return `${this.show(leftNode, a, PRIORITY[op])} ${op} ${this.show(rightNode, b, PRIORITY[op] + 1)}`;
  }

  mismatch(what) {
    return `${what} est impossible : les deux tailles doivent être les mêmes.`;
  }

  matmul(a, b, leftNode, rightNode) {
    const text = this.operands("@", leftNode, a, rightNode, b);
    if (isScalar(a) || isScalar(b)) {
      throw new FormulaError(`« ${text} » : @ est le produit matriciel ; pour multiplier par un nombre, écrivez *.`, "shape");
    }
    if (isVector(a) && isVector(b) && a.r === b.r) return product(transpose(a), b);
    if (a.c === b.r) return product(a, b);
    const letter = (size) => this.letters.get(size) ?? String(size);
    let message = `Le produit « ${text} » est impossible : à gauche ${letter(a.c)} ${a.c > 1 ? "colonnes" : "colonne"}, à droite ${letter(b.r)} ${b.r > 1 ? "lignes" : "ligne"}, il en faut autant.`;
    if (isVector(a) || isVector(b)) message += " Un vecteur est ici une colonne.";
    throw new FormulaError(message, "shape");
  }

  call(node) {
    const args = node.args.map((arg) => this.evaluate(arg));
    const definition = FUNCTIONS[node.name];
    if (node.name === "outer") {
      const [u, v] = args;
      if (!args.every((t) => t.c === 1)) {
        throw new FormulaError(`« ${print(node)} » : outer attend deux vecteurs.`, "shape");
      }
      return product(u, transpose(v));
    }
    if (definition.apply) return definition.apply(args);
    if (args.length === 2) {
      return this.combine((x, y) => definition.reduce([x, y]), ...args, () => {
        throw new FormulaError(this.mismatch(`« ${print(node)} »`), "shape");
      });
    }
    const [t] = args;
    if (node.axis === 1 && isVector(t)) {
      throw new FormulaError(`« ${print(node)} » : un vecteur n’a qu’un axe, l’axe 0.`, "shape");
    }
    return along(t, node.axis, definition.reduce);
  }
}

// ── Tirage des points ──────────────────────────────────────────────────────

/** Générateur à germe (mulberry32) : mêmes points dans Node et chez le lecteur. */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function seedOf(text) {
  let hash = 2166136261;
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0), 16777619);
  return hash >>> 0;
}

const between = (random, low, high) => low + (high - low) * random();
const DOMAINS = {
  real: (random) => between(random, 0.1, 2) * (random() < 0.5 ? -1 : 1),
  positive: (random) => between(random, 0.2, 2.5),
  unit: (random) => between(random, 0.05, 0.95),
  binary: (random) => Number(random() < 0.5),
  sign: (random) => (random() < 0.5 ? -1 : 1),
};

/** Tire une valeur de taille (r, c) ; probabilités et one-hot valent par vecteur, ou par ligne de matrice. */
function draw(random, r, c, domain) {
  if (r === 1 && c === 1 && domain === "probability") return scalar(DOMAINS.unit(random));
  if (domain === "probability" || domain === "onehot") {
    const oneRow = (size) => {
      if (domain === "probability") return softmax(Array.from({ length: size }, () => between(random, -1.5, 1.5)));
      const hot = Math.floor(random() * size);
      return Array.from({ length: size }, (_, j) => Number(j === hot));
    };
    if (c === 1) return matrix(r, 1, oneRow(r));
    return matrix(r, c, Array.from({ length: r }, () => oneRow(c)).flat());
  }
  return matrix(r, c, Array.from({ length: r * c }, () => DOMAINS[domain](random)));
}

/** Des tailles ≥ 2, toutes différentes, pour que chaque taille garde son sens. */
function drawSizes(variables, random) {
  const dimensions = Object.values(variables).flatMap((variable) => variable.shape);
  const letters = [...new Set(dimensions.filter((size) => typeof size === "string"))];
  const pool = [2, 3, 4, 5, 6, 7, 8, 9].filter((size) => !dimensions.includes(size));
  return Object.fromEntries(letters.map((letter) => [letter, pool.splice(Math.floor(random() * Math.min(pool.length, letters.length + 2)), 1)[0]]));
}

/** Les nombres libres qui ne prennent que deux valeurs. */
function twoValued(variables) {
  const free = ({ shape, domain, definition }) => !shape.length && !definition && ["binary", "sign"].includes(domain);
  return Object.keys(variables).filter((name) => free(variables[name]));
}

/** Le point de rang `rank` : les nombres de `listed` y parcourent leurs combinaisons, le reste est tiré. */
function drawPoint(variables, definitions, random, listed, rank) {
  const sizes = drawSizes(variables, random);
  const point = new Point(new Map(), sizes);
  for (const [name, { shape, domain }] of Object.entries(variables)) {
    const [r = 1, c = 1] = shape.map((size) => sizes[size] ?? size);
    let value;
    if (definitions[name]) value = point.evaluate(definitions[name]);
    else if (shape.length === 0 && name in sizes) value = scalar(sizes[name]); // N : le nombre d'exemples du lot
    else if (listed.includes(name)) {
      const bit = (rank >> listed.indexOf(name)) & 1;
      value = scalar(domain === "binary" ? bit : 1 - 2 * bit);
    } else value = draw(random, r, c, domain ?? (shape.length ? "real" : "positive"));
    point.values.set(name, value);
  }
  return point;
}

// ── Comparaison ────────────────────────────────────────────────────────────

const isFiniteTensor = (t) => t.data.every(Number.isFinite);

function close(a, b, factor = 1) {
  if (!sameShape(a, b) || !isFiniteTensor(a)) return false;
  const scale = Math.max(1e-3, ...b.data.map(Math.abs));
  return a.data.every((value, i) => Math.abs(value - factor * b.data[i]) <= 1e-8 * scale * Math.max(1, Math.abs(factor)));
}

const right = () => ({ ok: true, kind: "right", message: "" });
const wrong = (message, kind = "wrong", html = false) => ({ ok: false, kind, message, html });

/** Remarque générale sur une réponse fausse qu'aucune erreur déclarée ne reconnaît. */
function remark(results, references, points) {
  const every = (test) => results.every((value, i) => test(value, references[i], points[i]));
  if (!every(isFiniteTensor)) {
    return "Cette expression n’est pas définie partout : division par zéro, logarithme ou racine d’un nombre négatif ?";
  }
  if (every((value, reference) => close(value, reference, -1))) return "Tout y est, sauf le signe.";
  const ratio = (value, reference) => {
    const k = reference.data.findIndex((x) => Math.abs(x) > 1e-3);
    return k < 0 ? NaN : value.data[k] / reference.data[k];
  };
  const first = ratio(results[0], references[0]);
  if (Number.isFinite(first) && first !== 0 && every((value, reference) => close(value, reference, first))) {
    return "Votre formule est juste à un facteur numérique près.";
  }
  const batch = (point) => point.values.get("N")?.data[0];
  if (batch(points[0]) && every((v, ref, point) => close(v, ref, batch(point)) || close(v, ref, 1 / batch(point)))) {
    return "Il y a un facteur N, ou 1/N, en trop ou en moins.";
  }
  return "Ce n’est pas la bonne formule : calculée sur des valeurs tirées au hasard, elle ne donne pas le résultat attendu.";
}

/** La faute déclarée que cette réponse commet, par sa valeur ; par son écriture si elle n'a pas de valeur. */
function recognise(mistakes, names, tree, points, results) {
  const written = print(tree);
  return mistakes.find(({ formula }) => {
    const mistake = new Parser(formula, names).parse();
    if (print(mistake) === written) return true;
    if (!results) return false;
    try {
      return points.every((point, i) => close(results[i], point.evaluate(mistake)));
    } catch (error) {
      if (error instanceof FormulaError) return false;
      throw error;
    }
  });
}

function usablePoints(question, reference, names) {
  const definitions = {};
  for (const [name, { definition }] of Object.entries(question.variables)) {
    if (definition) definitions[name] = new Parser(definition, names).parse();
  }
  const random = generator(seedOf(question.id));
  const pairs = twoValued(question.variables);
  const listed = 2 ** pairs.length <= COMBINATIONS ? pairs : [];
  const wanted = Math.max(POINTS, 2 ** listed.length);
  const [points, references] = [[], []];
  for (let i = 0; i < DRAWS && points.length < wanted; i++) {
    const point = drawPoint(question.variables, definitions, random, listed, i);
    const value = point.evaluate(reference);
    if (!isFiniteTensor(value)) continue;
    points.push(point);
    references.push(value);
  }
  if (points.length < MIN_POINTS) throw new Error("la réponse de référence n’est presque jamais définie : précisez les domaines");
  return { points, references };
}

function compare(question, text) {
  const names = Object.keys(question.variables);
  const tree = new Parser(text, names).parse();
  const banned = [...functionsIn(tree)].find((name) => question.forbidden?.includes(name));
  if (banned) return wrong(`Répondez sans utiliser la fonction ${banned}.`, "invalid");
  const { points, references } = usablePoints(question, new Parser(question.answer, names).parse(), names);
  const mistakes = question.mistakes ?? [];

  let results;
  points.forEach((point) => point.stretched.clear()); // ceux de la référence
  try {
    results = points.map((point) => point.evaluate(tree));
  } catch (error) {
    if (!(error instanceof FormulaError)) throw error;
    const mistake = recognise(mistakes, names, tree, points, null);
    return mistake ? wrong(mistake.message, "mistake", true) : wrong(error.message, "shape");
  }
  if (results.every((value, i) => close(value, references[i]))) return right();
  const [suspect] = points[0].stretched; // avant les fautes déclarées, dont le calcul étend aussi des vecteurs
  const mistake = recognise(mistakes, names, tree, points, results);
  if (mistake) return wrong(mistake.message, "mistake", true);

  const [point] = points;
  if (!sameShape(results[0], references[0])) {
    let message = `Le résultat n’a pas la bonne taille : ${describe(point, results[0])}, alors qu’on attend ${describe(point, references[0])}.`;
    if (suspect) message += ` « ${suspect} » multiplie composante par composante ; le produit matriciel s’écrit @.`;
    return wrong(message, "shape");
  }
  return wrong(remark(results, references, points));
}

function describe(point, t) {
  if (isScalar(t)) return "un nombre";
  if (isVector(t)) return `un vecteur colonne (${point.shape(t)})`;
  return `une ${t.r === 1 ? "ligne" : "matrice"} (${point.shape(t)})`;
}

const asResult = (attempt) => {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof FormulaError) return wrong(error.message, "invalid");
    return wrong(`Cette question est mal posée (${error.message}).`, "broken");
  }
};

/** Vérifie la formule d'un élève : {ok, kind, message, html}. Ne lève jamais rien. */
export function checkFormula(question, text) {
  return asResult(() => compare(question, String(text ?? "")));
}

/** Valeur d'une expression (« 1/4 », « 0,25 ») dont les symboles sont les nombres `values` : {ok, value} ou {ok, message}. */
export function readNumber(text, values = {}) {
  return asResult(() => {
    const names = Object.keys(values);
    const point = new Point(new Map(names.map((name) => [name, scalar(values[name])])), {});
    const value = point.evaluate(new Parser(text, names).parse());
    if (!isFiniteTensor(value)) throw new FormulaError("Ce calcul ne donne pas un nombre fini.");
    return { ok: true, value: value.data[0] };
  });
}

/** L'arbre d'une formule lisible : {ok, tree} ou {ok, message}. */
export function parseFormula(text, names) {
  return asResult(() => ({ ok: true, tree: new Parser(String(text), names).parse() }));
}
