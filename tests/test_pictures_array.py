"""Pictures of big networks: tiles, answers, confusion and layers show the numbers that they were given, pixel by pixel."""

import math

import pytest

# ruff: noqa: E402 - without the packages that draw, this page is skipped before it imports them
pytest.importorskip("numpy", reason="pictures need NumPy")
pytest.importorskip("PIL", reason="pictures need Pillow")
imageio = pytest.importorskip("imageio.v3", reason="pictures are read back with imageio")

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from micrograd_lite import SGD, arrays, cross_entropy, train
from micrograd_lite.pictures import (
    answers,
    canvas,
    film,
    gif,
    layer_curves,
    matrices,
    palette,
    tiles,
)
from micrograd_lite.pictures import (
    answers as confusion,
)
from micrograd_lite.pictures.film import Look
from micrograd_lite.pictures.heatmap import NATURAL, HeatPanel, limit_of
from micrograd_lite.pictures.render import render
from micrograd_lite.trace import Trace, Tracer, folder, layers

SIZE = (740, 540)
BOX = (4, film.HEAD, SIZE[0] - 4, SIZE[1] - film.FOOT)
AREA = (10, 104, SIZE[0] - 100, SIZE[1] - 16)


BLANK = {
    "model": {"type": "blank"}, "parameters": [], "fixed": {}, "tied": {}, "loss": "mse", "optimizer": {"name": ""}, "every": 1,
    "data": {"name": "", "samples": 1, "features": 1, "classes": 0, "feature_names": [], "class_names": []},
    "optimizer_memory": [], "test": None, "batch_size": None,
    "shuffle": False, "seed": 0, "evaluation": [], "chain_rule": [], "by_sample": [],
}  # fmt: skip
"""What a run.json must hold."""


def sized(state):
    """What run.json says of the network with these arrays."""
    shapes = [state[f"layer{layer}.w"].shape for layer in range(len(state)) if f"layer{layer}.w" in state]
    if not shapes:
        return {"type": "blank"}
    settings = {"output": "linear", "init": None, "bias": True, "seed": 0, "dtype": "float64"}
    widths = [neurons for _, neurons in shapes]
    return {"inputs": shapes[0][0], "outputs_per_layer": widths, "activation": ["relu"] * (len(shapes) - 1), **settings}


def by_hand(place, states, rows=(), model=None):
    """A trace of an array model written file by file: `states` has the arrays before the first update and after each."""
    (place / "weights").mkdir(parents=True)
    run = {"status": "finished", "loss": "cross_entropy", "model": sized(states[0] if states else {})}
    folder.write_run(place, BLANK | run)
    metrics = [f"{step},1,{1 / step!r},0.0,0.0,0.1\n" for step in range(1, max(len(states), 2, *(row[0] + 1 for row in rows)))]
    (place / "metrics.csv").write_text("step,epoch,loss,gradient_norm,update_norm,learning_rate\n" + "".join(metrics))
    for step, state in enumerate(states):
        np.savez(place / "weights" / f"step_{step:06d}.npz", **state)
    if rows:
        lines = [",".join(map(str, row)) + "\n" for row in (layers.COLUMNS, *rows)]
        (place / "layers.csv").write_text("".join(lines))
    return Trace(place)


def walk(neurons, inputs, count, seed=0):
    """The first layer of a network at `count` moments, each weight on a random walk of its own."""
    generator = np.random.default_rng(seed)
    steps = 0.003 * generator.normal(size=(count, inputs, neurons))
    steps[0] *= 17
    return [{"layer0.w": weights, "layer0.b": weights[0]} for weights in np.cumsum(steps, axis=0)]


def read(path):
    """Every frame as red, green and blue."""
    return imageio.imread(path, index=None, mode="RGB", plugin="pillow")


def drawn_tiles(path, trace, **look):
    """The animation of an array trace."""
    tiles.weights_update(path, tiles.film_of(trace, Look(**look)))


