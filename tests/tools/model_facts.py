#!/usr/bin/env python3
"""Writes tests/data/model.json: the facts of AWS's API model that tests/wire/model_facts.rs holds the server against.

    python3 -m venv VENV && VENV/bin/pip install botocore
    VENV/bin/python tests/tools/model_facts.py [--botocore FOLDER] [--out FILE]

Reads the model that the newest botocore carries: the one that can be imported, or the one in FOLDER (the folder
`botocore` of an unpacked wheel). The same botocore gives the same bytes.
"""

import argparse
import gzip
import importlib.util
import json
import pathlib
import re

SERVICE = "secretsmanager"
CONSTRAINTS = ("min", "max", "pattern", "enum")


def botocore_folder(given):
    if given:
        return pathlib.Path(given)
    spec = importlib.util.find_spec("botocore")
    if spec is None:
        raise SystemExit("botocore cannot be imported here; give its folder by --botocore")
    return pathlib.Path(spec.origin).parent


def read_model(folder):
    versions = sorted((folder / "data" / SERVICE).glob("*/service-2.json*"))
    if not versions:
        raise SystemExit(f"there is no model of {SERVICE} in {folder}")
    packed = versions[-1].read_bytes()
    return json.loads(gzip.decompress(packed) if versions[-1].suffix == ".gz" else packed)


def read_version(folder):
    text = (folder / "__init__.py").read_text()
    return re.search(r"^__version__ = ['\"]([^'\"]+)['\"]", text, re.MULTILINE).group(1)


class Facts:
    def __init__(self, model):
        self.shapes = model["shapes"]

    def shape(self, name, constraints, above=()):
        """One shape with what it holds. `above`: the shapes that it is held by."""
        if name in above:
            raise SystemExit(f"{name} holds itself: these facts have no form for that")
        shape = self.shapes[name]
        above += (name,)
        fact = {"type": shape["type"]}
        if constraints:
            fact.update({key: shape[key] for key in CONSTRAINTS if key in shape})
        if shape.get("sensitive"):
            fact["sensitive"] = True
        if shape["type"] == "structure":
            fact["members"] = self.members(name, constraints, above)
        elif shape["type"] == "list":
            fact["member"] = self.shape(shape["member"]["shape"], constraints, above)
        elif shape["type"] == "map":
            fact["key"] = self.shape(shape["key"]["shape"], constraints, above)
            fact["value"] = self.shape(shape["value"]["shape"], constraints, above)
        return fact

    def members(self, name, constraints, above):
        shape = self.shapes[name]
        required = shape.get("required", [])
        facts = {}
        for member, reference in shape["members"].items():
            facts[member] = self.shape(reference["shape"], constraints, above)
            if member in required:
                facts[member]["required"] = True
        return facts

    def operation(self, operation):
        def members(direction, constraints):
            if direction not in operation:
                return {}
            name = operation[direction]["shape"]
            return self.members(name, constraints, (name,))

        return {
            "input": members("input", True),
            "output": members("output", False),
            "errors": sorted(error["shape"] for error in operation.get("errors", [])),
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--botocore", help="the folder of the package botocore")
    default = pathlib.Path(__file__).resolve().parent.parent / "data" / "model.json"
    parser.add_argument("--out", type=pathlib.Path, default=default)
    arguments = parser.parse_args()
    folder = botocore_folder(arguments.botocore)
    model = read_model(folder)
    facts = Facts(model)
    document = {
        "botocore": read_version(folder),
        "api_version": model["metadata"]["apiVersion"],
        "target_prefix": model["metadata"]["targetPrefix"],
        "operations": {
            name: facts.operation(operation) for name, operation in model["operations"].items()
        },
    }
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=True)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text + "\n")
    print(f"{arguments.out}: botocore {document['botocore']}, {len(document['operations'])} operations")


main()
