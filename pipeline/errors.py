"""Everything that can go wrong for a reason the user can act on.

    EdgecError                  exit 1
    ├── UsageError              exit 2   the command line or a config file is wrong
    ├── DeviceError             exit 3   the device is absent or ambiguous
    ├── ToolMissingError        exit 4   a compiler, emulator or package is not installed
    ├── MeasurementError        exit 5   a measurement is not valid
    ├── BudgetError             exit 6   the image is over its RAM or flash budget
    ├── UnsupportedModelError   exit 7   the model is refused
    ├── InfrastructureError     exit 8   flashing, the link or a lease failed
    ├── TargetError             exit 2   a target profile is unknown or malformed
    ├── DataError               exit 2   calibration or test data does not fit the model
    ├── BuildError              exit 1   the compiler or linker refused what was generated
    └── VerificationError       exit 1   an output differs from the reference

Only the command line catches these; any other exception is a bug and shows a traceback.
"""

from __future__ import annotations


class EdgecError(Exception):
    """A failure the user can act on.

    `message` says what, where, got, wanted, in lower case without a full stop;
    `hint` says what to do about it, or is empty. `name` tells failures of one class apart where
    programs act on them, as `probe-busy`; it is empty elsewhere.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "", name: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.name = name

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message


class UsageError(EdgecError):
    """An argument, option or configuration value is wrong."""

    exit_code = 2


class TargetError(UsageError):
    """A target profile is unknown or malformed."""


class DataError(UsageError):
    """Calibration or test data is missing, unreadable or of another shape than the model's."""


class DeviceError(EdgecError):
    """The device is absent, or more than one answers the description."""

    exit_code = 3


class ToolMissingError(EdgecError):
    """A compiler, emulator or Python package that this step needs is not installed."""

    exit_code = 4


class MeasurementError(EdgecError):
    """A measurement ran but is not valid."""

    exit_code = 5


class BudgetError(EdgecError):
    """The image does not fit the RAM or flash it was given."""

    exit_code = 6


class UnsupportedModelError(EdgecError):
    """The model is malformed, or uses something this compiler does not do."""

    exit_code = 7


class InfrastructureError(EdgecError):
    """Flashing, the link to the device or a lease failed."""

    exit_code = 8


class BuildError(EdgecError):
    """The compiler or linker refused the generated code."""


class VerificationError(EdgecError):
    """An output differs from the reference interpreter's."""
