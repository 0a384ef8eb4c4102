"""Adds up the results of compare.py, one file per process, and prints them."""

import json
import sys
from collections import Counter

total, classes = Counter(), Counter()
for path in sys.argv[1:]:
    with open(path) as file:
        part = json.load(file)
    classes.update(part.pop("classes"))
    total.update(part)

print(f"{total['hands']} hands, {total['decisions']} decisions: {total['failures']} unexpected differences")
print(f"differences by rule ({total['cut']} hands not compared to their end):")
for kind, count in sorted(classes.items(), key=lambda item: -item[1]):
    print(f"  {count:7} {kind}")
# PokerKit does not play the hands that are cut to their end, so its pace is, if anything, told too fast.
seconds = {name: total[f"{name}_seconds"] for name in ("engine", "pokerkit")}
for name, taken in seconds.items():
    print(f"{name:8} {taken:9.4f} s, {total['decisions'] / taken:12,.0f} actions/s of one core")
print(f"the engine is {seconds['pokerkit'] / seconds['engine']:,.0f} times as fast on these hands")
