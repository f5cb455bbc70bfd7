"""What an op is to the compiler, and the list of all ops it knows.

An op is one module of `edgec.codegen.ops` holding one frozen dataclass, decorated with `@register`:
how it is read from a TFLite file, which limits it has, what it computes (numpy), which C kernel it
becomes. Modules are found by their place in the package; nothing else lists them.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, TypeVar

from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array, Graph, Op, Rounding, Tensor

if TYPE_CHECKING:
    from edgec.codegen.program import Program

Shape = tuple[int, ...]


class Options(Protocol):
    """The option table of an operator in a TFLite file, addressed by field slot of the schema."""

    def int8(self, slot: int, default: int = 0) -> int:
        """Return a byte or enum field."""

    def int32(self, slot: int, default: int = 0) -> int:
        """Return a 32-bit integer field."""

    def boolean(self, slot: int, default: bool = False) -> bool:
        """Return a bool field."""

    def float32(self, slot: int, default: float = 0.0) -> float:
        """Return a float field."""

    def int32s(self, slot: int) -> tuple[int, ...]:
        """Return a vector of 32-bit integers."""


@dataclass(frozen=True, slots=True)
class Node:
    """One operator as the file has it: what `KernelOp.parse` turns into a typed op."""

    index: int
    builtin: str
    version: int
    options: Options
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    intermediates: tuple[Tensor, ...] = ()
    rounding: Rounding = Rounding.TFLITE

    @property
    def ends(self) -> dict[str, Any]:
        """The fields every op has, as keyword arguments of its constructor."""
        return {
            "inputs": tuple(t.name if t is not None else "" for t in self.inputs),
            "outputs": tuple(t.name for t in self.outputs),
            "rounding": self.rounding,
        }

    def input(self, position: int) -> Tensor:
        """Return the input at `position`, which the op cannot do without."""
        tensor = self.inputs[position] if position < len(self.inputs) else None
        if tensor is None:
            raise UnsupportedModelError(f"input {position} is missing")
        return tensor

    def constant(self, position: int) -> Array:
        """Return the data of an input that must be constant (shapes, axes, paddings)."""
        tensor = self.input(position)
        if tensor.data is None:
            raise UnsupportedModelError(f"input {position} must be constant")
        return tensor.data


@dataclass(frozen=True, slots=True)
class Io:
    """The tensors at an op's ends; an absent optional input is None."""

    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]

    @staticmethod
    def of(graph: Graph, op: Op) -> Io:
        """Look an op's tensors up in its graph."""
        ins = tuple(graph.tensors[n] if n else None for n in op.inputs)
        return Io(ins, tuple(graph.tensors[n] for n in op.outputs))

    def input(self, position: int) -> Tensor:
        """Return an input that is there (constraints have been checked)."""
        tensor = self.inputs[position] if position < len(self.inputs) else None
        if tensor is None:
            raise UnsupportedModelError(f"input {position} is missing")
        return tensor

    def optional(self, position: int) -> Tensor | None:
        """Return an input, or None where it is absent."""
        return self.inputs[position] if position < len(self.inputs) else None

    @property
    def present(self) -> tuple[Tensor, ...]:
        """The inputs that are there."""
        return tuple(t for t in self.inputs if t is not None)

    @property
    def x(self) -> Tensor:
        """The first input."""
        return self.input(0)

    @property
    def y(self) -> Tensor:
        """The first output."""
        return self.outputs[0]


@dataclass(frozen=True, slots=True, eq=False)
class Const:
    """An array that a kernel's parameters point to; it is emitted into the weights file.

    `comment` names its shape, as in `(out_ch, kh, kw, in_ch)`.
    """

    data: Array
    comment: str = ""


Value = int | float | Const | Sequence[int] | Sequence[float] | None


