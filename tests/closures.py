"""A plain engine as a student writes it, closures and all, as text; and the mistakes that are planted in it, one at a time.

It is written for these tests and shares nothing with ours. A mistake is a replacement of a piece of the text that stands in it
once; beside it stands what `check` must say that it is about.
"""

from typing import NamedTuple

HEAD = '''import math
import random


class Value:
    """A number with a gradient."""

    def __init__(self, data, children=(), op=""):
        self.data = data
        self.grad = 0.0
        self._backward = lambda: None
        self._prev = set(children)
        self._op = op

    def __repr__(self):
        return f"Value({self.data})"
'''

BINARY = '''
    def {method}(self, other):
        other = other if isinstance(other, Value) else Value(other)
        z = {value}
        out = Value(z, (self, other), "{name}")

        def _backward():
            self.grad += ({first}) * out.grad  # {name} x
            other.grad += ({second}) * out.grad  # {name} y

        out._backward = _backward
        return out
'''

UNARY = '''
    def {method}(self):
        z = {value}
        out = Value(z, (self,), "{name}")

        def _backward():
            self.grad += ({first}) * out.grad  # {name} x

        out._backward = _backward
        return out
'''

X, Y = "self.data", "other.data"

TWO = {
    "add":     ("__add__",     f"{X} + {Y}",                  "1.0",                          "1.0"),
    "sub":     ("__sub__",     f"{X} - {Y}",                  "1.0",                          "-1.0"),
    "mul":     ("__mul__",     f"{X} * {Y}",                  Y,                              X),
    "div":     ("__truediv__", f"{X} / {Y}",                  f"1.0 / {Y}",                   f"-z / {Y}"),
    "maximum": ("maximum",     f"max({X}, {Y})",              f"1.0 if {X} >= {Y} else 0.0",  f"1.0 if {X} < {Y} else 0.0"),
    "minimum": ("minimum",     f"min({X}, {Y})",              f"1.0 if {X} <= {Y} else 0.0",  f"1.0 if {X} > {Y} else 0.0"),
    "prelu":   ("prelu",       f"{X} if {X} > 0 else {Y} * {X}", f"1.0 if {X} > 0 else {Y}",  f"0.0 if {X} > 0 else {X}"),
}  # fmt: skip

ONE = {
    "neg":        ("__neg__",    f"-{X}",                                       "-1.0"),
    "exp":        ("exp",        f"math.exp({X})",                              "z"),
    "log":        ("log",        f"math.log({X})",                              f"1.0 / {X}"),
    "sqrt":       ("sqrt",       f"math.sqrt({X})",                             "0.5 / z"),
    "sin":        ("sin",        f"math.sin({X})",                              f"math.cos({X})"),
    "cos":        ("cos",        f"math.cos({X})",                              f"-math.sin({X})"),
    "tanh":       ("tanh",       f"math.tanh({X})",                             "1.0 - z * z"),
    "sigmoid":    ("sigmoid",    f"1.0 / (1.0 + math.exp(-{X}))",               "z * (1.0 - z)"),
    "softplus":   ("softplus",   f"math.log(1.0 + math.exp({X}))",              f"1.0 / (1.0 + math.exp(-{X}))"),
    "relu":       ("relu",       f"max(0.0, {X})",                              f"1.0 if {X} > 0 else 0.0"),
    "leaky_relu": ("leaky_relu", f"{X} if {X} > 0 else 0.1 * {X}",              f"1.0 if {X} > 0 else 0.1"),
    "elu":        ("elu",        f"{X} if {X} > 0 else math.exp({X}) - 1.0",    f"1.0 if {X} > 0 else z + 1.0"),
    "abs":        ("__abs__",    f"abs({X})",                                   f"1.0 if {X} > 0 else -1.0"),
}  # fmt: skip

