"""What happened in a training run, written down row by row: a folder of tables that anyone can read and check.

    append      a file that only grows by whole steps
    folder      the files of the format, the lock, run.json
    samples     the data of a run, as they were trained
    kinds       what run.json must hold
    rows        what a step writes down: one row for each parameter, edge or sample
    layers      the same for models on arrays: one row for each array
    checkpoint  where a run can go on
    fit         does a checkpoint fit its tables?
    again       is a run the very one that a folder holds?
    loop        the steps of a loop of one's own
    tracer      Tracer: writes a run while it happens
    reader      Trace: reads it back, at any moment
    show        tables of one step, for people
    network     the network of a trace, built again
    predict     what that network answers to new rows
    rebuild     a recorded step again: its graph, with every number
    ask         questions to such a step, each answered by a table
    stages      the order in which the numbers of a step come about
    diff        the first difference between two traces, and what it means
"""

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from micrograd_lite.trace.reader import GradientRow, Trace
    from micrograd_lite.trace.tracer import Tracer

__all__ = ["GradientRow", "Trace", "Tracer"]

_PAGES = {"GradientRow": "reader", "Trace": "reader", "Tracer": "tracer"}


def __getattr__(name: str) -> object:
    """Load the page of a name when it is first asked for: whoever only checks a trace needs no engine."""
    if name not in _PAGES:
        raise AttributeError(f"module 'micrograd_lite.trace' has no attribute {name!r}; it has {', '.join(__all__)}")
    globals()[name] = getattr(import_module(f"micrograd_lite.trace.{_PAGES[name]}"), name)
    return globals()[name]
