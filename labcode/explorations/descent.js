/* La descente d'un point sur une surface. D'abord les calculs, purs et testés ; puis le dessin. */

/** Chaque surface : fonction, gradient, minima, carré montré (centre et demi-côté), départ et taux proposés. */
const rotated = ([a, b]) => [(a + b) / Math.SQRT2, (b - a) / Math.SQRT2];
export const SURFACES = {
  "Vallée": {
    f: ([a, b]) => a * a / 2 + 10 * b * b,
    gradient: ([a, b]) => [a, 20 * b],
    minima: [[0, 0]], center: [-1, 0], half: 4, start: [-4, 1.2],
  },
  "Vallée en diagonale": {
    f: (p) => SURFACES["Vallée"].f(rotated(p)),
    gradient: (p) => {
      const [u, v] = SURFACES["Vallée"].gradient(rotated(p));
      return [(u - v) / Math.SQRT2, (u + v) / Math.SQRT2];
    },
    minima: [[0, 0]], center: [-1, -1], half: 4, start: [-3.7, -2],
  },
  "Selle": {
    f: ([a, b]) => a * a / 2 - b * b / 2 + b ** 4 / 4,
    gradient: ([a, b]) => [a, b ** 3 - b],
    minima: [[0, 1], [0, -1]], center: [-0.5, 0], half: 2, start: [-2, 0.01],
  },
  "Rosenbrock": {
    f: ([a, b]) => (1 - a) ** 2 + 100 * (b - a * a) ** 2,
    gradient: ([a, b]) => [2 * (a - 1) - 400 * a * (b - a * a), 200 * (b - a * a)],
    minima: [[1, 1]], center: [0, 0.8], half: 1.8, start: [-1.2, 1],
  },
};

/** Une règle reçoit le gradient, sa mémoire et les réglages ; elle rend le pas à soustraire, composante par composante. */
const each = (g, f) => g.map((value, i) => f(value, i));
const memory = (state, name) => (state[name] ??= [0, 0]);
const average = (m, g, keep) => g.forEach((value, i) => { m[i] = keep * m[i] + (1 - keep) * value; });
const speed = (g, state, mu) => {
  const v = memory(state, "v");
  g.forEach((value, i) => { v[i] = mu * v[i] + value; });
  return v;
};
export const METHODS = {
  "Gradient": (g, state, { lr }) => each(g, (value) => lr * value),
  "Inertie": (g, state, { lr, momentum }) => speed(g, state, momentum).map((v) => lr * v),
  "Nesterov": (g, state, { lr, momentum }) => speed(g, state, momentum).map((v, i) => lr * (g[i] + momentum * v)),
  "AdaGrad": (g, state, { lr }) => {
    const s = memory(state, "s");
    g.forEach((value, i) => { s[i] += value * value; });
    return each(g, (value, i) => lr * value / (Math.sqrt(s[i]) + 1e-10));
  },
  "RMSprop": (g, state, { lr }) => {
    const s = memory(state, "s");
    average(s, g.map((value) => value * value), 0.9);
    return each(g, (value, i) => lr * value / (Math.sqrt(s[i]) + 1e-8));
  },
  "Adam": (g, state, { lr }) => {
    const m = memory(state, "m"), v = memory(state, "v"), t = (state.t = (state.t ?? 0) + 1);
    average(m, g, 0.9);
    average(v, g.map((value) => value * value), 0.999);
    return each(g, (_, i) => lr * (m[i] / (1 - 0.9 ** t)) / (Math.sqrt(v[i] / (1 - 0.999 ** t)) + 1e-8));
  },
};

/** Les points visités, départ compris ; on s'arrête quand le point sort de tout ordre de grandeur. */
export function trajectory(surface, method, start, steps, settings) {
  const { gradient } = SURFACES[surface], points = [start], state = {};
  for (let k = 0; k < steps; k++) {
    const here = points[points.length - 1];
    const step = METHODS[method](gradient(here), state, settings);
    const next = here.map((value, i) => value - step[i]);
    if (!next.every((value) => Math.abs(value) < 1e6)) break;
    points.push(next);
  }
  return points;
}

