-- Written by npm run docs: do not edit.
CREATE TABLE "__drizzle_migrations" (
				id SERIAL PRIMARY KEY,
				hash text NOT NULL,
				created_at numeric
			);
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
	`provider` text,
	`model` text,
	`latency_ms` real,
	`input_tokens` integer,
	`output_tokens` integer,
	`chain` text,
	`extra` text,
	`first_seen_at` text NOT NULL,
	`synced_at` text NOT NULL, `cost_usd` real, `gate_fired` integer, `peer_model_snapshot` text, `prediction_update` text, `synced_run` integer, `timestamp_unix` real, `value_type` text, `value_number` real, `value_text` text, `value_json` text, `prompt` text, `reasoning` text, `null_fields` text,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
CREATE INDEX `agent_decisions_by_experiment_and_time` ON `agent_decisions` (`experiment_id`,`timestamp`);
CREATE INDEX `agent_decisions_by_room_and_time` ON `agent_decisions` (`room_id`,`timestamp`);
CREATE INDEX `agent_decisions_by_participant_and_time` ON `agent_decisions` (`participant_id`,`timestamp`);
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
	`total_cost_usd` real,
	`room_status` text,
	`orphaned` integer,
	`extra` text,
	`first_seen_at` text NOT NULL,
	`synced_at` text NOT NULL, `persona_id` text, `persona_name` text, `total_input_tokens` integer, `total_output_tokens` integer, `turns` integer, `code_commit_sha` text, `cognition` text, `synced_run` integer, `started_at_unix` real, `ended_at_unix` real, `seed` integer, `null_fields` text,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
CREATE INDEX `agent_runs_by_experiment_and_time` ON `agent_runs` (`experiment_id`,`started_at`);
CREATE INDEX `agent_runs_by_room_and_time` ON `agent_runs` (`room_id`,`started_at`);
CREATE INDEX `agent_runs_by_participant_and_time` ON `agent_runs` (`participant_id`,`started_at`);
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
	`synced_at` text NOT NULL, `synced_run` integer, `participant_id` text, `timestamp_unix` real, `onset_s` real, `null_fields` text,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
CREATE INDEX `chat_by_experiment_and_time` ON `chat` (`experiment_id`,`timestamp`);
CREATE INDEX `chat_by_room_and_time` ON `chat` (`room_id`,`timestamp`);
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
	`synced_at` text NOT NULL, `synced_run` integer, `timestamp_unix` real, `onset_s` real, `null_fields` text,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
CREATE INDEX `components_by_experiment_and_time` ON `components` (`experiment_id`,`timestamp`);
CREATE INDEX `components_by_room_and_time` ON `components` (`room_id`,`timestamp`);
CREATE INDEX `components_by_participant_and_time` ON `components` (`participant_id`,`timestamp`);
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
	`synced_at` text NOT NULL, `synced_run` integer, `room_id` text, `created_at_unix` real, `started_at_unix` real, `ended_at_unix` real, `null_fields` text,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
CREATE INDEX `deployment_sessions_by_experiment_and_time` ON `deployment_sessions` (`experiment_id`,`created_at`);
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
	`synced_at` text NOT NULL, `owner_id` text, `owner_name` text, `participant_count` integer, `max_participants` integer, `synced_run` integer, `deployment_id` text, `created_at_unix` real, `updated_at_unix` real, `null_fields` text,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
CREATE INDEX `deployments_by_experiment_and_time` ON `deployments` (`experiment_id`,`created_at`);
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
	`synced_at` text NOT NULL, `deployment_id` text, `value` text, `data` text, `synced_run` integer, `timestamp_unix` real, `onset_s` real, `null_fields` text,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
CREATE INDEX `events_by_experiment_and_time` ON `events` (`experiment_id`,`timestamp`);
CREATE INDEX `events_by_room_and_time` ON `events` (`room_id`,`timestamp`);
CREATE INDEX `events_by_participant_and_time` ON `events` (`participant_id`,`timestamp`);
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
	`synced_at` text NOT NULL, `synced_run` integer, `null_fields` text,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
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
	`synced_at` text NOT NULL, `shared` integer, `synced_run` integer, `created_at_unix` real, `updated_at_unix` real, `null_fields` text,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
CREATE INDEX `experiments_by_experiment_and_time` ON `experiments` (`experiment_id`,`created_at`);
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
	`synced_at` text NOT NULL, `gaze_x` real, `gaze_y` real, `pupil_diameter` real, `synced_run` integer, `timestamp_unix` real, `onset_s` real, `null_fields` text,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
