CREATE TABLE `_missing_rows` (
	`experiment_id` text NOT NULL,
	`data` text NOT NULL,
	`scope` text NOT NULL,
	`key` text NOT NULL,
	`missed_at` text NOT NULL,
	`last_missed_at` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `data`, `scope`, `key`)
) STRICT;
--> statement-breakpoint
ALTER TABLE `_quarantine` ADD `last_seen_at` text;--> statement-breakpoint
ALTER TABLE `_streams` ADD `doubts` text;--> statement-breakpoint
ALTER TABLE `_streams` ADD `api_total` integer;--> statement-breakpoint
ALTER TABLE `_streams` ADD `accounted_at` text;--> statement-breakpoint
ALTER TABLE `_streams` ADD `quarantined_records` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `_streams` ADD `withheld_rows` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `_streams` ADD `missing_rows` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `_streams` ADD `dated_ahead_rows` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `_streams` ADD `deleted_rows` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `_streams` ADD `deleted_from` text;--> statement-breakpoint
ALTER TABLE `_streams` ADD `reread_reason` text;--> statement-breakpoint
ALTER TABLE `_streams` ADD `server_basis` text;--> statement-breakpoint
DELETE FROM `_endpoints`;