"""Holds Ignition configs against a JSON schema, which is the first argument; the others are files. Prints what is wrong."""

import json
import sys

import jsonschema

with open(sys.argv[1]) as file:
    validator = jsonschema.Draft202012Validator(json.load(file))
wrong = 0
for path in sys.argv[2:]:
    with open(path) as file:
        config = json.load(file)
    for problem in validator.iter_errors(config):
        wrong += 1
        print(f"{path}: {'/'.join(map(str, problem.absolute_path))}: {problem.message[:300]}")
    for kind, key in (("files", "path"), ("links", "path")):
        names = [entry[key] for entry in config.get("storage", {}).get(kind, [])]
        for name in {name for name in names if names.count(name) > 1}:
            wrong += 1
            print(f"{path}: {name} is written twice")
sys.exit(wrong > 0)
