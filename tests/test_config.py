"""Options: where they come from, what is wrong with them, and which rules they select."""

from __future__ import annotations

import os
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from awaitlint.config.errors import ConfigError
from awaitlint.config.load import SettingsCache, load_settings
from awaitlint.config.options import BLOCKING_KINDS, BY_KEY, OPTIONS, OUTPUT_FORMATS, parse
from awaitlint.config.selection import nearest_rule, reports_likely, selected
from awaitlint.config.settings import Settings
from awaitlint.index.blocking import Kind as BlockingKind
from awaitlint.report.formats import FORMATS

RULES = [
    ("AWL101", "unawaited-coroutine", True),
    ("AWL102", "coroutine-never-used", True),
    ("AWL112", "inconsistent-await", False),
    ("AWL301", "blocking-sleep", True),
    ("AWL305", "blocking-file", False),
    ("AWL901", "syntax-error", True),
]


def rule_names():
    return [(code, name) for code, name, _ in RULES]


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def error_of(directory: Path, **options) -> str:
    with pytest.raises(ConfigError) as caught:
        load_settings(directory, rule_names=rule_names, **options)
    return str(caught.value)


# -- the table


def test_every_option_is_a_field_of_the_settings_and_the_other_way_round():
    assert {option.field for option in OPTIONS} == {field.name for field in fields(Settings)} - {
        "root",
        "config_path",
        "target_is_known",
    }


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.key)
def test_every_example_is_valid_and_differs_from_the_default(option, tmp_path):
    table = tomllib.loads(option.example)
    outer, dot, inner = option.key.partition(".")
    if dot:
        assert list(table) == [outer]
        table = {option.key: table[outer][inner]}
    assert list(table) == [option.key]
    assert parse(option, table[option.key]) != option.default
    write(tmp_path / "awaitlint.toml", option.example)
    write(tmp_path / ".venv/bin/python", "")
    write(tmp_path / ".venv/lib/python3.12/site-packages/six.py", "")
    settings = load_settings(tmp_path)
    parsed = parse(option, table[option.key])
    assert getattr(settings, option.field) == (tmp_path / parsed if isinstance(parsed, Path) else parsed)
    assert option.help.endswith(".")


def test_the_output_formats_are_those_that_there_are():
    assert tuple(FORMATS) == OUTPUT_FORMATS


# -- where options come from


def test_defaults_without_a_configuration(tmp_path):
    write(tmp_path / "setup.py", "")
    settings = load_settings(tmp_path, isolated=True)
    assert settings == Settings(root=tmp_path)
    assert settings.target_version == (3, 13)
    assert not settings.target_is_known


def test_the_nearest_configuration_counts_and_the_dotted_file_comes_first(tmp_path):
    write(tmp_path / "pyproject.toml", '[tool.awaitlint]\nselect = ["AWL1"]\n')
    write(tmp_path / "sub/pyproject.toml", '[project]\nname = "sub"\n')
    write(tmp_path / "own/awaitlint.toml", 'select = ["AWL3"]\n')
    write(tmp_path / "own/pyproject.toml", '[tool.awaitlint]\nselect = ["AWL9"]\n')
    write(tmp_path / "dotted/.awaitlint.toml", 'select = ["AWL5"]\n')
    write(tmp_path / "dotted/awaitlint.toml", 'select = ["AWL6"]\n')
    cache = SettingsCache()
    top, sub = cache(tmp_path / "a.py"), cache(tmp_path / "sub/deep/a.py")
    assert top is sub
    assert (top.select, top.root, top.config_path) == (("AWL1",), tmp_path, tmp_path / "pyproject.toml")
    own = cache(tmp_path / "own/a.py")
    assert (own.select, own.root) == (("AWL3",), tmp_path / "own")
    assert cache(tmp_path / "dotted/a.py").select == ("AWL5",)


def test_a_named_configuration_counts_for_every_file_and_isolation_reads_none(tmp_path):
    write(
        tmp_path / "p/pyproject.toml", '[project]\nrequires-python = ">=3.9"\n[tool.awaitlint]\nfix = true\n'
    )
    named = write(tmp_path / "ci.toml", 'output-format = "concise"\n')
    settings = load_settings(tmp_path / "p", config=named)
    assert (settings.output_format, settings.fix) == ("concise", False)
    assert (settings.root, settings.config_path) == (tmp_path / "p", named)
    assert settings.target_version == (3, 9)
    isolated = load_settings(tmp_path / "p", isolated=True)
    assert (isolated.fix, isolated.config_path, isolated.target_version) == (False, None, (3, 13))


