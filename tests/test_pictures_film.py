"""Films: frames stand where something happens, nothing of the future is in them, and every setting of a look is kept."""

import math
import warnings
from itertools import pairwise

import pytest

# ruff: noqa: E402 - without the packages that draw, this page is skipped before it imports them
pytest.importorskip("numpy", reason="pictures need NumPy")
pytest.importorskip("PIL", reason="pictures need Pillow")
imageio = pytest.importorskip("imageio.v3", reason="pictures are read back with imageio")

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import gallery
from micrograd_lite import MLP, SGD, Adam, cross_entropy, half_squared_error, mse, train
from micrograd_lite.cli import main
from micrograd_lite.data import Dataset, line, mazur, spiral, xor
from micrograd_lite.pictures import boundary, curves, film, fit, gif, heatmap, learning, moments, network, palette
from micrograd_lite.pictures.film import filmed
from micrograd_lite.pictures.render import PICTURES, render
from micrograd_lite.trace import Trace, Tracer


def traced(place, net, data, loss=mse, epochs=30, optimizer=None, **settings):
    """A real run, written down and read back."""
    with Tracer(place) as tracer:
        for step in train(net, data, loss=loss, optimizer=optimizer or SGD(lr=0.5), epochs=epochs, **settings):
            tracer.watch(step)
    return Trace(place)


def read(path):
    """Every frame as red, green and blue."""
    return imageio.imread(path, index=None, mode="RGB", plugin="pillow")


@pytest.fixture(scope="module")
def xor_trace(tmp_path_factory):
    """The 2-4-1 run of the gallery, every step recorded."""
    net = MLP(2, [4, 1], "tanh", "sigmoid", seed=3)
    return traced(tmp_path_factory.mktemp("film") / "xor", net, xor(), epochs=100, optimizer=Adam(lr=0.1), evaluate_every=1)


@pytest.fixture(scope="module")
def line_trace(tmp_path_factory):
    """Demo 03's run: the loss has made 90 % of its fall after a few of 1,000 steps."""
    net = MLP(1, [1], init="zeros")
    return traced(tmp_path_factory.mktemp("film") / "line", net, line(), epochs=1000, optimizer=SGD(lr=0.01))


# --- frames where something happens ------------------------------------------------------------------------------------

RUNS = {
    "line": lambda: (MLP(1, [1], init="zeros"), line(), mse, SGD(lr=0.01), 1000),
    "mazur": lambda: (MLP(2, [2, 2], "sigmoid", "sigmoid", seed=1), mazur(), half_squared_error, SGD(lr=0.5), 2000),
    "sgd": lambda: (MLP(1, [1], init="zeros"), line(), mse, SGD(lr=0.05), 200),
    "momentum": lambda: (MLP(1, [1], init="zeros"), line(), mse, SGD(lr=0.01, momentum=0.9), 200),
    "adam": lambda: (MLP(1, [1], init="zeros"), line(), mse, Adam(lr=0.1), 200),
    "xor": lambda: (MLP(2, [2, 1], "sigmoid", "sigmoid", seed=1), xor(), mse, SGD(lr=1.0), 3000),
}


@pytest.mark.parametrize("name", RUNS)
def test_forty_percent_of_the_frames_show_the_fall(tmp_path, name):
    """Between 10 and 90 % of the loss's fall stand at least 40 % of the frames, or every recorded step that it has."""
    net, data, loss, optimizer, epochs = RUNS[name]()
    trace = traced(tmp_path / "t", net, data, loss, epochs, optimizer)
    first, last = moments.fall(moments.losses(trace))
    inner = [moment.step for moment in moments.moments(trace)][1:-1]
    falling = [step for step in inner if first <= step <= last]
    assert len(inner) == 58
    assert len(falling) >= min(math.ceil(0.4 * 58), len([step for step in trace.steps() if first <= step <= last]))


@given(st.lists(st.floats(0.0, 1e3), min_size=3, max_size=60), st.data())
def test_spread_moments_are_different_ones_in_order(changes, data):
    """However unevenly changes lie, so many different candidates are chosen, in order."""
    places = np.cumsum(changes)
    candidates = np.arange(1, len(places) - 1)
    count = data.draw(st.integers(0, len(candidates)))
    chosen = moments.spread(places, candidates, count)
    assert len(chosen) == count and all(a < b for a, b in pairwise(chosen)) and set(chosen) <= set(candidates.tolist())


