"""La part des fautes que les tests ne voient pas, d'après le dernier passage de mutmut (``make mutants``).

mutmut change un détail de labcode.nn ou de labcode.optim (un signe, une borne, un argument, un texte), lance les tests qui
passent par là, et recommence. Un mutant *survit* si tout reste vert, ou si aucun test ne passe par lui. Le tableau, un
module par ligne, est rangé dans data/results/mutants.csv.
"""

import csv
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "data" / "results" / "mutants.csv"
SURVIVED = (0, 33, 5)  # codes de mutmut : tests verts ; aucun test (deux codes)


def counts():
    """Pour chaque module : nombre de mutants, nombre de survivants."""
    for file in sorted((ROOT / "mutants").glob("labcode/*/*.meta")):
        codes = json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"].values()
        if None in codes:
            raise SystemExit("Le passage n'est pas fini : relancez « make mutants », il reprendra où il en était.")
        if codes:
            yield f"labcode/{file.parent.name}/{file.stem}", len(codes), sum(code in SURVIVED for code in codes)


def main():
    rows = list(counts())
    if not rows:
        raise SystemExit("Aucun mutant : lancez d'abord « make mutants ».")
    total, survivors = (sum(row[column] for row in rows) for column in (1, 2))
    with open(RESULTS, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([("module", "mutants", "survivants"), *rows])
    share = f"{survivors / total:.1%}".replace(".", ",").replace("%", "\u00a0%")
    print(f"{total} mutants, {survivors} survivants ({share}) ; le détail est dans data/results/mutants.csv.")


if __name__ == "__main__":
    main()
