"""``python -m labcode.tp [fichiers]`` : valide la banque et passe les essais de chaque question."""

import sys
from pathlib import Path

from labcode.tp import bank, rehearsal


def main(arguments: list[str]) -> int:
    """Rend 0 si toutes les questions tiennent, 1 sinon."""
    paths = [Path(argument) for argument in arguments] or sorted(bank.find_folder().glob("*.yml"))
    failed = False
    for path in paths:
        try:
            questions = bank.load_file(path)
        except (bank.BankError, OSError) as error:
            print(error)
            failed = True
            continue
        if not rehearsal.has_node():
            print(f"{path.name}\u00a0: format valide\u00a0; essais non passés, car Node n'est pas installé")
            continue
        report = rehearsal.rehearse(questions)
        for name, problems in report.items():
            print(f"{'✗' if problems else '✓'} {name}")
            for problem in problems:
                print(f"    {problem}")
        bad = sum(map(bool, report.values()))
        print(f"{path.name}\u00a0: {len(report)} questions, {bad} à revoir")
        failed |= bad > 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
