"""Ce qu'engendrent des machines de tailles diverses, apprises sur plus ou moins de caractères.

Le dessin est dans `generation.js`, les images sont dans la page : elle vit aussi sans noyau Python.
"""

import anywidget
import traitlets

from labcode.datasets.arguments import integer, number
from labcode.explorations.files import joined
from labcode.explorations.packing import check_size, checked_images, checked_shape, packed_images

MOST = 12  # lignes ou colonnes du tableau, au plus


class GenerationExplorer(anywidget.AnyWidget):
    """Un tableau d'images engendrées, une ligne par taille, une colonne par nombre de caractères ; on en choisit une case.

    ``images`` associe à (q, n), deux entiers, des images (N, p) entre 0 et 1 : celles qu'une machine à q unités cachées,
    apprise sur n caractères, a engendrées. Une case peut manquer. ``measures`` associe à (q, n) un dictionnaire nom → nombre,
    dit à côté des images. ``selected`` est la case montrée d'abord, la première si rien n'est dit. ``rows`` et ``columns``
    nomment les deux grandeurs. Une image sans gris tient un bit par pixel ; au plus 200 000 octets en tout.

    Des images ou des cases qui ne conviennent pas lèvent ValueError, des clés qui ne sont pas entières TypeError.
    """

    _esm = joined("drawing.js", "packing.js", "pictures.js", "generation.js")
    _css = joined("exploration.css", "generation.css")

    cells = traitlets.List().tag(sync=True)  # des [ligne, colonne, images, mesures]
    image_shape = traitlets.List().tag(sync=True)
    names = traitlets.List().tag(sync=True)
    row = traitlets.Int().tag(sync=True)
    column = traitlets.Int().tag(sync=True)

    def __init__(self, images, image_shape, *, measures=None, selected=None, rows="Unités cachées q", columns="Nombre de caractères", **traits):
        if not images:
            raise ValueError("images : aucune case reçue.")
        shape, measures = checked_shape(image_shape), measures or {}
        cells = {checked_cell("images", key): checked_images(pixels, shape, f"images[{key}]") for key, pixels in images.items()}
        selected = min(cells) if selected is None else checked_cell("selected", selected)
        for name, key in [("selected", selected), *(("measures", key) for key in measures)]:
            if tuple(key) not in cells:
                raise ValueError(f"{name} : la case {key} n'a pas d'images.")
        for axis, name in enumerate((rows, columns)):
            count = len({key[axis] for key in cells})
            if count > MOST:
                raise ValueError(f"images : {count} valeurs de « {name} », {MOST} au plus.")
        packed = [[*key, packed_images(pixels), checked_numbers(key, measures.get(key, {}))] for key, pixels in sorted(cells.items())]
        check_size(sum(len(pixels["values"]) for _, _, pixels, _ in packed) * 3 // 4, "images", "donnez moins d'images par case")
        super().__init__(cells=packed, image_shape=shape, names=[rows, columns], row=selected[0], column=selected[1], **traits)

    def __repr__(self):  # pas d'adresse mémoire : les carnets comparent ce texte
        height, width = self.image_shape
        return f"GenerationExplorer({height} × {width} pixels, cases : {len(self.cells)})"


def checked_cell(name, key):
    """Une case, en couple d'entiers."""
    try:
        row, column = key
    except (TypeError, ValueError):
        raise ValueError(f"{name} : {key!r} reçu, un couple d'entiers (ligne, colonne) attendu.") from None
    return integer(name, row, 0), integer(name, column, 0)


def checked_numbers(key, values):
    """Des couples [nom, nombre], à six chiffres."""
    return [[str(name), float(f"{number(f'measures[{key}]', value, -float('inf')):.6g}")] for name, value in values.items()]
