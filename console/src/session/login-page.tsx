/** The page for people who are not signed in: password, second factor, and the change of a one-time password. */
import { type FormEvent, useState } from 'react';
import { codeOf } from '../api/api.ts';
import { TextField, useRun } from '../ui/form.tsx';
import mark from '../ui/mark.svg';
import { ErrorNote } from '../ui/parts.tsx';
import { SecondFactorForm } from './second-factor-form.tsx';
import { type Challenge, replaceOneTimePassword, signIn } from './session.ts';

type Step =
  | { step: 'password' }
  | { step: 'second-factor'; challenge: Challenge }
  | { step: 'new-password'; username: string; password: string };

export function LoginPage({ reason }: { reason?: string | undefined }) {
  const [step, setStep] = useState<Step>({ step: 'password' });
  return (
    <div className="gate">
      <div className="gate-art">
        <span className="brand">
          <img src={mark} alt="" /> PayFlowX
        </span>
        <div>
          <p role="presentation" className="gate-title">
            Every movement, provable.
          </p>
          <p>Payments, the journal behind them, and the proof that the two agree.</p>
        </div>
        <ol className="gate-journal" aria-hidden="true">
          <li>
            <span>hold</span>
            <span>alice → bob</span>
            <span>42.00</span>
          </li>
          <li>
            <span>transfer</span>
            <span>alice → bob</span>
            <span>42.00</span>
          </li>
          <li>
            <span>sum of all accounts</span>
            <span />
            <span>0.00</span>
          </li>
        </ol>
      </div>
      <main className="gate-form">
        {step.step === 'password' && <PasswordForm reason={reason} next={setStep} />}
        {step.step === 'second-factor' && (
          <SecondFactorForm challenge={step.challenge} back={() => setStep({ step: 'password' })}>
            <h1>Second factor</h1>
          </SecondFactorForm>
        )}
        {step.step === 'new-password' && <NewPasswordForm {...step} next={setStep} />}
      </main>
    </div>
  );
}

function PasswordForm({ reason, next }: { reason?: string | undefined; next: (step: Step) => void }) {
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const { busy, error, run } = useRun();

  const attempt = async () => {
    try {
      const challenge = await signIn(username, password);
      if (challenge !== undefined) next({ step: 'second-factor', challenge });
    } catch (failure) {
      if (codeOf(failure) !== 'PASSWORD_CHANGE_REQUIRED') throw failure;
      next({ step: 'new-password', username, password });
    }
  };
  return (
    <form
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        void run(attempt);
      }}
    >
      <h1>Sign in</h1>
      {reason && (
        <p className="note info" role="status">
          {reason}
        </p>
      )}
      <TextField
        label="Username"
        autoComplete="username"
        autoCapitalize="none"
        required
        value={username}
        onChange={(event) => setUsername(event.target.value)}
      />
      <TextField
        label="Password"
        type="password"
        autoComplete="current-password"
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      {error !== undefined && <ErrorNote error={error} />}
      <button type="submit" className="button primary" disabled={busy}>
        {busy ? 'Signing in…' : 'Sign in'}
      </button>
    </form>
  );
}

function NewPasswordForm({
  username,
  password,
  next,
}: {
  username: string;
  password: string;
  next: (step: Step) => void;
}) {
  const [fresh, setFresh] = useState('');
  const { busy, error, run } = useRun();
  const send = async () => {
    await replaceOneTimePassword({ username, one_time_password: password, new_password: fresh });
    const challenge = await signIn(username, fresh);
    if (challenge !== undefined) next({ step: 'second-factor', challenge });
  };
  return (
    <form
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        void run(send);
      }}
    >
      <h1>Choose a password</h1>
      <p className="quiet">You signed in with a one-time password. It works only for this.</p>
      <TextField
        label="New password"
        type="password"
        autoComplete="new-password"
        required
        value={fresh}
        onChange={(event) => setFresh(event.target.value)}
      />
      {error !== undefined && <ErrorNote error={error} />}
      <button type="submit" className="button primary" disabled={busy}>
        Save and sign in
      </button>
    </form>
  );
}
