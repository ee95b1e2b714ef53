"""Columns on a real Dask cluster of worker processes: the fit of the whole, whatever happens to partitions and workers."""

import copy
import logging
import os
import pickle
import signal
import sys
import types
from pathlib import Path

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster

import gmm1d
from gmm1d.clusters.dask import (
    log_density,
    log_likelihood,
    predict,
    responsibilities,
    sketch,
    sketches,
)
from gmm1d.errors import InputError, MissingExtraError

# Frames are made here and sent to the workers, which Dask advises against, as it should.
pytestmark = pytest.mark.filterwarnings("ignore:Sending large graph:UserWarning")
M = gmm1d.Mixture([0.3, 0.5, 0.2], [-2, 1, 5], [0.5, 1, 2])
X = M.rvs(200_000, rng=1)
FRAME = pd.DataFrame(
    {
        "x": X,
        "w": np.random.default_rng(2).integers(0, 4, X.size),
        "city": np.random.default_rng(3).choice(["Rome", "Oslo", None], X.size),
        "day": np.random.default_rng(4).integers(0, 3, X.size),
    }
)
FIT = gmm1d.fit(X, 3)
WAITING = np.loadtxt(Path(__file__).parents[1] / "examples" / "data" / "faithful_waiting.txt")


@pytest.fixture(scope="module")
def client():
    options = {"dashboard_address": None, "silence_logs": logging.CRITICAL}
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, **options) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture(params=["threads", "cluster"])
def anywhere(request):
    """Run a test without a cluster, on Dask's own threads, and on two worker processes."""
    if request.param == "cluster":
        request.getfixturevalue("client")


def frame(npartitions=7):
    return dd.from_pandas(FRAME, npartitions=npartitions)


def equals(fit, other):
    """Say that two fits are equal to 1e-9."""
    a, b = fit.mixture, other.mixture
    np.testing.assert_allclose((a.means - b.means) / b.stds, 0, atol=1e-9)
    np.testing.assert_allclose(np.log(a.stds / b.stds), 0, atol=1e-9)
    np.testing.assert_allclose(a.weights, b.weights, atol=1e-9)
    assert fit.log_likelihood == pytest.approx(other.log_likelihood, rel=1e-9)
    assert fit.status == other.status


# --- the fit of the whole -----------------------------------------------------------------------


@pytest.mark.usefixtures("anywhere")
@pytest.mark.parametrize(
    "make",
    [
        lambda: sketch(frame()["x"]),
        lambda: sketch(frame()[["x"]]),
        lambda: sketch(frame(), "x"),
        lambda: sketch(frame(1), "x"),
        lambda: sketch(frame(100), "x"),
        lambda: sketch(da.from_array(X, chunks=30_001)),
        lambda: sketch(da.from_array(X[:, None], chunks=(30_001, 1))),
    ],
    ids=["series", "frame of one", "named", "one partition", "100 partitions", "array", "column"],
)
def test_a_fit_on_the_cluster_is_the_local_one(make):
    equals(gmm1d.fit(make(), 3), FIT)


@pytest.mark.usefixtures("client")
def test_few_values_on_the_cluster_give_the_same_bits():
    found = gmm1d.fit(sketch(dd.from_pandas(pd.Series(WAITING), npartitions=5)), 2)
    assert found.mixture == gmm1d.fit(WAITING, 2).mixture


@pytest.mark.usefixtures("anywhere")
@pytest.mark.parametrize(
    "make",
    [
        lambda: sketch(frame(), "x", sample_weight="w"),
        lambda: sketch(frame()["x"], sample_weight=frame()["w"]),
        lambda: sketch(frame(), "x", sample_weight=frame()["w"]),
        lambda: sketch(
            da.from_array(X, chunks=30_000),
            sample_weight=da.from_array(FRAME["w"].to_numpy(), chunks=30_000),
        ),
    ],
    ids=["name", "series", "frame and series", "array"],
)
def test_weights_count_as_they_do_locally(make):
    equals(gmm1d.fit(make(), 3), gmm1d.fit(X, 3, sample_weight=FRAME["w"]))


@pytest.mark.usefixtures("client")
def test_importance_weights_are_scaled_by_those_of_all_partitions():
    found = gmm1d.fit(sketch(frame()["x"], sample_weight=frame()["w"] * 0.3), 3)
    expected = gmm1d.fit(X, 3, sample_weight=0.3 * FRAME["w"])
    equals(found, expected)
    assert found.n == pytest.approx(expected.n, rel=1e-12)
    assert found.notes == expected.notes


