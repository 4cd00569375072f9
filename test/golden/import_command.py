#!/usr/bin/python3
"""bootjack import as a person and a script meet it: import_command.py BOOTJACK FOLDER

Prints TAP. What becomes of which configuration is in import_golden.c; here it is exit
codes, what goes to which output, and where files are looked for.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

bootjack, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()


def run(*args, cwd=folder):
    return subprocess.run([bootjack, "import", *args], cwd=cwd, capture_output=True,
                          text=True, timeout=60)


def yaml_goes_to_stdout_and_remarks_to_stderr():
    made = run("dhcpd-office.conf")
    assert made.returncode == 0, made
    assert made.stdout == (folder / "dhcpd-office.yaml").read_text()
    assert made.stderr == (folder / "dhcpd-office.remarks").read_text()


def json_has_both_and_nothing_else_is_said():
    made = run("--json", "dnsmasq-home.conf")
    assert made.returncode == 0 and made.stderr == "", made
    answer = json.loads(made.stdout)
    assert answer["from"] == "dnsmasq" and answer["file"] == "dnsmasq-home.conf"
    assert answer["yaml"] == (folder / "dnsmasq-home.yaml").read_text()
    lines = [f"{r['file']}:{r['line']}: {r['message']}\n" for r in answer["remarks"]]
    assert "".join(lines) == (folder / "dnsmasq-home.remarks").read_text()


def a_broken_file_is_refused_with_its_place():
    made = run("dhcpd-semicolon.conf")
    assert made.returncode == 1 and made.stdout == "", made
    assert made.stderr == "dhcpd-semicolon.conf:3:3: expected ';' before 'option'\n"


def a_file_that_is_not_there_is_said_so():
    made = run("nowhere.conf")
    assert made.returncode == 1 and made.stdout == "", made
    assert made.stderr == "nowhere.conf: there is no such file\n"


def from_says_what_a_file_is():
    assert run("neither.conf").returncode == 1
    assert "expected ';'" in run("--from", "dhcpd", "neither.conf").stderr
    assert "expected '='" in run("--from", "dnsmasq", "neither.conf").stderr
    assert run("--from", "kea", "neither.conf").returncode == 2
    assert run().returncode == 2


def included_files_are_looked_for_beside_the_first():
    with tempfile.TemporaryDirectory() as elsewhere:
        made = run(str(folder / "dhcpd-include.conf"), cwd=elsewhere)
    assert made.returncode == 0, made
    assert "subnet: 10.3.0.0/16" in made.stdout


def what_is_made_is_checked_as_good():
    with tempfile.TemporaryDirectory() as elsewhere:
        file = pathlib.Path(elsewhere) / "bootjack.yaml"
        file.write_text(run("dhcpd-ladder.conf").stdout)
        made = subprocess.run([bootjack, "check", "-c", file], capture_output=True,
                              text=True, timeout=60)
    assert made.returncode == 0, made


TESTS = [
    yaml_goes_to_stdout_and_remarks_to_stderr,
    json_has_both_and_nothing_else_is_said,
    a_broken_file_is_refused_with_its_place,
    a_file_that_is_not_there_is_said_so,
    from_says_what_a_file_is,
    included_files_are_looked_for_beside_the_first,
    what_is_made_is_checked_as_good,
]


def main():
    failed = 0
    print(f"1..{len(TESTS)}")
    for number, test in enumerate(TESTS, 1):
        try:
            test()
            print(f"ok {number} - {test.__name__}")
        except AssertionError as error:
            failed += 1
            print(f"not ok {number} - {test.__name__}")
            print("\n".join(f"# {line}" for line in repr(error).splitlines()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
