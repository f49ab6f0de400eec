-- migrate: no transaction
ALTER TABLE users VALIDATE CONSTRAINT users_email_check;
ALTER TABLE users VALIDATE CONSTRAINT users_email_verified_check;
ALTER TABLE users VALIDATE CONSTRAINT users_language_check;
ALTER TABLE users VALIDATE CONSTRAINT users_state_check;
