r"""The bytes of a sketch: a header and plain arrays, little-endian, checked before anything is used.

    offset  type      what
    0       8 bytes   b"gmm1d\0sk"
    8       uint32    version of this format, 2
    12      uint32    largest number of leaves
    16      uint32    number L of leaves
    20      uint32    number V of values kept as they are
    24      int64     number of points seen
    32      2 float64 smallest and largest point
    48      uint32    1 if leaves were forced together, else 0; 2 more if a weight was no whole number
    52      uint32    CRC-32 of all that follows
    56      float64   S: the squares of the weights as they came add up to S 4^e; NaN if nobody knows
    64      int64     e, the exponent of the largest weight; 0 without points
    72      L int64   indices j of the leaves [j 2^e, (j + 1) 2^e), which ascend and are disjoint
            L int32   exponents e
            V float64 the values, ascending; one that came out of a leaf has the rounding of its moments
            V float64 their weights, positive
            8 L float64  the moments m_0 ... m_7 of every leaf, leaf by leaf, m_0 positive

Moment m_p is the sum of w u^p over the points of weight w in the leaf, u = (x - centre) / half the width, as in
`gmm1d.sketch`. Every point of positive weight is in a leaf or is a value, none in both: all weights and m_0 add up to n.
The largest number of leaves is 256 to 65 536, V at most 131 072, e from -1021 to 1023, j from -2^51 to 2^51 - 1.
Without points, the smallest is infinity and the largest -infinity. Nothing in them is executed.

Version 1 has neither S nor e, so that its header ends at 56, and it does not tell whether weights are whole: it is read as one
of whole numbers, as which they were fitted when it was written.
"""

from __future__ import annotations

import math
import os
import struct
import zlib
from typing import TYPE_CHECKING, NoReturn, TypeAlias

import numpy as np

from gmm1d import _engine
from gmm1d.documents import named
from gmm1d.errors import InputError
from gmm1d.files import replacing

if TYPE_CHECKING:
    import numpy.typing as npt

    Array: TypeAlias = npt.NDArray[np.float64]
    Integers: TypeAlias = npt.NDArray[np.int64]

MAGIC = b"gmm1d\0sk"
VERSION = 2
HEADER, SQUARES = struct.Struct("<8sIIIIqddII"), struct.Struct("<dq")
COARSENED, FRACTIONAL = 1, 2
ORDERS = 8
MOST_LEAVES, MOST_VALUES, MOST_POINTS = 2**16, 2**17, 2**53
LARGEST = (
    HEADER.size + SQUARES.size + 12 * MOST_LEAVES + 16 * MOST_VALUES + 8 * ORDERS * MOST_LEAVES
)
LARGEST_POWER = 1100  # of two, in the weights of float64
LOWEST_EXPONENT, HIGHEST_EXPONENT, LARGEST_INDEX = -1021, 1023, 2**51
ROUNDING = 1e-9  # relative: sums of many numbers


def pack(sums: _engine.Sketch) -> bytes:
    """Return the bytes of a sketch."""
    indices, exponents, moments = sums.leaves()
    values, weights = sums.exact()
    columns = [indices.astype("<i8"), exponents.astype("<i4")]
    columns += [a.astype("<f8") for a in (values, weights, moments)]
    body = SQUARES.pack(*sums.squares) + b"".join(a.tobytes() for a in columns)
    header = HEADER.pack(
        MAGIC,
        VERSION,
        sums.most_leaves,
        len(indices),
        len(values),
        sums.size,
        sums.low,
        sums.high,
        COARSENED * sums.coarsened + FRACTIONAL * (not sums.whole),
        zlib.crc32(body),
    )
    return header + body


def unpack(data: object) -> _engine.Sketch:
    """Return the sketch of which these are the bytes.

    Raises
    ------
    InputError
        If they are not; the message says what is wrong.
    """
    data = _data(data)
    _, version, most, n_leaves, n_values, size, low, high, flags, crc = HEADER.unpack_from(data)
    if version > VERSION:
        raise InputError(
            f"this sketch was written by a newer gmm1d (version {version} of the format; the newest known "
            f"here is {VERSION}): upgrade gmm1d to read it"
        )
    if (
        version < 1
        or not 256 <= most <= MOST_LEAVES
        or flags > (COARSENED + FRACTIONAL if version > 1 else COARSENED)
        or not 0 <= size <= MOST_POINTS
    ):
        _refuse("its header makes no sense")
    if n_leaves > most or n_values > MOST_VALUES:
        _refuse("it claims too many leaves or values")
    at = HEADER.size + (SQUARES.size if version > 1 else 0)
    if len(data) != at + (12 + 8 * ORDERS) * n_leaves + 16 * n_values:
        _refuse("its length is not what its header says")
    if zlib.crc32(memoryview(data)[HEADER.size :]) != crc:
        _refuse("its checksum is wrong")
    indices = np.frombuffer(data, "<i8", n_leaves, at).astype(np.int64)
    exponents = np.frombuffer(data, "<i4", n_leaves, at + 8 * n_leaves).astype(np.int64)
    floats = np.frombuffer(data, "<f8", -1, at + 12 * n_leaves).astype(np.float64)
    values, weights, moments = np.split(floats, [n_values, 2 * n_values])
    moments = moments.reshape(n_leaves, ORDERS)
    edges = _edges(indices, exponents)
    _check_moments(moments)
    _check_values(values, weights)
    n = _total(np.append(weights, moments[:, 0]))
    _check_range(size, low, high, edges, values)
    old = (n if n == size else math.nan), 0
    squares = _squares(data, n, size) if version > 1 else old
    columns = indices, exponents, moments, values, weights
    said = bool(flags & COARSENED), *squares, not flags & FRACTIONAL
    return _engine.Sketch.restore(most, *columns, size, low, high, *said)


