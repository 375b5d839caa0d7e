/* Ce que les explorations partagent : les nombres à la française, les éléments, les curseurs, les choix. */

/** Un nombre écrit à la française : virgule, vrai signe moins, deux décimales au plus. */
export function number(value) {
  const text = String(Math.abs(Math.round(value * 100) / 100)).replace(".", ",");
  return (value < 0 && text !== "0" ? "−" : "") + text;
}

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
