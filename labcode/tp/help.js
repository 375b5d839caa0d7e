/* L'aide-mémoire de la saisie d'une formule, dépliable sous le champ. */
const RULES = [
  ["W @ x", "produit matriciel"],
  ["u * v", "produit composante par composante (aussi ⊙), ou par un nombre"],
  ["W.T", "transposée (aussi W')"],
  ["x^2", "puissance, composante par composante"],
  ["u @ v.T", "matrice des produits de deux vecteurs colonnes (aussi outer(u, v))"],
  ["sum(X, 0)", "somme des lignes ; sum(X, 1), des colonnes ; sum(X), de tout"],
  ["exp log sqrt tanh sigmoid relu softmax", "fonctions usuelles (et mean, max, abs)"],
];

const sizeOf = (shape) => (shape.length === 0 ? "nombre" : shape.length === 1 ? `vecteur : ${shape[0]} × 1` : `matrice : ${shape.join(" × ")}`);

export function formulaHelp(question, h) {
  const line = (code, text) => h("li", {}, h("code", {}, code), ` ${text}`);
  const symbols = Object.entries(question.variables).map(([name, { shape }]) => line(name, `(${sizeOf(shape)})`));
  return h("details", { class: "lc-help" },
    h("summary", {}, "Symboles et écriture"),
    h("p", {}, "Symboles de cette question :"), h("ul", {}, ...symbols),
    h("p", {}, "Écriture :"), h("ul", {}, ...RULES.map(([code, text]) => line(code, text))),
  );
}
