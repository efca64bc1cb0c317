"""Reads a HyperStudy Warehouse: one file to copy beside your analysis.

    from hyperstudy_warehouse import hsw_open, hsw_read
    db = hsw_open("data/demo.db")
    answers = hsw_read(db, "answers", experiment="Gemeinsam schauen", fresh="2 days")

It needs the standard library only. `as_="pandas"` and `as_="polars"` need that package; `as_="rows"` needs nothing.
"""

import datetime as dt
import os
import re
import sqlite3
import sys
import warnings
from urllib.parse import quote

__all__ = ["WarehouseError", "hsw_codebook", "hsw_events", "hsw_open", "hsw_ratings", "hsw_read"]

_HEADER = b"SQLite format 3\0"
_COPY = """sqlite3 original.db "VACUUM INTO 'copy.db'\""""
_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}


class WarehouseError(Exception):
    """The file cannot be used as it is, or the data are not fit for the analysis; the text says what to do."""


def hsw_open(path, quiet=False):
    """Opens a warehouse read-only, as a connection of `sqlite3`, and says on stderr how fresh it is."""
    if sqlite3.sqlite_version_info < (3, 37):
        raise WarehouseError(f"This Python has SQLite {sqlite3.sqlite_version}; a warehouse needs 3.37 or newer.")
    path = os.path.abspath(os.fspath(path))
    if not os.path.isfile(path):
        raise WarehouseError(f"There is no file {path}.")
    with open(path, "rb") as file:
        header = file.read(20)
    if header[:16] != _HEADER:
        raise WarehouseError(f"{path} is not a SQLite file.")
    log = path + "-wal"
    # Beside the original lies its lock; when the last program closes it, its log may go, and nothing is in it then.
    if header[18:20] == b"\x02\x02" and not os.path.exists(log) and not os.path.exists(path + ".lock"):
        raise WarehouseError(
            f"{path} is a copy without its log, the file -wal beside the original, which may hold the latest rows. "
            f"Copy it again with: {_COPY}"
        )
    db = _connect(path, log)
    if "_freshness" not in {name for (name,) in db.execute("SELECT name FROM sqlite_master")}:
        raise WarehouseError(f"{path} is not a HyperStudy Warehouse.")
    if not quiet:
        print(_how_fresh(db, path), file=sys.stderr)
    return db


def _connect(path, log):
    uri = "file:" + quote(path)
    for options in ("mode=ro", "mode=ro&immutable=1"):
        db = sqlite3.connect(f"{uri}?{options}", uri=True)
        try:
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            # An index of a million ratings (45 MB) stays in memory from one query to the next.
            db.execute("PRAGMA cache_size = -65536")
            return db
        except sqlite3.OperationalError as error:
            db.close()
            # On a read-only medium SQLite cannot create what it shares with a writer. There is none where the log is empty.
            if "unable to open" not in str(error) and "readonly" not in str(error):
                raise WarehouseError(f"{path} cannot be read: {error}.") from error
            if os.path.exists(log) and os.path.getsize(log) > 0:
                raise WarehouseError(
                    f"{path} has rows in its log that cannot be read in a read-only folder. Copy it with: {_COPY}"
                ) from error
    raise WarehouseError(f"{path} cannot be opened for reading; check who may read it.")


def _how_fresh(db, path):
    streams, incomplete, oldest = db.execute(
        "SELECT count(*), count(*) FILTER (WHERE complete IS NOT 1), min(data_as_of) FILTER (WHERE NOT finished) FROM _freshness"
    ).fetchone()
    state = "all complete" if incomplete == 0 else f"{incomplete} incomplete (see _freshness)"
    return f"{path}: {streams} streams, {state}, data as of {oldest or 'no time'}"


