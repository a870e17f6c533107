"""Reads files back with the parsers of Python's own world: `yaml`, `xml`, `ini`. Prints a JSON list, one entry a file."""

import configparser
import json
import sys
import xml.etree.ElementTree as tree


def read_yaml(path):
    import yaml

    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)


def read_xml(path):
    """Every text of every element, by the element's name."""
    found = {}
    for element in tree.parse(path).iter():
        found.setdefault(element.tag.split("}")[1], []).append(element.text or "")
    return found


def read_ini(path):
    parser = configparser.RawConfigParser(strict=True)
    with open(path, encoding="utf-8") as file:
        parser.read_file(file)
    return {name: dict(parser[name]) for name in parser.sections()}


READERS = {"yaml": read_yaml, "xml": read_xml, "ini": read_ini}
json.dump([READERS[sys.argv[1]](path) for path in sys.argv[2:]], sys.stdout)
