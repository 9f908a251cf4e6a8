"""One copy of the package under its two names: `pipeline` in a checkout, `second_opinion` where it is installed.

A checkout with an editable installation has both names. Without this, each would load the package once more: two classes
for every error, and two tasks of each family, which Luigi refuses. So the name that is imported first gives the modules,
and the other name finds those. A foreign module `pipeline` stays what it is.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from importlib.abc import InspectLoader, Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from types import CodeType, ModuleType
from typing import cast

NAMES = ("pipeline", "second_opinion")


class Alias(MetaPathFinder, Loader):
    """Finds the modules of this package under its other name."""

    def __init__(self, name: str, other: str) -> None:
        self._name, self._other = name, other
        self._specs: dict[str, ModuleSpec | None] = {}

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002  # the import system gives it
        target: ModuleType | None = None,  # noqa: ARG002  # likewise
    ) -> ModuleSpec | None:
        """The module's own, if the other name is a name of this package."""
        top, _, below = fullname.partition(".")
        if top != self._other or not (below or self._is_ours()):
            return None
        own = self._own(fullname)
        # a package keeps its own `__path__`
        return own and ModuleSpec(fullname, self, is_package=own.submodule_search_locations is not None)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module that is there already, or is now imported under the package's name."""
        module = importlib.import_module(self._name + spec.name[len(self._other) :])
        self._specs[spec.name] = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run; the import system has just given the module the alias's spec, and it gets its own back."""
        module.__spec__ = self._specs.pop(str(module.__spec__ and module.__spec__.name))

    def get_code(self, fullname: str) -> CodeType | None:
        """The code of the module, for `runpy` and `python -m`, which run it without importing it."""
        own = self._own(fullname)
        return None if own is None else cast("InspectLoader", own.loader).get_code(own.name)

    def _own(self, fullname: str) -> ModuleSpec | None:
        """The spec of a module under the package's own name."""
        return find_spec(self._name + fullname[len(self._other) :])

    def _is_ours(self) -> bool:
        """Whether the other name leads to this folder; the name of an installation leads nowhere else."""
        found = PathFinder.find_spec(self._other)
        if found is None or found.origin is None:
            return self._other == NAMES[1]
        return os.path.realpath(found.origin) == os.path.realpath(sys.modules[self._name].__file__ or "")


def install(name: str) -> None:
    """Have imports find the package that was imported as `name` under its other name, too."""
    if name in NAMES and not any(isinstance(each, Alias) for each in sys.meta_path):
        (other,) = (each for each in NAMES if each != name)
        sys.meta_path.insert(0, Alias(name, other))
