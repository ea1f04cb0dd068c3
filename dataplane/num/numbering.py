#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes the data of numbering.c from libphonenumber's metadata (Debian's python3-phonenumbers).

The metadata has, for each region and type of number, a regular expression and the possible lengths.
For each country code all expressions of all its regions become one NFA; its deterministic walk, digit by
digit, becomes a tree whose equal parts are one. Where what follows depends on the number of digits only,
the walk ends in a leaf. Which region and type win, where several match, is libphonenumber's own order
(phonenumberutil.cc: GetRegionCodeForNumber, GetNumberTypeHelper).

    numbering.py > numbering_data.h         one second; 22,600 states become 5,800 nodes
"""
import re._constants as rc
import re._parser as parser
import sys

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, __version__

MAX_DIGITS = 15
ANY_DIGIT = 0x3FF
# In libphonenumber's order; the value is enum tg_numbering_type.
SPECIAL = {"premium_rate": 5, "toll_free": 4, "shared_cost": 6, "voip": 7, "personal_number": 8, "pager": 9,
           "uan": 10, "voicemail": 11}
FIXED, MOBILE, FIXED_OR_MOBILE = 1, 2, 3


class Nfa:
    """Thompson's construction; an edge carries a bit a digit."""

    def __init__(self):
        self.empty = []
        self.edges = []

    def state(self):
        self.empty.append([])
        self.edges.append([])
        return len(self.edges) - 1

    def edge(self, source, digits):
        target = self.state()
        self.edges[source].append((digits, target))
        return target

    def add(self, tree, at):
        """Appends a parsed expression behind `at`; returns where it ends."""
        for op, arg in tree:
            if op is rc.LITERAL:
                at = self.edge(at, 1 << arg - ord("0"))
            elif op is rc.IN:
                at = self.edge(at, self.digits(arg))
            elif op is rc.SUBPATTERN:
                at = self.add(arg[3], at)
            elif op is rc.BRANCH:
                end = self.state()
                for branch in arg[1]:
                    begin = self.state()
                    self.empty[at].append(begin)
                    self.empty[self.add(branch, begin)].append(end)
                at = end
            elif op is rc.MAX_REPEAT:
                at = self.repeat(*arg, at)
            else:
                sys.exit(f"numbering: a construct that is not known here: {op}")
        return at

    def repeat(self, least, most, tree, at):
        for _ in range(least):
            at = self.add(tree, at)
        end = self.state()
        for _ in range(least, min(most, MAX_DIGITS)):
            self.empty[at].append(end)
            at = self.add(tree, at)
        self.empty[at].append(end)
        return end

    @staticmethod
    def digits(items):
        mask = 0
        for op, arg in items:
            if op is rc.LITERAL:
                mask |= 1 << arg - ord("0")
            elif op is rc.RANGE:
                for c in range(arg[0], arg[1] + 1):
                    mask |= 1 << c - ord("0")
            elif op is rc.CATEGORY and arg is rc.CATEGORY_DIGIT:
                mask |= ANY_DIGIT
            else:
                sys.exit(f"numbering: a set that is not known here: {op} {arg}")
        return mask

    def closure(self, state):
        found, stack = set(), [state]
        while stack:
            s = stack.pop()
            if s not in found:
                found.add(s)
                stack.extend(self.empty[s])
        return found


