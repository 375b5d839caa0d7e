/* Les tableaux que `packing.py` a écrits. */

export const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

export const floats = (text) => new Float32Array(bytes(text).buffer);

/** Les lignes d'une matrice : la j-ième vaut échelle_j × des entiers. */
export function rows({ columns, scales, values }) {
  const integers = new Int8Array(bytes(values).buffer);
  return [...floats(scales)].map((scale, j) => Float32Array.from(integers.subarray(j * columns, (j + 1) * columns), (k) => scale * k));
}

/** Des images, chacune en tableau de nombres entre 0 et 1. */
export function images({ pixels, count, bits, values }) {
  const stored = bytes(values);
  const value = bits === 1 ? (k) => (stored[k >> 3] >> (7 - (k & 7))) & 1 : (k) => stored[k] / 255;
  return Array.from({ length: count }, (_, n) => Float32Array.from({ length: pixels }, (_, i) => value(n * pixels + i)));
}
