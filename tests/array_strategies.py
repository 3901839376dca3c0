"""What the tests of the array engine draw and compare with: points as arrays, broadcasts, whole small trainings."""

import math
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from derived import calls
from micrograd_lite.architecture import ACTIVATIONS
from micrograd_lite.arrays.array import Array
from micrograd_lite.arrays.fused import FusedStep
from micrograd_lite.arrays.losses import array_loss
from micrograd_lite.arrays.nn import MLP, scalar_name, to_scalar
from micrograd_lite.check import path_sizes
from micrograd_lite.losses import LOSSES
from micrograd_lite.optim import SGD, Adam, AdamW, RMSprop
from micrograd_lite.rules import RULES
from micrograd_lite.scalar import APPLY
from micrograd_lite.schedules import Cosine, StepDecay
from strategies import OPERATORS

inf, nan = math.inf, math.nan

U32 = 2.0**-24
"""Half the distance from 1.0 to the next float32: the relative error of one rounding in float32."""

FLOAT64, FLOAT32 = np.dtype(np.float64), np.dtype(np.float32)

EXACT = {rule.name for rule in RULES.values() if set().union(*map(calls, (rule.value, *rule.partials))) <= {"abs", "sqrt"}}
"""Rows of + - * /, square roots and choices: IEEE arithmetic leaves no freedom, so both engines have the same bits."""

SPECIAL = (
    0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -3.0, 37.0, -710.0, 1e-300, -1e-300, 5e-324, -5e-324, 2.0**53,
    1e200, -1e200, 1.7e308, -1.7e308, inf, -inf, nan,
)  # fmt: skip
"""Kinks, edges of domains, places of overflow and underflow, infinities and NaN."""


def on_arrays(name):
    """The operation on Arrays that a user would write for rule `name`."""
    return OPERATORS.get(name) or getattr(Array, name)


def same_bits(found, expected):
    """Where two arrays hold the same number, sign of zero included, or both NaN."""
    found, expected = np.asarray(found), np.asarray(expected)
    equal = (found == expected) & (np.signbit(found) == np.signbit(expected))
    return equal | (np.isnan(found) & np.isnan(expected))


def near(found, expected, bound):
    """Where two arrays are equal, both NaN, or at most `bound` apart."""
    found, expected = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    with np.errstate(all="ignore"):
        return same_bits(found, expected) | (found == expected) | (abs(found - expected) <= bound)


def scalar_row(rule, columns):
    """A row of the scalar engine at each point of some columns of floats: values, and one list for each partial."""
    made = [APPLY[rule.name](*map(float, point)) for point in zip(*columns)]
    return [value for value, _ in made], list(zip(*(partials for _, partials in made)))


def served(rule, point):
    """Whether the scalar engine computes the row at this point instead of refusing it."""
    try:
        APPLY[rule.name](*point)
    except (ValueError, ZeroDivisionError):
        return False
    return True


# Broadcasting.


@st.composite
def broadcast_shapes(draw):
    """Two shapes that broadcast together: leading axes missing, axes of size 1, 0-d, and now and then no elements."""
    full = draw(st.lists(st.integers(0, 3), max_size=3))

    def thinned():
        kept = full[draw(st.integers(0, len(full))) :]
        return tuple(1 if draw(st.booleans()) else size for size in kept)

    return thinned(), thinned()


def whole_numbers(shape, seed):
    """Small whole numbers in an array: sums and products of them are exact in any order."""
    return np.random.default_rng(seed).integers(-9, 10, shape).astype(float)


# Whole trainings.

INITS = ("he", "glorot", "uniform", None)


class Case(NamedTuple):
    """A network on arrays, a batch for it and a loss that fits; prints as what it was drawn from."""

    arguments: dict
    loss: Any
    samples: int
    seed: int

    def model(self, dtype="float64"):
        """The network, its biases moved away from 0, so that they matter."""
        model = MLP(**self.arguments, dtype=dtype)
        generator = np.random.default_rng(self.seed)
        for name, array in model.arrays.items():
            if not name.endswith("w"):
                array.data[...] += generator.normal(0.0, 0.3, array.data.shape)
        return model

    def batch(self, dtype="float64"):
        """Inputs and targets, targets as array_plan makes them."""
        generator = np.random.default_rng(self.seed + 1)
        outputs = self.arguments["outputs_per_layer"][-1]
        inputs = generator.normal(0.0, 1.0, (self.samples, self.arguments["inputs"])).astype(dtype)
        if self.loss.name == "cross_entropy":
            return inputs, generator.integers(0, outputs, self.samples)
        targets = generator.normal(0.0, 1.0, (self.samples, outputs))
        targets = np.sign(targets) if self.loss.name == "hinge" else targets
        return inputs, (np.abs(np.tanh(targets)) if self.loss.name == "binary_cross_entropy" else targets).astype(dtype)


