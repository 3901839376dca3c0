"""A trace proves itself: every row derived again with the standard library alone, in code that shares nothing with the engine.

    evidence    when two numbers are the same; the sentence about a wrong row
    formulas    the text of a formula, read and worked out
    reading     tables and numbers, read strictly
    samples     the data: those in the trace, and large ones loaded again
    record      everything that a trace folder says; which samples a step was trained on
    settings    does run.json agree with itself and with the tables?
    complete    steps, rows, parameters: is all there?
    optimizers  weights move by their updates alone, updates by the optimizers' formulas, written again
    network     the forward pass, written again
    metrics     norms, loss, changes of the loss, accuracy
    derivative  forward duals over our own network: every sample's share in every gradient
    gradient    each number of a gradient against that; a claimed slope, by walking
    chain       shares, totals and gradients of a backward sweep
    edges       values and slopes of each node by their formulas
    operations  operations by name, written again
    layers      statistics of arrays against the kept weights
    arrays      gradients, updates and flat activations of arrays, from the kept weights
    checkpoints the numbers of a checkpoint against the tables
    start       were the first weights drawn from the seed?
    report      all checks, and what they found
"""

from micrograd_lite.verify.report import CHECKS, Finding, Report, verify

__all__ = ["CHECKS", "Finding", "Report", "verify"]
