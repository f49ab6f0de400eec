-- True if the session began with a second factor, or if its user has confirmed one in it. A session from before is false: if its user's role
-- needs a second factor, the person logs in once more.
ALTER TABLE refresh_families ADD COLUMN second_factor boolean NOT NULL DEFAULT false;

GRANT UPDATE (second_factor) ON refresh_families TO payflowx_auth;
