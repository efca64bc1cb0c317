"""The official SDK into a DataFrame that is kept in a file: `sdk_pandas.py read|poll|full|look URL`."""

import sys

import hyperstudy
import pandas as pd

FILE = "ratings.pickle"
mode, url = sys.argv[1:]


def fetch(**options):
    hs = hyperstudy.HyperStudy(api_key="hst_test_" + "b" * 64, base_url=url)
    return hs.get_ratings("exp_1", kind="continuous", progress=False, **options)


if mode in ("read", "full"):
    fetch().to_pickle(FILE)
elif mode == "poll":
    # What came since the newest row.
    held = pd.read_pickle(FILE)
    newest = pd.to_datetime(held["timestamp"].iloc[-1], utc=True).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    new = fetch(start_time=newest, sort="timestamp", order="asc")
    pd.concat([held, new]).drop_duplicates("ratingId", keep="last").to_pickle(FILE)
else:
    from look import report

    held = pd.read_pickle(FILE)
    report(zip(held["ratingId"], held["value"]))
