"""Numbers of things, as people write them."""


def counted(number: float, noun: str) -> str:
    """Write a whole number and its noun: ``1 worker``, ``2 workers``.

    Args:
        number: a whole number, of whatever type.
        noun: in the singular; its plural has an s.
    """
    return f"{number:.0f} {noun}{'' if number == 1 else 's'}"
