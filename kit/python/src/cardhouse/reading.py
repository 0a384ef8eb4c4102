"""Reading what a house has sent: nothing in it is believed before it was looked at."""

import json
from typing import Any

WHOLE_MAX = 2**53 - 1
"""Chips, positions and times are whole numbers up to this."""


class Unreadable(Exception):
    """Something is not as the protocol says; the message tells what."""


Object = dict[str, Any]


def message(text: str) -> Object:
    """The object of a message."""
    try:
        read = json.loads(text)
    # A document of a hundred thousand brackets.
    except (ValueError, RecursionError) as why:
        raise Unreadable(f"not JSON: {why}") from None
    return an_object(read, "the message")


def an_object(value: object, what: str) -> Object:
    if not isinstance(value, dict):
        raise Unreadable(f"{what} is no object")
    return value


def part(of: Object, name: str) -> Object:
    return an_object(of.get(name), name)


def maybe_part(of: Object, name: str) -> Object | None:
    value = of.get(name)
    return None if value is None else an_object(value, name)


def a_whole(value: object, what: str) -> int:
    # `True` is a number to Python.
    if type(value) is not int or not 0 <= value <= WHOLE_MAX:
        raise Unreadable(f"{what} is no whole number from 0 to 2^53 - 1")
    return value


def whole(of: Object, name: str) -> int:
    return a_whole(of.get(name), name)


def maybe_whole(of: Object, name: str) -> int | None:
    value = of.get(name)
    return None if value is None else a_whole(value, name)


def text(of: Object, name: str) -> str:
    value = of.get(name)
    if not isinstance(value, str):
        raise Unreadable(f"{name} is no text")
    return value


def maybe_text(of: Object, name: str) -> str:
    """The empty text where there is none."""
    return "" if of.get(name) is None else text(of, name)


def plain(of: Object, name: str) -> str:
    """What the house says to people, fit for a terminal: in one line, and without what moves the cursor."""
    return printable(maybe_text(of, name))


def printable(told: str) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in told[:500])


def flag(of: Object, name: str) -> bool:
    value = of.get(name)
    if not isinstance(value, bool):
        raise Unreadable(f"{name} is neither true nor false")
    return value


def items(of: Object, name: str) -> list[Any]:
    value = of.get(name)
    if not isinstance(value, list):
        raise Unreadable(f"{name} is no list")
    return value


def wholes(of: Object, name: str) -> list[int]:
    return [a_whole(value, name) for value in items(of, name)]


def cards(of: Object, name: str) -> list[str]:
    """Cards as two characters each."""
    return [a_card(value, name) for value in items(of, name)]


def a_card(value: object, what: str) -> str:
    if isinstance(value, str) and len(value) == 2 and value[0] in "23456789TJQKA" and value[1] in "cdhs":
        return value
    raise Unreadable(f"{what} holds what is no card")
