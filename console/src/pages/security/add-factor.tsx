/** Adds an authenticator app or a passkey, and shows the recovery codes once. */
import type { Schema } from '@payflowx/client';
import { type FormEvent, useState } from 'react';
import { api, reads, refresh, useRead } from '../../api/api.ts';
import { canAddPasskey } from '../../session/passkeys.ts';
import { TextField, useRun } from '../../ui/form.tsx';
import { ErrorNote, Id } from '../../ui/parts.tsx';
import { AddPasskey } from './add-passkey.tsx';
import { QrCode } from './qr-code.tsx';

/** `onAdded` is called when the factor is confirmed. Only one can then be added. */
export function AddFactor({ onAdded }: { onAdded?: () => void }) {
  const factors = useRead(['second-factors'], () => reads.get('/v1/auth/second-factors'));
  const [created, setCreated] = useState<Schema<'CreatedSecondFactor'>>();
  const [isPasskey, setPasskey] = useState(false);
  const [codes, setCodes] = useState<string[]>();
  const { busy, error, run } = useRun();
  const create = async () => {
    const { data } = await api.post('/v1/auth/second-factors', { body: { kind: 'totp' } });
    setCreated(data);
  };
  const added = (recoveryCodes: string[]) => {
    setCodes(recoveryCodes);
    setCreated(undefined);
    onAdded?.();
  };
  const isChoice = !created && !isPasskey && !(onAdded && codes);
  return (
    <div className="stack">
      {codes && (
        <div className="note good" role="status">
          <strong>Keep these recovery codes. They are not shown again.</strong>
          <pre>{codes.join('\n')}</pre>
        </div>
      )}
      {created && <ConfirmApp created={created} onAdded={added} />}
      {isPasskey && <AddPasskey onAdded={added} onClose={() => setPasskey(false)} />}
      {error !== undefined && <ErrorNote error={error} />}
      {isChoice && (
        <div className="row">
          <button type="button" className="button" disabled={busy} onClick={() => void run(create)}>
            Add an authenticator app
          </button>
          {canAddPasskey(factors.data?.passkey_origins ?? []) && (
            <button type="button" className="button" disabled={busy} onClick={() => setPasskey(true)}>
              Add a passkey
            </button>
          )}
        </div>
      )}
    </div>
  );
}

function ConfirmApp({
  created: { factor, uri = '', secret = '' },
  onAdded,
}: {
  created: Schema<'CreatedSecondFactor'>;
  onAdded: (codes: string[]) => void;
}) {
  const { busy, error, run } = useRun();
  const confirm = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const code = String(new FormData(event.currentTarget).get('code')).trim();
    void run(async () => {
      const { data } = await api.post('/v1/auth/second-factors/{id}/confirm', {
        params: { path: { id: factor.id } },
        body: { code },
      });
      onAdded(data.recovery_codes);
      await refresh('second-factors');
    });
  };
  return (
    <form className="stack" onSubmit={confirm}>
      <p>Scan this with an authenticator app, then enter the code that it shows.</p>
      <QrCode text={uri} />
      <p className="quiet small">
        Or type the secret: <Id id={secret} whole />
      </p>
      <TextField label="Code" name="code" inputMode="numeric" autoComplete="one-time-code" required />
      {error !== undefined && <ErrorNote error={error} />}
      <div className="actions">
        <button type="submit" className="button primary" disabled={busy}>
          Confirm
        </button>
      </div>
    </form>
  );
}
