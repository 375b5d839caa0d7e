"""Réseaux de neurones écrits en NumPy : le code du livre."""
