#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""usage: validate.py SCHEMA DOCUMENT...: checks JSON documents against a JSON Schema (draft 2020-12)."""
import json
import sys

import jsonschema


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    failed = 0
    for name in sys.argv[2:]:
        with open(name, encoding="utf-8") as file:
            document = json.load(file)
        for error in validator.iter_errors(document):
            where = "/".join(str(part) for part in error.absolute_path)
            print(f"{name}: {where}: {error.message}", file=sys.stderr)
            failed = 1
    if len(sys.argv) < 3:
        print("no document to check", file=sys.stderr)
        failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
