-- Secrets are sealed again when AUTH_SEALING_KEY has a new first key.
GRANT UPDATE (sealed_secret) ON second_factors TO payflowx_auth;
