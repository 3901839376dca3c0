"""Testing honestly: three species of iris, and two ways in which a well-known program fools itself about them.

You will see one network measured as that program does, on its own training file and with the test plants centred by
their own mean, and as one should: on plants it has not seen, centred by the training mean.

    python demos/06_iris.py

Last line: look at traces/iris/curves.png
"""

from pathlib import Path

from micrograd_lite import MLP, SGD, cross_entropy, data, train
from micrograd_lite.demo import demo, progress
from micrograd_lite.pictures.render import render
from micrograd_lite.text.tables import table
from micrograd_lite.trace import Tracer


def accuracy(net: MLP, plants: data.Dataset) -> str:
    """How many plants the network names rightly, and their share."""
    right = [cross_entropy.correct(net.predict(row), label) for row, label in zip(plants.inputs, plants.targets)].count(True)
    return f"{right} of {len(plants.targets)} = {right / len(plants.targets):.4f}"


def species(plants: data.Dataset, label: int) -> data.Dataset:
    """The plants of one species alone."""
    rows = [row for row, target in zip(plants.inputs, plants.targets) if target == label]
    return plants._replace(inputs=rows, targets=[label] * len(rows))


def main(out: Path, quick: bool, force: bool | str) -> None:
    """Train once on 120 plants, then measure in several ways."""
    train_cm, test_cm = data.split(data.iris(), test=0.2, seed=0)  # 40 and 10 plants of each species
    training, testing = data.centred(train_cm, test_cm)  # both by the mean of the 120
    net, folder, epochs = MLP(4, [16, 3]), out / "iris", 10 if quick else 51
    with Tracer(folder, force=force) as tracer:
        steps = train(net, training, loss=cross_entropy, optimizer=SGD(lr=0.5), epochs=epochs, test=testing)
        for step in progress(steps, total=epochs, title="iris"):
            tracer.watch(step)
    print(f"{net.summary()}\n\nAfter {epochs} updates the network names rightly, of plants centred by\n")

    rows = [["the training file, as written: called a test", accuracy(net, training), "the same"]]
    groups = {"30 unseen plants, corrected": test_cm}
    groups |= {f"the unseen {name} alone": species(test_cm, label) for label, name in enumerate(test_cm.class_names)}
    for name, plants in groups.items():
        rows.append([name, accuracy(net, data.centred(train_cm, plants)[1]), accuracy(net, data.centred(plants)[0])])
    print(table(("tested on", "the training mean", "their own mean"), rows))
    print("Testing on the training file hides how the network does on plants it has not seen: the only question that counts. And")
    print("their own mean works only for a test that mixes the species as the training did: one species alone is moved away.\n")
    print("wrote", *render(folder), sep="\n  ")
    print(f"look at {folder / 'curves.png'}")


if __name__ == "__main__":
    demo(main, out="traces", description=__doc__)
