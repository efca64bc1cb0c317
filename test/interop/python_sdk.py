"""Reads everything that the official SDK can read, in every scope, and prints it as one JSON document."""

import json
import os

import hyperstudy

hs = hyperstudy.HyperStudy(base_url=os.environ["HYPERSTUDY_BASE_URL"])
plain = {"output": "dict", "progress": False}

PAGED = {
    "events": hs.get_events,
    "recordings": hs.get_recordings,
    "chat": hs.get_chat,
    "videochat": hs.get_videochat,
    "sync": hs.get_sync,
    "ratings/continuous": lambda id, **options: hs.get_ratings(id, kind="continuous", **options),
    "ratings/sparse": lambda id, **options: hs.get_ratings(id, kind="sparse", **options),
    "eyetracking": hs.get_eyetracking,
    "components": hs.get_components,
}


def read_all(id, **scope):
    return {data_type: get(id, **scope, **plain) for data_type, get in PAGED.items()}


def read_decisions(id, **options):
    # A room's answer has the runs of its agents as well.
    rows = hs.get_agent_decisions(id, scope="room", output="dict", **options)
    return [row for row in rows if row["_type"] == "decision"]


def read_room(id):
    variables = hs.get_variables(id, output="dict")
    return {
        "data": {
            **read_all(id, scope="room"),
            "participants": hs.get_participants(id, scope="room", **plain),
            "agent-decisions": read_decisions(id, detail=True),
            "variables": variables["writes"],
        },
        "timeline": variables["timeline"],
        "decisions": [
            hs.get_agent_decision(id, decision["id"])
            for decision in read_decisions(id)
        ],
    }


def read_participant(id, room):
    scope = {"scope": "participant", "room_id": room}
    return {
        "id": id,
        "room": room,
        "data": read_all(id, **scope),
        "questionnaire": hs.get_questionnaire(id, **scope, **plain),
        "instructions": hs.get_instructions(id, **scope, **plain),
        "consent": hs.get_consent(id, **scope, **plain),
        "counts": hs.get_counts(id, room),
    }


def read_experiment(id):
    rooms = hs.get_rooms(id, **plain)
    participants = hs.get_participants(id, **plain)
    recordings = hs.get_recordings(id, **plain)
    deployments = hs.list_deployments(experiment_id=id, output="dict")
    return {
        "experiment": dict(hs.get_experiment(id)),
        "config": hs.get_experiment_config(id),
        "export": hs.export_experiment(id),
        "data": {
            **read_all(id),
            "participants": participants,
            "rooms": rooms,
            "agent-decisions": hs.get_agent_decisions(id, detail=True, output="dict"),
            "agent-runs": hs.get_agent_runs(id, output="dict"),
            "deployments": deployments,
            "deployment-sessions": [
                session
                for deployment in deployments
                for session in hs.get_deployment_sessions(deployment["id"], output="dict")
            ],
        },
        "deployment": hs.get_deployment(deployments[0]["id"]),
        "rooms": {room["id"]: read_room(room["id"]) for room in rooms},
        "participants": [read_participant(person["id"], person["roomId"]) for person in participants[:2]],
        "download": hs._download_url_for(recordings[0]),
    }


experiments = hs.list_experiments(**plain)
print(
    json.dumps(
        {
            "health": hs.health(),
            "experiments": experiments,
            "each": {experiment["id"]: read_experiment(experiment["id"]) for experiment in experiments},
        }
    )
)
