ALTER TABLE `_data_dictionary` ADD `missing` text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE `_data_dictionary` ADD `allowed_values` text;