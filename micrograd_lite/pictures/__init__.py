"""Pictures, drawn from a trace folder, or from a folder of many runs, and from nothing else.

    palette     the 256 colours that every picture is made of
    canvas      a picture as a table of colour numbers: boxes, lines, discs, text
    axes        from numbers to pixels: ticks, axes, legends, colour bars
    gif         frames into an animation file
    moments     which moments of a run an animation shows, and their loss
    fields      a network or its loss at many points at once
    heatmap     weights_update.gif: every weight at every step
    tiles       weights_update.gif of a big network: the weights into each neuron as a little image
    layer_curves  layers.png: how each layer of a big network fares
    matrices    from parameter names back to matrices, and where their heat maps stand
    answers     predictions.png and confusion.png: what a network takes the test images for
    curves      training_loss.gif and curves.png
    boundary    decision_boundary.gif: what the network answers where
    backward    backward.gif: the backward sweep over a small graph, edge by edge
    optimizer_paths  optimizer_paths.gif: several optimizers on one map of the loss
    sweeps      sweep.png: of many runs, how many learned
    render      every picture that fits a trace
    notebook    what a notebook shows of a trace, a step, a data set

Importing this package loads nothing; NumPy and Pillow are loaded by the pages that draw.
"""
