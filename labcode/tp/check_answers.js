/* Pour Node : lit [{question, answers}] sur l'entrée standard, rend les résultats en JSON. */
import { readFileSync } from "node:fs";
import { check } from "./checks.js";

const jobs = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(jobs.map(({ question, answers }) => answers.map((answer) => check(question, answer)))));