def drawn(weights, neurons=None):
    """The tile frames of weights of shape (moments, neurons, inputs), as colour numbers."""
    sheet, made = canvas.Canvas(SIZE), []
    panel = tiles.TilePanel(sheet, BOX, weights, neurons or weights.shape[1])
    for number in range(len(weights)):
        panel.paint(number)
        made.append(sheet.pixels.copy())
    return made


def unclipped(picture):
    """Is a rim of two pixels all white? Then no word sticks out."""
    return all((edge == 255).all() for edge in (picture[:2], picture[-2:], picture[:, :2], picture[:, -2:]))


def layer_rows(count, values, arrays=None):
    """Rows of layers.csv: one array for each of so many layers, at each step the given number."""
    names = arrays or [f"layer{layer}.w" for layer in range(count)]
    return [(step, name, 1.0, 0.0, 1.0, -1.0, 1.0, value, 1.0, value, 0.5)
            for step, value in enumerate(values, 1) for name in names]  # fmt: skip


# --- tiles -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("neurons", "side"), [(1, 28), (3, 4), (32, 28), (50, 28), (50, 8), (7, 45)])
def test_each_pixel_of_a_tile_has_the_colour_of_its_weight(tmp_path, neurons, side):
    """In every frame the weight of input (row, column) of each neuron stands at its place, in its colour on that tile's scale."""
    states = walk(neurons, side * side, 3)
    drawn_tiles(tmp_path / "w.gif", by_hand(tmp_path / "run", states))
    frames = read(tmp_path / "w.gif")
    assert len(frames) == 3 and unclipped(frames[0])
    place = tiles.laid_out(neurons, side, AREA)
    every = np.array([state["layer0.w"] for state in states])
    each = place.width // side
    for frame, state in zip(frames, states):
        for neuron, (left, top) in enumerate(place.corners):
            image = state["layer0.w"][:, neuron].reshape(side, side)
            limit = tiles.scale_end(every[:, :, neuron])
            colours = palette.PALETTE[palette.diverging(image, limit, tiles.APART)].repeat(each, axis=0).repeat(each, axis=1)
            assert np.array_equal(frame[top : top + place.width, left : left + place.width], colours)


def test_fifty_tiles_of_mnist_are_small_files(tmp_path):
    """Of 64 neurons at 100 moments, 50 are shown at 30, each weight on 2 x 2 pixels, in less than 800 kB."""
    trace = by_hand(tmp_path / "run", walk(64, 784, 100))
    drawn_tiles(tmp_path / "w.gif", trace)
    assert len(read(tmp_path / "w.gif")) == 30
    assert tiles.laid_out(50, 28, AREA).width == 56
    assert (tmp_path / "w.gif").stat().st_size < 800_000


@given(st.integers(1, 50), st.integers(4, 500))
def test_tiles_stand_apart_and_inside(count, side):
    """However many tiles of whatever side there are, those shown do not touch each other, and each weight has whole pixels."""
    place = tiles.laid_out(count, side, AREA)
    assert 1 <= len(place.corners) <= count and place.owner.shape == (place.width, place.width)
    assert place.width % side == 0 or len(place.corners) == 1
    for n, (x, y) in enumerate(place.corners):
        assert AREA[0] <= x <= AREA[2] - place.width and AREA[1] + tiles.LABEL <= y <= AREA[3] - place.width
        apart = [max(abs(x - ox), abs(y - oy) - tiles.LABEL) for ox, oy in place.corners[:n]]
        assert min(apart, default=1000) > place.width


def test_one_scale_for_the_whole_animation():
    """Frames of the same weights look alike however large later weights grow; zero is the middle of the ramp."""
    weights = np.zeros((3, 4, 16))
    weights[:2, 0, 0], weights[2] = 0.5, 3.0
    first, second, _ = drawn(weights)
    left, top = tiles.laid_out(4, 4, AREA).corners[0]
    assert np.array_equal(first[30:], second[30:])
    assert first[top, left] == palette.diverging(0.5, 3.0, tiles.APART)
    assert first[top, left + tiles.laid_out(4, 4, AREA).width - 1] == palette.DIVERGING_RAMP[64]


