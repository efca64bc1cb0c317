# Reads a HyperStudy Warehouse: one file to copy beside your analysis. It needs DBI and RSQLite.
#
#   source("hyperstudy_warehouse.R")
#   db <- hsw_open("data/demo.db")
#   answers <- hsw_read(db, "answers", experiment = "Gemeinsam schauen", fresh = "2 days")
#   DBI::dbDisconnect(db)

hsw_copy <- "sqlite3 original.db \"VACUUM INTO 'copy.db'\""

# Opens a warehouse read-only, as a connection of RSQLite, and says how fresh it is.
hsw_open <- function(path, quiet = FALSE) {
  sqlite <- RSQLite::rsqliteVersion()[[2]]
  if (numeric_version(sqlite) < "3.37") stop("RSQLite has SQLite ", sqlite, "; 3.37 or newer is needed.", call. = FALSE)
  if (!file.exists(path)) stop("There is no file ", path, ".", call. = FALSE)
  path <- normalizePath(path)
  header <- readBin(path, "raw", 20)
  if (length(header) < 20 || rawToChar(header[1:15]) != "SQLite format 3") {
    stop(path, " is not a SQLite file.", call. = FALSE)
  }
  log <- paste0(path, "-wal")
  # Beside the original lies its lock; when the last program closes it, its log may go, and nothing is in it then.
  if (header[19] == 2 && !file.exists(log) && !file.exists(paste0(path, ".lock"))) {
    stop(path, " is a copy without its log, the file -wal beside the original, which may hold the latest rows. ",
      "Copy it again with: ", hsw_copy, call. = FALSE)
  }
  db <- hsw_connect(path, log)
  if (!"_freshness" %in% DBI::dbListTables(db)) {
    DBI::dbDisconnect(db)
    stop(path, " is not a HyperStudy Warehouse.", call. = FALSE)
  }
  if (!quiet) message(hsw_how_fresh(db, path))
  db
}

hsw_connect <- function(path, log) {
  connect <- function(name) {
    db <- DBI::dbConnect(RSQLite::SQLite(), name, flags = RSQLite::SQLITE_RO, synchronous = NULL, bigint = "integer64")
    read <- try(DBI::dbGetQuery(db, "SELECT count(*) FROM sqlite_master"), silent = TRUE)
    if (!inherits(read, "try-error")) {
      # An index of a million ratings (45 MB) stays in memory from one query to the next.
      DBI::dbExecute(db, "PRAGMA cache_size = -65536")
      return(db)
    }
    DBI::dbDisconnect(db)
    read
  }
  db <- suppressWarnings(try(connect(path), silent = TRUE))
  if (!inherits(db, "try-error")) return(db)
  # On a read-only medium SQLite cannot create what it shares with a writer. There is none where the log is empty.
  if (!grepl("unable to open|readonly", db)) stop(path, " cannot be read: ", db, call. = FALSE)
  if (file.exists(log) && file.size(log) > 0) {
    stop(path, " has rows in its log that cannot be read in a read-only folder. Copy it with: ", hsw_copy, call. = FALSE)
  }
  uri <- paste0("file:", utils::URLencode(path), "?immutable=1")
  db <- suppressWarnings(try(connect(uri), silent = TRUE))
  if (inherits(db, "try-error")) {
    stop(path, " cannot be opened for reading; check who may read it.", call. = FALSE)
  }
  db
}

