"""libcst, imported at first use.

Importing libcst costs some 0.3 s and a run that finds nothing never needs it, so every other module says
``from awaitlint.syntax.cst import cst`` and writes ``cst.Call`` as if it had imported libcst: type checkers
see the real module, and at run time the first attribute that is asked for imports it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["cst"]

if TYPE_CHECKING:
    import libcst as cst
else:

    class _Lazy:
        """Stands for the module libcst and remembers the attributes that were asked for."""

        def __getattr__(self, name: str) -> Any:
            if name.startswith("__"):
                # inspection (copy, doctest, inspect) asks for dunders: no reason to import anything
                raise AttributeError(name)
            import libcst  # noqa: PLC0415  # the point of this module

            value = getattr(libcst, name)
            setattr(self, name, value)
            return value

    cst = _Lazy()
