"""Compares the data frames of the official SDK with the warehouse: rows, columns and values of every call.

Prints JSON: for each call, where the same is in the warehouse, the numbers of rows, and the columns that differ.
"""

import json
import os
import re
import sqlite3

import hyperstudy
import pandas as pd

hs = hyperstudy.HyperStudy(base_url=os.environ["HYPERSTUDY_BASE_URL"])
db = sqlite3.connect(f"file:{os.environ['WAREHOUSE']}?mode=ro", uri=True)
db.row_factory = sqlite3.Row
ID = db.execute("SELECT experiment_id FROM agent_runs").fetchone()[0]
ROOMS = [room for (room,) in db.execute("SELECT id FROM rooms WHERE experiment_id = ?", [ID])]
plain = {"progress": False}
ours = lambda sql, *values: [dict(row) for row in db.execute(sql, values)]
of = lambda relation: ours(f"SELECT * FROM {relation} WHERE experiment_id = ?", ID)
PRE = "SELECT * FROM events_all WHERE experiment_id = ? AND category = 'pre_experiment' AND event_type GLOB ?"
concat = lambda frames: pd.concat([frame for frame in frames if len(frame) > 0])
writes = [hs.get_variables(room)["writes"] for room in ROOMS]
people = ours("SELECT room_id, participant_id FROM people WHERE experiment_id = ?", ID)
deployments = hs.list_deployments(experiment_id=ID)

# The same columns of another name in both.
SAME = {"onset_sec": "onset_s"}

CALLS = [
    ("get_events", "events_all", hs.get_events(ID, **plain), of("events_all")),
    ("get_questionnaire", "events_all, category = 'questionnaire'", hs.get_questionnaire(ID, **plain),
     ours("SELECT * FROM events_all WHERE experiment_id = ? AND category = 'questionnaire'", ID)),
    ("get_instructions", "events_all, as the view instructions", hs.get_instructions(ID, **plain), ours(PRE, ID, "instructions.*")),
    ("get_consent", "events_all, as the view consent", hs.get_consent(ID, **plain), ours(PRE, ID, "consent.*")),
    ("get_recordings", "recordings_all", hs.get_recordings(ID, **plain), of("recordings_all")),
    ("get_chat", "chat_all", hs.get_chat(ID, **plain), of("chat_all")),
    ("get_videochat", "videochat_all", hs.get_videochat(ID, **plain), of("videochat_all")),
    ("get_sync", "sync_metrics_all", hs.get_sync(ID, **plain), of("sync_metrics_all")),
    ('get_ratings(kind="continuous")', "ratings_continuous_all", hs.get_ratings(ID, kind="continuous", **plain), of("ratings_continuous_all")),
    ('get_ratings(kind="sparse")', "ratings_sparse_all", hs.get_ratings(ID, kind="sparse", **plain), of("ratings_sparse_all")),
    ("get_eyetracking", "eyetracking_all", hs.get_eyetracking(ID, **plain), of("eyetracking_all")),
    ("get_components", "components_all", hs.get_components(ID, **plain), of("components_all")),
    ("get_participants", "participants_all", hs.get_participants(ID, **plain), of("participants_all")),
    ("get_rooms", "rooms_all", hs.get_rooms(ID, **plain), of("rooms_all")),
    ("get_variables: writes", "variables_all", concat(writes), of("variables_all")),
    ("list_deployments", "deployments_all", deployments, of("deployments_all")),
    ("get_deployment_sessions", "deployment_sessions_all", concat(hs.get_deployment_sessions(one) for one in deployments.id), of("deployment_sessions_all")),
    ("get_agent_decisions", "agent_decisions_all", hs.get_agent_decisions(ID, detail=True), of("agent_decisions_all")),
    ("get_agent_runs", "agent_runs_all", hs.get_agent_runs(ID), of("agent_runs_all")),
    ("list_experiments", "experiments_all", hs.list_experiments(**plain), ours("SELECT * FROM experiments_all")),
]


def snake(name):
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def column_of(name, columns):
    """Our column of a name of the SDK, or the four of a value of any type."""
    wanted = SAME.get(name, snake(name))
    if wanted in columns:
        return lambda row: row[wanted]
    if f"{wanted}_type" in columns:
        return lambda row: next((row[f"{wanted}_{form}"] for form in ("text", "number", "json") if row[f"{wanted}_{form}"] is not None), None)
    return None


def canonical(value):
    """One text for what is the same value in both: times as ms, booleans and numbers as numbers, JSON by its content."""
    if isinstance(value, (dict, list)):
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    if value is None or value is pd.NaT or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, pd.Timestamp):
        return f"time {value.value // 1_000_000}"
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, (bool, int, float)):
        return "%.15g" % value
    if re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", value):
        return f"time {pd.Timestamp(value).value // 1_000_000}"
    if value[:1] in "{[" and value != "":
        return json.dumps(json.loads(value), sort_keys=True, ensure_ascii=False)
    return value.split("?X-Goog")[0]


# An event without roomId has the room of its sessionId in the warehouse.
events = next(frame for call, _, frame, _ in CALLS if call == "get_events")
events["roomId"] = events.roomId.fillna(events.sessionId)

results = []
for call, relation, frame, rows in CALLS:
    columns = set(rows[0]) if rows else set()
    mapped = {name: column_of(name, columns) for name in frame.columns}
    present = [name for name, column in mapped.items() if column is not None]
    theirs = [[canonical(value) for value in row] for row in frame[present].itertuples(index=False, name=None)]
    held = [[canonical(mapped[name](row)) for name in present] for row in rows]
    order = lambda row: json.dumps(row)
    differ = []
    if sorted(theirs, key=order) != sorted(held, key=order):
        for i, name in enumerate(present):
            a, b = (sorted((row[i] for row in side), key=str) for side in (theirs, held))
            if a != b:
                differ.append([name, str(next(((x, y) for x, y in zip(a, b) if x != y), None))])
        differ = differ or [["", "rows"]]
    missing = [name for name, column in mapped.items() if column is None and frame[name].map(canonical).notna().any()]
    results.append({"call": call, "where": relation, "rows": [len(frame), len(rows)], "columns": len(present), "missing": missing, "differ": differ})

# What is no table of records.
names = dict(db.execute("SELECT data, table_name FROM _freshness"))
counted = [hs.get_counts(one["participant_id"], one["room_id"])["counts"] for one in people]
# Those of the participant in no room count for the person, but in no room of the API.
for one, counts in zip(people, counted):
    counts["events"] += int((events.roomId.isna() & (events.participantId == one["participant_id"])).sum())
held = [
    {data: ours(f"SELECT n_{names[data]} AS n FROM people WHERE room_id = ? AND participant_id = ?", *one.values())[0]["n"] for data in theirs}
    for one, theirs in zip(people, counted)
]
results.append({"call": "get_counts", "where": "people.n_…", "rows": [len(counted), len(people)], "columns": len(counted[0]), "missing": [],
                "differ": [[str(a), str(b)] for a, b in zip(counted, held) if a != b][:1]})
print(json.dumps({"results": results}, ensure_ascii=False))
