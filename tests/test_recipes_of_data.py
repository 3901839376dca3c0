"""Large data are not in their trace: it has their SHA-256 and the recipe by which they are loaded again when somebody asks."""

import hashlib
import json
import os
import struct
from random import Random

import pytest

from micrograd_lite import MLP, SGD, Adam, Trace, Tracer, cli, cross_entropy, data, hinge, mse, train
from micrograd_lite.data.mnist import Mnist
from micrograd_lite.data.origin import MOST, Contradiction, count_rows, digest, load_again, told
from micrograd_lite.lab.diagnose import diagnose
from micrograd_lite.recipe import Recipe, prepare
from micrograd_lite.trace import samples
from micrograd_lite.trace.predict import Answering
from micrograd_lite.trace.rebuild import Rebuild
from micrograd_lite.verify import verify


@pytest.fixture
def few(monkeypatch):
    """A trace keeps 100 numbers: then small data are large."""
    for page in ("trace.samples", "verify.settings"):
        monkeypatch.setattr(f"micrograd_lite.{page}.SMALL", 100)


def traced(folder, whole, net=None, loss=mse, **options):
    net = net or MLP(len(whole.inputs[0]), [2, 1], "tanh")
    given = {"loss": loss, "optimizer": SGD(lr=0.01), "epochs": 2, "batch_size": 50, "seed": 3} | options
    every = given.pop("every", 1)
    with Tracer(folder, every=every, weights_every=given.pop("weights_every", None)) as tracer:
        for _ in tracer.follow(train(net, whole, **given)):
            pass
    return folder


def read(folder):
    return json.loads((folder / "run.json").read_text())


def edit(folder, change):
    """Let somebody change run.json."""
    run = read(folder)
    change(run)
    (folder / "run.json").write_text(json.dumps(run))


def table(path, rows=60):
    """A CSV file of two inputs and a number to learn."""
    draw = Random(4)
    lines = [f"{draw.gauss(5, 2):.6f},{draw.gauss(0, 1):.6f},{draw.gauss(9, 3):.6f}\n" for _ in range(rows)]
    path.write_text("a,b,y\n" + "".join(lines))
    return path


def from_csv(tmp_path):
    """The trace of a CSV file, as the command line trains it, and the file."""
    path = table(tmp_path / "own.csv", rows=300)
    run = prepare(Recipe(str(path), layers=(2,), epochs=1, batch=50))
    with Tracer(tmp_path / "t") as tracer:
        for _ in tracer.follow(run.steps()):
            pass
    return tmp_path / "t", path


# --- origins ---


@pytest.mark.parametrize("source", ["xor", "parts", "line", "moons", "spiral", "iris", "digits", "csv"])
@pytest.mark.parametrize("loss", [None, "mse", "hinge", "cross_entropy"])
@pytest.mark.parametrize("raw", [True, False])
def test_an_origin_makes_the_same_data_again(source, loss, raw, tmp_path):
    """Whatever was split, scaled and made of the classes: both parts come out equal, names and units included."""
    source = str(table(tmp_path / "own.csv")) if source == "csv" else source
    try:
        run = prepare(Recipe(source, loss=loss, raw=raw, test=0.3, engine="flat"))
    except ValueError:
        return  # this loss is not for these data
    for part in (run.training, run.testing):
        origin = tuple(json.loads(json.dumps(part.origin)))
        assert load_again(origin, len(part.inputs)) == part


def test_centred_and_chosen_rows_too():
    """Two moves, one after the other, and the first rows alone."""
    train, test = data.scaled(*data.centred(*data.split(data.iris(), seed=5)))
    few = data.prepare.first(test, 7)
    assert load_again(train.origin, 120) == train and load_again(few.origin, 7) == few and len(few.inputs) == 7


