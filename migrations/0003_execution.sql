-- Execution: receipts, the units they use, and their settlement on chain.
-- An account of usage is a licence account of one opening: (licence, opened_slot). A licence that was closed and
-- bought again has the same address, a later opened_slot, and starts at sequence 1 again.

-- The network this database belongs to. One row, written at first contact: receipts of two networks never mix.
CREATE TABLE networks (
    id BIGINT PRIMARY KEY,
    genesis TEXT NOT NULL,
    program TEXT NOT NULL
);

-- Receipt keys with the meter's certificate. Old ones stay: receipts they signed must remain verifiable.
CREATE TABLE receipt_keys (
    key TEXT NOT NULL,
    meter TEXT NOT NULL,
    from_ms BIGINT NOT NULL,
    to_ms BIGINT NOT NULL,
    certificate TEXT NOT NULL,
    PRIMARY KEY (key, meter, from_ms)
);

-- Every call that took place. settlement: none (free or failed), pending, batched, waived (the platform's loss), set_aside
-- (the row is not what its body was signed as: never charged). The body is what was signed; the other columns are copies
-- for the database's own use, and no bill rests on them.
CREATE TABLE receipts (
    id TEXT PRIMARY KEY,
    buyer TEXT NOT NULL,
    seller TEXT NOT NULL,
    skill TEXT NOT NULL,
    licence TEXT,
    opened_slot BIGINT,
    units BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    settlement TEXT NOT NULL,
    batch_seq BIGINT,
    leaf BYTEA NOT NULL,
    body TEXT NOT NULL,
    evidence TEXT NOT NULL
);
CREATE INDEX receipts_of_buyer ON receipts (buyer, issued_at, id);
CREATE INDEX receipts_of_seller ON receipts (seller, issued_at, id);
CREATE INDEX receipts_pending ON receipts (licence, opened_slot, issued_at, id) WHERE settlement = 'pending';
CREATE INDEX receipts_of_batch ON receipts (licence, opened_slot, batch_seq, id) WHERE batch_seq IS NOT NULL;

-- One row per account with usage: what is not in a batch yet, the currency of its amounts (empty before the first receipt),
-- and the buyer's cap of units in one batch (0: none). Its row lock orders leasing and batching of the account.
-- stopped: why no more is served until its operator has looked at it. 0: it is served; 1: the chain has a batch that is not
-- here; 2: what is stored is not what is on chain, or cannot be read; 3: its open batch cannot be sent, while there is one.
CREATE TABLE usage_accounts (
    licence TEXT NOT NULL,
    opened_slot BIGINT NOT NULL,
    skill_account TEXT NOT NULL,
    buyer TEXT NOT NULL,
    seller TEXT NOT NULL,
    priced BIGINT NOT NULL,
    currency TEXT NOT NULL,
    pending_units BIGINT NOT NULL,
    pending_count BIGINT NOT NULL,
    pending_amount BIGINT NOT NULL,
    pending_since BIGINT NOT NULL,
    batch_cap BIGINT NOT NULL,
    retry_at BIGINT NOT NULL,
    problem TEXT,
    stopped BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (licence, opened_slot)
);
CREATE INDEX usage_accounts_due ON usage_accounts (pending_count, retry_at);

-- Units a server may hand out without asking again. After lapses_at they are free for others.
CREATE TABLE leases (
    licence TEXT NOT NULL,
    opened_slot BIGINT NOT NULL,
    server TEXT NOT NULL,
    units BIGINT NOT NULL,
    lapses_at BIGINT NOT NULL,
    PRIMARY KEY (licence, opened_slot, server)
);

-- Settlement intents: stored before anything is sent. status: pending, submitted, confirmed, dead (can never land).
-- sealed_newest: under the server key, when the newest receipt in this batch and in all before it was made.
CREATE TABLE batches (
    licence TEXT NOT NULL,
    opened_slot BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    prev_root BYTEA NOT NULL,
    count BIGINT NOT NULL,
    units BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    tree_root BYTEA NOT NULL,
    anchored_root BYTEA NOT NULL,
    chain_root BYTEA NOT NULL,
    sealed_newest BYTEA NOT NULL,
    status TEXT NOT NULL,
    formed_at BIGINT NOT NULL,
    tx TEXT,
    last_valid_height BIGINT,
    slot BIGINT,
    problem TEXT,
    retry_at BIGINT NOT NULL,
    PRIMARY KEY (licence, opened_slot, seq)
);
CREATE INDEX batches_open ON batches (status, retry_at);

-- Who settles: one server at a time, for as long as it says so.
CREATE TABLE settler_leases (
    id BIGINT PRIMARY KEY,
    server TEXT NOT NULL,
    until BIGINT NOT NULL
);

-- What an API key has spent on a UTC day, per currency.
CREATE TABLE key_spending (
    api_key TEXT NOT NULL,
    day BIGINT NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (api_key, day, currency)
);

-- Free calls: of a wallet in all, and of a skill on a UTC day, those of its publisher (own = 1) apart from all others.
CREATE TABLE free_calls (
    skill TEXT NOT NULL,
    wallet TEXT NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (skill, wallet)
);
CREATE TABLE free_call_days (
    skill TEXT NOT NULL,
    day BIGINT NOT NULL,
    own BIGINT NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (skill, day, own)
);
