"""From a validated section of a policy file to the frozen dataclass of the rules, field by field of the same name.

Lists become tuples, words become members of the field's enum, `"no_end"` becomes None, tables become the dataclasses
that the fields name. What a section has and the dataclass has not is left to the caller.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

from pydantic import BaseModel

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Form = TypeVar("Form", bound="DataclassInstance")
NO_END = "no_end"


def freeze(section: BaseModel, form: type[Form], **given: object) -> Form:
    """Return `form` made of a section's values; `given` are fields whose names or units differ in the file."""
    hints = _hints(form)
    values = {
        one.name: given[one.name] if one.name in given else _frozen(getattr(section, one.name), hints[one.name])
        for one in fields(form)
    }
    return form(**values)


@cache
def _hints(form: type[Any]) -> dict[str, Any]:
    """Return the types of a form's fields; to read them takes longer than all else here."""
    return get_type_hints(form)


def _frozen(value: Any, hint: Any) -> Any:
    if value == NO_END:
        return None
    if isinstance(value, BaseModel):
        return freeze(value, next(one for one in _members(hint) if isinstance(one, type) and is_dataclass(one)))
    if isinstance(value, list):
        of_items = get_args(hint)
        return tuple(_frozen(one, of_items[0] if of_items else object) for one in value)
    words = [one for one in _members(hint) if isinstance(one, type) and issubclass(one, Enum)]
    return words[0](value) if words and value is not None else value


def _members(hint: Any) -> Iterator[Any]:
    """Yield a hint, and where it is a union the members of it."""
    yield hint
    yield from get_args(hint)
