"""Figures que le lecteur manipule, dans la page du site comme dans le carnet."""

from labcode.explorations.boundary import BoundaryExplorer

__all__ = ["BoundaryExplorer"]
