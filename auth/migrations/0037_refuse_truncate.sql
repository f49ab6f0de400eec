-- Without these tables, nobody can log in.
-- The owner and the superuser too: TRUNCATE by hand is a usual mistake, and no command of the platform truncates them.
CREATE OR REPLACE FUNCTION refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'TRUNCATE of % is refused: nothing could bring its rows back', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE OR REPLACE TRIGGER users_not_truncated BEFORE TRUNCATE ON users FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
CREATE OR REPLACE TRIGGER user_api_clients_not_truncated BEFORE TRUNCATE ON user_api_clients FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
CREATE OR REPLACE TRIGGER signing_keys_not_truncated BEFORE TRUNCATE ON signing_keys FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
CREATE OR REPLACE TRIGGER second_factors_not_truncated BEFORE TRUNCATE ON second_factors FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
