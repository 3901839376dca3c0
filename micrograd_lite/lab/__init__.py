"""Mistakes made on purpose, and mistakes found.

    bugs       well-known mistakes in backpropagation, each in the few wrong lines that it takes; training with one
    slopes     how steep each unit of a trained network is on the data
    diagnose   what keeps a network from learning, in words
"""
