-- Which server works on a request: when it starts again, its claims are those of a process that is gone.
ALTER TABLE idempotency ADD COLUMN server TEXT NOT NULL DEFAULT '';
