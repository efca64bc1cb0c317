# Writes every table and view that readers use as RSQLite, dplyr and our client read it, a file each: read_all.py compares.
arguments <- commandArgs(TRUE)
path <- arguments[1]
tools <- strsplit(arguments[2], ",")[[1]]
folder <- arguments[3]
source(arguments[4])
db <- DBI::dbConnect(RSQLite::SQLite(), path, flags = RSQLite::SQLITE_RO, synchronous = NULL)
names <- DBI::dbGetQuery(db, "SELECT name FROM _tables")$name

text <- function(values) {
  if (inherits(values, "POSIXct")) {
    ms <- round(as.numeric(values) * 1000)
    whole <- as.POSIXct(ms %/% 1000, origin = "1970-01-01", tz = "UTC")
    values <- ifelse(is.na(ms), NA, sprintf("%s.%03dZ", format(whole, "%Y-%m-%dT%H:%M:%S"), as.integer(ms %% 1000)))
  }
  if (is.factor(values)) values <- as.character(values)
  if (inherits(values, "integer64")) return(ifelse(is.na(values), "NULL", as.character(values)))
  if (is.logical(values)) values <- as.integer(values)
  if (is.numeric(values)) return(ifelse(is.na(values), "NULL", sprintf("%.17g", values)))
  values <- enc2utf8(as.character(values))
  for (pair in list(c("\\", "\\\\"), c("\n", "\\n"), c("\r", "\\r"), c("\t", "\\t"))) {
    values <- gsub(pair[1], pair[2], values, fixed = TRUE)
  }
  ifelse(is.na(values), "NULL", paste0("'", values))
}

read <- list(
  rsqlite = function(name) DBI::dbReadTable(db, name, check.names = FALSE),
  dplyr = function(name) dplyr::collect(dplyr::tbl(db, name)),
  rclient = function(name) hsw_read(hsw, name, complete = FALSE)
)
hsw <- hsw_open(path, quiet = TRUE)
for (tool in tools) {
  dir.create(file.path(folder, tool), recursive = TRUE)
  for (name in names) {
    rows <- suppressWarnings(read[[tool]](name))
    lines <- if (nrow(rows) == 0) character() else do.call(paste, c(unname(lapply(rows, text)), sep = "\t"))
    file <- file(file.path(folder, tool, name), "wb")
    writeLines(lines, file, useBytes = TRUE)
    close(file)
  }
}
