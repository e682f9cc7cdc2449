"""Two sessions' verdicts on the same runs, side by side."""

import json

from calibration.compared import compared, judged


def session(**claims):
    return {
        "claims": [
            {
                "nodeid": name,
                "finding": name.upper(),
                "claim": f"{name} holds",
                "verdict": {"outcome": outcome, "n": n, "effect": 2.0, "lower": low, "upper": 3.5, "margin": 1.5},
            }
            for name, (outcome, n, low) in claims.items()
        ]
    }


def test_what_differs_is_listed_with_its_bounds_and_seeds_are_summed(tmp_path):
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    before.write_text(
        json.dumps(session(a=("REPRODUCED", 5, 1.0), b=("INCONCLUSIVE", 5, None), c=("TOO SMALL", 10, 1)))
    )
    after.write_text(json.dumps(session(a=("REPRODUCED", 5, 0.5), b=("REPRODUCED", 7, 0.25), d=("TOO SMALL", 5, 1))))
    summary, *_, b, c, d = compared(judged(before), judged(after))
    assert summary.startswith("2 claims judged by both; 1 with the same verdict.")
    assert summary.endswith("summed: 10 before, 12 now.")
    told = "INCONCLUSIVE with 5 seeds: +2.00 (- to +3.50) | REPRODUCED with 7 seeds: +2.00 (+0.25 to +3.50)"
    assert b == f"| B | b holds | 1.5 | {told} |"
    assert c.endswith("| TOO SMALL with 10 seeds: +2.00 (+1.00 to +3.50) | not judged |")
    assert d.endswith("| not judged | TOO SMALL with 5 seeds: +2.00 (+1.00 to +3.50) |")
