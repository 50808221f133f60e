"""Whether awaitlint's fix puts the deleted `await` back, and what else it changes."""

from __future__ import annotations

import ast
import difflib
import shutil
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path

import msgspec

from benchmarks.mutation import Mutant
from benchmarks.processes import run
from benchmarks.sites import header, statement_lines
from benchmarks.sources import Function, Module, read_module
from benchmarks.tools import Job, ToolError, fix_arguments

#: The rules whose fixes are applied: those that a forgotten `await` is reported by (1xx, and 8xx for values
#: that a framework gets) and those about where `await` may stand (5xx), which the others could call for.
#: The others' fixes, such as a rewritten `time.sleep`, have nothing to do with what was deleted.
SELECT = "AWL1,AWL5,AWL8"


class Repair(StrEnum):
    """What a fix made of a mutated statement."""

    #: the same statement as before the deletion, parentheses and white space aside
    RESTORED = "restored"
    #: another one
    CHANGED = "changed otherwise"
    UNTOUCHED = "untouched"


class Fixed(msgspec.Struct, frozen=True):
    """What `--fix --unsafe-fixes` made of a mutated tree."""

    select: str
    #: one for each mutant, in their order
    repairs: tuple[Repair, ...]
    #: files that no longer parse
    broken: tuple[str, ...]
    #: files that a second run changes
    unstable: tuple[str, ...]
    #: changed lines (`file:line: text`) outside of the mutated statements
    elsewhere: tuple[str, ...]


def apply_fixes(
    command: Sequence[str], tree: Path, job: Job, mutants: Sequence[Mutant], *, select: str = SELECT
) -> Fixed:
    """Fix a copy of the mutated tree (`fixed/` beside it), and compare it with the clean one.

    Raises:
        ToolError: awaitlint failed.
    """
    fixed = tree / "fixed"
    shutil.rmtree(fixed, ignore_errors=True)
    shutil.copytree(tree / "mutated", fixed)
    _run(command, fixed, job, select)
    once = {path: path.read_bytes() for path in sorted(fixed.rglob("*.py"))}
    _run(command, fixed, job, select)
    unstable = tuple(
        path.relative_to(fixed).as_posix() for path, text in once.items() if path.read_bytes() != text
    )
    repairs: dict[Mutant, Repair] = {}
    broken, elsewhere = [], []
    for path, text in once.items():
        file = path.relative_to(fixed).as_posix()
        mutated, clean = (tree / "mutated" / file).read_bytes(), (tree / "clean" / file).read_bytes()
        here = [mutant for mutant in mutants if mutant.file == file]
        if text == mutated:
            repairs |= dict.fromkeys(here, Repair.UNTOUCHED)
            continue
        modules = [read_module(file, each) for each in (clean, mutated, text)]
        if any(module is None for module in modules):
            broken.append(file)
            repairs |= dict.fromkeys(here, Repair.CHANGED)
            continue
        original, before, after = (module for module in modules if module is not None)
        repairs |= {mutant: repair(mutant, original, before, after) for mutant in here}
        known = set[int]().union(*(statement_lines(_await(mutant, original), original) for mutant in here))
        elsewhere += [f"{file}:{line}: {source}" for line, source in changed_lines(mutated, text, known)]
    return Fixed(
        select, tuple(repairs[mutant] for mutant in mutants), tuple(broken), unstable, tuple(elsewhere)
    )


def _run(command: Sequence[str], directory: Path, job: Job, select: str) -> None:
    finished = run([*command, *fix_arguments(job, select)], directory)
    if finished.exit_code:
        raise ToolError(f"awaitlint --fix exited with {finished.exit_code}: {finished.errors[-500:]}")


def repair(mutant: Mutant, clean: Module, mutated: Module, fixed: Module) -> Repair:
    """What became of a mutant's statement."""
    place = _place(clean.statement(_await(mutant, clean)), clean)
    original, before, after = (_at(place, module) for module in (clean, mutated, fixed))
    if original is None or before is None or after is None:
        return Repair.CHANGED
    if same_statement(after, fixed, original, clean):
        return Repair.RESTORED
    return Repair.UNTOUCHED if same_statement(after, fixed, before, mutated) else Repair.CHANGED


