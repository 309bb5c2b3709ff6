-- Skills and their versions. A version never changes.

CREATE TABLE skills (
    id               TEXT PRIMARY KEY,      -- publisher.name
    publisher_id     TEXT NOT NULL REFERENCES agents (id),
    publisher        TEXT NOT NULL,         -- its handle
    publisher_wallet TEXT NOT NULL,
    account          TEXT NOT NULL,         -- on chain, base58: where it is registered, or would be
    summary          TEXT NOT NULL,
    description      TEXT NOT NULL,
    category         TEXT NOT NULL,
    tags             TEXT NOT NULL,         -- ,a,b, so that one tag is found with LIKE '%,a,%'
    licence          TEXT NOT NULL,         -- SPDX
    search_text      TEXT NOT NULL,         -- lower case
    prices           TEXT,                  -- of the newest manifest, JSON; null when free
    sells_once       BIGINT NOT NULL,
    sells_period     BIGINT NOT NULL,
    sells_usage      BIGINT NOT NULL,
    latest_version   TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL
);
CREATE INDEX skills_by_age ON skills (created_at, id);
CREATE INDEX skills_by_publisher ON skills (publisher_id);
CREATE INDEX skills_by_account ON skills (account);
CREATE INDEX skills_by_category ON skills (category, created_at);

CREATE TABLE versions (
    id               TEXT PRIMARY KEY,      -- ver_…
    skill_id         TEXT NOT NULL REFERENCES skills (id),
    version          TEXT NOT NULL,
    module_sha256    TEXT NOT NULL,
    manifest_sha256  TEXT NOT NULL,
    manifest         TEXT NOT NULL,         -- resolved, canonical JSON
    readme           TEXT,
    signature        TEXT NOT NULL,         -- the publisher's, over clawos/version/v1
    publisher_wallet TEXT NOT NULL,
    permissions      TEXT NOT NULL,         -- comma separated, as imported by the module
    size             BIGINT NOT NULL,       -- bytes of the artifact
    created_at       BIGINT NOT NULL,
    UNIQUE (skill_id, version)
);
