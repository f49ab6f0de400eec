/** The page for people whose role needs a second factor, and who have none: they set one up, or sign out. */
import { useState } from 'react';
import { AddFactor } from '../pages/security/add-factor.tsx';
import { useRun } from '../ui/form.tsx';
import { ErrorNote } from '../ui/parts.tsx';
import { finishSetup, type Me, signOut } from './session.ts';

export function SetupPage({ me }: { me: Me }) {
  const [isDone, setDone] = useState(false);
  const { busy, error, run } = useRun();
  return (
    <main className="gate-form">
      <div className="stack">
        <h1>Set up a second factor</h1>
        <p className="quiet">
          Your role needs a second factor. With one, a stolen password is not enough to sign in as{' '}
          {me.username}.
        </p>
        <AddFactor onAdded={() => setDone(true)} />
        {error !== undefined && <ErrorNote error={error} />}
        <div className="row">
          {isDone && (
            <button
              type="button"
              className="button primary"
              disabled={busy}
              onClick={() => void run(finishSetup)}
            >
              I have kept the codes
            </button>
          )}
          {!isDone && (
            <button type="button" className="button plain" onClick={() => void signOut()}>
              Sign out
            </button>
          )}
        </div>
      </div>
    </main>
  );
}
