"""A page of HTML as a tree, for tests to look into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"br", "link", "meta"}


@dataclass
class Element:
    """An element of a parsed page, and what stands in it in order."""

    tag: str
    attributes: dict[str, str | None]
    content: list[Element | str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Element]:
        """Itself and every element below."""
        yield self
        for child in self.content:
            if isinstance(child, Element):
                yield from child

    @property
    def children(self) -> list[Element]:
        """The elements right below."""
        return [child for child in self.content if isinstance(child, Element)]

    @property
    def text(self) -> str:
        """All the text below, in the order of the page."""
        return "".join(child if isinstance(child, str) else child.text for child in self.content)

    def all(self, tag: str) -> list[Element]:
        """The elements of a tag, in order."""
        return [each for each in self if each.tag == tag]

    def table(self, caption: str) -> list[list[str]]:
        """The cells of the table of a caption, its heading first; what stands in small below follows a space."""
        table = next(each for each in self.all("table") if each.all("caption")[0].text == caption)
        return [[" ".join(_parts(cell)) for cell in row.children] for row in table.all("tr")]


class _Parser(HTMLParser):
    """Every element that is opened must be closed in its order."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.root = Element("", {})
        self._open = [self.root]
        self.feed(page.decode("utf-8"))
        assert self._open == [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # as declared
        assert len(dict(attrs)) == len(attrs), f"{tag} names an attribute twice"
        element = Element(tag, dict(attrs))
        self._open[-1].content.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # as declared
        self._open[-1].content.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:  # as declared
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:  # as declared
        self._open[-1].content.append(data)


def tree(page: bytes) -> Element:
    """The page; fails where an element is not closed in its order."""
    return _Parser(page).root


def section(page: Element, heading: str) -> Element:
    """The section under a heading."""
    return next(each for each in page.all("section") if each.all("h2")[0].text == heading)


def _parts(cell: Element) -> Iterator[str]:
    for child in cell.content:
        text = child.strip() if isinstance(child, str) else " ".join(_parts(child))
        if text:
            yield text
