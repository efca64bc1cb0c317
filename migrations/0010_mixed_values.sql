DROP VIEW IF EXISTS `variables_all`;--> statement-breakpoint
ALTER TABLE `variables` ADD `value_type` text;--> statement-breakpoint
ALTER TABLE `variables` ADD `value_number` real;--> statement-breakpoint
ALTER TABLE `variables` ADD `value_text` text;--> statement-breakpoint
ALTER TABLE `variables` ADD `value_json` text;--> statement-breakpoint
UPDATE `variables` SET `value_text` = `value`, `value_type` = 'text' WHERE typeof(`value`) = 'text';--> statement-breakpoint
UPDATE `variables` SET `value_number` = `value`, `value_type` = CASE WHEN `value` = CAST(`value` AS INTEGER) AND abs(`value`) < 9007199254740992 THEN 'integer' ELSE 'number' END WHERE typeof(`value`) IN ('integer', 'real');--> statement-breakpoint
ALTER TABLE `variables` DROP COLUMN `value`;--> statement-breakpoint
DROP VIEW IF EXISTS `agent_decisions_all`;--> statement-breakpoint
ALTER TABLE `agent_decisions` ADD `value_type` text;--> statement-breakpoint
ALTER TABLE `agent_decisions` ADD `value_number` real;--> statement-breakpoint
ALTER TABLE `agent_decisions` ADD `value_text` text;--> statement-breakpoint
ALTER TABLE `agent_decisions` ADD `value_json` text;--> statement-breakpoint
UPDATE `agent_decisions` SET `value_text` = `value`, `value_type` = 'text' WHERE typeof(`value`) = 'text';--> statement-breakpoint
UPDATE `agent_decisions` SET `value_number` = `value`, `value_type` = CASE WHEN `value` = CAST(`value` AS INTEGER) AND abs(`value`) < 9007199254740992 THEN 'integer' ELSE 'number' END WHERE typeof(`value`) IN ('integer', 'real');--> statement-breakpoint
ALTER TABLE `agent_decisions` DROP COLUMN `value`;--> statement-breakpoint
DROP VIEW IF EXISTS `ratings_sparse_all`;--> statement-breakpoint
ALTER TABLE `ratings_sparse` ADD `state_start_time_type` text;--> statement-breakpoint
ALTER TABLE `ratings_sparse` ADD `state_start_time_number` real;--> statement-breakpoint
ALTER TABLE `ratings_sparse` ADD `state_start_time_text` text;--> statement-breakpoint
ALTER TABLE `ratings_sparse` ADD `state_start_time_json` text;--> statement-breakpoint
UPDATE `ratings_sparse` SET `state_start_time_text` = `state_start_time`, `state_start_time_type` = 'text' WHERE typeof(`state_start_time`) = 'text';--> statement-breakpoint
UPDATE `ratings_sparse` SET `state_start_time_number` = `state_start_time`, `state_start_time_type` = CASE WHEN `state_start_time` = CAST(`state_start_time` AS INTEGER) AND abs(`state_start_time`) < 9007199254740992 THEN 'integer' ELSE 'number' END WHERE typeof(`state_start_time`) IN ('integer', 'real');--> statement-breakpoint
ALTER TABLE `ratings_sparse` DROP COLUMN `state_start_time`;--> statement-breakpoint
DROP VIEW IF EXISTS `agent_decisions_all`;--> statement-breakpoint
ALTER TABLE `agent_decisions` RENAME COLUMN `prompt` TO `prompt_before`;--> statement-breakpoint
ALTER TABLE `agent_decisions` ADD `prompt` text;--> statement-breakpoint
UPDATE `agent_decisions` SET `prompt` = `prompt_before` WHERE typeof(`prompt_before`) = 'text';--> statement-breakpoint
UPDATE `agent_decisions` SET `extra` = json_set(coalesce(`extra`, '{}'), '$.prompt', `prompt_before`) WHERE `prompt_before` IS NOT NULL AND `prompt` IS NULL;--> statement-breakpoint
ALTER TABLE `agent_decisions` DROP COLUMN `prompt_before`;--> statement-breakpoint
DROP VIEW IF EXISTS `agent_decisions_all`;--> statement-breakpoint
ALTER TABLE `agent_decisions` RENAME COLUMN `reasoning` TO `reasoning_before`;--> statement-breakpoint
ALTER TABLE `agent_decisions` ADD `reasoning` text;--> statement-breakpoint
UPDATE `agent_decisions` SET `reasoning` = `reasoning_before` WHERE typeof(`reasoning_before`) = 'text';--> statement-breakpoint
UPDATE `agent_decisions` SET `extra` = json_set(coalesce(`extra`, '{}'), '$.reasoning', `reasoning_before`) WHERE `reasoning_before` IS NOT NULL AND `reasoning` IS NULL;--> statement-breakpoint
ALTER TABLE `agent_decisions` DROP COLUMN `reasoning_before`;--> statement-breakpoint
DROP VIEW IF EXISTS `agent_runs_all`;--> statement-breakpoint
ALTER TABLE `agent_runs` RENAME COLUMN `seed` TO `seed_before`;--> statement-breakpoint
ALTER TABLE `agent_runs` ADD `seed` integer;--> statement-breakpoint
UPDATE `agent_runs` SET `seed` = CAST(`seed_before` AS INTEGER) WHERE typeof(`seed_before`) <> 'text' AND `seed_before` = CAST(`seed_before` AS INTEGER) AND abs(`seed_before`) < 9007199254740992;--> statement-breakpoint
UPDATE `agent_runs` SET `extra` = json_set(coalesce(`extra`, '{}'), '$.seed', `seed_before`) WHERE `seed_before` IS NOT NULL AND `seed` IS NULL;--> statement-breakpoint
ALTER TABLE `agent_runs` DROP COLUMN `seed_before`;