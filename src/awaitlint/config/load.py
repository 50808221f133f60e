"""Finding and reading the configuration of a file."""

# ruff: noqa: PTH100, PTH112, PTH116, PTH118
# Names that are looked up for every file are strings, which are cheaper than paths.

from __future__ import annotations

import os
import stat
import time
import tomllib
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from awaitlint.config.errors import COMMAND_LINE, ConfigError, did_you_mean
from awaitlint.config.options import BY_KEY, Kind, OptionError, parse
from awaitlint.config.requires import SETUP_NAMES, Required, in_pyproject, in_setup
from awaitlint.config.selection import unknown_selector
from awaitlint.config.settings import Settings
from awaitlint.files.environments import UnusableError, named_environment
from awaitlint.files.roots import PROJECT_MARKERS, project_root

#: Answers the codes and names of all rules; only asked where a configuration names rules.
RuleNames = Callable[[], Iterable[tuple[str, str]]]

PYPROJECT = "pyproject.toml"
#: In the order in which they count where a directory has several.
CONFIG_NAMES = (".awaitlint.toml", "awaitlint.toml", PYPROJECT)
_NAMES = (*CONFIG_NAMES, *SETUP_NAMES)

#: bytes of a configuration file at most
_LARGEST = 16 << 20

#: fields of options that are paths
_PATHS = frozenset(option.field for option in BY_KEY.values() if option.kind is Kind.PATH)

_Signature = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class _Directory:
    """What a directory's own files say: `values` is None where none of them is a configuration."""

    signatures: tuple[_Signature, ...]
    config_path: Path | None
    values: Mapping[str, object] | None
    requires: Required | None


