"""Pictures: what is drawn is what the trace says, pixel by pixel, and what is written is what was drawn."""

import errno
import math
import os
import subprocess
import sys
import unicodedata
from itertools import pairwise

import pytest

# ruff: noqa: E402 - without the packages that draw, this page is skipped before it imports them
pytest.importorskip("numpy", reason="pictures need NumPy")
pytest.importorskip("PIL", reason="pictures need Pillow")
imageio = pytest.importorskip("imageio.v3", reason="pictures are read back with imageio")

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from micrograd_lite import MLP, SGD, Adam, binary_cross_entropy, cross_entropy, half_squared_error, hinge, losses, mse, train
from micrograd_lite.data import Dataset, line, spiral, xor
from micrograd_lite.pictures import (
    axes,
    boundary,
    canvas,
    curves,
    fields,
    film,
    gif,
    heatmap,
    matrices,
    moments,
    palette,
    points,
)
from micrograd_lite.pictures import (
    matrices as panels,
)
from micrograd_lite.pictures import (
    optimizer_paths as paths,
)
from micrograd_lite.pictures.film import filmed
from micrograd_lite.pictures.render import render
from micrograd_lite.text import cells
from micrograd_lite.trace import Trace, Tracer, folder

HOSTILE = [
    "../../etc/passwd", "=1+1", "a\nb", "\0", "naive\u0301 \u03b2", "layer999.neuron99999.w99999", "layer0.neuron0.w00", "<b>",
    "",
]  # fmt: skip


def traced(place, net, data, loss=mse, epochs=30, every=1, optimizer=None, **settings):
    """A real run, written down and read back."""
    with Tracer(place, every=every) as tracer:
        for step in train(net, data, loss=loss, optimizer=optimizer or SGD(lr=0.5), epochs=epochs, **settings):
            tracer.watch(step)
    return Trace(place)


BLANK = {
    "model": {"type": "blank"}, "parameters": [], "fixed": {}, "tied": {}, "loss": "mse", "optimizer": {"name": ""}, "every": 1,
    "data": {"name": "", "samples": 1, "features": 1, "classes": 0, "feature_names": [], "class_names": []},
    "optimizer_memory": [], "test": None, "batch_size": None,
    "shuffle": False, "seed": 0, "evaluation": [], "chain_rule": [], "by_sample": [],
}  # fmt: skip
"""What a run.json must hold."""


def by_hand(place, states, loss, run=None):
    """A trace folder written row by row: `states` has a dict for each moment, `loss` a number for each step."""
    place.mkdir()
    names = list(states[0]) if states else []
    folder.write_run(place, BLANK | {"status": "finished", "parameters": names, "loss": "mse", **(run or {})})
    rows = [f"{step},1,{cells.number(number)},0.0,0.0,0.1\n" for step, number in enumerate(loss, 1)]
    (place / "metrics.csv").write_text("step,epoch,loss,gradient_norm,update_norm,learning_rate\n" + "".join(rows))
    table = ["step,parameter,before,gradient,update,after\n"]
    for step, (before, after) in enumerate(pairwise(states), 1):
        for name in names:
            numbers = cells.numbers((before[name], 0.0, after[name] - before[name], after[name]))
            table.append(cells.line([str(step), cells.text(name)])[:-1] + f",{numbers}\n")
    (place / "gradients.csv").write_text("".join(table), newline="")
    return Trace(place)


@pytest.fixture(scope="module")
def xor_trace(tmp_path_factory):
    """A 2-2-1 network and 40 large steps."""
    place = tmp_path_factory.mktemp("pictures") / "xor"
    return traced(place, MLP(2, [2, 1], "tanh", "sigmoid", seed=1), xor(), epochs=40, optimizer=SGD(lr=8.0))


def read(path):
    """Every frame as red, green and blue."""
    return imageio.imread(path, index=None, mode="RGB", plugin="pillow")


def durations(path):
    """How long each frame is shown, in milliseconds."""
    with Image.open(path) as image:
        times = []
        for index in range(image.n_frames):
            image.seek(index)
            times.append(image.info["duration"])
    return times


def blocks(data):
    """The picture blocks of a GIF as (left, top, width, height, flags), by the letter of the GIF89a specification."""
    at = 13 + 3 * 2 ** ((data[10] & 7) + 1)

    def skip(at):
        while data[at]:
            at += 1 + data[at]
        return at + 1

    while data[at] != ord(";"):
        if data[at] == ord("!"):
            at = skip(at + 2)
        else:
            assert data[at] == ord(",")
            place = [int.from_bytes(data[at + 1 + 2 * k : at + 3 + 2 * k], "little") for k in range(4)]
            yield (*place, data[at + 9])
            at = skip(at + 11)
    assert at == len(data) - 1