def test_mazur_has_an_origin_and_tables_of_ones_own_have_none():
    """What the package loads knows where it came from, what a user typed does not, split and scaled or not."""
    assert load_again(data.mazur().origin, 1) == data.mazur()
    own = data.Dataset("own", [[1.0], [2.0], [4.0]], [1.0, 2.0, 3.0])
    assert [part.origin for part in data.scaled(*data.split(own, 0.4))] == [(), ()]


def test_the_digest_is_of_plain_bytes():
    """Inputs, then targets, each number a binary64 with its lowest byte first; in 32 bits a binary32; ints are such numbers."""
    inputs, targets = [[1.5, -2], [0.1, 3.0]], [1, 0]
    assert digest(inputs, targets, False) == hashlib.sha256(struct.pack("<6d", 1.5, -2, 0.1, 3, 1, 0)).hexdigest()
    assert digest(inputs, [[1.0, 0.0], [0.0, 2.0]], True) == hashlib.sha256(
        struct.pack("<8f", 1.5, -2, 0.1, 3, 1, 0, 0, 2)).hexdigest()  # fmt: skip
    numpy = pytest.importorskip("numpy", reason="an array needs NumPy")
    for kind in (float, "float32", ">f8"):
        narrow = kind == "float32"
        assert digest(numpy.asarray(inputs, kind), numpy.asarray(targets), narrow) == digest(inputs, targets, narrow)
    assert digest(numpy.asfortranarray(inputs), targets, False) == digest(inputs, targets, False)


@pytest.mark.parametrize("recipe, sentence", [
    ([{"name": "moons", "samples": 10**12, "noise": 0.1, "seed": 0}], "makes 1,000,000,000,000 rows, and 1 to 2,000,000 are"),
    ([{"name": "moons", "samples": 7, "noise": 0.1, "seed": 0}], "makes 7 rows, and there were 9"),
    ([{"name": "digits"}, {"name": "first", "rows": 8}], "makes 8 rows, and there were 9"),
    ([{"name": "digits"}, {"name": "first", "rows": -9}], "makes -9 rows"),
    ([{"name": "moons", "samples": 9, "noise": -1, "seed": 0}], "cannot be followed: noise is the spread"),
    ([{"name": "moons", "samples": 9, "noise": 0.1}], "is no loader: moons takes samples, noise, seed"),
    ([{"name": "moons", "samples": True, "noise": 0.1, "seed": 0}], "is no loader"),
    ([{"name": "moons", "samples": 10, "noise": 0.1, "seed": 0}, {"name": "split", "test": 7.0, "seed": 0, "part": "test"}],
     "makes 70 rows, and there were 9"),
    ([{"name": "moons", "samples": 9, "noise": 0.1, "seed": 0}, {"name": "moved", "centre": [0.0, "x"], "scale": [1.0, 1.0]}],
     "cannot be followed: unsupported operand"),
    ([{"name": "moons", "samples": 9, "noise": 0.1, "seed": 0}, {"name": "moved", "centre": [0.0, 0.0], "scale": [1.0, 0.0]}],
     "cannot be followed: float division by zero"),
    ([{"name": "mnist", "part": "both", "dtype": "float32"}], "is no loader: mnist takes part, dtype"),
])  # fmt: skip
def test_a_recipe_that_does_not_fit_is_refused_before_anything_is_made(recipe, sentence):
    """Rows are counted and arguments looked at first; what goes wrong then is a sentence too."""
    with pytest.raises(Contradiction, match=sentence):
        load_again(recipe, 9)


def test_unknown_names_are_a_sentence():
    """Only what stands in the tables is ever called."""
    with pytest.raises(ValueError, match="the loader 'system' is not known here; known are xor, parts"):
        load_again([{"name": "system", "command": "true"}], 4)
    with pytest.raises(ValueError, match="the preparation 'eval' is not known here; known are split"):
        load_again([{"name": "xor"}, {"name": "eval", "text": "1"}], 4)
    assert count_rows([{"name": "digits"}, {"name": "split", "test": 0.25, "seed": 0, "part": "train"}]) == 1348
    assert MOST < 10**7


