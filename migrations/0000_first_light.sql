CREATE TABLE `agent_decisions` (
	`experiment_id` text NOT NULL,
	`key` text NOT NULL,
	`id` text,
	`_type` text,
	`room_id` text,
	`participant_id` text,
	`seq` integer,
	`state_id` text,
	`state_name` text,
	`timestamp` text,
	`turn_kind` text,
	`action` text,
	`value` any,
	`provider` text,
	`model` text,
	`latency_ms` real,
	`input_tokens` integer,
	`output_tokens` integer,
	`prompt` any,
	`reasoning` any,
	`chain` text,
	`extra` text,
	`first_seen_at` text NOT NULL,
	`synced_at` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `agent_decisions_by_experiment_and_time` ON `agent_decisions` (`experiment_id`,`timestamp`);--> statement-breakpoint
CREATE INDEX `agent_decisions_by_room_and_time` ON `agent_decisions` (`room_id`,`timestamp`);--> statement-breakpoint
CREATE INDEX `agent_decisions_by_participant_and_time` ON `agent_decisions` (`participant_id`,`timestamp`);--> statement-breakpoint
CREATE TABLE `agent_runs` (
	`experiment_id` text NOT NULL,
	`key` text NOT NULL,
	`id` text,
	`room_id` text,
	`participant_id` text,
	`started_at` text,
	`ended_at` text,
	`provider` text,
	`model` text,
	`seed` any,
	`totals` text,
	`total_cost_usd` real,
	`room_status` text,
	`orphaned` integer,
	`extra` text,
	`first_seen_at` text NOT NULL,
	`synced_at` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `agent_runs_by_experiment_and_time` ON `agent_runs` (`experiment_id`,`started_at`);--> statement-breakpoint
CREATE INDEX `agent_runs_by_room_and_time` ON `agent_runs` (`room_id`,`started_at`);--> statement-breakpoint
CREATE INDEX `agent_runs_by_participant_and_time` ON `agent_runs` (`participant_id`,`started_at`);--> statement-breakpoint
CREATE TABLE `chat` (
	`experiment_id` text NOT NULL,
	`key` text NOT NULL,
	`message_id` text,
	`room_id` text,
	`sender_id` text,
	`sender_name` text,
	`content` text,
	`timestamp` text,
	`onset` real,
	`recipient_ids` text,
	`message_type` text,
	`extra` text,
	`first_seen_at` text NOT NULL,
	`synced_at` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `chat_by_experiment_and_time` ON `chat` (`experiment_id`,`timestamp`);--> statement-breakpoint
CREATE INDEX `chat_by_room_and_time` ON `chat` (`room_id`,`timestamp`);--> statement-breakpoint
CREATE TABLE `components` (
	`experiment_id` text NOT NULL,
	`key` text NOT NULL,
	`room_id` text,
	`participant_id` text,
	`component_id` text,
	`component_type` text,
	`state_id` text,
	`timestamp` text,
	`onset` real,
	`completed` integer,
	`config` text,
	`variable_snapshot` text,
	`extra` text,
	`first_seen_at` text NOT NULL,
	`synced_at` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `components_by_experiment_and_time` ON `components` (`experiment_id`,`timestamp`);--> statement-breakpoint
CREATE INDEX `components_by_room_and_time` ON `components` (`room_id`,`timestamp`);--> statement-breakpoint
CREATE INDEX `components_by_participant_and_time` ON `components` (`participant_id`,`timestamp`);--> statement-breakpoint
CREATE TABLE `deployment_sessions` (
	`experiment_id` text NOT NULL,
	`key` text NOT NULL,
	`id` text,
	`deployment_id` text,
	`status` text,
	`participant_count` integer,
	`created_at` text,
	`started_at` text,
	`ended_at` text,
	`extra` text,
	`first_seen_at` text NOT NULL,
	`synced_at` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `deployment_sessions_by_experiment_and_time` ON `deployment_sessions` (`experiment_id`,`created_at`);--> statement-breakpoint
CREATE TABLE `deployments` (
	`experiment_id` text NOT NULL,
	`key` text NOT NULL,
	`id` text,
	`name` text,
	`status` text,
	`type` text,
	`created_at` text,
	`updated_at` text,
	`extra` text,
	`first_seen_at` text NOT NULL,
	`synced_at` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `deployments_by_experiment_and_time` ON `deployments` (`experiment_id`,`created_at`);--> statement-breakpoint
CREATE TABLE `events` (
	`experiment_id` text NOT NULL,
	`key` text NOT NULL,
	`id` text,
	`room_id` text,
	`participant_id` text,
	`participant_role` text,
	`timestamp` text,
	`onset` real,
	`event_type` text,
	`category` text,
	`component_type` text,
	`component_id` text,
	`content` text,
	`state_id` text,
	`state_name` text,
	`duration` real,
	`response` text,
	`extra` text,
	`first_seen_at` text NOT NULL,
	`synced_at` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `events_by_experiment_and_time` ON `events` (`experiment_id`,`timestamp`);--> statement-breakpoint
CREATE INDEX `events_by_room_and_time` ON `events` (`room_id`,`timestamp`);--> statement-breakpoint
CREATE INDEX `events_by_participant_and_time` ON `events` (`participant_id`,`timestamp`);--> statement-breakpoint
CREATE TABLE `experiment_configs` (
	`experiment_id` text NOT NULL,
	`key` text NOT NULL,
	`name` text,
	`description` text,
	`states` text,
	`roles` text,
	`variables` text,
	`global_components` text,
	`extra` text,
	`first_seen_at` text NOT NULL,
	`synced_at` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
--> statement-breakpoint
CREATE TABLE `experiments` (
	`experiment_id` text NOT NULL,
	`key` text NOT NULL,
	`id` text,
	`name` text,
	`description` text,
	`owner_email` text,
	`room_count` integer,
	`participant_count` integer,
	`created_at` text,
	`updated_at` text,
	`extra` text,
	`first_seen_at` text NOT NULL,
	`synced_at` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `experiments_by_experiment_and_time` ON `experiments` (`experiment_id`,`created_at`);--> statement-breakpoint
CREATE TABLE `eyetracking` (
	`experiment_id` text NOT NULL,
	`key` text NOT NULL,
	`room_id` text,
	`participant_id` text,
	`timestamp` text,
	`onset` real,
	`x` real,
	`y` real,
	`confidence` real,
	`extra` text,
	`first_seen_at` text NOT NULL,
	`synced_at` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `eyetracking_by_experiment_and_time` ON `eyetracking` (`experiment_id`,`timestamp`);--> statement-breakpoint
CREATE INDEX `eyetracking_by_room_and_time` ON `eyetracking` (`room_id`,`timestamp`);--> statement-breakpoint
CREATE INDEX `eyetracking_by_participant_and_time` ON `eyetracking` (`participant_id`,`timestamp`);--> statement-breakpoint
CREATE TABLE `participants` (
	`experiment_id` text NOT NULL,
	`key` text NOT NULL,
	`id` text,
	`room_id` text,
	`role` text,
	`status` text,
	`completion_code` text,
	`email` text,
	`joined_at` text,
	`completed_at` text,
	`extra` text,
	`first_seen_at` text NOT NULL,
	`synced_at` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `participants_by_experiment_and_time` ON `participants` (`experiment_id`,`joined_at`);--> statement-breakpoint
CREATE INDEX `participants_by_room_and_time` ON `participants` (`room_id`,`joined_at`);--> statement-breakpoint
CREATE TABLE `ratings_continuous` (
	`experiment_id` text NOT NULL,
	`key` text NOT NULL,
	`rating_id` text,
	`room_id` text,
	`participant_id` text,
	`component_id` text,
	`timestamp` text,
	`onset` real,
	`value` real,
	`normalized_value` real,
	`raw_value` real,
	`scale_min` real,
	`scale_max` real,
	`extra` text,
	`first_seen_at` text NOT NULL,
	`synced_at` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `ratings_continuous_by_experiment_and_time` ON `ratings_continuous` (`experiment_id`,`timestamp`);--> statement-breakpoint
CREATE INDEX `ratings_continuous_by_room_and_time` ON `ratings_continuous` (`room_id`,`timestamp`);--> statement-breakpoint
CREATE INDEX `ratings_continuous_by_participant_and_time` ON `ratings_continuous` (`participant_id`,`timestamp`);--> statement-breakpoint
CREATE TABLE `ratings_sparse` (
	`experiment_id` text NOT NULL,
	`key` text NOT NULL,
	`rating_id` text,
	`room_id` text,
	`participant_id` text,
	`component_id` text,
	`state_id` text,
	`stimulus_id` text,
	`timestamp` text,
	`onset` real,
	`raw_onset` real,
	`clock_offset_applied` real,
	`value` real,
	`raw_value` real,
	`scale_min` real,
	`scale_max` real,
	`scale` text,
	`labels` text,
	`type` text,
	`stimulus_time` real,
	`response_time` real,
	`confidence` real,
	`rating_end_onset` real,
	`state_start_time` any,
	`state_duration` real,
	`metadata` text,
	`sparse_rating_data` text,
	`extra` text,
	`first_seen_at` text NOT NULL,
	`synced_at` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `ratings_sparse_by_experiment_and_time` ON `ratings_sparse` (`experiment_id`,`timestamp`);--> statement-breakpoint
CREATE INDEX `ratings_sparse_by_room_and_time` ON `ratings_sparse` (`room_id`,`timestamp`);--> statement-breakpoint
CREATE INDEX `ratings_sparse_by_participant_and_time` ON `ratings_sparse` (`participant_id`,`timestamp`);--> statement-breakpoint
CREATE TABLE `recordings` (
	`experiment_id` text NOT NULL,
	`key` text NOT NULL,
	`recording_id` text,
	`egress_id` text,
	`room_id` text,
	`participant_id` text,
	`participant_name` text,
	`start_time` text,
	`end_time` text,
	`duration` real,
	`video_offset` real,
	`url` text,
	`download_url` text,
	`download_path` text,
	`file_size` integer,
	`format` text,
	`resolution` text,
	`status` text,
	`metadata` text,
	`extra` text,
	`first_seen_at` text NOT NULL,
	`synced_at` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `recordings_by_experiment_and_time` ON `recordings` (`experiment_id`,`start_time`);--> statement-breakpoint
CREATE INDEX `recordings_by_room_and_time` ON `recordings` (`room_id`,`start_time`);--> statement-breakpoint
CREATE INDEX `recordings_by_participant_and_time` ON `recordings` (`participant_id`,`start_time`);--> statement-breakpoint
CREATE TABLE `rooms` (
	`experiment_id` text NOT NULL,
	`key` text NOT NULL,
	`id` text,
	`status` text,
	`participant_count` integer,
	`deployment_id` text,
	`deployment_name` text,
	`created_at` text,
	`started_at` text,
	`ended_at` text,
	`extra` text,
	`first_seen_at` text NOT NULL,
	`synced_at` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `rooms_by_experiment_and_time` ON `rooms` (`experiment_id`,`created_at`);--> statement-breakpoint
CREATE TABLE `sync_metrics` (
	`experiment_id` text NOT NULL,
	`key` text NOT NULL,
	`metric_id` text,
	`room_id` text,
	`participant_id` text,
	`timestamp` text,
	`onset` real,
	`time_drift` real,
	`playback_rate` real,
	`sync_quality` real,
	`latency` real,
	`buffer_health` real,
	`extra` text,
	`first_seen_at` text NOT NULL,
	`synced_at` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `sync_metrics_by_experiment_and_time` ON `sync_metrics` (`experiment_id`,`timestamp`);--> statement-breakpoint
CREATE INDEX `sync_metrics_by_room_and_time` ON `sync_metrics` (`room_id`,`timestamp`);--> statement-breakpoint
CREATE INDEX `sync_metrics_by_participant_and_time` ON `sync_metrics` (`participant_id`,`timestamp`);--> statement-breakpoint
CREATE TABLE `variables` (
	`experiment_id` text NOT NULL,
	`key` text NOT NULL,
	`room_id` text,
	`participant_id` text,
	`variable` text,
	`value` any,
	`source` text,
	`persisted` integer,
	`timestamp` text,
	`onset` real,
	`extra` text,
	`first_seen_at` text NOT NULL,
	`synced_at` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `variables_by_experiment_and_time` ON `variables` (`experiment_id`,`timestamp`);--> statement-breakpoint
CREATE INDEX `variables_by_room_and_time` ON `variables` (`room_id`,`timestamp`);--> statement-breakpoint
CREATE INDEX `variables_by_participant_and_time` ON `variables` (`participant_id`,`timestamp`);--> statement-breakpoint
CREATE TABLE `videochat` (
	`experiment_id` text NOT NULL,
	`key` text NOT NULL,
	`room_id` text,
	`participant_id` text,
	`timestamp` text,
	`onset` real,
	`event_type` text,
	`extra` text,
	`first_seen_at` text NOT NULL,
	`synced_at` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `videochat_by_experiment_and_time` ON `videochat` (`experiment_id`,`timestamp`);--> statement-breakpoint
CREATE INDEX `videochat_by_room_and_time` ON `videochat` (`room_id`,`timestamp`);--> statement-breakpoint
CREATE INDEX `videochat_by_participant_and_time` ON `videochat` (`participant_id`,`timestamp`);--> statement-breakpoint
CREATE TABLE `_data_dictionary` (
	`table_name` text NOT NULL,
	`column_name` text NOT NULL,
	`type` text NOT NULL,
	`unit` text,
	`meaning` text NOT NULL,
	`source` text NOT NULL,
	PRIMARY KEY(`table_name`, `column_name`)
) STRICT;
--> statement-breakpoint
CREATE TABLE `_endpoints` (
	`endpoint` text PRIMARY KEY NOT NULL,
	`learned` text NOT NULL,
	`updated_at` text NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `_history` (
	`id` integer PRIMARY KEY NOT NULL,
	`table_name` text NOT NULL,
	`experiment_id` text NOT NULL,
	`key` text NOT NULL,
	`what` text NOT NULL,
	`at` text NOT NULL,
	`record` text NOT NULL
) STRICT;
--> statement-breakpoint
CREATE INDEX `_history_by_key` ON `_history` (`table_name`,`experiment_id`,`key`);--> statement-breakpoint
CREATE TABLE `_ledger` (
	`id` integer PRIMARY KEY NOT NULL,
	`key_id` text NOT NULL,
	`endpoint` text NOT NULL,
	`boot_id` text NOT NULL,
	`started_up` integer NOT NULL,
	`started_at` integer NOT NULL,
	`ended_up` integer,
	`ended_at` integer
) STRICT;
--> statement-breakpoint
CREATE INDEX `_ledger_by_key` ON `_ledger` (`key_id`,`endpoint`);--> statement-breakpoint
CREATE TABLE `_quarantine` (
	`experiment_id` text NOT NULL,
	`data` text NOT NULL,
	`key` text NOT NULL,
	`reason` text NOT NULL,
	`record` text NOT NULL,
	`first_seen_at` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `data`, `key`)
) STRICT;
--> statement-breakpoint
CREATE TABLE `_seen_keys` (
	`table_name` text NOT NULL,
	`column_name` text NOT NULL,
	`key` text NOT NULL,
	PRIMARY KEY(`table_name`, `column_name`, `key`)
) STRICT;
--> statement-breakpoint
CREATE TABLE `_streams` (
	`experiment_id` text NOT NULL,
	`data` text NOT NULL,
	`scope` text NOT NULL,
	`watermark` text,
	`backfilled` integer DEFAULT 0 NOT NULL,
	`complete` integer DEFAULT 0 NOT NULL,
	`reason` text,
	`data_as_of` text,
	`verified_at` text,
	`rows` integer DEFAULT 0 NOT NULL,
	`finished` integer DEFAULT 0 NOT NULL,
	`late_rows` integer DEFAULT 0 NOT NULL,
	`latest_ms` integer DEFAULT 0 NOT NULL,
	`last_status` text,
	`last_error` text,
	`last_sync_at` text,
	PRIMARY KEY(`experiment_id`, `data`, `scope`)
) STRICT;