@pytest.mark.usefixtures("client")
def test_partitions_may_be_empty_or_one_may_hold_nearly_all():
    skewed = dd.from_pandas(FRAME.sort_index(), npartitions=8).repartition(
        divisions=[0, 1, 2, 199_000, 199_999]
    )
    equals(gmm1d.fit(sketch(skewed["x"]), 3), FIT)
    numbered = dd.from_pandas(FRAME.assign(row=FRAME.index), npartitions=7)
    late = numbered.query("row >= 150_000")
    assert late.map_partitions(len).compute().tolist()[:5] == [0] * 5
    assert sketch(late["x"]).n == 50_000
    nothing = frame()[frame()["x"] > 1e9]
    for work in (lambda: sketch(nothing["x"]), lambda: sketches(nothing, "x", "day")):
        with pytest.raises(InputError, match="no data: the column has no rows"):
            work()
    with pytest.raises(InputError, match="no data: there are no values of positive weight"):
        log_likelihood(FIT, nothing, "x")


@pytest.mark.usefixtures("client")
def test_the_data_are_read_again_for_a_narrow_group_that_partitions_do_not_show():
    rare = gmm1d.Mixture([0.999, 0.001], [0, 0.3], [1, 1e-4])
    x = rare.rvs(800_000, rng=4)
    found = gmm1d.fit(sketch(da.from_array(x, chunks=50_000)), 2)
    local = gmm1d.fit(x, 2)
    assert abs(found.compression_error) < 1e-10 * x.size
    equals(found, local)


def test_what_the_cluster_gave_is_pickled_and_copied():
    found = sketch(frame()["x"])
    fit = gmm1d.fit(found, 3)
    for kept in (pickle.loads(pickle.dumps(found)), copy.copy(found), copy.deepcopy(found)):
        assert kept.to_bytes() == found.to_bytes()
    for kept in (pickle.loads(pickle.dumps(fit)), copy.copy(fit), copy.deepcopy(fit)):
        assert kept.mixture == fit.mixture
    assert copy.copy(fit.sample).readable
    assert not pickle.loads(pickle.dumps(fit.sample)).readable


# --- groups -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("anywhere")
def test_groups_spread_over_partitions_are_fitted_as_they_are_locally():
    groups = sketches(frame(), "x", "city")
    assert list(groups) == ["Oslo", "Rome", None]
    fits = gmm1d.fit_many(groups, 3)
    for label, city in FRAME.groupby("city", dropna=False):
        name = None if pd.isna(label) else label
        mine, local = fits[name], gmm1d.fit(city["x"], 3).mixture
        np.testing.assert_allclose(mine.means, local.means, rtol=1e-9, err_msg=str(name))


@pytest.mark.usefixtures("client")
def test_groups_of_several_labels_and_weights():
    groups = sketches(frame(), "x", ["city", "day"], sample_weight="w")
    assert len(groups) == 9
    totals = FRAME.groupby(["city", "day"])["w"].sum()
    assert all(groups[label].n == total for label, total in totals.items())
    assert groups[None, 0].n == FRAME.query("city.isna() and day == 0")["w"].sum()


# --- scores and predictions ---------------------------------------------------------------------


@pytest.mark.usefixtures("anywhere")
def test_scores_and_predictions_are_those_of_the_mixture():
    ddf, m = frame(), FIT.mixture
    array = da.from_array(X, chunks=30_000)
    for data in ((ddf, "x"), (ddf["x"],), (array,)):
        assert log_likelihood(FIT, *data) == pytest.approx(FIT.log_likelihood, rel=1e-12)
    weighted = log_likelihood(m, ddf, "x", sample_weight="w")
    assert weighted == pytest.approx(np.sum(FRAME["w"] * m.logpdf(X)), rel=1e-12)
    for column in (ddf["x"], array):
        assert (np.asarray(predict(FIT, column).compute()) == m.predict(X)).all()
        shares = responsibilities(m, column)
        assert shares.shape[1] == 3
        assert (np.asarray(shares.compute()) == m.responsibilities(X)).all()
        assert (np.asarray(log_density(m, column).compute()) == m.logpdf(X)).all()
    labelled = ddf.assign(component=predict(FIT, ddf["x"]))
    assert labelled.dtypes["component"] == np.intp
    assert labelled.compute().index.equals(FRAME.index)


# --- what goes wrong ----------------------------------------------------------------------------


def spoilt(value, name="x"):
    bad = FRAME.copy()
    bad[name] = bad[name].astype(float)
    bad.loc[150_003, name] = value
    return dd.from_pandas(bad, npartitions=4)


