"""Runs a rotation function written for Lambda as a command: `run.py PATH/lambda_function.py`."""

import importlib.util
import json
import os
import sys

# Modules that a function needs stand beside it, as in a package for Lambda.
sys.path.insert(0, os.path.dirname(os.path.abspath(sys.argv[1])))
spec = importlib.util.spec_from_file_location("lambda_function", sys.argv[1])
function = importlib.util.module_from_spec(spec)
spec.loader.exec_module(function)
function.lambda_handler(json.load(sys.stdin), None)
