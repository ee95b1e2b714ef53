"""``Sketch``: what a fit needs of many points, made in one reading and added to another; it fits nothing.

The axis is cut into leaves, the cells ``[j 2**e, (j + 1) 2**e)`` of a dyadic lattice in the unit of
the data, narrow where the points are dense. Of the points in a leaf only the moments of orders 0 to
7 are kept,

    m_p = sum_i w_i u_i**p,   u = (x - centre of the leaf) / half its width,

and from them the three nodes and weights of the Gauss quadrature of these points (Golub and Welsch,
1969, "Calculation of Gauss quadrature rules", Mathematics of Computation 23): a weighted sample with
positive weights that has the same moments of orders 0 to 5. A log-likelihood is the sum of a smooth
function over the points, f = log p, so over the nodes it is the same but for

    f^(6)(x) / 6! * sum_i w_i pi_3(x_i)**2   per leaf,   pi_3 the polynomial with its zeros at the nodes,

which falls with the sixth power of the leaves' width and is estimated from m_6. Points where they
are few, outliers among them, and values that come very often are kept as they are. Two sketches are
added leaf by leaf, a narrower leaf into the wider one that contains it, which changes no moment.

Where the moments of new leaves show a narrow group that they do not resolve, the points of that one
`add` are read a second time, with leaves for the group (`Sketch.again` tells whether a sum of sketches asks for that).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gmm1d import _engine, sketch_files, thumbnails
from gmm1d.arguments import finite_number, parameters, shown, whole, workers
from gmm1d.columns import column, refuse_faults
from gmm1d.documents import reading
from gmm1d.errors import InputError, ScaleError
from gmm1d.formatting import number
from gmm1d.weighing import check_sums, weights_column

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from numpy.typing import ArrayLike

    Read: TypeAlias = Callable[["Sketch", tuple[ArrayLike, ...]], "Sketch"]

Array: TypeAlias = npt.NDArray[np.float64]

MOST_LEAVES = 2**16
TOLERANCE = 1e-11  # of the log-likelihood per point, for again()


class Sketch:
    """Many observations in bounded memory: moments on a dyadic lattice, outliers as they are.

    Add arrays, in one piece or in chunks; sketches of parts are added with ``+``, in any order and
    grouping. A sketch is handed to `gmm1d.fit` like the data.

    Parameters
    ----------
    max_leaves : int
        Of 256 to 65 536, as many leaves are kept at most; beyond, neighbours are put together and
        `coarsened` is true.

    Raises
    ------
    InputError
        If `max_leaves` is something else.

    Examples
    --------
    >>> import numpy as np
    >>> s = Sketch().add(np.arange(1000.0)).add([1e9])
    >>> s
    Sketch(1001 points from 0 to 1e+09)
    """

    __slots__ = ("_read", "_sums")

    _read: Read | None  # who can read all points again, on the leaves that `again` asks for

    def __init__(self, max_leaves: object = MOST_LEAVES) -> None:
        if isinstance(max_leaves, int | np.integer) and 256 <= max_leaves <= MOST_LEAVES:
            self._sums, self._read = _engine.Sketch(int(max_leaves)), None
            return
        raise InputError(f"max_leaves={shown(max_leaves)}: give a number from 256 to {MOST_LEAVES}")

    @classmethod
    def _of(cls, sums: _engine.Sketch, read: Read | None = None) -> Sketch:
        """Wrap what the engine made."""
        out = cls.__new__(cls)
        out._sums, out._read = sums, read
        return out

    def add(self, x: object, sample_weight: object = None, *, threads: int | None = None) -> Sketch:
        """Read points into this sketch.

        Parameters
        ----------
        x : column of m numbers
            What `gmm1d.columns` takes; read block by block, never copied whole if it is an array of
            float64, float32 or whole numbers.
        sample_weight : column of m numbers, optional
            Finite numbers >= 0, kept as they are: whether all that were added are whole numbers, so that they
            are counts, or importance weights to be scaled (`gmm1d.weighing`), is decided when a sum is fitted.
        threads : int, optional
            By default as many as there are processors; the result has the same bits for any number.

        Returns
        -------
        Sketch
            This one.

        Raises
        ------
        InputError
            If either is not such a column, the sum of all weights is no normal float64, or
            `threads` no whole number from 1 on; the sketch is then as it was.
        """
        points, threads = column(x), workers(threads)
        weights = None if sample_weight is None else weights_column(sample_weight, points.size)
        sums = self._sums.copy()
        if not sums.add(points, weights, threads):
            refuse_faults(points, weights)
        check_sums(sums.n, sums.size)
        self._sums, self._read = sums, None
        return self

    def __add__(self, other: object) -> Sketch:
        """Return the sketch of the points of both, which stay as they are."""
        if not isinstance(other, Sketch):
            return NotImplemented
        sums = self._sums.copy()
        sums.merge(other._sums)
        check_sums(sums.n, sums.size)
        return Sketch._of(sums)

    def __radd__(self, other: object) -> Sketch:
        """Let ``sum(sketches)`` begin with its 0."""
        return self if other == 0 else NotImplemented

    @property
    def n(self) -> float:
        """The sum of the weights."""
        return self._sums.n

    @property
    def size(self) -> int:
        """The number of points seen."""
        return self._sums.size

    @property
    def low(self) -> float:
        """The smallest point of positive weight; infinity if there is none."""
        return self._sums.low

    @property
    def high(self) -> float:
        """The largest point of positive weight; -infinity if there is none."""
        return self._sums.high

    @property
    def n_leaves(self) -> int:
        """The number of leaves."""
        return self._sums.n_leaves

    @property
    def max_leaves(self) -> int:
        """The largest number of leaves."""
        return self._sums.most_leaves

    @property
    def coarsened(self) -> bool:
        """Whether the bound on the leaves forced some of them together."""
        return self._sums.coarsened

    def nodes(
        self, centre: float = 0.0, unit: float = 1.0, max_leaves: int | None = None
    ) -> tuple[Array, Array]:
        """Return the weighted sample that stands for the points.

        Parameters
        ----------
        centre, unit : float
            The values returned are those of ``(x - centre) / unit``.
        max_leaves : int, optional
            For a rough look: leaves put together, where n_b h**6 is smallest, until so many are left.

        Returns
        -------
        values, counts : ndarray (d,)
            Ascending and distinct, and their positive weights, which add up to n.

        Raises
        ------
        InputError
            If no point of positive weight was added, an argument is no such number, or the values leave float64.
        """
        centre, unit = finite_number("centre", centre), finite_number("unit", unit)
        if unit <= 0:
            raise InputError(f"unit = {number(unit)}: give a positive number")
        if not self.n > 0:
            raise InputError("no data: the Sketch is empty, add numbers to it")
        most = whole("max_leaves", max_leaves, least=1, default=0)
        values, counts = (self._sums.coarse(most) if most else self._sums).nodes(centre, unit)
        if not np.isfinite(values).all():
            raise ScaleError(f"unit = {number(unit)} takes values out of float64: enlarge it")
        return values, counts

    def error(self, weights: ArrayLike, means: ArrayLike, stds: ArrayLike) -> float:
        """Estimate log-likelihood of the nodes minus that of the points for a mixture (k,), in nats.

        Raises
        ------
        InputError
            If these are not the parameters of a mixture.
        """
        return self._sums.error(*parameters(weights, means, stds, None))

    def again(
        self,
        weights: ArrayLike | None = None,
        means: ArrayLike | None = None,
        stds: ArrayLike | None = None,
    ) -> Sketch | None:
        """Return an empty sketch to which the same points are to be added once more.

        Its leaves are narrower where a mixture (k,) asks for them, or, without one, where groups pile up
        within leaves of this sketch. One array is added to it; for several, add each to a copy.

        Returns
        -------
        Sketch or None
            None where nothing piles up.

        Raises
        ------
        InputError
            If these are not the parameters of a mixture.
        """
        if weights is None or means is None:
            sums = self._sums.again()
            return None if sums is None else Sketch._of(sums)
        mixture = parameters(weights, means, stds, None)
        return Sketch._of(self._sums.finer(*mixture, TOLERANCE * self.n))

    def save(self, path: str | PathLike[str]) -> None:
        """Write the sketch to a file, whole or not at all; the format is that of `sketch_files`.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        sketch_files.write(path, self.to_bytes())

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Sketch:
        """Read what `save` wrote.

        Raises
        ------
        ReadError
            If the file cannot be read or is anything else; the message names it.
        """
        with reading(path, sketch_files.LARGEST) as data:
            return cls.from_bytes(data)

    def to_bytes(self) -> bytes:
        """Return what `save` writes."""
        return sketch_files.pack(self._sums)

    @classmethod
    def from_bytes(cls, data: bytes) -> Sketch:
        """Make a sketch of what `to_bytes` returned.

        Raises
        ------
        InputError
            If it is anything else.
        """
        return cls._of(sketch_files.unpack(data))

    def __copy__(self) -> Sketch:
        """Return one that grows on its own; the sums are never changed in place."""
        return Sketch._of(self._sums, self._read)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the documented bytes."""
        return Sketch.from_bytes, (self.to_bytes(),)

    def __repr__(self) -> str:
        """Say how many points there are, between what values."""
        if not self.n > 0:
            return "Sketch(no points)"
        points = "1 point" if self.size == 1 else f"{self.size} points"
        weight = "" if self.n == self.size else f" of total weight {number(self.n)}"
        return f"Sketch({points}{weight} from {number(self.low)} to {number(self.high)})"

    _repr_html_ = thumbnails.sketch_html
