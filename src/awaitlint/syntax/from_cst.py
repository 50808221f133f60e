"""libcst's tree as Python's `ast`: for source that is newer than the Python that runs.

libcst reads the grammar of later Pythons whichever Python it runs on.  `to_ast` turns its tree into the one
that the `ast` module of such a Python would give, positions included, so that whatever reads an `ast` reads
those files too.  Where the running Python's `ast` has no class for a node:

- ``type X[T] = value`` becomes ``X = value`` (`ast.Assign`);
- a type parameter becomes a `TypeParameter`; functions, classes and such assignments carry them in the
  attribute ``type_params``, as the nodes of Python 3.12 do;
- a template string (``t"…"``) becomes the f-string with the same parts;
- ``lazy import`` becomes the plain import, ``{**d for d in ds}`` an `ast.DictComp` with ``d`` as its key and
  None as its value.

Inside f-strings the positions are those of Python 3.12 and later; 3.11 itself gives every part of an f-string
the place of the whole, and misplaces nested expressions.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from awaitlint.syntax._from_cst_base import TypeParameter
from awaitlint.syntax._from_cst_statements import Statements
from awaitlint.syntax._from_cst_strings import Strings
from awaitlint.syntax.positions import Positions
from awaitlint.syntax.stack import recursing

if TYPE_CHECKING:
    import libcst

__all__ = ["TypeParameter", "to_ast"]


class _Converter(Statements, Strings):
    """All the conversions together."""


def to_ast(module: libcst.Module, source: str | None = None) -> ast.Module:
    """Convert a parsed module; `source` is the text it was parsed from (see `Positions`).

    Raises ValueError where Python refuses a literal: an unknown character name in an escape, ``b'é'``, an
    integer with more digits than `sys.get_int_max_str_digits` allows.
    """
    positions = Positions(module, source=source)

    def convert() -> ast.Module:
        converter = _Converter(positions)
        body: list[Any] = converter.statements(module.body)
        return ast.Module(body=body, type_ignores=[])

    return recursing(convert)