def test_a_few_large_weights_do_not_pale_the_others():
    """A tile's scale ends where at most one weight in two hundred is beyond; that one has the darkest colour."""
    weights = np.random.default_rng(0).normal(size=(1, 10, 784))
    weights[0, 0, 0] = 1e6
    assert tiles.scale_end(weights) == 3.0
    left, top = tiles.laid_out(10, 28, AREA).corners[0]
    assert drawn(weights)[0][top, left] == palette.DIVERGING_RAMP[-1]


@pytest.mark.parametrize("value", [0.0, 1e-320, 1e-12, 1e300, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("inputs", [64, 5])
def test_any_weight_can_be_shown(tmp_path, value, inputs):
    """Not even NaN and infinity stop a tile or a heat map; NaN is grey."""
    states = [{"layer0.w": np.full((inputs, 1), number)} for number in (0.5, value)]
    drawn_tiles(tmp_path / "w.gif", by_hand(tmp_path / "run", states))
    last = read(tmp_path / "w.gif")[-1]
    assert math.isnan(value) == ((last == palette.PALETTE[palette.MISSING]).all(axis=-1).sum() > 10_000)


def test_what_is_no_image_gets_heat_maps(tmp_path):
    """Five inputs are no square: each number of every layer, with biases and learned slopes, has its cell and colour."""
    net = arrays.MLP(5, [3, 2], "prelu", seed=1)
    state = net.state_dict()
    trace = by_hand(tmp_path / "run", [state, {name: array / 2 for name, array in state.items()}])
    drawn_tiles(tmp_path / "w.gif", trace)
    shown = tiles.layer_matrices(state)
    assert [matrix.title for matrix in shown] == ["layer 0: 5 -> 3", "layer 1: 3 -> 2"]
    assert shown[0].rows == ["0", "1", "2", "3", "4", "bias", "slope"] and shown[1].rows == ["0", "1", "2", "bias"]
    numbers = np.concatenate([table.ravel() for table in tiles.layer_tables(state)])
    sheet, values = canvas.Canvas(NATURAL), np.array([numbers, numbers / 2])
    frame = HeatPanel(sheet, (4, film.HEAD, 716, 460 - film.FOOT), shown, values)
    for panel in frame.panels:
        for row, column in np.ndindex(panel.matrix.cells.shape):
            y, x = panel.box[1] + panel.rows[row][0], panel.box[0] + panel.columns[column][0]
            number = numbers[panel.matrix.cells[row, column]]
            limit = limit_of(values)
            assert np.array_equal(read(tmp_path / "w.gif")[0][y, x], palette.PALETTE[palette.diverging(number, limit)])


def test_heat_maps_are_those_of_the_scalar_network():
    """The same network out of arrays and out of Values has the same matrices, cell by cell."""
    net = arrays.MLP(3, [4, 2], seed=3)
    scalar = arrays.to_scalar(net).state_dict()
    numbers = np.concatenate([table.ravel() for table in tiles.layer_tables(net.state_dict())])
    for mine, theirs in zip(tiles.layer_matrices(net.state_dict()), matrices.matrices(list(scalar)), strict=True):
        assert mine._replace(cells=0) == theirs._replace(cells=0)
        assert np.array_equal(numbers[mine.cells], np.array(list(scalar.values()))[theirs.cells])


def test_huge_layers_are_shown_in_part(tmp_path):
    """Of 2,000 inputs and 3,000 neurons the first 50 neurons are shown, and the title says so; later layers wait outside."""
    state = {"layer0.w": np.ones((2000, 3000), "float32"), "layer1.w": np.ones((3000, 2), "float32")}
    (only,) = tiles.layer_matrices(state)
    assert only.title == "layer 0: 2000 -> 3000, the first 50" and only.cells.shape == (2000, 50)
    drawn_tiles(tmp_path / "w.gif", by_hand(tmp_path / "run", [state]))
    assert len(read(tmp_path / "w.gif")) == 1


def test_tiles_need_kept_weights(tmp_path):
    """A trace without weights/*.npz is refused in a sentence that names it, and nothing is written."""
    with pytest.raises(ValueError, match=r"run has no weights/step_NNNNNN\.npz"):
        drawn_tiles(tmp_path / "w.gif", by_hand(tmp_path / "run", []))
    assert not (tmp_path / "w.gif").exists()


def test_what_does_not_change_takes_no_room(tmp_path):
    """A frame of noise in which two far corners change is stored as those two pixels, not as the noise between them."""
    frame = np.random.default_rng(0).integers(0, palette.USED, (200, 200), dtype=np.uint8)
    other = frame.copy()
    other[0, 0], other[-1, -1] = (frame[0, 0] + 1) % palette.USED, (frame[-1, -1] + 1) % palette.USED
    sizes = []
    for frames in ([frame], [frame, other]):
        gif.write_gif(tmp_path / "a.gif", frames)
        sizes.append((tmp_path / "a.gif").stat().st_size)
    assert np.array_equal(read(tmp_path / "a.gif")[1], palette.PALETTE[other])
    assert sizes[1] - sizes[0] < 1000


# --- answers -----------------------------------------------------------------------------------------------------------


def orange(picture, place):
    """How much of the rim around one image is orange: all of it, or nothing."""
    left, top = 16 + place % 5 * answers.ACROSS, answers.TOP_ROW + place // 5 * answers.DOWN
    return (picture[top - 3 : top, left : left + answers.TILE] == palette.PALETTE[palette.ink(1)]).all(axis=-1).mean()


def test_the_worst_mistakes_come_first_and_are_marked(tmp_path):
    """Wrong ones by falling confidence, then right ones in order; just the wrong ones have the frame and a second line."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (40, 28, 28), dtype=np.uint8)
    images[0, 0, 0] = 255
    labels = generator.integers(0, 10, 40)
    sure = generator.permutation(40) / 100 + 0.5
    outputs = np.eye(10)[np.where(np.arange(40) % 3, labels, (labels + 1) % 10)] * sure[:, None]
    answers.predictions(tmp_path / "p.png", images, labels, outputs)
    picture = imageio.imread(tmp_path / "p.png", mode="RGB")
    assert unclipped(picture)
    wrong = sorted(range(0, 40, 3), key=lambda index: -sure[index])
    order = [*wrong, *(index for index in range(40) if index % 3)][:25]
    assert answers.worst_first(np.arange(40) % 3 > 0, sure) == order
    for place, index in enumerate(order):
        left, top = 16 + place % 5 * answers.ACROSS, answers.TOP_ROW + place // 5 * answers.DOWN
        assert orange(picture, place) == (place < len(wrong))
        inked = palette.PALETTE[np.rint(images[index] / 255 * 15).astype(int)].repeat(4, axis=0).repeat(4, axis=1)
        assert np.array_equal(picture[top + 20 : top + 112, left : left + 112], inked[20:])
        assert (picture[top + 133 : top + 147, left : left + 112] != 255).any() == (place < len(wrong))


def test_five_right_answers_are_shown_beside_many_mistakes():
    """Of 100 mistakes 20 are shown; the network's confidence is its output, or softmax of outputs that are no shares."""
    assert answers.worst_first(np.arange(110) < 10, np.arange(110.0)) == [*range(109, 89, -1), *range(5)]
    assert answers.confidences(np.array([[0.2, 0.9]])).tolist() == [0.9]
    assert answers.confidences(np.array([[0.0, math.log(3.0)], [5.0, 5.0]])) == pytest.approx([0.75, 0.5])


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 8, 8), (25, 100, 300), (26, 5, 2), (2, 64), (7, 1000, 1)])
@pytest.mark.parametrize("kind", ["uint8", "float32", "bool"])
def test_images_of_any_size_are_shown(tmp_path, shape, kind):
    """From one pixel to a strip, rows of pixels too, in whole numbers, fractions or truth values, also all of one shade."""
    for images in (np.zeros(shape, kind), np.ones(shape, kind)):
        count = len(images)
        answers.predictions(tmp_path / "p.png", images, np.zeros(count, int), np.ones((count, 2)), ["cat" * 30, "dog"])
        assert unclipped(imageio.imread(tmp_path / "p.png", mode="RGB"))


