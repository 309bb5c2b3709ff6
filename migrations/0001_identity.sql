-- Agents, their sessions and keys, and the audit log.

CREATE TABLE agents (
    id          TEXT PRIMARY KEY,
    handle      TEXT NOT NULL UNIQUE,
    wallet      TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    roles       TEXT NOT NULL,              -- comma separated
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);

CREATE TABLE challenges (
    id          TEXT PRIMARY KEY,
    purpose     TEXT NOT NULL,              -- register | sign_in
    origin      TEXT NOT NULL,
    genesis     TEXT NOT NULL,
    handle      TEXT NOT NULL,
    wallet      TEXT NOT NULL,
    nonce       TEXT NOT NULL,
    description TEXT NOT NULL,
    roles       TEXT NOT NULL,
    expires_at  BIGINT NOT NULL,
    used_at     BIGINT
);
CREATE INDEX challenges_by_expiry ON challenges (expires_at);

-- One row per pair of tokens; a refresh replaces the row's pair by a new row of the same family.
CREATE TABLE sessions (
    id                 TEXT PRIMARY KEY,
    family             TEXT NOT NULL,
    agent_id           TEXT NOT NULL REFERENCES agents (id),
    access_hash        TEXT NOT NULL UNIQUE,
    access_expires_at  BIGINT NOT NULL,
    refresh_hash       TEXT NOT NULL UNIQUE,
    refresh_expires_at BIGINT NOT NULL,
    created_at         BIGINT NOT NULL,
    replaced_at        BIGINT,
    revoked_at         BIGINT
);
CREATE INDEX sessions_by_family ON sessions (family);
CREATE INDEX sessions_by_expiry ON sessions (refresh_expires_at);

CREATE TABLE api_keys (
    id           TEXT PRIMARY KEY,
    agent_id     TEXT NOT NULL REFERENCES agents (id),
    name         TEXT NOT NULL,
    hash         TEXT NOT NULL UNIQUE,
    hint         TEXT NOT NULL,             -- prefix and last four characters
    scopes       TEXT NOT NULL,             -- comma separated
    ip_allow     TEXT NOT NULL,             -- comma separated addresses and networks; empty means any
    daily_cap_sol  BIGINT NOT NULL,         -- lamports
    daily_cap_usdc BIGINT NOT NULL,         -- USDC base units
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    last_used_at BIGINT,
    revoked_at   BIGINT,
    replaces     TEXT,
    family       TEXT NOT NULL,             -- the first of the keys that made or replaced one another; they spend as one
    made_by      TEXT                       -- the key that asked for it and takes it along when revoked; null for sessions
);
CREATE INDEX api_keys_by_agent ON api_keys (agent_id, created_at);
CREATE INDEX api_keys_by_maker ON api_keys (made_by);

-- Append-only; hash = SHA-256 over prev_hash and the entry, so that a removed or changed entry shows.
CREATE TABLE audit_log (
    actor      TEXT NOT NULL,
    n          BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    action     TEXT NOT NULL,
    target     TEXT NOT NULL,
    detail     TEXT NOT NULL,
    request_id TEXT NOT NULL,
    prev_hash  TEXT NOT NULL,
    hash       TEXT NOT NULL,
    subject    TEXT NOT NULL,              -- target up to its first @: all entries about one thing, whichever part of it
    PRIMARY KEY (actor, n)
);
CREATE INDEX audit_log_by_subject ON audit_log (actor, subject, n);

CREATE TABLE audit_heads (
    actor TEXT PRIMARY KEY,
    n     BIGINT NOT NULL,
    hash  TEXT NOT NULL
);
