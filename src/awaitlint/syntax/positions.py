"""Where the nodes of a libcst tree stand in the text.

libcst's own PositionProvider wants a copy of the tree, a metadata wrapper and a position per token.  Here
one pass of libcst's code generator counts characters and keeps the offsets of each node; lines and columns
are worked out for the nodes that somebody asks about.
"""

from __future__ import annotations

import functools
import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, Protocol

from awaitlint.model import Span
from awaitlint.syntax.stack import recursing

if TYPE_CHECKING:
    import libcst

_NEWLINE = re.compile(r"\r\n?|\n")
_INDENT = re.compile(r"[ \t\f]*")
#: what libcst forgets: whitespace, and joined lines with nothing on the first
_SKIPPED = re.compile(r"\s|\\(?:\r\n?|\n)")


class Placed(Protocol):
    """Something that knows where nodes are: a `Positions`, a region, or the context of a rule's visitor."""

    def span(self, node: libcst.CSTNode) -> Span:
        """The node's place without its own parentheses."""

    def outer_span(self, node: libcst.CSTNode) -> Span:
        """The node's place with its own parentheses."""


def line_starts(text: str) -> list[int]:
    """The offset of the first character of each line; a text that ends with a newline has one line more."""
    return [0, *(match.end() for match in _NEWLINE.finditer(text))]


@functools.cache
def _recorder() -> type[Any]:
    """Make libcst's code generator note the offsets of each node (a class that needs libcst to exist)."""
    from libcst._nodes.internal import CodegenState  # noqa: PLC0415  # libcst is imported at first use

    class Recording:
        """Notes what is generated while it is entered: a node without its parentheses and whitespace."""

        __slots__ = ("end_node", "node", "recorder", "start", "start_node")

        def __init__(self, recorder: Recorder, node: object, start_node: object, end_node: object) -> None:
            self.recorder = recorder
            self.node = node
            self.start_node = start_node
            self.end_node = end_node
            self.start = 0

        def __enter__(self) -> None:
            self.start = self.recorder.offset

        def __exit__(self, kind: object, *_: object) -> None:
            if kind is not None:
                return  # a tree too deep for the recursion limit: the error is on its way
            offsets = self.recorder.offsets
            start = self.recorder.moved.get(self.start, self.start)
            if self.start_node is not None:
                start = offsets[id(self.start_node)][0]
            end = self.recorder.offset if self.end_node is None else offsets[id(self.end_node)][1]
            offsets[id(self.node)] = (start, end)

    class Recorder(CodegenState):
        def __init__(self, module: libcst.Module, source: str | None) -> None:
            super().__init__(module.default_indent, module.default_newline)
            self.source = source
            self.offset = 0
            self.offsets: dict[int, tuple[int, int]] = {}
            self.starts: list[int] = []
            #: where whitespace was skipped: nodes that seem to begin before it begin after it
            self.moved: dict[int, int] = {}

        def add_indent_tokens(self) -> None:
            # a block's lines may be indented alike in different ways: form feeds do not count
            indent = "".join(self.indent_tokens)
            source = self.source
            if source is not None and not source.startswith(indent, self.offset):
                found = _INDENT.match(source, self.offset)
                indent = found[0] if found is not None else indent
            self.add_token(indent)

        def add_token(self, value: str) -> None:
            self.tokens.append(value)
            source = self.source
            # at the end of the source, a newline that it lacks is generated and taken back again
            inside = source is not None and self.offset < len(source)
            if source is not None and inside and not source.startswith(value, self.offset):
                self.realign(source, value)
            self.offset += len(value)

        def realign(self, source: str, value: str) -> None:
            offset = self.offset
            while not source.startswith(value, offset):
                skipped = _SKIPPED.match(source, offset)
                if skipped is None:
                    break
                offset = skipped.end()
            if source.startswith(value, offset):
                self.moved[self.offset] = offset
                self.offset = offset
            else:
                self.source = None

        def pop_trailing_newline(self) -> None:
            if self.tokens:
                self.offset -= len(self.tokens.pop())

        def before_codegen(self, node: libcst.CSTNode) -> None:  # noqa: ARG002
            self.starts.append(self.offset)

        def after_codegen(self, node: libcst.CSTNode) -> None:
            start = self.starts.pop()
            self.offsets.setdefault(id(node), (self.moved.get(start, start), self.offset))

        def record_syntactic_position(  # type: ignore[override]  # any context manager does
            self, node: libcst.CSTNode, *, start_node: object = None, end_node: object = None
        ) -> Recording:
            return Recording(self, node, start_node, end_node)

    return Recorder


class Positions:
    """The places of all nodes of one module.

    `first_line` is the line of the file at which the module's text begins: 1, unless the module is a part of
    a file.  `source` is the text that the module was parsed from: libcst forgets the whitespace in
    ``f"{x!r }"`` and form feeds before a statement, so that without the source what follows would seem to
    stand further left.
    """

    def __init__(self, module: libcst.Module, first_line: int = 1, source: str | None = None) -> None:
        #: keeps the nodes alive whose identities are the keys of `offsets`
        self.module = module
        self.first_line = first_line

        def generate() -> Any:
            state = _recorder()(module, source)
            module._codegen(state)
            return state

        state = recursing(generate)
        aligned: str | None = state.source
        self.text: str = "".join(state.tokens) if aligned is None else aligned
        #: (start, end) of a node by its identity, in characters from the start of `text`
        self.offsets: dict[int, tuple[int, int]] = state.offsets
        self.line_starts = line_starts(self.text)

    def offset_span(self, start: int, end: int) -> Span:
        """The place between two offsets."""
        starts = self.line_starts
        line = bisect_right(starts, start) - 1
        end_line = line if end <= start else bisect_right(starts, end) - 1
        shift = self.first_line
        return Span(line + shift, start - starts[line], end_line + shift, end - starts[end_line])

    def span(self, node: libcst.CSTNode) -> Span:
        """The node's place in the file, without surrounding parentheses or whitespace."""
        return self.offset_span(*self.offsets[id(node)])

    def outer(self, node: libcst.CSTNode) -> tuple[int, int]:
        """The node's offsets with its own parentheses."""
        start, end = self.offsets[id(node)]
        left: Any = getattr(node, "lpar", None)
        if isinstance(left, (tuple, list)) and left:
            right: Any = getattr(node, "rpar", None)
            start = self.offsets[id(left[0])][0]
            end = self.offsets[id(right[-1])][1]
        return start, end

    def outer_span(self, node: libcst.CSTNode) -> Span:
        """The node's place in the file, with its own parentheses."""
        return self.offset_span(*self.outer(node))
