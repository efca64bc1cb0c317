function data = hswRead(file, relation, experiment, fresh)
%HSWREAD Reads a table or view of a HyperStudy Warehouse as a MATLAB table.
%   people = hswRead("data/demo.db", "people")
%   answers = hswRead("data/demo.db", "answers", "Gemeinsam schauen", days(2))
%
%   experiment is an id or a name, "" for all. fresh is a duration: data that are older are an error, and so are data
%   that are known to be incomplete.
%
%   Times become datetime (UTC), codes categorical, booleans logical where none is missing.
%
%   Limits. It needs the Database Toolbox, R2022a or later, whose sqlite objects return tables. It is written from
%   what is known of MATLAB, and was never run there. sqlite(file, 'readonly') has to
%   create files beside the warehouse if no other program has it open, so a read-only folder needs a copy made with
%   VACUUM INTO. Unlike the clients for R and Python, it does not notice a copy that lacks its log. Integers beyond 2^53
%   lose digits where MATLAB reads them as double. It does not run in Octave, which has neither SQLite nor tables: there
%   read what `hsw query --format csv` or `--format json` writes, as docs/querying.md shows.
arguments
    file (1, 1) string {mustBeFile}
    relation (1, 1) string
    experiment (1, 1) string = ""
    fresh (1, 1) duration = hours(Inf)
end
db = sqlite(file, "readonly");
closing = onCleanup(@() close(db));

id = experimentId(db, experiment);
checkFit(db, relation, id, fresh);
condition = "";
if id ~= ""
    condition = " WHERE experiment_id = " + quoted(id);
end
data = fetch(db, "SELECT * FROM """ + relation + """" + condition);

columns = fetch(db, "SELECT column_name, coalesce(unit, '') AS unit, is_boolean FROM _data_dictionary " + ...
    "WHERE table_name = " + quoted(relation));
codes = fetch(db, "SELECT DISTINCT column_name FROM _values WHERE question_id IS NULL AND table_name = " + quoted(relation));
for i = 1:height(columns)
    name = string(columns.column_name(i));
    if ~ismember(name, data.Properties.VariableNames)
        continue
    end
    values = data.(name);
    if columns.unit(i) == "ISO 8601, UTC"
        data.(name) = datetime(string(values), "InputFormat", "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "TimeZone", "UTC");
    elseif columns.is_boolean(i) == 1 && isnumeric(values) && ~any(ismissing(values))
        data.(name) = logical(values);
    elseif height(codes) > 0 && ismember(name, string(codes.column_name))
        data.(name) = categorical(string(values));
    end
end
end

function id = experimentId(db, experiment)
id = "";
if experiment == ""
    return
end
found = fetch(db, "SELECT DISTINCT experiment_id FROM experiments WHERE experiment_id = " + quoted(experiment) + ...
    " OR name = " + quoted(experiment));
assert(height(found) == 1, "hsw:experiment", "%d experiments are called %s.", height(found), experiment)
id = string(found.experiment_id(1));
end

function checkFit(db, relation, id, fresh)
from = "FROM _tables t JOIN _freshness f ON ', ' || t.data || ', ' LIKE '%, ' || f.data || ', %' WHERE t.name = " + quoted(relation);
if id ~= ""
    from = from + " AND f.experiment_id = " + quoted(id);
end
unfit = fetch(db, "SELECT f.data, f.experiment_id, coalesce(f.reason, 'not complete') AS why " + from + " AND f.complete IS NOT 1");
assert(isempty(unfit), "hsw:incomplete", "%s is incomplete. Run `hsw status`, and see _freshness.", relation)
if isfinite(fresh)
    limit = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-" + string(seconds(fresh)) + " seconds')";
    stale = fetch(db, "SELECT f.data, f.experiment_id " + from + " AND NOT f.finished AND coalesce(f.data_as_of, '') < " + limit);
    assert(isempty(stale), "hsw:stale", "%s is older than %s. Run `hsw sync now`.", relation, string(fresh))
end
end

function text = quoted(value)
text = "'" + replace(value, "'", "''") + "'";
end
