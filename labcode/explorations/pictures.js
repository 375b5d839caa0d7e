/* De petites images dans la page : un pixel d'écran agrandi par pixel d'image. */

/** 0 est noir, 1 blanc, comme dans les figures du livre. */
export const gray = (value) => [255 * value, 255 * value, 255 * value];

/** −1 est bleu, 0 blanc, 1 orange : deux teintes que tous distinguent. */
export function signed(value) {
  const full = value < 0 ? [0, 90, 160] : [200, 80, 0], amount = Math.min(1, Math.abs(value));
  return full.map((channel) => 248 + amount * (channel - 248));
}

/** Plusieurs images sur une grille, séparées par un filet vide : un tableau [hauteur, largeur, pixels RVBA]. */
export function mosaic(images, [height, width], columns, color = gray) {
  const gap = images.length > 1 ? 1 : 0, across = Math.min(columns, images.length);
  const full = [Math.ceil(images.length / across) * (height + gap) - gap, across * (width + gap) - gap];
  const pixels = new Uint8ClampedArray(4 * full[0] * full[1]); // ce que l'on ne peint pas reste transparent
  images.forEach((image, n) => {
    const top = Math.floor(n / across) * (height + gap), left = (n % across) * (width + gap);
    image.forEach((value, i) => {
      const at = (top + Math.floor(i / width)) * full[1] + left + (i % width);
      pixels.set([...color(value), 255], 4 * at);
    });
  });
  return [...full, pixels];
}

/** Nombre de colonnes d'une mosaïque à peu près carrée, sans trou en bas à droite si c'est possible. */
export function across(count, [height, width]) {
  const ideal = Math.sqrt(count * height / width), gap = (columns) => Math.abs(Math.log(columns / ideal));
  const divisors = Array.from({ length: count }, (_, k) => k + 1).filter((k) => count % k === 0);
  const best = divisors.reduce((a, b) => (gap(b) < gap(a) ? b : a));
  return gap(best) < 0.5 ? best : Math.ceil(ideal);
}

/** Une toile qui montre ce que `mosaic` a composé, et que `label` décrit à qui ne la voit pas. */
export function picture(properties = {}) {
  const canvas = html("canvas", { role: "img", ...properties, className: `ex-picture ${properties.className ?? ""}` });
  const show = ([height, width, pixels], label) => {
    if (canvas.height !== height || canvas.width !== width) Object.assign(canvas, { height, width });
    canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
    if (label) canvas.setAttribute("aria-label", label);
  };
  return { canvas, show };
}

/** Une toile et sa légende. */
export const captioned = (node, text, className = "") => html("figure", { className: `ex-figure ${className}` }, node, html("figcaption", {}, text));
