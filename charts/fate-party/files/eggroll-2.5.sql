-- What Eggroll 2.5 has beyond 2.4. Read after eggroll-2.4.sql; may be read again. "extention" is Eggroll's spelling.

-- MySQL has no ADD COLUMN IF NOT EXISTS.
SET @change = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE session_processor ADD COLUMN processor_option VARCHAR(512) AFTER transfer_endpoint')
    FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'session_processor' AND column_name = 'processor_option');
PREPARE changed FROM @change;
EXECUTE changed;

CREATE TABLE IF NOT EXISTS processor_resource (
    id SERIAL PRIMARY KEY,
    processor_id BIGINT NOT NULL,
    session_id VARCHAR(767),
    server_node_id INT NOT NULL,
    resource_type VARCHAR(255),
    allocated BIGINT NOT NULL DEFAULT 0,
    extention VARCHAR(512),
    status VARCHAR(255),
    pid INT NOT NULL DEFAULT -1,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    INDEX idx_processor_id_processor_resource (processor_id),
    INDEX idx_node_id_processor_resource (server_node_id),
    INDEX idx_session_id_processor_resource (session_id),
    INDEX idx_node_status_processor_resource (server_node_id, resource_type, status)
) DEFAULT CHARACTER SET latin1 COLLATE latin1_swedish_ci;

CREATE TABLE IF NOT EXISTS node_resource (
    resource_id SERIAL PRIMARY KEY,
    server_node_id BIGINT NOT NULL,
    resource_type VARCHAR(255),
    total BIGINT NOT NULL DEFAULT 0,
    used BIGINT NOT NULL DEFAULT 0,
    pre_allocated BIGINT NOT NULL DEFAULT 0,
    allocated BIGINT NOT NULL DEFAULT 0,
    extention VARCHAR(512),
    status VARCHAR(255),
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    UNIQUE INDEX idx_u_node_resource (server_node_id, resource_type),
    INDEX idx_node_id_node_resource (server_node_id),
    INDEX idx_node_status_node_resource (server_node_id, status)
) DEFAULT CHARACTER SET latin1 COLLATE latin1_swedish_ci;

CREATE TABLE IF NOT EXISTS session_ranks (
    container_id SERIAL PRIMARY KEY,
    session_id VARCHAR(767),
    server_node_id INT NOT NULL,
    global_rank INT UNSIGNED NOT NULL,
    local_rank INT UNSIGNED NOT NULL,
    INDEX idx_session_id_session_ranks (session_id)
) DEFAULT CHARACTER SET latin1 COLLATE latin1_swedish_ci;
