"""Figures que le lecteur manipule, dans la page du site comme dans le carnet."""

from labcode.explorations.boundary import BoundaryExplorer
from labcode.explorations.descent import DescentExplorer

__all__ = ["BoundaryExplorer", "DescentExplorer"]
