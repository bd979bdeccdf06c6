"""The three candidate models, and any formula of Bambi's, in PyMC and in Bambi, with the same priors.

``fitting`` builds and fits; ``in_pymc`` and ``in_bambi`` write a model in either library; ``forms``
says which form of it, and which settings, a sampler gets along with; ``groups`` are those of a fit.
"""

from helpers.models.fitting import BACKENDS, PriorWarning, build, expected_outcome, fit
from helpers.models.forms import is_noncentered, nuts_settings
from helpers.models.groups import EXTENSIONS, extend_fit
from helpers.models.in_bambi import rename_bambi
from helpers.models.in_pymc import OUTCOME_DATA
from helpers.priors import FORMULAS, MODELS, PARAMETERS, Priors

__all__ = [
    "BACKENDS",
    "EXTENSIONS",
    "FORMULAS",
    "MODELS",
    "OUTCOME_DATA",
    "PARAMETERS",
    "PriorWarning",
    "Priors",
    "build",
    "expected_outcome",
    "extend_fit",
    "fit",
    "is_noncentered",
    "nuts_settings",
    "rename_bambi",
]
