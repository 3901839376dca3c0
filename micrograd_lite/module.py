"""Module: anything with named parameters. The list of names and values is all that training needs to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from micrograd_lite.scalar import Value, to_float


class Module:
    """Base of Neuron, Layer and MLP, and of your own: say your `parts()`, and the rest follows."""

    def parts(self) -> Sequence[tuple[str, Any]]:
        """The parameters (Values) and modules that this module is made of, by name."""
        return []

    def all_names(self) -> list[tuple[str, Value]]:
        """Every name with its parameter; a tied weight appears under each of its names.

        ValueError when two parameters have one name: a file of weights would keep only one of them.
        """
        found = []
        for name, part in self.parts():
            below = [("", part)] if isinstance(part, Value) else part.all_names()
            found += [(f"{name}.{path}" if path else name, parameter) for path, parameter in below]
        known = dict(found)
        if len(known) != len(found):
            for name, parameter in found:
                if known[name] is not parameter:
                    two = f"two parameters of this {type(self).__name__} are named {name!r}"
                    raise ValueError(f"{two}; give its parts() different names")
        return found

    def named_parameters(self) -> list[tuple[str, Value]]:
        """Every parameter once, with its dotted path; a tied weight under the first of its names."""
        first: dict[Value, str] = {}
        for name, parameter in self.all_names():
            first.setdefault(parameter, name)
        return [(name, parameter) for parameter, name in first.items()]

    def tied(self) -> dict[str, str]:
        """For each further name of a tied weight, the first one."""
        first = {parameter: name for name, parameter in self.named_parameters()}
        return {name: first[parameter] for name, parameter in self.all_names() if first[parameter] != name}

    def places(self) -> dict[Value, tuple[str, str]]:
        """The path and the activation of every neuron, by its first weight: who sees that weight at work knows where it is."""
        found: dict[Value, tuple[str, str]] = {}
        for name, part in self.parts():
            for weight, (path, activation) in part.places().items() if isinstance(part, Module) else ():
                found.setdefault(weight, (f"{name}.{path}" if path else name, activation))
        return found

    def parameters(self) -> list[Value]:
        """Every parameter once, in the order of the names."""
        return [parameter for _, parameter in self.named_parameters()]

    def predict(self, inputs: Any) -> Any:
        """The outputs as plain floats: those of calling the module."""
        outputs: Any = self(inputs)  # type: ignore[operator]
        return [float(output) for output in outputs] if isinstance(outputs, (list, tuple)) else float(outputs)

    def zero_grad(self) -> None:
        """Forget the gradients of the last step; without this, backward() adds to them."""
        for _, parameter in self.all_names():  # a tied weight twice: less work than finding each once
            parameter.grad = 0.0

    def state_dict(self) -> dict[str, float]:
        """The number under every name, further names of tied weights included."""
        return {name: parameter.data for name, parameter in self.all_names()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set every parameter from `state_dict()`'s form; on a ValueError or TypeError nothing has changed."""
        parameters = dict(self.all_names())
        missing = [name for name in parameters if name not in state]
        unknown = [name for name in state if name not in parameters]
        if missing or unknown:
            first = f"{missing[0]!r} is missing" if missing else f"{unknown[0]!r} is unknown"
            raise ValueError(
                f"the state is of another model: it has {len(state)} parameters, this model {len(parameters)}, and {first}"
            )
        numbers = {name: to_float(number) for name, number in state.items()}
        for name, first in self.tied().items():
            if numbers[name] != numbers[first]:
                two = f"{numbers[name]} and {numbers[first]}"
                raise ValueError(f"{name} and {first} are one tied parameter, but the state has {two}")
        for name, parameter in parameters.items():
            parameter.data = numbers[name]

    def config(self) -> dict[str, Any]:
        """What is written into run.json about this model."""
        return {"type": type(self).__name__}

    def summary(self) -> str:
        """A table of the parts: name, what it is, number of parameters."""
        rows = []
        for name, part in self.parts():
            count = len(part.named_parameters()) if isinstance(part, Module) else 1
            rows.append((name, part.describe() if isinstance(part, Module) else "a parameter", count))
        return parts_table(rows, len(self.parameters()))

    def _repr_html_(self) -> str:
        from micrograd_lite.text.words import Prose

        return Prose(f"{type(self).__name__}\n{self.summary()}")._repr_html_()

    def describe(self) -> str:
        """A few words for the summary."""
        return type(self).__name__


def parts_table(parts: Sequence[tuple[str, str, int]], total: int) -> str:
    """Name, what it is and number of parameters of each part, with the total below (tied weights count once)."""
    counted = [(name, what, f"{count:,}") for name, what, count in parts]
    rows = [("part", "what it is", "parameters"), *counted, ("total", "", f"{total:,}")]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [f"{name:<{widths[0]}}  {what:<{widths[1]}}  {count:>{widths[2]}}" for name, what, count in rows]
    rule = "-" * len(lines[0])
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])
