"""Saving: documents keep every bit, schemas and reader agree, no file is a surprise, copies are frozen."""

import copy
import dataclasses
import json
import math
import os
import pickle
import struct
import sys
import tempfile
import tracemalloc
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

import gmm1d
from gmm1d import Mixture, Sample, Sketch, arguments, certificate, documents
from gmm1d.errors import Ending, FitWarning, InputError, ReadError, UncertaintyError
from gmm1d.frozen import Frozen

ROOT = Path(__file__).parent.parent
WAITING = np.loadtxt(ROOT / "examples" / "data" / "faithful_waiting.txt")
RULES = {schema: documents.rules_of(schema) for schema in documents.SCHEMAS}
REGISTRY = Registry().with_resources(
    (rules["$id"], Resource.from_contents(rules)) for rules in RULES.values()
)
JUDGES = {schema: Draft202012Validator(rules, registry=REGISTRY) for schema, rules in RULES.items()}
COLUMNS = ("weights", "means", "stds", "boundaries")


def quiet(*args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return gmm1d.fit(*args, **kwargs)


def many(n=30_000):
    rng = np.random.default_rng(1)
    return np.concatenate([rng.normal(0, 1, n), rng.normal(6, 2, n)])


def interrupted():
    found = quiet(WAITING, 2, max_iter=3, start="spread")
    return dataclasses.replace(found, status=Ending.INTERRUPTED, certificate=None)


FITS = {
    "CONVERGED": lambda: quiet(WAITING, 2),
    "TOLERANCE": lambda: quiet(WAITING, 3, tol=1.0, method="em", start="kmeans"),
    "FLAT": lambda: quiet(WAITING, 2, start={"means": [70, 70], "stds": [13, 13]}, method="em"),
    "PENALISED": lambda: quiet([0.0] * 30 + list(np.linspace(1, 2, 10)), 2),
    "MAX_ITER": lambda: quiet(WAITING, 2, max_iter=1, start="spread"),
    "INTERRUPTED": interrupted,
    "one component": lambda: quiet(WAITING, 1),
    "equal variances": lambda: quiet(WAITING, 3, equal_variances=True),
    "fixed": lambda: quiet(WAITING, 2, fixed={"weights": [1 / 3, None], "stds": [None, 5.9]}),
    "all fixed but one": lambda: quiet(
        WAITING, 2, fixed={"weights": [0.3, 0.7], "means": [None, 80.0], "stds": [6.0, 6.0]}
    ),
    "weighted": lambda: quiet(WAITING, 2, sample_weight=np.linspace(0.1, 0.7, WAITING.size)),
    "compressed": lambda: quiet(many(), 2),
    "sketch": lambda: quiet(Sketch(256).add(many()), 3, max_iter=5),
    "tiny unit": lambda: quiet(WAITING * 1e-148, 2),
    "thirty": lambda: quiet(many(2000), 30, start="quantile", method="em", max_iter=4),
}


@pytest.fixture(scope="module", params=FITS)
def fit(request):
    return FITS[request.param]()


@pytest.fixture(scope="module")
def waiting():
    return FITS["CONVERGED"]()


@pytest.fixture(scope="module")
def comparison():
    return gmm1d.compare(WAITING, range(1, 4))


# --- documents ------------------------------------------------------------------------------------------------------


def test_every_ending_is_among_the_fits():
    ended = {FITS[name]().status.name for name in Ending.__members__}
    assert ended == set(Ending.__members__)


def test_a_fit_is_read_as_it_was_written(fit, tmp_path):
    text = fit.to_json()
    again = gmm1d.Fit.from_json(text)
    fit.save(tmp_path / "fit.json")
    loaded = gmm1d.Fit.load(tmp_path / "fit.json")
    assert (
        again.to_json() == loaded.to_json() == gmm1d.Fit.from_json(text.encode()).to_json() == text
    )
    kept = {field.name for field in dataclasses.fields(fit)} - {"trace", "sample"}
    for name in kept:
        assert bits(getattr(again, name)) == bits(getattr(fit, name)), name
    assert again.trace is again.sample is None
    steps = [line for line in fit.summary().splitlines() if "step" in line and " from " in line]
    assert sorted([*again.summary().splitlines(), *steps]) == sorted(fit.summary().splitlines())
    assert [path.name for path in tmp_path.iterdir()] == ["fit.json"]


def test_a_fit_that_was_read_has_the_same_errors_and_picture(fit):
    again = gmm1d.Fit.from_json(fit.to_json())
    for method in ("standard_errors", "confidence_intervals"):
        try:
            expected = getattr(fit, method)()
        except UncertaintyError as error:
            with pytest.raises(UncertaintyError, match=str(error)[:60]):
                getattr(again, method)()
        else:
            assert bits(getattr(again, method)()) == bits(expected)
    plots = pytest.importorskip("gmm1d.plots")
    ours, theirs = (plots.plot_fit(each, data=fit.sample).lines for each in (fit, again))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one.get_xydata(), other.get_xydata())