def test_the_share_of_right_answers_is_that_of_all_samples():
    """The words count every sample, not just those shown, and never round a mistake away."""
    assert answers.right_of(np.arange(10_000) != 7) == "9,999 of 10,000 test samples (99.99%)"


@pytest.mark.parametrize(
    ("images", "labels", "outputs", "names", "message"),
    [
        (np.zeros((2, 5)), [0, 1], np.ones((2, 2)), (), "images must be"),
        (np.full((2, 4, 4), math.nan), [0, 1], np.ones((2, 2)), (), "images must be"),
        (np.zeros((0, 4, 4)), [], np.ones((0, 2)), (), "images must be"),
        (np.zeros((2, 4, 4)), [0, 1, 1], np.ones((2, 2)), (), r"labels must be .* shape \(2,\); got int64 of shape \(3,\)"),
        (np.zeros((2, 4, 4)), [0.0, 1.0], np.ones((2, 2)), (), "labels must be"),
        (np.zeros((2, 4, 4)), [0, -1], np.ones((2, 2)), (), "labels must be"),
        (np.zeros((2, 4, 4)), [0, 2], np.ones((2, 2)), (), "2 classes, 0 names and labels up to 2"),
        (np.zeros((2, 4, 4)), [0, 1], np.ones((2, 2)), ("a",), "2 classes, 1 names"),
        (np.zeros((2, 4, 4)), [0, 1], np.ones((3, 2)), (), r"outputs must be .* shape \(2, classes\)"),
        (np.zeros((2, 4, 4)), [0, 1], np.array([[0, 1], [math.nan, 0]]), (), "outputs must be .* with NaN"),
        (np.zeros((2, 4, 4)), [0, 1], [0, 1], (), "outputs must be"),
    ],
)
def test_answers_refuse_what_does_not_fit(tmp_path, images, labels, outputs, names, message):
    """Each wrong shape or number is a ValueError that says which, and nothing is written."""
    with pytest.raises(ValueError, match=message):
        answers.predictions(tmp_path / "p.png", images, labels, outputs, names)
    assert not list(tmp_path.iterdir())


