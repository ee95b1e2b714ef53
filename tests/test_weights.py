"""What weights of observations mean: counts, or importance weights whose unit changes nothing."""

import json
import math
import struct
import tracemalloc
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import test_cli
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import gmm1d
from gmm1d import textbook, views
from gmm1d.clusters.partitions import read_all, sketched
from gmm1d.errors import FitWarning, InputError
from gmm1d.explore.fits import Fitter
from gmm1d.sample import Sample
from gmm1d.sketch import Sketch

CURVE = np.loadtxt(
    Path(__file__).parent / "data" / "questions" / "density_curve.csv", delimiter=",", skiprows=1
)
GRID, HEIGHT = CURVE[:, 0], np.maximum(CURVE[:, 1], 0)
FRACTIONS = hnp.arrays(np.float64, 40, elements=st.floats(0.01, 1).filter(lambda v: v % 1 > 0))


def bumps(m=40, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=m) + np.where(rng.random(m) < 0.4, 5.0, 0.0)


def heavy(m, seed=1):
    """Return fractional weights (m,), some of them zero."""
    rng = np.random.default_rng(seed)
    return rng.exponential(size=m) * (rng.random(m) < 0.9)


def kish(w):
    return math.fsum(w) ** 2 / math.fsum(np.square(w))


def quiet(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return gmm1d.fit(*args, **options)


def same_bits(first, second):
    assert first.mixture == second.mixture
    for name in ("n", "log_likelihood", "bic", "icl", "status", "certificate"):
        a, b = getattr(first, name), getattr(second, name)
        if name == "certificate":
            a, b = a.gradient_norm, b.gradient_norm
        assert a == b, name


def close(first, second, rtol=1e-9):
    a, b = first.mixture, second.mixture
    assert first.status is second.status
    np.testing.assert_allclose((a.means - b.means) / b.stds, 0, atol=rtol)
    np.testing.assert_allclose(a.stds, b.stds, rtol=rtol)
    np.testing.assert_allclose(a.weights, b.weights, rtol=rtol)
    assert first.n == pytest.approx(second.n, rel=1e-12)
    assert first.log_likelihood == pytest.approx(second.log_likelihood, rel=1e-10)


# The public question


@pytest.mark.parametrize("unit", [2.0**-40, 1e-12, 1 / 7.3, 1.0, 1e6, 2.0**30, 1e150])
def test_a_density_curve_has_three_components_in_any_unit(unit):
    expected = gmm1d.fit(GRID, 3, sample_weight=HEIGHT)
    found = gmm1d.fit(GRID, 3, sample_weight=unit * HEIGHT)
    assert found.status.name == "CONVERGED"
    assert found.n == pytest.approx(kish(HEIGHT), rel=1e-12)
    close(found, expected, 1e-8)
    np.testing.assert_allclose(
        found.standard_errors().means, expected.standard_errors().means, rtol=1e-6
    )
    compared = gmm1d.compare(GRID, [1, 2, 3], sample_weight=unit * HEIGHT)
    same_bits(compared[3], found)
    assert [compared[k].bic for k in (1, 2, 3)] == pytest.approx(
        [gmm1d.fit(GRID, k, sample_weight=HEIGHT).bic for k in (1, 2, 3)], rel=1e-9
    )


# Laws


@given(FRACTIONS, st.integers(-300, 300))
def test_units_that_are_powers_of_two_leave_every_bit(w, exponent):
    x = bumps()
    first, second = Sample.of(x, w), Sample.of(x, np.ldexp(w, exponent))
    np.testing.assert_array_equal(first.nodes, second.nodes)
    assert (first.n, first.centre, first.unit) == (second.n, second.centre, second.unit)
    assert first.n == pytest.approx(kish(w), rel=1e-13)
    assert first.weights_are == second.weights_are == "importance"


@given(FRACTIONS, st.sampled_from([7.3, 1e-9, 1 / 3]))
@settings(max_examples=15)
def test_other_units_change_nothing_but_rounding(w, unit):
    first, second = (quiet(bumps(), 1, sample_weight=u * w) for u in (1, unit))
    close(first, second)
    assert first.bic == pytest.approx(second.bic, rel=1e-10)


@pytest.mark.parametrize("m", [100, 30_000])
@pytest.mark.parametrize("weight", [0.1, 0.3, 1 / 49, 1e-200, 1e16 / 3])
def test_equal_weights_are_none(m, weight):
    x = bumps(m)
    found = gmm1d.fit(x, 2, sample_weight=np.full(m, weight))
    same_bits(found, gmm1d.fit(x, 2))
    assert found.n == m
    assert found.notes == (f"the weights are taken as importance weights, scaled to n_eff = {m}",)


def test_whole_weights_are_counts_and_others_are_not():
    x, w = bumps(), np.random.default_rng(2).integers(0, 5, 40)
    for weights in (w, w.astype("u1"), w.astype(float), w.tolist()):
        found = gmm1d.fit(x, 2, sample_weight=weights)
        assert found.n == w.sum()
        assert found.notes == (f"the weights are taken as counts, and add up to {w.sum()}",)
    close(found, gmm1d.fit(np.repeat(x, w), 2))
    nearly = w.astype(float)
    nearly[np.argmax(w)] += 2.0**-40
    found = gmm1d.fit(x, 2, sample_weight=nearly)
    assert found.n == pytest.approx(kish(w))
    (note,) = found.notes
    assert note == f"the weights are taken as importance weights, scaled to n_eff = {kish(w):.6g}"
    assert f"note: {note}" in found.summary()


def test_weights_of_one_each_and_none_are_not_worth_a_word():
    x = bumps()
    assert gmm1d.fit(x, 2).notes == ()
    sketch = Sketch().add(x)
    assert (
        gmm1d.fit(sketch, 2).notes
        == gmm1d.fit(sketch + Sketch().add(x, np.ones(40)), 2).notes
        == ()
    )


def test_what_is_said_is_believed():
    x, w = bumps(), heavy(40)
    counts = gmm1d.fit(x, 2, sample_weight=w, weights_are="counts")
    assert counts.n == pytest.approx(w.sum(), rel=1e-15)
    assert counts.notes[0].startswith("the weights are taken as counts, and add up to ")
    p = counts.mixture
    exact = textbook.log_likelihood(x, p.weights, p.means, p.stds**2, w)
    assert counts.log_likelihood == pytest.approx(float(exact), rel=1e-12)
    whole = np.random.default_rng(2).integers(1, 5, 40)
    importance = gmm1d.fit(x, 2, sample_weight=whole, weights_are="importance")
    assert importance.n == pytest.approx(kish(whole), rel=1e-14)
    scaled = whole * (kish(whole) / whole.sum())
    close(importance, gmm1d.fit(x, 2, sample_weight=scaled, weights_are="counts"))
    assert gmm1d.compare(x, [2], sample_weight=whole, weights_are="importance")[2].n == importance.n
    same_bits(
        gmm1d.fit(x, 2, sample_weight=np.full(40, 4), weights_are="importance"), gmm1d.fit(x, 2)
    )


@given(hnp.arrays(np.float64, 40, elements=st.integers(0, 9)).filter(np.any), st.data())
@settings(max_examples=25)
def test_importance_weights_that_are_scaled_stay_what_they_are(w, data):
    unit = data.draw(st.sampled_from([1.0, 0.37]))
    sample = Sample.of(bumps(), unit * w, "importance")
    again = Sample.of(*views.distinct(sample), "importance")
    assert sample.n == pytest.approx(kish(w), rel=1e-13)
    assert sample.scale * math.fsum(sample.weights) == pytest.approx(sample.n, rel=1e-13)
    assert again.n == pytest.approx(
        sum(sample.nodes[1]) ** 2 / sum(sample.nodes[1] ** 2), rel=1e-12
    )


def test_standard_errors_are_those_of_so_many_values():
    x, w = np.repeat(bumps(300), 3), np.tile([1.0, 0.0, 0.5], 300)
    found, plain = gmm1d.fit(x, 2, sample_weight=w), gmm1d.fit(bumps(300), 2)
    assert found.n == pytest.approx(300 * 1.5**2 / 1.25)
    np.testing.assert_allclose(
        found.standard_errors().means,
        plain.standard_errors().means * math.sqrt(plain.n / found.n),
        rtol=1e-6,
    )


def test_whole_numbers_that_nobody_can_count_are_importance_weights():
    x, w = bumps(), np.ldexp(heavy(40) + 0.01, 80)
    assert (w % 1 == 0).all()
    assert Sample.of(x, w).weights_are == "importance"
    assert Sample.of(x, np.full(40, 2.0**53 / 40)).weights_are == "importance"
    assert Sample.of(x, np.full(40, 2.0**45)).weights_are == "counts"
    assert Sample.of(Sketch().add(x, w)).weights_are == "importance"


def test_one_value_with_nearly_all_weight_is_told():
    w = np.full(40, 1e-9)
    w[3] = 0.7
    with pytest.warns(FitWarning, match="nearly all weight is on one value"):
        gmm1d.fit(bumps(), 2, sample_weight=w)


# Many values


def test_many_weighted_values_are_those_of_their_counts():
    x, w = bumps(60_000), heavy(60_000)
    found = gmm1d.fit(x, 2, sample_weight=w)
    counts = w * (kish(w) / math.fsum(w))
    close(found, gmm1d.fit(x, 2, sample_weight=counts, weights_are="counts"))
    assert found.n == pytest.approx(kish(w), rel=1e-12)
    exact = gmm1d.fit(x, 2, sample_weight=w, exact=True)
    close(found, exact)
    assert found.notes == exact.notes
    same_bits(found, gmm1d.fit(x, 2, sample_weight=np.ldexp(w, -50)))
    same_bits(exact, gmm1d.fit(x, 2, sample_weight=np.ldexp(w, 7), exact=True))
    many = gmm1d.fit_many([x, x[:100]], 2, sample_weight=[w, w[:100]])
    assert many.n[0] == found.n
    assert many.log_likelihood[0] == found.log_likelihood


def test_finer_leaves_are_scaled_as_well():
    rng = np.random.default_rng(5)
    x = np.concatenate([rng.normal(size=80_000), 0.3 + 1e-4 * rng.normal(size=400)])
    w = heavy(x.size) + 0.01
    found = gmm1d.fit(x, 2, sample_weight=w)
    assert found.mixture.stds.min() < 1e-3
    assert abs(found.compression_error) < 1e-9 * found.n
    close(found, gmm1d.fit(x, 2, sample_weight=w, exact=True), 1e-7)
    expected = found.sample.nodes[1].sum()
    assert expected == pytest.approx(found.n, rel=1e-12)
    pieces = np.array_split(np.arange(x.size), 5)

    def read(again):
        return sum(sketched([(x[i], w[i])], "part", again) for i in pieces)

    close(gmm1d.fit(read_all(read), 2), found, 1e-7)


def test_sketches_of_parts_know_the_weights_of_the_whole():
    x, w = bumps(50_000), heavy(50_000)
    whole = gmm1d.fit(x, 2, sample_weight=w)
    pieces = np.array_split(np.arange(x.size), [100, 7000, 30_000])
    parts = [Sketch().add(x[i], w[i]) for i in pieces]
    a, b, c, d = parts
    for made in (sum(parts), (d + b) + (a + c), Sketch.from_bytes(sum(parts).to_bytes())):
        close(gmm1d.fit(made, 2), whole)
        assert made.n == pytest.approx(w.sum(), rel=1e-12)  # as they came
        forced = Sample.of(made, weights_are="counts")
        assert (forced.n, forced.weights_are) == (made.n, "counts")
    mixed = Sketch().add(x[:100]) + d
    told = np.concatenate([np.ones(100), w[pieces[3]]])
    assert Sample.of(mixed).n == pytest.approx(kish(told), rel=1e-12)
    counted = Sketch().add(x[:100]) + Sketch().add(x[100:200], np.full(100, 3))
    assert Sample.of(counted).n == 400
    forced = Sample.of(counted, weights_are="importance")
    assert forced.n == pytest.approx(400**2 / 1000, rel=1e-13)


def test_squares_of_whole_weights_add_up_exactly_in_any_grouping():
    x, w = bumps(5000), np.random.default_rng(3).integers(0, 2**20, 5000)
    whole = Sketch().add(x, w)._sums
    assert np.ldexp(whole.squares[0], 2 * whole.squares[1]) == (w**2).sum()
    for pieces in (7, 40, 5000 // 3):
        parts = [Sketch().add(x[i], w[i])._sums for i in np.array_split(np.arange(5000), pieces)]
        made = parts.pop()
        for each in parts:
            made.merge(each)
        assert made.squares == whole.squares


def test_weights_far_from_one_overflow_nowhere():
    x, w = bumps(30_000), heavy(30_000)
    expected = gmm1d.fit(x, 2, sample_weight=w)
    for exponent in (-900, 900):
        close(gmm1d.fit(x, 2, sample_weight=np.ldexp(w, exponent)), expected)
    for few in (50, 30_000):
        with pytest.raises(InputError, match=r"sample_weight adds up to .*: rescale it"):
            gmm1d.fit(x[:few], 2, sample_weight=np.ldexp(w[:few] + 0.01, -1050))


def test_importance_weights_of_many_values_are_not_copied():
    x, w = bumps(1_000_000), heavy(1_000_000)
    Sample.of(x[:30_000], w[:30_000])  # whatever is imported or cached once
    tracemalloc.start()
    try:
        sample = Sample.of(x, w)
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()
    assert np.shares_memory(sample.weights, w)


@pytest.mark.parametrize("m", [500, 40_000])
def test_pictures_and_pages_count_what_the_fit_counts(m):
    sample = Sample.of(bumps(m), heavy(m))
    edges = np.linspace(sample.low, sample.high, 9)
    assert views._counts(sample, edges).sum() == pytest.approx(sample.n, rel=1e-9)
    assert Fitter(sample).fit(5).n == sample.n


# Files


def of_version_1(sketch):
    """Return a sketch as it comes from a file of the first version of the format."""
    data = bytearray(sketch.to_bytes())
    del data[56:72]
    struct.pack_into("<I", data, 8, 1)
    struct.pack_into("<I", data, 48, int(sketch.coarsened))
    struct.pack_into("<I", data, 52, zlib.crc32(data[56:]))
    return Sketch.from_bytes(bytes(data))


def test_old_files_hold_counts():
    x, w = bumps(), heavy(40)
    plain, weighted = of_version_1(Sketch().add(x)), of_version_1(Sketch().add(x, w))
    assert (plain.to_bytes(), plain.n) == (Sketch().add(x).to_bytes(), 40)
    assert gmm1d.fit(plain, 2).notes == ()
    assert Sample.of(plain, weights_are="importance").n == pytest.approx(40)
    assert Sample.of(weighted).n == weighted.n
    assert Sample.of(weighted).weights_are == "counts"
    kept = Sketch.from_bytes(weighted.to_bytes())
    assert Sample.of(kept).n == weighted.n
    for sketch in (kept, weighted, weighted + Sketch().add(x, w)):
        with pytest.raises(InputError, match="a file of an older gmm1d does not hold"):
            Sample.of(sketch, weights_are="importance")
    mixed = weighted + Sketch().add(x, w)
    with pytest.raises(InputError, match='say weights_are="counts"'):
        gmm1d.fit(mixed, 2)
    assert gmm1d.fit(mixed, 2, weights_are="counts").n == pytest.approx(2 * w.sum())


# What else takes weights


@given(st.integers(0, 2**32 - 1), st.sampled_from([None, "counts", "importance"]))
@settings(max_examples=20)
def test_many_data_sets_get_the_bits_of_fit(seed, weights_are):
    x = bumps(120, seed).reshape(30, 4)
    w = np.stack([heavy(30, seed), np.arange(30.0), np.full(30, 0.3), np.ldexp(heavy(30), 60)], 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        fits = gmm1d.fit_many(x, 2, sample_weight=w, weights_are=weights_are)
        listed = gmm1d.fit_many([*x.T], 2, sample_weight=[*w.T], weights_are=weights_are)
    for i in range(4):
        one = quiet(x[:, i], 2, sample_weight=w[:, i], weights_are=weights_are)
        for many in (fits, listed):
            assert many.n[i] == one.n
            assert many.log_likelihood[i] == one.log_likelihood
            np.testing.assert_array_equal(many.means[i], one.mixture.means)


def test_many_data_sets_with_bad_weights_have_a_sentence():
    x = bumps(120).reshape(30, 4)
    w = np.stack([heavy(30), np.full(30, 1e307), np.ldexp(heavy(30), -1050), np.zeros(30)], 1)
    with pytest.warns(FitWarning, match="3 failed"):
        fits = gmm1d.fit_many(x, 2, sample_weight=w)
    assert list(fits.errors) == [1, 2, 3]
    for i, sentence in fits.errors.items():
        with pytest.raises(InputError) as caught:
            gmm1d.fit(x[:, i], 2, sample_weight=w[:, i])
        assert str(caught.value) == sentence


def test_an_estimator_counts_as_fit_does():
    estimator = pytest.importorskip("gmm1d.estimator")
    x, w = bumps(), heavy(40)
    expected = gmm1d.fit(x, 2, sample_weight=w)
    for unit in (1, 16, 1e-6):
        model = estimator.GaussianMixture1D(2).fit(x, sample_weight=unit * w)
        close(model.fit_, expected)
        assert model.bic(x, sample_weight=unit * w) == pytest.approx(expected.bic, rel=1e-10)
        assert model.aic(x, sample_weight=unit * w) == pytest.approx(expected.aic, rel=1e-10)
        mean = expected.log_likelihood / expected.n
        assert model.score(x, sample_weight=unit * w) == pytest.approx(mean, rel=1e-10)
    model = estimator.GaussianMixture1D(2).fit(Sample.of(x, w, "counts"))
    assert model.fit_.n == pytest.approx(w.sum())


def test_commands_take_weights_in_any_unit(tmp_path, capsys):
    path = tmp_path / "curve.csv"
    rows = zip(GRID.tolist(), HEIGHT.tolist(), strict=True)
    path.write_text("size,density\n" + "".join(f"{x},{w}\n" for x, w in rows))

    def printed(*args, code=0):
        return test_cli.run(*args, capsys=capsys, code=code)

    asked = ("-c", "size", "-w", "density", "--json")
    found = json.loads(printed("fit", path, "-k", 3, *asked)[0])
    assert found["n"] == gmm1d.fit(GRID, 3, sample_weight=HEIGHT).n
    counts = json.loads(printed("fit", path, "-k", 3, *asked, "--weights-are", "counts")[0])
    assert counts["n"] == pytest.approx(HEIGHT.sum(), rel=1e-12)
    compared = json.loads(printed("compare", path, "-k", "1..3", *asked)[0])
    assert compared["fits"]["3"]["n"] == found["n"]
    printed("sketch", path, "-c", "size", "-w", "density", "-o", tmp_path / "curve.sketch")
    read = json.loads(printed("fit", tmp_path / "curve.sketch", "-k", 3, "--json")[0])
    assert read["n"] == pytest.approx(found["n"], rel=1e-12)
    assert "'--weights-are'" in printed("fit", path, "-k", 3, "--weights-are", "x", code=2)[1]


def test_groups_of_rows_count_each_for_itself(tmp_path, capsys):
    x, w = bumps(80), np.concatenate([heavy(40), np.arange(40)])
    labels = ["a"] * 40 + ["b"] * 40
    path = tmp_path / "groups.csv"
    rows = zip(x.tolist(), w.tolist(), labels, strict=True)
    path.write_text("x,w,label\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows))
    for said, expected in (
        (None, [kish(w[:40]), 780]),
        ("importance", [kish(w[:40]), kish(w[40:])]),
    ):
        more = () if said is None else ("--weights-are", said)
        args = ["fit", path, "-c", "x", "-w", "w", "--by", "label", "-k", 2, "--json", *more]
        found = json.loads(test_cli.run(*args, capsys=capsys)[0])
        assert [row["n"] for row in found] == pytest.approx(expected, rel=1e-12)


# Bad input


@pytest.mark.parametrize("wrong", ["count", "", 1, True, b"counts", np.ones(40), ["counts"]])
def test_an_unknown_meaning_is_one_sentence(wrong):
    x, w = bumps(), heavy(40)
    calls = [
        lambda: gmm1d.fit(x, 2, sample_weight=w, weights_are=wrong),
        lambda: gmm1d.fit(x, 2, weights_are=wrong),
        lambda: gmm1d.compare(x, [1, 2], sample_weight=w, weights_are=wrong),
        lambda: gmm1d.fit_many([x], 2, sample_weight=[w], weights_are=wrong),
        lambda: Sample.of(x, w, wrong),
    ]
    for call in calls:
        with pytest.raises(
            InputError, match=r'weights_are=.*: use "counts" or "importance"'
        ) as caught:
            call()
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 200


def test_a_sample_knows_already_what_its_weights_are():
    x, w = bumps(), heavy(40)
    sample = Sample.of(x, w)
    assert Sample.of(sample, weights_are="importance") is sample
    assert Sample.of(Sample.of(x), weights_are="importance").n == 40
    with pytest.raises(InputError, match="the Sample took them as importance: hand it to"):
        gmm1d.fit(sample, 2, weights_are="counts")
