"""The findings of earlier runs: asked before a file is checked, told what was found afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from awaitlint.engine.checked import Checked
from awaitlint.engine.directory import cache_directory
from awaitlint.engine.verdicts import records
from awaitlint.engine.verdicts.memory import Memory
from awaitlint.engine.verdicts.names import Names
from awaitlint.engine.verdicts.version import version
from awaitlint.files.digests import digest
from awaitlint.files.environments import environment_of
from awaitlint.files.inputs import Notes, look, noting
from awaitlint.files.roots import project_root
from awaitlint.model import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Callable

    from awaitlint.config.settings import Settings
    from awaitlint.engine.options import Options
    from awaitlint.engine.session import Session
    from awaitlint.engine.verdicts.learning import Learned
    from awaitlint.engine.verdicts.records import Links, Node, Record
    from awaitlint.files.discover import Target

#: options that decide what becomes of findings, and not which there are
_LATER = frozenset(
    {
        *("config_path", "exclude", "extend_exclude", "force_exclude", "respect_gitignore"),
        *("output_format", "fix", "unsafe_fixes"),
    }
)
#: in the place of a file's own name
_OWN = ""


class _Said(NamedTuple):
    """What was found in a file, and how the run named the other files that the findings speak of."""

    named: list[tuple[str, str]]
    found: tuple[Diagnostic, ...]
    hidden: tuple[Diagnostic, ...]
    codes: list[str]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Said)


class _Place(NamedTuple):
    """Where findings are kept, and what goes with it: one for each linked project."""

    root: Path
    settings: Settings
    memory: Memory
    notes: Notes
    #: by the name of a file and a set of options
    findings: dict[tuple[str, bytes], bytes]
    #: the files of which there are some
    checked: list[Target]


class Verdicts:
    """What is known of earlier runs.

    Neither what is in the cache nor a disk that cannot be written makes a method fail.

    Args:
        options: How the run goes about its work.
        display_of: How the run names a file.
        marked: What is known of projects' roots, see `project_root`.
        session: Gives the session of the run, which is made when something has to be checked.
    """

    def __init__(
        self,
        options: Options,
        display_of: Callable[[Path], str],
        session: Callable[[], Session],
        marked: dict[str, bool] | None = None,
    ) -> None:
        self._options = options
        self._display_of = display_of
        self._session = session
        self._roots: dict[str, Path] = {}
        self._marked: dict[str, bool] = {} if marked is None else marked
        self._places: dict[tuple[Path, object], _Place | None] = {}
        #: by settings, which live as long as the run
        self._options_keys: dict[int, tuple[Settings, bytes]] = {}
        self._last: tuple[str, Settings, _Place | None] | None = None

    # ------------------------------------------------------------------ asking
    def recall(self, target: Target, settings: Settings) -> Checked | None:
        """What is still known about a file, which has these settings; None where it has to be checked."""
        place = self._place(target.file, settings)
        if place is None:
            return None
        known = place.memory.ask(target.file, self._options_key(settings, place.root))
        if not known:
            return None if known is None else _NOTHING
        return self._decoded(known, target, place)

    def _decoded(self, known: bytes, target: Target, place: _Place) -> Checked | None:
        try:
            said = _DECODER.decode(known)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            return None
        for key, display in said.named:
            if self._display_of(Path(place.memory.names.path(key))) != display:
                return None
        found, hidden = (
            tuple(_named(each, _OWN, target.display) for each in group) for group in (said.found, said.hidden)
        )
        return Checked(found, hidden, frozenset(said.codes))

    # ------------------------------------------------------------------ telling
    @contextmanager
    def watching(
        self, target: Target, settings: Settings, session: Session
    ) -> Iterator[Callable[[Checked], None]]:
        """Watch how a file is checked; what is given is to be called with the outcome, to be kept."""
        place = self._place(target.file, settings)
        if place is None:
            yield lambda _: None
            return
        notes, errors = Notes(), len(session.internal_errors)
        asked = session.asked = {}
        checked: list[Checked] = []
        with noting(notes):
            yield checked.append
        session.asked = None
        place.notes.seen.update(notes.seen)
        if not checked or notes.everything or len(session.internal_errors) != errors or session.was_too_deep:
            session.was_too_deep = False
            return
        names = place.memory.names
        named = [(names.key(os.fspath(path)), shown) for path, shown in asked.items()]
        key = names.key(target.file), self._options_key(settings, place.root)
        place.findings[key] = _encoded(checked[0], target, named)
        place.checked.append(target)

    def save(
        self, session: Session | None, elsewhere: Iterable[tuple[Target, Settings, Learned]] = ()
    ) -> None:
        """Write down what was learned.

        Args:
            session: The session of the run, None where no file had to be checked.
            elsewhere: What other processes have learned, with some file of the project that it is about.
        """
        parts: dict[int, list[Learned]] = {}
        for target, settings, learned in elsewhere:
            parts.setdefault(id(self._place(target.file, settings)), []).append(learned)
        for place in self._places.values():
            # a process that lives long may have outlived the project
            if place is None or not place.root.is_dir():
                continue
            memory, known = place.memory, parts.get(id(place), [])
            if session is not None and place.findings:
                known.append(self._learned(place, session))
            if known:
                from awaitlint.engine.verdicts.exchange import together  # noqa: PLC0415  as below
                from awaitlint.engine.verdicts.learning import merged  # noqa: PLC0415

                # several processes may check a project at once, as flake8's do
                record = merged(memory.newest(), together(known))
            elif memory.record is not None and memory.is_outdated:
                record = memory.still_true()
            else:
                continue
            records.save(memory.file, record)

    def learned(self, session: Session) -> Iterator[tuple[Target, Learned]]:
        """What was learned about each project, and one of the files that were checked there."""
        for place in self._places.values():
            if place is not None and place.findings:
                yield place.checked[0], self._learned(place, session)

    def _learned(self, place: _Place, session: Session) -> Learned:
        from awaitlint.engine.verdicts import learning  # noqa: PLC0415  where something was checked

        project = session.linked_at(place.root, place.settings).project
        names = place.memory.names
        observer = learning.Observer(project, names, lambda path: session.read(Path(path)), session.began)
        if project.environment is not None:
            place.notes.seen.update(project.environment.notes.seen)
        for path in project.unreadable_installed:
            place.notes.seen[path, ""] = look(path, "")
        inputs = {
            (path if kind == "$" else names.key(path), kind): seen
            for (path, kind), seen in place.notes.seen.items()
        }
        nodes = observer.nodes()
        for key, _ in place.findings:
            # what cannot be parsed is no module
            unreadable = observer.unreadable(names.path(key)) if key not in nodes else None
            if unreadable is not None:
                nodes[key] = (unreadable, {})
        findings = {key: found for key, found in place.findings.items() if key[0] in nodes}
        directories = learning.directories_of(project.all_listings(), names)
        return learning.Learned(nodes, directories, inputs, findings)

    # ------------------------------------------------------------------ places
    def _place(self, path: str, settings: Settings) -> _Place | None:
        directory = os.path.dirname(path)
        last = self._last
        if last is not None and last[0] == directory and last[1] is settings:
            return last[2]
        root = self._roots.get(directory)
        if root is None:
            root = self._roots[directory] = project_root(Path(directory), marked=self._marked)
        key = (root, (settings.src, settings.target_version, settings.python))
        if key not in self._places:
            self._places[key] = self._new_place(root, settings)
        place = self._places[key]
        self._last = (directory, settings, place)
        return place

    def _new_place(self, root: Path, settings: Settings) -> _Place | None:
        directory = cache_directory(root, self._options.cache_dir)
        if directory is None:
            return None
        environ = {} if self._options.isolated else os.environ
        location = environment_of(root, settings.python, environ)
        names = Names(os.fspath(root), location.prefix if location is not None else "")
        circumstances = (
            root.name,
            tuple(names.key(os.fspath(settings.root / each)) for each in settings.src),
            settings.target_version,
            (names.key(location.prefix), *map(names.key, location.sites)) if location is not None else (),
        )
        file = records.file_of(directory, version(), repr(circumstances).encode())

        def replay(record: Record, links: Links, changed: set[int]) -> set[int]:
            from awaitlint.engine.verdicts.replay import moved  # noqa: PLC0415  once files came or went

            session = self._session()
            project_with = lambda load: session.project(root, settings, load)  # noqa: E731
            return moved(record, links, changed, names, project_with, session.facts)

        def says_the_same(node: Node) -> bool:
            from awaitlint.engine.verdicts.shape import same_shape  # noqa: PLC0415  once a file has changed

            if node.text_matters or node.state != records.FACTS:
                return False
            session = self._session()
            path = Path(names.path(node.key))
            now = session.facts(path)
            before = session.facts_before(path, node.digest) if now is not None else None
            return now is not None and before is not None and same_shape(before, now)

        return _Place(root, settings, Memory(file, names, replay, says_the_same), Notes(), {}, [])

    def _options_key(self, settings: Settings, root: Path) -> bytes:
        """What stands for all options that findings depend on."""
        known = self._options_keys.get(id(settings))
        if known is None:
            # unused comments are looked for where somebody has asked for it
            asks = settings.preset != "default" or bool(settings.select or settings.extend_select)
            values: list[object] = [self._options.judge_noqa or not asks, self._options.noqa]
            for field in fields(settings):
                value = getattr(settings, field.name)
                if field.name == "baseline":
                    value = value is not None and self._options.has_baseline
                elif isinstance(value, Path):
                    value = os.path.relpath(value, root)
                if field.name not in _LATER:
                    values.append((field.name, value))
            known = (settings, digest(repr(values).encode("utf-8", "surrogateescape")))
            self._options_keys[id(settings)] = known
        return known[1]


_NOTHING = Checked()


def _encoded(checked: Checked, target: Target, named: list[tuple[str, str]]) -> bytes:
    if checked == _NOTHING:
        return b""
    found, hidden = (
        tuple(_named(each, target.display, _OWN) for each in group)
        for group in (checked.found, checked.hidden)
    )
    return _ENCODER.encode(_Said(named, found, hidden, sorted(checked.codes)))


def _named(finding: Diagnostic, before: str, after: str) -> Diagnostic:
    """A finding with another name for its file."""
    related = tuple(replace(each, path=after) if each.path == before else each for each in finding.related)
    return replace(finding, path=after if finding.path == before else finding.path, related=related)
