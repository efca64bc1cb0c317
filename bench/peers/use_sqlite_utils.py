"""sqlite-utils into SQLite, with its upsert: `use_sqlite_utils.py read|poll|full|look URL`."""

import sys

import sqlite_utils
from fetch import pages

mode, url = sys.argv[1:]
db = sqlite_utils.Database("ratings.db")


def store(**params):
    for page in pages(url, **params):
        db["ratings"].upsert_all(page, pk="ratingId", batch_size=1000)


if mode in ("read", "full"):
    if mode == "full":
        db["ratings"].drop()
    store()
elif mode == "poll":
    newest = db.execute("SELECT max(timestamp) FROM ratings").fetchone()[0]
    store(startTime=newest)
else:
    from look import report

    report(db.execute("SELECT ratingId, value FROM ratings"))
