CREATE TABLE `_field_types` (
	`data` text NOT NULL,
	`field` text NOT NULL,
	`type` text NOT NULL,
	`change_id` integer,
	PRIMARY KEY(`data`, `field`, `type`)
) STRICT;
--> statement-breakpoint
CREATE TABLE `_schema_changes` (
	`id` integer PRIMARY KEY NOT NULL,
	`data` text NOT NULL,
	`field` text,
	`change` text NOT NULL,
	`type_before` text,
	`type_now` text,
	`experiment_id` text NOT NULL,
	`records` integer NOT NULL,
	`since` text,
	`seen_at` text NOT NULL,
	`accepted_at` text
) STRICT;
--> statement-breakpoint
CREATE INDEX `_schema_changes_by_data` ON `_schema_changes` (`data`,`seen_at`);