def test_a_mixture_is_read_from_its_own_document_and_from_that_of_a_fit(fit, tmp_path):
    m = fit.mixture
    m.save(tmp_path / "mixture.json")
    fit.save(tmp_path / "fit.json")
    assert Mixture.from_json(m.to_json()) == Mixture.from_json(fit.to_json()) == m
    assert Mixture.load(tmp_path / "mixture.json") == Mixture.load(str(tmp_path / "fit.json")) == m
    assert (tmp_path / "mixture.json").read_text() == m.to_json() + "\n"


scales = st.floats(-150, 150).map(lambda e: 10.0**e)


@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.floats(-1e300, 1e300), scales), min_size=1, max_size=9
    ).filter(lambda rows: sum(w for w, _, _ in rows) > 0)
)
def test_a_mixture_keeps_every_bit(rows):
    weights, means, stds = (np.array(column, float) for column in zip(*rows, strict=True))
    m = Mixture(weights / weights.sum(), means, stds)
    twin = Mixture.from_json(m.to_json())
    for name in ("weights", "means", "stds"):
        assert getattr(twin, name).tobytes() == getattr(m, name).tobytes()
    again = Mixture(m.weights, m.means, variances=m.variances)
    assert again.stds == pytest.approx(m.stds, rel=1e-15)


def test_what_is_read_is_frozen(waiting):
    again = gmm1d.Fit.from_json(waiting.to_json())
    for array in (again.order, again.certificate.covariance, again.mixture.means):
        assert not array.flags.writeable


def test_a_document_can_be_read_by_people():
    m = Mixture([0.25, 0.75], [-1, 1e300], [1, 2])
    assert m.to_json() == (
        '{\n  "schema": "gmm1d.mixture",\n  "version": 1,\n'
        '  "weights": [0.25, 0.75],\n  "means": [-1.0, 1e+300],\n  "stds": [1.0, 2.0]\n}'
    )


def test_notes_keep_their_letters(waiting):
    notes = ("[\n1,\n2\n]", "[1,   2]", 'of "π" \\ \u2028', "")
    told = dataclasses.replace(waiting, notes=notes)
    assert gmm1d.Fit.from_json(told.to_json()).notes == notes


# --- schemas --------------------------------------------------------------------------------------------------------


def each_rule(rule):
    """Yield all rules of a schema, those within others too."""
    yield rule
    for key in ("properties", "$defs"):
        for each in rule.get(key, {}).values():
            yield from each_rule(each)
    for key in ("items", "additionalProperties"):
        if key in rule:
            yield from each_rule(rule[key])


def judged(text):
    """Refuse what the schema that a document names refuses."""
    document = json.loads(text)
    JUDGES[document["schema"]].validate(document)


