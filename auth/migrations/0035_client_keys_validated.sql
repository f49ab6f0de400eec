-- migrate: no transaction
ALTER TABLE user_api_clients VALIDATE CONSTRAINT user_api_clients_revoked_without_secret;
