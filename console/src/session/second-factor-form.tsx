/** The second step of a login: a passkey, a code of the authenticator app, or a recovery code. */
import { type FormEvent, type ReactNode, useState } from 'react';
import { TextField, useRun } from '../ui/form.tsx';
import { ErrorNote } from '../ui/parts.tsx';
import { canUsePasskey, givePasskey } from './passkeys.ts';
import { type Challenge, completeLogin } from './session.ts';

type Method = Challenge['methods'][number];

export function SecondFactorForm({
  challenge: asked,
  back,
  done,
  children,
}: {
  challenge: Challenge;
  back: () => void;
  /** Called after the login. */
  done?: () => void;
  children?: ReactNode;
}) {
  const { challenge, passkeyOptions } = asked;
  const methods = asked.methods.filter((each) => each !== 'passkey' || canUsePasskey(passkeyOptions));
  const [method, setMethod] = useState<Method>(methods[0] ?? 'recovery_code');
  const { busy, error, run } = useRun();
  const [code, setCode] = useState('');
  const send = async () => {
    if (method === 'totp') return completeLogin({ challenge, code });
    if (method === 'recovery_code') return completeLogin({ challenge, recovery_code: code });
    if (passkeyOptions) return completeLogin({ challenge, passkey: await givePasskey(passkeyOptions) });
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (await run(send)) done?.();
  };
  return (
    <form className="stack" onSubmit={(event) => void submit(event)}>
      {children}
      {methods.length < asked.methods.length && (
        <p className="note info">
          Your passkeys do not work on this page. Use another way, or another browser.
        </p>
      )}
      {method === 'passkey' ? (
        <p className="quiet">Confirm with the fingerprint, face, PIN or security key of your passkey.</p>
      ) : (
        <CodeField method={method} code={code} onChange={setCode} />
      )}
      {error !== undefined && <ErrorNote error={error} />}
      <button type="submit" className="button primary" disabled={busy}>
        {method === 'passkey' ? 'Use the passkey' : 'Continue'}
      </button>
      <div className="row">
        {methods
          .filter((each) => each !== method)
          .map((other) => (
            <button key={other} type="button" className="button plain" onClick={() => setMethod(other)}>
              {OTHERS[other]}
            </button>
          ))}
        <button type="button" className="button plain" onClick={back}>
          Back
        </button>
      </div>
    </form>
  );
}

const OTHERS: Record<Method, string> = {
  passkey: 'Use a passkey',
  totp: 'Use the app',
  recovery_code: 'Use a recovery code',
};

function CodeField({
  method,
  code,
  onChange,
}: {
  method: 'totp' | 'recovery_code';
  code: string;
  onChange: (code: string) => void;
}) {
  const isRecovery = method === 'recovery_code';
  return (
    <TextField
      label={isRecovery ? 'Recovery code' : 'Code of the authenticator app'}
      hint={isRecovery ? 'Each recovery code works once.' : 'Six digits.'}
      inputMode={isRecovery ? 'text' : 'numeric'}
      autoComplete="one-time-code"
      required
      value={code}
      onChange={(event) => onChange(event.target.value.trim())}
    />
  );
}