const distance = (p, q) => Math.hypot(p[0] - q[0], p[1] - q[1]);

/** Distance au minimum le plus proche. */
export const gap = (surface, point) => Math.min(...SURFACES[surface].minima.map((minimum) => distance(point, minimum)));

/** Les lignes de niveau √(f − min f) = c, segment par segment, sur une grille de n × n carreaux (carrés baladeurs). */
export function levelSegments(surface, n = 110, count = 16) {
  const { f, center, half, minima } = SURFACES[surface], floor = f(minima[0]);
  const x = (i) => center[0] - half + 2 * half * i / n, y = (j) => center[1] - half + 2 * half * j / n;
  const height = Array.from({ length: n + 1 }, (_, i) =>
    Array.from({ length: n + 1 }, (_, j) => Math.sqrt(Math.max(0, f([x(i), y(j)]) - floor))));
  const highest = Math.max(...height.flat()), segments = [];
  for (let k = 1; k <= count; k++) {
    const level = highest * (k / (count + 1)) ** 1.4;
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) {
      const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
      const crossings = [];
      corners.forEach(([i0, j0], side) => {
        const [i1, j1] = corners[(side + 1) % 4], a = height[i0][j0] - level, b = height[i1][j1] - level;
        if ((a >= 0) !== (b >= 0)) {
          const t = a / (a - b);
          crossings.push([x(i0 + t * (i1 - i0)), y(j0 + t * (j1 - j0))]);
        }
      });
      for (let c = 0; c + 1 < crossings.length; c += 2) segments.push([crossings[c], crossings[c + 1]]);
    }
  }
  return segments;
}

export function outcome(surface, points, steps) {
  const last = points[points.length - 1], left = gap(surface, last);
  if (points.length <= steps) return `Diverge : après ${points.length} pas, le point est à plus d’un million de l’origine.`;
  const arrived = points.findIndex((_, k) => points.slice(k).every((p) => gap(surface, p) < 0.01));
  const text = `Après ${steps} pas, à ${small(left)} du minimum`;
  if (arrived >= 0) return `${text} ; à moins de 0,01 pour de bon dès le pas ${arrived}.`;
  return `${text}${left > 1.2 * gap(surface, points[0]) ? " : plus loin qu’au départ" : ""}.`;
}

/* ---- Le dessin ---- */

const SIZE = 320;
const levels = {}; // les lignes de niveau d'une surface ne changent pas : on les calcule une fois

function drawing(surface, points) {
  const { center, half, minima } = SURFACES[surface], scale = SIZE / (2 * half);
  const at = ([a, b]) => [(a - center[0] + half) * scale, (center[1] + half - b) * scale];
  const place = (p) => at(p).map((v) => Math.max(-9999, Math.min(9999, v)).toFixed(1)).join(" ");
  levels[surface] ??= levelSegments(surface).map(([p, q]) => `M${place(p)}L${place(q)}`).join("");
  const nodes = [svg("path", { class: "de-level", d: levels[surface] })];
  for (let k = Math.ceil(center[0] - half); k <= center[0] + half; k++) nodes.push(svg("text", { class: "ex-tick", x: at([k, 0])[0] + 3, y: SIZE - 4 }, number(k)));
  // Pas de graduation verticale au ras du bas : elle recouvrirait celles de l'axe horizontal.
  for (let k = Math.ceil(center[1] - half + 16 / scale); k <= center[1] + half; k++) nodes.push(svg("text", { class: "ex-tick", x: 4, y: at([0, k])[1] - 3 }, number(k)));
  nodes.push(svg("text", { class: "ex-axis", x: SIZE - 20, y: SIZE - 18 }, "θ₁"), svg("text", { class: "ex-axis", x: 18, y: 16 }, "θ₂"));
  for (const minimum of minima) {
    const [x, y] = at(minimum);
    nodes.push(svg("circle", { class: "de-minimum", cx: x, cy: y, r: 8 }));
  }
  nodes.push(svg("path", { class: "de-path", d: points.map((p, k) => (k ? "L" : "M") + place(p)).join("") }));
  for (const p of points.slice(1, -1)) {
    const [x, y] = at(p);
    if (x >= 0 && x <= SIZE && y >= 0 && y <= SIZE) nodes.push(svg("circle", { class: "de-point", cx: x, cy: y, r: 2.2 }));
  }
  const [x, y] = at(points[0]), [u, v] = at(points[points.length - 1]);
  nodes.push(svg("path", { class: "de-start", d: `M${x - 6} ${y - 6}L${x + 6} ${y + 6}M${x - 6} ${y + 6}L${x + 6} ${y - 6}` }),
    svg("circle", { class: "de-end", cx: u, cy: v, r: 5 }));
  return nodes;
}

