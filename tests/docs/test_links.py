"""Links between the files that people read lead somewhere, on a forge as on the site."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.markdown import FILES, ROOT, anchors, links


def test_the_pages_that_people_read_are_found() -> None:
    assert {
        "README.md",
        "docs/prior-files.md",
        "docs/reference/driver.md",
        "plugins/investment/README.md",
    } <= set(FILES)
    assert sum(len(links(page)) for page in FILES) > 50


@pytest.mark.parametrize("page", FILES)
def test_every_relative_link_leads_to_a_file_and_to_a_heading_of_it(page: str) -> None:
    wrong = []
    for link in links(page):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        if not target.exists() or not target.resolve().is_relative_to(ROOT):
            wrong.append(f"{link}: there is no such file")
        elif anchor and anchor not in anchors(target.resolve().relative_to(ROOT).as_posix()):
            wrong.append(f"{link}: there is no such heading")
    assert not wrong


def test_each_built_in_driver_has_its_page_on_the_site() -> None:
    folders = [readme.parent.name for readme in ROOT.glob("plugins/*/README.md")]
    index = (ROOT / "docs/drivers/index.md").read_text(encoding="utf-8").splitlines()
    assert len(folders) >= 9
    for folder in folders:
        name = folder.replace("_", "-")
        page = ROOT / "docs/drivers" / f"{name}.md"
        assert f"../../plugins/{folder}/README.md" in page.read_text(encoding="utf-8")
        assert name in index


def test_the_readme_links_to_every_page_of_the_guide() -> None:
    guide = Path(ROOT / "docs/guide.md").read_text(encoding="utf-8")
    pages = [line for line in guide.splitlines() if (ROOT / "docs" / f"{line}.md").is_file() and line]
    assert len(pages) >= 8
    assert {f"docs/{page}.md" for page in pages} <= {link.partition("#")[0] for link in links("README.md")}
