"""What the pages of the gallery say in words about their data; their numbers are computed when they are made."""

import csv
from pathlib import Path

import numpy as np
import pytest

import gmm1d
from gmm1d.uncertainty import standard_error

DATA = Path(__file__).parents[1] / "examples" / "data"


def table(name):
    """Read a file of the examples as columns of text."""
    with (DATA / name).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {column: np.array([row[column] for row in rows]) for column in rows[0]}


def test_genes_nobody_is_on_the_wrong_side():
    patients = table("leukaemia_genes.csv")
    f = gmm1d.fit(patients["CD3D"].astype(float), 2, equal_variances=True)
    on = f.mixture.predict(patients["CD3D"].astype(float)) == 1
    assert np.array_equal(on, patients["lineage"] == "T")
    assert on.sum() == 33


def test_genes_switches_stand_on_top():
    patients = table("leukaemia_genes.csv")
    genes = {
        name: x.astype(float) for name, x in patients.items() if name not in ("lineage", "sex")
    }
    two = gmm1d.fit_many(genes, 2, equal_variances=True)
    index = np.sqrt(two.weights.prod(axis=1)) * np.ptp(two.means, axis=1) / two.stds[:, 0]
    top = [two.names[i] for i in np.argsort(-index)[:4]]
    assert (len(genes), top) == (131, ["RPS4Y1", "CD3D", "XIST", "CD19"])
    falls = gmm1d.fit_many(genes, 1).bic - two.bic
    assert ((index > 1.25) & (falls < 0)).sum() == 1


def test_stars_have_a_gap_beyond_which_are_giants():
    stars = table("star_colours.csv")
    colour, magnitude = (stars[name].astype(float) for name in ("b_v", "magnitude"))
    m = gmm1d.fit(colour, 6).mixture
    at = m.antimodes()
    gap = at[np.abs(at - 0.7).argmin()]
    assert gap == pytest.approx(0.74, abs=0.01)
    assert np.mean(magnitude[colour > gap] < 4) > 0.98


def test_fish_are_three_by_density_five_by_equal_spread_and_one_by_icl():
    x = np.loadtxt(DATA / "snapper_lengths.txt")
    own = gmm1d.compare(x, range(1, 8))
    equal = gmm1d.compare(x, range(1, 8), equal_variances=True)
    assert (own.k, equal.k) == (3, 5)
    assert equal.best.bic - own.best.bic == pytest.approx(9, abs=0.5)
    assert own.best.mixture.stds[2] > 0.9 * x.std()
    assert gmm1d.compare(x, range(1, 8), equal_variances=True, criterion="icl").k == 1
    steps = np.diff(equal.best.mixture.means)
    errors = standard_error(equal.best, lambda m: np.diff(m.means))
    assert np.all(np.abs(steps - np.average(steps, weights=errors**-2)) < 2 * errors)
    assert 4 < equal.best.mixture.weights[4] * len(x) < 4.5


def test_response_times_before_the_cut_are_guesses():
    trials = table("response_times.csv")
    fast = trials["instruction"] == "speed"
    seconds, correct = trials["seconds"][fast].astype(float), trials["correct"][fast] == "1"
    f = gmm1d.fit(np.log(seconds), 2)
    low, high = np.exp(f.mixture.boundaries())
    assert f.mixture.stds[0] > f.mixture.stds[1]  # the wide one is the more likely at both ends
    for start, end in ((0, low), (low, 0.35)):
        right = correct[(seconds >= start) & (seconds < end)]
        assert abs(right.mean() - 0.5) < 2 * np.sqrt(0.25 / len(right))
    assert correct[(seconds >= 0.35) & (seconds < high)].mean() > 0.7
    three = gmm1d.fit(np.log(seconds), 3)
    assert three.bic < f.bic
    assert three.mixture.boundaries()[0] < np.log(low)
