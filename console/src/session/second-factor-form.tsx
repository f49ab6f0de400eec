/** The second step of a login: a code of the authenticator app, or a recovery code. */
import { type FormEvent, type ReactNode, useState } from 'react';
import { TextField, useRun } from '../ui/form.tsx';
import { ErrorNote } from '../ui/parts.tsx';
import { completeLogin } from './session.ts';

export function SecondFactorForm({
  challenge,
  back,
  done,
  children,
}: {
  challenge: string;
  back: () => void;
  /** Called after the login. */
  done?: () => void;
  children?: ReactNode;
}) {
  const [code, setCode] = useState('');
  const [isRecovery, setRecovery] = useState(false);
  const { busy, error, run } = useRun();
  const send = () => completeLogin({ challenge, ...(isRecovery ? { recovery_code: code } : { code }) });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (await run(send)) done?.();
  };
  return (
    <form className="stack" onSubmit={(event) => void submit(event)}>
      {children}
      <TextField
        label={isRecovery ? 'Recovery code' : 'Code of the authenticator app'}
        hint={isRecovery ? 'Each recovery code works once.' : 'Six digits.'}
        inputMode={isRecovery ? 'text' : 'numeric'}
        autoComplete="one-time-code"
        required
        value={code}
        onChange={(event) => setCode(event.target.value.trim())}
      />
      {error !== undefined && <ErrorNote error={error} />}
      <button type="submit" className="button primary" disabled={busy}>
        Continue
      </button>
      <div className="row">
        <button type="button" className="button plain" onClick={() => setRecovery(!isRecovery)}>
          {isRecovery ? 'Use the app' : 'Use a recovery code'}
        </button>
        <button type="button" className="button plain" onClick={back}>
          Back
        </button>
      </div>
    </form>
  );
}
