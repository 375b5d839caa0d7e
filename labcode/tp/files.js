/* Ce qui entre dans la page et ce qui en sort : fichiers choisis ou déposés, téléchargements, aperçu. */
import { h } from "./dom.js";
import { LONGEST_FILE, readReport, writeHtml } from "./report.js";

export function download(name, type, text) {
  const link = h("a", { href: URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** « compte-rendu-lovelace-turing » : un nom de fichier sans surprise. */
export const fileName = (names) => ["compte-rendu", ...names].join("-").normalize("NFD").replaceAll(/[^\w-]+/g, (gap) => (/^\p{M}+$/u.test(gap) ? "" : "-")).toLowerCase().replaceAll(/-+/g, "-").slice(0, 80).replace(/-$/, "");

/** Un champ de fichier et la zone qui l'entoure, où l'on peut aussi déposer : `receive` reçoit les fichiers. */
export function dropZone(zone, receive) {
  const input = zone.querySelector("input[type=file]");
  input.addEventListener("change", async () => {
    await receive([...input.files]);
    input.value = ""; // le même fichier peut être repris
  });
  const over = (event, on) => {
    event.preventDefault();
    zone.classList.toggle("survole", on);
  };
  zone.addEventListener("dragover", (event) => over(event, true));
  zone.addEventListener("dragleave", (event) => over(event, false));
  zone.addEventListener("drop", (event) => {
    over(event, false);
    receive([...event.dataTransfer.files]);
  });
}

/** Le compte-rendu d'un fichier, ou ce qui ne va pas ; un fichier énorme n'est pas même ouvert. */
export async function readFile(file, questions) {
  const text = file.size > 4 * LONGEST_FILE ? " ".repeat(LONGEST_FILE + 1) : await file.text().catch(() => null);
  return { text, ...readReport(text, questions) };
}

/** Montre un compte-rendu dans un cadre où rien ne s'exécute. */
export function preview(frame, report, book) {
  frame.srcdoc = writeHtml(report, book);
  frame.hidden = false;
}