# --- the trace ---


def test_small_data_stay_in_data_csv(tmp_path):
    """They have no recipe and no second SHA-256: nothing of them changes."""
    folder = traced(tmp_path / "t", data.moons(), loss=hinge)
    assert not {"recipe", "sha256"} & read(folder)["data"].keys() and (folder / "data.csv").is_file()


def test_60000_moons_are_built_again(tmp_path, capsys):
    """The real size: no table in the folder, and show, explain, diagnose and verify --long answer."""
    folder = traced(tmp_path / "t", data.moons(samples=60_000), MLP(2, [1]), hinge, batch_size=500, epochs=1,
                    engine="flat", every=60)  # fmt: skip
    told = read(folder)["data"]
    assert told["recipe"] == [{"name": "moons", "samples": 60_000, "noise": 0.1, "seed": 0}] and len(told["sha256"]) == 64
    assert not (folder / "data.csv").exists()
    assert cli.main(["show", str(folder), "--toward", "layer0.neuron0.w0", "--format", "csv"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.endswith(repr(Trace(folder).gradients(120)[0].gradient))
    assert cli.main(["explain", str(folder), "--step", "60", "--sample", "9"]) == 0
    assert "sample9 of step 60, row " in capsys.readouterr().out
    assert "200 of its 60,000 samples, loaded again by their recipe" in diagnose(folder)
    assert "--long was not asked for" in verify(folder).verdict


def test_digits_as_a_whole_are_built_again_and_proved(tmp_path, capsys):
    """115,008 numbers: every recorded step comes out in bits, and verify --long proves all and says how it got the data."""
    folder = traced(tmp_path / "t", data.digits(), MLP(64, [2, 10], "tanh"), cross_entropy, batch_size=600, epochs=1)
    rebuild = Rebuild(folder)
    assert [rebuild.step(number).note for number in (1, 2, 3)] == ["", "", ""]
    assert cli.main(["verify", str(folder), "--long", "--strict"]) == 0
    out = capsys.readouterr().out
    assert "note: the training data are not in the trace; they were loaded again by their recipe, digits(), and have" in out
    assert out.endswith("rows agree\n")


def test_opening_a_trace_loads_no_data(few, tmp_path, monkeypatch):
    """Only a question about a step does: MNIST is not read by whoever looks at a curve."""
    folder = traced(tmp_path / "t", data.moons())
    monkeypatch.setattr("micrograd_lite.data.origin.load_again", lambda *_: pytest.fail("the data were loaded"))
    trace = Trace(folder)
    assert trace.metrics() and trace.gradients(1) and "inputs" not in trace.run["data"]
    assert verify(folder).wrong == ""


def test_the_test_part_has_its_own_recipe(few, tmp_path):
    """verify --long loads both parts; the loss on the test data is derived again."""
    train, test = data.split(data.moons(300), 0.4)
    report = verify(traced(tmp_path / "t", train, test=test, engine="flat"), long=True)
    assert report.proved and len(report.notes) == 2
    assert "the test data are not in the trace; they were loaded again by their recipe, moons(samples=300" in report.notes[1]


def test_tables_changed_after_loading_have_no_recipe(few, tmp_path):
    """What a user did to them is not known, so the recipe would be another one's: the trace says that it lacks its data."""
    moved, replaced = data.moons(), data.moons()
    moved.inputs[3][0] += 1.0
    for name, whole in (("moved", moved), ("replaced", replaced._replace(targets=[1.0] * 100)),
                        ("units", replaced._replace(units=data.Units((0.0, 0.0), (2.0, 2.0)))),
                        ("rows", replaced._replace(inputs=replaced.inputs[:80], targets=replaced.targets[:80])),
                        ("own", (replaced.inputs, replaced.targets))):  # fmt: skip
        folder = traced(tmp_path / name, whole, MLP(2, [2, 1]))
        assert "recipe" not in read(folder)["data"] and len(read(folder)["data"]["sha256"]) == 64
        with pytest.raises(ValueError, match=r"does not hold its data \('.*', \d+ samples\); so no step can be built again"):
            Rebuild(folder)
        assert verify(folder, long=True).wrong == ""


def test_predict_knows_where_a_yes_parts_from_a_no(few, tmp_path):
    """A square error has its border between the targets, which are loaded again; without them the number is the answer."""
    folder = traced(tmp_path / "t", data.moons())
    assert Answering(folder).answer([0.0, 0.0]).name in ("upper", "lower")
    edit(folder, lambda run: run["data"].pop("recipe"))
    assert Answering(folder).answer([0.0, 0.0]).name == ""


def test_a_run_goes_on_with_the_same_large_data_only(few, tmp_path):
    """Their SHA-256 is compared: another number in them is another run. From where they came does not matter."""
    whole, other = data.moons(), data.moons(seed=1)

    def steps(given, resume=None):
        return train(MLP(2, [1]), given, loss=mse, optimizer=SGD(lr=0.1), epochs=4, resume=resume)

    with pytest.raises(RuntimeError), Tracer(tmp_path / "t", checkpoint_every=2) as tracer:
        for step in tracer.follow(steps(whole)):
            if step.number == 3:
                raise RuntimeError
    with pytest.raises(ValueError, match="its data differs"), Tracer(tmp_path / "t", resume=True) as tracer:
        list(tracer.follow(steps(other, tracer.checkpoint)))
    with Tracer(tmp_path / "t", resume=True) as tracer:
        list(tracer.follow(steps(whole._replace(origin=()), tracer.checkpoint)))
    assert Trace(tmp_path / "t").status == "finished"


# --- a file of one's own ---


def test_a_file_that_is_where_it_was_is_read_again(few, tmp_path):
    """Split and scaled as they were: the steps come out in bits, and verify proves all that data can prove."""
    folder, _ = from_csv(tmp_path)
    assert Rebuild(folder).step(2).note == ""
    report = verify(folder, long=True)
    assert report.proved and "read_csv(path=" in report.notes[0]


def test_a_file_that_moved_is_named_with_what_was_expected(few, tmp_path, capsys):
    """Path, size and SHA-256; moved back, it is found."""
    folder, path = from_csv(tmp_path)
    content = path.read_bytes()
    path.unlink()
    assert cli.main(["show", str(folder), "--forward"]) == 2
    said = capsys.readouterr().err
    expected = f"expected the file of {len(content):,} bytes with the SHA-256 {hashlib.sha256(content).hexdigest()}"
    assert said.count("\n") == 1 and f"{path} cannot be read: No such file or directory; {expected}" in said
    report = verify(folder, long=True)
    assert report.wrong == "" and "loss, the data cannot be loaded again" in report.unchecked and expected in report.notes[0]
    path.write_bytes(content)
    assert cli.main(["show", str(folder), "--forward"]) == 0


def test_a_changed_cell_is_refused(few, tmp_path, capsys):
    """One digit of one cell: not the file that was trained, and said so; the trace itself is not accused."""
    folder, path = from_csv(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"4", b"5", 1))
    for command in (["show", str(folder), "--chain"], ["explain", str(folder), "--sample", "1"]):
        assert cli.main(command) == 2
        assert f"{path} is not the file that was trained, it has the SHA-256 " in capsys.readouterr().err
    path.write_bytes(content + b"\n")
    with pytest.raises(ValueError, match=f"it has {len(content) + 1:,} bytes; expected the file of {len(content):,} bytes"):
        Rebuild(folder)
    assert "is not the file that was trained" in diagnose(folder) and verify(folder, long=True).wrong == ""


@pytest.mark.parametrize("kind", ["pipe", "zero", "folder"])
def test_what_is_no_file_is_refused_and_not_waited_for(kind, few, tmp_path):
    """A pipe, a link to /dev/zero, a folder in the place of the file: one sentence."""
    folder, path = from_csv(tmp_path)
    path.unlink()
    {"pipe": lambda: os.mkfifo(path), "zero": lambda: path.symlink_to("/dev/zero"), "folder": path.mkdir}[kind]()
    with pytest.raises(ValueError, match=r"no regular file; expected the file of .* so no step can be built again"):
        Rebuild(folder)


# --- run.json of somebody else ---


@pytest.mark.parametrize("change, entry", [
    (lambda told: told.update(recipe="moons"), "data.recipe must be 1 to 20 steps"),
    (lambda told: told.update(recipe=[]), "data.recipe must be"),
    (lambda told: told.update(recipe=told["recipe"] * 21), "data.recipe must be"),
    (lambda told: told["recipe"][0].pop("name"), "data.recipe must be"),
    (lambda told: told["recipe"][0].update(name=3), "data.recipe must be"),
    (lambda told: told["recipe"][0].update(seed={"a": 1}), "data.recipe must be"),
    (lambda told: told["recipe"][0].update(seed=[[1]]), "data.recipe must be"),
    (lambda told: told["recipe"][0].update(seed=[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]), "it is nested too deep"),
    (lambda told: told.update(sha256="0"), "data.sha256 must be 64 hexadecimal digits"),
    (lambda told: told.update(sha256=7), "data.sha256 must be"),
])  # fmt: skip
def test_entries_of_another_kind_are_refused(change, entry, few, tmp_path):
    """By whoever opens the folder, in one sentence."""
    folder = traced(tmp_path / "t", data.moons())
    edit(folder, lambda run: change(run["data"]))
    for reading in (Trace, verify):
        with pytest.raises(ValueError, match=entry):
            reading(folder)


@pytest.mark.parametrize("count", [100, 10**12])
def test_a_trillion_samples_are_counted_and_not_made(count, few, tmp_path):
    """In the recipe alone, or in both places."""
    folder = traced(tmp_path / "t", data.moons())
    edit(folder, lambda run: (run["data"]["recipe"][0].update(samples=10**12), run["data"].update(samples=count)))
    with pytest.raises(ValueError, match="makes 1,000,000,000,000 rows"):
        Rebuild(folder)
    assert verify(folder, long=True).wrong


@pytest.mark.parametrize("change", [
    lambda told: told["recipe"][1].update(seed=1), lambda told: told["recipe"][1].update(part="test", test=0.6),
    lambda told: told.update(sha256="0" * 64), lambda told: told["recipe"].append({"name": "one_hot"}),
    lambda told: told["recipe"][2]["centre"].__setitem__(0, 5.0), lambda told: told["recipe"].pop(),
    lambda told: told["units"]["scale"].__setitem__(0, 5.0),
])  # fmt: skip
def test_a_forged_recipe_contradicts_the_digest(change, few, tmp_path):
    """Another seed, part, SHA-256, preparation or unit: verify --long finds it, and no step is built again."""
    train, _ = data.scaled(*data.split(data.iris(), 0.4))
    folder = traced(tmp_path / "t", train, MLP(4, [3]), cross_entropy)
    assert verify(folder, long=True).wrong == ""
    edit(folder, lambda run: change(run["data"]))
    assert "run.json: " in verify(folder, long=True).wrong
    with pytest.raises(ValueError, match="cannot be loaded again"):
        Rebuild(folder)


def test_points_that_sin_and_cos_made_may_differ_on_another_machine(few, tmp_path):
    """Their last digits may: nobody is accused, but they are not taken for the data that were trained."""
    folder = traced(tmp_path / "t", data.moons())
    edit(folder, lambda run: run["data"].update(sha256="0" * 64))
    report = verify(folder, long=True)
    assert report.wrong == "" and "loss, the data cannot be loaded again" in report.unchecked
    assert "makes on this machine, whose sin and cos may differ, other numbers than were trained" in report.notes[0]


def test_recipe_and_digest_stand_together_and_only_beside_large_data(few, tmp_path, monkeypatch):
    """A recipe without the SHA-256, or either beside data.csv, contradicts the format."""
    folder = traced(tmp_path / "t", data.moons())
    edit(folder, lambda run: run["data"].pop("sha256"))
    assert "data has a recipe, and no SHA-256" in verify(folder).wrong
    monkeypatch.undo()
    small = traced(tmp_path / "small", data.moons())
    edit(small, lambda run: run["data"].update(recipe=[{"name": "moons"}]))
    assert "data.recipe is" in verify(small).wrong


def test_an_unknown_loader_is_not_checked(few, tmp_path):
    """Of a later version, perhaps: a sentence, and no accusation."""
    folder = traced(tmp_path / "t", data.moons())
    edit(folder, lambda run: run["data"].update(recipe=[{"name": "system", "command": "true"}]))
    assert verify(folder).wrong == "" and any("'system' is not known here" in gap for gap in verify(folder).unchecked)
    with pytest.raises(ValueError, match="cannot be loaded again: the loader 'system' is not known here"):
        Rebuild(folder)


# --- arrays ---


def test_a_network_on_arrays_is_measured_on_its_data_loaded_again(few, tmp_path):
    """Rounded to 32 bits as they were trained; verify takes them too."""
    arrays = pytest.importorskip("micrograd_lite.arrays", reason="a network on arrays needs NumPy")
    net = arrays.MLP(4, [3, 3], "tanh", dtype="float32")
    folder = traced(tmp_path / "t", data.scaled(data.iris())[0], net, cross_entropy, optimizer=Adam(lr=0.01), weights_every=1)
    assert "150 of its 150 samples, loaded again by their recipe" in diagnose(folder)
    report = verify(folder, long=True)
    assert report.wrong == "" and not any("the data are not" in gap for gap in report.unchecked) and report.notes
    edit(folder, lambda run: run["data"].update(sha256="0" * 64))
    assert "layers.csv has it" in diagnose(folder) and "other numbers than were trained" in verify(folder, long=True).wrong


def test_mnist_is_known_by_its_bytes_and_never_downloaded(tmp_path, monkeypatch):
    """Images that are not MNIST's have no origin; where MNIST is missing, the sentence names the command that downloads it."""
    numpy = pytest.importorskip("numpy", reason="images are arrays")
    images = Mnist(*(numpy.zeros(shape, numpy.uint8) for shape in ((9, 28, 28), 9, (9, 28, 28), 9)))
    assert [part.origin for part in data.image_datasets(images)] == [(), ()]
    monkeypatch.setenv("MICROGRAD_LITE_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"MNIST is not in .*`micrograd-lite data mnist` downloads it"):
        load_again([{"name": "mnist", "part": "train", "dtype": "float32"}], 60_000)


def test_mnist_comes_again(tmp_path):
    """Its first 130 images, trained number by number, come out of the four files again."""
    try:
        train, _ = data.image_datasets(data.mnist(mirrors=()))
    except (OSError, ImportError) as missing:
        pytest.skip(f"MNIST is not at hand: {missing}")
    first = data.prepare.first(train, 130)
    assert told(first.origin) == "mnist(part='train', dtype='float32'), first(rows=130)"
    folder = traced(tmp_path / "t", first, MLP(784, [1, 10]), cross_entropy, batch_size=130, epochs=1, engine="flat")
    assert Rebuild(folder).step(1).note == ""


def test_samples_of_the_trace_are_plain(few, tmp_path):
    """loaded() gives the very lists that were trained."""
    whole = data.moons()
    folder = traced(tmp_path / "t", whole)
    again = samples.loaded(Trace(folder).run, "data", folder)
    assert again["inputs"] == whole.inputs and again["targets"] == whole.targets