@st.composite
def cases(draw, most=5, activations=ACTIVATIONS):
    """Random architectures, activations, losses and batches."""
    loss = LOSSES[draw(st.sampled_from(sorted(LOSSES)))]
    least = 2 if loss.name == "cross_entropy" else 1
    outputs = 1 if loss.name in ("hinge", "binary_cross_entropy") else draw(st.integers(least, 4))
    hidden = draw(st.lists(st.integers(1, 5), max_size=3))
    arguments = {
        "inputs": draw(st.integers(1, 4)),
        "outputs_per_layer": [*hidden, outputs],
        "activation": [draw(st.sampled_from(activations)) for _ in hidden],
        "output": "linear" if loss.takes_logits else draw(st.sampled_from(activations)),
        "init": draw(st.sampled_from(INITS)),
        "bias": draw(st.booleans()),
        "seed": draw(st.integers(0, 99)),
    }
    return Case(arguments, loss, draw(st.integers(1, most)), draw(st.integers(0, 999)))


def graph_step(model, loss, inputs, targets):
    """The loss of a batch and every gradient, flat, by the graph of the array engine."""
    model.zero_grad()
    total = array_loss(loss, model(inputs), targets)
    total.backward()
    return float(total.data), flat_gradients(model)


def fused_step(model, loss, inputs, targets):
    """The same by the fused step."""
    model.zero_grad()
    value = FusedStep(model, len(inputs))(inputs, targets, loss)
    return value, flat_gradients(model)


def scalar_step(model, loss, inputs, targets):
    """The same by the scalar engine on the same numbers, in the array engine's order; and S of every gradient."""
    twin = to_scalar(model)
    targets = targets.tolist() if targets.ndim == 1 or targets.shape[1] > 1 else targets[:, 0].tolist()
    total = loss([twin(row) for row in inputs.tolist()], targets)
    total.backward()
    sizes, named = path_sizes(total), dict(twin.named_parameters())
    ordered = [named[name] for name in scalar_names(model)]
    return total.data, np.array([p.grad for p in ordered]), np.array([sizes.get(p, 0.0) for p in ordered])


def flat_gradients(model):
    """A copy of all gradients in the order of the flat buffer, wherever they stand."""
    return np.concatenate([np.asarray(array.grad).ravel() for array in model.parameters()])


def scalar_names(model):
    """The scalar engine's name for every element of the flat buffer, in its order."""
    return [scalar_name(name, index) for name, array in model.arrays.items() for index in np.ndindex(array.data.shape)]


def scalar_state(twin, model):
    """The parameters of a scalar network in the order of an array model's flat buffer."""
    state = twin.state_dict()
    return np.array([state[name] for name in scalar_names(model)])


OPTIMIZERS = {
    "SGD": lambda: SGD(lr=0.05),
    "SGD, decay": lambda: SGD(lr=0.05, weight_decay=0.01),
    "momentum": lambda: SGD(lr=0.02, momentum=0.9),
    "momentum, decay": lambda: SGD(lr=0.02, momentum=0.9, weight_decay=0.01),
    "Nesterov": lambda: SGD(lr=0.02, momentum=0.9, nesterov=True),
    "Nesterov, decay": lambda: SGD(lr=StepDecay(0.02, 0.5, 20), momentum=0.9, nesterov=True, weight_decay=0.01),
    "RMSprop": lambda: RMSprop(lr=0.003),
    "RMSprop, decay": lambda: RMSprop(lr=0.003, alpha=0.9, eps=1e-6, weight_decay=0.01),
    "Adam": lambda: Adam(lr=0.003),
    "Adam, decay": lambda: Adam(lr=Cosine(0.003, 200), betas=(0.8, 0.99), weight_decay=0.01),
    "Adam, no correction": lambda: Adam(lr=0.001, bias_correction=False),
    "AdamW": lambda: AdamW(lr=0.003),
    "AdamW, strong": lambda: AdamW(lr=Cosine(0.003, 200, 0.001), weight_decay=0.3),
}
"""Every optimizer with every setting that changes its arithmetic, at rates that train small nets."""
