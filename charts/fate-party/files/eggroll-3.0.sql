-- What Eggroll 3 has other than 2.5. Read after eggroll-2.5.sql; may be read again. Columns that it does not know have defaults, so they
-- stay where a table has rows of an earlier version.

SET @change = (SELECT IF(COUNT(*) = 0 OR EXISTS (SELECT 1 FROM store_locator), 'DO 0', 'ALTER TABLE store_locator DROP COLUMN serdes')
    FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'store_locator' AND column_name = 'serdes');
PREPARE changed FROM @change;
EXECUTE changed;

SET @change = (SELECT IF(COUNT(*) = 0 OR EXISTS (SELECT 1 FROM store_locator), 'DO 0', 'ALTER TABLE store_locator DROP COLUMN partitioner')
    FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'store_locator' AND column_name = 'partitioner');
PREPARE changed FROM @change;
EXECUTE changed;

SET @change = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE store_locator ADD COLUMN key_serdes_type INT NOT NULL DEFAULT 0 AFTER total_partitions')
    FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'store_locator' AND column_name = 'key_serdes_type');
PREPARE changed FROM @change;
EXECUTE changed;

SET @change = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE store_locator ADD COLUMN value_serdes_type INT NOT NULL DEFAULT 0 AFTER key_serdes_type')
    FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'store_locator' AND column_name = 'value_serdes_type');
PREPARE changed FROM @change;
EXECUTE changed;

SET @change = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE store_locator ADD COLUMN partitioner_type INT NOT NULL DEFAULT 0 AFTER value_serdes_type')
    FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'store_locator' AND column_name = 'partitioner_type');
PREPARE changed FROM @change;
EXECUTE changed;

SET @change = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE session_main ADD COLUMN status_reason VARCHAR(255) AFTER status')
    FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'session_main' AND column_name = 'status_reason');
PREPARE changed FROM @change;
EXECUTE changed;

SET @change = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE session_main ADD COLUMN before_status VARCHAR(255) AFTER status_reason')
    FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'session_main' AND column_name = 'before_status');
PREPARE changed FROM @change;
EXECUTE changed;

SET @change = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE session_processor ADD COLUMN before_status VARCHAR(255) AFTER status')
    FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'session_processor' AND column_name = 'before_status');
PREPARE changed FROM @change;
EXECUTE changed;
