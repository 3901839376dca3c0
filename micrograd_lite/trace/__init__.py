"""What happened in a training run, written down row by row: a folder of tables that anyone can read and check.

    cells     numbers and names as text that reads back exactly
    append    a file that only grows by whole steps
    folder    the files of the format, the lock, run.json
    tracer    Tracer: writes a run while it happens
    reader    Trace: reads it back, at any moment
    stages    the order in which the numbers of a step come about
    diff      the first difference between two traces, and what it means
"""

from micrograd_lite.trace.reader import GradientRow, Trace
from micrograd_lite.trace.tracer import Tracer

__all__ = ["GradientRow", "Trace", "Tracer"]
