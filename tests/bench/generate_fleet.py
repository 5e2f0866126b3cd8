#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""usage: generate_fleet.py DIRECTORY [--hosts N] [--kib N] [--dates N]

Fills a directory with assessments of so many hosts: the sample hosts' own, with names, machine ids, kernels, builds
and days of many, and with rules repeated until each document has the wanted size. The same arguments give the same
bytes. With more than one date there is a folder for each, and hosts move on to the switched state from one to the
next.
"""
import argparse
import datetime
import json
import pathlib
import random

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "golden"
# How often each sample stands for a host.
WEIGHTS = {
    "switched-with-leftovers": 30,
    "ubuntu-20.04-auditd-era": 20,
    "rhel-8-immutable-cis": 25,
    "without-audit": 10,
    "oracle-8.8-bad-uek": 4,
    "rhel-7.4-netlink": 4,
    "rhel-8.1-sap": 2,
    "sles-12": 4,
    "damaged-files": 1,
}
KERNELS = ["4.18.0-477.%d.1.el8_8.x86_64", "5.15.0-%d-generic", "6.1.0-%d-cloud-amd64", "5.4.0-%d-generic"]
ROLES = ["web", "db", "app", "mail", "build", "cache", "edge"]


def template(name: str, size: int) -> str:
    document = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    document["host"].update(hostname="@HOSTNAME@", machine_id="@MACHINE@", kernel="@KERNEL@")
    document["generated_at"] = "@TIME@"
    if document["agent"]["kind"] == "mdatp":
        document["agent"]["version"] = "@BUILD@"
    rules = document["rules"] or [json.loads((GOLDEN / "sles-12.json").read_text(encoding="utf-8"))["rules"][0]]
    document["rules"] = list(rules)
    once = len(json.dumps(document, indent=2))
    document["rules"] = rules + rules
    each = (len(json.dumps(document, indent=2)) - once) / len(rules)
    document["rules"] = [rules[i % len(rules)] for i in range(len(rules) + max(0, int((size - once) / each) + 2))]
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--hosts", type=int, default=10000)
    parser.add_argument("--kib", type=int, default=200)
    parser.add_argument("--dates", type=int, default=1)
    arguments = parser.parse_args()

    random.seed(1)
    templates = {name: template(name, arguments.kib * 1024) for name in WEIGHTS}
    hosts = []
    for number in range(arguments.hosts):
        sample = random.choices(list(WEIGHTS), WEIGHTS.values())[0]
        hosts.append({
            "@HOSTNAME@": f"{random.choice(ROLES)}-{number:05}.example.net",
            "@MACHINE@": f"{random.getrandbits(128):032x}",
            "@KERNEL@": random.choice(KERNELS) % random.randint(1, 12),
            "@BUILD@": f"101.{random.choice([24042, 24052, 24062, 25032, 26062])}.000{random.randint(0, 9)}",
            "sample": sample,
        })
    last = datetime.datetime.now(datetime.timezone.utc).replace(hour=6, minute=0, second=0, microsecond=0)
    if arguments.dates > 1:
        last -= datetime.timedelta(days=1)
    for date in range(arguments.dates):
        day = last - datetime.timedelta(days=arguments.dates - 1 - date)
        folder = arguments.directory
        if arguments.dates > 1:
            folder = folder / day.strftime("%Y-%m-%d")
        folder.mkdir(parents=True, exist_ok=True)
        for number, host in enumerate(hosts):
            if date > 0 and number % arguments.dates == date:
                host["sample"] = "switched-with-leftovers"
            text = templates[host["sample"]].replace("@TIME@", day.strftime("%Y-%m-%dT%H:%M:%SZ"))
            for mark in ("@HOSTNAME@", "@MACHINE@", "@KERNEL@", "@BUILD@"):
                text = text.replace(mark, host[mark])
            (folder / (host["@HOSTNAME@"] + ".json")).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