def hsw_read(db, relation, experiment=None, fresh=None, complete=True, as_="pandas", where=None, params=(), labels=False):
    """Reads a table or view with the types that the warehouse declares.

    experiment: an id or a name. fresh: how old the data may be, such as "2 days"; older data are an error.
    complete: data that are known to be incomplete are an error; with False they are a warning.
    where, params: a condition in SQL and its values. labels: what codes mean instead of the codes.
    """
    id = _experiment_id(db, experiment)
    _check_fit(db, _data_of(db, relation), id, fresh, complete, relation)
    if id is not None and "experiment_id" not in _columns(db, relation):
        raise WarehouseError(f"{relation} is the same for all experiments: read it without `experiment`.")
    conditions, values = ([], []) if id is None else (["experiment_id = ?"], [id])
    if where is not None:
        conditions.append(f"({where})")
    sql = f"SELECT * FROM {_name(relation)}" + (" WHERE " + " AND ".join(conditions) if conditions else "")
    return _typed(db, relation, db.execute(sql, [*values, *params]), as_, labels)


def hsw_events(db, event_type=None, **options):
    """Events with their nested fields as columns; `event_type` may end in `*`."""
    if event_type is None:
        return hsw_read(db, "events_all", **options)
    return hsw_read(db, "events_all", where="event_type GLOB ?", params=[event_type], **options)


def hsw_ratings(db, experiment=None, kind="continuous", condition=None, medium=False, fresh=None, complete=True, as_="pandas"):
    """Ratings ("continuous" or "sparse") in the order of time. condition: the name of a variable whose last value becomes the column
    `condition`, as a text: the participant's own or else the room's. medium: adds `stage_number`, `state_name` and `medium`:
    what was on the screen at that onset."""
    if kind not in ("continuous", "sparse"):
        raise WarehouseError(f'kind = {kind!r} is neither "continuous" nor "sparse".')
    table = f"ratings_{kind}"
    id = _experiment_id(db, experiment)
    used = [table] + ["variable_values"] * (condition is not None) + ["stages"] * medium
    for relation in used:
        _check_fit(db, _data_of(db, relation), id, fresh, complete, relation)
    columns = [f"r.{_name(name)}" for name in _columns(db, table) if not (medium and name in ("state_name", "medium"))]
    joins, params = "", []
    if condition is not None:
        _check_variable(db, condition, id)
        number = "CASE value_type WHEN 'number' THEN value_number ELSE CAST(value_number AS INTEGER) END"
        value = f"coalesce(value_text, value_json, CAST({number} AS TEXT))"
        columns.append(
            f"""(SELECT {value} FROM variable_values v WHERE v.room_id = r.room_id AND v.variable = ? AND is_last = 1 AND value_type IS NOT NULL
            AND v.experiment_id = r.experiment_id AND (v.participant_id = r.participant_id OR v.owner = 'room')
            ORDER BY v.owner = 'room' LIMIT 1) AS condition"""
        )
        params.append(condition)
    if medium:
        columns += ["s.number AS stage_number", "s.state_name", "s.medium"]
        # A rating that names its state was not given in another one.
        own = " AND (r.state_id IS NULL OR state_id = r.state_id)" if kind == "sparse" else ""
        joins = f"""LEFT JOIN stages s ON s.rowid = (SELECT rowid FROM stages WHERE room_id = r.room_id
            AND participant_id = r.participant_id AND experiment_id = r.experiment_id{own}
            AND start_onset <= r.onset AND (end_onset > r.onset OR end_onset IS NULL) ORDER BY start_onset DESC LIMIT 1)"""
    sql = f"SELECT {', '.join(columns)} FROM {table} r {joins}"
    if id is not None:
        sql, params = sql + " WHERE r.experiment_id = ?", [*params, id]
    sql += " ORDER BY r.experiment_id, r.room_id, r.participant_id, r.timestamp"
    return _typed(db, table, db.execute(sql, params), as_, False)


def hsw_codebook(db, relation=None, as_="pandas"):
    """What each column means, what it means that there is no value, its unit, and the codes that it may have."""
    if relation is not None:
        _check_exists(db, relation)
    sql = """SELECT d.table_name, d.column_name, d.type, d.unit, d.is_boolean, d.meaning, d.missing,
        (SELECT group_concat(coalesce(value_text, value_number) || ' = ' || label, '; ') FROM _values v
         WHERE v.table_name = d.table_name AND v.column_name = d.column_name AND v.question_id IS NULL) AS codes
        FROM _data_dictionary d WHERE ?1 IS NULL OR d.table_name = ?1"""
    return _typed(db, "_data_dictionary", db.execute(sql, [relation]), as_, False)


