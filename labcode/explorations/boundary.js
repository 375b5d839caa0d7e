/* La frontière d'un perceptron à deux entrées. D'abord les calculs, purs et testés ; puis le dessin. */

// Les curseurs avancent par dixièmes : on efface la poussière binaire, sans quoi 0,1 + 0,2 − 0,3 ne ferait pas zéro.
const clean = (value) => Math.round(value * 1e9) / 1e9 + 0;

export const score = (line, [x1, x2]) => clean(line.w1 * x1 + line.w2 * x2 + line.b);

export const predict = (line, point) => (score(line, point) >= 0 ? 1 : 0);

export const isMistake = (line, point) => predict(line, point) !== point[2];

/** Rang du premier point mal classé à partir de `start`, en faisant le tour ; −1 s'il n'y en a pas. */
export function nextMistake(line, points, start = 0) {
  for (let k = 0; k < points.length; k++) {
    const rank = (start + k) % points.length;
    if (isMistake(line, points[rank])) return rank;
  }
  return -1;
}

/** La règle du perceptron sur un point, avec un taux d'apprentissage de 1. */
export function update(line, point) {
  const delta = point[2] - predict(line, point);
  return {
    w1: clean(line.w1 + delta * point[0]),
    w2: clean(line.w2 + delta * point[1]),
    b: clean(line.b + delta),
  };
}

/** Carré qui contient tous les points, avec de l'air autour. */
export function viewBox(points) {
  const xs = points.map((p) => p[0]), ys = points.map((p) => p[1]);
  const middle = (values) => (Math.min(...values) + Math.max(...values)) / 2;
  const spread = (values) => Math.max(...values) - Math.min(...values);
  const half = 0.8 * Math.max(spread(xs), spread(ys), 1);
  return { left: middle(xs) - half, right: middle(xs) + half, bottom: middle(ys) - half, top: middle(ys) + half };
}

/** Le demi-plan ŷ = 1 découpé par le carré : la liste de ses sommets. */
export function positiveRegion(line, { left, right, bottom, top }) {
  const corners = [[left, bottom], [right, bottom], [right, top], [left, top]];
  const kept = [];
  corners.forEach((here, k) => {
    const next = corners[(k + 1) % 4];
    const a = score(line, here), c = score(line, next);
    if (a >= 0) kept.push(here);
    if ((a >= 0) !== (c >= 0)) kept.push(here.map((v, i) => v + (a / (a - c)) * (next[i] - v)));
  });
  return kept;
}

/** Les deux bouts de la frontière dans le carré ; null si elle n'y passe pas. */
export function boundarySegment(line, box) {
  const onLine = positiveRegion(line, box).filter((p) => Math.abs(score(line, p)) < 1e-6);
  if (line.w1 === 0 && line.w2 === 0) return null;
  // Une droite qui passe par un coin du cadre le rencontre deux fois : l'autre bout est le premier point distinct.
  const end = onLine.find(([x1, x2]) => Math.hypot(x1 - onLine[0][0], x2 - onLine[0][1]) > 1e-6);
  return end ? [onLine[0], end] : null;
}

export const coordinates = ([x1, x2]) => `(${number(x1)} ; ${number(x2)})`;

export function equation({ w1, w2, b }) {
  const term = (value, name) => `${value < 0 ? "−" : "+"} ${number(Math.abs(value))}${name}`;
  return `${number(w1)} x₁ ${term(w2, " x₂")} ${term(b, "")} = 0`;
}

export function summary(line, points) {
  const wrong = points.filter((p) => isMistake(line, p));
  if (!wrong.length) return `Aucune erreur sur ${points.length} points.`;
  const listed = wrong.slice(0, 4).map(coordinates).join(", ") + (wrong.length > 4 ? "…" : "");
  return `${wrong.length} ${wrong.length > 1 ? "erreurs" : "erreur"} sur ${points.length} points : ${listed}`;
}

export function stepMessage(before, point, count) {
  const [, , y] = point;
  const move = y === 1 ? "on ajoute x à w et 1 à b" : "on retranche x à w et 1 à b";
  return `Correction n° ${count} : ${coordinates(point)} est de classe ${y}, le neurone répondait ${predict(before, point)} ; ${move}.`;
}

/* ---- Le dessin ---- */

const SIZE = 320;
const LIMITS = { min: -6, max: 6, step: 0.1 };

