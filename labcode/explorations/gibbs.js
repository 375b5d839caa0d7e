/* Une chaîne de Gibbs qui avance. D'abord les calculs, purs et testés ; puis le dessin. */

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** Un hasard qui se rejoue : des nombres de [0 ; 1[, les mêmes pour la même graine (mulberry32, T. Ettinger). */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** La machine que `gibbs.py` a écrite : W en q lignes de p poids, b (p) et c (q). */
export const unpackMachine = ({ weight, visibleBias, hiddenBias }) => ({ W: rows(weight), b: floats(visibleBias), c: floats(hiddenBias) });

const hiddenActivation = ({ W, c }, v) => W.map((row, j) => row.reduce((sum, weight, i) => sum + weight * v[i], c[j]));

/** p(h_j = 1 | v) = σ((c_j + W_j·v)/T). */
export const hiddenProbabilities = (machine, v, temperature = 1) => hiddenActivation(machine, v).map((a) => sigmoid(a / temperature));

/** p(v_i = 1 | h) = σ((b_i + Σ_j h_j W_ji)/T). */
export function visibleProbabilities({ W, b }, h, temperature = 1) {
  const activation = Float64Array.from(b);
  W.forEach((row, j) => { if (h[j]) row.forEach((weight, i) => { activation[i] += h[j] * weight; }); });
  return Array.from(activation, (a) => sigmoid(a / temperature));
}

/** F(v) = −b·v − Σ_j ln(1 + exp(c_j + W_j·v)). */
export const freeEnergy = (machine, v) =>
  -machine.b.reduce((sum, bias, i) => sum + bias * v[i], 0) - hiddenActivation(machine, v).reduce((sum, a) => sum + softplus(a), 0);

const draw = (probabilities, random) => probabilities.map((p) => (random() < p ? 1 : 0));

/** Un pas : h tiré sachant v, puis v sachant h. Les visibles du masque `frozen` ne changent pas. */
export function gibbsStep(machine, v, { temperature = 1, frozen = [] }, random) {
  const h = draw(hiddenProbabilities(machine, v, temperature), random);
  const p = visibleProbabilities(machine, h, temperature).map((value, i) => (frozen[i] ? v[i] : value));
  return { h, p, v: draw(p, random).map((value, i) => (frozen[i] ? v[i] : value)) };
}

/** Ce que l'on fige, sous chaque nom : haut, gauche, bas et droite du rectangle, en fractions de l'image. */
export const FROZEN = {
  "Rien": [0, 0, 0, 0], "Moitié haute": [0, 0, 0.5, 1], "Moitié basse": [0.5, 0, 1, 1], "Moitié gauche": [0, 0, 1, 0.5], "Moitié droite": [0, 0.5, 1, 1],
};
export function frozenMask(name, [height, width]) {
  const [top, left, bottom, right] = FROZEN[name];
  const within = (k, size, from, to) => k >= Math.round(from * size) && k < Math.round(to * size);
  return Array.from({ length: height * width }, (_, i) => within(Math.floor(i / width), height, top, bottom) && within(i % width, width, left, right));
}

/** Le départ : une image, ou du bruit ; si une moitié est figée, l'autre part de bruit. */
export function startingImage(image, frozen, random) {
  const free = !image || frozen.some(Boolean);
  return Array.from(frozen, (kept, i) => (free && !(image && kept) ? (random() < 0.5 ? 1 : 0) : image[i]));
}

/** Rang de l'image la plus proche de v, et somme des écarts entre pixels. */
export function nearest(v, images) {
  const gaps = images.map((image) => image.reduce((sum, value, i) => sum + Math.abs(value - v[i]), 0));
  const gap = Math.min(...gaps);
  return { rank: gaps.indexOf(gap), gap };
}

const plural = (count, word) => `${count} ${count > 1 ? word.replace(/(\S+)/g, "$1s") : word}`;

export function report(count, { v, h }, energy, close) {
  const on = (units) => units.filter((value) => value > 0.5).length;
  const sentence = `Pas ${count} : ${plural(on(v), "pixel allumé")} sur ${v.length}`
    + (h ? `, ${plural(on(h), "unité cachée allumée")} sur ${h.length}` : "") + ` ; énergie libre ${number(energy)}.`;
  return sentence + (close ? ` La plus proche des images données : « ${close.label} », ${plural(Math.round(close.gap), "pixel")} d’écart.` : "");
}

/* ---- Le dessin ---- */

const CURVE = { width: 320, height: 120, left: 46, bottom: 18, steps: 200 };

/** L'énergie libre des derniers pas ; la ligne pointillée est la moyenne des images données. */
function curve(energies, first, reference) {
  const shown = reference === null ? energies : [...energies, reference];
  const low = Math.min(...shown), high = Math.max(low + 1, ...shown), { width, height, left, bottom, steps } = CURVE;
  const x = (k) => left + (width - left - 6) * k / steps, y = (energy) => 8 + (height - bottom - 16) * (high - energy) / (high - low);
  const nodes = [low, high].flatMap((level) => [
    svg("line", { class: "ex-grid", x1: left, x2: width, y1: y(level), y2: y(level) }),
    svg("text", { class: "ex-tick", x: left - 5, y: y(level) + 4, "text-anchor": "end" }, number(Math.round(level))),
  ]);
  nodes.push(svg("text", { class: "ex-tick", x: left, y: height - 3 }, `pas ${first}`),
    svg("text", { class: "ex-tick", x: width - 6, y: height - 3, "text-anchor": "end" }, `${first + steps}`));
  if (reference !== null) nodes.push(svg("line", { class: "gi-real", x1: left, x2: width, y1: y(reference), y2: y(reference) }));
  const d = energies.map((energy, k) => `${k ? "L" : "M"}${x(k).toFixed(1)} ${y(energy).toFixed(1)}`).join("");
  const last = energies.length - 1;
  nodes.push(svg("path", { class: "gi-energy", d }), svg("circle", { class: "gi-now", cx: x(last), cy: y(energies[last]), r: 3.5 }));
  return nodes;
}

function render({ model, el }) {
  const machine = unpackMachine(model.get("machine")), shape = model.get("image_shape"), [height, width] = shape;
  const labels = model.get("labels"), given = labels.length ? images(model.get("images")) : [];
  const reference = given.length ? given.reduce((sum, image) => sum + freeEnergy(machine, image), 0) / given.length : null;
  const sketch = new Float32Array(height * width);
  const columns = across(machine.c.length, [1, 1]);
  let random, state, count, energies, frozen, cursor = null, stroke = null;

  const seen = picture({ role: "application", tabIndex: 0, className: "gi-drawable" });
  const expected = picture(), units = picture();
  const frame = html("span", { className: "gi-frozen" }), mark = html("span", { className: "gi-cursor", hidden: true });
  const plane = svg("svg", { class: "gi-curve", viewBox: `0 0 ${CURVE.width} ${CURVE.height}`, role: "img" });
  const counter = html("p", { className: "ex-equation" });
  const status = html("p", { className: "ex-status", role: "status" });

  const place = (node, top, left, bottom, right) => Object.assign(node.style, {
    top: `${100 * top}%`, left: `${100 * left}%`, height: `${100 * (bottom - top)}%`, width: `${100 * (right - left)}%`,
  });

  function show() {
    seen.show(mosaic([state.v], shape, 1), `Image visible v, ${height} lignes de ${width} pixels, que l’on peut dessiner. Flèches : se déplacer ; Espace : allumer ou éteindre.`);
    expected.show(mosaic([state.p ?? []], shape, 1), "Probabilités p(v | h) des pixels");
    units.show(mosaic([state.h ?? []], [Math.ceil(machine.c.length / columns), columns], 1), `Unités cachées h : ${state.h ? state.h.filter(Boolean).length : 0} allumées sur ${machine.c.length}`);
    const energy = energies[energies.length - 1];
    plane.replaceChildren(...curve(energies, count + 1 - energies.length, reference));
    plane.setAttribute("aria-label", `Énergie libre le long de la chaîne, ${number(energy)} au pas ${count}${reference === null ? "" : ` ; moyenne des images données : ${number(reference)}`}.`);
    counter.textContent = `Pas ${count} ; énergie libre ${number(Math.round(energy))}`;
  }
  const tell = () => {
    const close = given.length ? nearest(state.v, given) : null;
    status.textContent = report(count, state, energies[energies.length - 1], close && { ...close, label: labels[close.rank] });
  };
  function restart() {
    play.pause();
    frozen = frozenMask(model.get("frozen"), shape);
    place(frame, ...FROZEN[model.get("frozen")]);
    frame.hidden = model.get("frozen") === "Rien";
    erase.hidden = model.get("start") !== "Dessin";
    random = generator(model.get("seed"));
    const image = model.get("start") === "Dessin" ? sketch : given[labels.indexOf(model.get("start"))];
    const v = startingImage(image, frozen, random);
    state = { v, p: null, h: null };
    count = 0;
    energies = [freeEnergy(machine, v)];
    [start, half, temperature, rate].forEach((control) => control.show());
    show();
    tell();
  }
  function advance(steps) {
    for (let k = 0; k < steps; k++) {
      state = gibbsStep(machine, state.v, { temperature: model.get("temperature"), frozen }, random);
      energies.push(freeEnergy(machine, state.v));
      count++;
    }
    if (energies.length > CURVE.steps + 1) energies = energies.slice(-CURVE.steps - 1);
    show();
  }
  function paint([row, column], value) {
    const i = row * width + column;
    state.v = state.v.map((old, k) => (k === i ? value : old));
    if (model.get("start") === "Dessin") sketch[i] = value;
    energies[energies.length - 1] = freeEnergy(machine, state.v);
    show();
  }

  const play = player({ el, advance, rate: () => model.get("rate"), changed: (playing) => (playing ? status.textContent = "Lecture en cours." : tell()) });
  const start = choice("Départ", "start", ["Bruit", "Dessin", ...labels], model);
  const half = choice("Figer", "frozen", Object.keys(FROZEN), model);
  const temperature = slider("Température", "temperature", model, { min: 0.1, max: 4, step: 0.1 });
  const rate = slider("Vitesse", "rate", model, { min: 1, max: 60, step: 1, text: (value) => `${value} pas/s` });
  const button = (text, action) => {
    const node = html("button", { type: "button" }, text);
    node.addEventListener("click", action);
    return node;
  };
  const step = button("Un pas", () => { play.pause(); advance(1); tell(); });
  const again = button("Recommencer", restart);
  const other = button("Autre tirage", () => {
    model.set("seed", model.get("seed") + 1);
    model.save_changes();
  });
  const erase = button("Effacer le dessin", () => { sketch.fill(0); restart(); });

  // Dessiner : le doigt ou la souris peint la valeur opposée à celle du premier pixel touché ; le clavier bascule un pixel.
  const target = seen.canvas, pixel = (row, column) => state.v[row * width + column];
  const under = (event) => {
    const box = target.getBoundingClientRect(), within = (value, size) => Math.max(0, Math.min(size - 1, Math.floor(value * size)));
    return [within((event.clientY - box.top) / box.height, height), within((event.clientX - box.left) / box.width, width)];
  };
  target.addEventListener("pointerdown", (event) => {
    target.setPointerCapture(event.pointerId);
    stroke = pixel(...under(event)) > 0.5 ? 0 : 1;
    paint(under(event), stroke);
  });
  target.addEventListener("pointermove", (event) => { if (stroke !== null) paint(under(event), stroke); });
  ["pointerup", "pointercancel"].forEach((name) => target.addEventListener(name, () => {
    if (stroke !== null) tell();
    stroke = null;
  }));
  const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  target.addEventListener("keydown", (event) => {
    const move = MOVES[event.key] ?? (event.key === " " ? [0, 0] : null);
    if (!move) return;
    event.preventDefault();
    play.pause();
    cursor ??= [0, 0];
    if (event.key === " ") paint(cursor, pixel(...cursor) > 0.5 ? 0 : 1);
    cursor = [Math.max(0, Math.min(height - 1, cursor[0] + move[0])), Math.max(0, Math.min(width - 1, cursor[1] + move[1]))];
    mark.hidden = false;
    place(mark, cursor[0] / height, cursor[1] / width, (cursor[0] + 1) / height, (cursor[1] + 1) / width);
    status.textContent = `Ligne ${cursor[0] + 1}, colonne ${cursor[1] + 1} : pixel ${pixel(...cursor) > 0.5 ? "allumé" : "éteint"}${frozen[cursor[0] * width + cursor[1]] ? ", figé" : ""}.`;
  });
  target.addEventListener("blur", () => { mark.hidden = true; });

  const stage = html("div", { className: "gi-stage" },
    captioned(html("div", { className: "gi-board" }, target, frame, mark), "Image v", "gi-main"),
    captioned(expected.canvas, "p(v | h)"), captioned(units.canvas, `${machine.c.length} unités h`),
    captioned(plane, "Énergie libre de v" + (reference === null ? "" : " (pointillés : moyenne des images données)"), "gi-wide"));
  const legend = html("p", { className: "ex-legend" }, "Blanc : 1 ; noir : 0. L’image v se dessine, à la souris ou au clavier. Quand une moitié est figée (cadre), l’autre part de bruit.");
  const controls = html("div", { className: "ex-controls" }, start.row, half.row, temperature.row, rate.row,
    html("div", { className: "ex-buttons" }, play.button, step, again, other, erase), counter, status, legend);
  el.append(panel(stage, controls));

  const restarting = ["start", "frozen", "seed"].map((name) => `change:${name}`);
  const sliders = { "change:temperature": temperature.show, "change:rate": rate.show };
  restarting.forEach((name) => model.on(name, restart));
  Object.entries(sliders).forEach(([name, shown]) => model.on(name, shown));
  restart();
  return () => {
    play.stop();
    restarting.forEach((name) => model.off(name, restart));
    Object.entries(sliders).forEach(([name, shown]) => model.off(name, shown));
  };
}

export default { render };
