# SPDX-License-Identifier: Apache-2.0
"""What must be in the output of the sensor after a soak, and what is there."""

import statistics

SECOND = 1_000_000_000
# What memory may differ by without a leak: a part of the whole, and what one allocator's arena takes.
GROWTH_PART = 0.05
GROWTH_BYTES = 1 << 20


class Judge:
    def __init__(self):
        self.events = {"rename": {}, "program": {}, "excluded": {}}  # number → (begin, end, pid)
        self.unseen = []  # [from, to): the provider sees no files
        self.exclusions = [(False, 0, 0)]  # (on, asked, in force)
        self.kills = []  # (asked, ready again)
        self.takeovers = []  # (asked, done)

    def happened(self, kind, number, begin, end, pid):
        self.events[kind][number] = (begin, end, pid)

    def files_unseen_from(self, time):
        self.unseen.append([time, None])

    def files_seen_from(self, time):
        self.unseen[-1][1] = time

    def exclusion_changed(self, on, asked, in_force):
        self.exclusions.append((on, asked, in_force))

    def taken_over(self, asked, done):
        self.takeovers.append((asked, done))

    def killed(self, asked, ready):
        self.kills.append((asked, ready))

    def _is_unseen(self, begin, end):
        return any(begin < (to or float("inf")) and since < end for since, to in self.unseen)

    def _excluded(self, begin, end):
        """True, False, or None where the list changed meanwhile: what was not read yet when it changed meets the new one."""
        following = [asked for _, asked, _ in self.exclusions[1:]] + [float("inf")]
        for (on, _, in_force), until in zip(self.exclusions, following):
            if in_force <= begin and end + SECOND <= until:
                return on
        return None

    def _expected(self, kind, begin, end):
        """True: must be in the output; False: must not; None: may."""
        if kind == "program":
            return True
        excluded = kind == "excluded" and self._excluded(begin, end)
        if excluded is None:
            return None
        if excluded:
            return False
        return None if self._is_unseen(begin, end) else True

    def verdict(self, stream, samples, counts, ends):
        failures = []
        kinds = {}
        unexplained = 0
        missing_total = 0
        examples = []  # of what is missing or forbidden, to look at
        for kind, events in self.events.items():
            seen = stream.seen[kind]
            result = dict.fromkeys(("happened", "expected", "missing", "forbidden", "forbidden_seen", "twice", "known by pid alone"), 0)
            for number, (begin, end, pid) in events.items():
                expected = self._expected(kind, begin, end)
                times = seen[number]
                if kind == "program" and times == 0:
                    # The netlink provider, while the daemon loads programs: told, but without arguments.
                    times = sum(begin <= moment <= end + SECOND for moment in stream.nameless.get(pid, ()))
                    result["known by pid alone"] += times != 0
                result["happened"] += 1
                result["expected"] += expected is True
                result["forbidden"] += expected is False
                if expected is True and times == 0:
                    result["missing"] += 1
                    missing_total += 1
                    examples.append((kind, number, begin, end))
                    unexplained += not any(first <= end and begin <= last for _, _, first, last in stream.losses)
                if expected is False and times:
                    result["forbidden_seen"] += 1
                    examples.append(("forbidden " + kind, number, begin, end))
                if times > 1:
                    result["twice"] += 1
                    # Both providers run while one takes over; the last batch before a kill comes again.
                    if not any(since - 10 * SECOND <= begin <= until for since, until in self.kills + self.takeovers):
                        failures.append(f"{kind} {number} came {times} times, and neither kill nor change of provider is near")
            if result["forbidden_seen"]:
                failures.append(f"{result['forbidden_seen']} excluded events were seen")
            if not result["expected"]:
                failures.append(f"no event of kind {kind} was expected: the load did not work")
            kinds[kind] = result
        if not kinds["excluded"]["forbidden"]:
            failures.append("nothing was excluded")
        counted = sum(count for _, count, _, _ in stream.losses)
        if unexplained:
            failures.append(f"{unexplained} events are missing and no loss was counted when they happened")
        if missing_total > counted:
            failures.append(f"{missing_total} events are missing, {counted} were counted as lost")
        for what, count in {"lines that are no JSON": stream.broken, "files not read": stream.missed_files}.items():
            if count:
                failures.append(f"{count} {what}")
        if stream.files < 3:
            failures.append("the output was not rotated twice")
        if ends or any(code for name, code in counts.items() if name.startswith(("exit of", "daemon's", "pins"))):
            failures.append(f"something ended as it should not: {ends} {counts}")
        causes = sorted({cause for cause, *_ in stream.losses})
        return {"failures": failures, "numbered": kinds, "counted as lost": counted, "causes": causes,
                "events": stream.lines, "files": stream.files, **counts, "missing": examples[:200],
                "acts": {"losses": stream.losses, "unseen": self.unseen, "exclusions": self.exclusions, "kills": self.kills},
                "memory": self._memory(samples, failures)}

    def _memory(self, samples, failures):
        """Of the last daemon, without its first third, by provider."""
        life = [sample for sample in samples if sample["daemon"] == samples[-1]["daemon"]]
        result = {"daemon lived": life[-1]["second"] - life[0]["second"]}
        warm = life[0]["second"] + result["daemon lived"] / 3
        for provider in ("ebpf", "netlink"):
            steady = [sample for sample in life if sample["second"] >= warm and sample["provider"] == provider]
            if len(steady) < 6:
                failures.append(f"only {len(steady)} samples of {provider}")
                continue
            third = len(steady) // 3
            report = {"samples": len(steady)}
            for what in ("anonymous", "rss"):
                values = [sample[what] for sample in steady]
                seconds = [sample["second"] for sample in steady]
                growth = statistics.linear_regression(seconds, values).slope * (seconds[-1] - seconds[0])
                mean = statistics.fmean(values)
                report[what] = {"mean": round(mean), "least": min(values), "most": max(values), "growth": round(growth)}
                if growth > mean * GROWTH_PART + GROWTH_BYTES:
                    failures.append(f"{provider}: {what} memory grew by {growth:.0f} bytes")
            for what in ("descriptors", "maps"):
                # The least of each: a file that was rotated away stays open for the moment until it is on the disk, and what
                # leaks never goes down again.
                early, late = (min(sample[what] for sample in part) for part in (steady[:third], steady[-third:]))
                report[what] = {"early": early, "late": late, "most": max(sample[what] for sample in steady)}
                if late > early:
                    failures.append(f"{provider}: {what} grew from {early} to {late}")
            result[provider] = report
        return result
