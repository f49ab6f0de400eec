-- Holds that are captured, given back and expire; decisions about every step of a payment.

ALTER TABLE holds
  ADD COLUMN captured bigint NOT NULL DEFAULT 0 CHECK (captured >= 0),
  -- The windows that the payer's limits counted it in: what is given back is taken off there, and only there. Null: it
  -- was not counted.
  ADD COLUMN used_day date,
  ADD COLUMN used_month date,
  ADD CONSTRAINT holds_windows CHECK ((used_day IS NULL) = (used_month IS NULL)),
  -- The last line: nothing is captured beyond what was promised.
  ADD CONSTRAINT holds_not_exceeded CHECK (captured + remaining <= amount),
  ADD CONSTRAINT holds_captured CHECK (state <> 'CAPTURED' OR captured > 0),
  -- A cancelled payment has moved nothing.
  ADD CONSTRAINT holds_released CHECK (state <> 'RELEASED' OR captured = 0);

ALTER TABLE decisions
  ADD COLUMN kind text NOT NULL DEFAULT 'AUTHORIZE' CHECK (kind IN ('AUTHORIZE', 'CAPTURE', 'RELEASE', 'REFUND')),
  -- What was held for the payment after this step: part of the answer that a repeated request gets again.
  ADD COLUMN remaining bigint NOT NULL DEFAULT 0 CHECK (remaining BETWEEN 0 AND 9007199254740991);

GRANT UPDATE (captured, remaining, state) ON holds TO payflowx_authorization;

-- What was decided stays as it was, whoever asks: grants bind the serving role, this binds the owner too.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER decisions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON decisions
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
