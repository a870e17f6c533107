"""Parses PowerShell scripts with tree-sitter's grammar: how many errors there are, and what the string literals say.

Arguments: files. Prints a JSON list with one {"errors": [...], "literals": [...]} for each.
"""

import json
import sys

import tree_sitter
import tree_sitter_powershell

LANGUAGE = tree_sitter.Language(tree_sitter_powershell.language())
QUOTES = "'\u2018\u2019\u201a\u201b"


def value(literal):
    """What a literal in single quotes stands for: a quote that is doubled stands for itself."""
    inner = literal[1:-1]
    said, at = "", 0
    while at < len(inner):
        said += inner[at]
        at += 2 if inner[at] in QUOTES else 1
    return said


def walk(node, found):
    if node.is_error or node.is_missing:
        found["errors"].append(node.text.decode()[:200])
    if node.type in ("verbatim_string_characters", "verbatim_string_literal") and not node.children:
        found["literals"].append(value(node.text.decode()))
        return
    for child in node.children:
        walk(child, found)


def main():
    answers = []
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            text = file.read().removeprefix(b"\xef\xbb\xbf")
        found = {"errors": [], "literals": []}
        walk(tree_sitter.Parser(LANGUAGE).parse(text).root_node, found)
        answers.append(found)
    json.dump(answers, sys.stdout)


main()
