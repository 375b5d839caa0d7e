"""Crée l'environnement virtuel du livre, ou dit clairement ce qui manque pour le créer.

Debian et Ubuntu livrent Python sans `ensurepip` : le module est dans le paquet python3-venv.
"""

import os
import shutil
import subprocess
import sys


def create(folder):
    """Crée l'environnement ; rend False si le module qui y installe pip manque."""
    return subprocess.run([sys.executable, "-m", "venv", folder], stdout=subprocess.DEVNULL).returncode == 0


def install_venv_package():
    """Installe python3-venv quand on en a le droit sans rien demander (superutilisateur, p. ex. un conteneur)."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return False
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    print(f"Le paquet {package} manque : installation…", flush=True)
    subprocess.run(["apt-get", "update", "-qq"])
    return subprocess.run(["apt-get", "install", "-y", "-qq", package], stdout=subprocess.DEVNULL).returncode == 0


def main(folder):
    if create(folder) or (install_venv_package() and create(folder)):
        return 0
    shutil.rmtree(folder, ignore_errors=True)
    print("Python ne sait pas créer d'environnement virtuel ici. Sous Debian ou Ubuntu :\n"
          "    sudo apt install python3-venv\npuis relancez la commande.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
