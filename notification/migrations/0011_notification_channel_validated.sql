-- migrate: no transaction
ALTER TABLE notifications VALIDATE CONSTRAINT notifications_channel_check;
