/** Makes a passkey in this browser, and registers it. */
import { type FormEvent, useState } from 'react';
import { api, refresh } from '../../api/api.ts';
import { makePasskey } from '../../session/passkeys.ts';
import { TextField, useRun } from '../../ui/form.tsx';
import { ErrorNote } from '../../ui/parts.tsx';

/** `onAdded` gets the recovery codes. */
export function AddPasskey({
  onAdded,
  onClose,
}: {
  onAdded: (codes: string[]) => void;
  onClose: () => void;
}) {
  const [name, setName] = useState('This device');
  const { busy, error, run } = useRun();
  const add = async (event: FormEvent) => {
    event.preventDefault();
    if (await run(async () => onAdded(await register(name)))) onClose();
  };
  return (
    <form className="stack" onSubmit={(event) => void add(event)}>
      <TextField
        label="Name of the passkey"
        hint="So that you recognise it in the list."
        required
        maxLength={100}
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      {error !== undefined && <ErrorNote error={error} />}
      <div className="actions">
        <button type="button" className="button" onClick={onClose}>
          Back
        </button>
        <button type="submit" className="button primary" disabled={busy}>
          Create the passkey
        </button>
      </div>
    </form>
  );
}

async function register(name: string): Promise<string[]> {
  const { data: created } = await api.post('/v1/auth/second-factors', { body: { kind: 'passkey', name } });
  const params = { path: { id: created.factor.id } };
  try {
    const passkey = await makePasskey(created.passkey_options ?? {});
    const { data } = await api.post('/v1/auth/second-factors/{id}/confirm', { params, body: { passkey } });
    return data.recovery_codes;
  } catch (failure) {
    // It cannot be confirmed any more. If this fails too, the platform removes it after some minutes.
    await api.delete('/v1/auth/second-factors/{id}', { params }).catch(() => undefined);
    throw failure;
  } finally {
    await refresh('second-factors');
  }
}
