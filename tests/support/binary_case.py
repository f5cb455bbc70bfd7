"""How to draw a random instance of an element-wise op of two inputs."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.support.cases import quant, random_array

ACTIVATIONS = (0, 1, 2, 3)


def broadcast_shapes(draw, max_dims: int = 5) -> tuple[tuple, tuple, tuple]:
    """Return two shapes and the shape that they broadcast to."""
    both = draw(st.lists(st.integers(1, 5), min_size=1, max_size=max_dims))
    if draw(st.integers(0, 2)) == 0:
        return tuple(both), tuple(both), tuple(both)
    first, second = [], []
    for side in both:
        # who repeats along this dimension: nobody, the first, the second
        repeats = draw(st.integers(0, 2))
        first.append(1 if repeats == 1 else side)
        second.append(1 if repeats == 2 else side)
    out = tuple(max(a, b) for a, b in zip(first, second, strict=True))
    drop = draw(st.integers(0, len(both)))
    if draw(st.booleans()):
        first = _without_leading_ones(first, drop)
    else:
        second = _without_leading_ones(second, drop)
    return tuple(first), tuple(second), out


def _without_leading_ones(shape: list[int], most: int) -> list[int]:
    for _ in range(most):
        if len(shape) > 1 and shape[0] == 1:
            shape = shape[1:]
    return shape


def operand(draw, model, shape, dtype: str, quantisation: tuple, constant: bool) -> int:
    """Add a variable or constant input."""
    if constant:
        data = random_array(draw, shape, dtype, -4.0, 4.0)
        return model.tensor(shape, dtype, *quantisation, data=data)
    return model.input(shape, dtype, *quantisation)


def add_binary(draw, model, dtype, builtin, options=None, *, alike=False, version=2) -> None:
    """Add one op with two inputs, at most one of them constant; `alike`: one quantisation."""
    first, second, out = broadcast_shapes(draw)
    q = [quant(draw, dtype) for _ in range(3)]
    if alike:
        q = [q[0]] * 3
    constant = draw(st.sampled_from((None, None, 0, 1)))
    a = operand(draw, model, first, dtype, q[0], constant == 0)
    b = operand(draw, model, second, dtype, q[1], constant == 1)
    y = model.output(out, dtype, *q[2])
    if options is not None and hasattr(options, "fusedActivationFunction"):
        options.fusedActivationFunction = draw(st.sampled_from(ACTIVATIONS))
    model.op(builtin, [a, b], [y], options, version=version)
