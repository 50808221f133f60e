"""What a trace is made of: steps, and the text of the modules that they lead through."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from awaitlint.files.source import SourceError, decode, split_lines
from awaitlint.index import facts as f
from awaitlint.index.lower.recorded import record
from awaitlint.index.modules import Origin
from awaitlint.index.spelling import spell
from awaitlint.syntax.parse import SyntaxProblem, parse

if TYPE_CHECKING:
    from awaitlint.engine.session import Session
    from awaitlint.index.lower.recorded import Recorder
    from awaitlint.index.modules import Module
    from awaitlint.index.project import Project
    from awaitlint.infer.values import Context

#: a longer spelling is shortened
_LONGEST = 60
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that an answer depends on: what it is, where, its value, and what that depends on."""

    text: str
    #: ``file:line``, or where else it comes from; empty where it is in the line that is explained
    place: str = ""
    #: what it evaluates to, in words; empty for what is no value
    verdict: str = ""
    is_known: bool = True
    parts: tuple[Step, ...] = ()
    #: why there are no parts though it depends on some
    remark: str = ""


class At(NamedTuple):
    """An expression: its node, and its text where there is one."""

    module: Module
    node: int
    expr: ast.expr | None = None
    #: the scope it stands in
    scope: int = 0
    context: Context = ()


class Text:
    """The text of a module, and what became of it."""

    def __init__(self, lines: list[str], recorder: Recorder) -> None:
        self._lines = lines
        self.recorder = recorder

    def segment(self, node: ast.expr) -> str:
        """An expression as it is written, on one line, shortened where it is long."""
        first, last = node.lineno, node.end_lineno or node.lineno
        rows = [row.encode("utf-8", "surrogatepass") for row in self._lines[first - 1 : last]]
        rows[-1] = rows[-1][: node.end_col_offset]
        rows[0] = rows[0][node.col_offset :]
        text = _SPACE.sub(" ", b" ".join(rows).decode(errors="replace")).strip()
        if len(text) <= _LONGEST:
            return text
        if isinstance(node, ast.Call):
            return shorten(f"{self.segment(node.func)}(...)")
        if isinstance(node, ast.Attribute):
            return shorten(f"{self.segment(node.value)}.{node.attr}")
        if isinstance(node, ast.Await):
            return shorten(f"await {self.segment(node.value)}")
        if isinstance(node, ast.Subscript):
            return shorten(f"{self.segment(node.value)}[...]")
        return shorten(text)


def shorten(text: str) -> str:
    """Code on one line of some sixty characters at most."""
    text = _SPACE.sub(" ", text).strip()
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


class Texts:
    """The texts of the modules of a session, read again for their places."""

    def __init__(self, session: Session, project: Project) -> None:
        self._session = session
        self._project = project
        self._texts: dict[Module, Text | None] = {}

    def of(self, module: Module) -> Text | None:
        """A module's text; None where its facts come with awaitlint, or are not those of the text."""
        if module not in self._texts:
            self._texts[module] = self._read(module)
        return self._texts[module]

    def _read(self, module: Module) -> Text | None:
        if module.path is None or not module.facts.nodes:
            return None
        data = self._session.lowered(module.path).data
        if data is None:
            return None
        try:
            recorder = record(parse(data), data)
            lines = split_lines(decode(data).text)
        except (SyntaxProblem, SourceError, RecursionError):
            return None
        return Text(lines, recorder) if recorder.facts.nodes == module.facts.nodes else None

    # ------------------------------------------------------------------ places
    def whereabouts(self, module: Module, line: int = 0) -> str:
        """Where a module comes from, in words, with the line where there is a text."""
        if module.origin is Origin.STDLIB:
            return "standard library"
        if module.origin is Origin.BUNDLED:
            return f"bundled knowledge of {self._distribution(module.name.partition('.')[0])}"
        assert module.path is not None
        place = self._session.display_of(module.path) if module.facts.nodes else str(module.path.parent)
        installed = "installed " if module.origin is Origin.ENVIRONMENT else ""
        return f"{installed}{place}:{line}" if line else f"{installed}{place}"

    def _distribution(self, package: str) -> str:
        """The name of a bundled package, with its version where its distribution has the same name."""
        versions: dict[str, str] = getattr(self._project.packages, "versions", {})
        version = versions.get(package) or versions.get(package.replace("_", "-"))
        return f"{package} {version}" if version else package

    # ------------------------------------------------------------------ expressions
    def spelled(self, at: At) -> str:
        """An expression as it is written, or as its facts have it."""
        text = self.of(at.module)
        if at.expr is not None and text is not None:
            return text.segment(at.expr)
        return shorten(spell(at.module.facts, at.node))

    def origin(self, module: Module, node: int) -> ast.expr | None:
        """The expression that a node was made for, or else a name for it; None for what many share."""
        text = self.of(module)
        fact = module.facts.nodes[node]
        if text is None or isinstance(fact, (f.Const, f.Plain, f.Unknown)):
            return None
        by_name = isinstance(fact, (f.Name, f.Class, f.Func, f.Import, f.Param, f.Free, f.TypeParam))
        return (None if by_name else text.recorder.origins.get(node)) or text.recorder.names.get(node)

    def child(self, at: At, node: int) -> At:
        """A part of an expression, by its node."""
        text = self.of(at.module)
        if text is not None and at.expr is not None:
            known = text.recorder.expressions
            for child in ast.iter_child_nodes(at.expr):
                inner = child.value if isinstance(child, (ast.keyword, ast.Starred)) else child
                for each in (child, inner):
                    if isinstance(each, ast.expr) and known.get(each, (-1,))[0] == node:
                        return At(at.module, node, each, at.scope, at.context)
        return self.at(at.module, node, at.scope, at.context)

    def at(self, module: Module, node: int, scope: int = 0, context: Context = ()) -> At:
        """A node with the expression that it was made for."""
        expr = self.origin(module, node)
        text = self.of(module)
        if expr is not None and text is not None:
            scope = text.recorder.expressions.get(expr, (node, scope))[1]
        return At(module, node, expr, scope, context)

    def part(self, module: Module, scope: int, field: str, index: int, node: int) -> At:
        """A part of a definition's head, by its node: a base, a decorator, an annotation.

        `field` is the attribute of the definition in `ast`, or ``args`` for the annotation of a parameter.
        """
        found = self.at(module, node, module.facts.scopes[scope].parent)
        text = self.of(module)
        definition = text.recorder.definitions.get(scope) if text is not None else None
        written = getattr(definition, field, None)
        if isinstance(written, ast.arguments):
            name = module.facts.scopes[scope].params[index].name
            many = (*written.posonlyargs, *written.args, *written.kwonlyargs, written.vararg, written.kwarg)
            written = next((each.annotation for each in many if each is not None and each.arg == name), None)
        elif isinstance(written, list):
            written = written[index] if index < len(written) else None
        return found if not isinstance(written, ast.expr) else found._replace(expr=written)

    def bound_on(self, module: Module, scope: int, name: str, node: int) -> int:
        """The line on which a name is bound to a node, in the scope or in any; 0 where that is not known."""
        text = self.of(module)
        if text is None:
            return 0
        lines = text.recorder.bindings.get((name, node), {})
        return lines.get(scope) or next(iter(lines.values()), 0)
