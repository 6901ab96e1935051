"""A sound defense in a module that loads a heavy library."""

import scipy  # noqa: F401
from broken import Shifted


class Heavy(Shifted):
    pass
