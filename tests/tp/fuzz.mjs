// Entrées au hasard et hostiles : aucune exception, aucune lenteur, rien d'exécuté.
// Rend en JSON le nombre de cas, le plus lent (ms) et les cas fautifs.
import { checkFormula, readNumber } from "../../labcode/tp/formula.js";
import { load } from "../../labcode/tp/storage.js";

let state = 20261121;
const random = () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 4294967296);
const pick = (list) => list[Math.floor(random() * list.length)];
const repeat = (n, make) => Array.from({ length: n }, make).join("");

const question = {
  id: "essai-fuzz", type: "formula", answer: "(W_y.T @ grad_y_tilde) * (1 - h^2)",
  variables: { W_y: { shape: ["n_y", "n_h"] }, grad_y_tilde: { shape: ["n_y"] }, h: { shape: ["n_h"] }, N: { shape: [] } },
  mistakes: [{ formula: "W_y @ grad_y_tilde", message: "transposée" }],
};
const WORDS = [
  "W_y", "grad_y_tilde", "h", "N", "exp", "sum", "max", "softmax", "outer", "norm", "log", "axis", "T", "1", "0", "2,5", "1e308", ".5", "0,1",
  "+", "-", "*", "/", "@", "^", "**", "(", ")", ",", ";", "=", "<", ">=", ".T", "'", " ", "²", "ᵀ", "⊙", "∇ỹ", "h̃", "np.", ".sum(", ".dot(", "𝑦", "ᵧ", "⁻¹", "160'800", "Σ", "\u00ad",
  "__proto__", "constructor", "toString", "hasOwnProperty", "eval", "globalThis.boum=1", "process.exit()", "${1}", "`", "\\", "\0", "\ud800", "\u202e", "🙂", "<img src=x onerror=boum()>",
];
const VALID = ["(W_y.T @ grad_y_tilde) * (1 - h^2)", "sum(W_y * grad_y_tilde, 0) * (1 - h * h)", "W_y' @ grad_y_tilde ⊙ (1 - h**2)"];
const MAKERS = [
  () => repeat(1 + random() * 40, () => pick(WORDS)),
  () => repeat(1 + random() * 15, () => `${pick(WORDS)} `),
  () => repeat(1 + random() * 60, () => String.fromCharCode(random() < 0.8 ? 32 + random() * 95 : random() * 65535)),
  () => { const text = [...pick(VALID)]; text.splice(random() * text.length, random() * 3, pick(WORDS)); return text.join(""); },
  () => pick(["(", "-", "exp(", "h^", "((h)*", "sum(", "h.T", "h'", "h@", "2**", "max(0,", "softmax("]).repeat(1 + random() * 600),
];
const SPECIAL = [undefined, null, 0, NaN, {}, [], "", " ", "h".repeat(1e6), "(".repeat(1e5), "1" + "^9".repeat(100), "exp(".repeat(39) + "h" + ")".repeat(39), "h" + "+h".repeat(124)];

globalThis.boum = () => { throw new Error("du code de l'élève a été exécuté"); };
const before = globalThis.boum;
const count = Number(process.argv[2] ?? 2000);
const cases = [...SPECIAL, ...Array.from({ length: count }, () => pick(MAKERS)())];
const failures = [];
let slowest = 0;
for (const text of cases) {
  const start = performance.now();
  try {
    const result = checkFormula(question, text);
    const number = readNumber(String(text));
    const readable = typeof result.message === "string" && (result.ok === true || result.message.length > 0);
    if (!readable || result.kind === "broken" || number.kind === "broken") failures.push([text, result, number]);
  } catch (error) {
    failures.push([String(text).slice(0, 200), String(error)]);
  }
  slowest = Math.max(slowest, performance.now() - start);
}

// Le stockage altéré ne doit jamais casser une page.
const stored = { version: 1, revision: "r", answer: "h", attempts: 2, hints: 1, verdict: "wrong" };
const VALUES = [null, -1, 1e99, 3, "", "x".repeat(1000), [], [1, 2], [[]], {}, { length: 2 }, true, "right", "<b>", NaN];
for (let i = 0; i < count; i++) {
  const broken = { ...stored, [pick(Object.keys(stored))]: pick(VALUES), [pick(Object.keys(stored))]: pick(VALUES) };
  const text = random() < 0.5 ? JSON.stringify(broken) : repeat(random() * 30, () => pick(['{"', '"', "}", "[", "null", "1", ":", JSON.stringify(broken)]));
  globalThis.localStorage = { getItem: () => { if (random() < 0.1) throw new Error("interdit"); return text; } };
  try {
    const found = load({ id: "q", revision: "r", hints: ["a", "b", "c"] });
    const sane = found === null || (found.hints <= 3 && Number.isInteger(found.attempts) && ["", "right", "wrong", "recorded"].includes(found.verdict));
    if (!sane) failures.push(["stockage", text, found]);
  } catch (error) {
    failures.push(["stockage", text, String(error)]);
  }
}
if (globalThis.boum !== before) failures.push(["du code de l'élève a été exécuté"]);
process.stdout.write(JSON.stringify({ cases: cases.length, slowest, failures: failures.slice(0, 5) }));