@pytest.mark.usefixtures("anywhere")
@pytest.mark.parametrize(
    ("work", "sentence"),
    [
        (lambda: sketch(spoilt(np.nan), "x"), "partition 3: data with NaN at index 3"),
        (lambda: sketch(spoilt(np.inf), "x"), "partition 3: data with infinity at index 3"),
        (
            lambda: sketch(spoilt(-1, "w"), "x", sample_weight="w"),
            "partition 3: sample_weight with a negative value at index 3",
        ),
        (
            lambda: sketches(spoilt(np.nan), "x", "day"),
            "partition 3, group [012]: data with NaN at index",
        ),
        (
            lambda: log_likelihood(FIT, spoilt(np.nan), "x"),
            "partition 3: data with NaN at index 3",
        ),
        (
            lambda: predict(FIT, spoilt(np.nan)["x"]).compute(),
            "partition 3: data with NaN at index 3",
        ),
        (
            lambda: responsibilities(FIT, spoilt(np.nan)["x"].values).compute(),
            "partition 3: data with NaN at index 3",
        ),
        (lambda: sketch(frame(), "city"), "partition .: data with (text|a missing value)"),
    ],
    ids=["NaN", "infinity", "weight", "group", "score", "predict", "array", "text"],
)
def test_a_value_that_is_no_number_is_named_with_its_partition(work, sentence):
    with pytest.raises(InputError, match=sentence):
        work()


@pytest.mark.parametrize(
    ("work", "sentence"),
    [
        (lambda: sketch(frame()), r"data with 4 columns \(x, w, city, day\): name one of them"),
        (lambda: sketch(frame(), "z"), "no column 'z': the DataFrame has x, w, city, day"),
        (lambda: sketch(frame(), "x", sample_weight="z"), "no column 'z'"),
        (lambda: sketches(frame(), "x", ["z"]), "no column 'z'"),
        (lambda: sketch(frame()["x"], "x"), "a Dask Series has no names of columns"),
        (lambda: sketch(FRAME, "x"), "data is a pandas DataFrame: hand in a Dask DataFrame"),
        (lambda: sketch(da.ones((6, 2))), r"data of the shape \(6, 2\): gmm1d takes one column"),
        (
            lambda: sketch(da.ones(6, chunks=3), sample_weight=da.ones(6, chunks=2)),
            "sample_weight of 3 partitions for 2: give it the partitions of the data",
        ),
        (
            lambda: sketch(da.ones(6, chunks=3), sample_weight=da.ones(4, chunks=2)),
            "partition .: sample_weight of 2 values for 3 points",
        ),
        (
            lambda: sketch(frame()["x"], sample_weight="w"),
            "sample_weight is 'w': hand in a Dask DataFrame, Series or Array",
        ),
        (lambda: predict(FIT, X), "column is a ndarray: hand in a Dask Series or Array"),
        (lambda: predict("fit.json", da.ones(3)), "model is a str: hand in a Fit or a Mixture"),
    ],
)
def test_what_cannot_be_used_is_refused(work, sentence):
    with pytest.raises(InputError, match=sentence):
        work()


def test_a_missing_or_old_dask_is_named_with_its_extra(monkeypatch):
    data = frame()["x"]
    monkeypatch.setitem(sys.modules, "dask", types.SimpleNamespace(__version__="2024.12.1"))
    with pytest.raises(MissingExtraError, match=r"dask 2025\.1 or newer, not 2024\.12\.1"):
        sketch(data)
    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(MissingExtraError, match=r"dask, .*: pip install 'gmm1d\[dask\]'"):
        sketch(data)


def test_the_core_does_without_dask():
    code = "import gmm1d, gmm1d.clusters.dask, sys; assert 'dask' not in sys.modules"
    assert os.spawnl(os.P_WAIT, sys.executable, sys.executable, "-c", code) == 0


def dying_once(part, marker):
    """Kill the worker that computes the third partition, the first time."""
    if 3 in part["day"].to_numpy() and not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return part


def test_a_killed_worker_changes_nothing(client, tmp_path):
    before = sketch(frame(), "x").to_bytes()
    marked = FRAME.copy()
    marked.loc[100_000, "day"] = 3
    ddf = dd.from_pandas(marked, npartitions=7)
    workers = set(client.scheduler_info()["workers"])
    mortal = ddf.map_partitions(dying_once, str(tmp_path / "marker"), meta=ddf._meta)
    assert sketch(mortal, "x").to_bytes() == before
    assert (tmp_path / "marker").exists()
    client.wait_for_workers(2)
    assert set(client.scheduler_info()["workers"]) != workers
