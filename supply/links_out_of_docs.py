"""A hook of MkDocs: links that leave docs/ lead nowhere in a site, and become the name of their target."""

import re

_OUT = re.compile(r"\[([^\]]+)\]\(\.\./([^)#]+)[^)]*\)")


def on_page_markdown(markdown: str, **_: object) -> str:
    """Return a page's text without links out of the folder."""
    return _OUT.sub(lambda link: f"{link[1]} (`{link[2]}`)", markdown)