def _experiment_id(db, experiment):
    if experiment is None:
        return None
    if not isinstance(experiment, str):
        raise WarehouseError("`experiment` is one id or name: leave it out to read all.")
    sql = "SELECT DISTINCT experiment_id FROM experiments WHERE experiment_id = ?1 OR name = ?1"
    found = [id for (id,) in db.execute(sql, [experiment])]
    if len(found) == 1:
        return found[0]
    if found:
        raise WarehouseError(f"More than one experiment is called {experiment!r}: give the id, one of {', '.join(found)}.")
    known = [f"{name} ({id})" for id, name in db.execute("SELECT experiment_id, name FROM experiments")]
    raise WarehouseError(f"There is no experiment {experiment!r}. There are: {', '.join(known) or 'none'}.")


def _check_exists(db, relation):
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = ? AND type IN ('table', 'view')", [relation]).fetchone() is None:
        raise WarehouseError(f"There is no table or view {relation!r}: `_tables` lists all.")


def _check_variable(db, variable, experiment):
    sql = "SELECT DISTINCT variable FROM variable_values WHERE variable IS NOT NULL AND (?1 IS NULL OR experiment_id = ?1) ORDER BY 1"
    known = [name for (name,) in db.execute(sql, [experiment])]
    if variable not in known:
        raise WarehouseError(f"There is no variable {variable!r}. There are: {', '.join(known) or 'none'}.")


def _data_of(db, relation):
    """The data types that a table or view comes from."""
    _check_exists(db, relation)
    row = db.execute("SELECT data FROM _tables WHERE name = ?", [relation]).fetchone()
    if row is None and relation.startswith("wide_"):
        # The tables are listed when a writer opens the file; it may create this one later.
        return sorted({name for table in ("people", "answers", "variable_values") for name in _data_of(db, table)})
    return row[0].split(", ") if row and row[0] else []


