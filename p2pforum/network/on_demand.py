"""Import a part of a library without the rest: a package's own code runs when code asks for one of its names.

`import libp2p.crypto.keys` first runs `libp2p/__init__.py`, which imports the whole library: QUIC, WebSocket,
the DHT and 30 packages of other authors, none of which the node calls. Here Python can enter a package of the
library before the package has run. It runs, once, when code asks it for a name that it does not have yet:
`from libp2p import new_host` gives the same as always. The standard library's LazyLoader does not help,
because importing a submodule already makes it run the package.
"""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType


class _OnDemand(Loader):
    """Loads a package in two steps: first as a container of submodules, then, when needed, its code."""

    def __init__(self, real: Loader) -> None:
        self._real = real

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        def run_and_get(name: str) -> object:
            if name.startswith("__"):
                raise AttributeError(name)  # tools ask every module for such names, and no package has them
            del module.__getattr__
            try:
                self._real.exec_module(module)
            except BaseException:
                module.__getattr__ = run_and_get  # type: ignore[method-assign]
                raise
            return getattr(module, name)

        module.__getattr__ = run_and_get  # type: ignore[method-assign]


class PackagesOnDemand(MetaPathFinder):
    """Finds the packages of one library; the ordinary import finds its modules."""

    def __init__(self, library: str) -> None:
        self._library = library

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See importlib.abc.MetaPathFinder. None for other libraries, and for modules that are not
        packages."""
        if fullname.partition(".")[0] != self._library:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None or spec.submodule_search_locations is None:
            return None
        spec.loader = _OnDemand(spec.loader)
        return spec


sys.meta_path.insert(0, PackagesOnDemand("libp2p"))
