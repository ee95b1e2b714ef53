"""The four examples, run as a reader runs them, against the golden numbers.

data/golden.json holds all digits of the worked cases: S2 the notebook, S3 the five points, S4 the
homework. Its "converged" and "em_limit" rows are iterates of plain EM, broken off at tiny changes.
"""

import importlib.util
import json
import runpy
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import numpy as np
import pytest
from ipykernel.kernelspec import install

import gmm1d
from gmm1d import Ending
from gmm1d.errors import FitWarning

EXAMPLES = Path(__file__).parents[1] / "examples"
GOLDEN = json.loads((Path(__file__).parent / "data" / "golden.json").read_text())
S2, S3, S4 = GOLDEN["S2"], GOLDEN["S3"], GOLDEN["S4"]
KS = [2, 3, 4, 5, 6]


def load(name):
    """Import an example by its path, without running it."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(name, *arguments, cwd=None):
    """Run an example from a shell; nothing may appear on stderr."""
    command = [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def agree(found, golden, rel=1e-8):
    """Compare (weights, means, stds) with golden ones in the same order."""
    for values, name in zip(found, ("weights", "means", "stds"), strict=True):
        np.testing.assert_allclose(values, golden[name], rtol=rel)


def at(trace, t):
    """Return the parameters of a step."""
    return trace.weights[t], trace.means[t], trace.stds[t]


# S1: the lab class


def test_lab_class_runs_its_checks(capsys):
    runpy.run_path(str(EXAMPLES / "lab_class.py"), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if "Gaussians" in line] == [
        "2 Gaussians, 1000 points",
        "4 Gaussians, 2000 points",
    ]
    assert sum(line.startswith("  ok: ") for line in lines) == 12
    assert not any("FAILED" in line for line in lines)


def test_lab_class_stops_at_what_does_not_hold(capsys):
    with pytest.raises(SystemExit, match="1"):
        load("lab_class").check("one is two", False)
    assert capsys.readouterr().out == "  FAILED: one is two\n"


@pytest.mark.parametrize("k", [1, 3])
def test_lab_class_for_another_number_of_gaussians(k, capsys):
    truth = gmm1d.Mixture(np.full(k, 1 / k), 10.0 * np.arange(k), np.ones(k))
    model = load("lab_class").show(truth, 300)
    assert model.num_gaussians == k
    assert "FAILED" not in capsys.readouterr().out


# S2: the notebook

PROBE = """
import json
print(json.dumps({
    "python": __import__("sys").executable, "x": x.tolist(), "labels": z.tolist(), "status": fit.status.name,
    "start": float(log_likelihood(x, *start)), "first": [float(v) for v in first],
    "gammas": [gamma1.tolist(), gamma2.tolist()],
    "log_likelihood": trace.log_likelihood.tolist(), "weights": trace.weights.tolist(),
    "means": trace.means.tolist(), "stds": trace.stds.tolist(),
}))
"""


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """Execute the notebook with the running interpreter, and ask it for its numbers."""
    source = nbformat.read(EXAMPLES / "notebook.ipynb", as_version=4)
    source.cells.append(nbformat.v4.new_code_cell(PROBE))
    home = tmp_path_factory.mktemp("jupyter")
    install(prefix=str(home), kernel_name="running")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(home / "share" / "jupyter"))
        patch.setenv("IPYTHONDIR", str(home / "ipython"))
        nbclient.NotebookClient(source, timeout=120, kernel_name="running").execute()
    return source


@pytest.fixture(scope="module")
def probed(notebook):
    """The numbers of the executed notebook."""
    return json.loads(notebook.cells[-1].outputs[0].text)


def outputs(notebook, kind):
    """Return the outputs of one MIME type, in order."""
    cells = (cell for cell in notebook.cells if cell.cell_type == "code")
    found = (output.get("data", {}).get(kind) for cell in cells for output in cell.outputs)
    return [data for data in found if data]


def test_notebook_is_committed_without_outputs():
    source = nbformat.read(EXAMPLES / "notebook.ipynb", as_version=4)
    nbformat.validate(source)
    for cell in source.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_notebook_runs_in_silence_and_shows_four_pictures(notebook):
    assert len(outputs(notebook, "image/png")) == 4
    streams = [o for c in notebook.cells for o in c.get("outputs", []) if o.output_type == "stream"]
    assert {stream.name for stream in streams} == {"stdout"}
    assert "40 points, 14 of them with label 1" in streams[0].text
    assert "-242.787418" in streams[1].text
    assert "-96.817706" in streams[1].text


def test_notebook_draws_the_data_of_the_exercise(probed):
    assert probed["python"] == sys.executable
    np.testing.assert_allclose(probed["x"], S2["x"], rtol=1e-15)
    assert probed["labels"] == S2["labels"]


def test_notebook_takes_single_steps(probed):
    assert probed["start"] == pytest.approx(S2["log_likelihood"]["start"], rel=1e-12)
    mean1, sd1, mean2, sd2, prior1 = probed["first"]
    agree(([prior1, 1 - prior1], [mean1, mean2], [sd1, sd2]), S2["after_1"], rel=1e-12)
    np.testing.assert_allclose(np.sum(probed["gammas"], axis=0), 1, rtol=1e-14)


def test_notebook_climbs_to_the_maximum(probed):
    values = np.array(probed["log_likelihood"])
    steps = {"start": 0, "after_1": 1, "after_2": 2, "after_5": 5, "after_10": 10, "converged": 41}
    for name, t in steps.items():
        assert values[t] == pytest.approx(S2["log_likelihood"][name], rel=1e-12)
        if name in S2:
            agree([np.array(probed[part])[t] for part in ("weights", "means", "stds")], S2[name])
    assert probed["status"] == "CONVERGED"
    assert values[-1] == pytest.approx(-94.431367, abs=5e-7)
    np.testing.assert_allclose(probed["means"][-1], [-2.094529, 3.644047], atol=5e-7)
    np.testing.assert_allclose(probed["stds"][-1], [1.963093, 1.118547], atol=5e-7)
    np.testing.assert_allclose(probed["weights"][-1], [0.401289, 0.598711], atol=5e-7)
    assert np.all(np.diff(values) > -1e-12 * (abs(values[-1]) + 40))


# S3: the worked problem


def test_worked_problem_finds_the_golden_numbers():
    problem = load("worked_problem")
    np.testing.assert_array_equal(problem.X, S3["x"])
    np.testing.assert_allclose(problem.boundaries(), S3["boundaries_start"], rtol=1e-12)
    np.testing.assert_allclose(problem.mistake(), [5.038, 0.693], atol=5e-4)
    fit = problem.climb()
    assert fit.status is Ending.CONVERGED
    for name, t in (
        ("start", 0),
        ("after_1", 1),
        ("after_2", 2),
        ("after_5", 5),
        ("converged", -1),
    ):
        assert fit.trace.log_likelihood[t] == pytest.approx(S3["log_likelihood"][name], rel=1e-12)
        if name in S3:
            agree(at(fit.trace, t), S3[name])
    assert fit.order.tolist() == [1, 0]
    assert fit.log_likelihood == pytest.approx(S3["log_likelihood"]["converged"], rel=1e-12)
    agree([part[fit.order] for part in at(fit.trace, -1)], vars_of(fit.mixture), rel=1e-13)


def vars_of(mixture):
    """The parameters of a mixture by their names."""
    return {"weights": mixture.weights, "means": mixture.means, "stds": mixture.stds}


def test_worked_problem_prints_the_answers_in_the_order_of_the_start():
    printed = run("worked_problem")
    for text in (
        "log-likelihood of the start: -24.512532330",
        "x =  4: 0.454662, 0.545338; most likely is component 2",
        "x =  5: 0.666667, 0.333333; most likely is component 1",
        "between 4.15245502 and 7.18087832, component 2 outside",
        "weights 0.36303706, 0.63696294\n  means 5.13172803, 1.47103149\n",
        "standard deviations 0.78457791, 2.63951172",
        "weights 0.600000002, 0.399999998\n  means 4.999999982, -0.500000003\n",
        "standard deviations 0.816496635, 0.500000000\n  log-likelihood -8.465258966890",
        "the lower bound is the log-likelihood at the E-step, -24.512532330",
        "end at means 5.038, 0.693",
    ):
        assert text in printed


# S4: the homework


@pytest.fixture(scope="module")
def homework():
    """The module of the homework."""
    return load("homework")


@pytest.mark.parametrize("k", KS)
def test_homework_trains(homework, k):
    golden = S4["fits"][str(k)]
    weights, means, varis, value = homework.train(homework.DATA, k, S4["tol"])
    assert value == pytest.approx(golden["log_likelihood"], rel=1e-12)
    agree((weights, means, np.sqrt(varis)), golden["fit"])
    np.testing.assert_allclose(varis, golden["fit"]["variances"], rtol=1e-8)
    data = np.loadtxt(homework.DATA)
    assert homework.log_likelihood(data, weights, means, varis) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("k", KS)
def test_homework_comparison_has_the_golden_table(homework, k):
    golden = S4["fits"][str(k)]
    data = np.loadtxt(homework.DATA)
    free = {"families": "unequal", "start": "spread", "method": "em"}
    stopped = gmm1d.compare(data, [k], tol=1, **free)[k]
    assert stopped.status is Ending.TOLERANCE
    assert stopped.n_iter == golden["steps"]
    assert stopped.trace.log_likelihood[0] == pytest.approx(
        golden["log_likelihood_start"], rel=1e-12
    )
    assert stopped.bic == pytest.approx(golden["bic"], rel=1e-12)
    ended = gmm1d.compare(data, [k], **free)[k]
    assert ended.status is Ending.CONVERGED
    assert ended.log_likelihood == pytest.approx(golden["em_limit_log_likelihood"], abs=1e-6)
    assert ended.bic == pytest.approx(golden["em_limit_bic"], abs=2e-6)
    step = golden["em_limit_steps"]  # where the golden climb was broken off, at a change of 1e-11
    assert ended.n_iter > step
    assert ended.trace.log_likelihood[step] == pytest.approx(
        golden["em_limit_log_likelihood"], rel=1e-12
    )
    agree(at(ended.trace, step), golden["em_limit"])


def test_homework_steps_and_densities(homework):
    data = np.loadtxt(homework.DATA)
    start = [0.5, 0.5], [50, 80], [25, 25]
    gammas = homework.expectation(data, *start)
    assert gammas.shape == (272, 2)
    weights, means, varis = homework.maximization(data, gammas)
    before, after = (homework.log_likelihood(data, *p) for p in (start, (weights, means, varis)))
    assert after > before
    assert homework.gauss(1.0, 4.0, 3.0) == pytest.approx(
        np.exp(-0.5) / np.sqrt(8 * np.pi), rel=1e-14
    )


def test_homework_spread_over_ten():
    with pytest.warns(FitWarning, match="max_iter"):
        fit = gmm1d.fit([0, 1.0, 2, 5, 9, 10], 4, start="spread", max_iter=0)
    np.testing.assert_allclose(fit.trace.means[0], [2.5, 5, 7.5, 10], rtol=1e-15)
    assert fit.trace.weights[0].tolist() == [0.25] * 4
    assert fit.trace.stds[0].tolist() == [1] * 4


def test_homework_plot_names_every_curve(homework, tmp_path):
    fit = gmm1d.fit(np.loadtxt(homework.DATA), 3, start="spread", method="em", tol=1)
    ax = homework.plot_model(fit, tmp_path / "k3.png")
    assert len(ax.get_legend().get_texts()) == 3 + 1
    assert (tmp_path / "k3.png").read_bytes().startswith(b"\x89PNG")


def test_homework_runs_shows_the_trap_and_saves_the_plots(tmp_path):
    printed = run("homework", tmp_path / "plots")
    for k in KS:
        golden = S4["fits"][str(k)]
        row = next(line for line in printed.splitlines() if line.startswith(f" {k}  "))
        assert f"{golden['steps']}" in row.split()
        for text in (
            f"{golden['log_likelihood']:.6f}",
            f"{golden['bic']:.2f}",
            f"{golden['em_limit_log_likelihood']:.6f}",
            f"{golden['em_limit_bic']:.2f}",
        ):
            assert text in row
        assert printed.count(f"k = {k}: p(x) = ") == 2
        assert (tmp_path / "plots" / f"homework_k{k}.png").stat().st_size > 10_000
    assert "the lowest BIC is that of k = 3" in printed
    assert "k = 2 was stopped 21.9 below its maximum, k = 3 only 0.7." in printed
    assert "nothing is chosen" in printed
    assert "k = 2 is chosen" in printed


def test_homework_writes_to_out_by_default(tmp_path):
    run("homework", cwd=tmp_path)
    assert len(list((tmp_path / "out").glob("homework_k*.png"))) == len(KS)