CREATE INDEX `eyetracking_by_experiment_and_time` ON `eyetracking` (`experiment_id`,`timestamp`);
CREATE INDEX `eyetracking_by_room_and_time` ON `eyetracking` (`room_id`,`timestamp`);
CREATE INDEX `eyetracking_by_participant_and_time` ON `eyetracking` (`participant_id`,`timestamp`);
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
	`synced_at` text NOT NULL, `is_agent` integer, `diagnostics` text, `synced_run` integer, `participant_id` text, `joined_at_unix` real, `completed_at_unix` real, `null_fields` text,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
CREATE INDEX `participants_by_experiment_and_time` ON `participants` (`experiment_id`,`joined_at`);
CREATE INDEX `participants_by_room_and_time` ON `participants` (`room_id`,`joined_at`);
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
	`synced_at` text NOT NULL, `synced_run` integer, `timestamp_unix` real, `onset_s` real, `null_fields` text,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
CREATE INDEX `ratings_continuous_by_experiment_and_time` ON `ratings_continuous` (`experiment_id`,`timestamp`);
CREATE INDEX `ratings_continuous_by_room_and_time` ON `ratings_continuous` (`room_id`,`timestamp`);
CREATE INDEX `ratings_continuous_by_participant_and_time` ON `ratings_continuous` (`participant_id`,`timestamp`);
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
	`state_duration` real,
	`metadata` text,
	`sparse_rating_data` text,
	`extra` text,
	`first_seen_at` text NOT NULL,
	`synced_at` text NOT NULL, `synced_run` integer, `timestamp_unix` real, `onset_s` real, `state_start_time_type` text, `state_start_time_number` real, `state_start_time_text` text, `state_start_time_json` text, `null_fields` text,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
CREATE INDEX `ratings_sparse_by_experiment_and_time` ON `ratings_sparse` (`experiment_id`,`timestamp`);
CREATE INDEX `ratings_sparse_by_room_and_time` ON `ratings_sparse` (`room_id`,`timestamp`);
CREATE INDEX `ratings_sparse_by_participant_and_time` ON `ratings_sparse` (`participant_id`,`timestamp`);
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
	`synced_at` text NOT NULL, `synced_run` integer, `start_time_unix` real, `end_time_unix` real, `null_fields` text,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
CREATE INDEX `recordings_by_experiment_and_time` ON `recordings` (`experiment_id`,`start_time`);
CREATE INDEX `recordings_by_room_and_time` ON `recordings` (`room_id`,`start_time`);
CREATE INDEX `recordings_by_participant_and_time` ON `recordings` (`participant_id`,`start_time`);
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
	`synced_at` text NOT NULL, `synced_run` integer, `room_id` text, `created_at_unix` real, `started_at_unix` real, `ended_at_unix` real, `null_fields` text,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
CREATE INDEX `rooms_by_experiment_and_time` ON `rooms` (`experiment_id`,`created_at`);
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
	`synced_at` text NOT NULL, `synced_run` integer, `timestamp_unix` real, `onset_s` real, `null_fields` text,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