hsw_how_fresh <- function(db, path) {
  found <- DBI::dbGetQuery(db, "SELECT count(*) AS streams, sum(complete IS NOT 1) AS incomplete,
    min(CASE WHEN NOT finished THEN data_as_of END) AS oldest FROM _freshness")
  state <- if (isTRUE(found$incomplete == 0)) "all complete" else paste(found$incomplete, "incomplete (see _freshness)")
  paste0(path, ": ", found$streams, " streams, ", state, ", data as of ", found$oldest)
}

# Reads a table or view with the types that the warehouse declares.
#   experiment    an id or a name
#   fresh         how old the data may be, such as "2 days"; older data are an error
#   complete      data that are known to be incomplete are an error; with FALSE they are a warning
#   where, params a condition in SQL and its values
#   labels        what codes mean instead of the codes
hsw_read <- function(db, relation, experiment = NULL, fresh = NULL, complete = TRUE, where = NULL, params = list(),
                     labels = FALSE) {
  id <- hsw_experiment_id(db, experiment)
  hsw_check_fit(db, relation, id, fresh, complete)
  if (!is.null(id) && !"experiment_id" %in% DBI::dbListFields(db, relation)) {
    stop(relation, " is the same for all experiments: read it without `experiment`.", call. = FALSE)
  }
  conditions <- c(if (!is.null(id)) "experiment_id = ?", if (!is.null(where)) paste0("(", where, ")"))
  sql <- paste("SELECT * FROM", hsw_name(relation))
  if (length(conditions) > 0) sql <- paste(sql, "WHERE", paste(conditions, collapse = " AND "))
  hsw_typed(db, relation, sql, c(as.list(id), params), labels)
}

# Events with their nested fields as columns; `event_type` may end in `*`.
hsw_events <- function(db, event_type = NULL, ...) {
  if (is.null(event_type)) return(hsw_read(db, "events_all", ...))
  hsw_read(db, "events_all", where = "event_type GLOB ?", params = list(event_type), ...)
}

# Ratings ("continuous" or "sparse") in the order of time. condition: the name of a variable whose last value becomes the column `condition`,
# as a text: the participant's own or else the room's. medium: adds `stage_number`, `state_name` and `medium`: what was
# on the screen at that onset.
hsw_ratings <- function(db, experiment = NULL, kind = "continuous", condition = NULL, medium = FALSE, fresh = NULL,
                        complete = TRUE) {
  if (!kind %in% c("continuous", "sparse")) stop("kind = \"", kind, "\" is neither \"continuous\" nor \"sparse\".", call. = FALSE)
  table <- paste0("ratings_", kind)
  id <- hsw_experiment_id(db, experiment)
  for (relation in c(table, if (!is.null(condition)) "variable_values", if (medium) "stages")) {
    hsw_check_fit(db, relation, id, fresh, complete)
  }
  names <- DBI::dbListFields(db, table)
  if (medium) names <- setdiff(names, c("state_name", "medium"))
  columns <- paste0("r.", hsw_name(names))
  joins <- ""
  if (!is.null(condition)) {
    hsw_check_variable(db, condition, id)
    columns <- c(columns, "(SELECT coalesce(value_text, value_json, CAST(CASE value_type WHEN 'number' THEN value_number
        ELSE CAST(value_number AS INTEGER) END AS TEXT))
      FROM variable_values v WHERE v.room_id = r.room_id AND v.variable = ? AND is_last = 1 AND value_type IS NOT NULL
      AND v.experiment_id = r.experiment_id AND (v.participant_id = r.participant_id OR v.owner = 'room')
      ORDER BY v.owner = 'room' LIMIT 1) AS condition")
  }
  if (medium) {
    columns <- c(columns, "s.number AS stage_number", "s.state_name", "s.medium")
    # A rating that names its state was not given in another one.
    own <- if (kind == "sparse") " AND (r.state_id IS NULL OR state_id = r.state_id)" else ""
    joins <- paste0("LEFT JOIN stages s ON s.rowid = (SELECT rowid FROM stages WHERE room_id = r.room_id
      AND participant_id = r.participant_id AND experiment_id = r.experiment_id", own, "
      AND start_onset <= r.onset AND (end_onset > r.onset OR end_onset IS NULL) ORDER BY start_onset DESC LIMIT 1)")
  }
  sql <- paste("SELECT", paste(columns, collapse = ", "), "FROM", table, "r", joins)
  if (!is.null(id)) sql <- paste(sql, "WHERE r.experiment_id = ?")
  sql <- paste(sql, "ORDER BY r.experiment_id, r.room_id, r.participant_id, r.timestamp")
  hsw_typed(db, table, sql, c(as.list(condition), as.list(id)), FALSE)
}

