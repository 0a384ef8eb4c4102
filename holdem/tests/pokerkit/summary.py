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
ratio = total["pokerkit_seconds"] / total["engine_seconds"]
print(f"on these hands PokerKit took {total['pokerkit_seconds']:.2f} s, the engine {total['engine_seconds']:.4f} s: {ratio:.0f} times")
