"""Escaped text: a Markdown reader shows it as it was, and it holds no more backslashes than that takes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from pipeline.errors import one_line
from pipeline.report.escaping import escaped, escaped_block, escaped_cell, escaped_heading

READER = MarkdownIt("gfm-like", {"html": True})
assert READER.linkify is not None
READER.linkify.set({"fuzzy_link": False})  # which takes any name with a dot for a page, and GitHub does not
PIECES = [
    *(
        "<script>",
        "<img src=x>",
        "<b",
        "</b>",
        "<!--",
        "-->",
        "<?",
        "<![CDATA[",
        "&amp;",
        "&#60;",
        "&copy",
        "&",
    ),
    *(
        "**",
        "*",
        "__",
        "_",
        "~~",
        "~",
        "`",
        "``",
        "```",
        "~~~",
        "[a](b)",
        "![a](b)",
        "[a]: /b",
        "[x] ",
        "[^1]",
    ),
    *(
        "http://a.example",
        "HTTPS://a.example/b_c",
        "www.a.example",
        "//a.example",
        "ftp://a.b",
        "a@b.example",
        "@me",
    ),
    *(
        "mailto:a@b.example",
        "s3://b/a",
        "xmpp:a@b.c",
        "\\",
        "\\\\",
        "|",
        "\\|",
        "||",
        "-",
        "- ",
        "+ ",
        "* ",
        "> ",
    ),
    *(
        "1. ",
        "2) ",
        "1234567890. ",
        "# ",
        " #",
        "##",
        "---",
        "===",
        "***",
        "    ",
        " ",
        "\n",
        "\r",
        "\t",
        "\x1b[31m",
    ),
    *(
        "a",
        "é",
        "1",
        ".",
        ":",
        "/",
        "(",
        ")",
        "!",
        "'",
        '"',
        "=",
        "|---|",
        "\u2028",
        "\u00a0",
        "\u0301",
        "€",
        "“",
    ),
]
TEXTS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=10).map("".join) | st.text(min_size=1)
PLAIN = [
    *(
        "0.974",
        "-0.5",
        "+0.109",
        "1e-05",
        "97.5 %",
        "0.974 [0.961, 0.983]",
        "+0.109 [+0.089, +0.129]",
        "1,180",
    ),
    *(
        "second_opinion_dover_score",
        "second_opinion_dover_...",
        "second_opinion_*_score",
        "a_b.c-d",
        "_private",
    ),
    *(
        "demo/konvid/features.parquet",
        "clipiqa/*.json",
        "../a b/c~1.csv",
        "~/scores",
        "s3://bucket/a_b.json",
        "C:\\a",
    ),
    *(
        "t.scores[0]/a.json",
        "CLIP-IQA+",
        "Q-Align #2",
        "R&D",
        "a < b > c",
        "3<5",
        "@me",
        "5 * 3 * 2",
        "#1",
        "x\\nbreak",
    ),
    *(
        "1. FC Köln",
        "- none",
        "# of rows",
        "a-b",
        "50/50",
        "k=v",
        "what?!",
        "(a), {b}: 'c' \"d\"; e",
        "$5",
        "a^b",
    ),
]


def texts(markdown: str) -> list[tuple[str, str]]:
    """Every block of text of a page: the element it is in, and its text; fails where it holds markup."""
    tokens = READER.parse(markdown)
    return [
        (before.tag, _text(token)) for before, token in itertools.pairwise(tokens) if token.type == "inline"
    ]


def _text(token: Token) -> str:
    children = token.children or []
    assert {child.type for child in children} <= {"text", "text_special"}, token.content
    return "".join(child.content for child in children)


@given(TEXTS)
@example(" a ")
@example("  ")
@example("\\ ")
@example("* *")
@example("x *a* _b_ ~~c~~ `d`")
@example("a\\|b\\")
@example("<div")
def test_a_reader_shows_the_text(text: str) -> None:
    """A cell is given back to the last blank; a heading, an item and a line but for blanks at their ends.

    Control characters are made visible before. What is around the text stays as it is.
    """
    shown = one_line(text)
    table = f"| a | b |\n| --- | --- |\n| {escaped_cell(text)} | {escaped_cell(text)} |\n| c | d |\n"
    assert texts(table) == [("th", "a"), ("th", "b"), *[("td", shown)] * 2, ("td", "c"), ("td", "d")]
    if shown := shown.strip(" "):
        assert texts(f"## {escaped_heading(text)}\n\nb") == [("h2", shown), ("p", "b")]
        assert texts(f"Label: {escaped(text)}\n\nb") == [("p", f"Label: {shown}"), ("p", "b")]
        assert texts(f"{escaped_block(text)}\n\nb") == [("p", shown), ("p", "b")]
        nested = f"* {escaped_block(text)}\n  * {escaped_block(text)}\n  * {escaped_block(text)}\n* b\n"
        assert texts(nested) == [*[("p", shown)] * 3, ("p", "b")]


@pytest.mark.parametrize("text", PLAIN)
def test_plain_text_is_left_alone(text: str) -> None:
    """Numbers, intervals, names of columns and files and common signs have no backslash in a cell or a line."""
    assert (escaped_cell(text), escaped(text)) == (text, text)


@pytest.mark.parametrize(
    ("text", "cell", "block"),
    [
        ("a|b", r"a\|b", "a|b"),
        (r"a\|b", r"a\\\|b", r"a\\|b"),
        ("1. a", "1. a", r"1\. a"),
        ("- a", "- a", r"\- a"),
        ("# a", "# a", r"\# a"),
        ("__init__.py", r"\_\_init\_\_.py", r"\_\_init\_\_.py"),
        ("a/*.json b/*.json", r"a/\*.json b/\*.json", r"a/\*.json b/\*.json"),
        ("<b>", r"\<b>", r"\<b>"),
        ("[a](b)", r"[a\](b)", r"\[a\](b)"),
        ("&amp;", r"\&amp;", r"\&amp;"),
        ("http://a.b", r"http\://a.b", r"http\://a.b"),
        ("a@b.org", r"a\@b.org", r"a\@b.org"),
        ("`a`", r"\`a\`", r"\`a\`"),
        (" a", "&#32;a", "a"),
        ("a\nb", r"a\nb", r"a\nb"),
    ],
)
def test_signs_are_escaped_where_they_are_read(text: str, cell: str, block: str) -> None:
    """A sign has a backslash where Markdown would read it: a pipe in a cell, a list's mark where a block begins."""
    assert (escaped_cell(text), escaped_block(text)) == (cell, block)
