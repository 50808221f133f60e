"""String literals of the libcst → `ast` conversion: plain, formatted and template strings."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from awaitlint.syntax._from_cst_base import Base, Place
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    from collections.abc import Sequence

    import libcst


@dataclass(slots=True)
class _Text:
    """A piece of text in a formatted string, before neighbouring pieces are joined."""

    value: str
    place: Place
    kind: str | None


def literal(source: str) -> ast.Constant:
    """The value of one plain string literal.

    Raises ValueError where Python refuses it: an unknown character name in an escape, ``b'é'``.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            node = ast.parse(source, mode="eval").body
        except SyntaxError as error:
            raise ValueError(error.msg) from None
    assert isinstance(node, ast.Constant)
    return node


def _unescape(text: str, prefix: str, quote: str) -> str:
    """The value of the text between the braces of a formatted string."""
    text = text.replace("{{", "{").replace("}}", "}")
    if "\\" not in text or "r" in prefix.lower():
        # newlines are the only thing that a literal changes besides escapes
        return text.replace("\r\n", "\n").replace("\r", "\n")
    slashes = len(text) - len(text.rstrip("\\"))
    if slashes % 2:
        # in f"\{x}" the backslash stands before a brace, and for itself
        text += "\\"
    value = literal(f"{quote}{text}{quote}").value
    assert isinstance(value, str)
    return value


class Strings(Base):
    """Conversions of string literals."""

    def convert_SimpleString(self, node: libcst.SimpleString) -> ast.expr:
        return self._string(node, [node])

    def convert_FormattedString(self, node: libcst.FormattedString) -> ast.expr:
        return self._string(node, [node])

    def convert_TemplatedString(self, node: Any) -> ast.expr:
        return self._string(node, [node])

    def convert_ConcatenatedString(self, node: libcst.ConcatenatedString) -> ast.expr:
        parts: list[libcst.BaseString] = []
        rest: libcst.BaseString = node
        while isinstance(rest, cst.ConcatenatedString):
            parts.append(rest.left)
            rest = rest.right
        parts.append(rest)
        return self._string(node, parts)

    def _string(self, node: libcst.BaseString, parts: Sequence[Any]) -> ast.expr:
        """One literal, or several that stand side by side."""
        place = self.inner(node)
        if all(isinstance(part, cst.SimpleString) for part in parts):
            constants = [literal(part.value) for part in parts]
            values: list[Any] = [constant.value for constant in constants]
            value = values[0] if len(values) == 1 else type(values[0])().join(values)
            return self.make(ast.Constant, place, value=value, kind=constants[0].kind)
        pieces: list[_Text | ast.expr] = []
        is_template = False
        for part in parts:
            if isinstance(part, cst.SimpleString):
                constant = literal(part.value)
                pieces.append(_Text(str(constant.value), self.inner(part), constant.kind))
            else:
                is_template |= not isinstance(part, cst.FormattedString)
                quote = part.start[len(part.prefix) :]
                pieces += self._pieces(part.parts, part.prefix, quote)
        kind: type[Any] | None = getattr(ast, "TemplateStr", None) if is_template else None
        made: ast.expr = self.make(kind or ast.JoinedStr, place, values=self._joined(pieces))
        return made

    def _joined(self, pieces: Sequence[_Text | ast.expr]) -> list[ast.expr]:
        """Join neighbouring texts into one constant each, and drop empty ones."""
        values: list[ast.expr] = []
        texts: list[_Text] = []

        def flush() -> None:
            value = "".join(text.value for text in texts)
            if value:
                place = (texts[0].place[0], texts[-1].place[1])
                values.append(self.make(ast.Constant, place, value=value, kind=texts[0].kind))
            texts.clear()

        for piece in pieces:
            if isinstance(piece, _Text):
                texts.append(piece)
            else:
                flush()
                values.append(piece)
        flush()
        return values

    def _pieces(self, parts: Sequence[Any], prefix: str, quote: str) -> list[_Text | ast.expr]:
        pieces: list[_Text | ast.expr] = []
        for part in parts:
            place = self.offsets[id(part)]
            if isinstance(part, (cst.FormattedStringText, cst.TemplatedStringText)):
                pieces.append(_Text(_unescape(part.value, prefix, quote), place, None))
            else:
                pieces += self._replacement_field(part, place, prefix, quote)
        return pieces

    def _replacement_field(self, node: Any, place: Place, prefix: str, quote: str) -> list[_Text | ast.expr]:
        """``{expression!conversion:spec}``; with ``=`` there is the expression's text before it."""
        value = self.expr(node.expression)
        spec = None
        if node.format_spec is not None:
            inner = self._pieces(node.format_spec, prefix, quote)
            spec_place = (self._spec_start(node), place[1] - len("}"))
            spec = self.make(ast.JoinedStr, spec_place, values=self._joined(inner))
        conversion = -1 if node.conversion is None else ord(node.conversion)
        pieces: list[_Text | ast.expr] = []
        if node.equal is not None:
            if node.conversion is None and spec is None:
                conversion = ord("r")
            end = self.offsets[id(node.whitespace_after_expression)][1]
            text = self.text[place[0] + 1 : end]
            pieces.append(_Text(text, (place[0] + 1, end), None))
        fields: dict[str, Any] = {"value": value, "conversion": conversion, "format_spec": spec}
        interpolation: type[Any] | None = getattr(ast, "Interpolation", None)
        if interpolation is not None and isinstance(node, cst.TemplatedStringExpression):
            start, end = self.outer(node.expression)
            pieces.append(self.make(interpolation, place, str=self.text[start:end], **fields))
        else:
            pieces.append(self.make(ast.FormattedValue, place, **fields))
        return pieces

    def _spec_start(self, node: Any) -> int:
        """The offset of the colon before a format specification."""
        return self.text.index(":", self.offsets[id(node.whitespace_after_expression)][1])
