"""What a reader finds after an upstream change: how many late, edited and deleted ratings a peer noticed."""

import json
import sys


def report(rows):
    """Prints it for (id, value) pairs; the changes come by stdin."""
    changes = json.load(sys.stdin)
    held = dict(rows)
    print(
        json.dumps(
            {
                "rows": len(held),
                "late": sum(id in held for id in changes["late"]),
                "edited": sum(held.get(id) == value for id, value in changes["edited"].items()),
                "deleted": sum(id not in held for id in changes["deleted"]),
            }
        )
    )
