-- From when on others than its players may see a hand: a table that is shown to its rail late is not told of earlier by what is kept of it.
ALTER TABLE hand ADD COLUMN open_ms BIGINT NOT NULL DEFAULT 0;
