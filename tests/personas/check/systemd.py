"""What systemd itself makes of unit files: the words of their command lines and their environment.

The argument is a folder of units, all of them services. Prints a JSON object: a unit's name -> {"words": [...],
"environment": [...]}. `systemd --test` loads units as for a start, dumps them, and starts nothing; it refuses to be root.
"""

import json
import os
import subprocess
import sys

ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def split(line):
    """A command line as systemd prints it: words, in double quotes where they need them, with C's escapes."""
    words, word, quoted, at = [], None, False, 0
    while at < len(line):
        c = line[at]
        if c == "\\":
            at += 1
            c = line[at]
            if c == "x":
                c, at = chr(int(line[at + 1 : at + 3], 16)), at + 2
            elif c in "01234567" and quoted:
                c, at = chr(int(line[at : at + 3], 8)), at + 2
            else:
                c = ESCAPES.get(c, c)
            word = (word or "") + c
        elif c == '"':
            quoted, word = not quoted, word or ""
        elif c == " " and not quoted:
            if word is not None:
                words.append(word)
            word = None
        else:
            word = (word or "") + c
        at += 1
    return words + ([word] if word is not None else [])


def main():
    folder = sys.argv[1]
    units = [name for name in os.listdir(folder) if name.endswith(".service")]
    for target in ("basic", "sysinit", "shutdown", "all", "network-online", "multi-user", "docker"):
        name = f"{target}.service" if target == "docker" else f"{target}.target"
        with open(os.path.join(folder, name), "w") as file:
            file.write("[Unit]\nDefaultDependencies=no\n")
            if target == "all":
                file.write(f"Wants={' '.join(units)}\n")
            if target == "docker":
                file.write("[Service]\nExecStart=/bin/true\n")
    subprocess.run(["chmod", "-R", "a+rwX", folder], check=True)
    environment = {"SYSTEMD_UNIT_PATH": folder, "XDG_RUNTIME_DIR": folder, "HOME": folder, "PATH": os.environ["PATH"]}
    command = ["setpriv", "--reuid", "65534", "--clear-groups", "systemd", "--test", "--user", "--unit=all.target"]
    dump = subprocess.run(command, env=environment | {"LANG": "C.UTF-8"}, capture_output=True)
    if dump.returncode != 0:
        sys.exit(dump.stderr.decode())
    found, unit = {}, None
    for line in dump.stdout.decode().split("\n"):
        line = line.strip()
        if line.startswith("-> Unit "):
            unit = line.removeprefix("-> Unit ").removesuffix(":")
            found[unit] = {"words": [], "environment": []}
        elif line.startswith("Command Line: ") and "run" in line and not found[unit]["words"]:
            # The expansion of `$$` is left to the start.
            found[unit]["words"] = [word.replace("$$", "$") for word in split(line.removeprefix("Command Line: "))]
        elif line.startswith("Environment: "):
            found[unit]["environment"].append(line.removeprefix("Environment: "))
    json.dump({name: found[name] for name in units}, sys.stdout)


main()