function render({ model, el }) {
  const start = () => [model.get("x"), model.get("y")];
  const canvas = svg("svg", { class: "ex-plane de-plane", viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img" });
  const status = html("p", { className: "ex-status", role: "status" });
  const restart = () => {
    const [x, y] = SURFACES[model.get("surface")].start;
    model.set({ x, y });
    model.save_changes();
  };
  const surfaces = radios("Surface", "surface", Object.keys(SURFACES), model);
  const methods = radios("Méthode", "method", Object.keys(METHODS), model);
  const rate = slider("Taux η", "log_lr", model, { min: -4, max: 1, step: 0.05, text: (value) => small(10 ** value) });
  const inertia = slider("Inertie μ", "momentum", model, { min: 0, max: 0.99, step: 0.01 });
  const steps = slider("Pas", "steps", model, { min: 1, max: 500, step: 1 });
  const x = slider("Départ θ₁", "x", model, { min: -5, max: 3, step: 0.01 });
  const y = slider("Départ θ₂", "y", model, { min: -5, max: 3, step: 0.01 });
  const sliders = [rate, inertia, steps, x, y];

  canvas.addEventListener("click", (event) => {
    const { left, top, width } = canvas.getBoundingClientRect(), { center, half } = SURFACES[model.get("surface")];
    const round = (value) => Math.round(value * 100) / 100;
    model.set({
      x: round(center[0] - half + 2 * half * (event.clientX - left) / width),
      y: round(center[1] + half - 2 * half * (event.clientY - top) / width),
    });
    model.save_changes();
  });

  function draw() {
    const surface = model.get("surface"), method = model.get("method"), count = model.get("steps");
    const settings = { lr: 10 ** model.get("log_lr"), momentum: model.get("momentum") };
    const points = trajectory(surface, method, start(), count, settings);
    canvas.replaceChildren(...drawing(surface, points));
    const text = outcome(surface, points, count);
    canvas.setAttribute("aria-label", `${surface}, ${method}, taux ${small(settings.lr)}. ${text}`);
    status.textContent = text;
    inertia.row.hidden = !["Inertie", "Nesterov"].includes(method);
    sliders.forEach(({ show }) => show());
    surfaces.show();
    methods.show();
  }

  const again = html("button", { type: "button" }, "Revenir au départ proposé");
  again.addEventListener("click", restart);
  const legend = html("p", { className: "ex-legend" }, "Croix : départ (un clic le déplace). Disque : arrivée. Anneau : minimum. Les courbes joignent les points de même hauteur.");
  const controls = html("div", { className: "ex-controls" }, surfaces.box, methods.box, ...sliders.map(({ row }) => row),
    html("div", { className: "ex-buttons" }, again), status, legend);
  el.append(panel(canvas, controls));

  const watched = ["method", "log_lr", "momentum", "steps", "x", "y"].map((name) => `change:${name}`);
  watched.forEach((name) => model.on(name, draw));
  model.on("change:surface", restart);
  model.on("change:surface", draw);
  if (model.get("x") === null) restart();
  draw();
  return () => {
    watched.forEach((name) => model.off(name, draw));
    model.off("change:surface", restart);
    model.off("change:surface", draw);
  };
}

export default { render };
