"""Makes the calls that standard input names with the official SDK, and prints what each gives as one JSON document."""

import json
import sys
import warnings

import hyperstudy
import pandas as pd


def plain(cell):
    if isinstance(cell, (dict, list)):
        return cell
    if pd.isna(cell):
        return None
    return cell.isoformat() if isinstance(cell, pd.Timestamp) else cell


def outcome(base_url, method, args, options):
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            answer = getattr(hyperstudy.HyperStudy(base_url=base_url), method)(*args, **options)
        except hyperstudy.HyperStudyError as error:
            return {"error": {"message": error.message, "code": error.code, "status": error.status_code}}
    result = {"warnings": [str(warning.message) for warning in warned if warning.category is UserWarning]}
    if isinstance(answer, pd.DataFrame):
        names = list(answer.columns)
        columns = [[plain(cell) for cell in answer[name].tolist()] for name in names]
        return {**result, "columns": names, "rows": [dict(zip(names, row)) for row in zip(*columns)]}
    return {**result, "columns": list(answer), "rows": [answer]}


print(json.dumps({name: outcome(*call) for name, call in json.load(sys.stdin).items()}))