# --- confusion ---------------------------------------------------------------------------------------------------------


def cell(picture, classes, row, column):
    """The ground colour of one cell of a table whose counts have up to three digits and whose names are numbers."""
    left = 44 + confusion.letters(str(classes - 1)).shape[1]
    return picture[confusion.TOP + 18 + confusion.HIGH * row + 1, left + 46 * column + 1]


@pytest.mark.parametrize("classes", [2, 3, 10, 20])
def test_each_cell_of_the_table_has_its_colour(tmp_path, classes):
    """Rows are what it is and columns what was answered: right answers blue, mistakes red, nothing white, also from uint8."""
    generator = np.random.default_rng(1)
    actual = np.concatenate([np.arange(classes), generator.integers(0, classes, 300)])
    predicted = np.where(generator.random(len(actual)) < 0.6, actual, (actual + 1) % classes)
    confusion.confusion(tmp_path / "c.png", actual.astype(np.uint8), predicted.astype(np.uint8))
    picture = imageio.imread(tmp_path / "c.png", mode="RGB")
    counts = np.zeros((classes, classes), int)
    np.add.at(counts, (actual, predicted), 1)
    assert unclipped(picture)
    for row, column in np.ndindex(classes, classes):
        red, _, blue = cell(picture, classes, row, column).astype(int)
        sign = 0 if not counts[row, column] else 1 if row == column else -1
        assert np.sign(blue - red) == sign
        assert np.array_equal(cell(picture, classes, row, column), palette.PALETTE[confusion.tints(counts)[row, column]])


