"""A graph written out as one straight-line Python function: the same bits, many times faster.

    sizes     which operations stay finite, so that no test for it is written
    text      how lines of a program are laid out, and what its numbers are called
    lines     the program line by line: every value and slope on the way down, every share on the way back
    program   the function that a program becomes, and what it may call
    write     from a graph to its program: `flatten`
    model     from a network and a loss to a program: `flatten_model`, `train(..., engine="flat")`
"""
