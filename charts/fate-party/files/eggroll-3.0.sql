-- What Eggroll 3 has other than 2.5. Read once, after eggroll-2.5.sql.

ALTER TABLE store_locator DROP COLUMN serdes;
ALTER TABLE store_locator DROP COLUMN partitioner;
ALTER TABLE store_locator ADD COLUMN key_serdes_type INT NOT NULL DEFAULT 0 AFTER total_partitions;
ALTER TABLE store_locator ADD COLUMN value_serdes_type INT NOT NULL DEFAULT 0 AFTER key_serdes_type;
ALTER TABLE store_locator ADD COLUMN partitioner_type INT NOT NULL DEFAULT 0 AFTER value_serdes_type;
ALTER TABLE session_main ADD COLUMN status_reason VARCHAR(255) AFTER status;
ALTER TABLE session_main ADD COLUMN before_status VARCHAR(255) AFTER status_reason;
ALTER TABLE session_processor ADD COLUMN before_status VARCHAR(255) AFTER status;