def same_statement(one: ast.stmt, one_module: Module, other: ast.stmt, other_module: Module) -> bool:
    """Whether two statements (of compound ones, the headers) are the same but for parentheses and blanks.

    The trees are compared as well as the texts, since parentheses do matter in `(await f()).name`.
    """
    if _text(one, one_module) != _text(other, other_module):
        return False
    return _without_body(one) == _without_body(other)


def _text(statement: ast.stmt, module: Module) -> bytes:
    """A statement's text, or its header's, without parentheses and white space."""
    lines = module.source.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True)
    row, column = header(statement)
    kept = lines[statement.lineno - 1 : row]
    kept[-1] = kept[-1][:column]
    kept[0] = kept[0][statement.col_offset :]
    return b"".join(kept).translate(None, b"() \t\r\n\f\\")


def _without_body(statement: ast.stmt) -> str:
    """The tree of a statement without the statements inside of it, as text."""
    kept = {
        name: value
        for name, value in ast.iter_fields(statement)
        if name not in ("body", "orelse", "finalbody", "handlers", "cases")
    }
    return ast.dump(type(statement)(**kept))


def _await(mutant: Mutant, clean: Module) -> ast.Await:
    """The expression that was deleted."""
    return next(
        node
        for node in ast.walk(clean.tree)
        if isinstance(node, ast.Await) and (node.lineno, node.col_offset) == (mutant.line, mutant.column)
    )


#: which function of the file, and the steps from there to a node: a field's name and a place in its list
_Place = tuple[int, tuple[tuple[str, int], ...]]


def _functions(module: Module) -> Iterator[Function]:
    return (node for node in ast.walk(module.tree) if isinstance(node, Function))


def _place(statement: ast.stmt, module: Module) -> _Place:
    """Where a statement is, told so that an import added to the file does not matter."""
    outermost = [scope for scope in module.scopes(statement) if isinstance(scope, Function)][-1]
    steps: list[tuple[str, int]] = []
    node: ast.AST = statement
    while node is not outermost:
        above = module.parent(node)
        steps += [
            (name, value.index(node))
            for name, value in ast.iter_fields(above)
            if isinstance(value, list) and node in value
        ]
        node = above
    return list(_functions(module)).index(outermost), tuple(reversed(steps))


def _at(place: _Place, module: Module) -> ast.stmt | None:
    """The statement at a place, if there is one."""
    number, steps = place
    functions = list(_functions(module))
    if number >= len(functions):
        return None
    node: ast.AST = functions[number]
    for name, index in steps:
        children = getattr(node, name, [])
        if index >= len(children):
            return None
        node = children[index]
    return node if isinstance(node, ast.stmt) else None


def changed_lines(before: bytes, after: bytes, known: Iterable[int]) -> Iterator[tuple[int, str]]:
    """The number and new text of the lines that differ, without those of some numbers in the old text."""
    old, new, expected = before.splitlines(), after.splitlines(), set(known)
    for start, end, new_start, new_end in _blocks(old, new):
        if not (end > start and expected.issuperset(range(start + 1, end + 1))):
            text = b" ".join(new[new_start:new_end]) or b"(deleted)"
            yield start + 1, " ".join(text.decode("utf-8", "replace").split())


def _blocks(old: list[bytes], new: list[bytes]) -> Iterator[tuple[int, int, int, int]]:
    """The ranges of lines that differ, in the old and in the new text; single lines where none moved."""
    if len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            if one != other:
                yield number, number + 1, number, number + 1
        return
    for kind, *block in difflib.SequenceMatcher(None, old, new).get_opcodes():
        if kind != "equal":
            start, end, new_start, new_end = block
            yield start, end, new_start, new_end
