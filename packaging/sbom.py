#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: sbom.py --name N --version V [--header H]… PROGRAM…: prints what is linked into the programs as SPDX 2.3.

Shared libraries are those that the programs themselves name (NEEDED in their dynamic section), found as the loader
finds them; libraries that are used as headers are given by one of their headers. Both are described by the Debian
package they come from. The document holds no time but SOURCE_DATE_EPOCH, and no name of the machine.
"""

import argparse
import datetime
import hashlib
import json
import os
import re
import subprocess
import sys


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout


def needed(program):
    return re.findall(r"\(NEEDED\).*\[(.+)\]", output("readelf", "--dynamic", "--wide", program))


def loaded_from(program):
    """Name of a library → its file."""
    lines = (line.split() for line in output("ldd", program).splitlines())
    return {words[0]: words[2] for words in lines if len(words) > 2 and words[1] == "=>"}


def owner(file):
    """The package that a file belongs to. It may be known below / or below /usr, which are one place today."""
    real = os.path.realpath(file)
    names = [file, real, file.removeprefix("/usr"), real.removeprefix("/usr"), "/usr" + file, "/usr" + real]
    for name in dict.fromkeys(names):
        found = subprocess.run(["dpkg-query", "--search", name], capture_output=True, text=True, check=False)
        if found.returncode == 0:
            return found.stdout.splitlines()[0].rsplit(": ", 1)[0].split(",")[0]
    sys.exit(f"error: {file} belongs to no package")


def header_file(header):
    triplet = output("dpkg-architecture", "-qDEB_HOST_MULTIARCH").strip()
    for directory in ("/usr/include", f"/usr/include/{triplet}"):
        if os.path.exists(f"{directory}/{header}"):
            return f"{directory}/{header}"
    sys.exit(f"error: no {header} below /usr/include")


def identifier(name):
    return "SPDXRef-Package-" + re.sub(r"[^A-Za-z0-9.-]+", "-", name)


def describe(package):
    fields = "${Package}\t${Version}\t${Architecture}\t${Maintainer}\t${Homepage}\t${source:Package}\t${source:Version}"
    name, version, architecture, maintainer, homepage, source, source_version = output(
        "dpkg-query", "--show", "--showformat", fields, package
    ).split("\t")
    described = {
        "SPDXID": identifier(name),
        "name": name,
        "versionInfo": version,
        "supplier": f"Organization: {maintainer}",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "sourceInfo": f"built by Debian from {source} {source_version}",
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": f"pkg:deb/debian/{name.replace('+', '%2B')}@{version.replace('+', '%2B')}"
                f"?arch={architecture}",
            }
        ],
    }
    if homepage:
        described["homepage"] = homepage
    return described


def document(name, version, programs, headers):
    shared, built_in = set(), set()
    for program in programs:
        places = loaded_from(program)
        shared |= {owner(places[library]) for library in needed(program) if library in places}
    built_in |= {owner(header_file(header)) for header in headers}
    root = {
        "SPDXID": identifier(name),
        "name": name,
        "versionInfo": version,
        "supplier": "Organization: auditshift maintainers",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "Apache-2.0 AND (GPL-2.0-only OR BSD-2-Clause)",
        "licenseDeclared": "Apache-2.0 AND (GPL-2.0-only OR BSD-2-Clause)",
        "copyrightText": "2026 the auditshift authors",
        "primaryPackagePurpose": "APPLICATION",
    }
    packages, relations = [root], [("SPDXRef-DOCUMENT", "DESCRIBES", root["SPDXID"])]
    for kind, group in (("DYNAMIC_LINK", shared), ("STATIC_LINK", built_in)):
        for package in sorted(group):
            packages.append(describe(package))
            relations.append((root["SPDXID"], kind, packages[-1]["SPDXID"]))
    made = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), datetime.timezone.utc)
    content = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"{name}-{version}",
        "creationInfo": {
            "created": made.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": ["Organization: auditshift maintainers", "Tool: auditshift-sbom"],
        },
        "packages": packages,
        "relationships": [
            {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
            for one, kind, other in relations
        ],
    }
    # Unique to this content, and nothing is to be found there.
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    content["documentNamespace"] = f"https://auditshift.invalid/spdx/{name}-{version}-{digest[:32]}"
    return content


def main():
    options = argparse.ArgumentParser(description="Prints what is linked into programs, as SPDX 2.3.")
    options.add_argument("--name", required=True)
    options.add_argument("--version", required=True)
    options.add_argument("--header", action="append", default=[])
    options.add_argument("programs", nargs="+")
    chosen = options.parse_args()
    print(json.dumps(document(chosen.name, chosen.version, chosen.programs, chosen.header), indent=2))


if __name__ == "__main__":
    main()
