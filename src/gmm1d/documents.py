"""JSON documents and the files that hold them: each names its schema and version, and is held against that schema.

The schemas, JSON Schema of draft 2020-12, stand in the folder ``schemas``. They are the one place where
types and limits are written: nothing is written that they refuse, and what is read is checked against them
before anything is made of it. Only the keywords that they use are known here.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections import Counter
from functools import cache, reduce
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmm1d.errors import InputError, ReadError

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMAS = ("gmm1d.mixture", "gmm1d.fit", "gmm1d.comparison")
MOST_BYTES = 2**26  # 512 components have 1536² covariances, of at most 26 letters each
MOST_PARTS = (
    2**16
)  # lists, objects and quotation marks: in memory they are many times as large as in a file
LONGEST = 40  # letters of a value in a sentence
REMEDY = "use what save or to_json wrote"
NUMBERS = re.compile(r"\[\n([^\[\]{}\"]*)\n *\]")  # a list that json.dumps spread over many lines
KINDS: dict[str, tuple[Any, str]] = {
    "object": (dict, "an object"),
    "array": (list, "a list"),
    "string": (str, "a text"),
    "number": ((int, float), "a number"),
    "integer": (int, "a whole number"),
    "null": (type(None), "null"),
}


def named(path: object) -> Path:
    """Return the path of a file.

    Raises
    ------
    InputError
        If it names none.
    """
    if not isinstance(path, str | os.PathLike) or "\0" in str(path):
        raise InputError(f"a path names a file, and this {type(path).__name__} does not")
    return Path(path)


@contextlib.contextmanager
def reading(path: object, most: int = MOST_BYTES) -> Iterator[bytes]:
    """Give the bytes of a file; what is wrong with it, or with what it holds, is said with its name.

    Raises
    ------
    ReadError
        If it cannot be read, has more than `most` bytes, or the block that uses it raises InputError.
    """
    file = named(path)
    try:
        with file.open("rb") as stream:
            data = stream.read(most + 1)
    except OSError as error:
        raise ReadError(f"{file}: {error.strerror or error}") from error
    try:
        if len(data) > most:
            raise InputError(f"more than {most} bytes, and nothing that is read here has so many")
        yield data
    except InputError as error:
        raise ReadError(f"{file}: {error}") from error


def write(schema: str, content: dict[str, Any]) -> str:
    """Write a document; numbers keep every bit, lists of numbers stand in one line.

    Raises
    ------
    InputError
        If the schema refuses it, such as for NaN, or for more components than can be read again.
    """
    rules = rules_of(schema)
    newest = rules["properties"]["version"]["maximum"]
    document = {"schema": schema, "version": newest, **content}
    for fault in _faults(document, rules, "", rules):
        raise InputError(f"this {schema} cannot be saved: {fault}")
    text = json.dumps(document, indent=2, allow_nan=False)
    return NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text)


def read(text: str | bytes, *schemas: str) -> dict[str, Any]:
    """Read a document of one of these schemas, up to its newest known version.

    Raises
    ------
    InputError
        If it is no JSON, of another schema or a newer version, or its schema refuses it.
    """
    data = _parsed(text)
    schema = data.get("schema") if isinstance(data, dict) else None
    if schema not in schemas:
        wanted = " or ".join(schemas)
        if schema in SCHEMAS:
            raise InputError(f"this is a {schema}, and no {wanted}")
        raise InputError(f'this JSON lacks "schema": "{schemas[0]}": {REMEDY}')
    rules = rules_of(schema)
    newest, version = rules["properties"]["version"]["maximum"], data.get("version")
    if type(version) is int and version > newest:
        raise InputError(
            f"this {schema} was written by a newer gmm1d (version {_shown(version)} of its JSON; the "
            f"newest known here is {newest}): upgrade gmm1d to read it"
        )
    for fault in _faults(data, rules, "", rules):
        raise InputError(f"this {schema} is damaged: {fault}; {REMEDY}")
    return dict(data)


@cache
def rules_of(schema: str) -> dict[str, Any]:
    """Return a schema by its name."""
    text = (Path(__file__).parent / "schemas" / f"{schema}.json").read_text(encoding="utf-8")
    rules: dict[str, Any] = json.loads(text)
    return rules


def _parsed(text: object) -> Any:
    """Return what JSON says; refuse what is none, NaN and infinities, and names that stand twice."""
    if not isinstance(text, str | bytes | bytearray):
        raise InputError(f"this is no JSON but a {type(text).__name__}: {REMEDY}")
    if len(text) > MOST_BYTES:
        raise InputError(f"more than {MOST_BYTES} letters, and no document has so many")
    marks: Any = '[{"' if isinstance(text, str) else (b"[", b"{", b'"')
    if sum(map(text.count, marks)) > MOST_PARTS:
        raise InputError(f"more lists and texts than any document has: {REMEDY}")
    try:
        return json.loads(text, parse_constant=_no_number, object_pairs_hook=_object)
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        raise InputError(f"this is no JSON ({error}): {REMEDY}") from error


def _no_number(name: str) -> None:
    raise InputError(f"{name} is no number of JSON: {REMEDY}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of names and values; JSON leaves open which of two of the same name is meant."""
    entries = dict(pairs)
    if len(entries) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise InputError(f"{_shown(twice)} stands twice in one object: {REMEDY}")
    return entries