def test_recall_is_the_share_of_each_row():
    """Right answers of a class over its samples; a class without samples has none."""
    assert confusion.recalls(np.array([[3, 1, 0], [0, 2, 0], [0, 0, 0]])) == ["75.0% of 4", "100.0% of 2", "no samples"]


def test_the_most_frequent_mistake_is_named():
    """What it is comes first, then what it was taken for."""
    said = [confusion._worst(np.array(counts), ["cat", "dog"]) for counts in ([[9, 2], [5, 9]], [[9, 0], [0, 9]])]
    assert said == ["The most frequent mistake: dog taken for cat, 5 times.", "There is no mistake."]


@pytest.mark.parametrize("names", [["a", "b"], ["a" * 300, ""], [f"class {n}, with a long name" for n in range(20)]])
def test_class_names_of_any_length_fit(tmp_path, names):
    """Long names stand upright, longer ones are cut, and no word sticks out; small labels count in small integers too."""
    confusion.confusion(tmp_path / "c.png", np.full(200, 1, np.uint8), np.zeros(200, np.uint8), names)
    assert unclipped(imageio.imread(tmp_path / "c.png", mode="RGB"))


@pytest.mark.parametrize(
    ("labels", "predicted", "names", "message"),
    [
        ([0, 20], [0, 0], (), "2 to 20 classes, got 21"),
        ([0, 10**12], [0, 0], (), "2 to 20 classes"),
        ([0, 2], [0, 0], ("a", "b"), "2 classes, 2 names and labels up to 2"),
        ([0, 1], [0], (), "predicted must be"),
        ([], [], (), "labels must be"),
        ([[0, 1]], [0, 1], (), "labels must be"),
    ],
)
def test_confusion_refuses_what_does_not_fit(tmp_path, labels, predicted, names, message):
    """Too many classes, names that do not fit, labels of unequal number: a ValueError, and nothing is written."""
    with pytest.raises(ValueError, match=message):
        confusion.confusion(tmp_path / "c.png", labels, predicted, names)
    assert not list(tmp_path.iterdir())


# --- layers ------------------------------------------------------------------------------------------------------------


def test_each_layer_has_its_line_in_each_plot(tmp_path):
    """Two layers of different numbers: in all three plots both colours are seen, the larger number above the smaller."""
    rows = [(step, f"layer{layer}.{kind}", 1.0, 0.0, 1.0, -1.0, 1.0, size, 1.0, size, size)
            for step in range(1, 20) for layer, size in enumerate((0.9, 0.1)) for kind in "wb"]  # fmt: skip
    layer_curves.layer_curves(tmp_path / "l.png", by_hand(tmp_path / "run", [], rows))
    picture = imageio.imread(tmp_path / "l.png", mode="RGB")
    assert unclipped(picture)
    for part in (picture[96:286, 90:], picture[330:530, 90:], picture[560:760, 90:]):
        above, below = (np.flatnonzero((part == palette.PALETTE[palette.ink(one)]).all(axis=-1).any(axis=1)) for one in (0, 1))
        assert len(above) and len(below) and above.max() < below.min()


def test_of_many_layers_ten_are_shown():
    """From the first to the last layer, in order of their numbers; arrays of other names are no layers."""
    names = [f"layer{layer}.w" for layer in reversed(range(30))]
    rows = [{"step": 1, "array": name} for name in [*names, "layer0.b", "other", "=1+1", "layer99999999.w", "xlayer0.w"]]
    found = list(layer_curves.by_layer(rows))
    assert len(found) == 10 and found == sorted(found) and found[0] == 0 and found[-1] == 29


@pytest.mark.parametrize("values", [[0.0] * 3, [math.nan] * 3, [math.inf, 1.0, 2.0], [1.0], [1e-300, 1e300], [5e-324, 1e308]])
@pytest.mark.parametrize("count", [1, 12])
def test_any_layers_can_be_drawn(tmp_path, values, count):
    """Nothing, not a number, infinite, a single step, the whole range of doubles, more layers than colours: all drawn."""
    trace = by_hand(tmp_path / "run", [{}] * 4, layer_rows(count, values), {"inputs": 1})
    layer_curves.layer_curves(tmp_path / "l.png", trace)
    assert unclipped(imageio.imread(tmp_path / "l.png", mode="RGB"))


