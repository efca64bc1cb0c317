CREATE TABLE `_erased_people` (
	`id` integer PRIMARY KEY NOT NULL,
	`person` text NOT NULL,
	`room` text,
	`erased_at` text NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `_erased_records` (
	`experiment_id` text NOT NULL,
	`data` text NOT NULL,
	`mark` text NOT NULL,
	`scope` text NOT NULL,
	`room_id` text,
	`time` text,
	`last_seen_at` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `data`, `mark`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `_erased_records_by_time` ON `_erased_records` (`experiment_id`,`data`,`time`);--> statement-breakpoint
CREATE TABLE `_erasures` (
	`id` integer PRIMARY KEY NOT NULL,
	`at` text NOT NULL,
	`version` text NOT NULL,
	`receipt` text NOT NULL,
	`overwritten_at` text
) STRICT;
