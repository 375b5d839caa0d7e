"""Le script et le style d'une exploration : la partie commune, puis la sienne."""

from pathlib import Path

HERE = Path(__file__).parent


def joined(*names):
    """Les fichiers de ce dossier, mis bout à bout : anywidget demande un seul script et un seul style."""
    return "\n".join((HERE / name).read_text(encoding="utf-8") for name in names)
