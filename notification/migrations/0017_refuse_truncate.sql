-- Only backups have what users have chosen: endpoints, addresses and preferences.
-- The owner and the superuser too: TRUNCATE by hand is a usual mistake, and no command of the platform truncates them.
CREATE OR REPLACE FUNCTION refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'TRUNCATE of % is refused: nothing could bring its rows back', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE OR REPLACE TRIGGER webhook_endpoints_not_truncated BEFORE TRUNCATE ON webhook_endpoints FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
CREATE OR REPLACE TRIGGER contacts_not_truncated BEFORE TRUNCATE ON contacts FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
CREATE OR REPLACE TRIGGER notification_preferences_not_truncated BEFORE TRUNCATE ON notification_preferences FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
