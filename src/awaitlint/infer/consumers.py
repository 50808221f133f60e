"""Functions that can only want a result, though their annotations let anything in.

They are known by their qualified names, and their arguments by their positions; the documentation of each
says what it does with them.
"""

from __future__ import annotations

from awaitlint.infer.values import ClassValue, External, FunctionValue, OverloadedValue, Value

_LOGGERS = ("logging.Logger", "logging.LoggerAdapter")
_LEVELS = ("debug", "info", "warning", "error", "critical", "exception", "log")
#: functions that make text of any value
TEXT = frozenset(
    {f"builtins.{name}" for name in ("print", "str", "repr", "ascii", "format", "str.format")}
    | {"pprint.pprint", "pprint.pformat"}
    | {f"logging.{name}" for name in _LEVELS}
    | {f"{cls}.{name}" for cls in _LOGGERS for name in (*_LEVELS, "warn", "fatal")}
)
_MODEL = "pydantic.main.BaseModel"
_ADAPTER = "pydantic.type_adapter.TypeAdapter"
_CONSUMERS = (
    TEXT
    | {f"builtins.{name}" for name in ("len", "int", "float", "bytes", "bool", "abs", "round", "sum")}
    | {f"builtins.{name}" for name in ("list", "tuple", "set", "frozenset", "dict", "sorted")}
    | {f"builtins.{name}" for name in ("min", "max", "any", "all", "enumerate", "reversed", "zip")}
    | {"builtins.iter", "builtins.next", "builtins.str.join"}
    # TypeError: Object of type coroutine is not JSON serializable; cannot pickle 'coroutine' object
    | {"json.dumps", "json.dump", "pickle.dumps", "pickle.dump", "copy.copy", "copy.deepcopy"}
    | {"_pickle.dumps", "_pickle.dump", "orjson.dumps"}
    # https://docs.pydantic.dev/latest/concepts/models/#validating-data
    | {f"{_MODEL}.model_validate{suffix}" for suffix in ("", "_json", "_strings")}
    | {f"{_MODEL}.{name}" for name in ("parse_obj", "parse_raw")}
    | {f"{_ADAPTER}.validate_{kind}" for kind in ("python", "json", "strings")}
    | {f"{_ADAPTER}.dump_{kind}" for kind in ("python", "json")}
    # https://fastapi.tiangolo.com/tutorial/encoder/: makes JSON's types of any object
    | {"fastapi.encoders.jsonable_encoder"}
)
#: those that want the result in any place
_COMPARERS = frozenset({"builtins.min", "builtins.max", "builtins.zip"})
#: the last names of all
CONSUMER_NAMES = frozenset(name.rpartition(".")[2] for name in _CONSUMERS)


def consumer(func: Value) -> str:
    """The qualified name of a function that can only want a result; "" for any other value."""
    if isinstance(func, OverloadedValue):
        func = func.functions[0]
    if isinstance(func, External):
        name = func.path
    else:
        name = func.qualname if isinstance(func, (FunctionValue, ClassValue)) else ""
    return name if name in _CONSUMERS else ""


def wants(name: str, position: int) -> bool:
    """Whether a function of that qualified name can only want a result in a place, counted from 0.

    ``dict(a=...)``, ``next(rows, ...)`` and ``max(rows, default=...)`` hand on what they get there.
    """
    return name in TEXT or position == 0 or (position > 0 and name in _COMPARERS)


__all__ = ["CONSUMER_NAMES", "TEXT", "consumer", "wants"]
