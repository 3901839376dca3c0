"""The evening again on NumPy arrays, where a whole batch is one node: `arrays.MLP` is the network for data of real size.

    rules     the rows of the derivative table, element by element
    array     Array, an array that remembers; mirrors scalar
    many      matmul, sum, mean, pick, reshape, cross_entropy; mirrors many
    nn        Layer and MLP; mirrors nn
    names     every number under the name that it has in the scalar engine
    losses    the losses of a whole batch; mirrors losses
    buffers   all numbers of a network in one piece of memory
    fused     one training step without a graph, for speed
    kernels   what stands between the products, in C
    compiled  the fused step and the optimizer with these kernels: `train(..., engine="c")`
    optim     the optimizers' formulas on whole arrays; mirrors optim
    plan      the data of a run as checked arrays; mirrors plan
    training  the training loop; mirrors training
"""

from micrograd_lite.arrays.array import Array
from micrograd_lite.arrays.nn import MLP, Layer, from_scalar, scalar_name, to_scalar

__all__ = ["MLP", "Array", "Layer", "from_scalar", "scalar_name", "to_scalar"]