Accesses = tuple[tuple[range, range], ...]
"""Byte ranges read from the first input and written to the output, stretch by stretch."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a kernel is expected to take for one layer: the planner's basis for choosing.

    `instructions` are of one inference on a core that the kernel is meant for, compiled for speed;
    what they come to on the target's core is measured (`kernel_table`). `flash_bytes` are the
    arrays that the parameters point to. The kernel's code, which layers share, and the size of its
    parameters are measured, too.
    """

    instructions: int
    flash_bytes: int


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """The C that one op becomes: a call of one kernel.

    The kernel is the function `kernel` in `kernels/<kernel>.c`, declared in `<kernel>.h` as
    `void kernel(const <kernel>_params *p, <inputs>, <outputs>[, void *scratch])`; one of another
    compiler's is declared in `header`. `params` holds the fields of that struct by name; with no
    params the argument is left out. `inputs` are the
    positions of the op's inputs that are passed as pointers. Where `arrays` is set, inputs are
    passed as one `const void *const *` and outputs as one `void *const *`. A kernel that takes
    working memory has `scratch_bytes` (0: this time it gets a null pointer), others None. A `view`
    computes nothing: the output is the input's memory. `cost` is stated where there is a choice;
    `reason` is filled in by what chose. With a `program` the step is many calls: it becomes a
    function of its own, and `kernel` is only a name.

    `accesses` and `in_place` say how the planner may save memory where an input is not needed
    afterwards. `accesses` are the byte ranges of the first input that are read, and of the output
    that are written, stretch by stretch in the order in which the kernel works; within a stretch
    reads and writes may come in any order. `in_place` are positions of inputs of the output's size
    that the output may replace exactly: nothing of the input is read after its place is written.
    """

    kernel: str = ""
    params: Mapping[str, Value] = field(default_factory=dict)
    inputs: tuple[int, ...] = (0,)
    arrays: bool = False
    scratch_bytes: int | None = None
    view: bool = False
    cost: Cost | None = None
    accesses: Accesses = ()
    in_place: tuple[int, ...] = ()
    reason: str = ""
    program: Program | None = None
    header: str = ""

    @property
    def parts(self) -> tuple[Step, ...]:
        """The different kernel calls that the step is made of; itself if it is one."""
        return (self,) if self.program is None else self.program.steps


class KernelOp(Op):
    """Base of all ops: what the compiler asks of one."""

    __slots__ = ()

    constraints: ClassVar[tuple[Callable[[Any, Io], bool], ...]] = ()
    banded: ClassVar[bool] = False
    """Whether a row of output needs only the input rows under the op's `window`, or, where it has
    none, only the same row: such ops can be computed by stripes."""

    @classmethod
    @abstractmethod
    def parse(cls, node: Node) -> Self:
        """Build the op from a file's operator; raise UnsupportedModelError if it is malformed."""

    @abstractmethod
    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the shapes the outputs must have, from inputs and attributes."""

    @abstractmethod
    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Compute the outputs with numpy, exactly as the oracle of `rounding` does."""

    @abstractmethod
    def lower(self, io: Io) -> Step:
        """Choose the kernel and compute its parameters."""

    def variants(self, io: Io, features: frozenset[str]) -> tuple[Step, ...]:
        """Return further kernels for a core with these features, each with its cost.

        They answer exactly as `lower`'s kernel does; where there are some, that one states its
        cost too. Their C has a portable twin, so that they run on the host as well.
        """
        return ()

    def rounds_inputs(self, io: Io) -> bool:
        """Return whether float32 inputs are rounded to integers by the op."""
        return False

    def macs(self, io: Io) -> int:
        """Return the multiply-accumulates of one inference; 0 for ops that are not products."""
        return 0


OpT = TypeVar("OpT", bound=type[KernelOp])
_REGISTRY: dict[str, type[KernelOp]] = {}


def register(cls: OpT) -> OpT:
    """Enter an op class under its `builtin` name."""
    if cls.builtin in _REGISTRY:
        raise ValueError(f"{cls.builtin} is registered twice")
    _REGISTRY[cls.builtin] = cls
    return cls


@cache
def kernel_ops() -> Mapping[str, type[KernelOp]]:
    """Return all ops by their TFLite builtin name, in alphabetical order."""
    package = importlib.import_module("edgec.codegen.ops")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"edgec.codegen.ops.{module.name}")
    return dict(sorted(_REGISTRY.items()))


def violation(op: KernelOp, io: Io) -> str:
    """Return, as a sentence, the first limit of the op that these tensors break; empty if none.

    The order of an op's constraints counts: each may rest on what those before it promise.
    """
    for constraint in op.constraints:
        if not constraint(op, io):
            return sentence(constraint)
    wanted = op.shapes(io)
    got = tuple(t.shape for t in io.outputs)
    if wanted != got:
        return f"output shapes {_list(got)} declared, {_list(wanted)} computed"
    return ""


def sentence(constraint: Callable[..., Any]) -> str:
    """Return the documentation of a constraint: its docstring's first paragraph, on one line."""
    paragraph = (inspect.getdoc(constraint) or constraint.__name__).split("\n\n")[0]
    return " ".join(paragraph.split())


def as_kernel_op(op: Op) -> KernelOp:
    """Return an op of the graph as the KernelOp it is."""
    if not isinstance(op, KernelOp):
        raise TypeError(f"{type(op).__name__} is not registered")
    return op


def _list(shapes: tuple[Shape, ...]) -> str:
    return " ".join(str(list(s)) for s in shapes)
