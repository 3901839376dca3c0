"""A trace proves itself: every row derived again with the standard library alone, in code that shares nothing with the engine.

    evidence    when two numbers are the same; the sentence about a wrong row
    formulas    the text of a formula, read and worked out
    record      everything that a trace folder says; which samples a step was trained on
    complete    steps, rows, parameters: is all there?
    optimizers  weights move by their updates alone, updates by the optimizers' formulas, written again
    network     the forward pass, written again
    metrics     norms, loss, changes of the loss, accuracy
    gradient    along the gradient the loss climbs as steeply as the gradient is long
    chain       shares, totals and gradients of a backward sweep
    edges       values and slopes of each node by their formulas
    layers      statistics of arrays against the kept weights
    start       were the first weights drawn from the seed? (a note, no check)
    report      all checks, and what they found
"""

from micrograd_lite.verify.report import CHECKS, Finding, Report, verify

__all__ = ["CHECKS", "Finding", "Report", "verify"]
