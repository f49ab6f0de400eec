CREATE TABLE things (id text PRIMARY KEY, amount bigint NOT NULL, note jsonb, born date);
GRANT SELECT, INSERT ON things TO payflowx_chassis;
