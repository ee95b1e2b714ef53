"""Columns of Spark: on a cluster of two executors in processes of their own, whose fits are those of one machine."""

import math
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import gmm1d
from gmm1d import Mixture, Sketch
from gmm1d.clusters import spark as room
from gmm1d.clusters import spark_workers as workers
from gmm1d.clusters.spark import (
    log_density,
    log_likelihood,
    predict,
    responsibilities,
    sketch,
    sketches,
)
from gmm1d.errors import InputError, MissingExtraError

pyspark = pytest.importorskip("pyspark")
pa = pytest.importorskip("pyarrow")

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

pytestmark = [
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.skipif(
        not (shutil.which("java") or "JAVA_HOME" in os.environ),
        reason="Spark needs Java: apt-get install default-jre-headless",
    ),
]
FAITHFUL = np.loadtxt(Path(__file__).parents[1] / "examples/data/faithful_waiting.txt")
MIXTURE = Mixture([0.3, 0.7], [-2, 3], stds=[1, 1.5])
KINDS = {"part": pa.int64(), "turn": pa.int64(), "fault": pa.string(), "sketch": pa.binary()}
QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # to start, for tests are over soon
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "1000",
    "spark.sql.session.timeZone": "UTC",
    "spark.task.maxFailures": "2",
    "spark.driver.extraJavaOptions": QUICK,
    "spark.executor.extraJavaOptions": QUICK,
}


