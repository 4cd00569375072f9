"""The table of the lab: a row for each case of cases.py that ran."""
import pathlib

HEAD = """# What boots how

Written by `tools/lab --matrix`: every row is a boot in QEMU, of real firmware by a real loader to a
real kernel, read from its serial console. Times are seconds from power-on to the first line of
the kernel, by emulation on a small machine, ours and those of dnsmasq (with nginx where HTTP is
used) with the same loader and the very same files, one after the other in the same run.

"""


class Table:
    def __init__(self, config):
        self.file = config.getoption("matrix")
        self.partial = bool(config.option.keyword or config.option.markexpr)
        self.rows = []

    def pytest_runtest_logreport(self, report):
        properties = dict(report.user_properties)
        if "case" not in properties or (report.when != "call" and report.passed):
            return
        result = report.outcome
        if report.skipped:
            result = str(report.longrepr[-1]).removeprefix("Skipped: ")
        self.rows.append((properties["case"], result, properties.get("ours"),
                          properties.get("peer")))

    def lines(self):
        yield "| machine, loader, wire | result | seconds | dnsmasq | ratio |"
        yield "|---|---|---:|---:|---:|"
        for name, result, ours, peer in self.rows:
            number = isinstance(peer, float)
            yield (f"| {name} | {result} | {f'{ours:.1f}' if ours else ''} | "
                   f"{f'{peer:.1f}' if number else peer or ''} | "
                   f"{f'{ours / peer:.2f}' if ours and number else ''} |")

    def pytest_terminal_summary(self, terminalreporter):
        if not self.rows:
            return
        text = "\n".join(self.lines()) + "\n"
        terminalreporter.section("boots")
        terminalreporter.write(text)
        if self.file and not self.partial:
            pathlib.Path(self.file).write_text(HEAD + text)
