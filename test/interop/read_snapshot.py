"""Reads the tables of a snapshot with pandas, polars and DuckDB and compares each cell with the SQLite file's.

Arguments: the SQLite file of a snapshot, and the folder of one of the same data in CSV or Parquet. Prints what differs as
JSON: a sentence for each tool and table. A cell is compared as a number, as a time or as a text, by the column's type.
"""

import json
import os
import sqlite3
import sys

import duckdb
import pandas as pd
import polars as pl

path, folder = sys.argv[1], sys.argv[2]
db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
manifest = json.load(open(os.path.join(folder, "datapackage.json")))


def text(value, kind):
    # Most readers of CSV take an empty text for no value.
    if value is None or value is pd.NaT or value is pd.NA or value == "" or value != value:
        return "NULL"
    if isinstance(value, str) and kind == "datetime":
        value = pd.Timestamp(value)
    if kind == "datetime":
        return pd.Timestamp(value).tz_convert("UTC").isoformat()
    if kind in ("number", "integer", "boolean"):
        return "%.17g" % float(value)
    return "'" + str(value)


def lines(rows, kinds):
    return sorted("\t".join(text(value, kind) for value, kind in zip(row, kinds)) for row in rows)


def readers(file, fields, form):
    names = [field["name"] for field in fields]
    if form == "parquet":
        yield "pandas", pd.read_parquet(file)[names].astype(object).itertuples(index=False, name=None)
        yield "polars", pl.read_parquet(file).select(names).iter_rows()
        yield "duckdb", duckdb.sql(f"SELECT * FROM read_parquet('{file}')").pl().iter_rows()
        return
    duck = {"string": "VARCHAR", "datetime": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BIGINT"}
    panda = {"string": str, "datetime": str, "integer": "Int64", "number": float, "boolean": "Int64"}
    polar = {"string": pl.String, "datetime": pl.String, "integer": pl.Int64, "number": pl.Float64, "boolean": pl.Int64}
    frame = pd.read_csv(file, dtype={f["name"]: panda[f["type"]] for f in fields}, keep_default_na=False, na_values={f["name"]: [""] for f in fields})
    yield "pandas", frame.astype(object).itertuples(index=False, name=None)
    yield "polars", pl.read_csv(file, schema={f["name"]: polar[f["type"]] for f in fields}).iter_rows()
    types = ", ".join("'%s': '%s'" % (f["name"].replace("'", "''"), duck[f["type"]]) for f in fields)
    yield "duckdb", duckdb.sql(f"SELECT * FROM read_csv('{file}', header = true, columns = {{{types}}}, quote = '\"', escape = '\"', delim = ',')").fetchall()


differences = []
cells = 0
for resource in manifest["resources"]:
    name, fields = resource["name"], resource["schema"]["fields"]
    kinds = [field["type"] for field in fields]
    expected = db.execute('SELECT * FROM "%s"' % name.replace('"', '""')).fetchall()
    cells += len(expected) * len(fields)
    wanted = lines(expected, kinds)
    for tool, rows in readers(os.path.join(folder, resource["path"]), fields, resource["format"]):
        found = lines(rows, kinds)
        if found != wanted:
            first = next((pair for pair in zip(wanted, found) if pair[0] != pair[1]), (len(wanted), len(found)))
            differences.append(f"{tool} {name}: {first[0]!r} is {first[1]!r}")
print(json.dumps({"tables": len(manifest["resources"]), "cells": cells, "differences": differences}))