def _check_fit(db, data, experiment, fresh, complete, relation):
    sql = "SELECT data, experiment_id, scope, complete, reason, finished, data_as_of FROM _freshness WHERE ?1 IS NULL OR experiment_id = ?1"
    streams = [row for row in db.execute(sql, [experiment]) if row[0] in data]
    kept = {row[0] for row in streams}
    unread = [name for name in data if name not in kept]
    if data and not kept:
        raise WarehouseError(f"{relation}: {', '.join(data)} was never read. Run `hsw sync now`.")
    if unread:
        warnings.warn(f"{relation} lacks what comes from {', '.join(unread)}, which this warehouse does not keep.", stacklevel=3)
    incomplete = [f"{d} of {e}: {reason or 'not complete'}" for d, e, _, is_complete, reason, _, _ in streams if is_complete != 1]
    if incomplete and complete:
        raise WarehouseError(
            f"{relation} is incomplete: {_few(incomplete)}. Run `hsw status`, or read it as it is with complete=False."
        )
    if incomplete:
        warnings.warn(f"{relation} is incomplete: {_few(incomplete)}", stacklevel=3)
    if fresh is None:
        return
    limit = (dt.datetime.now(dt.timezone.utc) - _duration(fresh)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    stale = [f"{d} of {e}: as of {at or 'never'}" for d, e, _, _, _, finished, at in streams if not finished and (at or "") < limit]
    if stale:
        raise WarehouseError(f"{relation} is older than {fresh}: {_few(stale)}. Run `hsw sync now`.")


def _few(texts):
    return "; ".join(texts[:3]) + (f"; and {len(texts) - 3} more" if len(texts) > 3 else "")


def _duration(text):
    if isinstance(text, dt.timedelta):
        return text
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(second|minute|hour|day|week)s?\s*", text)
    if match is None:
        raise WarehouseError(f'fresh = {text!r} is not a duration: write "2 days", "12 hours" or "30 minutes".')
    return dt.timedelta(seconds=float(match[1]) * _UNITS[match[2]])


def _name(name):
    return '"' + name.replace('"', '""') + '"'


def _columns(db, relation):
    return [row[1] for row in db.execute(f"PRAGMA table_info({_name(relation)})")]


def _kinds(db, relation, names):
    """What each column is: time, boolean, integer, number or text, by the dictionary. A view's column is what the
    tables that have one of that name agree upon."""
    own, others = {}, {}
    sql = "SELECT table_name, column_name, type, unit, is_boolean FROM _data_dictionary"
    for table, column, type, unit, is_boolean in db.execute(sql):
        kind = (
            "boolean" if is_boolean == 1
            else "time" if unit == "ISO 8601, UTC"
            else {"INTEGER": "integer", "REAL": "number"}.get(type, "text")
        )
        others.setdefault(column, set()).add(kind)
        if table == relation:
            own[column] = kind
    agreed = {"condition": "text", "stage_number": "integer"} | {column: kinds.pop() for column, kinds in others.items() if len(kinds) == 1}
    return [own.get(name) or agreed.get(name) for name in names]


def _codes(db, relation):
    """The codes of columns, in their order, with what they mean."""
    base = {"questionnaire": "answers"}.get(relation, relation)
    sql = """SELECT column_name, value_text, label FROM _values
        WHERE table_name = ? AND question_id IS NULL AND value_text IS NOT NULL ORDER BY position"""
    codes = {}
    for column, value, label in db.execute(sql, [base]):
        codes.setdefault(column, {})[value] = label
    return codes


def _typed(db, relation, cursor, as_, labels):
    names = [column[0] for column in cursor.description]
    kinds, codes = _kinds(db, relation, names), _codes(db, relation)
    columns = list(zip(*cursor)) or [()] * len(names)
    columns = [[_convert(value, kind) for value in column] for column, kind in zip(columns, kinds)]
    if labels:
        columns = [
            [codes[name].get(value, value) for value in column] if name in codes else column for name, column in zip(names, columns)
        ]
    if as_ == "rows":
        return [dict(zip(names, row)) for row in zip(*columns)]
    levels = {}
    for name, column in zip(names, columns):
        if name in codes:
            known = list(codes[name].values() if labels else codes[name])
            levels[name] = known + sorted({value for value in column if value is not None and value not in known})
    if as_ == "pandas":
        return _pandas(names, kinds, columns, levels, codes)
    if as_ == "polars":
        return _polars(names, kinds, columns, levels)
    raise WarehouseError(f'as_ = {as_!r} is none of "pandas", "polars" and "rows".')


def _convert(value, kind):
    if value is None:
        return None
    if kind == "time" and isinstance(value, str):
        return dt.datetime.fromisoformat(value.replace("Z", "+00:00"))
    return bool(value) if kind == "boolean" else value


def _pandas(names, kinds, columns, levels, codes):
    import pandas as pd

    dtypes = {"boolean": "boolean", "integer": "Int64", "number": "float64", "text": "str", "time": "datetime64[ms, UTC]"}
    frame = {}
    for name, kind, column in zip(names, kinds, columns):
        if name in levels:
            frame[name] = pd.Categorical(column, categories=levels[name])
        else:
            frame[name] = pd.Series(column, dtype=dtypes.get(kind))
    table = pd.DataFrame(frame)
    table.attrs["labels"] = {name: codes[name] for name in levels}
    return table


def _polars(names, kinds, columns, levels):
    import polars as pl

    dtypes = {"boolean": pl.Boolean, "integer": pl.Int64, "number": pl.Float64, "text": pl.String, "time": pl.Datetime("ms", "UTC")}
    return pl.DataFrame(
        [
            pl.Series(name, column, dtype=pl.Enum(levels[name]) if name in levels else dtypes.get(kind), strict=True)
            for name, kind, column in zip(names, kinds, columns)
        ]
    )
