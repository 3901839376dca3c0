"""The loss of one sample, and its slope toward 9 parameters, written out.

Made by micrograd_lite from a graph. d_w is the slope of the loss toward w. Every line of the way back is the
chain rule: the slope toward an operand is the slope of the operation toward it, times the slope toward its
result; an operand that is used several times is paid by each use.
"""

def program(parameters, gradients, samples, share, calm):
    (
        layer0_neuron0_w0, layer0_neuron0_w1, layer0_neuron0_b, layer0_neuron1_w0, layer0_neuron1_w1, layer0_neuron1_b,
        layer1_neuron0_w0, layer1_neuron0_w1, layer1_neuron0_b,
    ) = parameters
    (
        d_layer0_neuron0_w0, d_layer0_neuron0_w1, d_layer0_neuron0_b, d_layer0_neuron1_w0, d_layer0_neuron1_w1,
        d_layer0_neuron1_b, d_layer1_neuron0_w0, d_layer1_neuron0_w1, d_layer1_neuron0_b,
    ) = gradients
    losses = []
    for inputs, targets in reversed(samples):  # the last sample pays first, as in one graph of all samples
        (x0, x1) = inputs
        (target,) = targets

        # layer0.neuron0
        layer0_neuron0_sum = layer0_neuron0_b + layer0_neuron0_w0 * x0 + layer0_neuron0_w1 * x1  # dot
        layer0_neuron0 = (  # sigmoid
            1.0 / (1.0 + exp(-layer0_neuron0_sum)) if layer0_neuron0_sum >= 0.0
            else exp(layer0_neuron0_sum) / (1.0 + exp(layer0_neuron0_sum))
        )

        # layer0.neuron1
        layer0_neuron1_sum = layer0_neuron1_b + layer0_neuron1_w0 * x0 + layer0_neuron1_w1 * x1  # dot
        layer0_neuron1 = (  # sigmoid
            1.0 / (1.0 + exp(-layer0_neuron1_sum)) if layer0_neuron1_sum >= 0.0
            else exp(layer0_neuron1_sum) / (1.0 + exp(layer0_neuron1_sum))
        )

        # layer1.neuron0
        layer1_neuron0_sum = (  # dot
            layer1_neuron0_b + layer1_neuron0_w0 * layer0_neuron0 + layer1_neuron0_w1 * layer0_neuron1
        )
        layer1_neuron0 = (  # sigmoid
            1.0 / (1.0 + exp(-layer1_neuron0_sum)) if layer1_neuron0_sum >= 0.0
            else exp(layer1_neuron0_sum) / (1.0 + exp(layer1_neuron0_sum))
        )
        v6 = layer1_neuron0 - target  # sub
        loss = pow(v6, 2.0)  # power
        losses.append(loss)

        # The way back: share is the slope of the batch's loss toward this sample's.
        d_loss = share
        d_v6 = 2.0 * pow(v6, 1.0) * d_loss

        # back through layer1.neuron0
        d_layer1_neuron0 = d_v6
        d_layer1_neuron0_sum = layer1_neuron0 * (1.0 - layer1_neuron0) * d_layer1_neuron0
        d_layer1_neuron0_w1 += layer0_neuron1 * d_layer1_neuron0_sum
        d_layer1_neuron0_b += d_layer1_neuron0_sum
        d_layer1_neuron0_w0 += layer0_neuron0 * d_layer1_neuron0_sum

        # back through layer0.neuron1
        d_layer0_neuron1 = layer1_neuron0_w1 * d_layer1_neuron0_sum
        d_layer0_neuron1_sum = layer0_neuron1 * (1.0 - layer0_neuron1) * d_layer0_neuron1
        d_layer0_neuron1_w1 += x1 * d_layer0_neuron1_sum
        d_layer0_neuron1_b += d_layer0_neuron1_sum
        d_layer0_neuron1_w0 += x0 * d_layer0_neuron1_sum

        # back through layer0.neuron0
        d_layer0_neuron0 = layer1_neuron0_w0 * d_layer1_neuron0_sum
        d_layer0_neuron0_sum = layer0_neuron0 * (1.0 - layer0_neuron0) * d_layer0_neuron0
        d_layer0_neuron0_w1 += x1 * d_layer0_neuron0_sum
        d_layer0_neuron0_b += d_layer0_neuron0_sum
        d_layer0_neuron0_w0 += x0 * d_layer0_neuron0_sum

    losses.reverse()
    return losses, [
        d_layer0_neuron0_w0, d_layer0_neuron0_w1, d_layer0_neuron0_b, d_layer0_neuron1_w0, d_layer0_neuron1_w1,
        d_layer0_neuron1_b, d_layer1_neuron0_w0, d_layer1_neuron0_w1, d_layer1_neuron0_b,
    ]
