"""Compares two outputs of kernels.c: what is called exact to the bit, the rest within rounding.

    python3 compare.py HERE ARM
"""

import sys

TOLERANCE = 2e-6  # of a result's largest element


def results(path):
    for line in open(path):
        name, count, *values = line.split()
        assert len(values) == int(count), name
        yield name, [float.fromhex(value) for value in values]


here, arm = (list(results(path)) for path in sys.argv[1:])
assert [name for name, _ in here] == [name for name, _ in arm] and here, "other results than here"
failed = False
for (name, expected), (_, found) in zip(here, arm):
    if name.startswith("exact:"):
        good = expected == found
        error = 0 if good else float("nan")
    else:
        largest = max(map(abs, expected))
        error = max(abs(a - b) for a, b in zip(expected, found)) / largest
        good = error <= TOLERANCE
    if not good:
        print(f"arm: {name} differs: {error:.1e} of its largest element", file=sys.stderr)
    failed |= not good
if failed:
    sys.exit(1)
print(f"arm: {len(here)} results, {sum(name.startswith('exact:') for name, _ in here)} of them to the bit")
