"""Le dépôt lui-même : README et Makefile d'accord, rien qui trahisse une machine, notes communes complètes."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def tracked():
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("ce dossier n'est pas un dépôt git")
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).exists()]


def test_le_readme_ne_cite_que_des_commandes_qui_existent():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    cited = set(re.findall(r"(?:`|^)make ([a-z-]+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.M))
    assert {"livre", "tests", "carnets", "servir"} <= cited <= targets


def test_aucun_chemin_de_machine():
    pattern = re.compile(r"(?<![\w./|-])/(?:work|root|home/\w+)/\w")
    for path in tracked():
        if path.suffix in {".py", ".md", ".yml", ".ipynb", ".js", ".css", ".toml", ".json", ".txt", ".html", ""}:
            found = pattern.search(path.read_text(encoding="utf-8"))
            assert not found or path == Path(__file__), f"{path} : {found}"


def test_versions_figees():
    for name in ("requirements.txt", "requirements-tests.txt"):
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            line = line.split("#")[0].strip()
            assert not line or line.startswith("-") or re.fullmatch(r"[\w.-]+==[\w.]+", line), line


def test_rien_de_lourd_hors_des_donnees():
    heavy = [path for path in tracked() if path.stat().st_size > 3_000_000 and "data" not in path.relative_to(ROOT).parts]
    assert not heavy


def test_chaque_nom_des_questions_est_dans_les_notations(chapters):
    page = (ROOT / "chapters" / "notations.md").read_text(encoding="utf-8")
    names = {name for chapter in chapters for question in chapter.questions for name in question.get("variables", {})}
    assert {name for name in names if f"`{name}`" not in page} == set()