def test_the_fall_goes_from_the_first_loss_to_the_lowest():
    """10 % and 90 % by first crossings; a loss that only rises has no fall; what is not finite does not count."""
    assert moments.fall({0: 10.0, 1: 9.5, 2: 8.9, 3: math.nan, 4: 5.0, 5: 0.5, 6: 0.0, 7: 3.0}) == (2, 5)
    assert moments.fall({0: 1.0, 1: 2.0}) is None and moments.fall({0: math.nan}) is None and moments.fall({}) is None


def test_all_animations_show_the_same_frames(xor_trace, tmp_path):
    """Whatever is drawn of one trace has one frame for each moment, and the first is step 0, the last the final one."""
    made = render(xor_trace.folder, frames=7, out=tmp_path)
    assert {len(read(path)) for path in made if path.suffix == ".gif"} == {7}
    steps = [moment.step for moment in filmed(xor_trace, frames=7).moments]
    assert steps[0] == 0 and steps[-1] == 100


def test_steps_from_to(line_trace):
    """Only moments between the two steps are shown; a range without a recorded step is a ValueError."""
    steps = [moment.step for moment in filmed(line_trace, steps=(3, 20)).moments]
    assert steps == list(range(3, 21))
    with pytest.raises(ValueError, match="no recorded step from 2000 to 3000"):
        filmed(line_trace, steps=(2000, 3000))


# --- nothing of the future ---------------------------------------------------------------------------------------------


def test_the_first_frame_knows_nothing_of_the_loss_to_come(line_trace, tmp_path):
    """At step 0 the loss is one dot: no line is drawn, although the curve falls within the first column of pixels."""
    curves.training_loss(tmp_path / "l.gif", filmed(line_trace))
    first = read(tmp_path / "l.gif")[0]
    assert not (first == palette.PALETTE[palette.ink(0)]).all(axis=-1).any()


def test_a_frame_is_the_same_whatever_comes_later(tmp_path):
    """Two runs that part after step 30 have the same picture at step 20, on the same axes."""
    seen = []
    for late in (5.0, 2.0):
        trace = traced(tmp_path / str(late), MLP(1, [1], init="zeros"), line(), epochs=30, optimizer=SGD(lr=0.01))
        rows = (trace.folder / "metrics.csv").read_text().splitlines()
        rows[29] = rows[29].replace(rows[29].split(",")[2], str(late), 1)  # a loss of step 29, inside the axes
        (trace.folder / "metrics.csv").write_text("\n".join(rows) + "\n")
        made = filmed(Trace(trace.folder), frames=31)
        sheet = made.canvas((640, 420))
        panel = curves.loss_panel(sheet, made.inside(sheet), made)
        seen.append([frame.copy() for frame in film.frames(made, sheet, [panel])][20])
    assert np.array_equal(*seen)


# --- network, fit, learning --------------------------------------------------------------------------------------------


def test_edges_are_coloured_by_sign_and_as_wide_as_the_weight(xor_trace):
    """Along each edge's middle stands its colour: red for a positive weight, blue for a negative one."""
    made = filmed(xor_trace, frames=2)
    sheet = made.canvas((720, 460))
    panel = network.NetworkPanel(sheet, made.inside(sheet), made)
    panel.paint(1)
    checked = 0
    for neuron in range(4):
        weight = made.weights[1][f"layer1.neuron0.w{neuron}"]
        (x, y), (to_x, to_y) = panel.places[1][neuron], panel.places[2][0]
        colour = sheet.pixels[round(y + 0.4 * (to_y - y)), round(x + 0.4 * (to_x - x))]
        if abs(weight) / panel.limits[0] > 0.2:
            checked += 1
            assert colour == (network.RED if weight > 0 else network.BLUE)
    assert checked >= 3


def test_a_large_network_shows_its_strongest_edges(tmp_path):
    """Of more than 400 weights the 400 strongest of each moment are drawn, and the picture says so."""
    trace = traced(tmp_path / "t", MLP(2, [24, 24, 3], "tanh", seed=1), spiral(9), cross_entropy, epochs=2)
    made = filmed(trace)
    sheet = made.canvas((720, 460))
    panel = network.NetworkPanel(sheet, made.inside(sheet), made)
    assert panel._explained()[0].startswith("The strongest 400 of 696 weights")
    panel.paint(0)


