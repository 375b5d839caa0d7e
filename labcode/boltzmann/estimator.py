"""Les manières de scikit-learn, sans scikit-learn : des réglages que l'on lit, que l'on change et que l'on recopie."""

import copy
import inspect


class NotFittedError(ValueError, AttributeError):
    """Modèle dont on attend quelque chose avant qu'il ait appris (de même nature que l'erreur de scikit-learn)."""


class Estimator:
    """Modèle dont les arguments du constructeur sont les réglages, gardés tels quels dans des attributs du même nom.

    Ce que le modèle apprend va dans des attributs dont le nom finit par « _ ». Un ``Pipeline`` et ``clone`` de
    scikit-learn l'acceptent.
    """

    def get_params(self, deep=True):
        """Réglages : dictionnaire nom → valeur. ``deep`` n'y change rien."""
        return {name: getattr(self, name) for name in inspect.signature(type(self).__init__).parameters if name != "self"}

    def set_params(self, **params):
        """Change des réglages ; renvoie ``self``. Lève ValueError pour un nom inconnu."""
        for name, value in params.items():
            if name not in self.get_params():
                raise ValueError(f"{type(self).__name__} : réglage {name!r} inconnu ; il y a {', '.join(self.get_params())}.")
            setattr(self, name, value)
        return self

    def untrained(self, **changes):
        """Un modèle neuf, de mêmes réglages, à ``changes`` près."""
        return type(self)(**(copy.deepcopy(self.get_params()) | changes))

    def require(self, attribute):
        """Lève NotFittedError si le modèle n'a pas encore ``attribute``."""
        if not hasattr(self, attribute):
            raise NotFittedError(f"{type(self).__name__} : ce modèle n'a encore rien appris, appelez d'abord fit ou initialize.")

    def __sklearn_tags__(self):
        from sklearn.utils import Tags, TargetTags, TransformerTags

        return Tags(estimator_type=None, target_tags=TargetTags(required=False),
                    transformer_tags=TransformerTags(preserves_dtype=["float64", "float32"]))

    def __sklearn_is_fitted__(self):
        return any(name.endswith("_") and not name.endswith("__") for name in vars(self))

    def __repr__(self):
        defaults = inspect.signature(type(self).__init__).parameters
        changed = [f"{name}={value!r}" for name, value in self.get_params().items() if value is not defaults[name].default]
        return f"{type(self).__name__}({', '.join(changed)})"
