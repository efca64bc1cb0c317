"""Pages of ratings by requests, for the peers that have no client of their own for this API."""

import requests


def pages(url, **params):
    session = requests.Session()
    offset = 0
    while offset is not None:
        query = {"limit": 1000, "sort": "timestamp", "order": "asc", "offset": offset, **params}
        answer = session.get(f"{url}/data/ratings/continuous/experiment/exp_1", params=query).json()
        yield answer["data"]
        pagination = answer["metadata"]["pagination"]
        offset = pagination.get("nextOffset") if pagination["hasMore"] else None
