CREATE TABLE `agent_spend` (
	`experiment_id` text NOT NULL,
	`key` text NOT NULL,
	`deployment_id` text,
	`total` real,
	`per_room` text,
	`extra` text,
	`first_seen_at` text NOT NULL,
	`synced_at` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
--> statement-breakpoint
CREATE TABLE `_answer_metadata` (
	`experiment_id` text NOT NULL,
	`data` text NOT NULL,
	`scope` text NOT NULL,
	`member` text NOT NULL,
	`value` text NOT NULL,
	`since` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `data`, `scope`, `member`)
) STRICT;
--> statement-breakpoint
CREATE TABLE `_experiment_starts` (
	`experiment_id` text NOT NULL,
	`data` text NOT NULL,
	`scope` text NOT NULL,
	`room_id` text,
	`started_at` text,
	`processing_version` text,
	`since` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `data`, `scope`)
) STRICT;
--> statement-breakpoint
ALTER TABLE `agent_decisions` ADD `cost_usd` real;--> statement-breakpoint
ALTER TABLE `agent_decisions` ADD `gate_fired` integer;--> statement-breakpoint
ALTER TABLE `agent_decisions` ADD `peer_model_snapshot` text;--> statement-breakpoint
ALTER TABLE `agent_decisions` ADD `prediction_update` text;--> statement-breakpoint
ALTER TABLE `agent_runs` ADD `persona_id` text;--> statement-breakpoint
ALTER TABLE `agent_runs` ADD `persona_name` text;--> statement-breakpoint
ALTER TABLE `agent_runs` ADD `total_input_tokens` integer;--> statement-breakpoint
ALTER TABLE `agent_runs` ADD `total_output_tokens` integer;--> statement-breakpoint
ALTER TABLE `agent_runs` ADD `turns` integer;--> statement-breakpoint
ALTER TABLE `agent_runs` ADD `code_commit_sha` text;--> statement-breakpoint
ALTER TABLE `agent_runs` ADD `cognition` text;--> statement-breakpoint
DROP VIEW IF EXISTS `agent_runs_all`;--> statement-breakpoint
UPDATE `agent_runs` SET `extra` = json_set(coalesce(`extra`, '{}'), '$.totals', json(`totals`)) WHERE `totals` IS NOT NULL;--> statement-breakpoint
INSERT OR IGNORE INTO `_seen_keys` SELECT DISTINCT 'agent_runs', 'extra', 'totals' FROM `agent_runs` WHERE json_extract(`extra`, '$.totals') IS NOT NULL;--> statement-breakpoint
ALTER TABLE `agent_runs` DROP COLUMN `totals`;--> statement-breakpoint
ALTER TABLE `deployments` ADD `owner_id` text;--> statement-breakpoint
ALTER TABLE `deployments` ADD `owner_name` text;--> statement-breakpoint
ALTER TABLE `deployments` ADD `participant_count` integer;--> statement-breakpoint
ALTER TABLE `deployments` ADD `max_participants` integer;--> statement-breakpoint
ALTER TABLE `events` ADD `deployment_id` text;--> statement-breakpoint
ALTER TABLE `events` ADD `value` text;--> statement-breakpoint
ALTER TABLE `events` ADD `data` text;--> statement-breakpoint
ALTER TABLE `eyetracking` ADD `gaze_x` real;--> statement-breakpoint
ALTER TABLE `eyetracking` ADD `gaze_y` real;--> statement-breakpoint
ALTER TABLE `eyetracking` ADD `pupil_diameter` real;--> statement-breakpoint
ALTER TABLE `participants` ADD `is_agent` integer;--> statement-breakpoint
ALTER TABLE `participants` ADD `diagnostics` text;