def test_schemas_are_schemas_and_use_what_the_reader_knows():
    known = {"type", "enum", "required", "properties", "additionalProperties", "items", "$ref"}
    known |= {"minItems", "maxItems", "maxLength", "minimum", "maximum", "exclusiveMinimum"}
    notes = {"$schema", "$id", "$defs", "title", "description", "examples", "default"}
    folder = Path(documents.__file__).parent / "schemas"
    assert sorted(path.stem for path in folder.iterdir()) == sorted(RULES)
    for schema, rules in RULES.items():
        Draft202012Validator.check_schema(rules)
        assert rules["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert rules["$id"] == f"urn:{schema.replace('.', ':')}:1"
        assert rules["properties"]["schema"]["enum"] == [schema]
        for rule in each_rule(rules):
            assert set(rule) <= known | notes
            assert ("type" in rule) != ("$ref" in rule)
            if "$ref" in rule:
                assert set(rule) <= {"$ref", "description", "default"}
            elif rule["type"] in ("number", "integer"):
                assert "maximum" in rule
                assert ("minimum" in rule) != ("exclusiveMinimum" in rule)
            elif "array" in rule["type"]:
                assert {"items", "maxItems"} <= set(rule)
            elif rule["type"] == "string":
                assert ("maxLength" in rule) != ("enum" in rule)


def test_every_field_is_described():
    for rules in RULES.values():
        for rule in each_rule(rules):
            for name, field in rule.get("properties", {}).items():
                described = (
                    field if "description" in field else documents._resolved(field, rules)[0]
                )
                assert len(described["description"]) > 8, name


def test_the_limits_of_the_schemas_are_those_of_mixtures():
    rules = RULES["gmm1d.mixture"]["$defs"]
    mean, std, weight = (rules[name]["items"] for name in ("means", "stds", "weights"))
    assert -mean["minimum"] == mean["maximum"] == arguments.LARGEST_MEAN
    assert std["minimum"] ** 2 >= arguments.SMALLEST_SQUARE > math.nextafter(std["minimum"], 0) ** 2
    assert std["maximum"] ** 2 <= arguments.LARGEST_SQUARE
    with pytest.raises(InputError):
        Mixture([1], [0], [math.nextafter(std["maximum"], math.inf)])
    assert weight["maximum"] == 1 + arguments.SUM_TOLERANCE
    assert RULES["gmm1d.fit"]["properties"]["status"]["enum"] == list(Ending.__members__)
    extremes = Mixture(
        [0.5, 0.5], [-mean["maximum"], mean["maximum"]], [std["minimum"], std["maximum"]]
    )
    assert Mixture.from_json(extremes.to_json()) == extremes


def test_the_largest_fit_fits_into_a_file():
    rows = RULES["gmm1d.fit"]["properties"]["certificate"]["properties"]["covariance"]["maxItems"]
    longest = len(f"{-math.nextafter(1e-300, 0)!r}, ")
    assert rows**2 * longest < 0.95 * documents.MOST_BYTES
    mixture = RULES["gmm1d.mixture"]["$defs"]["means"]["maxItems"]
    assert 3 * mixture * longest < 0.95 * documents.MOST_BYTES
    notes = RULES["gmm1d.fit"]["properties"]["notes"]["maxItems"]
    assert rows + 2 * notes < 0.5 * documents.MOST_PARTS


def test_documents_obey_their_schemas(fit):
    judged(fit.to_json())
    judged(fit.mixture.to_json())


def test_comparisons_obey_their_schema(comparison):
    judged(comparison.to_json())
    written = json.loads(comparison.to_json())
    assert written["k"] == comparison.k
    assert written["fits"]["2"] == json.loads(comparison[2].to_json())
    assert written["others"]["2"] == json.loads(comparison[2, "equal"].to_json())
    assert list(written["others"]) == ["2", "3"]
    assert (written["families"], written["family"]) == (["unequal", "equal"], "equal")
    older = {"families", "family", "others", "others_collapsed", "left_out"}
    judged(json.dumps({name: each for name, each in written.items() if name not in older}))
    none = gmm1d.compare(WAITING, [1, 2], tol=5.0)
    assert none.k is None
    judged(none.to_json())
    x = [0.0, 0.0, *np.linspace(5, 6, 30)]
    collapsed = gmm1d.compare(x, [1, 2, 3], start="spread")
    assert collapsed.collapsed
    judged(collapsed.to_json())


def test_the_examples_of_the_schemas_are_read():
    for schema, read in (("gmm1d.mixture", Mixture), ("gmm1d.fit", gmm1d.Fit)):
        for example in RULES[schema]["examples"]:
            judged(json.dumps(example))
            again = json.loads(read.from_json(json.dumps(example)).to_json())
            assert again == example | {name: again[name] for name in ("criteria",) if name in again}


def places(value, at=()):
    """Yield where something stands in a document: keys and indices from the outside."""
    if at:
        yield at
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, each in inner:
        yield from places(each, (*at, key))


SOUND = {name: json.loads(FITS[name]().to_json()) for name in ("CONVERGED", "TOLERANCE")}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 4)
    | st.integers(-(10**400), 10**400)
    | st.floats()
    | st.sampled_from(["", "1", "CONVERGED", "gmm1d.fit", "é" * 2000]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)


