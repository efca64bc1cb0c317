CREATE TABLE `_growth` (
	`at` text PRIMARY KEY NOT NULL,
	`rows` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `_state` (
	`name` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL,
	`updated_at` text NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `_verified_rooms` (
	`experiment_id` text NOT NULL,
	`data` text NOT NULL,
	`room_id` text NOT NULL,
	`verified_at` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `data`, `room_id`)
) STRICT;
--> statement-breakpoint
ALTER TABLE `_ledger` ADD `priority` integer DEFAULT 5 NOT NULL;--> statement-breakpoint
ALTER TABLE `_quarantine` ADD `scope` text DEFAULT 'experiment' NOT NULL;--> statement-breakpoint
ALTER TABLE `_streams` ADD `listed_at` text;--> statement-breakpoint
ALTER TABLE `_streams` ADD `counted_at` text;--> statement-breakpoint
ALTER TABLE `_streams` ADD `reread_began` text;--> statement-breakpoint
ALTER TABLE `_streams` ADD `reread_to` text;