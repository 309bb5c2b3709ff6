-- A text sealed with the server key, by which servers on one database see that they have the same key. One row.
CREATE TABLE server_keys (
    id BIGINT PRIMARY KEY,
    sealed BYTEA NOT NULL
);
