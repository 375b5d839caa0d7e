/* L'écho de la saisie : la formule telle que la machine l'a lue, en MathML (sans bibliothèque). */
import { NEGATION, POSTFIX, PRIORITY, parseFormula } from "./formula.js";
import { axesOf } from "./shapes.js";

const MATHML = "http://www.w3.org/1998/Math/MathML";
const ACCENTS = { hat: "^", tilde: "~" };
const LETTERS = {
  alpha: "α", beta: "β", beta1: "β₁", beta2: "β₂", epsilon: "ε", gamma: "γ", lambda: "λ", lr: "η", momentum: "μ", mu: "μ",
  phi: "φ", rho: "ρ", sigma: "σ", strength: "λ", tau: "τ", theta: "θ", weight_decay: "λ′",
};
const OPERATORS = { "*": "⊙", "-": "−", "<=": "≤", ">=": "≥" };

function m(tag, ...children) {
  const element = document.createElementNS(MATHML, tag);
  element.append(...children);
  return element;
}

/** y_hat → ŷ, W_y → W indice y, grad_u → ∇ indice u, grad_y_tilde → ∇ indice ỹ. */
function symbol(name) {
  if (Object.hasOwn(LETTERS, name)) return m("mi", LETTERS[name]);
  const [head, ...rest] = name.split("_");
  if (head === "grad" && rest.length) return m("msub", m("mo", "∇"), symbol(rest.join("_")));
  let letter = m("mi", Object.hasOwn(LETTERS, head) ? LETTERS[head] : head);
  const accent = ACCENTS[rest.at(-1)];
  if (accent) {
    rest.pop();
    const mark = m("mo", accent);
    mark.setAttribute("stretchy", "false");
    letter = m("mover", letter, mark);
    letter.setAttribute("accent", "true");
  }
  return rest.length ? m("msub", letter, m("mi", rest.join("_"))) : letter;
}

const parenthesised = (...children) => m("mrow", m("mo", "("), ...children, m("mo", ")"));

/** Un arbre de formula.js en MathML ; `minimum` : priorité sous laquelle il faut des parenthèses. */
function layout(node, minimum = 0) {
  const wrap = (element, power) => (power < minimum ? parenthesised(element) : element);
  switch (node.type) {
    case "number":
      return m("mn", String(node.value).replace(".", ","));
    case "name":
      return symbol(node.name);
    case "negation":
      return wrap(m("mrow", m("mo", "−"), layout(node.arg, NEGATION + 1)), NEGATION);
    case "transpose":
      return m("msup", layout(node.arg, POSTFIX), m("mo", "⊤"));
    case "call":
      return call(node);
    default:
      return wrap(binary(node), PRIORITY[node.op]);
  }
}

function call({ name, args, axis }) {
  if (name === "sqrt") return m("msqrt", layout(args[0]));
  const inner = args.flatMap((arg, i) => (i ? [m("mo", ";"), layout(arg)] : [layout(arg)]));
  if (axis !== null) inner.push(m("mo", ";"), m("mtext", `axe ${axis}`));
  return m("mrow", m("mi", name.replace("_", " ")), parenthesised(...inner));
}

function binary({ op, left, right }) {
  if (op === "/") return m("mfrac", layout(left), layout(right));
  if (op === "^") return m("msup", layout(left, PRIORITY["^"] + 1), layout(right));
  const power = PRIORITY[op];
  const sides = [layout(left, power), layout(right, power + 1)];
  if (op === "@") return m("mrow", sides[0], m("mo", "\u2062"), sides[1]); // un produit matriciel s'écrit sans signe
  const number = (node) => node.type === "number";
  const sign = op === "*" && (number(left) || number(right)) ? "×" : OPERATORS[op] ?? op;
  return m("mrow", sides[0], m("mo", sign), sides[1]);
}

/** Montre dans `place` la formule lue ; rien tant qu'elle est illisible. */
export function echo(place, text, names) {
  const read = parseFormula(text, names);
  place.replaceChildren(...(read.ok ? [m("math", layout(read.tree))] : []));
}

/** Montre dans `place` la taille lue : (n × m), (n,) ou (). */
export function echoShape(place, text, names) {
  const axes = text ? axesOf(text).map((axis) => parseFormula(axis, names)) : [];
  const parts = axes.flatMap(({ tree }, i) => (tree ? [...(i ? [m("mo", "×")] : []), layout(tree, PRIORITY["*"])] : []));
  if (axes.length === 1) parts.push(m("mo", ","));
  place.replaceChildren(...(text && axes.every(({ ok }) => ok) ? [m("math", parenthesised(...parts))] : []));
}