def test_nodes_are_filled_by_their_mean_answer(xor_trace):
    """The means are those of the scalar network over the data."""
    made = filmed(xor_trace, frames=2)
    sheet = made.canvas((720, 460))
    panel = network.NetworkPanel(sheet, made.inside(sheet), made)
    net = MLP.of(xor_trace.run["model"])
    net.load_state_dict(made.weights[1])
    answers = [net.predict(row) for row in xor().inputs]
    assert panel.means[0][0][1] == pytest.approx([0.5, 0.5])
    assert panel.means[0][2][1][0] == pytest.approx(math.fsum(answers) / 4)


def test_a_fit_is_drawn_in_the_data_s_own_units(tmp_path):
    """Inputs and targets that were scaled for training stand at their own numbers again."""
    plain = line()
    scaled = Dataset("own", [[(x - 3.0) / 2.0] for (x,) in plain.inputs], [(y - 9.0) / 4.0 for y in plain.targets])
    trace = traced(tmp_path / "t", MLP(1, [1], seed=1), scaled, epochs=3, optimizer=SGD(lr=0.01))
    trace.run["data"]["units"] = {"centre": [3.0], "scale": [2.0], "target_centre": 9.0, "target_scale": 4.0}
    made = filmed(trace)
    sheet = made.canvas((640, 440))
    panel = fit.FitPanel(sheet, made.inside(sheet), made)
    assert panel.plot.x.low < 1.0 < 5.0 < panel.plot.x.high and panel.plot.x.high < 7.0
    places = [place for place, _ in panel.places]
    assert places == [panel.plot.place(x, y) for (x,), y in zip(plain.inputs, plain.targets)]


def test_the_fitted_curve_is_what_the_network_answers(line_trace, tmp_path):
    """The thick line goes through the network's answers, and earlier curves stay behind it as pale ones."""
    fit.fit(tmp_path / "f.gif", filmed(line_trace))
    last = read(tmp_path / "f.gif")[-1]
    assert (last == palette.PALETTE[palette.ink(0)]).all(axis=-1).sum() > 500
    assert (last == palette.PALETTE[palette.ink(0, 2)]).all(axis=-1).sum() > 100


def test_learning_shows_everything_in_one_frame(xor_trace, line_trace, tmp_path):
    """1280 x 720 pixels; a classifier of two inputs has its field, a regression of one input its fit, both their loss."""
    kinds = []
    for trace in (xor_trace, line_trace):
        made = filmed(trace, frames=3)
        learning.learning(tmp_path / "l.gif", made)
        assert read(tmp_path / "l.gif").shape == (3, 720, 1280, 3)
        sheet = made.look.canvas(learning.NATURAL)
        kinds.append([type(panel).__name__ for panel in learning.panels(sheet, made.inside(sheet), made)])
    assert kinds == [["NetworkPanel", "FieldPanel", "CurvePanel", "CurvePanel"], ["NetworkPanel", "FitPanel", "CurvePanel"]]


def test_accuracy_is_a_curve_that_ends_where_it_was_last_measured(xor_trace):
    """Nothing before the first evaluation; then a dot at the last one up to that moment."""
    made = filmed(xor_trace, frames=5)
    sheet = made.look.canvas((640, 420))
    panel = curves.accuracy_panel(sheet, made.inside(sheet), made)
    (series,) = panel.series
    for number, moment in enumerate(made.moments):
        panel.paint(number)
        known = [place for place, step in enumerate(series.steps) if step <= moment.step]
        dots = (panel.canvas.view(panel.box) == palette.ink(1)).any()
        assert bool(known) == bool(dots) and panel.known == [len(known)]


@pytest.mark.parametrize("kind", ["gradients", "updates"])
def test_gradients_and_updates_are_drawn_like_weights(xor_trace, tmp_path, kind):
    """Each moment shows the numbers of the step that led to it; before the first step there are none."""
    made = filmed(xor_trace, frames=5)
    states = heatmap.changes(made, kind)
    assert all(math.isnan(value) for value in states[0].values())
    row = xor_trace.gradients(made.moments[2].step)[3]
    assert states[2][row.parameter] == getattr(row, kind.rstrip("s"))
    (path,) = render(xor_trace.folder, frames=5, what=[kind], out=tmp_path)
    assert path.name == f"{kind}.gif" and len(read(path)) == 5


