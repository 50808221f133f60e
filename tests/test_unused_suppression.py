"""AWL900: what its fix leaves behind, and where comments are judged or left to others."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from awaitlint.config.load import SettingsCache
from awaitlint.engine.fix import fix_files
from awaitlint.engine.options import Options
from awaitlint.engine.run import run
from awaitlint.files.discover import Target
from awaitlint.files.source import SourceStore
from awaitlint.flake8_plugin import Plugin
from awaitlint.rules.blocking_sleep import BlockingSleep

PAUSE = "import asyncio, time\nasync def main():\n    {}\n"


def targets(root: Path, **texts: str) -> list[Target]:
    (root / ".git").mkdir(exist_ok=True)
    for name, text in texts.items():
        (root / f"{name}.py").write_bytes(text.encode())
    return [Target(root / f"{name}.py", f"{name}.py") for name in texts]


def settings(**options: object) -> SettingsCache:
    return SettingsCache(overrides={"select": ["AWL1", "AWL3", "AWL9"], **options})


def messages(root: Path, text: str, options: Options | None = None, **overrides: object) -> list[str]:
    result = run(
        targets(root, a=text), settings(**overrides), SourceStore(), options=options or Options(cache=False)
    )
    return [each.message for each in result.diagnostics if each.code == "AWL900"]


def fixed(root: Path, text: str) -> str:
    files = targets(root, a=text)
    fix_files(files, settings(), SourceStore(), unsafe=False, write=True, options=Options(cache=False))
    return files[0].path.read_bytes().decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("pass  # noqa: AWL101", "pass"),
        ("pass  # noqa: AWL101 because it is fine", "pass  # because it is fine"),
        ("pass  # noqa: AWL101 - because it is fine", "pass  # because it is fine"),
        ("pass  # noqa: AWL101 \N{EM DASH} fine", "pass  # fine"),
        ("pass  # noqa: AWL101  # pragma: no cover", "pass  # pragma: no cover"),
        ("pass  # noqa: AWL101, AWL301, E501: too long", "pass  # noqa: E501: too long"),
        ("pass  # type: ignore # noqa: AWL101", "pass  # type: ignore"),
        ("pass  # fine # noqa: AWL101 as ever", "pass  # fine # as ever"),
        ("pass  # awaitlint: ignore[AWL101] see #12", "pass  # see #12"),
        ("pass\t#noqa:AWL101\t", "pass"),
        # both at once would touch
        ("pass  # noqa: AWL101  # awaitlint: ignore[AWL301]", "pass"),
        ("pass  # noqa: AWL101, AWL999, E501", "pass  # noqa: E501"),
        # what is left would silence everything
        ("pass  # noqa: AWL101 noqa", "pass  # noqa: AWL101 noqa"),
        ("pass  # noqa: AWL101 awaitlint: ignore", "pass  # noqa: AWL101 awaitlint: ignore"),
        # the finding that is mended was what the comment was for
        ("time.sleep(1)  # noqa: AWL101", "await asyncio.sleep(1)"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_fix_keeps_what_is_not_its_own(tmp_path, before, after, newline):
    text = PAUSE.format(before).replace("\n", newline)
    assert fixed(tmp_path, text) == PAUSE.format(after).replace("\n", newline)


def test_a_comment_that_stands_alone_goes_with_its_line(tmp_path):
    assert fixed(tmp_path, "# awaitlint: ignore-file[AWL101]\nx = 1\n") == "x = 1\n"
    assert fixed(tmp_path, "x = 1\n  # flake8: noqa: AWL101\n\ny = 1\n") == "x = 1\n\ny = 1\n"
    assert fixed(tmp_path, "x = 1\n# awaitlint: ignore-file[AWL101]") == "x = 1\n"
    assert fixed(tmp_path, "x = 1\n# flake8: noqa: AWL101, E501\n") == "x = 1\n# flake8: noqa: E501\n"
    assert fixed(tmp_path, "# flake8: noqa: AWL101 generated\n") == "# generated\n"


def test_a_comment_that_is_still_needed_after_a_fix_stays(tmp_path):
    text = PAUSE.format("time.sleep(1)  # noqa: AWL301, AWL101")
    assert fixed(tmp_path, text) == PAUSE.format("time.sleep(1)  # noqa: AWL301")


def test_findings_are_in_the_order_of_the_text(tmp_path):
    text = PAUSE.format("pass  # noqa: AWL101\n    asyncio.sleep(1)\n    pass  # noqa: AWL3")
    result = run(targets(tmp_path, a=text), settings(), SourceStore(), options=Options(cache=False))
    assert [(each.span.line, each.code) for each in result.diagnostics] == [
        (3, "AWL900"),
        (4, "AWL101"),
        (5, "AWL900"),
    ]


# -- what counts


def test_codes_of_rules_that_were_not_checked_are_not_judged(tmp_path):
    text = PAUSE.format("pass  # noqa: AWL801, AWL301")
    assert messages(tmp_path, text) == ["`AWL301` in `# noqa: AWL801, AWL301` silences nothing; remove it"]
    assert messages(tmp_path, text, ignore=["AWL301"]) == []
    assert messages(tmp_path, text, **{"per-file-ignores": {"a.py": ["AWL3"]}}) == []
    # opt-in rules that were not asked for are no reason to keep what stands for the others
    default = SettingsCache(overrides={"extend-select": ["AWL900"]})
    for comment in ("# noqa: AWL1", "# awaitlint: ignore", "# awaitlint: ignore[AWL]"):
        files = targets(tmp_path, a=PAUSE.format(f"pass  {comment}"))
        result = run(files, default, SourceStore(), options=Options(cache=False))
        assert [each.code for each in result.diagnostics] == ["AWL900"], comment
        assert messages(tmp_path, PAUSE.format(f"pass  {comment}"), ignore=["AWL101"]) == []


def test_a_rule_that_failed_is_not_judged(tmp_path, monkeypatch):
    def fail(self):
        raise ValueError

    text = PAUSE.format("pass  # noqa: AWL301, AWL101")
    monkeypatch.setattr(BlockingSleep, "suspicious", fail)
    assert messages(tmp_path, text) == ["`AWL101` in `# noqa: AWL301, AWL101` silences nothing; remove it"]


def test_it_is_a_warning(tmp_path):
    text = PAUSE.format("pass  # noqa: AWL301")
    assert messages(tmp_path, text) != []
    assert messages(tmp_path, text, **{"min-severity": "error"}) == []


def test_a_chain_that_ends_in_another_file(tmp_path):
    """What is silenced there counts whichever files are checked."""
    helper = "import time\ndef helper():\n    time.sleep(1)  # noqa: AWL308\n"
    way = "from helper import helper\ndef way():  # noqa: AWL308\n    helper()\n"
    other = "from silent import silent\ndef way():\n    silent()  # noqa: AWL308\n"
    silent = "import time\ndef silent():\n    time.sleep(1)\n"
    files = targets(tmp_path, helper=helper, way=way, other=other, silent=silent)
    for order in (files, files[::-1], *([each] for each in files)):
        result = run(order, settings(), SourceStore(), options=Options(cache=False))
        expected = ["way.py"] if any(each.display == "way.py" for each in order) else []
        assert [each.path for each in result.diagnostics] == expected


# -- flake8


def plugin_messages(root: Path, line: str) -> list[str]:
    (root / "pyproject.toml").write_text('[tool.awaitlint]\nextend-select = ["AWL900"]\n')
    text = PAUSE.format(line)
    (file,) = targets(root, a=text)
    plugin = Plugin(ast.parse(text), str(file.path), text.splitlines(keepends=True))
    return [message for _, _, message, _ in plugin.run()]


def test_flake8_judges_its_own_comments(tmp_path):
    assert plugin_messages(tmp_path, "pass  # noqa: AWL101") == []
    own = "# awaitlint: ignore[AWL101]"
    assert plugin_messages(tmp_path, f"pass  {own}") == [f"AWL900 `{own}` silences nothing; remove it"]
    assert (
        messages(tmp_path, PAUSE.format("pass  # noqa: AWL101"), Options(cache=False, judge_noqa=False)) == []
    )
