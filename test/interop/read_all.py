"""Reads tables and views with every tool and compares each cell with what sqlite3 reads.

Arguments: the warehouse, the names of the tools, and a folder of what R has read, if there is one. Prints what differs
as JSON: a sentence for each tool and relation. Every cell becomes a text in the same way; rows are compared whatever
their order.
"""

import json
import os
import sqlite3
import sys

path, tools, folder = sys.argv[1], sys.argv[2].split(","), sys.argv[3] if len(sys.argv) > 3 else None
db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
relations = [name for (name,) in db.execute("SELECT name FROM _tables ORDER BY name")]


def text(value):
    if value is None or value != value:
        return "NULL"
    if isinstance(value, (int, float)):
        return "%.17g" % value
    return "'" + str(value).replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


def lines(rows):
    return sorted("\t".join(map(text, row)) for row in rows)


def by_pandas(sql):
    import pandas as pd

    return pd.read_sql_query(sql, db).astype(object).itertuples(index=False, name=None)


def by_polars(sql):
    import polars as pl

    return pl.read_database(sql, db, infer_schema_length=None).iter_rows()


def by_connectorx(sql):
    import connectorx

    return connectorx.read_sql(f"sqlite://{path}", sql, return_type="polars").iter_rows()


def by_adbc(sql):
    import adbc_driver_sqlite.dbapi as adbc

    with adbc.connect(f"file:{path}?mode=ro") as connection, connection.cursor() as cursor:
        # It takes a column's type from the first batch of rows.
        cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": "1000000"})
        cursor.execute(sql)
        return cursor.fetchall()


def by_datasette(sql, opened=[]):
    import asyncio

    from datasette.app import Datasette

    if not opened:
        opened.append(Datasette([path], settings={"max_returned_rows": 10**7, "sql_time_limit_ms": 60_000}))
    name = os.path.splitext(os.path.basename(path))[0]
    answer = asyncio.run(opened[0].client.get(f"/{name}.json", params={"sql": sql, "_shape": "arrays"}))
    return answer.json()["rows"]


def by_duckdb(sql, attached=[]):
    import duckdb
    import duckdb_extension_sqlite_scanner as scanner

    if not attached:
        extension = os.path.join(os.path.dirname(scanner.__file__), "extensions", f"v{duckdb.__version__}", "sqlite_scanner.duckdb_extension")
        attached.append(duckdb.connect())
        attached[0].execute(f"LOAD '{extension}'")
        attached[0].execute(f"ATTACH '{path}' AS warehouse (TYPE sqlite, READ_ONLY)")
        attached[0].execute("USE warehouse")
    return attached[0].execute(sql).fetchall()


def by_client(sql):
    """What hsw_read gives, with its types turned back into what is stored."""
    import hyperstudy_warehouse as client

    stored = client.hsw_open(path, quiet=True)
    rows = client.hsw_read(stored, sql.split('"')[1], as_="rows", complete=False)
    back = lambda v: v.strftime("%Y-%m-%dT%H:%M:%S.") + f"{v.microsecond // 1000:03d}Z" if hasattr(v, "strftime") else v
    return [tuple(map(back, row.values())) for row in rows]


def from_r(tool):
    def read(sql):
        with open(os.path.join(folder, tool, sql.split('"')[1]), encoding="utf-8") as file:
            return [row.split("\t") for row in file.read().split("\n")[:-1]]

    return read


differences, cells = [], 0
for tool in tools:
    read = globals().get(f"by_{tool}") or from_r(tool)
    for name in relations:
        sql = f'SELECT * FROM "{name}"'
        wanted = db.execute(sql).fetchall()
        cells += sum(map(len, wanted))
        try:
            rows = read(sql)
            found = sorted("\t".join(row) for row in rows) if read.__name__ == "read" else lines(rows)
        except Exception as error:
            differences.append(f"{tool} cannot read {name}: {error}")
            continue
        if found != lines(wanted):
            pair = next(((a, b) for a, b in zip(lines(wanted), found) if a != b), None)
            differences.append(f"{tool} reads {name} otherwise: {len(wanted)} rows, {len(found)} found; {pair}")
print(json.dumps({"relations": len(relations), "cells": cells, "differences": differences}))