def _data(data: object) -> bytes:
    """Return the bytes; refuse what does not begin with the header of a sketch."""
    if not isinstance(data, bytes | bytearray | memoryview):
        raise InputError(f"these are no bytes but a {type(data).__name__}; use what to_bytes gave")
    data = bytes(data)
    if data[: len(MAGIC)] != MAGIC:
        raise InputError("this is no sketch; use what Sketch.save wrote")
    if len(data) < HEADER.size:
        _refuse("it ends within its header")
    return data


def _edges(indices: Integers, exponents: Integers) -> tuple[Array, Array]:
    """Return the left and right edges of leaves; refuse leaves out of range or out of order."""
    inside = (exponents >= LOWEST_EXPONENT) & (exponents <= HIGHEST_EXPONENT)
    inside &= (indices >= -LARGEST_INDEX) & (indices < LARGEST_INDEX)
    if not inside.all():
        _refuse("it has a leaf out of range")
    with np.errstate(over="ignore"):
        lefts, rights = (
            np.ldexp(indices + side, exponents.astype(np.int32)) for side in (0.0, 1.0)
        )
    if not (np.isfinite(lefts).all() and (rights[:-1] <= lefts[1:]).all()):
        _refuse("its leaves are out of order")
    return lefts, rights


def _check_moments(moments: Array) -> None:
    """Refuse moments (L, 8) that are none."""
    if not np.isfinite(moments).all():
        _refuse("it has moments that are not finite")
    largest = moments[:, :1] * (1 + ROUNDING)
    even = moments[:, ::2]
    if not ((moments[:, 0] > 0).all() and (np.abs(moments) <= largest).all() and (even >= 0).all()):
        _refuse("it has moments that no points have")


def _check_values(values: Array, weights: Array) -> None:
    """Refuse values that are not finite or do not ascend, and weights that are not positive."""
    if not (np.isfinite(values).all() and (values[1:] > values[:-1]).all()):
        _refuse("its values are out of order")
    if not ((weights > 0) & np.isfinite(weights)).all():
        _refuse("it has a weight that is not positive")


def _total(weights: Array) -> float:
    """Return the sum of weights; refuse those that cannot be added."""
    with np.errstate(over="ignore"):
        n = float(weights.sum())
    if not math.isfinite(n):
        _refuse("its weights add up to no float64")
    return n


def _squares(data: bytes, n: float, size: int) -> tuple[float, int]:
    """Return S and e of weights with the sum n; refuse what they cannot be."""
    squares, exponent = SQUARES.unpack_from(data, HEADER.size)
    if squares < 0 or abs(exponent) > LARGEST_POWER:
        _refuse("its weights have no such squares")
    with np.errstate(over="ignore", under="ignore"):
        norm = float(np.ldexp(np.sqrt(squares), exponent))
    least, most = n / math.sqrt(max(size, 1)) * (1 - ROUNDING), n * (1 + ROUNDING)
    if norm < least or norm > most:
        _refuse("its weights have no such squares")
    return squares, exponent


def _check_range(
    size: int, low: float, high: float, edges: tuple[Array, Array], values: Array
) -> None:
    """Refuse extremes that are not those of the leaves and values."""
    lefts, rights = edges
    if not (lefts.size or values.size):
        if (low, high) != (np.inf, -np.inf):
            _refuse("it has extremes but no points")
        return
    fine = size > 0 and -np.inf < low <= high < np.inf
    fine = fine and bool(np.all(low <= values) and np.all(values <= high))
    if not (fine and np.all(low <= rights) and np.all(lefts <= high)):
        _refuse("its extremes are not those of its points")


def _refuse(why: str) -> NoReturn:
    """Raise the sentence about a damaged sketch."""
    raise InputError(f"a damaged sketch, {why}; make or copy it again")


def write(path: object, data: bytes) -> None:
    """Write a file, whole or not at all."""
    with replacing(named(path)) as temporary, temporary.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
