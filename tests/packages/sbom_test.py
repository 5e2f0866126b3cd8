#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: sbom_test.py FILE PROGRAM…: is FILE an SPDX 2.3 document, and does it name what is linked into the programs?

The rules are those of the specification (spdx.github.io/spdx-spec/v2.3): what a document, a package and a relationship
must have, and what their values may look like. What is linked is asked of readelf and of the package database anew.
"""

import json
import re
import subprocess
import sys

DATE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
AGENT = r"(Organization|Person|Tool): .+"
KINDS = {"DESCRIBES", "DYNAMIC_LINK", "STATIC_LINK"}
failed = 0


def that(holds, what, detail=""):
    global failed
    print(f"  {'ok  ' if holds else 'FAIL'} {what}" + ("" if holds else f": {detail}"))
    failed += not holds


def document_is_valid(document):
    that(document["spdxVersion"] == "SPDX-2.3" and document["dataLicense"] == "CC0-1.0", "SPDX 2.3, CC0-1.0")
    that(document["SPDXID"] == "SPDXRef-DOCUMENT" and bool(document["name"]), "the document has id and name")
    that(re.fullmatch(r"[a-z]+://[^#\s]+", document["documentNamespace"]), "its namespace is a URI without fragment")
    info = document["creationInfo"]
    that(re.fullmatch(DATE, info["created"]), "it has a date", info["created"])
    that(all(re.fullmatch(AGENT, each) for each in info["creators"]), "it has creators", info["creators"])
    ids = [package["SPDXID"] for package in document["packages"]]
    that(len(set(ids)) == len(ids), "ids are not given twice", ids)
    that(all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", each) for each in ids), "ids are well formed", ids)
    wanted = {"name", "SPDXID", "versionInfo", "downloadLocation", "supplier", "licenseDeclared", "licenseConcluded"}
    lacking = [package["name"] for package in document["packages"] if wanted - package.keys()]
    that(not lacking, "each package has what it must have", lacking)
    that(all(package["filesAnalyzed"] is False for package in document["packages"]), "no package claims a list of files")
    purls = [each["referenceLocator"] for package in document["packages"][1:] for each in package["externalRefs"]]
    bad = [each for each in purls if not re.fullmatch(r"pkg:deb/debian/[a-z0-9.%B-]+@[^?\s+]+\?arch=\w+", each)]
    that(len(purls) == len(ids) - 1 and not bad, "each library has a package URL", bad)
    known = set(ids) | {"SPDXRef-DOCUMENT"}
    bad = [
        each
        for each in document["relationships"]
        if each["relationshipType"] not in KINDS or not {each["spdxElementId"], each["relatedSpdxElement"]} <= known
    ]
    that(not bad, "relationships are between what is there", bad)


def names_what_is_linked(document, programs):
    by_id = {package["SPDXID"]: package for package in document["packages"]}
    linked = {
        by_id[each["relatedSpdxElement"]]["name"]
        for each in document["relationships"]
        if each["relationshipType"] == "DYNAMIC_LINK"
    }
    wanted = set()
    for program in programs:
        text = subprocess.run(["readelf", "-dW", program], stdout=subprocess.PIPE, check=True, text=True).stdout
        for library in re.findall(r"\(NEEDED\).*\[(.+)\]", text):
            if library.startswith("ld-linux"):
                continue  # the loader itself, part of libc6
            # Below the directory of this machine's own architecture: others may be installed beside it.
            directory = subprocess.run(["gcc", "-print-multiarch"], stdout=subprocess.PIPE, check=True, text=True).stdout
            owners = subprocess.run(["dpkg", "-S", f"*/{directory.strip()}/{library}"], stdout=subprocess.PIPE, check=True, text=True).stdout
            wanted |= {line.split(":")[0] for line in owners.splitlines() if not line.startswith("diversion")}
    that(linked == wanted, "it names every library that is loaded, and no other", f"{linked} and not {wanted}")
    versions = {package["name"]: package["versionInfo"] for package in document["packages"][1:]}
    bad = {
        name: version
        for name, version in versions.items()
        if version not in subprocess.run(["dpkg-query", "-W", "-f", "${Version}\n", name], stdout=subprocess.PIPE, text=True).stdout
    }
    that(not bad, "with the versions of this machine", bad)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        document = json.load(file)
    document_is_valid(document)
    names_what_is_linked(document, sys.argv[2:])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
