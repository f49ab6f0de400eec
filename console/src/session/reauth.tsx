/** Asks for the password again, and for the second factor of who has one, where the platform needs a recent login. */
import { type FormEvent, useState } from 'react';
import { Dialog, TextField, useRun } from '../ui/form.tsx';
import { ErrorNote } from '../ui/parts.tsx';
import { askPassword, usePasswordAsked } from './ask-password.ts';
import { SecondFactorForm } from './second-factor-form.tsx';
import { type Challenge, signIn, useMe } from './session.ts';

/** Part of the shell, so that it outlives the dialog whose action needs it. */
export function Reauth() {
  return usePasswordAsked() ? <ReauthDialog onClose={() => askPassword(false)} /> : null;
}

function ReauthDialog({ onClose }: { onClose: () => void }) {
  const [challenge, setChallenge] = useState<Challenge>();
  return (
    <Dialog title="Confirm that it is you" onClose={onClose}>
      {challenge === undefined ? (
        <PasswordForm done={onClose} next={setChallenge} />
      ) : (
        <SecondFactorForm challenge={challenge} back={() => setChallenge(undefined)} done={onClose} />
      )}
    </Dialog>
  );
}

function PasswordForm({ done, next }: { done: () => void; next: (challenge: Challenge) => void }) {
  const { username } = useMe();
  const [password, setPassword] = useState('');
  const { busy, error, run } = useRun();
  const attempt = async () => {
    const challenge = await signIn(username, password);
    if (challenge === undefined) done();
    else next(challenge);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run(attempt);
  };
  return (
    <form className="stack" onSubmit={submit}>
      <p className="quiet">This action needs a recent login. Then start the action again.</p>
      <TextField
        label={`Password of ${username}`}
        type="password"
        autoComplete="current-password"
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      {error !== undefined && <ErrorNote error={error} />}
      <div className="actions">
        <button type="submit" className="button primary" disabled={busy}>
          Confirm
        </button>
      </div>
    </form>
  );
}