def test_long_runs_are_medians():
    """A point is the median of its steps; what is not finite or not there does not count, unless there is nothing else."""
    numbers = [1.0, 5.0, 2.0, math.inf, 7.0, None, math.nan, math.inf, None]
    rows = [{"step": step, "x": number} for step, number in enumerate(numbers, 1)]
    steps, values = layer_curves.medians(rows, "x", 3)
    assert steps == [2.0, 5.0, 8.0] and values[:2] == [2.0, 7.0] and math.isnan(values[2])


def test_layers_need_rows(tmp_path):
    """A trace without rows of layers is refused in a sentence that names it."""
    with pytest.raises(ValueError, match=r"run has no weights of layers in layers\.csv"):
        layer_curves.layer_curves(tmp_path / "l.png", by_hand(tmp_path / "run", []))


# --- all of them -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits_trace(tmp_path_factory):
    """A real run of 40 steps on 8 x 8 images of noise, with its weights kept at every tenth step."""
    place = tmp_path_factory.mktemp("pictures") / "digits"
    generator = np.random.default_rng(0)
    data = generator.random((64, 64), dtype="float32"), generator.integers(0, 10, 64)
    net = arrays.MLP(64, [12, 10], dtype="float32")
    with Tracer(place, weights_every=10) as tracer:
        for step in train(net, data, loss=cross_entropy, optimizer=SGD(lr=0.1), epochs=40):
            tracer.watch(step)
    return Trace(place), net


def test_the_first_frame_is_before_any_update_and_the_last_is_final(digits_trace, tmp_path):
    """From the initial weights of that seed to those that the trained network has."""
    trace, net = digits_trace
    drawn_tiles(tmp_path / "w.gif", trace)
    frames = read(tmp_path / "w.gif")
    ends = [array.data for array in (arrays.MLP(64, [12, 10], dtype="float32").arrays["layer0.w"], net.arrays["layer0.w"])]
    kept = np.array([trace.arrays(step)["layer0.w"] for step in trace.array_steps()])
    place = tiles.laid_out(12, 8, AREA)
    assert len(frames) == len(kept) and trace.array_steps()[0] == 0 and trace.array_steps()[-1] == 40
    for frame, weights in zip((frames[0], frames[-1]), ends):
        for neuron, (left, top) in enumerate(place.corners):
            limit = tiles.scale_end(kept[:, :, neuron])
            colours = palette.diverging(weights[:, neuron], limit, tiles.APART)[place.owner]
            assert np.array_equal(frame[top : top + place.width, left : left + place.width], palette.PALETTE[colours])


def test_render_draws_what_applies_to_arrays(digits_trace):
    """An array trace gets its tiles, loss, curves and layers, the same bytes each time, and nothing that it cannot have."""
    trace, _ = digits_trace
    made = render(trace.folder)
    assert sorted(path.name for path in made) == ["curves.png", "layers.png", "training_loss.gif", "weights_update.gif"]
    before = {path: path.read_bytes() for path in made}
    assert {path: path.read_bytes() for path in render(trace.folder)} == before


@pytest.mark.parametrize(("asked", "shown"), [(100, 30), (5, 5)])
def test_render_asks_for_no_more_tiles_than_help(tmp_path, asked, shown):
    """Of 40 kept moments at most 30 are drawn, and fewer where fewer frames are asked for."""
    trace = by_hand(tmp_path / "run", walk(2, 16, 40))
    render(trace.folder, asked)
    assert len(read(trace.folder / "weights_update.gif")) == shown


def test_pictures_that_cannot_be_written_name_their_path(tmp_path):
    """A folder that is not there is an OSError with the path of the picture."""
    with pytest.raises(OSError, match=r"missing.c\.png"):
        confusion.confusion(tmp_path / "missing" / "c.png", [0, 1], [0, 1])
