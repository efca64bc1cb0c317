CREATE TABLE `media_files` (
	`experiment_id` text NOT NULL,
	`key` text NOT NULL,
	`recording_id` text,
	`room_id` text,
	`participant_id` text,
	`type` text,
	`status` text NOT NULL,
	`path` text,
	`bytes` integer,
	`sha256` text,
	`said_bytes` integer,
	`video_offset` real,
	`room_zero` text,
	`fetched_at` text,
	`tries` integer DEFAULT 0 NOT NULL,
	`retry_at` text,
	`problem` text,
	`etag` text,
	`total_bytes` integer,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `media_files_by_path` ON `media_files` (`path`);