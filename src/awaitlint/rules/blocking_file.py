"""
## What it does

Reports calls that wait for the file system in the body of an `async def`: `open`, `pathlib`, `os`,
`shutil`, `tempfile`, archives, `pandas.read_csv`. Heavy ones, such as `shutil.rmtree` and reading a table,
are warnings; a single operation is of severity *info*, which is reported where the rule is selected by its
own code or name, under the preset `pedantic`, or with `--min-severity info`.

## Why is this bad?

A file may lie on a slow or distant disk, and there is no asynchronous access to files in the operating
system: while one is read, the event loop stands still. For a small local file that is mostly harmless.

## Example

```py
import shutil

async def clean(path: str) -> None:
    shutil.rmtree(path)  # error: [blocking-file]
```

## Use instead

```py
import asyncio
import shutil

async def clean(path: str) -> None:
    await asyncio.to_thread(shutil.rmtree, path)
```

## Fix safety

The fix has a thread make the call, `await asyncio.to_thread(...)`, or what the module's library calls it. It
is unsafe: the function must bear to run in another thread.
"""

from __future__ import annotations

from awaitlint.model import Severity
from awaitlint.rulekit.blocked import BlockedRule


class BlockingFile(BlockedRule):
    code = "AWL305"
    name = "blocking-file"
    summary = "a blocking file operation in async code"
    severity = Severity.INFO
    kinds = frozenset({"file"})
