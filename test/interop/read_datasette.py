"""Opens a warehouse in Datasette with the metadata of `hsw codebook`, and prints what it shows as JSON.

Arguments: the warehouse and the metadata.
"""

import asyncio
import json
import os
import sys

from datasette.app import Datasette

path, metadata = sys.argv[1:]
with open(metadata, encoding="utf-8") as file:
    shown = Datasette([path], metadata=json.load(file))
name = os.path.splitext(os.path.basename(path))[0]


async def pages():
    database = (await shown.client.get(f"/{name}.json")).json()
    return database, (await shown.client.get(f"/{name}/people")).text


database, people = asyncio.run(pages())
tables = database["tables"]
print(
    json.dumps(
        {
            "hidden": [table["name"] for table in tables if table["hidden"]],
            "shown": [table["name"] for table in tables if not table["hidden"]] + [view["name"] for view in database["views"]],
            "people": people,
        }
    )
)
