"""``awaitlint config``, the schema of the configuration, and the page about it."""

from __future__ import annotations

import importlib.util
import io
import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from awaitlint.cli.main import run as run_cli
from awaitlint.config.errors import ConfigError
from awaitlint.config.load import load_settings
from awaitlint.config.options import OPTIONS, parse
from awaitlint.config.schema import schema
from awaitlint.rulekit.registry import all_rules

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")


def rules() -> list[tuple[str, str]]:
    return [(rule.code, rule.name) for rule in all_rules()]


def load_script(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# -- the schema

VALIDATOR = jsonschema.Draft7Validator(schema(rules()))


@pytest.fixture
def loads(tmp_path: Path):
    """Whether a table is accepted as a configuration."""
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").write_text("")
    (tmp_path / ".venv/lib/python3.12/site-packages").mkdir(parents=True)
    (tmp_path / ".venv/lib/python3.12/site-packages/six.py").write_text("")

    def check(text: str) -> bool:
        (tmp_path / "awaitlint.toml").write_text(text, encoding="utf-8")
        try:
            load_settings(tmp_path, rule_names=rules)
        except ConfigError:
            return False
        return True

    return check


def test_the_schema_is_a_schema():
    jsonschema.Draft7Validator.check_schema(schema(rules()))


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.key)
def test_the_examples_of_all_options_are_valid(option, loads):
    assert [each.message for each in VALIDATOR.iter_errors(tomllib.loads(option.example))] == []
    assert loads(option.example)
    described = schema(rules())["properties"]
    outer, dot, inner = option.key.partition(".")
    described = described[outer]["properties"][inner] if dot else described[option.key]
    assert described["description"] == option.help
    value: Any = tomllib.loads(option.example)
    for part in option.key.split("."):
        value = value[part]
    assert described["examples"] == [value]
    if "default" in described:
        parsed = parse(option, described["default"])
        assert parsed == option.default


VALID = [
    "",
    'preset = "default"',
    'select = ["ALL"]',
    'select = ["all", "awl101", "AWL", "AWL3", "AWL30", " AWL301 ", "blocking-sleep"]',
    "extend-select = []",
    'per-file-ignores = { "" = [], "!tests/**" = ["AWL1"], "a{b,c}[!d]/?" = ["blocking-sleep"] }',
    'exclude = ["*.py", "a[]]b", "[!]]", "{a,{b,c},[}]}", "\\\\[", "}", "a,b", "\\\\", "a}b", "{}", "[[]"]',
    'exclude = ["{a,{b,{c,{d,{e,[{]}}}}}"]',
    "exclude = []",
    'target-version = "3.7"',
    'target-version = "py310"',
    'target-version = "3.14"',
    'target-version = "37"',
    'known-safe-calls = ["a.*"]',
    'python = ".venv"',
    'baseline = " a b "',
    'blocking = { calls = { "x.*" = "" }, levels = {} }',
    "blocking = {}",
    'blocking.levels = { sleep = "off", cpu = "info" }',
    'min-severity = "info"',
    "fix = false",
]
INVALID = [
    'preset = "Default"',
    "preset = 1",
    "select = []",
    'select = "AWL1"',
    "select = [1]",
    'select = [""]',
    'select = ["  "]',
    'select = ["AWL999"]',
    'select = ["AW"]',
    'select = ["AWL1011"]',
    'select = ["E501"]',
    'select = ["blocking-slep"]',
    'select = ["Blocking-Sleep"]',
    'ignore = ["blocking_sleep"]',
    'per-file-ignores = { "a" = "AWL1" }',
    'per-file-ignores = { "[a" = ["AWL1"] }',
    'per-file-ignores = { "![" = ["AWL1"] }',
    'per-file-ignores = { "a" = ["AWL999"] }',
    'per-file-ignores = ["a"]',
    'exclude = ["a[b"]',
    'exclude = ["[!]"]',
    'exclude = ["[]"]',
    'exclude = ["{a,b"]',
    'exclude = ["{a,{b}"]',
    'exclude = ["{a\\\\}"]',
    'exclude = [""]',
    'exclude = "a"',
    "force-exclude = 1",
    'fix = "true"',
    'target-version = "3.6"',
    'target-version = "3"',
    'target-version = "2.7"',
    'target-version = "3.100"',
    'target-version = "3.12.1"',
    'target-version = "3.\\uff11\\uff12"',
    "target-version = 3.12",
    'python = ""',
    'python = " "',
    'python = "a\\u0000b"',
    "python = true",
    "baseline = false",
    'baseline = ""',
    "known-safe-calls = [true]",
    'known-safe-calls = [" "]',
    'min-severity = "off"',
    "blocking = 1",
    "blocking.calls = []",
    "blocking.calls = { a = 1 }",
    'blocking.levels = { nap = "error" }',
    'blocking.levels = { sleep = "bad" }',
    "blocking.levels = { sleep = true }",
    'blocking.other = "x"',
    'blocking = { call = "x" }',
    'langfuse-target = "3"',
    'output-format = "text"',
    'unknown = "x"',
    "[tool.awaitlint]\nfix = true",
    "a.b = 1",
]