TAIL = '''
    def __pow__(self, other):
        if isinstance(other, Value):
            z = self.data ** other.data
            out = Value(z, (self, other), "pow")

            def _backward():
                self.grad += (other.data * self.data ** (other.data - 1.0)) * out.grad  # pow x
                other.grad += (z * math.log(self.data)) * out.grad  # pow y

        else:
            z = self.data ** other
            out = Value(z, (self,), "power")

            def _backward():
                self.grad += (other * self.data ** (other - 1)) * out.grad  # power x

        out._backward = _backward
        return out

    def __radd__(self, other):
        return self + other

    def __rsub__(self, other):
        return Value(other) - self

    def __rmul__(self, other):
        return self * other

    def __rtruediv__(self, other):
        return Value(other) / self

    def __rpow__(self, other):
        return Value(other) ** self

    def backward(self):
        topo, visited = [], set()

        def build(v):
            if v not in visited:
                visited.add(v)
                for child in v._prev:
                    build(child)
                topo.append(v)

        build(self)
        for v in topo:
            if v._prev:
                v.grad = 0.0
        self.grad = 1.0
        for v in reversed(topo):
            v._backward()


class Neuron:
    def __init__(self, nin):
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0.0)

    def __call__(self, x):
        z = sum((wi * xi for wi, xi in zip(self.w, x)), self.b)
        return z.tanh()

    def parameters(self):
        return self.w + [self.b]


class Layer:
    def __init__(self, nin, nout):
        self.neurons = [Neuron(nin) for _ in range(nout)]

    def __call__(self, x):
        outs = [n(x) for n in self.neurons]
        return outs[0] if len(outs) == 1 else outs

    def parameters(self):
        return [p for neuron in self.neurons for p in neuron.parameters()]


class MLP:
    def __init__(self, nin, nouts):
        sizes = [nin] + nouts
        self.layers = [Layer(sizes[i], sizes[i + 1]) for i in range(len(nouts))]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self):
        return [p for layer in self.layers for p in layer.parameters()]

    def zero_grad(self):
        for p in self.parameters():
            p.grad = 0.0


def mse(outputs, targets):
    losses = [(out - target) ** 2 for out, target in zip(outputs, targets)]
    return sum(losses) / len(losses)


class SGD:
    def __init__(self, parameters, lr):
        self.parameters, self.lr = parameters, lr

    def zero_grad(self):
        for p in self.parameters:
            p.grad = 0.0

    def step(self):
        for p in self.parameters:
            p.data -= self.lr * p.grad


class Adam:
    def __init__(self, parameters, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.parameters, self.lr, self.beta1, self.beta2, self.eps = parameters, lr, beta1, beta2, eps
        self.m = [0.0 for _ in parameters]
        self.v = [0.0 for _ in parameters]
        self.t = 0

    def step(self):
        self.t += 1
        for i, p in enumerate(self.parameters):
            self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * p.grad
            self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * p.grad * p.grad
            m_hat = self.m[i] / (1 - self.beta1 ** self.t)
            v_hat = self.v[i] / (1 - self.beta2 ** self.t)
            p.data -= self.lr * m_hat / (math.sqrt(v_hat) + self.eps)


def train_step(model, inputs, targets, lr):
    loss = mse([model(x) for x in inputs], targets)
    model.zero_grad()
    loss.backward()
    for p in model.parameters():
        p.data -= lr * p.grad
    return loss
'''


def _methods():
    two = "".join(BINARY.format(name=name, method=row[0], value=row[1], first=row[2], second=row[3]) for name, row in TWO.items())
    return two + "".join(UNARY.format(name=name, method=row[0], value=row[1], first=row[2]) for name, row in ONE.items())


RIGHT = HEAD + _methods() + TAIL


class Mistake(NamedTuple):
    """A piece of the text, what stands there instead, and what the finding is about."""

    name: str
    old: str
    new: str
    about: str

    def planted(self) -> str:
        """The engine with this mistake; every piece stands in it once."""
        count = RIGHT.count(self.old)
        if count != 1:
            raise ValueError(f"{self.name}: its piece stands {count} times in the engine")
        return RIGHT.replace(self.old, self.new)


def signs() -> list[Mistake]:
    """Every slope of every operation with its sign turned."""
    found = []
    for name in (*TWO, *ONE, "power", "pow"):
        for operand in "xy":
            line = next((line for line in RIGHT.splitlines() if line.endswith(f"# {name} {operand}")), None)
            if line:
                found.append(Mistake(f"sign of {name} {operand}", line, line.replace("+= (", "+= -("), name))
    return found


def line_of(ending: str) -> str:
    """The line with this comment."""
    return next(line for line in RIGHT.splitlines() if line.endswith(ending))


def changed(name: str, ending: str, old: str, new: str, about: str) -> Mistake:
    """A mistake inside the line with this comment."""
    line = line_of(ending)
    return Mistake(name, line, line.replace(old, new, 1), about)


SWEEP = RIGHT[RIGHT.index("        topo, visited = [], set()"):RIGHT.index("class Neuron")]
STEP = RIGHT[RIGHT.index("    loss.backward()"):RIGHT.index("    return loss")]
ZEROED = "            p.grad = 0.0\n\n\ndef mse"

