"""Text for users: numbers with their noun, and templates."""

import json
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jinja2


def counted(number: float, noun: str) -> str:
    """Format a whole number with its noun: ``1 worker``, ``2 workers``.

    Args:
        number: a whole number, of any type.
        noun: in the singular; the plural must be formed with an s.
    """
    return f"{number:.0f} {noun}{'' if number == 1 else 's'}"


def templates(package: str, *, html: bool = False) -> "jinja2.Environment":
    """Return the templates of a package, from its directory ``templates``.

    The filter ``quote`` makes one word for bash of a text, ``yaml`` a string for YAML. A comment is
    written ``<## … ##>``: in bash ``${#names[@]}`` is a number of names.

    Args:
        package: its name.
        html: whether what is filled in is escaped for HTML.
    """
    import jinja2  # takes a tenth of a second, which a rank need not spend

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        comment_start_string="<##",
        comment_end_string="##>",
        # What else there is, bash and YAML, is no HTML; quote and yaml are for these.
        autoescape=html,  # noqa: S701
    )
    environment.filters["quote"] = shlex.quote
    # A file's name may be anything.
    environment.filters["yaml"] = lambda text: json.dumps(text, ensure_ascii=not text.isprintable())
    return environment