@pytest.mark.parametrize(("sizes", "end"), [
    ([0.5, 1.0, 2.0], 2.0), ([0.0, 0.001, 5.0], 5.0), ([1.0, 1e3, 1e9, 1e30], 20.0), ([0.0, 0.0], 1.0), ([2.0, math.inf], 2.0),
])  # fmt: skip
def test_an_exploding_run_stays_readable(sizes, end):
    """A scale ends at the largest value; one of a run that explodes near where it began, so that its start has colours."""
    assert heatmap.limit_of(np.array(sizes)[:, None]) == end


# --- how it looks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in PICTURES if name not in ("fit", "layers")])
@pytest.mark.parametrize("size", [(320, 240), (640, 480), (1920, 1080)])
def test_pictures_have_the_size_asked_for(xor_trace, tmp_path, name, size):
    """Every picture is drawn in any size, and nothing sticks out: a rim of one pixel is paper."""
    (path,) = render(xor_trace.folder, frames=2, what=name, out=tmp_path, size=size)
    last = read(path)[-1] if path.suffix == ".gif" else imageio.imread(path, mode="RGB")
    assert last.shape == (size[1], size[0], 3)
    assert all((edge == 255).all() for edge in (last[0], last[-1], last[:, 0], last[:, -1]))


def test_the_dark_theme_and_one_s_own(xor_trace, tmp_path):
    """The same numbers in other colours: the corner is the theme's paper."""
    own = palette.LIGHT._replace(paper="fffdf5", text=15)
    for theme, paper in ((palette.DARK, [0x15, 0x18, 0x1D]), (own, [0xFF, 0xFD, 0xF5])):
        for path in render(xor_trace.folder, frames=2, out=tmp_path, theme=theme):
            first = read(path)[0] if path.suffix == ".gif" else imageio.imread(path, mode="RGB")
            assert first[0, 0].tolist() == paper
    with pytest.raises(ValueError, match="six hexadecimal digits"):
        render(xor_trace.folder, what="loss", out=tmp_path, theme=palette.LIGHT._replace(paper="white!"))


@pytest.mark.parametrize("theme", palette.THEMES.values(), ids=palette.THEMES)
def test_every_colour_of_a_theme_is_another(theme):
    """No two colour numbers look the same."""
    assert len({tuple(colour) for colour in theme.palette[: palette.USED].tolist()}) == palette.USED


def test_title_and_speed(xor_trace, tmp_path):
    """The title says data, network and optimizer unless there is another; twice the speed is half the time, holds aside."""
    assert film.headline(xor_trace.run) == "xor: 2-4-1 tanh, sigmoid; Adam, lr 0.1"
    plain, (titled,) = read(render(xor_trace.folder, 4, "loss", tmp_path)[0]), render(
        xor_trace.folder, 4, "loss", tmp_path, title="mine", speed=2.0
    )
    with Image.open(titled) as image:
        times = []
        for index in range(4):
            image.seek(index)
            times.append(image.info["duration"])
    assert times == [1000, 40, 40, 2000]
    assert not np.array_equal(plain[0][:24], read(titled)[0][:24]) and np.array_equal(plain[0][50:], read(titled)[0][50:])


@pytest.mark.parametrize(("look", "message"), [
    ({"what": "wights"}, "unknown picture 'wights'.*did you mean 'weights'"), ({"size": (10, 10)}, "160x120 to 4096x4096"),
    ({"speed": 0.0}, "speed must be"), ({"what": "fit"}, "a fit needs"), ({"frames": 1}, "at least 2"),
])  # fmt: skip
def test_looks_that_cannot_be_are_refused(xor_trace, tmp_path, look, message):
    """Each is a ValueError that says what would do."""
    with pytest.raises(ValueError, match=message):
        render(xor_trace.folder, out=tmp_path, **look)