def as_floats(value):
    """Write whole numbers as floats, as they are read."""
    if isinstance(value, dict):
        return {name: as_floats(each) for name, each in value.items()}
    if isinstance(value, list):
        return [as_floats(each) for each in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@given(st.data(), st.sampled_from(sorted(SOUND)))
def test_a_changed_document_is_equal_or_refused(data, name):
    document = copy.deepcopy(SOUND[name])
    for _ in range(data.draw(st.integers(1, 2))):
        *above, last = data.draw(st.sampled_from(sorted(places(document), key=repr)))
        holder = document
        for key in above:
            holder = holder[key]
        if data.draw(st.booleans()):
            holder[last] = data.draw(JSON)
        elif isinstance(holder, list):
            holder.insert(last, holder[last])
        else:
            del holder[last]
    text = json.dumps(document)
    try:
        fit = gmm1d.Fit.from_json(text)
    except InputError:
        return
    judged(text)
    written = json.loads(fit.to_json())
    again = gmm1d.Fit.from_json(fit.to_json())
    assert again.to_json() == fit.to_json()
    assert "converged" in again.summary() or fit.status is not Ending.CONVERGED
    for field in set(document) & set(written) - {"criteria", "mixture", "certificate"}:
        assert as_floats(written[field]) == as_floats(document[field])
    for field in ("weights", "means", "stds"):
        rows = sorted(
            zip(*(document["mixture"][each] for each in ("means", "stds", "weights")), strict=True)
        )
        expected = [row[("means", "stds", "weights").index(field)] for row in rows]
        assert written["mixture"][field] == pytest.approx(expected, rel=1e-7)


@given(st.data())
def test_no_text_is_a_surprise(data):
    text = json.dumps(SOUND["CONVERGED"])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        piece = data.draw(
            st.sampled_from([*'0123456789-+.eE[]{}",: \\\n\0é', "NaN", "1e999", "null"])
        )
        text = text[:at] + piece + text[at + data.draw(st.integers(0, 2)) :]
    for read in (gmm1d.Fit.from_json, Mixture.from_json):
        try:
            assert not np.isnan(json.loads(read(text).to_json())["version"])
        except InputError:
            continue
        judged(text)


# --- what is refused ------------------------------------------------------------------------------------------------


def changed(**changes):
    """Write a sound document with other entries; `a__b` is entry b of a."""
    document = copy.deepcopy(SOUND["CONVERGED"])
    for name, value in changes.items():
        *above, last = name.split("__")
        holder = document
        for key in above:
            holder = holder[key]
        holder[last] = value
    return json.dumps(document)


REFUSED = {
    "empty": ("", r"no JSON \(Expecting value"),
    "nested": ("[" * 60_000, "no JSON"),
    "bytes": (b"\x89PNG\xff", "no JSON"),
    "UTF-16": (b"\xff\xfe\x00", "no JSON"),
    "nothing": (None, "no JSON but a NoneType"),
    "a list": ("[1]", 'lacks "schema": "gmm1d.fit"'),
    "another": ('{"schema": ["gmm1d.fit"]}', 'lacks "schema": "gmm1d.fit"'),
    "a comparison": (
        '{"schema": "gmm1d.comparison"}',
        "this is a gmm1d.comparison, and no gmm1d.fit",
    ),
    "newer": (
        '{"schema": "gmm1d.fit", "version": 99}',
        r"newer gmm1d \(version 99 of its JSON; the newest known here is 1\): upgrade gmm1d to read it",
    ),
    "version 0": (changed(version=0), '"version" is 0, not a whole number from 1 to 1'),
    "version text": (changed(version="1"), '"version" is "1"'),
    "version true": (changed(version=True), '"version" is true'),
    "version 1.0": (changed(version=1.0), '"version" is 1.0'),
    "missing": ('{"schema": "gmm1d.fit", "version": 1}', '"mixture" is missing'),
    "missing below": (changed(mixture={"weights": [1]}), '"mixture.means" is missing'),
    "NaN": (changed(n=math.nan), "NaN is no number of JSON"),
    "infinity": (changed(n=-math.inf), "-Infinity is no number of JSON"),
    "beyond float64": (
        changed(n=10**400),
        r'"n" is 10000.*…, not a number from above 0 to 1.79769e\+308',
    ),
    "1e999": (changed(n=7).replace('"n": 7', '"n": 1e999'), '"n" is Infinity, not'),
    "digits": (changed(n=7).replace('"n": 7', f'"n": {"7" * 5000}'), "no JSON"),
    "truth": (changed(n=True), '"n" is true, not a number'),
    "no values": (changed(n=0), '"n" is 0, not a number from above 0'),
    "text": (changed(log_likelihood="-3"), '"log_likelihood" is "-3", not a number'),
    "null": (changed(compression_error=None), '"compression_error" is null, not a number'),
    "twice": (changed(n=7).replace('"n": 7', '"n": 7, "n": 8'), '"n" stands twice'),
    "order": (changed(order=[7, 0]), '"order" of this fit must hold 0 to 1'),
    "order length": (changed(order=[0, 1, 2]), '"order" of this fit must hold 0 to 1'),
    "order twice": (changed(order=[0, 0]), '"order" of this fit must hold 0 to 1'),
    "order of halves": (changed(order=[0.5, 1]), r'"order\[0\]" is 0.5, not a whole number'),
    "status": (changed(status="nope"), '"status" is "nope", not CONVERGED or TOLERANCE'),
    "mixture": (changed(mixture=[]), '"mixture" is a list of 0, not an object'),
    "no components": (changed(mixture__means=[]), "a list of 0, not a list of 1 to 500000"),
    "lengths": (changed(mixture__means=[1]), "2 weights, 1 means, 2 stds"),
    "sum": (changed(mixture__weights=[0.5, 0.6]), "weights have the sum 1.1"),
    "std": (
        changed(mixture__stds=[1, 0]),
        r'"mixture.stds\[1\]" is 0, not a number from 1.49167e-154',
    ),
    "mean": (changed(mixture__means=[1, "2"]), r'"mixture.means\[1\]" is "2"'),
    "covariance": (
        changed(certificate__covariance=[[1.0] * 3] * 3),
        "must be 6 lists of 6 numbers",
    ),
    "ragged": (
        changed(certificate__covariance=[*[[1.0] * 6] * 5, [1.0] * 5]),
        "must be 6 lists of 6 numbers",
    ),
    "deep": (
        changed(certificate__covariance=[[[1.0]] * 6] * 6),
        r'covariance\[0\]\[0\]" is a list of 1',
    ),
    "certificate": (changed(certificate={}), '"certificate.gradient_norm" is missing'),
    "notes": (changed(notes="one"), '"notes" is "one", not a list'),
    "long": (changed(start="s" * 1001), '"start" is "ssss.*…, not a text of at most 1000 letters'),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_fit_is_refused(case):
    text, sentence = REFUSED[case]
    with pytest.raises(InputError, match=sentence) as caught:
        gmm1d.Fit.from_json(text)
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


def test_what_is_no_mixture_is_refused():
    sound = json.loads(Mixture([1], [0], [1]).to_json())
    for change, sentence in (
        ({"schema": "other"}, 'lacks "schema": "gmm1d.mixture"'),
        (
            {"schema": "gmm1d.comparison"},
            "is a gmm1d.comparison, and no gmm1d.mixture or gmm1d.fit",
        ),
        ({"stds": None}, '"stds" is null, not a list of 1 to 500000'),
        ({"weights": [True]}, r'"weights\[0\]" is true'),
        ({"version": 2}, "newer gmm1d"),
    ):
        with pytest.raises(InputError, match=sentence):
            Mixture.from_json(json.dumps(sound | change))


def test_what_is_not_known_is_ignored(waiting):
    document = json.loads(waiting.to_json())
    document |= {"later": {"a": [math.pi]}}
    document["certificate"]["more"] = None
    assert gmm1d.Fit.from_json(json.dumps(document)).to_json() == waiting.to_json()


def test_what_cannot_be_read_is_not_written(waiting, tmp_path):
    k = 513
    covariance = np.zeros((3 * k, 3 * k))
    large = Mixture(np.full(k, 1 / k), np.arange(k), np.ones(k))
    evidence = dataclasses.replace(waiting.certificate, covariance=covariance)
    fit = dataclasses.replace(waiting, mixture=large, order=np.arange(k), certificate=evidence)
    for wrong, sentence in (
        (
            fit,
            r"cannot be saved: \"certificate.covariance\" is a list of 1539, not a list of 3 to 1536",
        ),
        (dataclasses.replace(waiting, n=math.nan), '"n" is NaN'),
    ):
        with pytest.raises(InputError, match=sentence):
            wrong.save(tmp_path / "fit.json")
    assert list(tmp_path.iterdir()) == []
    large.save(tmp_path / "large.json")
    assert Mixture.load(tmp_path / "large.json") == large


# --- files ----------------------------------------------------------------------------------------------------------

LOADS = [gmm1d.Fit.load, Mixture.load, Sketch.load]


@pytest.mark.parametrize("load", LOADS)
def test_a_file_that_cannot_be_read_is_named(load, tmp_path, monkeypatch):
    path = tmp_path / "model.json"
    with pytest.raises(ReadError, match=r"model\.json: No such file"):
        load(path)
    with pytest.raises(ReadError, match=f"{tmp_path.name}: "):
        load(tmp_path)
    for text in (b"", b"1.5\n2.5\n", b"{}"):
        path.write_bytes(text)
        with pytest.raises(ReadError, match=r"model.json: this (is no|JSON lacks)"):
            load(str(path))
    for absurd in (None, 5, b"a", "a\0b", Path("a\0b")):
        with pytest.raises(InputError, match="a path names a file"):
            load(absurd)
    monkeypatch.setattr(
        Path, "open", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Denied"))
    )
    with pytest.raises(ReadError, match=r"model\.json: Denied"):
        load(path)


@pytest.mark.parametrize("load", LOADS)
def test_no_more_is_read_than_can_be_meant(load, tmp_path):
    path = tmp_path / "endless"
    path.touch()
    os.truncate(path, 2 * documents.MOST_BYTES)  # a sparse file: nothing of it is on the disk
    tracemalloc.start()
    with pytest.raises(ReadError, match=r"endless: more than \d+ bytes"):
        load(path)
    assert tracemalloc.get_traced_memory()[1] < 1.1 * documents.MOST_BYTES
    tracemalloc.stop()


def test_no_more_text_is_parsed_than_can_be_meant(monkeypatch):
    monkeypatch.setattr(documents, "MOST_BYTES", 1000)
    with pytest.raises(InputError, match="more than 1000 letters"):
        Mixture.from_json(" " * 1001)


@pytest.mark.parametrize("part", ["[],", '"a",', '{"a":1},'])
def test_no_text_becomes_many_times_as_large(part):
    text = f"[{part * 70_000}1]"
    for form in (text, text.encode()):
        tracemalloc.start()
        with pytest.raises(InputError, match="more lists and texts than any document has"):
            Mixture.from_json(form)
        assert tracemalloc.get_traced_memory()[1] < 0.5 * len(text)
        tracemalloc.stop()


def savers(waiting):
    return [waiting, waiting.mixture, Sketch().add(many())]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_named(waiting):
    for each in savers(waiting):
        with pytest.raises(OSError, match="No space left") as caught:
            each.save("/dev/full")
        assert caught.value.filename == "/dev/full"


def test_a_file_that_cannot_be_finished_leaves_the_old_one(waiting, tmp_path):
    """As on a full disk: writing begins and then fails."""
    resource = pytest.importorskip("resource")
    path = tmp_path / "model"
    path.write_bytes(b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for each in savers(waiting):
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
        try:
            with pytest.raises(OSError, match="model"):
                each.save(path)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="modes are those of POSIX")
def test_a_folder_that_is_read_only_is_named(waiting):
    folder, user = Path(tempfile.mkdtemp()), os.geteuid()
    folder.chmod(0o555)
    try:
        if user == 0:  # whom modes do not stop
            os.seteuid(65534)
        for each in savers(waiting):
            with pytest.raises(PermissionError, match=r"model\.json"):
                each.save(folder / "model.json")
    finally:
        os.seteuid(user)
        folder.rmdir()


def test_paths_that_name_no_file_are_refused(waiting, tmp_path):
    for each in savers(waiting):
        for absurd in (None, 5, "a\0b"):
            with pytest.raises(InputError, match="a path names a file"):
                each.save(absurd)
        with pytest.raises(OSError, match="nowhere"):
            each.save(tmp_path / "nowhere" / "model")
        with pytest.raises(OSError, match=tmp_path.name):
            each.save(tmp_path)


# --- copies ---------------------------------------------------------------------------------------------------------


def bits(value):
    """Return all that a value holds, so that equal contents are equal and no others."""
    if dataclasses.is_dataclass(value):
        return {f.name: bits(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        content = value.tolist() if value.dtype == object else value.tobytes()
        return value.dtype, value.shape, content
    if isinstance(value, tuple | list):
        return [bits(each) for each in value]
    if isinstance(value, dict):
        return {key: bits(each) for key, each in value.items()}
    return value.to_bytes() if isinstance(value, Sketch) else value


def arrays(value):
    """Yield all arrays that a value holds."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, Mixture):
        yield from (value.weights, value.means, value.stds)
    elif dataclasses.is_dataclass(value):
        yield from arrays([getattr(value, field.name) for field in dataclasses.fields(value)])
    elif isinstance(value, tuple | list):
        for each in value:
            yield from arrays(each)
    elif isinstance(value, dict):
        yield from arrays(list(value.values()))


def with_names():
    x = {"a": [1.0, 2.0, 4.0, 9.0], "b": [1.0, math.nan]}
    with pytest.warns(FitWarning):
        return gmm1d.fit_many(x, 1)


OBJECTS = {
    "Mixture": lambda: FITS["CONVERGED"]().mixture,
    "Fit": FITS["CONVERGED"],
    "Fit of weights": FITS["weighted"],
    "Fit of a sketch": FITS["sketch"],
    "Fit of many": FITS["compressed"],
    "Fit penalised": FITS["PENALISED"],
    "Fit that was read": lambda: gmm1d.Fit.from_json(FITS["CONVERGED"]().to_json()),
    "Fits": with_names,
    "Comparison": lambda: gmm1d.compare(WAITING, [1, 2]),
    "Sample": lambda: Sample.of(WAITING),
    "Sample of whole numbers": lambda: Sample.of(np.arange(50)[::3], np.ones(17, np.float32)),
    "Sketch": lambda: Sketch(300).add(many()),
    "empty Sketch": lambda: Sketch(),
    "Trace": lambda: FITS["CONVERGED"]().trace,
    "Certificate": lambda: FITS["CONVERGED"]().certificate,
    "StandardErrors": lambda: FITS["CONVERGED"]().standard_errors(),
    "ConfidenceIntervals": lambda: FITS["CONVERGED"]().confidence_intervals(),
    "Ending": lambda: Ending.FLAT,
}
CLONES = {
    **{f"pickle {p}": lambda x, p=p: pickle.loads(pickle.dumps(x, p)) for p in range(2, 6)},
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("name", OBJECTS)
def test_copies_hold_the_same_and_are_frozen(name):
    original = OBJECTS[name]()
    before = bits(original)
    for clone in CLONES.values():
        twin = clone(original)
        assert type(twin) is type(original)
        assert bits(twin) == before
        assert " at 0x" in repr(twin) or repr(twin) == repr(original)
        assert all(type(array) is np.ndarray for array in arrays(twin))
        assert not any(array.flags.writeable for array in arrays(twin))
        if dataclasses.is_dataclass(twin):
            assert isinstance(twin, Frozen)
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(twin, dataclasses.fields(twin)[0].name, None)
        if hasattr(twin, "summary"):
            assert twin.summary() == original.summary()
    assert bits(original) == before


def test_every_public_class_is_among_the_copies():
    public = {name for name in gmm1d.__all__ if isinstance(getattr(gmm1d, name), type)}
    assert public <= {type(make()).__name__ for make in OBJECTS.values()}


def test_an_ending_stays_itself():
    for clone in CLONES.values():
        for ending in Ending:
            assert clone(ending) is ending


def test_data_in_a_file_are_copied_with_the_sample(tmp_path):
    np.save(tmp_path / "x.npy", WAITING)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    text = pickle.dumps(gmm1d.fit(mapped, 2))
    del mapped
    (tmp_path / "x.npy").unlink()
    points = pickle.loads(text).sample.points
    assert type(points) is np.ndarray
    assert points.tolist() == WAITING.tolist()


def test_a_deep_copy_does_not_follow_the_data():
    x = WAITING.copy()
    sample = Sample.of(x)
    deep, shallow = copy.deepcopy(sample), copy.copy(sample)
    assert np.shares_memory(shallow.points, x)
    x[:] = 0
    assert deep.points.tolist() == WAITING.tolist()
    assert x.flags.writeable


def test_pickles_hold_no_more_than_the_fields():
    wide = np.zeros(200 * WAITING.size)
    wide[::200] = WAITING
    plain, strided = (pickle.dumps(Sample.of(x)) for x in (WAITING, wide[::200]))
    assert len(plain) == len(strided)
    used = Sample.of(WAITING)
    assert used.std > 0
    assert pickle.dumps(used) == plain
    m = FITS["CONVERGED"]().mixture
    fresh = pickle.dumps(m)
    m.ppf(0.3), m.modes(), m.variances, m.mean()
    assert pickle.dumps(m) == fresh
    x = np.random.default_rng(0).normal(size=10_000)
    several = gmm1d.compare(x, [1, 2, 3])
    assert len(pickle.dumps(several)) < 1.5 * len(pickle.dumps(several[1]))


def test_a_copied_fit_is_fitted_on(waiting):
    twin = pickle.loads(pickle.dumps(waiting))
    again = gmm1d.fit(twin.sample, 2, start=twin.mixture)
    assert again.to_json() == gmm1d.fit(waiting.sample, 2, start=waiting.mixture).to_json()
    compressed = pickle.loads(pickle.dumps(FITS["compressed"]()))
    assert gmm1d.fit(compressed.sample, 2).to_json() == FITS["compressed"]().to_json()


def test_certificates_are_values():
    held = certificate.Certificate(0.0, 0.0, 1.0, 0.0, np.eye(3))
    assert copy.copy(held).covariance is not held.covariance
    assert held.covariance.flags.writeable  # the caller's array is left alone


# --- the bytes of a sketch ------------------------------------------------------------------------------------------


def test_a_sketch_is_read_by_the_table_of_its_format(tmp_path):
    """Nothing but the table in the docstring of `sketch_files` is used here."""
    x = np.append(many(), [1e9, -1e9, 3.5])
    Sketch().add(x).save(tmp_path / "s.sketch")
    data = (tmp_path / "s.sketch").read_bytes()
    assert data[:8] == b"gmm1d\0sk"
    version, most, n_leaves, n_values = struct.unpack_from("<4I", data, 8)
    size, low, high, flags, crc, squares, power = struct.unpack_from("<qddIIdq", data, 24)
    assert (version, most, size, low, high) == (2, 65536, x.size, -1e9, 1e9)
    assert flags in (0, 1)
    assert crc == zlib.crc32(data[56:])
    formats = [f"<{n_leaves}q", f"<{n_leaves}i", *[f"<{n_values}d"] * 2, f"<{8 * n_leaves}d"]
    columns, at = [], 72
    for each in formats:
        columns.append(np.array(struct.unpack_from(each, data, at), float))
        at += struct.calcsize(each)
    assert at == len(data)
    j, e, values, weights, moments = columns
    moments = moments.reshape(n_leaves, 8)
    width = 2.0**e
    assert np.all((j * width)[1:] >= ((j + 1) * width)[:-1])
    assert np.all(np.diff(values) > 0)
    assert weights.sum() + moments[:, 0].sum() == x.size
    assert (squares, power) == (x.size, 0)
    kept = values[np.clip(np.searchsorted(values, x), 1, n_values - 1) - np.array([[0], [1]])]
    inside = x[(np.abs(kept - x) > 1e-12 * np.abs(x)).all(axis=0)]
    left = np.searchsorted(j * width, inside, side="right") - 1
    u = (inside - (j + 0.5)[left] * width[left]) / (width[left] / 2)
    for p in range(8):
        expected = np.bincount(left, u**p, n_leaves)
        np.testing.assert_allclose(moments[:, p], expected, atol=1e-9 * moments[:, 0].max())