# What each column means, what it means that there is no value, its unit, and the codes that it may have.
hsw_codebook <- function(db, relation = NULL) {
  sql <- "SELECT d.table_name, d.column_name, d.type, d.unit, d.is_boolean, d.meaning, d.missing,
    (SELECT group_concat(coalesce(value_text, value_number) || ' = ' || label, '; ') FROM _values v
     WHERE v.table_name = d.table_name AND v.column_name = d.column_name AND v.question_id IS NULL) AS codes
    FROM _data_dictionary d"
  if (!is.null(relation)) {
    hsw_check_exists(db, relation)
    sql <- paste(sql, "WHERE d.table_name = ?")
  }
  hsw_typed(db, "_data_dictionary", sql, as.list(relation), FALSE)
}

hsw_experiment_id <- function(db, experiment) {
  if (is.null(experiment)) return(NULL)
  if (length(experiment) != 1) stop("`experiment` is one id or name: leave it out to read all.", call. = FALSE)
  known <- DBI::dbGetQuery(db, "SELECT DISTINCT experiment_id, name FROM experiments")
  experiment <- enc2utf8(experiment)
  found <- known$experiment_id[known$experiment_id == experiment | known$name %in% experiment]
  if (length(found) == 1) return(found)
  if (length(found) > 1) {
    stop("More than one experiment is called ", experiment, ": give the id, one of ", paste(found, collapse = ", "), ".",
      call. = FALSE)
  }
  stop("There is no experiment ", experiment, ". There are: ",
    paste0(known$name, " (", known$experiment_id, ")", collapse = ", "), ".", call. = FALSE)
}

hsw_check_exists <- function(db, relation) {
  # SQLite knows a name in any case, but what is declared of a table is found by its own.
  if (!relation %in% DBI::dbListTables(db)) {
    stop("There is no table or view ", relation, ": `_tables` lists all.", call. = FALSE)
  }
}

hsw_check_variable <- function(db, variable, experiment) {
  sql <- "SELECT DISTINCT variable FROM variable_values WHERE variable IS NOT NULL AND (?1 IS NULL OR experiment_id = ?1) ORDER BY 1"
  known <- DBI::dbGetQuery(db, sql, params = list(if (is.null(experiment)) NA_character_ else experiment))$variable
  if (!enc2utf8(variable) %in% known) {
    there <- if (length(known) > 0) paste(known, collapse = ", ") else "none"
    stop("There is no variable ", variable, ". There are: ", there, ".", call. = FALSE)
  }
}

# Stops where the data that a table or view comes from are incomplete or too old.
hsw_check_fit <- function(db, relation, experiment, fresh, complete) {
  hsw_check_exists(db, relation)
  listed <- DBI::dbGetQuery(db, "SELECT name, data FROM _tables WHERE data <> ''")
  # The tables are listed when a writer opens the file; it may create one with a row a person later.
  unlisted <- startsWith(relation, "wide_") && !relation %in% listed$name
  from <- if (unlisted) c("people", "answers", "variable_values") else relation
  data <- unique(unlist(strsplit(listed$data[listed$name %in% from], ", ")))
  if (length(data) == 0) return(invisible())
  streams <- DBI::dbGetQuery(db, "SELECT experiment_id, data, complete, reason, finished, data_as_of FROM _freshness")
  streams <- streams[streams$data %in% data, ]
  if (!is.null(experiment)) streams <- streams[streams$experiment_id == experiment, ]
  if (nrow(streams) == 0) {
    stop(relation, ": ", paste(data, collapse = ", "), " was never read. Run `hsw sync now`.", call. = FALSE)
  }
  unread <- setdiff(data, streams$data)
  if (length(unread) > 0) {
    warning(relation, " lacks what comes from ", paste(unread, collapse = ", "), ", which this warehouse does not keep.",
      call. = FALSE)
  }
  told <- function(rows, what) {
    texts <- paste0(rows$data, " of ", rows$experiment_id, ": ", what)
    paste(c(utils::head(texts, 3), if (length(texts) > 3) paste("and", length(texts) - 3, "more")), collapse = "; ")
  }
  incomplete <- streams[!streams$complete %in% 1, ]
  if (nrow(incomplete) > 0) {
    reason <- ifelse(is.na(incomplete$reason), "not complete", incomplete$reason)
    text <- paste0(relation, " is incomplete: ", told(incomplete, reason))
    if (complete) stop(text, ". Run `hsw status`, or read it as it is with complete = FALSE.", call. = FALSE)
    warning(text, call. = FALSE)
  }
  if (is.null(fresh)) return(invisible())
  limit <- format(Sys.time() - hsw_seconds(fresh), "%Y-%m-%dT%H:%M:%S.000Z", tz = "UTC")
  stale <- streams[streams$finished == 0 & (is.na(streams$data_as_of) | streams$data_as_of < limit), ]
  if (nrow(stale) > 0) {
    as_of <- ifelse(is.na(stale$data_as_of), "never", stale$data_as_of)
    stop(relation, " is older than ", fresh, ": ", told(stale, paste("as of", as_of)), ". Run `hsw sync now`.", call. = FALSE)
  }
}

