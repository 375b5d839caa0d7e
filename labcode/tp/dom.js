/* Fabriquer le HTML des questions. */

/** Crée un élément : h("p", {class: "x"}, "texte", autreÉlément). */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Du HTML de la banque (rendu par nos soins, jamais du texte de l'élève). */
export function fromBank(tag, attributes, html) {
  const element = h(tag, attributes);
  element.innerHTML = html ?? "";
  return element;
}