CREATE INDEX `sync_metrics_by_experiment_and_time` ON `sync_metrics` (`experiment_id`,`timestamp`);
CREATE INDEX `sync_metrics_by_room_and_time` ON `sync_metrics` (`room_id`,`timestamp`);
CREATE INDEX `sync_metrics_by_participant_and_time` ON `sync_metrics` (`participant_id`,`timestamp`);
CREATE TABLE `variables` (
	`experiment_id` text NOT NULL,
	`key` text NOT NULL,
	`room_id` text,
	`participant_id` text,
	`variable` text,
	`source` text,
	`persisted` integer,
	`timestamp` text,
	`onset` real,
	`extra` text,
	`first_seen_at` text NOT NULL,
	`synced_at` text NOT NULL, `synced_run` integer, `timestamp_unix` real, `onset_s` real, `value_type` text, `value_number` real, `value_text` text, `value_json` text, `null_fields` text,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
CREATE INDEX `variables_by_experiment_and_time` ON `variables` (`experiment_id`,`timestamp`);
CREATE INDEX `variables_by_room_and_time` ON `variables` (`room_id`,`timestamp`);
CREATE INDEX `variables_by_participant_and_time` ON `variables` (`participant_id`,`timestamp`);
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
	`synced_at` text NOT NULL, `synced_run` integer, `timestamp_unix` real, `onset_s` real, `null_fields` text,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
CREATE INDEX `videochat_by_experiment_and_time` ON `videochat` (`experiment_id`,`timestamp`);
CREATE INDEX `videochat_by_room_and_time` ON `videochat` (`room_id`,`timestamp`);
CREATE INDEX `videochat_by_participant_and_time` ON `videochat` (`participant_id`,`timestamp`);
CREATE TABLE `_data_dictionary` (
	`table_name` text NOT NULL,
	`column_name` text NOT NULL,
	`type` text NOT NULL,
	`unit` text,
	`meaning` text NOT NULL,
	`source` text NOT NULL, `is_boolean` integer DEFAULT 0 NOT NULL, `missing` text DEFAULT '' NOT NULL, `allowed_values` text, `privacy` text DEFAULT 'unknown' NOT NULL,
	PRIMARY KEY(`table_name`, `column_name`)
) STRICT;
CREATE TABLE `_endpoints` (
	`endpoint` text PRIMARY KEY NOT NULL,
	`learned` text NOT NULL,
	`updated_at` text NOT NULL
) STRICT;
CREATE TABLE `_history` (
	`id` integer PRIMARY KEY NOT NULL,
	`table_name` text NOT NULL,
	`experiment_id` text NOT NULL,
	`key` text NOT NULL,
	`what` text NOT NULL,
	`at` text NOT NULL,
	`record` text NOT NULL
, `run_id` integer) STRICT;
CREATE INDEX `_history_by_key` ON `_history` (`table_name`,`experiment_id`,`key`);
CREATE TABLE `_quarantine` (
	`experiment_id` text NOT NULL,
	`data` text NOT NULL,
	`key` text NOT NULL,
	`reason` text NOT NULL,
	`record` text NOT NULL,
	`first_seen_at` text NOT NULL, `scope` text DEFAULT 'experiment' NOT NULL, `last_seen_at` text, `is_unclear` integer DEFAULT 0 NOT NULL,
	PRIMARY KEY(`experiment_id`, `data`, `key`)
) STRICT;
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
	`last_sync_at` text, `listed_at` text, `counted_at` text, `reread_began` text, `reread_to` text, `doubts` text, `api_total` integer, `accounted_at` text, `quarantined_records` integer DEFAULT 0 NOT NULL, `withheld_rows` integer DEFAULT 0 NOT NULL, `missing_rows` integer DEFAULT 0 NOT NULL, `dated_ahead_rows` integer DEFAULT 0 NOT NULL, `deleted_rows` integer DEFAULT 0 NOT NULL, `deleted_from` text, `reread_reason` text, `server_basis` text, `elsewhere_rows` integer DEFAULT 0 NOT NULL, `balanced_at` text,
	PRIMARY KEY(`experiment_id`, `data`, `scope`)
) STRICT;
CREATE TABLE `_growth` (
	`at` text PRIMARY KEY NOT NULL,
	`rows` integer NOT NULL
) STRICT;
CREATE TABLE `_state` (
	`name` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL,
	`updated_at` text NOT NULL
) STRICT;
CREATE TABLE `_verified_rooms` (
	`experiment_id` text NOT NULL,
	`data` text NOT NULL,
	`room_id` text NOT NULL,
	`verified_at` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `data`, `room_id`)
) STRICT;
CREATE TABLE `_missing_rows` (
	`experiment_id` text NOT NULL,
	`data` text NOT NULL,
	`scope` text NOT NULL,
	`key` text NOT NULL,
	`missed_at` text NOT NULL,
	`last_missed_at` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `data`, `scope`, `key`)
) STRICT;
CREATE TABLE "_ledger" (
	`id` integer PRIMARY KEY NOT NULL,
	`key_id` text NOT NULL,
	`kind` text DEFAULT 'request' NOT NULL,
	`endpoint` text,
	`priority` integer DEFAULT 5 NOT NULL,
	`boot_id` text NOT NULL,
	`started_up` integer NOT NULL,
	`started_at` integer NOT NULL,
	`ended_up` integer,
	`ended_at` integer
) STRICT;
CREATE INDEX `_ledger_by_key` ON `_ledger` (`key_id`,`endpoint`);
CREATE TABLE `agent_spend` (
	`experiment_id` text NOT NULL,
	`key` text NOT NULL,
	`deployment_id` text,
	`total` real,
	`per_room` text,
	`extra` text,
	`first_seen_at` text NOT NULL,
	`synced_at` text NOT NULL, `synced_run` integer, `null_fields` text,
	PRIMARY KEY(`experiment_id`, `key`)
) STRICT;
CREATE TABLE `_answer_metadata` (
	`experiment_id` text NOT NULL,
	`data` text NOT NULL,
	`scope` text NOT NULL,
	`member` text NOT NULL,
	`value` text NOT NULL,
	`since` text NOT NULL,
	PRIMARY KEY(`experiment_id`, `data`, `scope`, `member`)
) STRICT;
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
CREATE TABLE `_field_types` (
	`data` text NOT NULL,
	`field` text NOT NULL,
	`type` text NOT NULL,
	`change_id` integer,
	PRIMARY KEY(`data`, `field`, `type`)
) STRICT;
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
CREATE INDEX `_schema_changes_by_data` ON `_schema_changes` (`data`,`seen_at`);
CREATE TABLE `_column_names` (
	`relation` text NOT NULL,
	`path` text NOT NULL,
	`column` text,
	`type` text NOT NULL,
	`unit` text,
	`since` text,
	PRIMARY KEY(`relation`, `path`, `type`)
) STRICT;
CREATE UNIQUE INDEX `_column_names_by_column` ON `_column_names` (`relation`,`column`);
CREATE TABLE `_erased_people` (
	`id` integer PRIMARY KEY NOT NULL,
	`person` text NOT NULL,
	`room` text,
	`erased_at` text NOT NULL
) STRICT;
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
CREATE INDEX `_erased_records_by_time` ON `_erased_records` (`experiment_id`,`data`,`time`);
CREATE TABLE `_erasures` (
	`id` integer PRIMARY KEY NOT NULL,
	`at` text NOT NULL,
	`version` text NOT NULL,
	`receipt` text NOT NULL,
	`overwritten_at` text
) STRICT;
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
CREATE UNIQUE INDEX `media_files_by_path` ON `media_files` (`path`);
INSERT INTO "__drizzle_migrations" VALUES (NULL, 'f05209d7ad85ca3935d251ca1f97b597a4980e2ce4b6f9ba2c792592b64ee608', 1795468097116);
INSERT INTO "__drizzle_migrations" VALUES (NULL, '5b2fc12b53429475ba87b43b0f8f085348b69c610792eff7f1c06919b0bd72f5', 1795479732760);
INSERT INTO "__drizzle_migrations" VALUES (NULL, '0ed6cc79a6312086ca71c5af7e963a20d78aae1ba32fdef71d0daf76592da285', 1795732246020);
INSERT INTO "__drizzle_migrations" VALUES (NULL, '8beaba9d1d3a1970c0e6962cd901525c55b68a5bbc8fa33a12de7cca14ff7bbd', 1795747274108);
INSERT INTO "__drizzle_migrations" VALUES (NULL, 'a93fb0ee09865b2b6a4a2714b8ff23cec45ed0df4732e0e4d132b15d768534c1', 1795749629423);
INSERT INTO "__drizzle_migrations" VALUES (NULL, '008e1fc976fc96579d9446a34601f6c8fca91e4f433f4d45ba4e37823e450c69', 1795752366702);
INSERT INTO "__drizzle_migrations" VALUES (NULL, 'bf7b3babc9e757579803deb4ba01bd1cdea2349b3dff5d2fe61bb58aec2e8a52', 1795754179436);
INSERT INTO "__drizzle_migrations" VALUES (NULL, '59b636d500c3fff1fe1bc05876462b70b977b693abfbbecd56e35756b89ea3c7', 1795762136067);
INSERT INTO "__drizzle_migrations" VALUES (NULL, 'c9a24a881e829745512cf0a3647a5c79894adbb50d2ca1ed502ac3a1c3ea20d0', 1795763745160);
INSERT INTO "__drizzle_migrations" VALUES (NULL, '0a6a71d7879167321d3086a7cdebde0ca33e5eda9a445dbe2f8f49dfc51b296a', 1795810590055);
INSERT INTO "__drizzle_migrations" VALUES (NULL, '9b49d06df8b2c2024b4aaedb1cfcc00522a18a204d6d0879c9af98d9577d9d43', 1795811900270);
INSERT INTO "__drizzle_migrations" VALUES (NULL, 'cb8702bce5a9cd04ce99ad602e9e9ec23c6cb05354a042e42505a85340074af2', 1795813160614);
INSERT INTO "__drizzle_migrations" VALUES (NULL, 'fc85cb1c3435c0b9e0827d62f84327969488b4055e2922210fef83cef605d058', 1795822485279);
INSERT INTO "__drizzle_migrations" VALUES (NULL, '222406cc3bf535a63d4a3b916a5a381439726e2b781bdb9175606100f0bd2cce', 1795824262867);
INSERT INTO "__drizzle_migrations" VALUES (NULL, '1d6a5431c60518e1f74ca304a746acdc314c7e1b54ced4935417eccb1c5ae2cd', 1795835813263);
INSERT INTO "__drizzle_migrations" VALUES (NULL, 'a661e035506d0a6ce86b167ce6ade10bc0684129ea01bb6bcfc6d78f8ab6ae0a', 1795854833273);
INSERT INTO "__drizzle_migrations" VALUES (NULL, 'f0cb40a0a2f78c860b4ac06b79b5033fedd0472729bbdeab4948fe79e9f83665', 1795856955701);
INSERT INTO "__drizzle_migrations" VALUES (NULL, '48aff6511ece65a9e9f830bdd31060db202cba1000dfe5428ed4b92a38898f3d', 1795865484384);
INSERT INTO "__drizzle_migrations" VALUES (NULL, 'c620b3dbfff66029481d2c72a3d46566294fa457d7667ad276d866bff32534bc', 1795892849203);
