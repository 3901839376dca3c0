"""The classroom: a step of training as a sheet to fill in by hand, sheets marked by their key, and somebody's own engine checked.

Sheets:

    lesson     the step that a sheet is about: of a trace, of a seed, or made up
    cells      its numbers, each with the formula that it is computed by
    updates    the optimizer's part of them
    ranges     between which numbers a formula lies, for rounded operands
    sheet      which numbers are blank, and how far from the key is still right
    drawing    the network without its answers
    paper      the sheet and its key as pages to print
    answers    what somebody filled in, as spreadsheets leave it
    slips      the well-known ways to compute a formula wrong
    mark       right, wrong, right from one's own number, missing; the first mistake
    marks      the marks of a class

Engines of one's own:

    programs     a few lines over the operations of our table
    forms        in which small programs one operation is tried
    reference    what is right, by forward duals; which programs prove something
    adapter      somebody's class in its own words: data, grad, relu
    definitions  which statements of a file define something
    loading      a file or notebook, of which only definitions and imports run
    lines        the likely line of their source
    findings     what was found, in sentences that teach
    properties   one operation: value, slopes, what arrives from above, what is used twice
    causes       what follows from what, and what is the same mistake everywhere
    probes       whole graphs: order, equal numbers, a second graph, another build
    limits       beyond the lecture: long chains, many paths, large numbers
    networks     Neuron, Layer and MLP beside ours
    optimizers   mse, SGD and Adam, where a file has them
    child        the process in which the file runs
    checking     both processes, their limits, one result
    kit          the same properties as tests for pytest
    verdict      the result as text, JSON, or for Gradescope
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from micrograd_lite.classroom.kit import gradient_properties

__all__ = ["gradient_properties"]


def __getattr__(name: str) -> object:
    """The door to the test kit, which loads hypothesis only when it is called."""
    if name != "gradient_properties":
        raise AttributeError(f"module 'micrograd_lite.classroom' has no attribute {name!r}; it has {', '.join(__all__)}")
    from micrograd_lite.classroom.kit import gradient_properties

    return gradient_properties