class Country:
    """All that shares a country code."""

    def __init__(self, code, regions):
        self.code, self.regions = code, regions
        self.max_national = MAX_DIGITS - len(str(code))
        self.nfa, self.accept, starts = Nfa(), {}, []
        self.meta = [PhoneMetadata.metadata_for_nongeo_region(code, None) if r == "001"
                     else PhoneMetadata.metadata_for_region(r, None) for r in regions]
        for i, m in enumerate(self.meta):
            for name in ["general_desc", *SPECIAL, "fixed_line", "mobile"]:
                desc = getattr(m, name)
                if desc is not None and desc.national_number_pattern:
                    starts.append(self.pattern((i, name), desc.national_number_pattern)[0])
            if m.leading_digits:
                start, end = self.pattern((i, "leading"), m.leading_digits)
                self.nfa.edges[end].append((ANY_DIGIT, end))
                starts.append(start)
        # States that neither accept nor lead on by a digit only make sets larger.
        self.after = [frozenset(s for s in self.nfa.closure(q) if self.nfa.edges[s] or s in self.accept)
                      for q in range(len(self.nfa.edges))]
        self.start = frozenset().union(*(self.after[s] for s in starts))
        self.memo, self.outcomes = {}, {}

    def lengths(self):
        """Libphonenumber asks the region that leads the plan; what E.164 has no room for is left out."""
        return sum(1 << n for n in self.meta[0].general_desc.possible_length if n <= self.max_national)

    def pattern(self, key, text):
        start = self.nfa.state()
        end = self.nfa.add(parser.parse(text), start)
        self.accept.setdefault(end, set()).add(key)
        return start, end

    def type_in(self, i, accepted, length):
        m = self.meta[i]

        def matches(name):
            desc = getattr(m, name)
            return (i, name) in accepted and (not desc.possible_length or length in desc.possible_length)

        if not matches("general_desc"):
            return None
        for name, value in SPECIAL.items():
            if matches(name):
                return value
        if matches("fixed_line"):
            return FIXED_OR_MOBILE if matches("mobile") else FIXED
        return MOBILE if matches("mobile") else None

    def outcome(self, states, length):
        """(region, type) if the digits may end here, else None."""
        accepted = frozenset(key for s in states for key in self.accept.get(s, ()))
        key = accepted, length
        if key not in self.outcomes:
            self.outcomes[key] = self.decide(accepted, length)
        return self.outcomes[key]

    def decide(self, accepted, length):
        for i, region in enumerate(self.regions):
            if len(self.regions) > 1 and self.meta[i].leading_digits:
                if (i, "leading") not in accepted:
                    continue
                kind = self.type_in(i, accepted, length)
                return (region, kind) if kind else None
            kind = self.type_in(i, accepted, length)
            if kind:
                return region, kind
        return None

    def walk(self, tree, states, depth):
        if not states:
            return tree.dead
        key = states, depth
        if key not in self.memo:
            end = self.outcome(states, depth)
            if depth == self.max_national:
                self.memo[key] = tree.leaf((end,))
            else:
                children = []
                for digit in range(10):
                    following = [self.after[t] for s in states for mask, t in self.nfa.edges[s]
                                 if mask >> digit & 1]
                    children.append(self.walk(tree, frozenset().union(*following), depth + 1))
                self.memo[key] = tree.node(end, children)
        return self.memo[key]


class Tree:
    """Equal nodes and leaves exist once. A leaf is the outcome by the number of digits left."""

    def __init__(self):
        self.nodes, self.leaves = {}, {}
        self.dead = self.leaf(())

    def leaf(self, row):
        while row and row[-1] is None:
            row = row[:-1]
        return "leaf", self.leaves.setdefault(row, len(self.leaves)), row

    def node(self, end, children):
        if children[0][0] == "leaf" and all(c == children[0] for c in children):
            return self.leaf((end, *children[0][2]))
        if end is not None:
            sys.exit("numbering: a number that is the beginning of another kind of number")
        key = tuple(c[:2] for c in children)
        return "node", self.nodes.setdefault(key, len(self.nodes))


def rows(name, items):
    print(f"{name} = {{")
    for item in items:
        print(f"\t{item},")
    print("};")


def main():
    tree = Tree()
    countries = [Country(code, regions) for code, regions in sorted(COUNTRY_CODE_TO_REGION_CODE.items())]
    roots = [c.walk(tree, c.start, 0) for c in countries]
    regions = [""] + sorted({r for c in countries for r in c.regions})

    def place(ref):
        return ref[1] if ref[0] == "node" else len(tree.nodes) + ref[1]

    def leaf(row):
        kinds = sorted({o for o in row if o is not None})
        if len(kinds) > 2:
            sys.exit("numbering: three kinds of number at one place")
        kinds += [None] * (2 - len(kinds))
        values = [regions.index(k[0]) << 4 | k[1] if k else 0 for k in kinds]
        masks = [sum(1 << n for n, o in enumerate(row) if o == k) if k else 0 for k in kinds]
        return f"{{ {{ {values[0]}, {values[1]} }}, {{ {masks[0]:#x}, {masks[1]:#x} }} }}"

    by_prefix = [0] * 1000
    for i, c in enumerate(countries):
        width = 10 ** (3 - len(str(c.code)))
        for p in range(c.code * width, (c.code + 1) * width):
            by_prefix[p] = i + 1

    print(f"/* Made by dataplane/num/numbering.py from libphonenumber {__version__}. */")
    print(f"enum {{ NODES = {len(tree.nodes)}, LEAVES = {len(tree.leaves)} }};")
    rows("static const char regions[][4]", [f'"{r}"' for r in regions])
    rows("static const struct country countries[]", ["{ 0, 0, 0, 0 }"] + [
        f"{{ {c.code}, {place(root)}, {c.lengths():#x}, "
        f"{regions.index(c.regions[0])} }}" for c, root in zip(countries, roots)])
    rows("static const uint8_t by_prefix[1000]", [", ".join(map(str, by_prefix[i:i + 20]))
                                                  for i in range(0, 1000, 20)])
    rows("static const uint16_t nodes[NODES][10]", [
        "{ " + ", ".join(str(place(c)) for c in children) + " }" for children in tree.nodes])
    rows("static const struct leaf leaves[LEAVES]", [leaf(row) for row in tree.leaves])


main()