@dataclass(frozen=True, slots=True)
class _Source:
    """What governs a directory: its configuration, and which Python it asks for."""

    root: Path
    config_path: Path | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    requires: Required | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from: a file or ``command line``; `key` is its name there, if that is another."""

    source: Path | str
    key: str = ""


_NOTHING_HERE = _Directory((None,) * len(_NAMES), None, None, None)


class SettingsCache:
    """The settings of each file, from the nearest configuration at or above it.

    Calling it with a file's absolute path gives its settings; files under one configuration share one
    object.  `config` is used for every file instead, `isolated` reads no file at all, and `overrides` (keys
    as in TOML) go on top: they replace what is configured, except that `ignore` and the ``extend-`` options
    add to it, and that `select` also replaces the configured ``extend-select``.  Made for processes that
    live long: a configuration that has changed is read again, at most `recheck` seconds later.  Every method
    raises `ConfigError`.
    """

    def __init__(
        self,
        *,
        config: Path | None = None,
        isolated: bool = False,
        overrides: Mapping[str, object] | None = None,
        rule_names: RuleNames | None = None,
        recheck: float = 1.0,
    ) -> None:
        self._rule_names = rule_names
        self._recheck = recheck
        self._overrides = self._values(overrides or {}, COMMAND_LINE)
        for name in _PATHS & self._overrides.keys():
            self._overrides[name] = _absolute(name, self._overrides[name], Path.cwd(), COMMAND_LINE)
        self._isolated = isolated
        self._config = Path(os.path.abspath(config)) if config is not None else None
        self._directories: dict[str, tuple[float, _Directory]] = {}
        self._marked: tuple[float, dict[str, bool]] = (0.0, {})
        self._named: tuple[_Signature, Mapping[str, object]] | None = None
        # Each with the values it was made from, which keeps their identity, a part of the key, their own.
        self._settings: dict[tuple[object, ...], tuple[object, Settings]] = {}
        self._answers: dict[str, tuple[float, Settings]] = {}

    def __call__(self, path: Path) -> Settings:
        """The settings of a file."""
        return self.in_directory(path.parent)

    def in_directory(self, directory: Path) -> Settings:
        """The settings of the files in a directory (absolute path)."""
        name = os.fspath(directory)
        now = time.monotonic()
        answer = self._answers.get(name)
        if answer is not None and now - answer[0] < self._recheck:
            return answer[1]
        settings = self._resolve(directory, now)
        self._answers[name] = (now, settings)
        return settings

    def saw(self, directory: str, names: AbstractSet[str]) -> None:
        """Take note of all the names in a directory, so that nobody has to look for some of them there."""
        if names.isdisjoint(PROJECT_MARKERS):
            self.marked[directory] = False
        if names.isdisjoint(_NAMES):
            self._directories[directory] = (time.monotonic(), _NOTHING_HERE)

    @property
    def marked(self) -> dict[str, bool]:
        """Which directories were seen to be a project's root, or none; see `project_root`."""
        now = time.monotonic()
        if now - self._marked[0] >= self._recheck:
            self._marked = (now, {})
        return self._marked[1]

    def origins(self, directory: Path) -> dict[str, tuple[Origin, ...]]:
        """Where the values of options come from, by their fields; none of those that have their defaults."""
        source = self._source(directory, time.monotonic())
        found: dict[str, tuple[Origin, ...]] = {}
        if source.requires is not None:
            found["target_version"] = (Origin(source.requires.path, source.requires.key),)
        if source.config_path is not None:
            found.update(dict.fromkeys(source.values, (Origin(source.config_path),)))
        if "select" in self._overrides:
            found.pop("extend_select", None)
        for name in self._overrides:
            before = found.get(name, ()) if _adds(name) else ()
            found[name] = (*before, Origin(COMMAND_LINE))
        return found

    def _resolve(self, directory: Path, now: float) -> Settings:
        return self._settings_of(self._source(directory, now))

    def _source(self, directory: Path, now: float) -> _Source:
        if self._isolated:
            return _Source(self._root(directory))
        found: _Directory | None = None
        requires: Required | None = None
        for ancestor in (directory, *directory.parents):
            state = self._directory(ancestor, now)
            if found is None and state.values is not None:
                found = state
            requires = requires or state.requires
        if self._config is not None:
            root, path, values = self._root(directory), self._config, self._named_config(self._config)
        elif found is None or found.config_path is None or found.values is None:
            root, path, values = self._root(directory), None, {}
        else:
            root, path, values = found.config_path.parent, found.config_path, found.values
        return _Source(root, path, values, requires)

    def _root(self, directory: Path) -> Path:
        return project_root(directory, marked=self.marked)

    def _settings_of(self, source: _Source) -> Settings:
        values, config_path = source.values, source.config_path
        requires = source.requires.version if source.requires is not None else None
        key = (source.root, config_path, id(values) if values else None, requires)
        known = self._settings.get(key)
        if known is not None:
            return known[1]
        merged = _merge(values, self._overrides, self._rule_names)
        for name in (_PATHS & values.keys()) - self._overrides.keys():
            if config_path is not None:
                merged[name] = _absolute(name, values[name], config_path.parent, config_path)
        if requires is not None:
            merged.setdefault("target_version", requires)
        merged["target_is_known"] = "target_version" in merged
        settings = Settings(root=source.root, config_path=config_path, **merged)
        self._settings[key] = (values, settings)
        return settings

    def _directory(self, directory: Path, now: float) -> _Directory:
        name = os.fspath(directory)
        known = self._directories.get(name)
        if known is not None and now - known[0] < self._recheck:
            return known[1]
        signatures = tuple(_signature(os.path.join(name, each)) for each in _NAMES)
        if known is not None and known[1].signatures == signatures:
            state = known[1]
        else:
            state = self._read_directory(directory, signatures)
        self._directories[name] = (now, state)
        return state

    def _read_directory(self, directory: Path, signatures: tuple[_Signature, ...]) -> _Directory:
        config_path: Path | None = None
        values: Mapping[str, object] | None = None
        requires: Required | None = None
        for name, signature in zip(_NAMES, signatures, strict=True):
            if signature is None:
                continue
            path = directory / name
            if name in SETUP_NAMES:
                requires = requires or in_setup(path)
                continue
            if name != PYPROJECT:
                if values is None:
                    config_path, values = path, self._values(_toml(path, _read(path)), path)
                continue
            data = _read(path)
            if not any(word in data for word in (b"awaitlint", b"requires-python", b"poetry")):
                continue
            try:
                table = _toml(path, data)
            except ConfigError:
                # Somebody else's broken file, unless it speaks of us: a test's data, or a template.
                if b"tool.awaitlint" in data:
                    raise
                continue
            requires = in_pyproject(path, table)
            own = _own_table(table, path)
            if values is None and own is not None:
                config_path, values = path, self._values(own, path)
        return _Directory(signatures, config_path, values, requires)

    def _named_config(self, path: Path) -> Mapping[str, object]:
        signature = _signature(os.fspath(path))
        if self._named is None or self._named[0] != signature:
            table = _toml(path, _read(path))
            if path.name == PYPROJECT:
                own = _own_table(table, path)
                if own is None:
                    raise ConfigError(path, "there is no [tool.awaitlint] table")
                self._named = (signature, self._values(own, path))
            else:
                self._named = (signature, self._values(table, path))
        return self._named[1]

    def _values(self, table: Mapping[str, object], source: Path | str) -> dict[str, object]:
        """The parsed options of a table, by the names of their fields."""
        values: dict[str, object] = {}
        for key, value in _flattened(table):
            option = BY_KEY.get(key)
            if option is None and key == "tool":
                raise ConfigError(source, "here the options stand without the header [tool.awaitlint]")
            if option is None:
                raise ConfigError(source, "unknown option" + did_you_mean(key, BY_KEY), key=key, value=value)
            try:
                parsed = parse(option, value)
            except OptionError as error:
                raise ConfigError(source, error.problem, key=key, value=error.value) from error
            if option.kind in (Kind.SELECTORS, Kind.SELECTORS_BY_GLOB):
                self._check_selectors(parsed, key, source)
            values[option.field] = parsed
        return values

    def _check_selectors(self, parsed: Any, key: str, source: Path | str) -> None:
        if self._rule_names is None:
            return
        nested = BY_KEY[key].kind is Kind.SELECTORS_BY_GLOB
        selectors = [each for _, many in parsed for each in many] if nested else parsed
        unknown = unknown_selector(selectors, self._rule_names()) if selectors else None
        if unknown is not None:
            raise ConfigError(source, unknown[1], key=key, value=unknown[0])


