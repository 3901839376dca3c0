"""Mistakes made on purpose, and mistakes found.

    bugs       well-known mistakes in backpropagation, each in the few wrong lines that it takes; training with one
    retrain    the run of a trace once more, with a mistake
    mistakes   what each mistake does to your own network, in words
    changes    what the slope promised of a step and what became of it: how long steps may be
    course     how the loss went: did it rise, swing, explode, stand still?
    slopes     how steep each unit of a trained network is on the data
    diagnose   what keeps a network from learning, in words
"""
