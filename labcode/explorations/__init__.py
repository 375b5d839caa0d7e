"""Figures que le lecteur manipule, dans la page du site comme dans le carnet."""

from labcode.explorations.boundary import BoundaryExplorer
from labcode.explorations.descent import DescentExplorer
from labcode.explorations.filters import FiltersExplorer
from labcode.explorations.generation import GenerationExplorer
from labcode.explorations.gibbs import GibbsExplorer

__all__ = ["BoundaryExplorer", "DescentExplorer", "FiltersExplorer", "GenerationExplorer", "GibbsExplorer"]
