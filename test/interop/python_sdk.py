"""Reads everything that the official SDK can read and prints it as one JSON document."""

import json
import os

import hyperstudy

hs = hyperstudy.HyperStudy(base_url=os.environ["HYPERSTUDY_BASE_URL"])
plain = {"output": "dict", "progress": False}
experiments = hs.list_experiments(**plain)
out = {"experiments": experiments, "data": {}, "variables": {}, "configs": {}, "sessions": {}, "rooms": {}, "health": hs.health()}

for experiment in experiments:
    id = experiment["id"]
    rooms = hs.get_rooms(id, **plain)
    out["data"][id] = {
        "events": hs.get_events(id, **plain),
        "recordings": hs.get_recordings(id, **plain),
        "chat": hs.get_chat(id, **plain),
        "videochat": hs.get_videochat(id, **plain),
        "sync": hs.get_sync(id, **plain),
        "ratings/continuous": hs.get_ratings(id, kind="continuous", **plain),
        "ratings/sparse": hs.get_ratings(id, kind="sparse", **plain),
        "eyetracking": hs.get_eyetracking(id, **plain),
        "components": hs.get_components(id, **plain),
        "participants": hs.get_participants(id, **plain),
        "rooms": rooms,
        "agent-decisions": hs.get_agent_decisions(id, detail=True, output="dict"),
        "agent-runs": hs.get_agent_runs(id, output="dict"),
        "deployments": hs.list_deployments(experiment_id=id, output="dict"),
    }
    for room in rooms:
        out["variables"][room["id"]] = hs.get_variables(room["id"], output="dict")["writes"]
    out["configs"][id] = hs.get_experiment_config(id)
    out["sessions"][id] = [
        session
        for deployment in out["data"][id]["deployments"]
        for session in hs.get_deployment_sessions(deployment["id"], output="dict")
    ]

first = out["data"][experiments[0]["id"]]
person, room = first["participants"][0]["id"], first["participants"][0]["roomId"]
out["rooms"][room] = hs.get_events(room, scope="room", **plain)
out["participant"] = {
    "id": person,
    "room": room,
    "events": hs.get_events(person, scope="participant", room_id=room, **plain),
    "counts": hs.get_counts(person, room),
}
out["download"] = hs._download_url_for(first["recordings"][0])
print(json.dumps(out))
