"""A formula that somebody typed, with every number of its value and of its gradients: `micrograd-lite explain`.

    lines     the text at the door: its size, lines and words
    formula   the text read, without ever running it, and built from Values
    page      its tables, as text, Markdown, CSV or one HTML page
    sample    one sample of a recorded step
"""
