CREATE TABLE `_column_names` (
	`relation` text NOT NULL,
	`path` text NOT NULL,
	`column` text,
	`type` text NOT NULL,
	`unit` text,
	`since` text,
	PRIMARY KEY(`relation`, `path`, `type`)
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `_column_names_by_column` ON `_column_names` (`relation`,`column`);--> statement-breakpoint
INSERT INTO `_column_names` (`relation`, `path`, `type`) SELECT `table_name`, `column_name` || '.' || `key`, 'reserved' FROM `_seen_keys` ORDER BY 1, 2;--> statement-breakpoint
DROP TABLE `_seen_keys`;