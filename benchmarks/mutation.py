"""Deletes one `await` in each of many functions, and remembers where.

No line is added or removed, so a line has the same number in the clean and in the mutated tree.
"""

from __future__ import annotations

import ast
import hashlib
import random
import shutil
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import msgspec

from benchmarks.callees import Callee, Callees
from benchmarks.sites import Shape, Site, end, reading_lines, sites, statement_lines, use
from benchmarks.sources import Function, Module, Sources, parse, read_package

_BOM = b"\xef\xbb\xbf"
_AWAIT = b"await"


class MutationError(Exception):
    """Deleting an `await` changes more of the tree than it should."""


class Mutant(msgspec.Struct, frozen=True):
    """A deleted `await`; lines count from 1, columns from 0, in UTF-8's bytes."""

    file: str
    line: int
    column: int
    shape: Shape
    #: what exactly is done with the value
    detail: str
    callee: Callee
    #: the place and kind of the callee's definition, as far as known
    definition: str
    #: the qualified name of the innermost function
    function: str
    #: the first and last line of the outermost function
    first: int
    last: int
    #: the lines on which a new diagnostic counts as found
    hits: frozenset[int]
    #: the text of its first line, before the deletion
    source: str


class Mutation(msgspec.Struct, frozen=True):
    """The mutants of a package, and what they were made of."""

    package: str
    version: str
    module: str
    subset: str
    seed: int
    #: of the parsed files
    files: int
    lines: int
    #: places that could have been chosen
    sites: int
    unreadable: tuple[str, ...]
    mutants: tuple[Mutant, ...]
    #: changes when the sources or the mutants do
    fingerprint: str


def delete_awaits(module: Module, nodes: Iterable[ast.Await]) -> bytes:
    """The text of a file without the keyword of some of its `await` expressions.

    The blanks after the keyword go with it, and nothing else does.

    Raises:
        MutationError: the tree of the result is not the original tree less those expressions, as with
            ``f"{await x=}"``, which has the expression's text in it.
    """
    lines = module.source.splitlines(keepends=True)
    places = {(node.lineno, node.col_offset) for node in nodes}
    shift = len(_BOM) if module.source.startswith(_BOM) else 0
    for row, column in sorted(places, reverse=True):
        line, start = lines[row - 1], column + (shift if row == 1 else 0)
        after = start + len(_AWAIT)
        if line[start:after] != _AWAIT:
            raise MutationError(f"{module.file}:{row}: no `await` at column {start}")
        lines[row - 1] = line[:start] + line[after:].lstrip(b" \t")
    result = b"".join(lines)
    try:
        got = ast.dump(parse(result))
    except SyntaxError as error:
        raise MutationError(f"{module.file}: {error}") from None
    if got != ast.dump(_Without(places).visit(parse(module.source))):
        raise MutationError(f"{module.file}: the deletion changes more than the `await` expressions")
    return result


class _Without(ast.NodeTransformer):
    """Replaces `await` expressions, given by their places, with their operands."""

    def __init__(self, places: set[tuple[int, int]]) -> None:
        self._places = places

    def visit_Await(self, node: ast.Await) -> ast.AST:
        self.generic_visit(node)
        return node.value if (node.lineno, node.col_offset) in self._places else node


def choose(sources: Sources, seed: int, count: int) -> tuple[int, list[Site]]:
    """How many places there are, and up to `count` of them, chosen at random, one per outermost function.

    The choice depends on the sources and the seed alone.
    """
    found = [site for module in sources.modules for site in sites(module)]
    shuffled = list(found)
    random.Random(seed).shuffle(shuffled)
    taken: dict[Function, Site] = {}
    for site in shuffled:
        if len(taken) == count:
            break
        taken.setdefault(site.functions[-1], site)
    return len(found), _exact(taken.values())


def _exact(chosen: Iterable[Site]) -> list[Site]:
    """Those of the chosen places whose deletion is exact."""
    by_module: dict[Module, list[Site]] = defaultdict(list)
    for site in chosen:
        by_module[site.module].append(site)
    kept = []
    for module, group in by_module.items():
        kept += group if _is_exact(module, group) else [site for site in group if _is_exact(module, [site])]
    return kept


def _is_exact(module: Module, group: Iterable[Site]) -> bool:
    try:
        delete_awaits(module, [site.node for site in group])
    except MutationError:
        return False
    return True


def describe(site: Site, callees: Callees) -> Mutant:
    """What a deletion at a place is to be found by, and its labels."""
    module, node, inner, outer = site.module, site.node, site.functions[0], site.functions[-1]
    used = use(node, module)
    callee, definition = Callee.NONE, ""
    if isinstance(node.value, ast.Call):
        callee, definition = callees.label(node.value, module)
    hits = statement_lines(node, module)
    if used.target is not None:
        hits |= reading_lines(used.target, inner, module)
    named = [scope.name for scope in module.scopes(node) if not isinstance(scope, ast.Lambda)]
    return Mutant(
        file=module.file,
        line=node.lineno,
        column=node.col_offset,
        shape=used.shape if isinstance(node.value, ast.Call) else Shape.NO_CALL,
        detail=used.detail,
        callee=callee,
        definition=definition,
        function=".".join(reversed(named)),
        first=outer.lineno,
        last=end(outer)[0],
        hits=frozenset(hits),
        source=module.line(node.lineno),
    )


def mutate(
    package: Path, tree: Path, *, version: str, subset: str, name: str, seed: int, count: int
) -> Mutation:
    """Write `clean/` and `mutated/` copies of a package below a directory, whose old content is removed.

    Beside the package lies an empty pyproject.toml, so that no tool looks for a project further up.
    """
    shutil.rmtree(tree, ignore_errors=True)
    for kind in ("clean", "mutated"):
        shutil.copytree(
            package, tree / kind / package.name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", "*.so")
        )
        (tree / kind / "pyproject.toml").touch()
    sources = read_package(tree / "clean" / package.name)
    total, chosen = choose(sources, seed, count)
    callees = Callees(sources)
    mutants = sorted(
        (describe(site, callees) for site in chosen), key=lambda mutant: (mutant.file, mutant.line)
    )
    digest = hashlib.sha256()
    for module in sources.modules:
        digest.update(module.source)
        if nodes := [site.node for site in chosen if site.module is module]:
            (tree / "mutated" / module.file).write_bytes(delete_awaits(module, nodes))
    digest.update(msgspec.json.encode([(mutant.file, mutant.line, mutant.column) for mutant in mutants]))
    return Mutation(
        package=name,
        version=version,
        module=package.name,
        subset=subset,
        seed=seed,
        files=len(sources.modules),
        lines=sources.lines,
        sites=total,
        unreadable=sources.unreadable,
        mutants=tuple(mutants),
        fingerprint=digest.hexdigest()[:16],
    )
