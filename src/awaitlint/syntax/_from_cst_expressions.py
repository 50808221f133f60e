"""Expressions of the libcst → `ast` conversion, but for strings."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from awaitlint.syntax._from_cst_base import Base, Place, identifier
from awaitlint.syntax.cst import cst

if TYPE_CHECKING:
    import libcst

_OPERATORS: dict[str, type[ast.operator]] = {
    "Add": ast.Add,
    "Subtract": ast.Sub,
    "Multiply": ast.Mult,
    "MatrixMultiply": ast.MatMult,
    "Divide": ast.Div,
    "Modulo": ast.Mod,
    "Power": ast.Pow,
    "LeftShift": ast.LShift,
    "RightShift": ast.RShift,
    "BitOr": ast.BitOr,
    "BitXor": ast.BitXor,
    "BitAnd": ast.BitAnd,
    "FloorDivide": ast.FloorDiv,
}

_UNARY: dict[str, type[ast.unaryop]] = {
    "Plus": ast.UAdd,
    "Minus": ast.USub,
    "BitInvert": ast.Invert,
    "Not": ast.Not,
}

_COMPARISONS: dict[str, type[ast.cmpop]] = {
    "LessThan": ast.Lt,
    "GreaterThan": ast.Gt,
    "Equal": ast.Eq,
    "NotEqual": ast.NotEq,
    "LessThanEqual": ast.LtE,
    "GreaterThanEqual": ast.GtE,
    "In": ast.In,
    "NotIn": ast.NotIn,
    "Is": ast.Is,
    "IsNot": ast.IsNot,
}

_CONSTANTS = {"None": None, "True": True, "False": False}


def operator(node: libcst.CSTNode) -> ast.operator:
    """The operator of a binary operation or an augmented assignment."""
    return _OPERATORS[node.__class__.__name__.removesuffix("Assign")]()


class Expressions(Base):
    """Conversions of expressions."""

    def convert_Name(self, node: libcst.Name) -> ast.expr:
        if node.value in _CONSTANTS:
            return self.make(ast.Constant, self.inner(node), value=_CONSTANTS[node.value])
        return self.make(ast.Name, self.inner(node), id=identifier(node), ctx=ast.Load())

    def convert_Ellipsis(self, node: libcst.Ellipsis) -> ast.expr:
        return self.make(ast.Constant, self.inner(node), value=...)

    def convert_Integer(self, node: libcst.Integer) -> ast.expr:
        return self.make(ast.Constant, self.inner(node), value=int(node.value, 0))

    def convert_Float(self, node: libcst.Float) -> ast.expr:
        return self.make(ast.Constant, self.inner(node), value=float(node.value))

    def convert_Imaginary(self, node: libcst.Imaginary) -> ast.expr:
        return self.make(ast.Constant, self.inner(node), value=complex(0, float(node.value[:-1])))

    def convert_Attribute(self, node: libcst.Attribute) -> ast.expr:
        value = self.expr(node.value)
        return self.make(
            ast.Attribute, self.inner(node), value=value, attr=identifier(node.attr), ctx=ast.Load()
        )

    def convert_Await(self, node: libcst.Await) -> ast.expr:
        return self.make(ast.Await, self.inner(node), value=self.expr(node.expression))

    def convert_Yield(self, node: libcst.Yield) -> ast.expr:
        if isinstance(node.value, cst.From):
            return self.make(ast.YieldFrom, self.inner(node), value=self.expr(node.value.item))
        return self.make(ast.Yield, self.inner(node), value=self.optional(node.value))

    def convert_NamedExpr(self, node: libcst.NamedExpr) -> ast.expr:
        target = self.target(node.target)
        return self.make(ast.NamedExpr, self.inner(node), target=target, value=self.expr(node.value))

    def convert_IfExp(self, node: libcst.IfExp) -> ast.expr:
        body, test, orelse = self.expr(node.body), self.expr(node.test), self.expr(node.orelse)
        return self.make(ast.IfExp, self.inner(node), test=test, body=body, orelse=orelse)

    def convert_Lambda(self, node: libcst.Lambda) -> ast.expr:
        arguments = self.arguments(node.params)
        return self.make(ast.Lambda, self.inner(node), args=arguments, body=self.expr(node.body))

    def convert_UnaryOperation(self, node: libcst.UnaryOperation) -> ast.expr:
        kind = _UNARY[node.operator.__class__.__name__]
        return self.make(ast.UnaryOp, self.inner(node), op=kind(), operand=self.expr(node.expression))

    def convert_BinaryOperation(self, node: libcst.BinaryOperation) -> ast.expr:
        left, right = self.expr(node.left), self.expr(node.right)
        return self.make(ast.BinOp, self.inner(node), left=left, op=operator(node.operator), right=right)

    def convert_BooleanOperation(self, node: libcst.BooleanOperation) -> ast.expr:
        # libcst nests a chain in pairs, ast has one node for it
        kind = node.operator.__class__
        values: list[ast.expr] = []
        todo: list[libcst.BaseExpression] = [node.right, node.left]
        while todo:
            operand = todo.pop()
            if (
                isinstance(operand, cst.BooleanOperation)
                and isinstance(operand.operator, kind)
                and not operand.lpar
            ):
                todo += [operand.right, operand.left]
            else:
                values.append(self.expr(operand))
        op = ast.And() if kind is cst.And else ast.Or()
        return self.make(ast.BoolOp, self.inner(node), op=op, values=values)

    def convert_Comparison(self, node: libcst.Comparison) -> ast.expr:
        left = self.expr(node.left)
        ops = [_COMPARISONS[item.operator.__class__.__name__]() for item in node.comparisons]
        comparators = [self.expr(item.comparator) for item in node.comparisons]
        return self.make(ast.Compare, self.inner(node), left=left, ops=ops, comparators=comparators)

    # calls

    def convert_Call(self, node: libcst.Call) -> ast.expr:
        func = self.expr(node.func)
        place = self.inner(node)
        if len(node.args) == 1 and isinstance(node.args[0].value, cst.GeneratorExp):
            generator = node.args[0].value
            if not generator.lpar:
                # the call's parentheses are the generator expression's own
                inside = (self.offsets[id(node.whitespace_after_func)][1], place[1])
                return self.make(
                    ast.Call, place, func=func, args=[self._generator(generator, inside)], keywords=[]
                )
        args, keywords = self.call_arguments(node.args)
        return self.make(ast.Call, place, func=func, args=args, keywords=keywords)

    def call_arguments(self, nodes: Sequence[libcst.Arg]) -> tuple[list[ast.expr], list[ast.keyword]]:
        """The arguments of a call or of a class definition."""
        args: list[ast.expr] = []
        keywords: list[ast.keyword] = []
        for node in nodes:
            value = self.expr(node.value)
            place = self.inner(node)
            if node.star == "*":
                args.append(self.make(ast.Starred, place, value=value, ctx=ast.Load()))
            elif node.star == "**" or node.keyword is not None:
                name = None if node.keyword is None else identifier(node.keyword)
                keywords.append(self.make(ast.keyword, place, arg=name, value=value))
            else:
                args.append(value)
        return args, keywords

    def arguments(self, node: libcst.Parameters) -> ast.arguments:
        """The parameters of a function or lambda."""
        star = node.star_arg
        positional = [*node.posonly_params, *node.params]
        return ast.arguments(
            posonlyargs=[self._arg(param) for param in node.posonly_params],
            args=[self._arg(param) for param in node.params],
            vararg=self._arg(star) if isinstance(star, cst.Param) else None,
            kwonlyargs=[self._arg(param) for param in node.kwonly_params],
            kw_defaults=[self.optional(param.default) for param in node.kwonly_params],
            kwarg=None if node.star_kwarg is None else self._arg(node.star_kwarg),
            defaults=[self.expr(param.default) for param in positional if param.default is not None],
        )

    def _arg(self, node: libcst.Param) -> ast.arg:
        start, end = self.offsets[id(node.name)]
        annotation = None
        if node.annotation is not None:
            annotation = self.expr(node.annotation.annotation)
            end = self.outer(node.annotation.annotation)[1]
        return self.make(ast.arg, (start, end), arg=identifier(node.name), annotation=annotation)

    # subscripts

    def convert_Subscript(self, node: libcst.Subscript) -> ast.expr:
        value = self.expr(node.value)
        elements = node.slice
        places = [self._slice_place(element.slice) for element in elements]
        items = [self._slice(element.slice, place) for element, place in zip(elements, places, strict=True)]
        comma = elements[-1].comma
        if len(items) == 1 and not isinstance(comma, cst.Comma) and not isinstance(items[0], ast.Starred):
            index = items[0]
        else:
            end = self.after(comma) if isinstance(comma, cst.Comma) else places[-1][1]
            index = self.make(ast.Tuple, (places[0][0], end), elts=items, ctx=ast.Load())
        return self.make(ast.Subscript, self.inner(node), value=value, slice=index, ctx=ast.Load())

    def _slice_place(self, node: libcst.BaseSlice) -> Place:
        if isinstance(node, cst.Index):
            start, end = self.outer(node.value)
            return (self.offsets[id(node)][0] if node.star else start), end
        assert isinstance(node, cst.Slice)
        colon = self.after(node.first_colon)
        start = colon - 1 if node.lower is None else self.outer(node.lower)[0]
        if node.step is not None:
            end = self.outer(node.step)[1]
        elif isinstance(node.second_colon, cst.Colon):
            end = self.after(node.second_colon)
        else:
            end = colon if node.upper is None else self.outer(node.upper)[1]
        return start, end

    def _slice(self, node: libcst.BaseSlice, place: Place) -> ast.expr:
        if isinstance(node, cst.Index):
            value = self.expr(node.value)
            return self.make(ast.Starred, place, value=value, ctx=ast.Load()) if node.star else value
        assert isinstance(node, cst.Slice)
        lower, upper, step = self.optional(node.lower), self.optional(node.upper), self.optional(node.step)
        return self.make(ast.Slice, place, lower=lower, upper=upper, step=step)

    # displays and comprehensions

    def convert_Element(self, node: libcst.Element) -> ast.expr:
        return self.expr(node.value)

    def convert_StarredElement(self, node: libcst.StarredElement) -> ast.expr:
        return self.make(ast.Starred, self.inner(node), value=self.expr(node.value), ctx=ast.Load())

    def _parenthesized(self, node: Any) -> Place:
        """A node with the innermost of its parentheses, which `ast` counts to it."""
        return self.offsets[id(node.lpar[-1])][0], self.offsets[id(node.rpar[0])][1]

    def convert_Tuple(self, node: libcst.Tuple) -> ast.expr:
        elements = [self.expr(element) for element in node.elements]
        place = self._parenthesized(node) if node.lpar else self.inner(node)
        return self.make(ast.Tuple, place, elts=elements, ctx=ast.Load())

    def convert_List(self, node: libcst.List) -> ast.expr:
        elements = [self.expr(element) for element in node.elements]
        return self.make(ast.List, self.inner(node), elts=elements, ctx=ast.Load())

    def convert_Set(self, node: libcst.Set) -> ast.expr:
        return self.make(ast.Set, self.inner(node), elts=[self.expr(element) for element in node.elements])

    def convert_Dict(self, node: libcst.Dict) -> ast.expr:
        keys: list[ast.expr | None] = []
        values: list[ast.expr] = []
        for element in node.elements:
            keys.append(self.expr(element.key) if isinstance(element, cst.DictElement) else None)
            values.append(self.expr(element.value))
        return self.make(ast.Dict, self.inner(node), keys=keys, values=values)

    def _generators(self, node: libcst.CompFor) -> list[ast.comprehension]:
        generators: list[ast.comprehension] = []
        clause: libcst.CompFor | None = node
        while clause is not None:
            target, iterable = self.target(clause.target), self.expr(clause.iter)
            ifs = [self.expr(condition.test) for condition in clause.ifs]
            is_async = int(clause.asynchronous is not None)
            generators.append(ast.comprehension(target=target, iter=iterable, ifs=ifs, is_async=is_async))
            clause = clause.inner_for_in
        return generators

    def _generator(self, node: libcst.GeneratorExp, place: Place) -> ast.expr:
        element = self.expr(node.elt)
        return self.make(ast.GeneratorExp, place, elt=element, generators=self._generators(node.for_in))

    def convert_GeneratorExp(self, node: libcst.GeneratorExp) -> ast.expr:
        return self._generator(node, self._parenthesized(node) if node.lpar else self.inner(node))

    def convert_ListComp(self, node: libcst.ListComp) -> ast.expr:
        element = self.expr(node.elt)
        generators = self._generators(node.for_in)
        return self.make(ast.ListComp, self.inner(node), elt=element, generators=generators)

    def convert_SetComp(self, node: libcst.SetComp) -> ast.expr:
        element = self.expr(node.elt)
        return self.make(ast.SetComp, self.inner(node), elt=element, generators=self._generators(node.for_in))

    def convert_DictComp(self, node: libcst.DictComp) -> ast.expr:
        key, value = self.expr(node.key), self.expr(node.value)
        generators = self._generators(node.for_in)
        return self.make(ast.DictComp, self.inner(node), key=key, value=value, generators=generators)

    def convert_StarredDictComp(self, node: Any) -> ast.expr:
        place = self.inner(node)
        nothing = self.make(ast.Constant, place, value=None)
        key, generators = self.expr(node.value), self._generators(node.for_in)
        return self.make(ast.DictComp, place, key=key, value=nothing, generators=generators)
