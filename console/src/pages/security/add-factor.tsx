/** Adds an authenticator app, and shows the recovery codes once. */
import type { Schema } from '@payflowx/client';
import { type FormEvent, useState } from 'react';
import { api, refresh } from '../../api/api.ts';
import { TextField, useRun } from '../../ui/form.tsx';
import { ErrorNote, Id } from '../../ui/parts.tsx';
import { QrCode } from './qr-code.tsx';

/** `onAdded` is called when the app is confirmed. Only one can then be added. */
export function AddFactor({ onAdded }: { onAdded?: () => void }) {
  const [created, setCreated] = useState<Schema<'CreatedSecondFactor'>>();
  const [codes, setCodes] = useState<string[]>();
  const { busy, error, run } = useRun();
  const create = async () => {
    const { data } = await api.post('/v1/auth/second-factors', { body: { kind: 'totp' } });
    setCreated(data);
  };
  const confirm = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const code = String(new FormData(event.currentTarget).get('code')).trim();
    void run(async () => {
      if (!created) return;
      const { data } = await api.post('/v1/auth/second-factors/{id}/confirm', {
        params: { path: { id: created.factor.id } },
        body: { code },
      });
      setCodes(data.recovery_codes);
      setCreated(undefined);
      onAdded?.();
      await refresh('second-factors');
    });
  };
  return (
    <div className="stack">
      {codes && (
        <div className="note good" role="status">
          <strong>Keep these recovery codes. They are not shown again.</strong>
          <pre>{codes.join('\n')}</pre>
        </div>
      )}
      {created && (
        <form className="stack" onSubmit={confirm}>
          <p>Scan this with an authenticator app, then enter the code that it shows.</p>
          <QrCode text={created.uri} />
          <p className="quiet small">
            Or type the secret: <Id id={created.secret} whole />
          </p>
          <TextField label="Code" name="code" inputMode="numeric" autoComplete="one-time-code" required />
          <div className="actions">
            <button type="submit" className="button primary" disabled={busy}>
              Confirm
            </button>
          </div>
        </form>
      )}
      {error !== undefined && <ErrorNote error={error} />}
      {!created && !(onAdded && codes) && (
        <div>
          <button type="button" className="button" disabled={busy} onClick={() => void run(create)}>
            Add an authenticator app
          </button>
        </div>
      )}
    </div>
  );
}
