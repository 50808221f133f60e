"""The walker visits what libcst's own `visit` does, in its order."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import libcst
import pytest
from test_syntax_from_cst import ODD, PYTHON_3_12, PYTHON_3_13

from awaitlint.syntax.newer import newer_lines
from awaitlint.syntax.walk import Walker, ancestors, child_fields, children, walk

NEWEST = "try: pass\nexcept A, B: pass\nt'{a!r:{b}}'\n{**a for a in b}\nlazy import a\nlazy from a import b\n"

TRIVIA = (
    libcst.Comment,
    libcst.EmptyLine,
    libcst.Newline,
    libcst.ParenthesizedWhitespace,
    libcst.SimpleWhitespace,
    libcst.TrailingWhitespace,
)


def test_children_are_those_of_libcst_but_for_white_space() -> None:
    todo: list[libcst.CSTNode] = [libcst.parse_module(ODD)]
    seen = 0
    for node in todo:
        found = children(node)
        assert found == [child for child in node.children if not isinstance(child, TRIVIA)]
        todo += found
        seen += 1
    assert seen > len(ODD.splitlines())


class Recorder(libcst.CSTVisitor):
    """What libcst visits and leaves, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[tuple[str, int, str]] = []

    def on_visit(self, node: libcst.CSTNode) -> bool:
        self.events.append(("visit", id(node), type(node).__name__))
        return True

    def on_leave(self, original_node: libcst.CSTNode) -> None:
        self.events.append(("leave", id(original_node), type(original_node).__name__))


def texts() -> list[str]:
    found = [ODD, PYTHON_3_12, PYTHON_3_13, NEWEST, "", "# only\n\n# comments"]
    for name in ("asyncio.base_events", "dataclasses", "typing"):
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        found.append(Path(spec.origin).read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("text", texts(), ids=range(len(texts())))
def test_same_nodes_in_the_same_order(text: str) -> None:
    module = libcst.parse_module(text)
    recorder = Recorder()
    module.visit(recorder)
    events: list[tuple[str, int, str]] = []
    walk(
        module,
        [],
        lambda node: events.append(("visit", id(node), type(node).__name__)),
        lambda node: events.append(("leave", id(node), type(node).__name__)),
        trivia=True,
    )
    assert events == recorder.events


def test_without_trivia_only_trivia_is_left_out() -> None:
    module = libcst.parse_module(ODD)
    everything: list[libcst.CSTNode] = []
    rest: list[libcst.CSTNode] = []
    walk(module, [], everything.append, trivia=True)
    walk(module, [], rest.append)
    assert rest == [node for node in everything if not isinstance(node, TRIVIA)]


def test_every_node_class_has_an_order() -> None:
    """The order is read from libcst's methods: a class whose method says nothing would lose its children."""
    module = libcst.parse_module(ODD + PYTHON_3_12 + NEWEST)
    kinds: set[type[libcst.CSTNode]] = set()
    walk(module, [], lambda node: kinds.add(type(node)), trivia=True)
    assert len(kinds) > 100
    for kind in kinds:
        recorded = [type(child) for child in _example(module, kind).children]
        assert bool(child_fields(kind)) or not recorded


def _example(module: libcst.Module, kind: type[libcst.CSTNode]) -> libcst.CSTNode:
    found: list[libcst.CSTNode] = []
    walk(module, [], lambda node: found.append(node) if type(node) is kind else None, trivia=True)
    return found[0]


class Calls:
    """Refuses to descend, as a libcst visitor may; nobody else is to be affected."""

    def __init__(self, log: list[str]) -> None:
        self.log = log

    def visit_Call(self, node: libcst.Call) -> bool:
        self.log.append("first visits " + libcst.Module([]).code_for_node(node))
        return False

    def leave_Call(self, node: libcst.Call) -> None:
        self.log.append("first leaves " + libcst.Module([]).code_for_node(node))


class Names:
    def __init__(self, log: list[str]) -> None:
        self.log = log

    def visit_Name(self, node: libcst.Name) -> None:
        self.log.append("second visits " + node.value)

    def visit_Call(self, node: libcst.Call) -> None:
        self.log.append("second visits a call")


def test_visitors_do_not_stop_each_other() -> None:
    log: list[str] = []
    walk(libcst.parse_module("f(g(x))"), [Calls(log), Names(log)])
    assert log == [
        "first visits f(g(x))",
        "second visits a call",
        "second visits f",
        "first visits g(x)",
        "second visits a call",
        "second visits g",
        "second visits x",
        "first leaves g(x)",
        "first leaves f(g(x))",
    ]


def test_hooks_go_around_the_visitors() -> None:
    log: list[str] = []
    walk(
        libcst.parse_expression("f()"),
        [Calls(log)],
        lambda node: log.append("enter " + type(node).__name__),
        lambda node: log.append("leave " + type(node).__name__),
    )
    assert log == [
        "enter Call",
        "first visits f()",
        "enter Name",
        "leave Name",
        "first leaves f()",
        "leave Call",
    ]


def test_ancestors_while_visiting_and_leaving() -> None:
    parents: list[libcst.CSTNode] = []
    seen: list[tuple[str, list[str]]] = []

    class Visitor:
        def visit_Name(self, node: libcst.Name) -> None:
            seen.append((node.value, [type(parent).__name__ for parent in parents]))

        def leave_Call(self, node: libcst.Call) -> None:
            seen.append(("call", [type(parent).__name__ for parent in parents]))

    module = libcst.parse_module("f(x)")
    walker = Walker([Visitor()], parents=parents)
    for _ in range(2):
        walker.walk(module)
        above = ["Module", "SimpleStatementLine", "Expr"]
        assert seen == [("f", [*above, "Call"]), ("x", [*above, "Call", "Arg"]), ("call", above)]
        assert parents == []
        seen.clear()


def test_ancestors_are_put_back_after_a_crash() -> None:
    class Visitor:
        def visit_Name(self, node: libcst.Name) -> None:
            raise RuntimeError(node.value)

    outer = libcst.parse_module("")
    parents: list[libcst.CSTNode] = [outer]
    with pytest.raises(RuntimeError, match="f"):
        walk(libcst.parse_module("f(x)"), [Visitor()], parents=parents)
    assert parents == [outer]


def test_comments_are_visited_where_a_visitor_asks_for_them() -> None:
    comments: list[str] = []

    class Visitor:
        def visit_Comment(self, node: libcst.Comment) -> None:
            comments.append(node.value)

    walk(libcst.parse_module("# a\nx  # b\n(  # c\n)\n# d"), [Visitor()])
    assert comments == ["# a", "# b", "# c", "# d"]


def test_deep_trees() -> None:
    """The walker does not recurse."""
    module = libcst.parse_module(" + ".join(["a"] * 600))
    names: list[libcst.CSTNode] = []
    walk(module, [], lambda node: names.append(node) if isinstance(node, libcst.Name) else None)
    assert len(names) == 600
    assert newer_lines(module) == []


def test_ancestors_of_one_node() -> None:
    module = libcst.parse_module("def f():\n    return x\n")
    name = libcst.ensure_type(module.body[0], libcst.FunctionDef).name
    assert [type(parent).__name__ for parent in ancestors(name, module)] == ["Module", "FunctionDef"]
    assert ancestors(module, module) == []