def noise(count, shape=(30, 40), seed=0):
    """Frames in which a few random pixels change."""
    generator = np.random.default_rng(seed)
    frame = generator.integers(0, palette.USED, shape, dtype=np.uint8)
    for _ in range(count):
        yield frame.copy()
        rows, columns = generator.integers(0, shape[0], 5), generator.integers(0, shape[1], 5)
        frame[rows, columns] = generator.integers(0, palette.USED, 5)


# --- the file ----------------------------------------------------------------------------------------------------------


def test_what_is_read_back_is_what_was_drawn(tmp_path):
    """Every pixel of every frame comes back in exactly the colour whose number was written."""
    drawn = list(noise(20))
    gif.write_gif(tmp_path / "noise.gif", drawn)
    assert np.array_equal(read(tmp_path / "noise.gif"), palette.PALETTE[np.array(drawn)])


@pytest.mark.parametrize(("asked", "shown"), [(80, 80), (1, 20), (0, 20), (33, 30), (37, 40), (1000, 1000)])
def test_frame_times_are_multiples_of_ten_and_at_least_twenty(tmp_path, asked, shown):
    """Each frame is shown for the time asked, rounded to what a GIF can say; the first for 1 s, the last for 2 s; for ever."""
    gif.write_gif(tmp_path / "a.gif", noise(4), asked)
    assert durations(tmp_path / "a.gif") == [1000, shown, shown, 2000]
    with Image.open(tmp_path / "a.gif") as image:
        assert image.info["loop"] == 0


def test_equal_frames_do_not_vanish(tmp_path):
    """A frame that equals the one before is a frame of its own, with its own time."""
    frame = next(noise(1))
    gif.write_gif(tmp_path / "still.gif", [frame] * 7)
    assert read(tmp_path / "still.gif").shape == (7, 30, 40, 3)
    assert durations(tmp_path / "still.gif") == [1000] + [80] * 5 + [2000]


def test_one_palette_for_all_frames(tmp_path, xor_trace):
    """The file has one global palette, ours, and no frame brings another one or lies outside the picture."""
    heatmap.weights_update(tmp_path / "w.gif", filmed(xor_trace, frames=20, size=(400, 300)))
    data = (tmp_path / "w.gif").read_bytes()
    assert data[:6] == b"GIF89a" and data[13 : 13 + 768] == palette.PALETTE.tobytes()
    pictures = list(blocks(data))
    assert len(pictures) == 20
    assert all(not flags and left + width <= 400 and top + height <= 300 for left, top, width, height, flags in pictures)


def test_a_single_frame_is_an_animation_too(tmp_path):
    """One frame is written and read back; no frame at all is a ValueError and no file."""
    gif.write_gif(tmp_path / "one.gif", noise(1, (1, 1)))
    assert durations(tmp_path / "one.gif") == [2000]
    with pytest.raises(ValueError, match="at least one frame"):
        gif.write_gif(tmp_path / "none.gif", [])
    assert not (tmp_path / "none.gif").exists()