hsw_seconds <- function(text) {
  parts <- regmatches(text, regexec("^\\s*([0-9.]+)\\s*(second|minute|hour|day|week)s?\\s*$", text))[[1]]
  if (length(parts) == 0) {
    stop("fresh = \"", text, "\" is not a duration: write \"2 days\", \"12 hours\" or \"30 minutes\".", call. = FALSE)
  }
  as.numeric(parts[2]) * c(second = 1, minute = 60, hour = 3600, day = 86400, week = 604800)[[parts[3]]]
}

hsw_name <- function(name) paste0("\"", gsub("\"", "\"\"", name), "\"")

# What each column is: time, boolean, integer, number or text, by the dictionary. A view's column is what the tables
# that have one of that name agree upon.
hsw_kinds <- function(db, relation, names) {
  known <- DBI::dbGetQuery(db, "SELECT table_name, column_name, CASE WHEN is_boolean = 1 THEN 'boolean'
    WHEN unit = 'ISO 8601, UTC' THEN 'time' WHEN type = 'INTEGER' THEN 'integer' WHEN type = 'REAL' THEN 'number'
    ELSE 'text' END AS kind FROM _data_dictionary")
  own <- known[known$table_name == relation, ]
  agreed <- tapply(known$kind, known$column_name, function(kinds) if (length(unique(kinds)) == 1) kinds[1] else NA)
  agreed <- c(agreed, condition = "text", stage_number = "integer")
  kinds <- own$kind[match(names, own$column_name)]
  ifelse(is.na(kinds), unname(agreed[names]), kinds)
}

hsw_typed <- function(db, relation, sql, params, labels) {
  # RSQLite takes a column's type from its first rows, so that of an empty column is given by the dictionary.
  frame <- DBI::dbGetQuery(db, sql, params = if (length(params) > 0) unname(params))
  kinds <- hsw_kinds(db, relation, names(frame))
  base <- if (relation == "questionnaire") "answers" else relation
  codes <- DBI::dbGetQuery(db, "SELECT column_name, value_text, label FROM _values
    WHERE table_name = ? AND question_id IS NULL AND value_text IS NOT NULL ORDER BY position", params = list(base))
  for (i in seq_along(frame)) {
    frame[[i]] <- hsw_convert(frame[[i]], kinds[i])
    coded <- codes[codes$column_name == names(frame)[i], ]
    if (nrow(coded) > 0) frame[[i]] <- hsw_factor(frame[[i]], coded, labels)
  }
  frame
}

hsw_convert <- function(values, kind) {
  switch(if (is.na(kind)) "text" else kind,
    boolean = as.logical(as.integer(values)),
    # Without a format, as.POSIXct keeps only the date of these texts.
    time = as.POSIXct(as.character(values), format = "%Y-%m-%dT%H:%M:%OSZ", tz = "UTC"),
    number = as.numeric(values),
    integer = hsw_integer(values),
    values
  )
}

# integer64 only where a value does not fit an integer of R.
hsw_integer <- function(values) {
  if (all(is.na(values)) || all(abs(as.numeric(values)) <= .Machine$integer.max, na.rm = TRUE)) as.integer(values) else values
}

hsw_factor <- function(values, coded, labels) {
  levels <- c(coded$value_text, sort(setdiff(values[!is.na(values)], coded$value_text)))
  meaning <- c(coded$label, levels[-seq_len(nrow(coded))])
  if (labels) return(factor(values, levels = levels, labels = meaning))
  structure(factor(values, levels = levels), labels = stats::setNames(meaning, levels))
}
