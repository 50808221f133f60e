"""Source text to `ast`, also of source that is newer than the Python that runs.

Python's own parser is by far the fastest, so it goes first.  Where it finds a syntax error, the text may
still be right for a later Python: libcst reads it then, and its tree is converted to an `ast`.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from typing import TYPE_CHECKING

from awaitlint.files.source import BOMS_OF_OTHER_ENCODINGS
from awaitlint.syntax.stack import on_deep_stack

if TYPE_CHECKING:
    import libcst

#: The nesting of brackets that Python's tokenizer allows.  libcst has no such limit; it overflows the stack.
_MAX_BRACKETS = 200

#: A text with fewer characters than this does not nest deeply enough to overflow a stack.
_SHALLOW = 1000

#: libcst's parser takes twice or four times as long for each level of nesting in a pattern of `match`: this
#: many doublings take a fraction of a second.
_MAX_DOUBLINGS = 16
_DOUBLINGS = {"[": 1, "(": 2, "{": 2}

#: Messages that no other parser would change.
_UNREADABLE = re.compile(r"null bytes|codec can't decode|encoding|too many nested")

#: Messages about the shape of the whole text: Python says where it begins to be wrong, libcst where it ends.
_STRUCTURAL = re.compile(r"never closed|unterminated|does not match")

#: Lines that may hold syntax newer than the oldest Python that awaitlint runs on.
_NEWER_LINE = re.compile(
    r"^\s*(?:type|lazy)\s+\w|^\s*(?:async\s+)?(?:def|class)\s+\w+\s*\[|^\s*except\b.*,|[fFtT][rR]?[\"']"
)

#: What a bracket in it does not count: string literals and comments, as far as one pattern can tell.
_QUOTED = re.compile(
    r'"""(?:[^\\]|\\.)*?"""|\'\'\'(?:[^\\]|\\.)*?\'\'\''
    r"|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|#[^\n]*",
    re.DOTALL,
)

_CASE = re.compile(r"^[ \t\f]*case\b", re.MULTILINE)
_PATTERN_TOKEN = re.compile(_QUOTED.pattern + r"|[\[({\])}:\n]", re.DOTALL)

#: where libcst says an error is: line and column from 1
LIBCST_PLACE = re.compile(r"error at (\d+):(\d+)")


class SyntaxProblem(Exception):  # noqa: N818  # what is reported is the problem of a file, not of this program
    """A text is not Python, or not one that can be read.

    `line` counts from 1, `column` from 0, in characters; `message` is the parser's reason, without a place.
    """

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(f"{line}:{column + 1}: {message}")
        self.line = line
        self.column = column
        self.message = message


def parse(data: bytes) -> ast.Module:
    """Parse the bytes of a source file.

    Columns of the tree count UTF-8 bytes, as those of `ast` do.  Raises SyntaxProblem, and nothing else,
    where the bytes cannot be decoded or the text is not Python.
    """
    try:
        return _parse_ast(data)
    except SyntaxError as error:
        problem = _problem(error, data)
        if type(error) is not SyntaxError or _UNREADABLE.search(problem.message):
            # indentation and encodings are the same in every Python
            raise problem from None
    except (RecursionError, MemoryError):
        raise SyntaxProblem(1, 0, "too deeply nested to parse") from None
    except ValueError as error:
        # Python 3.11 raises it for NUL bytes
        raise _problem(SyntaxError(str(error)), data) from None
    return _parse_newer(data, problem)


def _parse_ast(data: bytes) -> ast.Module:
    with warnings.catch_warnings():
        # invalid escapes are the business of the interpreter that runs the file
        warnings.simplefilter("ignore")
        return ast.parse(data)


def _problem(error: SyntaxError, data: bytes) -> SyntaxProblem:
    """Python's error, with a better place and reason where Python gives none."""
    message = error.msg
    wide = next((name for mark, name in BOMS_OF_OTHER_ENCODINGS if data.startswith(mark)), None)
    if wide is not None:
        return SyntaxProblem(1, 0, f"the file is {wide}, which Python does not accept as source")
    offset = None
    if "null bytes" in message:
        offset = data.find(b"\0")
    elif "codec can't decode" in message and (found := _undecodable(data)) is not None:
        offset, encoding = found
        message = f"'{encoding}' codec can't decode byte 0x{data[offset]:02x}"
        if encoding == "utf-8":
            message += "; save the file as UTF-8 or name its encoding in the first line"
    if offset is not None:
        starts = [0, *(match.end() for match in re.finditer(rb"\r\n?|\n", data[:offset]))]
        return SyntaxProblem(len(starts), len(data[starts[-1] : offset].decode(errors="replace")), message)
    column = max((error.offset or 1) - 1, 0)
    if not data.isascii():
        column = _characters(data, column)
    return SyntaxProblem(max(error.lineno or 1, 1), column, message)


