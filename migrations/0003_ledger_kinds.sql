CREATE TABLE `__new__ledger` (
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
--> statement-breakpoint
-- Until now, "pause:" or "others:" before the endpoint, or alone for all of them, said that a row is no request of ours.
INSERT INTO `__new__ledger` (`id`, `key_id`, `kind`, `endpoint`, `priority`, `boot_id`, `started_up`, `started_at`, `ended_up`, `ended_at`)
SELECT `id`, `key_id`,
	CASE WHEN `endpoint` LIKE 'pause:%' THEN 'pause' WHEN `endpoint` LIKE 'others:%' THEN 'others' ELSE 'request' END,
	CASE WHEN `endpoint` LIKE 'pause:%' OR `endpoint` LIKE 'others:%' THEN nullif(substr(`endpoint`, instr(`endpoint`, ':') + 1), '') ELSE `endpoint` END,
	`priority`, `boot_id`, `started_up`, `started_at`, `ended_up`, `ended_at`
FROM `_ledger`;--> statement-breakpoint
DROP TABLE `_ledger`;--> statement-breakpoint
ALTER TABLE `__new__ledger` RENAME TO `_ledger`;--> statement-breakpoint
CREATE INDEX `_ledger_by_key` ON `_ledger` (`key_id`,`endpoint`);