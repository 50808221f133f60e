"""Parts of a file as libcst trees.

Parsing with libcst costs ten times what `ast` costs, and the number of lines is the only thing that helps:
so only the functions in which something is suspected are parsed.  An indented function becomes the body of a
class in front of it; its lines stay as they are, so columns are those of the file and lines differ by a
constant.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from awaitlint.model import Span
from awaitlint.syntax.cst import cst
from awaitlint.syntax.parse import LIBCST_PLACE, SyntaxProblem, load_cst
from awaitlint.syntax.positions import Positions
from awaitlint.syntax.walk import Walker

if TYPE_CHECKING:
    import libcst

#: What a part that does not begin at the margin is put into.
_WRAPPER = "class _:\n"

_INDENTED = re.compile(r"\f*[ \t][ \t\f]*\S")


class Region:
    """Some lines of a file, parsed.

    `module` is the whole tree.  `roots` are the statements of the lines, without what was put around them to
    parse them: these are what is to be walked.  `parents` are their ancestors, outermost first: there are
    none unless the lines could only be parsed as part of the whole file.
    """

    __slots__ = ("__dict__", "_first_line", "_source", "module", "parents", "roots")

    def __init__(
        self,
        module: libcst.Module,
        roots: Sequence[libcst.CSTNode],
        *,
        source: str,
        first_line: int = 1,
        parents: Sequence[libcst.CSTNode] = (),
    ) -> None:
        self.module = module
        self.roots = tuple(roots)
        self.parents = tuple(parents)
        self._source = source
        self._first_line = first_line

    @cached_property
    def positions(self) -> Positions:
        """The places of the nodes, in the file; worked out when the first is asked for."""
        return Positions(self.module, self._first_line, self._source)

    def span(self, node: libcst.CSTNode) -> Span:
        """The node's place in the file, without its own parentheses and surrounding whitespace."""
        return self.positions.span(node)

    def outer_span(self, node: libcst.CSTNode) -> Span:
        """The node's place in the file, with its own parentheses."""
        return self.positions.outer_span(node)


def parse_region(lines: Sequence[str], first_line: int, end_line: int) -> Region:
    """Parse the lines `first_line` to `end_line` (from 1, both included) of the file that has `lines`.

    The lines are without their ends, as `files.source.split_lines` gives them; the region should be whole
    statements, such as a function with its decorators.  Where the lines cannot be parsed by themselves, the
    whole file is, and the region's roots are its statements on those lines.  Raises SyntaxProblem where
    libcst cannot parse that either: it knows nearly, but not quite, all that Python's parser accepts.
    """
    wanted = lines[first_line - 1 : end_line]
    whole = first_line <= 1 and end_line >= len(lines)
    if not whole:
        first = next((line for line in wanted if line.strip(" \t\f")), "")
        prefix = _WRAPPER if _INDENTED.match(first) else ""
        source = prefix + "\n".join(wanted) + "\n"
        module = _try_parse(source)
        roots = None if module is None else _roots(module, wrapped=bool(prefix))
        if module is not None and roots is not None:
            return Region(module, roots, source=source, first_line=first_line - prefix.count("\n"))
    source = "\n".join(lines) + "\n"
    module = _parse(source)
    if whole:
        return Region(module, (module,), source=source)
    return _cut(module, source, first_line, end_line)


def _parse(source: str) -> libcst.Module:
    try:
        return load_cst(source)
    except cst.ParserSyntaxError as error:
        # the numbers beside the message are of another token
        place = LIBCST_PLACE.search(error.message)
        if place is None:
            raise SyntaxProblem(error.raw_line, error.raw_column, error.message) from None
        line, column = int(place[1]), max(int(place[2]) - 1, 0)
        raise SyntaxProblem(line, column, error.message) from None


def _try_parse(source: str) -> libcst.Module | None:
    try:
        return _parse(source)
    except SyntaxProblem:
        return None


def _roots(module: libcst.Module, *, wrapped: bool) -> Sequence[libcst.CSTNode] | None:
    """The statements of a part; None where they are not what was put into the class."""
    if not wrapped:
        return module.body
    if len(module.body) != 1:
        return None
    body = module.body[0].body
    return body.body if isinstance(body, cst.IndentedBlock) else None


def _cut(module: libcst.Module, source: str, first_line: int, end_line: int) -> Region:
    """The region of the statements of a whole file that stand on the lines."""
    region = Region(module, (), source=source)
    span = region.span
    roots: list[libcst.CSTNode] = []
    above: list[tuple[libcst.CSTNode, ...]] = []
    parents: list[libcst.CSTNode] = []

    def look(node: libcst.CSTNode) -> None:
        if not isinstance(node, (cst.BaseStatement, cst.SimpleStatementSuite)):
            return
        if any(parent is root for root in roots[-1:] for parent in parents):
            return
        place = span(node)
        decorators: Any = getattr(node, "decorators", ())
        start = span(decorators[0]).line if decorators else place.line
        if first_line <= start and place.end_line <= end_line:
            roots.append(node)
            above.append(tuple(parents))

    Walker((), look, parents=parents).walk(module)
    if not roots:
        return Region(module, (module,), source=source)
    region.roots, region.parents = tuple(roots), above[0]
    return region