@pytest.mark.parametrize(
    ("specifier", "version"),
    [
        (">=3.11", (3, 11)),
        (">=3.9, <4", (3, 9)),
        ("~=3.10.2", (3, 10)),
        ("==3.12.*", (3, 12)),
        (">3.8", (3, 8)),
        (">=3", (3, 0)),
        (">=3.8,>=3.10,!=3.11.1", (3, 10)),
        ("<4", (3, 13)),
        ("nonsense", (3, 13)),
    ],
)
def test_target_version_is_the_lower_bound_of_requires_python(tmp_path, specifier, version):
    write(tmp_path / "pyproject.toml", f'[project]\nrequires-python = "{specifier}"\n')
    assert load_settings(tmp_path).target_version == version
    assert load_settings(tmp_path / "sub" / "a.py").target_version == version


@pytest.mark.parametrize(
    ("constraint", "version"),
    [
        ("^3.10", (3, 10)),
        ("~3.11", (3, 11)),
        (">=3.9,<4.0", (3, 9)),
        ("3.12.*", (3, 12)),
        ("^3.9 || ^3.11", (3, 13)),
        ("*", (3, 13)),
    ],
)
def test_target_version_is_the_lower_bound_of_poetrys_python(tmp_path, constraint, version):
    write(tmp_path / "pyproject.toml", f'[tool.poetry.dependencies]\npython = "{constraint}"\n')
    settings = load_settings(tmp_path)
    assert (settings.target_version, settings.target_is_known) == (version, version != (3, 13))


@pytest.mark.parametrize(
    ("name", "text", "version"),
    [
        ("setup.cfg", "[metadata]\nname = a\n[options]\npython_requires = >=3.9, <4\n", (3, 9)),
        ("setup.cfg", "[options]\npython_requires = nonsense\n", None),
        ("setup.cfg", "python_requires\n", None),
        ("setup.cfg", "[flake8]\npython_requires = >=3.9\n", None),
        ("setup.py", "from setuptools import setup\nsetup(python_requires='>=3.10')\n", (3, 10)),
        ("setup.py", "import setuptools as s\nV = '~=3.11.2'\ns.setup(python_requires=V)\n", (3, 11)),
        ("setup.py", "V = '>=3.9'\nV = '>=3.10'\nsetup(python_requires=V)\n", None),
        ("setup.py", "setup(python_requires='>={}.{}'.format(3, 9))\n", None),
        ("setup.py", "setup(python_requires=os.environ['V'])\n", None),
        ("setup.py", "setup(python_requires=\n", None),
        ("setup.py", "raise SystemExit('this is never run')\nsetup(python_requires='>=3.9')\n", (3, 9)),
    ],
)
def test_target_version_is_the_lower_bound_of_python_requires(tmp_path, name, text, version):
    write(tmp_path / name, text)
    settings = load_settings(tmp_path / "sub" / "a.py")
    assert (settings.target_version, settings.target_is_known) == (version or (3, 13), version is not None)


def test_pyproject_goes_before_setup_cfg_and_that_before_setup_py(tmp_path):
    write(tmp_path / "setup.py", "setup(python_requires='>=3.9')\n")
    assert load_settings(tmp_path).target_version == (3, 9)
    write(tmp_path / "setup.cfg", "[options]\npython_requires = >=3.10\n")
    assert load_settings(tmp_path).target_version == (3, 10)
    write(tmp_path / "pyproject.toml", '[project]\nrequires-python = ">=3.11"\n')
    assert load_settings(tmp_path).target_version == (3, 11)


def test_a_configured_target_version_goes_before_requires_python(tmp_path):
    text = '[project]\nrequires-python = ">=3.9"\n[tool.awaitlint]\ntarget-version = "py312"\n'
    write(tmp_path / "pyproject.toml", text)
    assert load_settings(tmp_path).target_version == (3, 12)
    assert load_settings(tmp_path, overrides={"target-version": "3.14"}).target_version == (3, 14)


def test_overrides_replace_but_ignore_and_extensions_add(tmp_path):
    write(
        tmp_path / "awaitlint.toml",
        'select = ["AWL1"]\nignore = ["AWL102"]\nextend-select = ["AWL301"]\n'
        'exclude = ["a"]\nextend-exclude = ["b"]\n',
    )
    settings = load_settings(
        tmp_path, overrides={"ignore": ["AWL101"], "exclude": ["c"], "extend-exclude": ["d"]}
    )
    assert settings.ignore == ("AWL102", "AWL101")
    assert (settings.exclude, settings.extend_exclude) == (("c",), ("b", "d"))
    assert (settings.select, settings.extend_select) == (("AWL1",), ("AWL301",))
    only = load_settings(tmp_path, overrides={"select": ["AWL3"]})
    assert (only.select, only.extend_select, only.ignore) == (("AWL3",), (), ("AWL102",))


