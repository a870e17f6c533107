"""The formats' own tools, many files at a time: what starts a Python for each file takes longer to start than to check.

Called as `tools.py TOOL`, with a JSON list of texts on standard input; prints a JSON list of answers, in their order. An
answer is {"error": ...}, or what the tool read.
"""

import contextlib
import json
import os
import sys
import tempfile


def cloud_init(texts):
    """cloud-init's own schema and its own reader."""
    from cloudinit.config import schema

    own = schema.get_schema()

    def check(text):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(text)
            file.flush()
            schema.validate_cloudconfig_file(file.name, own)
        return {}

    return check


def autoinstall(texts):
    """JSON Schema, and that each storage action stands after what it refers to, as curtin wants it."""
    import jsonschema
    import yaml

    path = os.path.join(os.path.dirname(__file__), "schema", "autoinstall.json")
    with open(path) as file:
        validator = jsonschema.Draft7Validator(json.load(file))

    def check(text):
        read = yaml.safe_load(text)
        validator.validate(read)
        known = set()
        for action in read["storage"]["config"]:
            needs = [action[key] for key in ("device", "volume", "volgroup") if key in action]
            for need in needs + action.get("devices", []):
                assert need in known, f"{action} stands before {need}"
            assert action["id"] not in known, f"{action['id']} stands there twice"
            known.add(action["id"])
        last = [a for a in read["storage"]["config"] if a["type"] in ("partition", "lvm_partition")]
        for parent in {a.get("device", a.get("volgroup")) for a in last}:
            siblings = [a for a in last if a.get("device", a.get("volgroup")) == parent]
            assert all(a["size"] != -1 for a in siblings[:-1]), "only the last takes what is left"
        return read

    return check


def kickstart(texts):
    """pykickstart, as ksvalidator runs it: deprecations are errors too. Texts are {"version": ..., "text": ...}."""
    import warnings

    from pykickstart.errors import KickstartDeprecationWarning
    from pykickstart.parser import KickstartParser
    from pykickstart.version import makeVersion

    warnings.simplefilter("error", KickstartDeprecationWarning)

    def check(case):
        handler = makeVersion(case["version"])
        parser = KickstartParser(handler, followIncludes=False, errorsAreFatal=True, missingIncludeIsFatal=False)
        parser.readKickstartFromString(case["text"])
        part = lambda p: {
            "mount": p.mountpoint, "fstype": p.fstype, "size": p.size, "grow": bool(p.grow), "disk": getattr(p, "disk", ""),
            "encrypted": getattr(p, "encrypted", False), "passphrase": getattr(p, "passphrase", ""),
        }
        return {
            "lang": handler.lang.lang,
            "keyboard": handler.keyboard.x_layouts,
            "timezone": handler.timezone.timezone,
            "ntp": [source.ntp_server for source in handler.timesource.dataList()],
            "append": handler.bootloader.appendLine,
            "hostname": [n.hostname for n in handler.network.network if n.hostname],
            "locked": handler.rootpw.lock,
            "scripts": [{"type": s.type, "text": s.script, "fatal": s.errorOnFail} for s in handler.scripts],
            "packages": sorted(handler.packages.packageList),
            "drives": handler.clearpart.drives,
            "parts": [part(p) for p in handler.partition.partitions],
            "volumes": [part(v) for v in handler.logvol.lvList],
            "btrfs": [b.mountpoint for b in handler.btrfs.btrfsList] if hasattr(handler.btrfs, "btrfsList") else [],
        }

    return check


def network(texts):
    """What cloud-init makes of a network-config. Texts are {"text": ..., "distro": ..., "kind": ...}."""
    from cloudinit.cmd.devel import net_convert

    def check(case):
        with tempfile.TemporaryDirectory() as folder:
            config, out = os.path.join(folder, "config"), os.path.join(folder, "out")
            with open(config, "w") as file:
                file.write(case["text"])
            words = ["-p", config, "-k", "yaml", "-d", out, "-D", case["distro"], "-O", case["kind"]]
            net_convert.handle_args("net-convert", net_convert.get_parser().parse_args(words))
            made = ""
            for where, _, names in os.walk(out):
                for name in sorted(names):
                    with open(os.path.join(where, name)) as file:
                        made += file.read()
        return {"made": made}

    return check


def main():
    texts = json.load(sys.stdin)
    check = {"cloud-init": cloud_init, "autoinstall": autoinstall, "kickstart": kickstart, "network": network}[sys.argv[1]](texts)
    answers = []
    # What a tool says by the way is no part of the answer.
    with contextlib.redirect_stdout(sys.stderr):
        for text in texts:
            try:
                answers.append(check(text))
            except Exception as error:  # Whatever a tool raises is its answer.
                answers.append({"error": f"{type(error).__name__}: {error}"})
    json.dump(answers, sys.stdout, default=str)


main()
