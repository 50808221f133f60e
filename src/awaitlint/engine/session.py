"""What outlives the check of one file: facts, linked projects, inference."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from awaitlint.engine.cache import FactsCache, key_of, project_cache
from awaitlint.engine.check import check_file
from awaitlint.engine.environments import Environments
from awaitlint.engine.known import Baselines
from awaitlint.engine.options import Options
from awaitlint.engine.silences import Silences
from awaitlint.engine.verdicts.memory import signature_of
from awaitlint.files.discover import display_name
from awaitlint.files.roots import project_root
from awaitlint.files.source import SourceError, SourceStore, decode, split_lines
from awaitlint.index.dormant import Dormitory
from awaitlint.index.lower import lower
from awaitlint.index.modules import Module
from awaitlint.index.packages import TURNED_ASYNC, package_library
from awaitlint.index.project import Project
from awaitlint.index.stdlib import standard_library
from awaitlint.infer.engine import Inference
from awaitlint.syntax.parse import SyntaxProblem, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from awaitlint.config.settings import Settings
    from awaitlint.engine.baseline import Baseline
    from awaitlint.engine.checked import Checked
    from awaitlint.engine.verdicts.records import Signature
    from awaitlint.files.discover import Target
    from awaitlint.index.facts import ModuleFacts
    from awaitlint.model import Diagnostic
    from awaitlint.rulekit.chains import Chains

#: seconds for which a file that was read is taken to be unchanged
_RECHECK = 0.5


class Lowered(NamedTuple):
    """The outcome of reading one file: facts, or the reason why there are none.

    The bytes of a file that was checked, with nothing found, are read again by who wants them.
    """

    signature: Signature | None
    data: bytes | None
    facts: ModuleFacts | None
    problem: SyntaxProblem | SourceError | None
    #: the key of the bytes in the cache, where no unsaved buffer stands in for the file
    digest: bytes = b""

    def is_like(self, other: Lowered) -> bool:
        """Whether two files have the same bytes."""
        if self.digest and other.digest:
            return self.digest == other.digest
        if self.data is None or other.data is None:
            return self._key() == other._key()
        return self.data == other.data

    def _key(self) -> bytes:
        return self.digest or (key_of(self.data) if self.data is not None else b"")


class Linked(NamedTuple):
    """A project and the inference over it."""

    project: Project
    infer: Inference


class Session:
    """Checks files one by one, and remembers what it learned for the next.

    Made for a run as well as for a process that lives long: a file that changed on disk is read again, and
    what was inferred from it is forgotten.

    Args:
        settings_for: The settings that govern a file.
        store: Answers what is in a file.
        options: How to run.
    """

    def __init__(
        self, settings_for: Callable[[Path], Settings], store: SourceStore, options: Options | None = None
    ) -> None:
        self.settings_for = settings_for
        self.store = store
        self.options = options or Options()
        self.displays: dict[Path, str] = {}
        #: when it was made, in nanoseconds since 1970: it has read nothing before
        self.began = time.time_ns()
        #: how often what was known of projects had to be given up
        self.generation = 0
        #: where it is wanted: the files whose names were asked for, with the names
        self.asked: dict[Path, str] | None = None
        #: whether Python's stack did not suffice for something: then it matters where one began
        self.was_too_deep = False
        #: names of rules that crashed, with the file and the reason
        self.internal_errors: list[str] = []
        self._lowered: dict[Path, Lowered] = {}
        self._dormitory = Dormitory()
        self._linked: dict[tuple[Path, tuple[str, ...], tuple[int, int], Path | None], Linked] = {}
        #: the one that was asked for last
        self._last: Linked | None = None
        self._chains: dict[tuple[Inference, tuple[object, ...]], Chains] = {}
        self._environments = Environments({} if self.options.isolated else os.environ)
        self._roots: dict[Path, Path] = {}
        self._marked: dict[str, bool] = {}
        self._caches: dict[Path, FactsCache | None] = {}
        #: keeps the facts that have no place on disk otherwise, where that is wanted
        self.spare: FactsCache | None = None
        self.baselines = Baselines(self.options.baseline)
        self._checked = time.monotonic()
        self._interval = _RECHECK

    def check(self, target: Target) -> tuple[Diagnostic, ...]:
        """The findings of one file, sorted, selected by its settings, less the suppressed and the known."""
        return self.shown(target, self.checked(target))

    def checked(self, target: Target) -> Checked:
        """All that there is to say of one file, and to be known about it by a baseline."""
        self.displays[target.path] = target.display
        baseline = self.baselines.of(self.settings_for(target.path))
        checked = check_file(self, target, hidden=baseline is not None)
        self._leave(target.path, checked)
        return checked

    def _leave(self, path: Path, checked: Checked) -> None:
        """Let a file that was checked take less room."""
        known = self._lowered.get(path)
        if known is None or known.facts is None:
            return
        self._dormitory.add(known.facts)
        if self._last is not None:
            self._last.project.forget_bodies(path)
        if known.digest and known.data is not None and not (checked.found or checked.hidden):
            self._lowered[path] = known._replace(data=None)

    def shown(self, target: Target, checked: Checked) -> tuple[Diagnostic, ...]:
        """What of that is reported: the findings that its baseline does not have."""
        baseline = self.baselines.of(self.settings_for(target.path))
        return checked.found if baseline is None else self._unknown(target, checked, baseline)

    def known(self, target: Target) -> frozenset[Diagnostic]:
        """The findings of one file that are not reported since they are in its baseline."""
        baseline = self.baselines.of(self.settings_for(target.path))
        if baseline is None:
            return frozenset()
        checked = check_file(self, target, hidden=True)
        return frozenset(checked.found) - frozenset(self._unknown(target, checked, baseline))

    def _unknown(self, target: Target, checked: Checked, baseline: Baseline) -> tuple[Diagnostic, ...]:
        if not checked.found and not checked.hidden:
            return self.baselines.unknown(target.path, checked, baseline, None, [])
        lines: list[str] = []
        lowered = self.lowered(target.path)
        with contextlib.suppress(SourceError):
            lines = split_lines(decode(lowered.data or b"").text)
        return self.baselines.unknown(target.path, checked, baseline, lowered.facts, lines)

    def display_of(self, path: Path) -> str:
        """How the run names a file: as the user did, else relative to the working directory."""
        known = self.displays.get(path)
        if known is None:
            known = self.displays[path] = display_name(os.fspath(path), os.getcwd())
        if self.asked is not None:
            self.asked[path] = known
        return known

    def linked(self, path: Path, settings: Settings) -> Linked:
        """The project that a file belongs to."""
        return self.linked_at(self._root(path), settings)

    def linked_at(self, root: Path, settings: Settings) -> Linked:
        """The project at a root, as the settings of some of its files have it."""
        key = (root, settings.src, settings.target_version, settings.python)
        found = self._linked.get(key)
        if found is None:
            project = self.project(root, settings, self.facts)
            found = self._linked[key] = Linked(project, Inference(project))
        if found is not self._last:
            self._put_down()
            self._last = found
        return found

    def _put_down(self) -> None:
        """Turn from one project to another: a directory of scripts may have hundreds of them."""
        if self._last is not None:
            self._last.infer.rest()
            for (infer, _), chains in self._chains.items():
                if infer is self._last.infer:
                    chains.rest()

    def project(self, root: Path, settings: Settings, load: Callable[[Path], ModuleFacts | None]) -> Project:
        """A project, of which nothing is known yet; `load` gives the facts of a file."""
        return Project(
            root,
            [settings.root / name for name in settings.src],
            self.store,
            standard_library(settings.target_version),
            load,
            packages=package_library(),
            knows=lambda package: self._knows(package, root, settings),
            environment=self._environments.of(root, settings.python),
        )

    @staticmethod
    def _knows(package: str, root: Path, settings: Settings) -> bool:
        """Whether the bundled knowledge of a package holds for the versions that a project admits."""
        turned = TURNED_ASYNC.get(package)
        if turned is None:
            return True
        from awaitlint.index.requirements import admitted, project_root  # noqa: PLC0415  for these alone

        distribution, version = turned
        return admitted(distribution, root, project_root(root), settings.python).admits(version, None)

    def chains(self, linked: Linked, settings: Settings) -> Chains:
        """What blocks in a project, under the options that tell what does."""
        told = (
            settings.blocking_calls,
            settings.blocking_handoffs,
            settings.blocking_safe,
            settings.blocking_levels,
            settings.known_safe_calls,
        )
        known = self._chains.get((linked.infer, told))
        if known is None:
            from awaitlint.rulekit.chains import Chains  # noqa: PLC0415  for code that is asynchronous
            from awaitlint.rulekit.leaves import Leaves  # noqa: PLC0415
            from awaitlint.rulekit.texts import Texts  # noqa: PLC0415

            texts = Texts(lambda path: self.lowered(path).data)
            silences = Silences(texts, noqa=self.options.noqa)
            known = Chains(linked.infer, Leaves(linked.infer, settings), texts, silences)
            self._chains[linked.infer, told] = known
        return known

    def _root(self, path: Path) -> Path:
        root = self._roots.get(path.parent)
        if root is None:
            root = self._roots[path.parent] = project_root(path, marked=self._marked)
        return root

    def module(self, path: Path, settings: Settings) -> Module | None:
        return self.linked(path, settings).project.module_at(path)

    # ------------------------------------------------------------------ facts
    def facts(self, path: Path) -> ModuleFacts | None:
        """A file's facts, where it can be read and parsed."""
        return self._once(path).facts

    def facts_before(self, path: Path, key: bytes) -> ModuleFacts | None:
        """The facts that a file had when its bytes had this key, where they are in the cache still."""
        cache = self._cache(path)
        return cache.unchecked(key) if cache is not None else None

    def lowered(self, path: Path) -> Lowered:
        """A file's facts and bytes; no bytes where it has changed since it was checked."""
        known = self._once(path)
        if known.data is None and known.digest:
            return known._replace(data=self._again(path, known.digest))
        return known

    def _once(self, path: Path) -> Lowered:
        known = self._lowered.get(path)
        if known is None:
            known = self._lowered[path] = self._lower(path)
        return known

    def _again(self, path: Path, digest: bytes) -> bytes | None:
        """The bytes of a file that was read, None where they are not what they were."""
        try:
            data = self.store.read(path)
        except SourceError:
            return None
        return data if key_of(data) == digest else None

    def read(self, path: Path) -> Lowered | None:
        """What has become of a file that was read; None for one that was not."""
        return self._lowered.get(path)

    def has_read(self, targets: Iterable[Target]) -> bool:
        """Whether some of these files were read before."""
        return any(target.path in self._lowered for target in targets)

    def texts(self) -> SourceStore:
        """The files with findings as they were read, whatever has become of them since."""
        read = {path: known.data for path, known in self._lowered.items() if known.data is not None}
        return SourceStore(read)

    def _lower(self, path: Path) -> Lowered:
        signature = self._signature(path)
        read = b""
        try:
            data = self.store.read(path)
        except SourceError as error:
            return Lowered(signature, None, None, error)
        known = self._lowered.get(path)
        if path not in self.store.overlays:
            read = key_of(data)
        anew = Lowered(signature, data, None, None, read)
        if known is not None and known.is_like(anew):
            return known._replace(signature=signature, data=data, digest=read)
        cache = self._cache(path)
        kept = cache.get(data) if cache is not None else None
        if kept is not None:
            return Lowered(signature, data, kept, None, read)
        try:
            facts = lower(parse(data), data)
        except SyntaxProblem as problem:
            return Lowered(signature, data, None, problem, read)
        except RecursionError:
            too_deep = SyntaxProblem(1, 0, "nested too deeply to be analysed")
            return Lowered(signature, data, None, too_deep, read)
        if cache is not None and path not in self.store.overlays:
            cache.put(data, facts)
        return Lowered(signature, data, facts, None, read)

    def _cache(self, path: Path) -> FactsCache | None:
        """The cache on disk of the project that a file belongs to or is installed for, where there is one."""
        if not self.options.cache:
            return self.spare
        root = self._environments.keeper(path) or self._root(path)
        if root not in self._caches:
            self._caches[root] = project_cache(root, self.options.cache_dir) or self.spare
        return self._caches[root]

    def flush(self) -> None:
        """Write to the caches what is to be kept; at the latest it happens when the process ends."""
        for cache in {*self._caches.values(), self.spare}:
            if cache is not None:
                cache.flush()

    def _signature(self, path: Path) -> Signature | None:
        return None if path in self.store.overlays else signature_of(os.fspath(path))

    def refresh(self, overlays: dict[Path, bytes] | None = None) -> None:
        """Notice what changed on disk since the last call (at most every half second) and in the buffers."""
        now = time.monotonic()
        changed = False
        if overlays is not None and overlays != self.store.overlays:
            touched = set(overlays) | set(self.store.overlays)
            self.store = SourceStore(overlays)
            for path in touched:
                known = self._lowered.get(path)
                if known is None or self._relower(path, known):
                    changed = True
        if now - self._checked >= self._interval:
            for path, known in list(self._lowered.items()):
                if path not in self.store.overlays and self._signature(path) != known.signature:
                    changed |= self._relower(path, known)
            changed |= any(linked.project.has_moved() for linked in self._linked.values())
            changed |= self._environments.forget_changed()
            self._checked = time.monotonic()
            # looking must stay cheap beside what is looked at
            self._interval = max(_RECHECK, 20 * (self._checked - now))
        if changed:
            self.generation += 1
            self._linked.clear()
            self._last = None
            self._chains.clear()
            self._roots.clear()
            self._marked.clear()

    def _relower(self, path: Path, known: Lowered) -> bool:
        """Read a file again; whether its text has changed."""
        self._lowered[path] = self._lower(path)
        return not self._lowered[path].is_like(known)