@pytest.mark.parametrize("text", VALID)
def test_the_schema_accepts_what_the_parser_accepts(text, loads):
    assert loads(text)
    assert [each.message for each in VALIDATOR.iter_errors(tomllib.loads(text))] == []


@pytest.mark.parametrize("text", INVALID)
def test_the_schema_refuses_what_the_parser_refuses(text, loads):
    assert not loads(text)
    assert not VALIDATOR.is_valid(tomllib.loads(text))


# -- the command


@pytest.fixture
def cli(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run_cli(["config", *arguments])
        return (code, *capsys.readouterr())

    return call


def values(text: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tomllib.loads(text).items():
        if isinstance(value, dict) and any(option.key.startswith(f"{key}.") for option in OPTIONS):
            flat.update({f"{key}.{inner}": content for inner, content in value.items()})
        else:
            flat[key] = value
    return flat


def test_it_lists_all_options_as_toml_that_can_be_used(cli, tmp_path):
    code, out, err = cli()
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) == len(OPTIONS)
    assert 'preset = "default"  # default' in lines
    assert "# baseline is not set" in lines
    shown = values(out)
    assert set(shown) == {option.key for option in OPTIONS} - {"python", "baseline", "min-severity"}
    assert all(line.endswith("  # default") for line in lines if not line.startswith("#"))
    del shown["select"]  # an empty one is an error
    used = tmp_path / "used.toml"
    used.write_text("\n".join(line for line in lines if not line.startswith("select")))
    again = cli("--config", "used.toml")
    assert values(again[1]) == values(out)


def test_it_says_where_values_come_from(cli, tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\nrequires-python = ">=3.12"\n')
    (tmp_path / "sub").mkdir()
    config = tmp_path / "sub" / "awaitlint.toml"
    config.write_text(
        'ignore = ["AWL301"]\nextend-select = ["AWL312"]\nbaseline = "b.json"\n'
        'per-file-ignores = { "a b/*" = ["AWL1"], ok = [] }\nblocking.levels = { file = "off" }\n'
    )
    out = cli("--for", "sub/x", "--ignore", "AWL1")
    assert out == (2, "", "error: no such file or directory: sub/x\n")
    lines = cli("--for", "sub", "--ignore", "AWL1", "--unsafe-fixes")[1].splitlines()
    assert 'ignore = ["AWL301", "AWL1"]  # sub/awaitlint.toml and command line' in lines
    assert 'extend-select = ["AWL312"]  # sub/awaitlint.toml' in lines
    assert 'target-version = "3.12"  # pyproject.toml (requires-python)' in lines
    assert 'per-file-ignores = { "a b/*" = ["AWL1"], ok = [] }  # sub/awaitlint.toml' in lines
    assert 'blocking.levels = { file = "off" }  # sub/awaitlint.toml' in lines
    assert "unsafe-fixes = true  # command line" in lines
    assert f'baseline = "{config.parent / "b.json"}"  # sub/awaitlint.toml' in lines
    assert "select = []  # default" in lines
    assert "extend-select = []  # default" in cli("--for", "sub", "--select", "AWL1")[1].splitlines()
    assert "ignore = []  # default" in cli()[1].splitlines()
    lines = cli("--for", "sub", "--isolated")[1].splitlines()
    assert "ignore = []  # default" in lines
    assert 'target-version = "3.13"  # default' in lines
    lines = cli("--config", "sub/awaitlint.toml")[1].splitlines()
    assert 'extend-select = ["AWL312"]  # sub/awaitlint.toml' in lines
    (tmp_path / "sub" / "a.py").write_text("")
    assert cli("--for", "sub/a.py") == cli("--for", "sub")


def test_it_explains_one_option(cli, tmp_path):
    (tmp_path / "awaitlint.toml").write_text('min-severity = "error"\n')
    expected = (
        "min-severity\n\n"
        "The mildest findings that are reported: `error`, `warning` or `info`. Where it is not given,"
        " `warning`, and `info` under the preset `pedantic` and for rules that are selected by their own code"
        " or name.\n\n"
        'value:    "error"\n'
        "origin:   awaitlint.toml\n"
        "default:  not set\n"
        'type:     one of "error", "warning", "info"\n'
        'example:  min-severity = "error"\n'
        "option:   --min-severity\n"
    )
    for spelled in ("min-severity", "--min-severity", "MIN_SEVERITY", "tool.awaitlint.min-severity"):
        assert cli("--", spelled) == (0, expected, "")
    assert "option:   --fix, --no-fix\n" in cli("fix")[1]
    assert "option:" not in cli("src")[1]
    assert [line.partition(" ")[0] for line in cli("blocking")[1].splitlines()] == [
        option.key for option in OPTIONS if option.key.startswith("blocking.")
    ]
    assert cli("min-severty") == (2, "", "error: min-severty: no such option; did you mean `min-severity`?\n")
    assert cli("zzz") == (2, "", "error: zzz: no such option\n")


def test_for_programs(cli, tmp_path):
    config = tmp_path / "awaitlint.toml"
    config.write_text('blocking.calls = { "a.*" = "b" }\n')
    record = json.loads(cli("blocking.calls", "--output-format", "json")[1])
    assert record == {
        "key": "blocking.calls",
        "value": {"a.*": "b"},
        "default": {},
        "origins": [str(config)],
        "type": "a table from names to texts",
        "help": next(option.help for option in OPTIONS if option.key == "blocking.calls"),
        "example": 'blocking.calls = { "app.legacy.*" = "use app.client instead" }',
        "flag": None,
    }
    every = json.loads(cli("--output-format", "json", "--target-version", "3.9")[1])
    assert [each["key"] for each in every] == [option.key for option in OPTIONS]
    by_key = {each["key"]: each for each in every}
    assert (by_key["target-version"]["value"], by_key["target-version"]["origins"]) == (
        "3.9",
        ["command line"],
    )
    assert (by_key["python"]["value"], by_key["python"]["origins"]) == (None, ["default"])


def test_a_bad_configuration_is_an_error(cli, tmp_path):
    (tmp_path / "awaitlint.toml").write_text("fix = 1\n")
    assert cli() == (2, "", "error: awaitlint.toml: fix = 1: expected true or false\n")
    assert cli("--isolated", "--config", "x")[0] == 2
    assert cli("--select", "AWL999") == (2, "", "error: --select AWL999: no such rule\n")


def test_it_shows_the_schema(cli):
    code, out, _ = cli("--schema")
    assert code == 0
    assert json.loads(out) == schema(rules())
    assert cli("--schema", "fix")[0] == 2


# -- the page


def test_generated_documents_are_up_to_date(monkeypatch, capsys):
    script = load_script("option_reference")
    assert script.main(["--check"]) == 0
    monkeypatch.setattr(script, "OPTIONS", OPTIONS[:-1])
    assert script.main(["--check"]) == 1
    assert capsys.readouterr().err == "docs/configuration.md is out of date; run `make generate`\n"
    assert script.main(["--nonsense"]) == 2
    with pytest.raises(ValueError, match="lacks the markers"):
        script.with_reference("text")


@pytest.mark.parametrize("block", re.findall(r"^```toml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
def test_the_page_shows_valid_configuration(block, loads):
    table = tomllib.loads(block)
    options = table.get("tool", {}).get("awaitlint", table)
    assert VALIDATOR.is_valid(options), block


def test_the_page_names_commands_and_files_that_there_are():
    for link in re.findall(r"\]\(([^)]+)\)", PAGE):
        assert (ROOT / "docs" / link).exists(), link
    stdout = io.StringIO()
    for name in ("check", "config"):
        sys.stdout, before = stdout, sys.stdout
        try:
            run_cli([name, "--help"])
        finally:
            sys.stdout = before
    shown = stdout.getvalue()
    for flag in set(re.findall(r"(?<![\w-])--[a-z-]+\b", PAGE.replace("patch -p1 --binary", ""))):
        assert flag in shown, flag