def test_a_failing_frame_leaves_the_old_picture(tmp_path):
    """When drawing or writing fails half-way, the path holds the old picture, whole, and nothing lies beside it."""
    path = tmp_path / "a.gif"
    gif.write_gif(path, noise(3))
    old = path.read_bytes()

    def broken():
        yield from noise(2)
        raise ArithmeticError("half-way")

    with pytest.raises(ArithmeticError):
        gif.write_gif(path, broken())
    assert path.read_bytes() == old and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_a_full_disk_leaves_the_old_picture_and_names_the_path(tmp_path, monkeypatch, call):
    """A disk that refuses is an OSError with the path in it; the old picture stays."""
    path = tmp_path / "a.gif"
    gif.write_gif(path, noise(3))
    old = path.read_bytes()

    def refuse(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(OSError, match="cannot write") as caught:
        gif.write_gif(path, noise(5, seed=1))
    assert caught.value.filename == str(path) and path.read_bytes() == old and list(tmp_path.iterdir()) == [path]


# --- colours and letters -----------------------------------------------------------------------------------------------


def test_every_colour_is_another():
    """No two colour numbers look the same, so that a pixel's colour says which number it was."""
    assert len({tuple(colour) for colour in palette.PALETTE[: palette.USED].tolist()}) == palette.USED <= 256


def test_the_diverging_ramp_is_centred_on_zero():
    """Zero has the middle colour, v and -v stand equally far from it, more is never paler, and NaN is grey."""
    values = np.linspace(-3.0, 3.0, 601)
    shown = palette.diverging(values, 2.0).astype(int)
    middle = palette.DIVERGING + palette.DIVERGING_COLOURS // 2
    assert palette.diverging(0.0, 2.0) == middle
    assert np.array_equal(shown - middle, middle - shown[::-1]) and (np.diff(shown) >= 0).all()
    assert shown[0] == palette.DIVERGING and shown[-1] == palette.DIVERGING + palette.DIVERGING_COLOURS - 1
    assert palette.diverging(math.nan, 2.0) == palette.MISSING
    assert palette.diverging([math.inf, -math.inf], 2.0).tolist() == [shown[-1], shown[0]]


@pytest.mark.parametrize("colour", [palette.PAPER, palette.PEN, palette.ink(0), palette.DIVERGING])
def test_mixing_goes_from_nothing_to_everything(colour):
    """Strength 0 changes no pixel, strength 15 replaces every pixel, between them no unused colour appears."""
    table = palette.mixed(colour).reshape(16, 256)
    assert np.array_equal(table[0], np.arange(256)) and (table[15] == colour).all()
    assert (table[1:] < palette.USED).all()


@given(st.text(max_size=40))
def test_any_text_can_be_written(text):
    """Every line is as high as its letters are; what has no shape of its own looks like a question mark."""
    assert canvas.letters(text).shape[0] == canvas.letters("").shape[0]
    strange = "".join(one for one in text if one >= "\u2100")
    assert np.array_equal(canvas.letters(strange[:1]), canvas.letters("?" if strange else ""))


def test_accents_are_drawn_and_other_letters_are_spelled():
    """An umlaut is its letter with ink over it, either way that Unicode spells it; no name turns into question marks."""
    for accented, plain in zip("äöüÄÖÜéèêñåçčžőõ", "aouAOUeeenacczoo"):
        found, bare = canvas.letters(accented, 26), canvas.letters(plain, 26)
        assert found.shape == bare.shape and (found >= bare).all() and (found > bare).any(), accented
        assert np.array_equal(found, canvas.letters(unicodedata.normalize("NFD", accented), 26))
    for text, shown in (("Größe", "Grösse"), ("m²", "m2"), ("5 €", "5 EUR"), ("a – b", "a - b")):
        assert np.array_equal(canvas.letters(text), canvas.letters(shown))
    assert not np.array_equal(canvas.letters("°"), canvas.letters("?")) and (canvas.letters("\u2007") == 0).all()


def test_digits_are_equally_wide():
    """A number that changes keeps its width, also when it grows from 9 to 10."""
    assert len({canvas.letters(digit * 6).shape for digit in "0123456789" + canvas.FIGURE_SPACE}) == 1


@given(st.text(max_size=300), st.integers(0, 300))
def test_fitted_text_fits(text, width):
    """Text is cut to the width that there is, or left alone when it fits."""
    assert canvas.letters(canvas.fitted(text, width)).shape[1] <= width


@given(st.integers(-60, 100), st.integers(-60, 100))
def test_nothing_is_drawn_outside(x, y):
    """Text, discs and lines may stick out on every side; the rest of them is there and the size stays."""
    sheet = canvas.Canvas((40, 30))
    sheet.text(x, y, "weights")
    sheet.disc(x, y, 4, palette.ink(0))
    sheet.line([(x, y), (y, x), (x + 50, y)], palette.ink(1))
    sheet.box(x, y, x + 5, y + 5, palette.PEN)
    assert sheet.size == (40, 30) and (sheet.pixels < palette.USED).all()


# --- axes --------------------------------------------------------------------------------------------------------------


@given(st.floats(-1e12, 1e12), st.floats(1e-9, 1e12), st.integers(1, 12), st.booleans())
def test_ticks_are_round_and_inside(low, width, about, logarithmic):
    """Ticks lie on the axis, rise, have labels of their own, and are about as many as asked for."""
    low = abs(low) + 1e-6 if logarithmic else low
    axis = axes.Axis(low, low + max(width, abs(low) * 1e-4), logarithmic)
    ticks = axis.ticks(about)
    shares = [axis.share(value) for value, _ in ticks]
    assert all(-0.01 <= share <= 1.01 for share in shares) and shares == sorted(shares)
    assert len(ticks) <= max(2 * about, 9) + 1
    assert all(label.isascii() for _, label in ticks)


@example([462293576862.0, 2.571593382075219e-297], True)
@example([1e-299, 1e299], True)
@given(st.lists(st.floats()), st.booleans())
def test_an_axis_holds_all_finite_numbers(values, logarithmic):
    """Whatever was measured, an axis around it has a low end below its high end, and finite numbers on it."""
    axis = axes.around(values, 0.05, logarithmic)
    assert axis.low < axis.high and math.isfinite(axis.high - axis.low)
    inside = [value for value in values if abs(value) < 1e300 and (value > 1e-300 or not logarithmic)]
    assert all(axis.low <= value <= axis.high for value in inside)


@given(st.floats(1e-200, 1e200))
def test_scales_end_at_round_numbers(value):
    """A scale ends at a round number that is not smaller and at most 1.4 times as large; for nothing at all at 1."""
    assert value * (1 - 1e-9) <= axes.rounded_up(value) <= 1.4 * value
    assert axes.rounded_up(0.0) == axes.rounded_up(math.nan) == 1.0


# --- which moments -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frames", [2, 3, 7, 40, 41, 100])
def test_moments_go_from_the_start_to_the_end(xor_trace, frames):
    """At most so many, each once and in order, from before the first update to after the last."""
    steps = [moment.step for moment in moments.moments(xor_trace, frames)]
    assert steps[0] == 0 and steps[-1] == 40 and len(steps) == min(frames, 41)
    assert np.diff(steps).min() >= 1


@pytest.mark.parametrize("frames", [1, 0, -5, 2.0, "9", True])
def test_less_than_two_frames_are_refused(xor_trace, frames):
    """An animation shows a start and an end; anything else is a ValueError that says so."""
    with pytest.raises(ValueError, match="at least 2"):
        moments.moments(xor_trace, frames)


def test_the_loss_shown_is_that_of_the_weights_shown(xor_trace):
    """In each frame the loss is what these weights cost, also in the last one; the scalar engine says the same."""
    net = MLP.of(xor_trace.run["model"])
    for moment in moments.moments(xor_trace):
        net.load_state_dict(xor_trace.weights(moment.step))
        expected = mse([net(row) for row in xor().inputs], xor().targets).data
        assert moment.loss == pytest.approx(expected, rel=1e-12)  # other order of additions, nothing more


def test_a_last_loss_that_is_not_known_is_said_to_be_older(tmp_path):
    """Without the data the final loss cannot be computed: the caption then names the one before the last update."""
    trace = by_hand(tmp_path / "t", [{"w": 1.0}, {"w": 2.0}, {"w": 3.0}], [5.0, 4.0])
    first, _, last = moments.moments(trace)
    assert moments.caption(first, 2) == "step 0 of 2   loss 5.000"
    assert math.isnan(last.loss) and moments.caption(last, 2) == "step 2 of 2   loss 4.000 before the last update"


# --- the network on arrays ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "prelu", "elu", "softplus", "sigmoid", "tanh", "sin", "linear"])
@pytest.mark.parametrize("bias", [True, False])
def test_fields_are_what_the_network_predicts(activation, bias):
    """The outputs at many points agree with `predict`, for every activation."""
    net = MLP(2, [3, 2], activation, activation, bias=bias, seed=4)
    points = np.random.default_rng(0).normal(size=(50, 2))
    shown = fields.outputs(net.config(), net.state_dict(), points)
    assert shown == pytest.approx(np.array([net.predict(point.tolist()) for point in points]), rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("loss", losses.LOSSES.values(), ids=losses.LOSSES)
def test_losses_on_arrays_are_the_losses(loss):
    """Every loss that a run can have is known here and has the value that training minimises."""
    outputs = 3 if loss is cross_entropy else 1
    net = MLP(2, [4, outputs], "tanh", seed=2)
    targets = {"cross_entropy": [0, 2, 1, 1], "hinge": [-1.0, 1.0, 1.0, -1.0]}.get(loss.name, [0.0, 1.0, 1.0, 0.25])
    run = {"model": net.config(), "loss": loss.name, "data": {"inputs": xor().inputs, "targets": targets}}
    expected = loss([net(row) for row in xor().inputs], targets).data
    assert fields.loss_of(run, net.state_dict()) == pytest.approx(expected, rel=1e-12)


def test_a_loss_map_is_the_loss_of_each_of_its_points():
    """Parameters may be arrays: the map holds at each place what the loss of that one network is."""
    net = MLP(1, [1], seed=3)
    run = {"model": net.config(), "loss": "half_squared_error", "data": {"inputs": line().inputs, "targets": line().targets}}
    grid = np.meshgrid(np.linspace(-1, 3, 4), np.linspace(0, 5, 3))
    shown = fields.loss_of(run, {"layer0.neuron0.w0": grid[0], "layer0.neuron0.b": grid[1]})
    for place in np.ndindex(3, 4):
        net.load_state_dict({"layer0.neuron0.w0": float(grid[0][place]), "layer0.neuron0.b": float(grid[1][place])})
        assert shown[place] == pytest.approx(half_squared_error([net(row) for row in line().inputs], line().targets).data)


# --- weights_update.gif ------------------------------------------------------------------------------------------------


def heat(made):
    """The panel that draws a film's weights, and the values in it."""
    names = list(made.weights[0])
    values = np.array([list(state.values()) for state in made.weights])
    sheet, run = made.canvas(heatmap.NATURAL), made.trace.run
    shown = matrices.matrices(names, points.feature_names(run), points.output_names(run))
    return heatmap.HeatPanel(sheet, made.inside(sheet), shown, values), sheet


@pytest.mark.parametrize("size", [(400, 300), None, (1440, 920)])
def test_each_cell_has_the_colour_of_its_weight(tmp_path, xor_trace, size):
    """In the file, each cell of each frame has the colour of that parameter at that step; the first is step 0, the last final."""
    made = filmed(xor_trace, frames=100, size=size)
    heatmap.weights_update(tmp_path / "w.gif", made)
    frames, (panel, sheet) = read(tmp_path / "w.gif"), heat(made)
    states = np.array([list(xor_trace.weights(step).values()) for step in (0, *xor_trace.steps())])
    limit = axes.rounded_up(np.abs(states).max())
    assert len(frames) == len(states) == 41 and limit > 2 and not panel.is_own
    for one in panel.panels:
        for (row, column), index in np.ndenumerate(one.matrix.cells):
            y, x = sheet.px(one.box[1] + one.rows[row][0]) + 2, sheet.px(one.box[0] + one.columns[column][0]) + 2
            assert np.array_equal(frames[:, y, x], palette.PALETTE[palette.diverging(states[:, index], limit)])


def test_one_colour_scale_for_the_whole_animation(xor_trace):
    """The colour bar and its numbers are the same in every frame; only the caption, the time bar and the cells change."""
    made = filmed(xor_trace)
    panel, sheet = heat(made)
    frames = [frame.copy() for frame in film.frames(made, sheet, [panel])]
    assert all(np.array_equal(frame[48:440, 650:], frames[0][48:440, 650:]) for frame in frames)
    assert len({frame[:48].tobytes() for frame in frames}) == len(frames)  # each names its own step


@pytest.mark.parametrize("widths", [[1, 1], [2, 2, 1], [4, 16, 3], [2, 16, 16, 1], [64, 32, 10], [3, 2, 2, 2, 2, 2, 2, 2, 2, 1]])
@pytest.mark.parametrize("size", [(400, 300), (720, 440)])
def test_every_parameter_has_its_place(widths, size):
    """From one weight to 64-32-10 each parameter has a cell of its own, inside the picture and apart from the other panels."""
    names = [name for name, _ in MLP(widths[0], widths[1:]).named_parameters()]
    area = (4, 30, size[0] - 84, size[1] - 4)
    placed = panels.laid_out(matrices.matrices(names), area)
    taken = np.zeros((size[1], size[0]), dtype=int)
    for panel in placed:
        left, top, right, bottom = panel.box
        assert area[0] <= left < right <= area[2] and area[1] <= top < bottom <= area[3]
        taken[top:bottom, left:right] += 1
        assert panel.shown.shape == (bottom - top, right - left)
    assert taken.max() == 1
    assert set(np.concatenate([panel.shown.ravel() for panel in placed]).tolist()) - {-1} == set(range(len(names)))


def test_biases_stand_apart():
    """Between the last weights and the biases is a wider gap than between two rows of weights."""
    (panel, _) = panels.laid_out(matrices.matrices([name for name, _ in MLP(2, [2, 1]).named_parameters()]), (0, 0, 400, 300))
    between, before_biases = (panel.rows[row + 1][0] - panel.rows[row][1] for row in (0, 1))
    assert before_biases == between + panels.GAP


def test_matrices_stand_as_in_the_book():
    """Rows are inputs, columns neurons, biases and slopes below; a missing parameter leaves its cell empty."""
    names = [name for name, _ in MLP(2, [2], "prelu", "prelu").named_parameters()]
    (matrix,) = matrices.matrices([name for name in names if name != "layer0.neuron1.w0"])
    assert matrix.rows == ["0", "1", "bias", "slope"] and matrix.columns == ["0", "1"]
    assert matrix.cells.tolist() == [[0, -1], [1, 4], [2, 5], [3, 6]] and matrix.weights == 2


@given(st.lists(st.one_of(st.text(max_size=30), st.sampled_from(HOSTILE)), min_size=1, max_size=40, unique=True))
def test_no_name_is_lost(names):
    """Whatever parameters are called, each is shown in a cell, and the matrices stay small."""
    made = matrices.matrices(names)
    shown = [index for matrix in made for index in matrix.cells.ravel().tolist() if index >= 0]
    assert sorted(shown) == list(range(len(names)))
    assert all(matrix.cells.size <= 4 * len(names) + 16 for matrix in made)


def test_hostile_names_stay_text(tmp_path):
    """Names with slashes, line ends, formulas or other alphabets are drawn; no path is made of them."""
    states = [{name: 0.1 * step * index for index, name in enumerate(HOSTILE)} for step in range(3)]
    trace = by_hand(tmp_path / "t", states, [3.0, 2.0])
    before = {path for path in tmp_path.rglob("*") if path.parent != trace.folder}
    made = render(trace.folder)
    assert [path.name for path in made] == ["weights_update.gif", "training_loss.gif", "curves.png"]
    assert {path for path in tmp_path.rglob("*") if path.parent != trace.folder} == before
    assert len(read(made[0])) == 3


@pytest.mark.parametrize("value", [0.0, 1e-320, 1e-12, 123456.0, 1e300, math.nan, math.inf, -math.inf])
def test_any_number_can_be_shown(tmp_path, value):
    """Zero, tiny, huge and non-finite weights are drawn without an exception or a warning."""
    trace = by_hand(tmp_path / "t", [{"layer0.neuron0.w0": 0.0}, {"layer0.neuron0.w0": value}], [1.0])
    heatmap.weights_update(tmp_path / "w.gif", filmed(trace, frames=2, size=(400, 300)))
    assert len(read(tmp_path / "w.gif")) == 2


# --- training_loss.gif and curves.png ----------------------------------------------------------------------------------


def test_the_curve_grows_from_left_to_right(tmp_path, xor_trace):
    """Each frame's curve ends where its moment stands; the last frame has the whole curve."""
    curves.training_loss(tmp_path / "l.gif", filmed(xor_trace, frames=11))
    inside = (read(tmp_path / "l.gif")[:, 40:370, 84:600] == palette.PALETTE[palette.ink(0)]).all(axis=-1)
    ends = [int(frame.any(axis=0).nonzero()[0].max(initial=0)) for frame in inside]
    assert ends == sorted(ends) and ends[0] < 10 and ends[-1] > 480
    assert len(ends) == 11


@pytest.mark.parametrize("gap", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_a_gap(tmp_path, gap):
    """NaN and infinity in the metrics leave a gap in the curve and crash nothing."""
    numbers = [5.0] * 4 + [gap] * 12 + [5.0] * 4
    trace = by_hand(tmp_path / "t", [{"w": 1.0}] * 21, numbers)
    render(trace.folder)
    last = read(trace.folder / "training_loss.gif")[-1, 40:370, 84:600]
    inked = (last == palette.PALETTE[palette.ink(0)]).all(axis=-1).any(axis=0)
    assert inked[:70].any() and not inked[110:380].any() and inked[440:480].any()


@pytest.mark.parametrize("numbers", [[0.0] * 3, [math.nan] * 3, [1e308, -1e308, 0.0], [1.0], [1e-300, 1.0], [5e-324, 1e308]])
def test_any_metrics_can_be_drawn(tmp_path, numbers):
    """Constant, empty, huge and tiny losses make pictures, without a warning."""
    trace = by_hand(tmp_path / "t", [{"w": 1.0}] * (len(numbers) + 1), numbers)
    assert len(render(trace.folder)) == 3


@pytest.mark.parametrize(("numbers", "logarithmic"), [([1.0, 0.5], False), ([1.0, 0.01], True), ([1.0, 0.0], False),
                                                      ([1.0, 0.01, 0.0], True), ([1.0, -0.001], False),
                                                      ([1.0, 30.0], False), ([1.0, 30.1], True)])  # fmt: skip
def test_the_scale_is_logarithmic_when_the_range_asks_for_it(numbers, logarithmic):
    """Above thirty times, if nothing is negative; exact zeros stand at the bottom."""
    assert curves._spans_decades(numbers) is logarithmic


def test_curves_show_training_and_test(tmp_path):
    """With a test set there are two panels, loss and accuracy, each with both colours."""
    trace = traced(tmp_path / "t", MLP(2, [4, 3], seed=1), spiral(30), cross_entropy, test=spiral(30, seed=5), epochs=8)
    curves.curves(tmp_path / "c.png", filmed(trace))
    picture = imageio.imread(tmp_path / "c.png", mode="RGB")
    assert picture.shape == (630, 640, 3)
    for half in (picture[:315], picture[315:]):
        assert all((half == palette.PALETTE[palette.ink(number)]).all(axis=-1).sum() > 100 for number in (0, 1))


# --- decision_boundary.gif ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "output", "targets", "threshold"),
    [
        (mse, "sigmoid", [0.0, 1.0, 1.0, 0.0], 0.5),
        (mse, "tanh", [-1.0, 1.0, 1.0, -1.0], 0.0),
        (hinge, "linear", [-1.0, 1.0, 1.0, -1.0], 0.0),
        (binary_cross_entropy, "linear", [0, 1, 1, 0], 0.0),
    ],
)
def test_each_side_of_the_boundary_has_its_colour(tmp_path, loss, output, targets, threshold):
    """Where the network answers below the threshold the field is blue, above it red; between them runs a black line."""
    data = Dataset("data", xor().inputs, targets, classes=2)
    trace = traced(tmp_path / "t", MLP(2, [4, 1], "tanh", output, seed=3), data, loss, epochs=60, optimizer=Adam(lr=0.1))
    made = filmed(trace, frames=2)
    sheet = made.canvas((400, 300))
    panel = boundary.FieldPanel(sheet, made.inside(sheet), made)
    panel.paint(1)
    inside, net = sheet.view(panel.plot.box), MLP.of(trace.run["model"])
    net.load_state_dict(trace.weights(60))
    (height, width), low, high = inside.shape, -0.12, 1.12
    rows, columns = np.mgrid[3 : height - 3 : 9, 3 : width - 3 : 9]
    right = seen = 0
    for row, column in zip(rows.ravel(), columns.ravel()):
        answer = net.predict([low + 1.24 * column / (width - 1), high - 1.24 * row / (height - 1)]) - threshold
        middle = palette.DIVERGING + palette.DIVERGING_COLOURS // 2
        if palette.DIVERGING <= inside[row, column] < palette.INK and inside[row, column] != middle and abs(answer) > 0.05:
            seen += 1
            right += (answer > 0) == (inside[row, column] > middle)
    assert seen > 150 and right == seen
    assert (inside == palette.PEN).sum() > 80


def test_several_outputs_make_regions(tmp_path):
    """With three outputs each place has the pale colour of the highest one."""
    trace = traced(tmp_path / "t", MLP(2, [6, 3], "tanh", seed=1), spiral(30), cross_entropy, epochs=5)
    path = tmp_path / "b.gif"
    boundary.decision_boundary(path, filmed(trace, frames=3))
    colours = {tuple(colour) for colour in read(path)[-1][60:400, 80:500].reshape(-1, 3).tolist()}
    assert {tuple(palette.PALETTE[palette.ink(one, 2)].tolist()) for one in range(3)} <= colours


def test_a_class_with_a_long_name_has_it_cut_and_not_left_out(tmp_path, monkeypatch):
    """Below the last layer stands something of every class's name."""
    rows = [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    flowers = Dataset("flowers", rows, [0, 1, 2], 3, ("a", "b"), ("Maerzenbecher", "Rose", "Tulpe, wild"))
    trace = traced(tmp_path / "t", MLP(2, [8, 3], seed=1), flowers, cross_entropy, epochs=3)
    said, text = [], canvas.Canvas.text

    def heard(self, x, y, word, *rest, **more):
        said.append(word)
        return text(self, x, y, word, *rest, **more)

    monkeypatch.setattr(canvas.Canvas, "text", heard)
    render(trace.folder, what=["weights"], frames=2)
    assert all(any(word.startswith(name) for word in said) for name in ("Maerz", "Rose", "Tulpe"))


def test_where_the_network_is_sure_a_class_has_its_full_tint(tmp_path):
    """The tint of the class that is highest, and the fainter one where its share of the softmax is below 0.9."""
    net = MLP(2, [8, 3], seed=1)
    trace = traced(tmp_path / "t", net, spiral(samples=30), cross_entropy, epochs=120, optimizer=Adam(lr=0.1))
    made = filmed(trace, frames=2)
    sheet = made.canvas((400, 300))
    panel = boundary.FieldPanel(sheet, made.inside(sheet), made)
    panel.paint(1)
    inside, plot, seen, sure = sheet.view(panel.plot.box), panel.plot, 0, 0
    right = 0
    net.load_state_dict(trace.weights(120))
    for row in range(5, len(inside) - 5, 11):
        for column in range(5, inside.shape[1] - 5, 11):
            x = plot.x.low + (plot.x.high - plot.x.low) * column / (inside.shape[1] - 1)
            y = plot.y.high - (plot.y.high - plot.y.low) * row / (len(inside) - 1)
            answers = np.array(net.predict([x, y]))
            shares = np.exp(answers - answers.max())
            share = 1.0 / shares.sum()
            if inside[row, column] in [palette.ink(one, tint) for one in range(3) for tint in (1, 2)] and abs(share - 0.9) > 0.08:
                seen += 1
                sure += share > 0.9
                right += inside[row, column] == palette.ink(int(answers.argmax()), 1 if share > 0.9 else 2)
    assert seen > 100 and 20 < sure < seen - 20
    assert right > 0.95 * seen  # between every fifth pixel the field is interpolated


def test_a_boundary_needs_two_inputs_and_classes(tmp_path):
    """A regression, or three inputs, is refused in a sentence, and `render` leaves the picture out."""
    trace = traced(tmp_path / "t", MLP(1, [1], seed=1), line(), epochs=3, optimizer=SGD(lr=0.01))
    with pytest.raises(ValueError, match="two inputs, classes"):
        boundary.decision_boundary(tmp_path / "b.gif", filmed(trace))
    assert "decision_boundary.gif" not in [path.name for path in render(trace.folder)]


# --- optimizer_paths.gif -----------------------------------------------------------------------------------------------

W, B = "layer0.neuron0.w0", "layer0.neuron0.b"


def test_paths_start_together_and_end_apart(tmp_path):
    """One frame for each moment of the longest run; each optimizer's disc stands at its weights, a shorter run waits."""
    optimizers = {"sgd": (SGD(lr=0.01), 30), "adam": (Adam(lr=0.2), 12)}
    traces = {
        name: traced(tmp_path / name, MLP(1, [1], init="zeros"), line(), epochs=epochs, optimizer=optimizer)
        for name, (optimizer, epochs) in optimizers.items()
    }
    paths.optimizer_paths(tmp_path / "p.gif", traces, x=W, y=B)
    frames = read(tmp_path / "p.gif")
    assert frames.shape == (31, 680, 860, 3)
    walk = paths._walk("adam", 0, traces["adam"], W, B)
    assert walk.xs[0] == 0.0 and walk.at(12) == walk.at(30) == 12 and walk.xs[12] == traces["adam"].weights(12)[W]
    for number in (0, 1):
        inked = (frames[-1, 52:440, 90:600] == palette.PALETTE[palette.ink(number)]).all(axis=-1)
        assert inked.sum() > 60


def test_paths_refuse_what_cannot_stand_on_one_map(tmp_path, xor_trace):
    """No trace, other parameters or other data: a ValueError that says which."""
    trace = traced(tmp_path / "a", MLP(1, [1], init="zeros"), line(), epochs=3, optimizer=SGD(lr=0.01))
    other = traced(tmp_path / "b", MLP(1, [1], init="zeros"), Dataset("other", [[1.0]], [1.0]), epochs=3)
    refused = [({}, "at least one"), ({"xor": xor_trace}, "exactly"), ({"a": trace, "b": other}, "differ in 'data'")]
    for traces, message in refused:
        with pytest.raises(ValueError, match=message):
            paths.optimizer_paths(tmp_path / "p.gif", traces, x=W, y=B)


# --- render ------------------------------------------------------------------------------------------------------------


def test_render_draws_what_applies(xor_trace):
    """A classifier of two inputs gets six pictures, in its folder, with as many frames as asked for."""
    made = render(xor_trace.folder, frames=5)
    names = ["weights_update.gif", "training_loss.gif", "curves.png", "network.gif", "learning.gif", "decision_boundary.gif"]
    assert [path.name for path in made] == names and all(path.parent == xor_trace.folder for path in made)
    assert all(len(read(path)) == 5 for path in made if path.suffix == ".gif")
    assert set(names) <= set(folder.FILES)  # so that --force may remove them


def test_the_same_trace_gives_the_same_pictures(xor_trace):
    """Drawing twice gives the same bytes."""
    first = [path.read_bytes() for path in render(xor_trace.folder, frames=4)]
    assert [path.read_bytes() for path in render(xor_trace.folder, frames=4)] == first


def test_a_trace_without_single_weights_still_has_its_loss(tmp_path):
    """A large network's trace has no gradients.csv: the loss is drawn, and asking for weights is a ValueError."""
    trace = by_hand(tmp_path / "t", [], [3.0, 2.0, 1.0])
    (trace.folder / "gradients.csv").unlink()
    assert [path.name for path in render(trace.folder)] == ["training_loss.gif", "curves.png"]
    with pytest.raises(ValueError, match=r"no parameters in gradients\.csv"):
        heatmap.weights_update(tmp_path / "w.gif", filmed(trace))


def test_render_says_what_is_missing(tmp_path):
    """No folder, a foreign folder and a run without a step are each one sentence; nothing is written."""
    with pytest.raises(FileNotFoundError, match="does not exist"):
        render(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"no run\.json"):
        render(tmp_path)
    empty = by_hand(tmp_path / "t", [], [])
    with pytest.raises(ValueError, match=r"no step in metrics\.csv"):
        render(empty.folder)
    assert sorted(path.name for path in empty.folder.iterdir()) == ["gradients.csv", "metrics.csv", "run.json"]


def test_importing_pictures_loads_no_numpy():
    """The package of pictures and its tables cost nothing until something is drawn."""
    program = "import sys, micrograd_lite.pictures, micrograd_lite.trace.show; print({'numpy', 'PIL'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
