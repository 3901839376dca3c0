"""One backward pass taken apart: what each edge of a graph adds to which gradient, as rows, as paths and as a picture.

    spelling   a rule's formula in the names of one program
    formulas   the same as people write it, in the names of one graph
    places     what the nodes of a network are called there
    rows       the backward sweep as a table, one row for each edge
    paths      a gradient as the sum over all paths
    tables     forward, backward and paths as tables for people
    layout     where the boxes of a graph stand
    drawing    a graph as SVG, as Graphviz text, in notebooks
"""
