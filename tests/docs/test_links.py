"""Every link of every document leads somewhere."""

from pathlib import Path

import pytest

from docs.documents import DOCUMENTS, anchors, links, prose


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(document: Path) -> None:
    lost = []
    for link in links(document):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, heading = link.partition("#")
        target = document if not path else document.parent / path
        if not target.exists() or (heading and heading not in anchors(target)):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_no_link_is_left_open(document: Path) -> None:
    assert "](" not in prose(document).replace("](h", "").replace("](", "", len(links(document)))
