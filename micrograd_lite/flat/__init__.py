"""A graph written out as one straight-line function, in Python and in C: the same bits, many times faster.

    sizes      which operations stay finite, so that no test for it is written
    text       how lines of a program are laid out, and what its numbers are called
    lines      the program line by line: every value and slope on the way down, every share on the way back
    program    the function that a program becomes, and what it may call
    write      from a graph to its program: `flatten`
    model      from a network and a loss to a program: `flatten_model`, `train(..., engine="flat")`
    formulas   how C spells an expression
    functions  what every program in C begins and ends with
    loops      of many lines that differ only in their places, one that is repeated
    c          the program's statements in C, from the same record
    compiler   the C compiler of this machine, and the cache of what it made
    compiled   a program that runs there: `in_c`, `train(..., engine="c")`
"""
