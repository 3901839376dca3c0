"""The classroom: one step of training as a sheet to fill in by hand, and sheets marked by their key.

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
"""
