"""micrograd_lite: every number of backpropagation, on the table.

A scalar autograd engine small enough to read in an evening. The evening, in reading order:

    rules graph scalar many check module architecture nn losses schedules optim measure plan training

Each page imports, of these, only pages above it. Beside it stand rooms, one idea each:

    data chain explain flat arrays trace pictures page verify lab text recipe sweep cli demo
"""

from importlib import import_module

TYPE_CHECKING = False  # as in `typing`, whose import would cost more than everything else here
if TYPE_CHECKING:
    from micrograd_lite.check import check_gradients, compare_gradients
    from micrograd_lite.flat.model import flatten_model
    from micrograd_lite.flat.write import flatten
    from micrograd_lite.losses import LOSSES, Loss, binary_cross_entropy, cross_entropy, half_squared_error, hinge, mse
    from micrograd_lite.many import dot
    from micrograd_lite.nn import MLP, Layer, Neuron
    from micrograd_lite.optim import OPTIMIZERS, SGD, Adam, AdamW, RMSprop
    from micrograd_lite.scalar import Value
    from micrograd_lite.schedules import Constant, Cosine, StepDecay
    from micrograd_lite.trace import Trace, Tracer
    from micrograd_lite.training import Step, train

__version__ = "0.1.0"

_PAGES = {
    "check": ("check_gradients", "compare_gradients"),
    "flat.write": ("flatten",),
    "flat.model": ("flatten_model",),
    "losses": ("LOSSES", "Loss", "binary_cross_entropy", "cross_entropy", "half_squared_error", "hinge", "mse"),
    "nn": ("MLP", "Layer", "Neuron"),
    "optim": ("OPTIMIZERS", "SGD", "Adam", "AdamW", "RMSprop"),
    "many": ("dot",),
    "scalar": ("Value",),
    "schedules": ("Constant", "Cosine", "StepDecay"),
    "trace": ("Trace", "Tracer"),
    "training": ("Step", "train"),
}

__all__ = [
    "LOSSES", "MLP", "OPTIMIZERS", "SGD", "Adam", "AdamW", "Constant", "Cosine", "Layer", "Loss", "Neuron", "RMSprop", "Step",
    "StepDecay", "Trace", "Tracer", "Value", "binary_cross_entropy", "check_gradients", "compare_gradients", "cross_entropy",
    "dot", "flatten", "flatten_model", "half_squared_error", "hinge", "mse", "train",
]  # fmt: skip


def __getattr__(name: str) -> object:
    """Load the page that defines a name when it is first asked for: importing the package alone loads nothing."""
    for page, names in _PAGES.items():
        if name in names:
            for other in names:
                globals()[other] = getattr(import_module(f"micrograd_lite.{page}"), other)
            return globals()[name]
    raise AttributeError(f"module 'micrograd_lite' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
