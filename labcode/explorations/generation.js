/* Un tableau d'images engendrées. D'abord les calculs, purs et testés ; puis le dessin. */

/** Un entier à la française : 100 000. */
export const whole = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, "\u202f");

/** Les valeurs des lignes et des colonnes, et la case de chaque couple. */
export function table(cells) {
  const along = (axis) => [...new Set(cells.map((cell) => cell[axis]))].sort((a, b) => a - b);
  const find = (row, column) => cells.find((cell) => cell[0] === row && cell[1] === column);
  return { rows: along(0), columns: along(1), find };
}

/** La case remplie suivante dans la direction donnée : la plus alignée, puis la plus proche ; la même s'il n'y en a pas. */
export function neighbor(cells, [row, column], [down, right]) {
  const { rows, columns } = table(cells), i = rows.indexOf(row), j = columns.indexOf(column);
  const reached = cells.map(([r, c]) => {
    const below = rows.indexOf(r) - i, aside = columns.indexOf(c) - j;
    return { at: [r, c], along: down * below + right * aside, off: Math.abs(right * below + down * aside) };
  }).filter(({ along }) => along > 0);
  return reached.reduce((best, cell) => (cell.off - best.off || cell.along - best.along) < 0 ? cell : best, reached[0])?.at ?? [row, column];
}

/** Part des pixels allumés, en moyenne sur les images. */
export const ink = (images) => images.reduce((sum, image) => sum + image.reduce((on, value) => on + value, 0) / image.length, 0) / images.length;

/** Écart moyen entre deux images engendrées, en part des pixels : nul si la machine fait toujours la même. */
export function variety(images) {
  let sum = 0, pairs = 0;
  images.forEach((a, n) => images.slice(n + 1).forEach((b) => {
    sum += a.reduce((gap, value, i) => gap + Math.abs(value - b[i]), 0) / a.length;
    pairs++;
  }));
  return pairs ? sum / pairs : 0;
}

/** Ce que l’on règle : « Unités cachées q : 100 ; nombre de caractères : 3 ». */
export const caption = (names, [row, column]) => `${names[0]} : ${whole(row)} ; ${names[1][0].toLowerCase()}${names[1].slice(1)} : ${whole(column)}`;

export function account(names, cell, shown) {
  const percent = (value) => `${number(Math.round(1000 * value) / 10)} %`;
  const parts = [caption(names, cell), ...cell[3].map(([name, value]) => `${name} : ${measure(value)}`),
    `pixels allumés : ${percent(ink(shown))}`];
  if (shown.length > 1) parts.push(`pixels qui changent d’une image à l’autre : ${percent(variety(shown))}`);
  return `${parts.join(" ; ")}.`;
}

/* ---- Le dessin ---- */

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function render({ model, el }) {
  const shape = model.get("image_shape"), names = model.get("names"), cells = model.get("cells"), grid = table(cells);
  const unpacked = new Map(cells.map((cell) => [cell, images(cell[2])])), buttons = new Map();
  const shown = picture();
  const status = html("p", { className: "ex-status", role: "status" });

  const choose = (row, column) => {
    model.set({ row, column });
    model.save_changes();
  };
  function cellButton(cell) {
    const [row, column] = cell, thumbnail = picture();
    thumbnail.show(mosaic(unpacked.get(cell).slice(0, 1), shape, 1));
    thumbnail.canvas.removeAttribute("role");
    thumbnail.canvas.setAttribute("aria-hidden", "true");
    const button = html("button", { type: "button" }, thumbnail.canvas);
    button.setAttribute("aria-label", caption(names, cell));
    button.addEventListener("click", () => choose(row, column));
    button.addEventListener("keydown", (event) => {
      if (!ARROWS[event.key]) return;
      event.preventDefault();
      const next = neighbor(cells, [row, column], ARROWS[event.key]);
      choose(...next);
      buttons.get(grid.find(...next)).focus();
    });
    buttons.set(cell, button);
    return button;
  }
  const heading = (value, scope) => html("th", { scope }, whole(value));
  const body = grid.rows.map((row) => html("tr", {}, heading(row, "row"), ...grid.columns.map((column) => {
    const cell = grid.find(row, column);
    return html("td", {}, cell ? cellButton(cell) : html("span", { title: "Pas d’images" }, "–"));
  })));
  const board = html("table", { className: "ge-table" }, html("caption", {}, `${names[0]} (lignes), ${names[1][0].toLowerCase()}${names[1].slice(1)} (colonnes)`),
    html("thead", {}, html("tr", {}, html("td"), ...grid.columns.map((column) => heading(column, "col")))), html("tbody", {}, ...body));

  function show() {
    const cell = grid.find(model.get("row"), model.get("column")) ?? cells[0], pictures = unpacked.get(cell);
    shown.show(mosaic(pictures, shape, across(pictures.length, shape)),
      `Images engendrées : ${pictures.length} ; ${caption(names, cell)}`);
    status.textContent = account(names, cell, pictures);
    buttons.forEach((button, key) => {
      button.setAttribute("aria-pressed", String(key === cell));
      button.tabIndex = key === cell ? 0 : -1; // une seule étape de tabulation, puis les flèches
    });
  }

  const legend = html("p", { className: "ex-legend" }, "Le tableau montre la première image de chaque case ; choisissez-en une, d’un clic ou avec les flèches, pour voir toutes les siennes.");
  el.append(panel(html("div", { className: "ge-stage" }, board),
    html("div", { className: "ex-controls" }, html("div", { className: "ge-shown" }, shown.canvas), status, legend)));

  const watched = ["change:row", "change:column"];
  watched.forEach((name) => model.on(name, show));
  show();
  return () => watched.forEach((name) => model.off(name, show));
}

export default { render };