def _characters(data: bytes, column: int) -> int:
    """The column of the error in characters: Python 3.11 counts bytes where it is given bytes."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(data.decode(encoding))
    except SyntaxError as error:
        return max((error.offset or 1) - 1, 0)
    except (ValueError, LookupError, RecursionError, MemoryError):
        pass
    return column


def _undecodable(data: bytes) -> tuple[int, str] | None:
    """The offset of the first byte that the file's encoding does not know, and the encoding."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        data.decode(encoding)
    except UnicodeDecodeError as error:
        return error.start, error.encoding
    except (SyntaxError, LookupError):
        # detect_encoding decodes the first two lines
        head = b"".join(data.splitlines(keepends=True)[:2])
        try:
            head.decode()
        except UnicodeDecodeError as error:
            return error.start, error.encoding
    except ValueError:
        pass
    return None


def _parse_newer(data: bytes, problem: SyntaxProblem) -> ast.Module:
    """Parse with libcst what Python refused for the reason given."""
    import libcst  # noqa: PLC0415

    from awaitlint.syntax.from_cst import to_ast  # noqa: PLC0415  # brings libcst with it
    from awaitlint.syntax.newer import newer_lines  # noqa: PLC0415

    if _too_deep(data):
        raise SyntaxProblem(problem.line, problem.column, "too deeply nested to parse")
    try:
        module = load_cst(data)
    except libcst.ParserSyntaxError as error:
        raise _further(problem, error, data) from None
    except SyntaxProblem:
        # Python's own reason is the better one
        raise problem from None
    source = data.decode(module.encoding)
    lines = newer_lines(module, source)
    if not lines or (problem.line < lines[0] and not problem.message.startswith("f-string")):
        # nothing in the text is newer than this Python, at least not before the error: it is a real one
        raise problem
    try:
        return to_ast(module, source)
    except ValueError as error:
        raise SyntaxProblem(problem.line, problem.column, str(error)) from None
    except (RecursionError, MemoryError):
        raise SyntaxProblem(problem.line, problem.column, "too deeply nested to parse") from None


def _too_deep(data: bytes) -> bool:
    """Whether brackets nest so deeply that a recursive parser may overflow the stack."""
    depth = deepest = 0
    for character in _QUOTED.sub("", data.decode("latin-1")):
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth -= 1
    return deepest > _MAX_BRACKETS


def load_cst(source: str | bytes) -> libcst.Module:
    """Parse with libcst.

    Raises libcst's ParserSyntaxError where the source is not Python, and SyntaxProblem where libcst itself
    fails, as it does for two template strings side by side: with errors of its logic, of its validation or,
    when its native part panics, one that is not even an Exception.
    """
    import libcst  # noqa: PLC0415

    line = _slow_pattern(source)
    if line is not None:
        raise SyntaxProblem(line, 0, "the pattern is nested too deeply")
    try:
        if len(source) < _SHALLOW:
            return libcst.parse_module(source)
        return on_deep_stack(lambda: libcst.parse_module(source))
    except (libcst.ParserSyntaxError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001
        reason = str(error) or type(error).__name__
        raise SyntaxProblem(1, 0, f"libcst cannot parse this: {reason}") from None


def _slow_pattern(source: str | bytes) -> int | None:
    """The line of a pattern so deeply nested that libcst would take minutes or years; None without one."""
    text = source.decode("latin-1") if isinstance(source, bytes) else source
    if "match" not in text:
        return None
    for case in _CASE.finditer(text):
        nesting: list[int] = []
        for token in _PATTERN_TOKEN.finditer(text, case.end()):
            character = token[0]
            if character in _DOUBLINGS:
                nesting.append(_DOUBLINGS[character])
                if sum(nesting) > _MAX_DOUBLINGS:
                    return text.count("\n", 0, case.start()) + 1
            elif not nesting and character in ":\n":
                break
            elif nesting and character in ")]}":
                nesting.pop()
    return None


def _further(problem: SyntaxProblem, error: libcst.ParserSyntaxError, data: bytes) -> SyntaxProblem:
    """The better reason of the two parsers.

    It is Python's own, but where Python stopped at newer syntax that libcst read.
    """
    found = LIBCST_PLACE.search(error.message)
    lines = data.decode("utf-8", "replace").split("\n")
    stopped_at = lines[problem.line - 1] if problem.line <= len(lines) else ""
    if (
        found is None
        or int(found[1]) <= problem.line
        or _STRUCTURAL.search(problem.message)
        or not _NEWER_LINE.search(stopped_at)
    ):
        return problem
    return SyntaxProblem(int(found[1]), max(int(found[2]) - 1, 0), "invalid syntax")
