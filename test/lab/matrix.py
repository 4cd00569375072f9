"""The table of the lab: a row for each case of cases.py that ran."""
import os
import pathlib
import time

import cases

HEAD = """# What boots how

Written by `tools/lab --matrix`: every row is a boot in QEMU, of real firmware by a real loader to a
real kernel, read from its serial console. Times are seconds from power-on to the first line of
the kernel, by emulation, ours and, where that was timed too, those of dnsmasq (with nginx where
HTTP is used) with the same loader and the very same files, one after the other in the same run.

"""
RUN = ("This run: {at_once} at a time, in {minutes:.0f} minutes, on {processors} processors with a "
       "load of {load:.0f} at its end.\n\n")


class Table:
    def __init__(self, config):
        self.file = config.getoption("matrix")
        self.partial = bool(config.option.keyword or config.option.markexpr)
        self.at_once = config.getoption("numprocesses", None) or 1
        self.rows = {}
        self.started = time.monotonic()

    def pytest_runtest_logreport(self, report):
        properties = dict(report.user_properties)
        if "case" not in properties or (report.when != "call" and report.passed):
            return
        result = report.outcome
        if report.skipped:
            result = str(report.longrepr[-1]).removeprefix("Skipped: ")
        self.rows[properties["case"]] = (result, properties.get("ours"),
                                         properties.get("peer"))
        self.write()  # whatever becomes of the rest

    def lines(self, whole):
        """Of all cases, or of those that ran."""
        yield "| machine, loader, wire | result | seconds | dnsmasq | ratio |"
        yield "|---|---|---:|---:|---:|"
        for case in cases.CASES:
            if not whole and case.name not in self.rows:
                continue
            result, ours, peer = self.rows.get(case.name, ("not run", None, None))
            number = isinstance(peer, float)
            yield (f"| {case.name} | {result} | {f'{ours:.1f}' if ours else ''} | "
                   f"{f'{peer:.1f}' if number else peer or ''} | "
                   f"{f'{ours / peer:.2f}' if ours and number else ''} |")

    def pytest_terminal_summary(self, terminalreporter):
        if not self.rows:
            return
        terminalreporter.section("boots")
        terminalreporter.write("\n".join(self.lines(False)) + "\n")

    def write(self):
        if not self.file or self.partial:
            return
        text = HEAD + RUN.format(at_once=self.at_once, processors=os.cpu_count(),
                                 load=os.getloadavg()[0],
                                 minutes=(time.monotonic() - self.started) / 60)
        text += "\n".join(self.lines(True)) + "\n\n## Not tried\n\n"
        for what, why in cases.NOT_TRIED.items():
            text += f"- {what}: {why}.\n"
        pathlib.Path(self.file).write_text(text)
