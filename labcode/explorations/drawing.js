/* Ce que les explorations partagent : les nombres à la française, les éléments, les curseurs, les choix. */

/** Un nombre écrit à la française : virgule, vrai signe moins, deux décimales au plus. */
export function number(value) {
  const text = String(Math.abs(Math.round(value * 100) / 100)).replace(".", ",");
  return (value < 0 && text !== "0" ? "−" : "") + text;
}

/** Un petit nombre à la française : 0,003 ou 2,5 × 10⁻⁷. */
export function small(value) {
  if (value === 0) return "0";
  const power = Math.floor(Math.log10(Math.abs(value)));
  if (power >= -4 && power < 4) return Number(value.toPrecision(2)).toString().replace(".", ",").replace("-", "−");
  const [mantissa, exponent] = value.toExponential(1).split("e");
  const raised = [...exponent.replace("+", "")].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c])).join("");
  return `${mantissa.replace(".", ",").replace("-", "−")} × 10${raised}`;
}

/** Une mesure : deux décimales à partir de 1, deux chiffres en dessous. */
export const measure = (value) => (Math.abs(value) >= 1 ? number(value) : small(value));

export function html(tag, properties = {}, ...children) {
  const { role, ...rest } = properties;
  const node = Object.assign(document.createElement(tag), rest);
  if (role) node.setAttribute("role", role);
  node.append(...children);
  return node;
}

export function svg(tag, attributes = {}, text = "") {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.textContent = text;
  return node;
}

/** Le cadre d'une exploration. Dans JupyterLab, le clavier y est aux commandes : les flèches n'y changent pas de cellule. */
export function panel(...children) {
  const node = html("div", { className: "exploration" }, ...children);
  node.querySelectorAll("input, select, button, [tabindex]").forEach((control) => control.setAttribute("data-lm-suppress-shortcuts", "true"));
  return node;
}

/** Un curseur lié à la grandeur `name` du modèle ; `text` dit comment écrire sa valeur. */
export function slider(label, name, model, { min, max, step, text = number }) {
  const shown = html("span", { className: "ex-value" });
  const input = html("input", { type: "range", min, max, step, className: "ex-range" });
  input.setAttribute("aria-label", label);
  const show = () => {
    const value = model.get(name);
    input.value = value;
    input.setAttribute("aria-valuetext", text(value));
    shown.textContent = text(value);
  };
  input.addEventListener("input", () => {
    model.set(name, Number(input.value));
    model.save_changes();
  });
  return { show, input, row: html("label", { className: "ex-row" }, html("span", { className: "ex-name" }, label), input, shown) };
}

/** Des boutons radio liés à la grandeur `name` du modèle ; `chosen`, appelé au changement. */
export function radios(legend, name, values, model, chosen = () => {}) {
  const group = "ex-" + Math.random().toString(36).slice(2); // plusieurs explorations par page : un groupe de boutons chacune
  const box = html("fieldset", { className: "ex-choices" }, html("legend", {}, legend));
  for (const value of values) {
    const input = html("input", { type: "radio", name: group, value });
    input.addEventListener("change", () => {
      chosen();
      model.set(name, value);
      model.save_changes();
    });
    box.append(html("label", {}, input, " " + value));
  }
  const show = () => box.querySelectorAll("input").forEach((input) => { input.checked = input.value === model.get(name); });
  return { show, box };
}

/** Une liste déroulante liée à la grandeur `name` du modèle. */
export function choice(label, name, values, model) {
  const select = html("select", {}, ...values.map((value) => html("option", { value }, value)));
  const show = () => { select.value = model.get(name); };
  select.addEventListener("change", () => {
    model.set(name, select.value);
    model.save_changes();
  });
  return { show, select, row: html("label", { className: "ex-row ex-wide" }, html("span", { className: "ex-name" }, label), select) };
}