def test_a_large_file_is_said_before_it_is_written(tmp_path, monkeypatch):
    """Above the limit a warning names path and size."""
    monkeypatch.setattr(gif, "LARGE", 1000)
    frames = np.random.default_rng(0).integers(0, palette.USED, (3, 60, 60), dtype=np.uint8)
    with pytest.warns(UserWarning, match=r"a\.gif will have 0\.0 MB"):
        gif.write_gif(tmp_path / "a.gif", frames)
    monkeypatch.setattr(gif, "LARGE", 10**9)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gif.write_gif(tmp_path / "a.gif", frames)


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_video_is_as_long_as_the_gif(xor_trace, tmp_path):
    """An MP4 that imageio reads back, with even sizes kept and holds as repeated frames."""
    pytest.importorskip("imageio_ffmpeg", reason="MP4 files need imageio's ffmpeg plugin")
    (path,) = render(xor_trace.folder, frames=10, what="loss", out=tmp_path, video=True)
    assert path.name == "training_loss.mp4"
    with imageio.imopen(path, "r", plugin="FFMPEG") as video:  # it leaves its file to the garbage collector
        about, count = video.metadata(), len(video.read(index=None))
    assert about["size"] == (640, 420)
    assert count / about["fps"] == pytest.approx(1.0 + 8 * 0.08 + 2.0)


def test_a_field_has_about_twenty_colours(xor_trace):
    """The field of one output is a contour map of at most twenty bands."""
    made = filmed(xor_trace, frames=2)
    sheet = made.canvas((640, 480))
    panel = boundary.FieldPanel(sheet, made.inside(sheet), made)
    panel.paint(1)
    field = sheet.view(panel.plot.box)[~panel.on_data]
    assert 5 < len(set(field.tolist()) - {palette.PEN}) <= 20


@pytest.mark.parametrize(("words", "message"), [
    ("--steps 5", "--steps needs two steps"), ("--size 12", "--size needs width and height"),
    ("--what nothing", "unknown picture 'nothing'"), ("--what fit", "a fit needs"),
])  # fmt: skip
def test_the_command_says_what_it_cannot_draw(xor_trace, capsys, words, message):
    """One line on stderr, exit code 2, and no picture."""
    assert main(["render", str(xor_trace.folder), *words.split()]) == 2
    said = capsys.readouterr()
    assert message in said.err and said.err.count("\n") == 1 and not said.out


def test_the_command_draws_what_it_is_asked_for(xor_trace, tmp_path, capsys):
    """Names with commas, from and to, size, theme, title and folder, all at once."""
    words = f"--what loss,weights --steps 10:20 --size 400x300 --theme dark --speed 2 --title mine --out {tmp_path}"
    assert main(["render", str(xor_trace.folder), *words.split()]) == 0
    paths = capsys.readouterr().out.split()
    assert [path.rpartition("/")[2] for path in paths] == ["training_loss.gif", "weights_update.gif"]
    assert all(read(path).shape == (11, 300, 400, 3) for path in paths)


# --- the gallery -------------------------------------------------------------------------------------------------------


def test_the_gallery_s_pictures_can_be_made_again(tmp_path):
    """Each kind of picture once, under 3 MB together, and a fresh one differs in at most 2 % of its pixels.

    Letters of another Pillow and the last bits of another machine may move a few of them.
    """
    kept = {path.relative_to(gallery.GALLERY): path for path in gallery.GALLERY.glob("pictures/**/*.*")}
    fresh = gallery.draw(tmp_path / "pictures", tmp_path / "runs")
    assert {path.relative_to(tmp_path) for path in fresh} == set(kept)
    assert {path.name for path in kept.values()} >= {picture.file for picture in PICTURES.values()}
    assert math.fsum(path.stat().st_size for path in gallery.GALLERY.glob("**/*.*")) < 3_000_000
    for path in fresh:
        made, old = read(path), read(kept[path.relative_to(tmp_path)])
        assert made.shape == old.shape and (made != old).any(axis=-1).mean() <= 0.02, path.name


def test_the_hero_moves(tmp_path):
    """README's picture is the 2-4-1 run as learning.gif: at most 640 wide, with at least 60 frames, no two in a row alike."""
    frames = read(gallery.GALLERY / "pictures" / "learning.gif")
    assert frames.shape[0] >= 60 and frames.shape[2] <= 640
    assert all((one != other).any() for one, other in pairwise(frames))
