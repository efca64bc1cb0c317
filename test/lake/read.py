"""Counts and sums of a lake as the engines see it, and of the SQLite file, as JSON: read.py LAKE LAB SQLITE ENGINE."""
import json
import os
import sqlite3
import sys
import time

lake, lab, warehouse, engine = sys.argv[1:]
TABLE = 'ratings_continuous'


def text(path):
    if not lake.startswith('s3://'):
        return open(f'{lake}/{path}').read()
    import boto3

    bucket, prefix = lake.removeprefix('s3://').split('/', 1)
    client = boto3.client('s3', endpoint_url=os.environ['AWS_ENDPOINT_URL'])
    return client.get_object(Bucket=bucket, Key=f'{prefix}/{path}')['Body'].read()


def files(table):
    manifest = json.loads(text(f'lab={lab}/manifest.json'))
    return [f'{lake}/{file["path"]}' for one in manifest['partitions'] if one['table'] == table for file in one['files']]


SQL = 'count(*), count(DISTINCT key), sum(value), min(timestamp), max(timestamp)'


def with_sqlite():
    db = sqlite3.connect(f'file:{warehouse}?mode=ro', uri=True)
    return db.execute(f'SELECT {SQL} FROM {TABLE}').fetchone()


def with_duckdb():
    import duckdb

    duckdb.sql("SET TimeZone = 'UTC'")
    return duckdb.execute(
        f'SELECT {SQL} FROM read_parquet($files, union_by_name = true, hive_partitioning = true, hive_types_autocast = false)',
        {'files': files(TABLE)},
    ).fetchone()


def with_polars():
    import polars as pl

    options = {}
    if lake.startswith('s3://'):
        options = {
            'storage_options': {
                'aws_access_key_id': os.environ['AWS_ACCESS_KEY_ID'],
                'aws_secret_access_key': os.environ['AWS_SECRET_ACCESS_KEY'],
                'aws_region': 'us-east-1',
                'aws_endpoint_url': os.environ['AWS_ENDPOINT_URL'],
                'aws_allow_http': 'true',
            }
        }
    rows = pl.scan_parquet(
        files(TABLE), hive_partitioning=True, missing_columns='insert', extra_columns='ignore', **options
    )
    time_ = pl.col('timestamp')
    return rows.select(
        pl.len(),
        keys=pl.col('key').n_unique(),
        value=pl.col('value').sum(),
        first=time_.min(),
        last=time_.max(),
    ).collect().row(0)


def with_spark():
    from pyspark.sql import SparkSession

    spark = (
        SparkSession.builder.master('local[2]')
        .config('spark.ui.enabled', 'false')
        .config('spark.sql.session.timeZone', 'UTC')
        .config('spark.sql.sources.partitionColumnTypeInference.enabled', 'false')
        .getOrCreate()
    )
    rows = spark.read.option('mergeSchema', 'true').option('basePath', lake).parquet(*files(TABLE))
    rows.createOrReplaceTempView(TABLE)
    count, keys, value, first, last = spark.sql(f"""SELECT count(*), count(DISTINCT key), sum(value),
        date_format(min(timestamp), "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"),
        date_format(max(timestamp), "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'") FROM {TABLE}""").first()
    return count, keys, value, first, last


def plain(value):
    if isinstance(value, (int, float, str)):
        return round(value, 3) if isinstance(value, float) else value
    return value.strftime('%Y-%m-%dT%H:%M:%S.') + f'{value.microsecond // 1000:03d}Z'


start = time.time()
found = [plain(value) for value in globals()[f'with_{engine}']()]
print(json.dumps({'found': found, 'seconds': round(time.time() - start, 1)}))
