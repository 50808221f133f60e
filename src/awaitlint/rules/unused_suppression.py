"""
## What it does

Reports a comment that silences nothing: `# noqa: AWL101`, `# awaitlint: ignore[unawaited-coroutine]`, or
one of their forms for a whole file, where the rule that it names has nothing to say. A code or name that no
rule has, and one that is given twice, are reported as well.

What counts is what was checked in this run. A code is unused only where its rule was checked in that file,
so that a run with `--select`, or a file that `per-file-ignores` names, says nothing about the codes of the
other rules; ruff's RUF100, in contrast, reports the codes of rules that are not enabled. A prefix such as
`AWL3`, and `# awaitlint: ignore` without a list, are unused where all rules that are on by default among
those they stand for were checked, and no rule that was checked needs them. A finding that is too mild or
too unsure to be shown is reason enough for a comment.

A bare `# noqa` is never reported, since other tools use it, and neither are the codes of other tools. A
comment at a call in a plain function, or at its `def`, is needed where what is called there blocks, whether
or not async code of this run gets there (see [blocking-call-chain](blocking-call-chain.md)).

In flake8, `# noqa` is flake8's own business: its options decide what such a comment does, so only
`# awaitlint: ignore` is judged there.

A comment that names `AWL900` is never reported.

## Why is this bad?

The comment says that a line is an exception when it is not any more, and would hide the next mistake there.

## Example

<!-- select: ALL -->

```py
import asyncio


async def main() -> None:
    await asyncio.sleep(1)  # noqa: AWL101  # error: [unused-suppression]
```

## Use instead

```py
import asyncio


async def main() -> None:
    await asyncio.sleep(1)
```

## Fix safety

The fix removes the codes that are unused, or the comment where none is left; other text in it stays, and so
do the codes of other tools. It is safe, because it changes no code and no finding. A code that looks like a
misspelt one is left for you to mend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitlint.model import Diagnostic, Safety, Severity
from awaitlint.rulekit.rule import Rule

if TYPE_CHECKING:
    from awaitlint.model import Fix, Span


class UnusedSuppression(Rule):
    code = "AWL900"
    name = "unused-suppression"
    summary = "a comment that silences nothing"
    default = False
    severity = Severity.WARNING
    fixes = (Safety.SAFE,)

    @classmethod
    def finding(cls, path: str, span: Span, message: str, fix: Fix | None) -> Diagnostic:
        """The finding about a comment, which no visitor looks at."""
        return Diagnostic(path, span, cls.code, cls.name, message, cls.severity, fix=fix)
