"""data/README.md dit la vérité : les empreintes et les adresses du code, les fichiers du dossier."""

import hashlib
from pathlib import Path

import pytest

from labcode.datasets import alphadigits, cifar10, mnist, usps

DATA = Path(__file__).resolve().parents[2] / "data"
README = (DATA / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("known", [
    *mnist.MNIST.values(), *mnist.FASHION_MNIST.values(), *cifar10.BATCHES.values(), cifar10.ARCHIVE_SHA256, usps.H5_SHA256, alphadigits.SHA256,
    *mnist.MNIST_URLS, *mnist.FASHION_MNIST_URLS, usps.URL, *alphadigits.SOURCE.urls, *cifar10.SOURCE.urls,
    *(" ".join(map(str, counts)) for counts in usps.COUNTS.values()),
])
def test_le_readme_dit_ce_que_verifie_le_code(known):
    assert known in README


@pytest.mark.parametrize("folder", ["mnist", "fashion-mnist"])
def test_fichiers_complets_et_rien_d_autre(folder):
    assert sorted(path.name for path in (DATA / folder).iterdir()) == sorted(f"{name}.gz" for name in mnist.SHAPES)


def test_empreintes_des_fichiers_compresses():
    for path in (DATA / "fashion-mnist").iterdir():
        assert f"`{path.name}` |" in README and hashlib.sha256(path.read_bytes()).hexdigest() in README


def test_aucun_pickle():
    """Un pickle peut exécuter n'importe quoi : aucun chargeur n'en lit."""
    for path in Path(mnist.__file__).parent.glob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert "import pickle" not in source and "allow_pickle" not in source and "joblib" not in source