LAB = [
    # the nine of lab/bugs.py
    changed("overwritten", "# mul x", "+=", "=", "mul"),
    Mistake("unordered", SWEEP, '''        self.grad = 1.0
        found, waiting = {self}, [self]
        while waiting:
            v = waiting.pop()
            v._backward()
            for child in v._prev:
                if child not in found:
                    found.add(child)
                    waiting.append(child)


''', "order"),
    Mistake("never_zeroed", ZEROED, "            pass\n\n\ndef mse", "MLP.zero_grad"),
    changed("slope_at_the_sum", "# tanh x", "1.0 - z * z", "1.0 - self.data * self.data", "tanh"),
    Mistake("updated_too_early", STEP, '''    for layer in reversed(model.layers):
        for p in model.parameters():
            p.grad = 0.0
        mse([model(x) for x in inputs], targets).backward()
        for p in layer.parameters():
            p.data -= lr * p.grad
''', "train_step"),
    Mistake("bias_forgotten", "zip(self.w, x)), self.b)", "zip(self.w, x)))", "MLP"),
    Mistake("sum_for_mean", "sum(losses) / len(losses)", "sum(losses)", "mse"),
    Mistake("uncorrected", "self.m[i] / (1 - self.beta1 ** self.t)", "self.m[i]", "Adam"),
    Mistake("eps_inside", "(math.sqrt(v_hat) + self.eps)", "math.sqrt(v_hat + self.eps)", "Adam"),
]  # fmt: skip

OWN = [
    changed("upstream forgotten in mul", "# mul y", " * out.grad", "", "mul"),
    changed("upstream forgotten in tanh", "# tanh x", " * out.grad", "", "tanh"),
    changed("add keeps one share", "# add x", "+=", "=", "add"),
    changed("relu keeps one share", "# relu x", "+=", "=", "relu"),
    changed("div: slopes swapped", "# div x", "1.0 / other.data", "-z / other.data", "div"),
    changed("div: square forgotten", "# div y", "-z / other.data", "-self.data / other.data", "div"),
    changed("mul toward itself", "# mul x", "other.data", "self.data", "mul"),
    changed("power without its factor", "# power x", "other * self.data", "self.data", "power"),
    changed("power not lowered", "# power x", "(other - 1)", "other", "power"),
    changed("pow without logarithm", "# pow y", " * math.log(self.data)", "", "pow"),
    changed("log as of base 10", "# log x", "1.0 / self.data", "1.0 / (self.data * math.log(10))", "log"),
    changed("sqrt without its half", "# sqrt x", "0.5 / z", "1.0 / z", "sqrt"),
    changed("sigmoid as tanh", "# sigmoid x", "z * (1.0 - z)", "1.0 - z * z", "sigmoid"),
    changed("relu lets all through", "# relu x", "1.0 if self.data > 0 else 0.0", "1.0", "relu"),
    changed("leaky relu stops", "# leaky_relu x", "else 0.1)", "else 0.0)", "leaky_relu"),
    changed("maximum to both", "# maximum y", "1.0 if self.data < other.data else 0.0", "1.0", "maximum"),
    Mistake("whole division", "z = self.data / other.data", "z = self.data // other.data", "div"),
    Mistake("rsub turned round", "return Value(other) - self", "return self - Value(other)", "sub"),
    Mistake("rdiv turned round", "return Value(other) / self", "return self / Value(other)", "div"),
    Mistake("not reversed", "for v in reversed(topo):", "for v in topo:", "order"),
    Mistake("no visited", "            if v not in visited:\n", "            if True:\n", "order"),
    Mistake("equal by number", '        return f"Value({self.data})"\n', '''        return f"Value({self.data})"

    def __eq__(self, other):
        return isinstance(other, Value) and self.data == other.data

    def __hash__(self):
        return hash(self.data)
''', "equal numbers"),
    Mistake("iadd moves the number", "    def __rsub__", '''    def __iadd__(self, other):
        self.data += other.data if isinstance(other, Value) else other
        return self

    def __rsub__''', "add in place"),
    Mistake("exp of the derivative", "z = math.exp(self.data)\n", "z = math.exp(-self.data)\n", "exp"),
    Mistake("exp keeps no operand", 'out = Value(z, (self,), "exp")', 'out = Value(z, (), "exp")', "exp"),
    Mistake("root gradient forgotten", "        self.grad = 1.0\n        for", "        for", "start"),
]  # fmt: skip
