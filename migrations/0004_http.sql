-- Idempotency keys: claimed before the work, answered after it, kept 24 hours.

CREATE TABLE idempotency (
    agent_id      TEXT NOT NULL,
    route         TEXT NOT NULL,
    key_hash      TEXT NOT NULL,
    fingerprint   TEXT NOT NULL,            -- SHA-256 of the request
    claim         TEXT NOT NULL,            -- who is working on it
    server        TEXT NOT NULL,            -- which server that is: when it starts again, its claims are dead
    claimed_until BIGINT NOT NULL,          -- a claim left by a killed process ends here
    answer        BYTEA,                    -- encrypted; null while running
    expires_at    BIGINT NOT NULL,
    PRIMARY KEY (agent_id, route, key_hash)
);
CREATE INDEX idempotency_by_expiry ON idempotency (expires_at);
