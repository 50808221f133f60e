"""Statements of the libcst → `ast` conversion."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from awaitlint.syntax._from_cst_base import TypeParameter, identifier
from awaitlint.syntax._from_cst_expressions import operator
from awaitlint.syntax._from_cst_patterns import Patterns
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    import libcst


def _dotted(node: libcst.BaseExpression) -> str:
    """The text of a name with dots, without whitespace."""
    if isinstance(node, cst.Attribute):
        return f"{_dotted(node.value)}.{identifier(node.attr)}"
    assert isinstance(node, cst.Name)
    return identifier(node)


class Statements(Patterns):
    """Conversions of statements."""

    def statements(self, nodes: Iterable[libcst.CSTNode]) -> list[ast.stmt]:
        """The statements of a body; a line of simple statements gives several."""
        converted: list[ast.stmt] = []
        for node in nodes:
            if isinstance(node, cst.SimpleStatementLine):
                converted.extend(self.convert(statement) for statement in node.body)
            else:
                converted.append(self.convert(node))
        return converted

    def block(self, node: libcst.BaseSuite) -> list[ast.stmt]:
        """The statements of an indented block, or of a suite on the line of its header."""
        if isinstance(node, cst.SimpleStatementSuite):
            return [self.convert(statement) for statement in node.body]
        return self.statements(node.body)

    def _block_end(self, node: Any) -> int:
        """Where a node ends whose last part is a block: a semicolon after the last statement counts, too."""
        last: Any = node
        while not isinstance(last, cst.BaseSmallStatement):
            if isinstance(last, (cst.BaseSuite, cst.SimpleStatementLine)):
                last = last.body[-1]
            else:
                last = self._last_part(last)
        semicolon = last.semicolon
        return self.after(semicolon) if isinstance(semicolon, cst.Semicolon) else self.inner(last)[1]

    @staticmethod
    def _last_part(node: Any) -> Any:
        """The clause or block with which a compound statement, or a clause of one, ends."""
        for name in ("finalbody", "orelse", "handlers", "cases"):
            part = getattr(node, name, None)
            if part:
                return part[-1] if isinstance(part, (tuple, list)) else part
        return node.body

    def _compound(self, node: Any) -> tuple[int, int]:
        return self.offsets[id(node)][0], self._block_end(node)

    # simple statements

    def convert_Expr(self, node: libcst.Expr) -> ast.stmt:
        return self.make(ast.Expr, self.inner(node), value=self.expr(node.value))

    def convert_Pass(self, node: libcst.Pass) -> ast.stmt:
        return self.make(ast.Pass, self.inner(node))

    def convert_Break(self, node: libcst.Break) -> ast.stmt:
        return self.make(ast.Break, self.inner(node))

    def convert_Continue(self, node: libcst.Continue) -> ast.stmt:
        return self.make(ast.Continue, self.inner(node))

    def convert_Return(self, node: libcst.Return) -> ast.stmt:
        return self.make(ast.Return, self.inner(node), value=self.optional(node.value))

    def convert_Raise(self, node: libcst.Raise) -> ast.stmt:
        cause = None if node.cause is None else self.expr(node.cause.item)
        return self.make(ast.Raise, self.inner(node), exc=self.optional(node.exc), cause=cause)

    def convert_Assert(self, node: libcst.Assert) -> ast.stmt:
        test, message = self.expr(node.test), self.optional(node.msg)
        return self.make(ast.Assert, self.inner(node), test=test, msg=message)

    def convert_Del(self, node: libcst.Del) -> ast.stmt:
        if isinstance(node.target, cst.Tuple) and not node.target.lpar:
            targets = [self.target(element.value, ast.Del) for element in node.target.elements]
        else:
            targets = [self.target(node.target, ast.Del)]
        return self.make(ast.Delete, self.inner(node), targets=targets)

    def convert_Assign(self, node: libcst.Assign) -> ast.stmt:
        targets = [self.target(item.target) for item in node.targets]
        return self.make(ast.Assign, self.inner(node), targets=targets, value=self.expr(node.value))

    def convert_AnnAssign(self, node: libcst.AnnAssign) -> ast.stmt:
        target = self.target(node.target)
        simple = int(isinstance(node.target, cst.Name) and not node.target.lpar)
        annotation, value = self.expr(node.annotation.annotation), self.optional(node.value)
        return self.make(
            ast.AnnAssign,
            self.inner(node),
            target=target,
            annotation=annotation,
            value=value,
            simple=simple,
        )

    def convert_AugAssign(self, node: libcst.AugAssign) -> ast.stmt:
        target, value = self.target(node.target), self.expr(node.value)
        return self.make(
            ast.AugAssign, self.inner(node), target=target, op=operator(node.operator), value=value
        )

    def convert_Global(self, node: libcst.Global) -> ast.stmt:
        return self.make(ast.Global, self.inner(node), names=[identifier(item.name) for item in node.names])

    def convert_Nonlocal(self, node: libcst.Nonlocal) -> ast.stmt:
        return self.make(ast.Nonlocal, self.inner(node), names=[identifier(item.name) for item in node.names])

    def convert_ImportAlias(self, node: libcst.ImportAlias) -> ast.alias:
        start, end = self.offsets[id(node.name)]
        asname = None
        if node.asname is not None:
            assert isinstance(node.asname.name, cst.Name)
            asname = identifier(node.asname.name)
            end = self.offsets[id(node.asname.name)][1]
        return self.make(ast.alias, (start, end), name=_dotted(node.name), asname=asname)

    def convert_Import(self, node: Any) -> ast.stmt:
        names = [self.convert(alias) for alias in node.names]
        return self.make(ast.Import, self.inner(node), names=names)

    def convert_ImportFrom(self, node: Any) -> ast.stmt:
        if isinstance(node.names, cst.ImportStar):
            names = [self.make(ast.alias, self.offsets[id(node.names)], name="*", asname=None)]
        else:
            names = [self.convert(alias) for alias in node.names]
        module = None if node.module is None else _dotted(node.module)
        level = len(node.relative)
        return self.make(ast.ImportFrom, self.inner(node), module=module, names=names, level=level)

    convert_LazyImport = convert_Import  # noqa: N815
    convert_LazyImportFrom = convert_ImportFrom  # noqa: N815

    def convert_TypeAlias(self, node: libcst.TypeAlias) -> ast.stmt:
        name = self.target(node.name)
        parameters = self.type_parameters(node.type_parameters)
        value = self.expr(node.value)
        # libcst counts a semicolon to it
        place = self.offsets[id(node)][0], self.outer(node.value)[1]
        alias: type[Any] | None = getattr(ast, "TypeAlias", None)
        if alias is None:
            assignment = self.make(ast.Assign, place, targets=[name], value=value)
            assignment.__dict__["type_params"] = parameters
            return assignment
        statement: ast.stmt = self.make(alias, place, name=name, type_params=parameters, value=value)
        return statement

    # definitions

    def type_parameters(self, node: libcst.TypeParameters | None) -> list[Any]:
        """The type parameters of a definition; see `to_ast` about Pythons that have none."""
        return [] if node is None else [self._type_parameter(item) for item in node.params]

    def _type_parameter(self, node: libcst.TypeParam) -> Any:
        param = node.param
        kind = type(param).__name__
        bound = self.expr(param.bound) if isinstance(param, cst.TypeVar) and param.bound is not None else None
        default = None
        end = self.inner(param)[1]
        if node.default is not None:
            default = self.expr(node.default)
            end = self.outer(node.default)[1]
            if node.star:
                start = self.offsets[id(node.whitespace_after_star)][0] - len(node.star)
                default = self.make(ast.Starred, (start, end), value=default, ctx=ast.Load())
        name = identifier(param.name)
        cls: type[Any] | None = getattr(ast, kind, None)
        if cls is None:
            return TypeParameter(kind, name, bound, default)
        fields: dict[str, Any] = {"name": name}
        if kind == "TypeVar":
            fields["bound"] = bound
        place = self.offsets[id(param)][0], end
        if "default_value" in cls._fields:
            return self.make(cls, place, **fields, default_value=default)
        made = self.make(cls, place, **fields)
        made.default_value = default
        return made

    def convert_FunctionDef(self, node: libcst.FunctionDef) -> ast.stmt:
        kind: type[Any] = ast.FunctionDef if node.asynchronous is None else ast.AsyncFunctionDef
        decorators = [self.expr(item.decorator) for item in node.decorators]
        parameters = self.type_parameters(node.type_parameters)
        arguments = self.arguments(node.params)
        returns = None if node.returns is None else self.expr(node.returns.annotation)
        statement: ast.stmt = self.make(
            kind,
            self._compound(node),
            name=identifier(node.name),
            args=arguments,
            body=self.block(node.body),
            decorator_list=decorators,
            returns=returns,
            type_params=parameters,
        )
        return statement

    def convert_ClassDef(self, node: libcst.ClassDef) -> ast.stmt:
        decorators = [self.expr(item.decorator) for item in node.decorators]
        parameters = self.type_parameters(node.type_parameters)
        bases, keywords = self.call_arguments([*node.bases, *node.keywords])
        return self.make(
            ast.ClassDef,
            self._compound(node),
            name=identifier(node.name),
            bases=bases,
            keywords=keywords,
            body=self.block(node.body),
            decorator_list=decorators,
            type_params=parameters,
        )

    # compound statements

    def _else(self, node: libcst.If | libcst.Else | None) -> list[ast.stmt]:
        if node is None:
            return []
        return [self.convert_If(node)] if isinstance(node, cst.If) else self.block(node.body)

    def convert_If(self, node: libcst.If) -> ast.stmt:
        test, body = self.expr(node.test), self.block(node.body)
        return self.make(ast.If, self._compound(node), test=test, body=body, orelse=self._else(node.orelse))

    def convert_While(self, node: libcst.While) -> ast.stmt:
        test, body = self.expr(node.test), self.block(node.body)
        return self.make(
            ast.While, self._compound(node), test=test, body=body, orelse=self._else(node.orelse)
        )

    def convert_For(self, node: libcst.For) -> ast.stmt:
        kind: type[Any] = ast.For if node.asynchronous is None else ast.AsyncFor
        statement: ast.stmt = self.make(
            kind,
            self._compound(node),
            target=self.target(node.target),
            iter=self.expr(node.iter),
            body=self.block(node.body),
            orelse=self._else(node.orelse),
        )
        return statement

    def convert_With(self, node: libcst.With) -> ast.stmt:
        kind: type[Any] = ast.With if node.asynchronous is None else ast.AsyncWith
        items = [
            ast.withitem(
                context_expr=self.expr(item.item),
                optional_vars=None if item.asname is None else self.target(item.asname.name),
            )
            for item in node.items
        ]
        statement: ast.stmt = self.make(kind, self._compound(node), items=items, body=self.block(node.body))
        return statement

    def convert_Try(self, node: Any) -> ast.stmt:
        kind: type[Any] = ast.Try if isinstance(node, cst.Try) else ast.TryStar
        statement: ast.stmt = self.make(
            kind,
            self._compound(node),
            body=self.block(node.body),
            handlers=[self.convert(handler) for handler in node.handlers],
            orelse=self._else(node.orelse),
            finalbody=[] if node.finalbody is None else self.block(node.finalbody.body),
        )
        return statement

    convert_TryStar = convert_Try  # noqa: N815

    def convert_ExceptHandler(self, node: Any) -> ast.excepthandler:
        name = None if node.name is None else identifier(node.name.name)
        return self.make(
            ast.ExceptHandler,
            self._compound(node),
            type=self.optional(node.type),
            name=name,
            body=self.block(node.body),
        )

    convert_ExceptStarHandler = convert_ExceptHandler  # noqa: N815

    def convert_Match(self, node: libcst.Match) -> ast.stmt:
        cases = [
            ast.match_case(
                pattern=self.pattern(case.pattern),
                guard=self.optional(case.guard),
                body=self.block(case.body),
            )
            for case in node.cases
        ]
        return self.make(ast.Match, self._compound(node), subject=self.expr(node.subject), cases=cases)
