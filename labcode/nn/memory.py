"""Garder la mémoire que l'on vient de libérer, au lieu de la rendre au système pour la redemander aussitôt."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # numéros de ces réglages dans le malloc.h de glibc


def keep_freed_memory():
    """Demande à la bibliothèque C de ne rendre au système que les tableaux de plus de 32 Mo, ou ce qui dépasse 256 Mo.

    Un pas d'apprentissage libère et redemande les mêmes quelques mégaoctets des dizaines de fois. Les rendre, c'est
    recevoir à chaque fois des pages neuves, que le système met à zéro : un simple dy·(1 − y²) sur 300 000 nombres y
    prend dix fois plus de temps. Sans effet là où la bibliothèque C n'est pas glibc (macOS, Windows).
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(M_MMAP_THRESHOLD, 32 << 20)
    mallopt(M_TRIM_THRESHOLD, 256 << 20)