def _faults(value: Any, rule: Any, place: str, home: Any) -> Iterator[str]:
    """Say what a rule of the schema `home` refuses in a value, first things first."""
    rule, home = _resolved(rule, home)
    if _fits(value, rule):
        if isinstance(value, dict):
            yield from _entry_faults(value, rule, place, home)
        elif isinstance(value, list):
            yield from _item_faults(value, *_resolved(rule["items"], home), place)
    else:
        yield f'"{place}" is {_shown(value)}, not {_wanted(rule)}'


def _entry_faults(value: dict[str, Any], rule: Any, place: str, home: Any) -> Iterator[str]:
    """Say what is wrong with the entries of an object: those that are not named are ignored."""
    below = f"{place}." if place else ""
    named = rule.get("properties", {})
    for name in rule.get("required", ()):
        if name not in value:
            yield f'"{below}{name}" is missing'
    for name, entry in value.items():
        own = named.get(name, rule.get("additionalProperties"))
        if own is not None:
            yield from _faults(entry, own, f"{below}{name}", home)


def _item_faults(values: list[Any], rule: Any, home: Any, place: str) -> Iterator[str]:
    """Say what is wrong with the items of a list; that all are floats within limits is seen quickly."""
    if rule["type"] == "number":
        low, high = rule["minimum"], rule["maximum"]
        if all(type(value) is float and low <= value <= high for value in values):
            return
    for i, value in enumerate(values):
        yield from _faults(value, rule, f"{place}[{i}]", home)


def _resolved(rule: Any, home: Any) -> tuple[Any, Any]:
    """Return the rule to which a "$ref" points, and the schema in which it stands."""
    if "$ref" not in rule:
        return rule, home
    urn, _, pointer = rule["$ref"].partition("#")
    if urn:
        _, house, noun, _ = urn.split(":")
        home = rules_of(f"{house}.{noun}")
    return reduce(lambda within, key: within[key], pointer.split("/")[1:], home), home


def _kinds(rule: Any) -> list[str]:
    kinds = rule["type"]
    return [kinds] if isinstance(kinds, str) else kinds


def _fits(value: Any, rule: Any) -> bool:
    """Say whether a value has a type of the rule, true and false being no numbers, and is within its limits."""
    if isinstance(value, bool) or not any(
        isinstance(value, KINDS[kind][0]) for kind in _kinds(rule)
    ):
        return False
    if isinstance(value, str):
        return value in rule.get("enum", (value,)) and len(value) <= rule.get("maxLength", inf)
    if isinstance(value, list):
        return bool(rule.get("minItems", 0) <= len(value) <= rule["maxItems"])
    if isinstance(value, int | float):
        least, above = rule.get("minimum", -inf), rule.get("exclusiveMinimum", -inf)
        return bool(least <= value <= rule["maximum"] and value > above)
    return True


def _wanted(rule: Any) -> str:
    """Say what a rule asks for."""
    if "enum" in rule:
        return " or ".join(rule["enum"])
    limits = ""
    if "exclusiveMinimum" in rule:
        limits = f" from above {rule['exclusiveMinimum']} to {rule['maximum']:.6g}"
    elif "minimum" in rule:
        limits = f" from {rule['minimum']:.6g} to {rule['maximum']:.6g}"
    elif "maxItems" in rule:
        limits = f" of {rule.get('minItems', 0)} to {rule['maxItems']}"
    elif "maxLength" in rule:
        limits = f" of at most {rule['maxLength']} letters"
    first, *others = (KINDS[kind][1] for kind in _kinds(rule))
    return " or ".join([f"{first}{limits}", *others])


def _shown(value: object) -> str:
    """Write a value as a sentence quotes it, cut where it is long."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, str):
        value = value[: LONGEST + 1]
    text = json.dumps(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
