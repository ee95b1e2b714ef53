"""Columns on a cluster: a `Sketch` of each partition, added up by the engine that the data live in.

`gmm1d.clusters.dask` and `gmm1d.clusters.spark` have the same functions; each needs the extra of its name.
"""