def test_a_rule_that_is_asked_for_on_the_command_line_is_not_ignored(tmp_path):
    write(tmp_path / "awaitlint.toml", 'ignore = ["blocking-file", "AWL101"]\n')
    settings = load_settings(tmp_path, overrides={"select": ["AWL305"]}, rule_names=rule_names)
    assert settings.ignore == ("AWL101",)
    assert selected(RULES, settings) == {"AWL305"}
    family = load_settings(tmp_path, overrides={"select": ["AWL3"]}, rule_names=rule_names)
    assert selected(RULES, family) == {"AWL301"}


def test_a_changed_configuration_is_noticed(tmp_path):
    config = write(tmp_path / "awaitlint.toml", "")
    cache = SettingsCache(recheck=0.0)
    before = cache(tmp_path / "a.py")
    assert cache(tmp_path / "b.py") is before
    config.write_text("fix = true\n")
    assert cache(tmp_path / "a.py").fix is True
    config.unlink()
    assert cache(tmp_path / "a.py").config_path is None
    write(tmp_path / "sub/awaitlint.toml", "unsafe-fixes = true\n")
    assert cache(tmp_path / "sub/a.py").unsafe_fixes is True


def test_a_changed_named_configuration_is_noticed(tmp_path):
    config = write(tmp_path / "ci.toml", "")
    cache = SettingsCache(config=config, recheck=0.0)
    assert cache(tmp_path / "a.py").fix is False
    config.write_text("fix = true\n")
    assert cache(tmp_path / "a.py").fix is True


def test_within_the_recheck_time_nothing_is_read_again(tmp_path):
    config = write(tmp_path / "awaitlint.toml", "")
    cache = SettingsCache(recheck=3600)
    first = cache(tmp_path / "a.py")
    config.write_text("fix = true\n")
    assert cache(tmp_path / "b.py") is first


