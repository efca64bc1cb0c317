/** Every table's row number has these names in SQLite, so that no column can be added under one of them. */
export const ROW_NUMBER_NAMES: readonly string[] = ['rowid', 'oid', '_rowid_'];

/** Words that SQLite does not read as the name of a column, unless they are quoted. */
export const SQL_WORDS: ReadonlySet<string> = new Set(
  `add all alter and as autoincrement between case cast check collate commit constraint create current_date current_time
  current_timestamp default deferrable delete distinct drop else escape except exists false foreign from group having in
  index insert intersect into is isnull join limit not nothing notnull null on or order primary raise references returning
  select set table then to transaction true union unique update using values when where`.split(/\s+/),
);
