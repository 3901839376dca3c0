"""micrograd_lite: every number of backpropagation, on the table.

A scalar autograd engine small enough to read in an evening. Read the pages in this order:
rules, graph, scalar, check, nn, losses, optim, train, trace, export.
"""

from micrograd_lite.check import check_gradients, compare_gradients
from micrograd_lite.losses import LOSSES, Loss, binary_cross_entropy, cross_entropy, half_squared_error, hinge, mse
from micrograd_lite.nn import MLP, Layer, Neuron
from micrograd_lite.optim import OPTIMIZERS, SGD, Adam, AdamW, RMSprop
from micrograd_lite.scalar import Value, dot
from micrograd_lite.schedules import Constant, Cosine, StepDecay
from micrograd_lite.train import Step, train

__version__ = "0.1.0"

__all__ = [
    "LOSSES", "MLP", "OPTIMIZERS", "SGD", "Adam", "AdamW", "Constant", "Cosine", "Layer", "Loss", "Neuron", "RMSprop", "Step",
    "StepDecay", "Value", "binary_cross_entropy", "check_gradients", "compare_gradients", "cross_entropy", "dot",
    "half_squared_error", "hinge", "mse", "train",
]  # fmt: skip