# -- what is wrong with them


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('selct = ["AWL1"]', 'selct = ["AWL1"]: unknown option; did you mean `select`?'),
        ("zzz = 1", "zzz = 1: unknown option"),
        ("per_file_ignores = {}", "per_file_ignores = {}: unknown option; did you mean `per-file-ignores`?"),
        ('select = "AWL1"', 'select = "AWL1": expected a list of rules'),
        ("select = [1]", "select = 1: expected a list of rules"),
        ('select = ["AWL1", ""]', 'select = "": expected a list of rules'),
        ('select = ["AWL103"]', 'select = "AWL103": no such rule; did you mean `AWL102`?'),
        (
            'ignore = ["unawaited_corotine"]',
            'ignore = "unawaited_corotine": no such rule; did you mean `unawaited-coroutine`?',
        ),
        ('ignore = ["???"]', 'ignore = "???": no such rule'),
        ("fix = 1", "fix = 1: expected true or false"),
        (
            'output-format = "xml"',
            (
                'output-format = "xml": expected one of "concise", "full", "grouped", "json", "json-lines",'
                ' "github"'
            ),
        ),
        ('preset = "strict"', 'preset = "strict": expected one of "default", "pedantic"'),
        ('preset = ["pedantic"]', 'preset = ["pedantic"]: expected one of "default", "pedantic"'),
        ("langfuse-target = 2", 'langfuse-target = 2: expected one of "auto", "2", "3+", "always"'),
        (
            'async-function-as-sync-callback = { slots = ["loop", "threads"] }',
            (
                'async-function-as-sync-callback.slots = "threads": expected some of "loop", "done-callback",'
                ' "thread", "executor", "exit", "functional"'
            ),
        ),
        (
            'async-function-as-sync-callback.slots = "loop"',
            'async-function-as-sync-callback.slots = "loop": expected a list of names',
        ),
        (
            "async-function-as-sync-callback = { slot = [] }",
            (
                "async-function-as-sync-callback.slot = []: unknown option; did you mean"
                " `async-function-as-sync-callback.slots`?"
            ),
        ),
        (
            'target-version = "2.7"',
            'target-version = "2.7": expected a Python version such as "3.12", 3.7 or later',
        ),
        (
            'target-version = "3.6"',
            'target-version = "3.6": expected a Python version such as "3.12", 3.7 or later',
        ),
        (
            "target-version = 3.12",
            'target-version = 3.12: expected a Python version such as "3.12", 3.7 or later',
        ),
        ('exclude = ["a[b"]', 'exclude = "a[b": not a glob: `[` is never closed'),
        (
            'per-file-ignores = ["a:AWL1"]',
            'per-file-ignores = ["a:AWL1"]: expected a table from globs to lists of rules',
        ),
        (
            'per-file-ignores = { "a{" = ["AWL1"] }',
            'per-file-ignores = "a{": not a glob: `{` is never closed',
        ),
        ('per-file-ignores = { "a" = ["AWL77"] }', 'per-file-ignores = "AWL77": no such rule'),
        ("select = [", "not valid TOML: "),
        ("fix = true\nfix = = 2\n", "not valid TOML: Invalid value (at line 2, column 7)"),
        ("select = []\n# \udcff", "not valid TOML: not UTF-8 (at line 2)"),
    ],
)
def test_a_wrong_configuration_is_named_in_one_line(tmp_path, text, message):
    (tmp_path / "awaitlint.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    said = error_of(tmp_path)
    assert said.startswith(f"{tmp_path / 'awaitlint.toml'}: {message}")
    assert "\n" not in said


def test_the_same_in_pyproject(tmp_path):
    path = write(tmp_path / "pyproject.toml", "[tool.awaitlint]\nfx = true\n")
    assert error_of(tmp_path) == f"{path}: fx = true: unknown option; did you mean `fix`?"
    path.write_text("[tool]\nawaitlint = 3\n")
    assert error_of(tmp_path) == f"{path}: tool.awaitlint = 3: expected a table"
    path.write_text("[tool.awaitlint]\nfix = \n")
    assert error_of(tmp_path) == f"{path}: not valid TOML: Invalid value (at line 2, column 7)"


def test_a_broken_pyproject_that_says_nothing_to_us_is_left_alone(tmp_path):
    write(tmp_path / "awaitlint.toml", "fix = true\n")
    write(tmp_path / "data/pyproject.toml", "[project]\nrequires-python = \n")
    assert load_settings(tmp_path / "data").fix is True


def test_errors_on_the_command_line_name_the_option(tmp_path):
    assert error_of(tmp_path, overrides={"select": ["AWL1", "AWL99"]}) == ("--select AWL99: no such rule")
    assert error_of(tmp_path, overrides={"target-version": "4"}).startswith(
        "--target-version 4: expected a Python"
    )


def test_a_named_configuration_has_to_exist_and_to_speak_of_us(tmp_path):
    missing = tmp_path / "missing.toml"
    assert error_of(tmp_path, config=missing) == (
        f"{missing}: cannot read the configuration: no such file or directory"
    )
    other = write(tmp_path / "pyproject.toml", '[project]\nname = "x"\n')
    assert error_of(tmp_path, config=other) == f"{other}: there is no [tool.awaitlint] table"


def test_a_configuration_in_the_current_directory_is_named_shortly(tmp_path, monkeypatch):
    write(tmp_path / "awaitlint.toml", "fx = 1\n")
    monkeypatch.chdir(tmp_path)
    assert error_of(Path()) == "awaitlint.toml: fx = 1: unknown option; did you mean `fix`?"


def test_a_configuration_without_an_end_is_an_error(tmp_path):
    """Such as ``--config /dev/zero``."""
    path = tmp_path / "awaitlint.toml"
    with path.open("wb") as file:
        file.truncate(16 * 1024 * 1024 + 1)
    assert error_of(tmp_path) == f"{path}: cannot read the configuration: larger than 16 MB"


def test_an_empty_selection_is_an_error(tmp_path):
    path = write(tmp_path / "awaitlint.toml", "select = []\nextend-select = []\n")
    message = "names no rule, and stands in place of the default ones"
    assert error_of(tmp_path) == f'{path}: select = "": {message}'


def test_an_unreadable_configuration_is_an_error(tmp_path, monkeypatch):
    path = write(tmp_path / "awaitlint.toml", "")
    read = Path.open

    def refuse(self, *args):
        if self == path:
            raise PermissionError(13, "Permission denied")
        return read(self, *args)

    monkeypatch.setattr(Path, "open", refuse)
    assert error_of(tmp_path) == f"{path}: cannot read the configuration: permission denied"


def test_a_pipe_called_like_a_configuration_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "awaitlint.toml")
    assert load_settings(tmp_path).config_path is None


