ALTER TABLE users VALIDATE CONSTRAINT users_roles_check;
