CREATE TABLE `_run_streams` (
	`run_id` integer NOT NULL,
	`experiment_id` text NOT NULL,
	`data` text NOT NULL,
	`scope` text NOT NULL,
	`inserted` integer NOT NULL,
	`updated` integer NOT NULL,
	`deleted` integer NOT NULL,
	`marked_missing` integer NOT NULL,
	PRIMARY KEY(`run_id`, `experiment_id`, `data`, `scope`)
) STRICT;
--> statement-breakpoint
CREATE TABLE `_runs` (
	`id` integer PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`version` text NOT NULL,
	`options` text,
	`started_at` text NOT NULL,
	`ended_at` text,
	`outcome` text,
	`error` text,
	`readings` integer DEFAULT 0 NOT NULL,
	`incomplete_streams` integer DEFAULT 0 NOT NULL,
	`requests` integer DEFAULT 0 NOT NULL,
	`inserted` integer DEFAULT 0 NOT NULL,
	`updated` integer DEFAULT 0 NOT NULL,
	`deleted` integer DEFAULT 0 NOT NULL,
	`marked_missing` integer DEFAULT 0 NOT NULL
) STRICT;
--> statement-breakpoint
ALTER TABLE `agent_decisions` ADD `synced_run` integer;--> statement-breakpoint
ALTER TABLE `agent_runs` ADD `synced_run` integer;--> statement-breakpoint
ALTER TABLE `agent_spend` ADD `synced_run` integer;--> statement-breakpoint
ALTER TABLE `chat` ADD `synced_run` integer;--> statement-breakpoint
ALTER TABLE `components` ADD `synced_run` integer;--> statement-breakpoint
ALTER TABLE `deployment_sessions` ADD `synced_run` integer;--> statement-breakpoint
ALTER TABLE `deployments` ADD `synced_run` integer;--> statement-breakpoint
ALTER TABLE `events` ADD `synced_run` integer;--> statement-breakpoint
ALTER TABLE `experiment_configs` ADD `synced_run` integer;--> statement-breakpoint
ALTER TABLE `experiments` ADD `synced_run` integer;--> statement-breakpoint
ALTER TABLE `eyetracking` ADD `synced_run` integer;--> statement-breakpoint
ALTER TABLE `participants` ADD `synced_run` integer;--> statement-breakpoint
ALTER TABLE `ratings_continuous` ADD `synced_run` integer;--> statement-breakpoint
ALTER TABLE `ratings_sparse` ADD `synced_run` integer;--> statement-breakpoint
ALTER TABLE `recordings` ADD `synced_run` integer;--> statement-breakpoint
ALTER TABLE `rooms` ADD `synced_run` integer;--> statement-breakpoint
ALTER TABLE `sync_metrics` ADD `synced_run` integer;--> statement-breakpoint
ALTER TABLE `variables` ADD `synced_run` integer;--> statement-breakpoint
ALTER TABLE `videochat` ADD `synced_run` integer;--> statement-breakpoint
ALTER TABLE `_history` ADD `run_id` integer;