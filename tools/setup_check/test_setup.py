"""scripts/setup.sh on machines that are not here: every program that it asks is a stand-in in a folder that is all of PATH."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

SETUP = Path(__file__).parents[2] / "scripts" / "setup.sh"
SYSTEM = ["sh", "sed", "head", "tail", "mktemp", "rm", "cat", "env", "grep", "touch"]

# What each stand-in does; $STATE has a file for every library that is installed, and `calls` for what was called.
STAND_INS = {
    "uname": "echo Linux",
    "swift": 'echo "Swift version ${SWIFT_VERSION:-6.2.1} (swift-RELEASE)"',
    "pkg-config": """
        [ "$1" = --cflags ] && exit 0
        shift
        for name; do [ -e "$STATE/installed" ] || [ "$name" = zlib ] || exit 1; done""",
    # Only zlib's header and C++'s library are there before the installation.
    "clang++": """
        while read -r directive name; do
          case $name in
            "<zlib.h>" | "<vector>" | "<stdio.h>" | PCRE2*) ;;
            *) [ -e "$STATE/installed" ] || exit 1 ;;
          esac
        done""",
    "make": "exit 0",
    "python3": 'exit "${PIP_STATUS:-0}"',
}
MANAGER = """
    echo "$(basename_of "$0") $*" >> "$STATE/calls"
    case "$*" in
      *install* | -S*)
        if [ -n "$MANAGER_FAILS" ]; then echo "no route to mirror" >&2; exit 1; fi
        [ -n "$MANAGER_DOES_NOTHING" ] || touch "$STATE/installed" ;;
    esac"""


class Setup(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        for name in SYSTEM:
            (self.bin / name).symlink_to(shutil.which(name))
        for name, body in STAND_INS.items():
            self.stand_in(name, body)

    def stand_in(self, name, body):
        path = self.bin / name
        path.write_text("#!/bin/sh\nbasename_of() { echo \"${1##*/}\"; }\n" + body + "\n")
        path.chmod(0o755)

    def run_setup(self, manager=None, *words, root=True, sudo=False, **environment):
        self.stand_in("id", f"echo {0 if root else 1000}")
        if manager:
            self.stand_in(manager, MANAGER)
        if sudo:
            self.stand_in("sudo", 'echo sudo >> "$STATE/calls"; shift; [ "$1" = true ] || exec "$@"')
        return subprocess.run(
            [self.bin / "sh", SETUP, *words], env={"PATH": self.bin, "STATE": self.folder, **environment},
            capture_output=True, text=True, timeout=60)

    def calls(self):
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def test_quiet_when_all_is_there(self):
        (self.folder / "installed").touch()
        result = self.run_setup("dnf")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        self.assertEqual(self.calls(), [])

    def test_each_manager_is_asked_once_by_its_own_names(self):
        expected = {
            "apt-get": "install -y --no-install-recommends libdnnl-dev libpcre2-dev libedit-dev libutf8proc-dev "
                       "libmicrohttpd-dev libgnutls28-dev libcurl4-openssl-dev libssl-dev libyaml-dev",
            "dnf": "install -y onednn-devel pcre2-devel libedit-devel utf8proc-devel libmicrohttpd-devel gnutls-devel "
                   "libcurl-devel openssl-devel libyaml-devel",
            "pacman": "-S --needed --noconfirm onednn pcre2 libedit libutf8proc libmicrohttpd gnutls curl openssl "
                      "libyaml",
            "zypper": "--non-interactive install onednn-devel pcre2-devel libedit-devel utf8proc-devel "
                      "libmicrohttpd-devel libgnutls-devel libcurl-devel libopenssl-devel libyaml-devel",
        }
        for manager, words in expected.items():
            with self.subTest(manager):
                result = self.run_setup(manager)
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertEqual(self.calls(), [f"{manager} {words}"])
                self.assertEqual(result.stderr, "setup: installing " + " ".join(
                    word for word in words.split() if word not in ("install", "-S") and not word.startswith("-")) + "\n")
            for name in ("calls", "installed", f"bin/{manager}"):
                (self.folder / name).unlink(missing_ok=True)

    def test_who_may_not_install_is_told_the_command(self):
        result = self.run_setup("dnf", root=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("Run: sudo dnf install -y onednn-devel pcre2-devel", result.stderr)
        self.assertIn("missing: oneDNN, PCRE2,", result.stderr)
        self.assertEqual(self.calls(), [])

    def test_sudo_without_a_password_is_used(self):
        result = self.run_setup("zypper", root=False, sudo=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual([call.split()[0] for call in self.calls()], ["sudo", "sudo", "zypper"])

    def test_what_does_not_help_is_not_repeated(self):
        result = self.run_setup("pacman", MANAGER_DOES_NOTHING="1")
        self.assertEqual(result.returncode, 1)
        self.assertIn("still cannot find: oneDNN, PCRE2", result.stderr)
        self.assertEqual(len(self.calls()), 1)

    def test_a_manager_that_fails_is_quoted(self):
        result = self.run_setup("dnf", MANAGER_FAILS="1")
        self.assertEqual(result.returncode, 1)
        self.assertIn("no route to mirror", result.stderr)
        self.assertIn("dnf could not install", result.stderr)
        self.assertEqual(len(self.calls()), 1)

    def test_apt_brings_its_lists_once(self):
        self.run_setup("apt-get", MANAGER_FAILS="1")
        self.assertEqual([call.split()[1] for call in self.calls()], ["install", "update", "install"])

    def test_without_a_manager_the_libraries_are_named(self):
        result = self.run_setup()
        self.assertEqual(result.returncode, 1)
        self.assertIn("missing: oneDNN, PCRE2, libedit, libutf8proc, libmicrohttpd, GnuTLS, libcurl, OpenSSL, libyaml. No package",
                      result.stderr)

    def test_pip_is_for_the_demonstration_only(self):
        (self.folder / "installed").touch()
        self.assertEqual(self.run_setup("dnf", PIP_STATUS="1").returncode, 0)
        self.assertEqual(self.calls(), [])
        self.run_setup("dnf", "demo", PIP_STATUS="1")
        self.assertEqual(self.calls(), ["dnf install -y python3-pip"])

    def test_an_old_toolchain_is_refused(self):
        result = self.run_setup("dnf", SWIFT_VERSION="6.1")
        self.assertEqual(result.returncode, 1)
        self.assertIn("Swift 6.2 or later is needed, found 6.1", result.stderr)


if __name__ == "__main__":
    unittest.main()
