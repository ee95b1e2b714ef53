"""Files, databases, queries and streams to float64 values, by DuckDB (extra ``cli``): never a wrong number.

What is not a finite number is refused with its file, line, column and value; nothing is skipped or
converted by locale. Values are read in batches, in the order of the file.

From the ground up: `locations` are files, `tables` and `texts` what text is, `relations`, `databases` and
`sources` what DuckDB scans, `scanning` turns its rows into numbers or says which is none, `gathering` keeps them
in bounded memory, `data` is all that was named, `grouping` its groups.
"""

from gmm1d.readers.data import Data, read_column

__all__ = ["Data", "read_column"]
