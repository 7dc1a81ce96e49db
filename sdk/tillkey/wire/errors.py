"""What a bad document is told: one error with a code, the place and the mend."""

from __future__ import annotations


class WireError(ValueError):
    """A document that does not follow the protocol.

    ``code`` is ``malformed``, ``too_large`` or ``bad_signature`` (PROTOCOL section 4); ``field`` names the place, as a
    dotted path; ``detail`` says what is wrong without repeating the content, which may be secret.
    """

    def __init__(self, code: str, field: str, detail: str) -> None:
        """Take the refusal's code, the field's name and what is wrong with it."""
        super().__init__(code, field, detail)
        self.code = code
        self.field = field
        self.detail = detail

    def __str__(self) -> str:
        """Name the place and what is wrong there."""
        return f"{self.field}: {self.detail}"


def malformed(field: str, detail: str) -> WireError:
    """Make the error for a document that is not what the protocol says."""
    return WireError("malformed", field, detail)


def bad_signature(field: str, detail: str) -> WireError:
    """Make the error for a document that its key did not sign."""
    return WireError("bad_signature", field, detail)
