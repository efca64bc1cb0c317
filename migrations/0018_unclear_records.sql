ALTER TABLE `_quarantine` ADD `is_unclear` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
-- Until now the sentence said so.
UPDATE `_quarantine` SET `is_unclear` = 1 WHERE `reason` = 'an object in it names a member twice';
