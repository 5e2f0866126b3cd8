#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Links between pages lead somewhere, headings included; every page is in the index; files that pages name are there."""

import re
import sys
import unittest

import pages

#: Of the tree, but not in it: made by a build, or only names of kinds of files.
MADE = re.compile(r"^(build/|docs/man/|tests/fixtures/hosts/HOST)")


class Links(unittest.TestCase):
    def test_lead_somewhere(self):
        wrong, count = [], 0
        for page in pages.pages():
            for line, target in pages.links(page):
                if re.match(r"https?://|mailto:", target):
                    continue
                count += 1
                path, _, anchor = target.partition("#")
                file = (page.parent / path).resolve() if path else page
                place = f"{page.relative_to(pages.SOURCE)}:{line}: {target}"
                if not file.exists():
                    wrong.append(f"{place}: no such file")
                elif anchor and anchor not in pages.anchors(file):
                    wrong.append(f"{place}: no such heading; there are {sorted(pages.anchors(file))}")
        self.assertEqual(wrong, [])
        self.assertGreater(count, 40)

    def test_the_index_has_every_page(self):
        index = pages.SOURCE / "docs/README.md"
        listed = {target for _, target in pages.links(index)}
        there = {page.name for page in (pages.SOURCE / "docs").glob("*.md")} - {"README.md"}
        self.assertEqual(there - listed, set(), "pages that docs/README.md does not list")

    def test_the_readme_leads_to_the_index(self):
        self.assertIn("docs/README.md", {target for _, target in pages.links(pages.SOURCE / "README.md")})


class Files(unittest.TestCase):
    def test_that_pages_name_are_there(self):
        folders = "auditd|base|bpf|cli|cmake|docs|migrate|packaging|sensor|tests|ansible"
        wrong, count = [], 0
        for page in pages.pages():
            text = pages.prose(page)
            for found in re.finditer(rf"(?<![\w/.…(-])(?:{folders})/[\w./*-]*\w", text):
                if MADE.match(found[0]):
                    continue
                count += 1
                if not list(pages.SOURCE.glob(found[0])):
                    wrong.append(f"{page.relative_to(pages.SOURCE)}:{text.count(chr(10), 0, found.start()) + 1}: {found[0]}")
        self.assertEqual(wrong, [])
        self.assertGreater(count, 40)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    unittest.main(verbosity=2)
