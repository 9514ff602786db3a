"""Accepts or refuses a certificate: `python verify.py CERTIFICATE [HISTORY]` exits 0 accepted, 1 refused, 3 unusable.
Of the transactions a claim lists, `ok` says that in this order each reads what is there, `violated` that in none."""

import hashlib
import json
import sys
from collections import Counter
from itertools import pairwise, permutations


def holds(order, listed):  # does each read what is there then, and come after all that it should?
    place, state = {name: at for at, name in enumerate(order)}, {}
    for kind, key, values in (step for name in order for step in listed[name][2]):
        if kind == "r" and values != state.get(key, []):
            return False
        state[key] = state.get(key, []) + values if kind == "append" else values
    return all(place.get(one, -1) < place[name] for name in order for one in listed[name][1])


def derive(proof, known, listed, made):  # is it a cycle of edges? a step shows one: operation i of a is before j of b
    for rule, a, i, b, j, c, k, reverse in proof["steps"]:
        x, y, z = listed[a][2][i], listed[b][2][j], listed[c][2][k]
        pairs = [(y, x), (z, x), (x, z)]  # does the one read what the other, and nobody else, left?
        sees = [r[0] == "r" != w[0] and r[1] == w[1] and made[w[1], *w[2]] == 1 and {*w[2]} & {*r[2]} for r, w in pairs]
        late = y[0] == "append" or not x[2] and not made[(x[1],)] or sees[2] and ((c, b) in known or c == b and k < j)
        fits = {
            "wr": sees[0],
            "ww": sees[1] and y[:2] == ["append", x[1]] and not {*y[2]} & {*z[2][: z[2].index(*x[2]) + 1]},
            "rw": x[0] == "r" != y[0] and x[1] == y[1] and not {*y[2]} & {*x[2]} and late,
            "unwritten": x[0] == "r" and any(x[2].count(one) > made[x[1], one] for one in x[2]),
            "either": rule == "either" and a != b and derive(reverse, known | {(b, a)}, listed, made),
        }
        there = min(i, j, k) >= 0 and listed[a][0] and listed[b][0] and listed[c][0] and (a != b or i >= j)
        known = known | ({(a, b)} if fits[rule] and there else set())
    return proof["cycle"] and {*zip(proof["cycle"], proof["cycle"][1:] + proof["cycle"][:1], strict=True)} <= known


def judge(claim):  # does it follow from what it lists? violated only where all is plain: a value a write, a kind a key
    listed = {name: rest for name, *rest in claim["transactions"]}  # must it be there, comes after, [kind, key, values]
    if claim["verdict"] == "ok":
        return holds(listed, listed)
    sure = {name for name in listed if listed[name][0]}
    known = {(one, name) for name in sure for one in listed[name][1] if one in sure}
    made = Counter((key, *values) for one in listed.values() for kind, key, values in one[2] if kind != "r")
    shapes = {(key, kind, len(values)) for one in listed.values() for kind, key, values in one[2] if kind != "r"}
    plain = all(n == 1 if kind == "append" else n < 2 and (key, "append", 1) not in shapes for key, kind, n in shapes)
    orders = [listed] if {*pairwise(listed)} <= known else permutations(listed)
    tried = claim["proof"] == "every order" and sure == {*listed} and not any(holds(one, listed) for one in orders)
    return claim["verdict"] == "violated" and plain and (tried or derive(claim["proof"], known, listed, made))


if __name__ == "__main__":
    try:
        files = [open(name, "rb").read() for name in sys.argv[1:] or [""]]
        digest, paper = json.loads(files[0])
        sums = [hashlib.sha256(one).hexdigest() for one in (json.dumps(paper).encode(), *files[1:])]
        good = sums[0] == digest and {*sums[1:]} <= {paper["sha256"]} and all(map(judge, paper["claims"]))
        print("accepted" if good and paper["claims"] else sys.exit(print("refused") or 1))
    except Exception as error:
        sys.exit(print("refused:", error) or 1 + 2 * isinstance(error, (OSError, json.JSONDecodeError, UnicodeError)))
