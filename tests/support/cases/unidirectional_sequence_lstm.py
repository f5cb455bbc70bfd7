"""UNIDIRECTIONAL_SEQUENCE_LSTM as the converter emits it from Keras, states carried over.

Floats that the cell gate sums up are positive: a state that cancels to near zero would have any
number of ulps between two orders of summation.
"""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import SCALES, quant, random_array

BUILTIN = "UNIDIRECTIONAL_SEQUENCE_LSTM"
DTYPES = ("int8", "float32")
ULPS = 16
RUNS = 3
CELL_GATE = 2


def add(draw, model, dtype):
    batches, steps, size, units = (draw(st.integers(1, m)) for m in (2, 5, 6, 7))
    major = draw(st.booleans())
    lead = (steps, batches) if major else (batches, steps)
    exact = dtype == "int8"
    hidden = (draw(st.floats(0.003, 0.008)), draw(st.integers(-128, 127))) if exact else ()
    cell = (2.0 ** -draw(st.integers(9, 15)), 0) if exact else ()
    x = model.input((*lead, size), dtype, *quant(draw, dtype), low=0.0, high=1.0)
    inputs = [x]
    for columns in (size, units):
        for gate in range(4):
            scale = (draw(SCALES) / 16,) if exact else ()
            low = 0.0 if gate == CELL_GATE else -0.5
            data = random_array(draw, (units, columns), dtype, low, 0.5)
            inputs.append(model.tensor((units, columns), dtype, *scale, data=data))
    inputs += [-1] * 3
    kind, reach = ("int32", 20000) if exact else (dtype, 1)
    for gate in range(4):
        low = 0 if gate == CELL_GATE and not exact else -reach
        data = random_array(draw, (units,), kind, low, reach)
        inputs.append(model.tensor((units,), kind, data=data))
    inputs += [-1, -1]
    inputs.append(model.tensor((batches, units), dtype, *hidden, variable=True))
    inputs.append(model.tensor((batches, units), "int16" if exact else dtype, *cell, variable=True))
    inputs += [-1] * 4
    y = model.output((*lead, units), dtype, *hidden)
    options = schema.UnidirectionalSequenceLSTMOptionsT()
    options.fusedActivationFunction = 4
    options.cellClip = draw(st.sampled_from((0.0, 10.0, 0.5)))
    options.timeMajor = major
    between = []
    if exact:
        between = [model.tensor((0,), "float32") for _ in range(4)]
        between.append(model.tensor((0,), dtype, *hidden))
    model.op(BUILTIN, inputs, [y], options, intermediates=between)
