"""JSON documents: each names its schema and its version, and a newer one is refused."""

from __future__ import annotations

import json
from typing import Any

from gmm1d.errors import InputError


def write(schema: str, version: int, content: dict[str, Any]) -> str:
    """Write a document; numbers keep every bit, NaN and infinities have no place."""
    about = {"schema": schema, "version": version}
    return json.dumps(about | content, indent=2, allow_nan=False)


def read(text: str | bytes, schema: str, newest: int) -> dict[str, Any]:
    """Read a document of a schema, up to its newest known version.

    Raises
    ------
    InputError
        If it is no JSON, another schema, or of a newer version.
    """
    try:
        data: Any = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(f"this is not JSON ({error}): hand in what to_json wrote") from error
    if not isinstance(data, dict) or data.get("schema") != schema:
        raise InputError(f'this JSON lacks "schema": "{schema}", as to_json writes it')
    version = data.get("version")
    if type(version) is not int or version < 1:
        raise InputError(f'the "version" of this {schema} is {version!r}: it must be 1 to {newest}')
    if version > newest:
        raise InputError(
            f"this {schema} was written by a newer gmm1d (version {version} of its JSON; the newest "
            f"known here is {newest}): upgrade gmm1d to read it"
        )
    return data
