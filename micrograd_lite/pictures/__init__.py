"""Pictures, drawn from a trace folder, or from a folder of many runs, and from nothing else.

    palette     themes, and the 256 colours that every picture is made of
    canvas      a picture as a table of colour numbers: boxes, lines, discs, text
    axes        from numbers to pixels: ticks, axes, legends, colour bars
    gif         frames into an animation file, GIF or MP4
    fields      a network or its loss at many points at once
    moments     which moments of a run its animations show, and their loss
    film        what all animations of one trace share: moments, title, time bar, size, colours
    points      the training data in their own units and names, and their marks
    matrices    from parameter names back to matrices, and where their heat maps stand
    heatmap     weights_update.gif: every weight at every step; gradients and updates likewise
    tiles       weights_update.gif of a big network: the weights into each neuron as a little image
    curves      training_loss.gif and curves.png
    boundary    decision_boundary.gif: what the network answers where
    fit         fit.gif: the curve through the data of a regression with one input
    network     network.gif: nodes and edges, as the weights change
    learning    learning.gif: network, field or fit, and loss in one frame
    layer_curves  layers.png: how each layer of a big network fares
    answers     predictions.png and confusion.png: what a network takes the test images for
    backward    backward.gif: the backward sweep over a small graph, edge by edge
    optimizer_paths  optimizer_paths.gif: several optimizers on one map of the loss
    sweeps      sweep.png: of many runs, how many learned
    render      every picture that fits a trace
    notebook    what a notebook shows of a trace, a step, a data set

Importing this package loads nothing; NumPy and Pillow are loaded by the pages that draw.
"""