# -- which rules are selected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "101 102 301 901"),
        ({"select": ["AWL1"]}, "101 102 112"),
        ({"select": ["awl1"]}, "101 102 112"),
        ({"select": ["AWL"]}, "101 102 112 301 305 901"),
        ({"select": ["ALL"]}, "101 102 112 301 305 901"),
        ({"select": ["blocking-file"]}, "305"),
        ({"select": ["AWL1"], "extend_select": ["blocking-sleep"]}, "101 102 112 301"),
        ({"extend_select": ["AWL305"]}, "101 102 301 305 901"),
        ({"ignore": ["AWL1"]}, "301 901"),
        ({"ignore": ["ALL"]}, ""),
        ({"ignore": ["AWL1"], "extend_select": ["AWL101"]}, "101 301 901"),
        ({"ignore": ["AWL1"], "extend_select": ["unawaited-coroutine"]}, "101 301 901"),
        ({"select": ["AWL101"], "ignore": ["AWL101"]}, ""),
        ({"select": ["AWL101"], "ignore": ["unawaited-coroutine"]}, ""),
        ({"select": ["unawaited-coroutine"], "ignore": ["AWL1"]}, "101"),
        ({"select": ["ALL"], "ignore": ["AWL"]}, ""),
        ({"select": ["AWL10"], "ignore": ["AWL1"]}, "101 102"),
        ({"select": ["AW"]}, ""),
        ({"preset": "default"}, "101 102 301 901"),
        ({"preset": "pedantic"}, "101 102 112 301 305 901"),
        ({"preset": "pedantic", "ignore": ["AWL3"]}, "101 102 112 901"),
        ({"preset": "pedantic", "ignore": ["AWL1"], "extend_select": ["AWL112"]}, "112 301 305 901"),
        ({"preset": "pedantic", "select": ["AWL3"]}, "301 305"),
    ],
)
def test_selection(options, expected):
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in options.items()}
    settings = Settings(root=Path("/p"), **values)
    assert sorted(code[3:] for code in selected(RULES, settings)) == expected.split()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, False),
        ({"preset": "pedantic"}, True),
        ({"preset": "pedantic", "select": ("AWL1",)}, True),
        ({"select": ("AWL112",)}, True),
        ({"extend_select": ("awl112",)}, True),
        ({"extend_select": ("inconsistent-await",)}, True),
        ({"select": ("ALL",)}, False),
        ({"select": ("AWL1", "AWL11", "AWL101")}, False),
    ],
)
def test_likely_findings_have_to_be_asked_for(options, expected):
    settings = Settings(root=Path("/p"), **options)
    assert reports_likely(settings, "AWL112", "inconsistent-await") is expected


def test_per_file_ignores_count_over_every_selection():
    settings = Settings(
        root=Path("/p"),
        select=("AWL101", "AWL301"),
        per_file_ignores=(("tests/*", ("AWL1",)), ("!src/**", ("blocking-sleep",))),
        extend_per_file_ignores=(("gen.py", ("ALL",)),),
    )
    assert selected(RULES, settings, Path("/p/src/a.py")) == {"AWL101", "AWL301"}
    assert selected(RULES, settings, Path("/p/tests/x/a.py")) == set()
    assert selected(RULES, settings, Path("/p/other.py")) == {"AWL101"}
    assert selected(RULES, settings, Path("/p/src/gen.py")) == set()
    assert selected(RULES, settings) == {"AWL101", "AWL301"}


def test_the_nearest_rule_is_of_the_kind_that_was_written():
    assert nearest_rule("AWL111", rule_names()) == "no such rule; did you mean `AWL112`?"
    assert nearest_rule("blocking-slep", rule_names()) == "no such rule; did you mean `blocking-sleep`?"
    assert nearest_rule("BLOCKING_SLEEP", rule_names()) == "no such rule; did you mean `blocking-sleep`?"
    assert nearest_rule("unawaited", rule_names()) == "no such rule; did you mean `unawaited-coroutine`?"
    for nonsense in ("qqqqqq", "AWL999", "AWLX"):
        assert nearest_rule(nonsense, rule_names()) == "no such rule"


def test_keys_are_unique():
    assert len(BY_KEY) == len(OPTIONS)


def test_the_kinds_of_blocking_calls_are_those_of_the_catalogue():
    assert {str(kind) for kind in BlockingKind} - {"lock"} | {"user"} == BLOCKING_KINDS