def _flattened(table: Mapping[str, object]) -> Iterable[tuple[str, object]]:
    """The options of a table; those of a table in it with the name of that in front: ``blocking.calls``."""
    for key, value in table.items():
        if isinstance(value, dict) and any(each.startswith(f"{key}.") for each in BY_KEY):
            for inner, content in value.items():
                yield f"{key}.{inner}", content
        else:
            yield key, value


def _absolute(name: str, value: object, base: Path, source: Path | str) -> Path:
    """The absolute path of an option whose value stands in the directory `base`."""
    assert isinstance(value, Path)
    path = os.path.abspath(base / os.path.expanduser(value))  # noqa: PTH111
    if name == "python":
        try:
            named_environment(path)
        except UnusableError as error:
            raise ConfigError(source, str(error), key="python", value=os.fspath(value)) from error
    return Path(path)


def load_settings(
    start: Path,
    *,
    config: Path | None = None,
    isolated: bool = False,
    overrides: Mapping[str, object] | None = None,
    rule_names: RuleNames | None = None,
) -> Settings:
    """The settings of one file or directory, read anew; see `SettingsCache`.  Raises `ConfigError`."""
    cache = SettingsCache(config=config, isolated=isolated, overrides=overrides, rule_names=rule_names)
    absolute = Path(os.path.abspath(start))
    return cache.in_directory(absolute if os.path.isdir(absolute) else absolute.parent)


def _merge(
    values: Mapping[str, object], overrides: Mapping[str, object], rule_names: RuleNames | None
) -> dict[str, Any]:
    """The overrides on top of the configured values."""
    merged: dict[str, Any] = dict(values)
    if "select" in overrides:
        merged.pop("extend_select", None)
    if "ignore" in merged:
        # Who asks for a rule on the command line means it, as exactly as the configuration ignores it.
        asked = (*_tuple(overrides, "select"), *_tuple(overrides, "extend_select"))
        wanted = _canonical(asked, rule_names)
        merged["ignore"] = tuple(
            each for each in merged["ignore"] if _canonical((each,), rule_names).isdisjoint(wanted)
        )
    for name, value in overrides.items():
        merged[name] = (*_tuple(merged, name), *_tuple(overrides, name)) if _adds(name) else value
    return merged


def _adds(name: str) -> bool:
    """Whether what the command line says of an option is added to what is configured."""
    return name == "ignore" or name.startswith("extend_")


def _tuple(values: Mapping[str, object], name: str) -> tuple[Any, ...]:
    value = values.get(name, ())
    return value if isinstance(value, tuple) else (value,)


def _canonical(selectors: Iterable[str], rule_names: RuleNames | None) -> set[str]:
    wanted = set(selectors)
    if not wanted:
        return wanted
    codes = {name: code for code, name in rule_names()} if rule_names is not None else {}
    return {codes.get(each, each.upper()) for each in wanted}


def _signature(path: str) -> _Signature:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def _read(path: Path) -> bytes:
    """What is in a file, which may be a pipe of the user's shell; a device may have no end."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
            if len(data) > _LARGEST:
                raise ConfigError(path, f"cannot read the configuration: larger than {_LARGEST >> 20} MB")
            return data
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(path, f"cannot read the configuration: {reason}") from error


def _toml(path: Path, data: bytes) -> dict[str, object]:
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(path, f"not valid TOML: not UTF-8 (at line {line})") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(path, f"not valid TOML: {error}") from error
    except RecursionError as error:
        raise ConfigError(path, "not valid TOML: nested too deeply") from error


def _own_table(table: Mapping[str, object], path: Path) -> Mapping[str, object] | None:
    tool = table.get("tool")
    own = tool.get("awaitlint") if isinstance(tool, dict) else None
    if own is None:
        return None
    if not isinstance(own, dict):
        raise ConfigError(path, "expected a table", key="tool.awaitlint", value=own)
    return own
