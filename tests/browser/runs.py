"""The runs whose pages are looked at in a browser, each trained and written once for a whole session."""

from micrograd_lite import MLP, SGD, Adam, Tracer, cross_entropy, hinge, mse, train
from micrograd_lite.data import Dataset, iris, line, moons, xor
from micrograd_lite.page import write_page

HOSTILE = Dataset(
    "</script><img src=x onerror=alert(1)>", [[0.0, 1.0], [1.0, 0.5]], [0.0, 1.0],
    feature_names=("<b>fat</b>", '"><script>document.title = "taken"</script>'), target_name="é & ü </textarea> 日本 <!--",
)  # fmt: skip

RUNS = {
    # name: network, data, settings of train, settings of Tracer
    "xor": (lambda: MLP(2, [2, 1], "sigmoid", "sigmoid", seed=1), xor(),
            {"loss": mse, "optimizer": SGD(lr=1.0), "epochs": 10_000, "engine": "flat"}, {}),
    "moons": (lambda: MLP(2, [16, 16, 1], seed=3), moons(),
              {"loss": hinge, "optimizer": SGD(lr=0.1), "epochs": 100, "engine": "flat"}, {}),
    "iris": (lambda: MLP(4, [16, 3], seed=1), iris(),
             {"loss": cross_entropy, "optimizer": Adam(lr=0.02), "epochs": 60, "engine": "flat"}, {}),
    "adam": (lambda: MLP(2, [4, 1], "tanh", "sigmoid", seed=3), xor(),
             {"loss": mse, "optimizer": Adam(lr=0.1), "epochs": 60}, {}),
    "line": (lambda: MLP(1, [1], init="zeros"), line(), {"loss": mse, "optimizer": SGD(lr=0.05), "epochs": 60}, {}),
    "batches": (lambda: MLP(2, [4, 1], seed=2), moons(samples=24),
                {"loss": hinge, "optimizer": SGD(lr=0.2), "epochs": 9, "batch_size": 5}, {"every": 7}),
    "hostile": (lambda: MLP(2, [2, 1], "tanh", seed=1), HOSTILE, {"loss": mse, "optimizer": SGD(lr=0.1), "epochs": 5}, {}),
    "one": (lambda: MLP(2, [2, 1], "tanh", seed=1), xor(), {"loss": mse, "optimizer": SGD(lr=0.1), "epochs": 1}, {}),
}  # fmt: skip


class Pages:
    """Traces and pages of the runs by name, made once each in a folder."""

    def __init__(self, root):
        self.root = root

    def trace(self, name):
        """The folder of a run's trace."""
        if not (self.root / name).exists():
            network, data, settings, kept = RUNS[name]
            with Tracer(self.root / name, **kept) as tracer:
                for step in train(network(), data, **settings):
                    tracer.watch(step)
        return self.root / name

    def page(self, name):
        """The path of a run's page."""
        path = self.root / f"{name}.html"
        if not path.exists():
            write_page(self.trace(name), path)
        return path
