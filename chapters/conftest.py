"""nbval : un carnet dont les données ne se trouvent nulle part est sauté, et dit lesquelles."""

import json
from functools import cache

import pytest

from labcode import datasets


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.suffix == ".ipynb" and (reason := missing_data(item.path)):
            item.add_marker(pytest.mark.skip(reason=reason))


@cache
def missing_data(path):
    """Pourquoi ce carnet ne peut pas tourner ici, ou None ; ses métadonnées, ``labcode.datasets``, disent ce qu'il charge."""
    for name in json.loads(path.read_text(encoding="utf-8"))["metadata"].get("labcode", {}).get("datasets", ()):
        try:
            getattr(datasets, f"load_{name}")()
        except datasets.DataUnavailableError as error:
            return f"{path.name}\u00a0: {error}"
    return None