CONNECT = """
import pathlib, sys
from pyspark.sql import SparkSession, functions as F
import gmm1d
from gmm1d.clusters.spark import log_likelihood, predict, sketch, sketches
builder = SparkSession.builder.remote("local[2]").config("spark.ui.enabled", "false")
spark = builder.config("spark.driver.extraJavaOptions", sys.argv[2]).getOrCreate()
df = spark.range(0, 4000, 1, 4).select("id", F.randn(1).alias("x"))
found = sketch(df, F.col("x"))
f = gmm1d.fit(found, 1)
assert set(sketches(df, "x", F.col("id") % 2)) == {0, 1}
assert abs(log_likelihood(f, df, "x") - f.log_likelihood) < 1e-9 * abs(f.log_likelihood)
assert df.select(predict(f, "x")).first()[0] == 0
for column in ("y", F.col("y")):
    try:
        sketch(df, column)
    except gmm1d.errors.InputError as error:
        assert "y" in str(error)
    else:
        raise SystemExit("no error")
spark.stop()
expected = pathlib.Path(sys.argv[1]).read_bytes()
print("same bits" if found.to_bytes() == expected else "other bits")
"""


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    builder = SparkSession.builder.master("local-cluster[2,1,1024]").appName("gmm1d")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    folder = str(tmp_path_factory.mktemp("spark"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYSPARK_PYTHON", sys.executable)
        environment.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        session = builder.config("spark.local.dir", folder).getOrCreate()
        session.sparkContext.setLogLevel("OFF")
        logs = Path(pyspark.__file__).parent / "work" / session.sparkContext.applicationId
        yield session
        session.stop()
        shutil.rmtree(logs, ignore_errors=True)


@pytest.fixture(scope="module")
def frame(spark: SparkSession) -> DataFrame:
    """A million values: nearly all in the first of five partitions, none in the fourth, one in the last."""
    rows = spark.range(0, 4_800_000, 1, 5).where(
        "id < 960010 OR id BETWEEN 1920000 AND 1959988 OR id = 4000000"
    )
    x = F.when(F.rand(1) < 0.3, F.randn(2) - 2).otherwise(1.5 * F.randn(3) + 3)
    city = F.when(F.rand(4) < 0.5, "Rome").when(F.rand(5) < 0.5, "Oslo")
    return rows.select("id", x.alias("x"), (F.col("id") % 4).alias("w"), city.alias("city")).cache()


@pytest.fixture(scope="module")
def x(frame: DataFrame) -> Any:
    return column(frame, "x")


@pytest.fixture
def small(spark: SparkSession) -> DataFrame:
    """Four partitions of 1000 rows."""
    return spark.range(0, 4000, 1, 4).select("id", F.randn(1).alias("x"), F.lit("a").alias("text"))


def column(frame: DataFrame, name: str) -> Any:
    return np.array(frame.select(name).toArrow()[name].to_pylist())


def comparable(counts: dict[Any, int]) -> dict[Any, int]:
    """Write NaN, which equals nothing, as text."""
    return {
        tuple("NaN" if isinstance(part, float) and math.isnan(part) else part for part in label): n
        for label, n in counts.items()
    }


def assert_same_fit(found: gmm1d.Fit, expected: gmm1d.Fit) -> None:
    ours, theirs = found.mixture, expected.mixture
    assert np.abs((ours.means - theirs.means) / theirs.stds).max() < 1e-9
    assert np.abs(np.log(ours.stds / theirs.stds)).max() < 1e-9
    assert np.abs(np.log(ours.weights / theirs.weights)).max() < 1e-9


def test_the_fit_is_that_of_one_machine(frame: DataFrame, x: Any) -> None:
    found = sketch(frame, "x")
    assert (found.size, found.low, found.high) == (x.size, x.min(), x.max())
    assert_same_fit(gmm1d.fit(found, 2), gmm1d.fit(x, 2))


def test_the_fit_of_real_data(spark: SparkSession) -> None:
    times = spark.createDataFrame([(float(t),) for t in FAITHFUL], ["waiting"]).repartition(3)
    assert_same_fit(gmm1d.fit(sketch(times), 2), gmm1d.fit(FAITHFUL, 2))


def test_the_same_bits_however_spark_sends_the_rows(spark: SparkSession, frame: DataFrame) -> None:
    some = frame.where("id < 40000")

    def found() -> list[bytes]:
        groups = sketches(some, "x", "city").values()
        return [each.to_bytes() for each in (sketch(some, "x"), *groups)]

    expected, options = found(), "spark.sql.execution.arrow."
    spark.conf.set(f"{options}maxRecordsPerBatch", "77777")
    spark.conf.set(f"{options}useLargeVarTypes", "true")
    try:
        assert found() == expected
    finally:
        spark.conf.set(f"{options}maxRecordsPerBatch", "1000")
        spark.conf.unset(f"{options}useLargeVarTypes")


def test_the_driver_adds_up_few_sums(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    received = []

    def sound(frame: DataFrame) -> Any:
        received.append(rows := checked(frame))
        return rows

    checked = room._sound
    monkeypatch.setattr(room, "_sound", sound)
    many = spark.range(0, 4000, 1, 40).select(F.randn(1).alias("x"))
    found = sketch(many)
    assert len(received[0]) == room.FAN
    order = [part for first in range(room.FAN) for part in range(first, 40, room.FAN)]
    pieces = np.split(column(many, "x"), 40)
    assert found.to_bytes() == sum(Sketch().add(pieces[i]) for i in order).to_bytes()


def test_rows_are_added_up_in_the_order_of_their_partitions() -> None:
    """However they arrive; the sum of the weights may be too large, and the first fault is kept."""
    rng = np.random.default_rng(1)
    pieces = [Sketch().add(rng.normal(size=20_000)) for _ in range(5)]
    rows = [
        {"part": i // 2, "turn": i % 2, "fault": None, "sketch": each.to_bytes()}
        for i, each in enumerate(pieces)
    ]
    expected = sum(pieces).to_bytes()
    assert sum(pieces[::-1]).to_bytes() != expected
    shuffled = [rows[i] for i in (3, 0, 4, 2, 1)]
    assert workers.sum_of(pa.Table.from_pylist(shuffled, pa.schema(KINDS)))[
        "sketch"
    ].to_pylist() == [expected]
    for i in (3, 1):
        rows[i]["fault"] = f"fault {i}"
        table = pa.Table.from_pylist(shuffled, pa.schema(KINDS))
        assert workers.sum_of(table)["fault"].to_pylist() == [f"fault {i}"]
    heavy = Sketch().add([1.0], [1e308]).to_bytes()
    rows = [{"part": i, "turn": 0, "fault": None, "sketch": heavy} for i in range(2)]
    table = workers.sum_of(pa.Table.from_pylist(rows, pa.schema(KINDS)))
    assert "adds up to inf" in table["fault"][0].as_py()


def test_a_narrow_group_that_no_partition_shows_is_read_once_more(spark: SparkSession) -> None:
    rare = F.when(F.rand(1) < 0.001, 1e-4 * F.randn(2) + 0.3).otherwise(F.randn(3))
    frame = spark.range(0, 800_000, 1, 16).select(rare.alias("x")).cache()
    found = gmm1d.fit(sketch(frame), 2)
    assert abs(found.compression_error) < 1e-10 * found.n
    assert_same_fit(found, gmm1d.fit(column(frame, "x"), 2))


def test_a_weight_is_a_repeated_row(frame: DataFrame, x: Any) -> None:
    found, w = sketch(frame, "x", sample_weight="w"), column(frame, "w")
    assert (found.n, found.size) == (w.sum(), x.size)
    assert_same_fit(gmm1d.fit(found, 2), gmm1d.fit(np.repeat(x, w), 2))


def test_columns_are_named_as_in_spark(small: DataFrame) -> None:
    expected = sketch(small, "x").to_bytes()
    odd = small.select(F.col("x").alias("a.`b"), F.struct("x").alias("pair"))
    for data, name in ((small, "X"), (small, F.col("x")), (odd, "a.`b"), (odd, "pair.x")):
        assert sketch(data, name).to_bytes() == expected
    weighted = sketch(small, "x", sample_weight=F.col("id") * 0 + 1)
    assert weighted.to_bytes() == expected


@pytest.mark.parametrize("kind", ["tinyint", "bigint", "float", "decimal(20, 3)"])
def test_all_numbers_are_doubles(small: DataFrame, kind: str) -> None:
    frame = small.select(F.expr(f"cast(x * 20 AS {kind})").alias("x"))
    pieces = np.split(np.array([float(each) for each in column(frame, "x")]), 4)
    assert sketch(frame).to_bytes() == sum(Sketch().add(each) for each in pieces).to_bytes()


def test_the_groups_are_those_of_one_machine(frame: DataFrame, x: Any) -> None:
    found = sketches(frame, "x", "city", sample_weight="w")
    assert list(found) == ["Oslo", "Rome", None]
    city, w = column(frame, "city"), column(frame, "w")
    for label, each in found.items():
        assert_same_fit(
            gmm1d.fit(each, 2),
            gmm1d.fit(x[city == label], 2, sample_weight=w[city == label]),
        )
    fits = gmm1d.fit_many(found, 2)
    assert fits.names == ("Oslo", "Rome", None)


def test_groups_by_several_columns_of_any_plain_type(small: DataFrame) -> None:
    by = {
        "odd": F.col("id") % 2 == 1,
        "day": F.date_add(F.lit("2026-01-01").cast("date"), (F.col("id") % 3).cast("int")),
        "at": F.lit("2026-01-01 12:00").cast("timestamp"),
        "price": (F.col("id") % 2).cast("decimal(4,1)"),
        "level": F.when(F.col("id") % 5 == 0, F.lit(math.nan))
        .when(F.col("id") % 5 < 3, -0.0)
        .otherwise(0.0),
    }
    labels = [each.alias(name) for name, each in by.items()]
    found = sketches(small, "x", labels)
    rows = small.groupBy(*labels).count().collect()
    assert comparable({label: each.size for label, each in found.items()}) == comparable(
        {tuple(row)[:-1]: row["count"] for row in rows}
    )
    assert all(isinstance(label[3], Decimal) for label in found)


def test_groups_are_handed_on_before_they_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PART", 100)
    monkeypatch.setattr(workers, "HELD", 250)
    monkeypatch.setattr(workers, "_here", lambda: 7)
    x, key = np.random.default_rng(1).normal(size=1000), np.arange(1000) % 3
    batches = [
        pa.record_batch({"x": x[i:][:70], "label0": key[i:][:70]}) for i in range(0, 1000, 70)
    ]
    rows = [row for batch in workers.sketches_of(batches) for row in batch.to_pylist()]
    assert [(row["label0"], row["part"], row["turn"]) for row in rows] == [
        (label, 7, turn)
        for turn in range(4)
        for label in {0: (0, 1, 2), 1: (0, 1, 2), 2: (0, 1, 2), 3: (0, 1, 2)}[turn]
    ]


def test_a_fault_of_one_partition_is_one_error_that_names_it(small: DataFrame) -> None:
    def spoilt(name: str, number: int, value: Any) -> DataFrame:
        good = F.col("x") if name == "x" else F.lit(1.0)
        frame = small.select("x", F.lit("a").alias("city"), F.lit(1.0).alias("w"), "id")
        return frame.withColumn(name, F.when(F.col("id") == number, F.lit(value)).otherwise(good))

    missing = r"partition 3: {} with NaN at index 17 \(1 of 1000 values\): drop or fill"
    for name, what in (("x", "data"), ("w", "sample_weight")):
        for value in (None, math.nan):
            with pytest.raises(InputError, match=missing.format(what)):
                sketch(spoilt(name, 3017, value), "x", sample_weight="w")
    with pytest.raises(InputError, match=r"partition 1: data with -infinity at index 5 \("):
        log_likelihood(MIXTURE, spoilt("x", 1005, -math.inf), "x")
    with pytest.raises(InputError, match=r"partition 0: .* negative"):
        log_likelihood(MIXTURE, spoilt("w", 5, -1.0), "x", sample_weight="w")
    with pytest.raises(InputError, match=r"partition 2, group 'a': data with NaN at index 1 \("):
        sketches(spoilt("x", 2001, None), "x", "city")


def test_the_first_faulty_partition_is_named_and_the_rest_of_a_partition_left(
    spark: SparkSession,
) -> None:
    frame = spark.range(0, 3_600_000, 1, 3).select(F.when(F.col("id") % 1_200_000 > 0, 1.0))
    with pytest.raises(InputError, match=r"^partition 0: data with NaN at index 0 "):
        sketch(frame)


def test_what_is_no_column_of_numbers_is_refused_before_any_work(
    small: DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_sound", None)
    x = F.col("x")
    cases: list[tuple[str, Callable[[], Any]]] = [
        (r"data with 3 columns \(id, x, text\): name one", lambda: sketch(small)),
        (r"no column 'price': the DataFrame has id, x, text", lambda: sketch(small, "price")),
        (r"no column 'w': the", lambda: sketch(small, "x", sample_weight="w")),
        (r"no column 'city': the", lambda: sketches(small, "x", "city")),
        (r"column \['id', 'x'\]: give one name", lambda: sketch(small, ["id", "x"])),
        (r"column array\(", lambda: sketch(small, "x", sample_weight=np.ones(4000))),
        (r"column 1: give one name", lambda: sketch(small, 1)),
        (r"3 columns where 1 are meant", lambda: sketch(small, F.col("*"))),
        (r"Spark finds no such columns: .*`price`", lambda: sketch(small, F.col("price"))),
        (r"'text' is of the type string: name a column of num", lambda: sketch(small, "text")),
        (r"type boolean", lambda: sketch(small, x > 0)),
        (r"type array<double>", lambda: sketch(small, F.array(x))),
        (r"type date", lambda: sketch(small, F.current_date())),
        (r"type interval", lambda: sketch(small, F.make_dt_interval())),
        (r"type void", lambda: sketch(small, F.lit(None))),
        (r"type struct<.*>: name a column of labels", lambda: sketches(small, "x", F.struct(x))),
        (r"type string", lambda: log_likelihood(MIXTURE, small, "text")),
        (r"model is a dict: hand in a Fit", lambda: log_likelihood({}, small, "x")),
        (r"model is a str", lambda: predict("model", "x")),
        (r"in a list: hand in a Spark", lambda: sketch([1.0], "x")),
        (r"in a pyspark.*Column: hand in", lambda: sketch(x)),
    ]
    for sentence, call in cases:
        with pytest.raises(InputError, match=sentence):
            call()


def test_no_rows_are_no_data(small: DataFrame) -> None:
    for call in (
        lambda: sketch(small.where("false"), "x"),
        lambda: sketches(small.where("false"), "x", "text"),
        lambda: log_likelihood(MIXTURE, small.where("false"), "x"),
    ):
        with pytest.raises(InputError, match="no data: "):
            call()


def test_log_likelihood_is_that_of_one_machine(frame: DataFrame, x: Any) -> None:
    expected = math.fsum(MIXTURE.logpdf(x))
    assert log_likelihood(MIXTURE, frame, "x") == pytest.approx(expected, rel=1e-14)
    w = column(frame, "w")
    found = log_likelihood(gmm1d.fit(x, 2), frame, "x", sample_weight="w")
    expected = math.fsum(w * gmm1d.fit(x, 2).mixture.logpdf(x))
    assert found == pytest.approx(expected, rel=1e-14)
    with pytest.raises(InputError, match="log-density leaves float64"):
        log_likelihood(MIXTURE, frame.withColumn("x", F.lit(1e300)), "x")


def test_columns_of_components_and_densities(small: DataFrame) -> None:
    """Each is what the mixture says, and NULL of NULL."""
    frame = small.withColumn("x", F.when(F.col("id") % 3 > 0, 3 * F.col("x"))).select(
        "x",
        predict(MIXTURE, "x").alias("component"),
        responsibilities(MIXTURE, F.col("x")).alias("shares"),
        log_density(MIXTURE, F.col("x").cast("decimal(20, 6)")).alias("log"),
        predict(MIXTURE, F.lit(None)),
    )
    kinds = ["double", "int", "array<double>", "double", "int"]
    assert [kind for _, kind in frame.dtypes] == kinds
    assert frame.columns[-1] == "predict(NULL)"
    table = frame.toArrow()
    missing = table["x"].is_null().to_pylist()
    assert sum(missing) == 1334
    for name in ("component", "shares", "log"):
        assert table[name].is_null().to_pylist() == missing
    whole = table.drop_columns("predict(NULL)").drop_null()
    x = np.array(whole["x"].to_pylist())
    assert whole["component"].to_pylist() == MIXTURE.predict(x).tolist()
    assert whole["shares"].to_pylist() == MIXTURE.responsibilities(x).tolist()
    logs = [float(round(Decimal(each), 6)) for each in x.tolist()]
    np.testing.assert_allclose(whole["log"].to_pylist(), MIXTURE.logpdf(logs), rtol=1e-14)


def test_what_has_no_component_fails_in_spark_with_our_sentence(small: DataFrame) -> None:
    infinite = small.withColumn("x", F.when(F.col("id") == 1003, math.inf).otherwise(F.col("x")))
    with pytest.raises(PySparkException, match=r"partition 1: data with infinity at index 3 \("):
        infinite.select(predict(MIXTURE, "x")).collect()
    with pytest.raises(PySparkException, match=r"column of the type string: give logpdf one of"):
        small.select(log_density(MIXTURE, "text")).collect()


def deadly(frame: DataFrame, flag: Path, victim: str) -> DataFrame:
    """Pass rows on, but kill the Python worker, or its executor, in the middle of one task; once."""

    def strike(batches: Any) -> Any:
        for i, batch in enumerate(batches):
            if i == 1 and pyspark.TaskContext.get().partitionId() == 2 and not flag.exists():
                flag.touch()
                process = os.getpid()
                for _ in range(2 if victim == "executor" else 0):  # its daemon, then the executor
                    process = int(Path(f"/proc/{process}/stat").read_text().split()[3])
                os.kill(process, signal.SIGKILL)
            yield batch

    return frame.mapInArrow(strike, frame.schema)


@pytest.mark.skipif(not Path("/proc").exists(), reason="finds processes in /proc")
@pytest.mark.parametrize("victim", ["worker", "executor"])
def test_a_lost_worker_changes_no_bit(spark: SparkSession, victim: str, tmp_path: Path) -> None:
    label = (F.col("id") % 3).alias("label")
    frame = spark.range(0, 20_000, 1, 4).select(F.randn(1).alias("x"), label)
    expected = sketch(frame, "x").to_bytes()
    assert sketch(deadly(frame, tmp_path / "one", victim), "x").to_bytes() == expected
    groups = sketches(frame, "x", "label")
    again = sketches(deadly(frame, tmp_path / "two", victim), "x", "label")
    assert [each.to_bytes() for each in again.values()] == [
        each.to_bytes() for each in groups.values()
    ]
    assert {path.name for path in tmp_path.iterdir()} == {"one", "two"}


def test_a_job_that_fails_for_good_fails_as_spark_says(small: DataFrame) -> None:
    def fail(batches: Any) -> Any:
        raise RuntimeError("the disk is gone")
        yield from batches

    with pytest.raises(PySparkException, match="the disk is gone"):
        sketch(small.mapInArrow(fail, small.schema), "x")


def test_spark_is_asked_for_by_the_name_of_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyspark, "__version__", "3.5.6")
    with pytest.raises(MissingExtraError, match=r"pyspark 4\.0 or newer.*gmm1d\[spark\]"):
        sketch(SimpleNamespace(columns=["x"]))
    with pytest.raises(MissingExtraError, match=r"pyspark 4\.1 or newer, not 3\.5\.6"):
        predict(MIXTURE, "x")
    for name in [name for name in sys.modules if name.split(".")[0] == "pyspark"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(MissingExtraError, match=r"not installed: pip install 'gmm1d\[spark\]'"):
        sketch(SimpleNamespace(columns=["x"]))


def test_spark_connect(small: DataFrame, tmp_path: Path) -> None:
    """A client that has no Java gateway gets the same bits and the same errors."""
    pytest.importorskip("grpc", reason="Spark Connect needs pip install 'pyspark[connect]'")
    expected = tmp_path / "expected"
    expected.write_bytes(sketch(small, "x").to_bytes())
    environment = {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    run = [sys.executable, "-W", "ignore", "-c", CONNECT, str(expected), QUICK]
    done = subprocess.run(
        run, cwd=tmp_path, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "same bits\n"), done.stderr[-2000:]
