"""dlt into DuckDB or SQLite, incremental by time: `use_dlt.py duckdb|sqlite read|poll|full|look URL`."""

import sys

import dlt
from fetch import pages

kind, mode, url = sys.argv[1:]
destination = (
    dlt.destinations.duckdb("ratings.duckdb")
    if kind == "duckdb"
    else dlt.destinations.sqlalchemy("sqlite:///ratings.db")
)


@dlt.resource(primary_key="ratingId", write_disposition="merge")
def ratings(since=dlt.sources.incremental("timestamp")):
    params = {} if since.last_value is None else {"startTime": str(since.last_value)}
    yield from pages(url, **params)


@dlt.resource(name="ratings", write_disposition="replace")
def all_ratings():
    yield from pages(url)


pipeline = dlt.pipeline("bench", pipelines_dir="pipelines", destination=destination, dataset_name="bench")
if mode == "look":
    from look import report

    with pipeline.sql_client() as client:
        report((id, value) for id, value in client.execute_sql("SELECT rating_id, value FROM ratings"))
else:
    # DuckDB reads Parquet much faster than the statements that dlt writes for it by default.
    form = {"loader_file_format": "parquet"} if kind == "duckdb" else {}
    pipeline.run(all_ratings() if mode == "full" else ratings(), **form).raise_on_failed_jobs()
