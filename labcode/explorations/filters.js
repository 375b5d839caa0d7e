/* Les filtres d'une machine pendant qu'elle apprend. D'abord les calculs, purs et testés ; puis le dessin. */

const largest = (filters) => filters.reduce((best, filter) => filter.reduce((high, value) => Math.max(high, Math.abs(value)), best), 0);

/** Les filtres entre −1 et 1 : divisés par le plus grand poids de leur époque, ou de toutes les époques. */
export function scaled(snapshots, rank, common) {
  const top = common ? Math.max(...snapshots.map(largest)) : largest(snapshots[rank]);
  return snapshots[rank].map((filter) => filter.map((value) => value / (top || 1)));
}

/** Corrélation moyenne des filtres de deux époques, chacun avec lui-même : 1 s'ils n'ont changé que d'échelle. */
export function likeness(before, after) {
  const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  const centered = (filter) => { const mean = filter.reduce((sum, value) => sum + value, 0) / filter.length; return filter.map((value) => value - mean); };
  const each = before.map((filter, j) => {
    const a = centered(filter), b = centered(after[j]), norms = Math.sqrt(dot(a, a) * dot(b, b));
    return norms ? dot(a, b) / norms : 0;
  });
  return each.reduce((sum, value) => sum + value, 0) / each.length;
}

/** Ce que l'on voit, en une phrase pour qui ne le voit pas. */
export function account(epochs, snapshots, measures, rank) {
  const parts = [`plus grand poids : ${small(largest(snapshots[rank]))}`];
  if (rank < epochs.length - 1) parts.push(`ressemblance moyenne des filtres avec ceux de l’époque ${epochs[epochs.length - 1]} : ${number(likeness(snapshots[rank], snapshots[epochs.length - 1]))}`);
  measures.forEach(([name, values]) => parts.push(`${name} : ${measure(values[rank])}`));
  return `Époque ${epochs[rank]} ; ${parts.join(" ; ")}.`;
}

/* ---- Le dessin ---- */

function render({ model, el }) {
  const shape = model.get("image_shape"), epochs = model.get("epochs"), measures = model.get("measures");
  const snapshots = model.get("snapshots").map(rows), last = epochs.length - 1, count = snapshots[0].length;
  const shown = picture();
  const status = html("p", { className: "ex-status" });

  function show() {
    const rank = model.get("rank");
    shown.show(mosaic(scaled(snapshots, rank, model.get("common")), shape, across(count, shape), signed),
      `Les poids de ${count} unités cachées, une petite image par unité, à l’époque ${epochs[rank]}.`);
    status.textContent = account(epochs, snapshots, measures, rank);
    common.checked = model.get("common");
    epoch.show();
  }
  const go = (rank) => {
    model.set("rank", rank);
    model.save_changes();
  };
  const play = player({
    el, rate: () => 2,
    advance: (count) => {
      go(Math.min(last, model.get("rank") + count));
      return model.get("rank") < last;
    },
    changed: (playing) => {
      if (playing && model.get("rank") === last) go(0);
      status.setAttribute("aria-live", playing ? "off" : "polite"); // rien n'est lu tant que cela défile
      if (!playing) show();
    },
  });
  const epoch = slider("Époque", "rank", model, { min: 0, max: last, step: 1, text: (rank) => String(epochs[rank]) });
  epoch.input.addEventListener("input", play.pause);
  const common = html("input", { type: "checkbox" });
  common.addEventListener("change", () => {
    model.set("common", common.checked);
    model.save_changes();
  });
  const legend = html("p", { className: "ex-legend" }, "Une image par unité cachée. Orange : poids positif, ce pixel allumé l’excite ; bleu : poids négatif, il la retient ; blanc : poids nul.");
  const controls = html("div", { className: "ex-controls" }, epoch.row,
    html("label", { className: "ex-check" }, common, " Même échelle de couleurs à toutes les époques"),
    html("div", { className: "ex-buttons" }, play.button), status, legend);
  el.append(panel(html("div", { className: "fi-stage" }, shown.canvas), controls));

  const watched = ["change:rank", "change:common"];
  watched.forEach((name) => model.on(name, show));
  status.setAttribute("aria-live", "polite");
  show();
  return () => {
    play.stop();
    watched.forEach((name) => model.off(name, show));
  };
}

export default { render };
