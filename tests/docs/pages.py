# SPDX-License-Identifier: Apache-2.0
"""What stands in the pages: fenced blocks, code spans, links, headings.

A fence says what it holds: `sh` commands, one a line; `console` commands behind `$ ` and what they print (a line `…` stands
for lines left out); anything else (`text`, `json`, `python`, …) no commands.
"""

import dataclasses
import pathlib
import re

SOURCE = pathlib.Path(__file__).resolve().parents[2]
COMMANDS = {"sh", "console"}


@dataclasses.dataclass
class Block:
    page: pathlib.Path
    line: int  # of the opening fence, from 1
    language: str
    lines: list

    def __str__(self):
        return f"{self.page.relative_to(SOURCE)}:{self.line}"


@dataclasses.dataclass
class Command:
    block: Block
    line: int
    text: str
    output: list  # what the page says that it prints; empty where it says nothing

    def __str__(self):
        return f"{self.block.page.relative_to(SOURCE)}:{self.line}: {self.text}"


def pages():
    return [SOURCE / "README.md", *sorted((SOURCE / "docs").glob("*.md")), SOURCE / "ansible/README.md"]


def blocks(page):
    found, block = [], None
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if block is None and line.startswith("```"):
            block = Block(page, number, line[3:].strip(), [])
        elif block is not None and line == "```":
            found.append(block)
            block = None
        elif block is not None:
            block.lines.append(line)
    return found


def commands(block):
    """Those of a block. A remark begins with ` # `; a line that ends within quotes or in a backslash goes on."""
    found, number = [], block.line
    lines = iter(block.lines)
    for line in lines:
        number += 1
        if block.language == "console" and not line.startswith("$ "):
            if found:
                found[-1].output.append(line)
            continue
        text, first = line.removeprefix("$ ") if block.language == "console" else line, number
        text = re.sub(r"\s+# .*$", "", text)
        while text.endswith("\\") or text.count('"') % 2 or text.count("'") % 2:
            text = text.removesuffix("\\") + "\n" + next(lines)
            number += 1
        if text.strip() and not text.startswith("#"):
            found.append(Command(block, first, text.strip(), []))
    return found


def prose(page):
    """The page without its blocks; lines stay where they are."""
    return re.sub(r"^```.*?^```$", lambda block: "\n" * block[0].count("\n"), page.read_text(encoding="utf-8"), flags=re.M | re.S)


def spans(page):
    """(line, code span), those in tables with their escaped bars as they are read."""
    text = prose(page)
    for found in re.finditer(r"``\s?(.+?)\s?``|`([^`\n]+(?:\n[^`\n|]+)?)`", text):
        code = (found[1] or found[2]).replace("\n", " ").replace("\\|", "|")
        yield text.count("\n", 0, found.start()) + 1, code


def anchors(page):
    """As the usual renderers make them of headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page):
    for found in re.finditer(r"\]\(([^)\s]+)\)", prose(page)):
        yield prose(page).count("\n", 0, found.start()) + 1, found[1]
