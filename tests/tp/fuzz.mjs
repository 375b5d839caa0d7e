// Entrées au hasard et hostiles : aucune exception, aucune lenteur, rien d'exécuté.
// Rend en JSON le nombre de cas, le plus lent (ms) et les cas fautifs.
import { readFileSync } from "node:fs";
import { check } from "../../labcode/tp/checks.js";
import { checkFormula, readNumber } from "../../labcode/tp/formula.js";
import { forgetAside, load, save, setAside } from "../../labcode/tp/storage.js";

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

// Chaque type de question reçoit des réponses de toutes formes ; l'entrée standard donne les questions.
const questions = JSON.parse(readFileSync(0, "utf8"));
const VALUES = [null, undefined, -1, 1e99, 3, 0, "", "x".repeat(6000), "(N, n_h)", [], [1, 2], [[]], [null, 0, 1], [0, 1, 2, 3, 4], {}, { length: 2 },
  true, "right", "<b>", NaN, { text: "a", ticked: [0] }, { text: 3, ticked: "x" }, { text: "a" }, "__proto__", { toString: 1 }];
for (let i = 0; i < count; i++) {
  const [asked, given] = [pick(questions), random() < 0.5 ? pick(VALUES) : repeat(1 + random() * 12, () => pick(["(", ")", ",", "×", "N", "n_h", "*", " x ", "[", "]", "2", "^", ";"]))];
  const start = performance.now();
  try {
    const { ok, message } = check(asked, given);
    if (typeof message !== "string" || ![true, false, null].includes(ok)) failures.push([asked.id, given]);
  } catch (error) {
    failures.push([asked.id, given, String(error)]);
  }
  slowest = Math.max(slowest, performance.now() - start);
}

// Un stockage altéré, plein ou interdit ne casse jamais une page, et rien de ce qu'il contenait n'est perdu sans le dire.
const kept = new Map();
let refusing = 0;
const refuse = () => { if (random() < refusing) throw new Error("interdit"); };
globalThis.localStorage = {
  getItem: (key) => { refuse(); return kept.get(key) ?? null; },
  setItem: (key, text) => { refuse(); kept.set(key, text); },
  removeItem: (key) => { refuse(); kept.delete(key); },
};
const FIELDS = ["version", "revision", "answer", "attempts", "hints", "verdict", "date"];
for (let i = 0; i < count; i++) {
  const asked = { ...pick(questions), id: `q${i}` };
  const good = { version: pick([1, 2]), revision: asked.revision, answer: pick(VALUES), attempts: 2, hints: 1, verdict: "wrong", date: "2026" };
  const broken = JSON.stringify({ ...good, [pick(FIELDS)]: pick(VALUES), [pick(FIELDS)]: pick(VALUES) });
  const text = pick([JSON.stringify(good), broken, broken.slice(0, random() * broken.length), repeat(random() * 30, () => pick(['{"', '"', "}", "[", "null", "1", ":", broken]))]);
  refusing = pick([0, 0, 0.3, 1]);
  kept.clear();
  kept.set(`labcode.question.q${i}`, text);
  try {
    const found = load(asked);
    check(asked, found?.answer);
    const sane = !found || (found.hints <= 3 && Number.isInteger(found.attempts) && ["", "right", "wrong", "recorded"].includes(found.verdict));
    const held = refusing === 0 && !found ? setAside(asked) === text : true;
    const written = found ?? { answer: null, attempts: 0, hints: 0, verdict: "" };
    const again = save(asked, written) && refusing === 0 ? load(asked) : null;
    const same = !again || ["answer", "attempts", "hints", "verdict"].every((name) => JSON.stringify(again[name]) === JSON.stringify(written[name]));
    forgetAside(asked);
    const gone = refusing > 0 || setAside(asked) === null;
    if (!sane || !held || !same || !gone) failures.push(["stockage", text, found, again, setAside(asked)]);
  } catch (error) {
    failures.push(["stockage", text, String(error)]);
  }
}
if (globalThis.boum !== before) failures.push(["du code de l'élève a été exécuté"]);
process.stdout.write(JSON.stringify({ cases: cases.length, slowest, failures: failures.slice(0, 5) }));