/** Ce qui se voit dans le carré, du fond vers l'avant. */
function drawing(line, points) {
  const box = viewBox(points);
  const scale = SIZE / (box.right - box.left);
  const at = ([x1, x2]) => [(x1 - box.left) * scale, (box.top - x2) * scale];
  const segment = (class_, from, to) => {
    const [[xa, ya], [xb, yb]] = [at(from), at(to)];
    return svg("line", { class: class_, x1: xa, y1: ya, x2: xb, y2: yb });
  };
  const path = (corners) => corners.map((c) => at(c).map((v) => v.toFixed(2)).join(",")).join(" ");
  const nodes = [svg("polygon", { class: "be-one", points: path(positiveRegion(line, box)) })];
  for (let k = Math.ceil(box.left); k <= box.right; k++) {
    nodes.push(segment("ex-grid", [k, box.bottom], [k, box.top]));
    nodes.push(svg("text", { class: "ex-tick", x: at([k, 0])[0] + 3, y: SIZE - 4 }, number(k)));
  }
  for (let k = Math.ceil(box.bottom); k <= box.top; k++) {
    nodes.push(segment("ex-grid", [box.left, k], [box.right, k]));
    nodes.push(svg("text", { class: "ex-tick", x: 4, y: at([0, k])[1] - 3 }, number(k)));
  }
  nodes.push(svg("text", { class: "ex-axis", x: SIZE - 18, y: SIZE - 18 }, "x₁"), svg("text", { class: "ex-axis", x: 18, y: 16 }, "x₂"));
  const ends = boundarySegment(line, box);
  if (ends) {
    const middle = [(ends[0][0] + ends[1][0]) / 2, (ends[0][1] + ends[1][1]) / 2];
    const length = Math.hypot(line.w1, line.w2), reach = 34 / scale;
    const [u1, u2] = [line.w1 / length, line.w2 / length];
    const [x, y] = at([middle[0] + u1 * reach, middle[1] + u2 * reach]);
    const head = [[0, 0], [-9, 5], [-9, -5]].map(([along, aside]) => [x + along * u1 + aside * u2, y - along * u2 + aside * u1]);
    nodes.push(segment("be-line", ...ends), segment("be-normal", middle, [middle[0] + 0.8 * u1 * reach, middle[1] + 0.8 * u2 * reach]),
      svg("polygon", { class: "be-tip", points: head.join(" ") }), svg("text", { class: "ex-axis", x: x + 6, y: y - 5 }, "w"));
  }
  for (const point of points) {
    const [x, y] = at(point);
    nodes.push(point[2] === 1
      ? svg("polygon", { class: "be-class-1", points: `${x},${y - 8} ${x + 7.5},${y + 6} ${x - 7.5},${y + 6}` })
      : svg("circle", { class: "be-class-0", cx: x, cy: y, r: 6.5 }));
    if (isMistake(line, point)) nodes.push(svg("circle", { class: "be-mistake", cx: x, cy: y, r: 13 }));
  }
  return nodes;
}

function render({ model, el }) {
  const read = () => ({ w1: model.get("w1"), w2: model.get("w2"), b: model.get("b") });
  const points = () => model.get("examples").find(([name]) => name === model.get("example"))[1];
  let cursor = 0, count = 0, news = "";

  const canvas = svg("svg", { class: "ex-plane", viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img" });
  const formula = html("p", { className: "ex-equation" });
  const status = html("p", { className: "ex-status", role: "status" });
  const sliders = [slider("Poids w₁", "w1", model, LIMITS), slider("Poids w₂", "w2", model, LIMITS), slider("Biais b", "b", model, LIMITS)];

  const choices = radios("Données", "example", model.get("examples").map(([name]) => name), model, () => {
    cursor = count = 0;
    news = "";
  });

  function draw() {
    const line = read(), shown = points();
    canvas.replaceChildren(...drawing(line, shown));
    const text = summary(line, shown);
    canvas.setAttribute("aria-label", `Plan des entrées, exemple ${model.get("example")}. Frontière ${equation(line)}. ${text}`);
    formula.textContent = line.w1 === 0 && line.w2 === 0
      ? `w₁ = w₂ = 0 : pas de frontière, le neurone répond toujours ${line.b >= 0 ? 1 : 0}.`
      : `Frontière : ${equation(line)}`;
    status.textContent = [news, text].filter(Boolean).join(" ");
    sliders.forEach(({ show }) => show());
    choices.show();
  }

  const move = (line) => {
    model.set(line);
    model.save_changes();
    draw();
  };
  const step = html("button", { type: "button" }, "Un pas du perceptron");
  step.addEventListener("click", () => {
    const line = read(), rank = nextMistake(line, points(), cursor);
    if (rank < 0) news = "Plus rien à corriger : le perceptron s’arrête.";
    else {
      news = stepMessage(line, points()[rank], ++count);
      cursor = (rank + 1) % points().length;
    }
    move(rank < 0 ? line : update(line, points()[rank]));
  });
  const restart = html("button", { type: "button" }, "Recommencer");
  restart.addEventListener("click", () => {
    cursor = count = 0;
    news = "Poids et biais remis à zéro.";
    move({ w1: 0, w2: 0, b: 0 });
  });
  el.addEventListener("input", (event) => { if (event.target.type === "range") news = ""; }, true);

  const legend = html("p", { className: "ex-legend" }, "Rond : classe 0. Triangle : classe 1. Zone teintée : ŷ = 1. Anneau : point mal classé.");
  const controls = html("div", { className: "ex-controls" }, choices.box, ...sliders.map(({ row }) => row),
    html("div", { className: "ex-buttons" }, step, restart), formula, status, legend);
  el.append(panel(canvas, controls));

  const watched = ["w1", "w2", "b", "example"].map((name) => `change:${name}`);
  watched.forEach((name) => model.on(name, draw));
  draw();
  return () => watched.forEach((name) => model.off(name, draw));
}

export default { render };
