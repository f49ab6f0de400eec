/** The person's own sessions, password and second factor. */
import type { Schema } from '@payflowx/client';
import { type FormEvent, useState } from 'react';
import { api, reads, refresh, usePages, useRead } from '../api/api.ts';
import { signOut } from '../session/session.ts';
import { ConfirmButton, TextField, useRun } from '../ui/form.tsx';
import { Badge, Card, Empty, ErrorNote, Id, Loaded, PageHead, Time } from '../ui/parts.tsx';
import { List, Table } from '../ui/table.tsx';
import { AddFactor } from './security/add-factor.tsx';

export function SecurityPage() {
  return (
    <>
      <PageHead title="Your sign-in" />
      <Sessions />
      <div className="halves">
        <SecondFactors />
        <Password />
      </div>
    </>
  );
}

function Sessions() {
  const pages = usePages(
    ['sessions'],
    (cursor) => reads.get('/v1/auth/sessions', { params: { query: cursor } }),
    { everyMs: 10_000 },
  );
  const end = async (session: Schema<'Session'>) => {
    if (session.current) return signOut();
    await api.post('/v1/auth/sessions/{id}/revoke', { params: { path: { id: session.id } }, body: {} });
    await refresh('sessions');
  };
  return (
    <Card
      title="Sessions"
      actions={
        <ConfirmButton
          label="Sign out everywhere…"
          confirm="Sign out everywhere"
          title="Sign out everywhere?"
          effect="All your sessions end within seconds, this one too."
          tiny
          action={async () => {
            await api.post('/v1/auth/logout-everywhere', { body: {} });
            await signOut();
          }}
        />
      }
    >
      <List
        caption="Your sessions"
        pages={pages}
        keyOf={({ id }) => id}
        columns={[
          {
            head: 'Session',
            cell: ({ id, current }) => (
              <span className="row">
                <Id id={id} /> {current && <Badge state="enabled">This one</Badge>}
              </span>
            ),
          },
          { head: 'Began', cell: ({ created_at }) => <Time at={created_at} /> },
          { head: 'Last used', cell: ({ last_used_at }) => <Time at={last_used_at} /> },
          {
            head: 'End',
            cell: (session) => (
              <ConfirmButton
                label="End…"
                confirm="End the session"
                title="End this session?"
                effect={
                  session.current ? 'You are signed out here.' : 'You are signed out there within seconds.'
                }
                tiny
                action={() => end(session)}
              />
            ),
          },
        ]}
        empty="No sessions"
      />
    </Card>
  );
}

function Password() {
  const [done, setDone] = useState(false);
  const { busy, error, run } = useRun();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const text = (name: string) => String(new FormData(form).get(name));
    void run(async () => {
      setDone(false);
      const body = { current_password: text('current'), new_password: text('fresh') };
      await api.post('/v1/auth/password', { body });
      form.reset();
      setDone(true);
      await refresh('sessions');
    });
  };
  return (
    <Card title="Password" pad>
      <form className="stack" onSubmit={submit}>
        <TextField
          label="Current password"
          name="current"
          type="password"
          autoComplete="current-password"
          required
        />
        <TextField label="New password" name="fresh" type="password" autoComplete="new-password" required />
        {error !== undefined && <ErrorNote error={error} />}
        {done && (
          <p className="note good" role="status">
            Changed. Your other sessions have ended.
          </p>
        )}
        <div className="actions">
          <button type="submit" className="button" disabled={busy}>
            Change the password
          </button>
        </div>
      </form>
    </Card>
  );
}

function SecondFactors() {
  const factors = useRead(['second-factors'], () => reads.get('/v1/auth/second-factors'));
  return (
    <Card title="Second factor">
      <Loaded query={factors}>
        {({ data, recovery_codes_left }) => (
          <>
            {data.length === 0 ? (
              <Empty title="No second factor">With one, a stolen password is not enough to sign in.</Empty>
            ) : (
              <Table
                caption="Your second factors"
                items={data}
                keyOf={({ id }) => id}
                columns={[
                  { head: 'Name', cell: ({ name }) => name },
                  { head: 'Kind', cell: ({ kind }) => KINDS[kind] },
                  {
                    head: 'Confirmed',
                    cell: ({ confirmed_at }) => (confirmed_at ? <Time at={confirmed_at} /> : 'not yet'),
                  },
                  {
                    head: 'Last used',
                    cell: ({ last_used_at }) => (last_used_at ? <Time at={last_used_at} /> : '–'),
                  },
                  { head: 'Remove', cell: (factor) => <RemoveFactor factor={factor} /> },
                ]}
              />
            )}
            <div className="body">
              {data.length > 0 && (
                <p className="quiet small">{recovery_codes_left} recovery codes are left.</p>
              )}
              <AddFactor />
            </div>
          </>
        )}
      </Loaded>
    </Card>
  );
}

const KINDS = { totp: 'app', passkey: 'passkey' };

function RemoveFactor({ factor }: { factor: Schema<'SecondFactor'> }) {
  return (
    <ConfirmButton
      label="Remove…"
      confirm="Remove it"
      title={`Remove ${factor.name}?`}
      effect={`You cannot sign in with this ${KINDS[factor.kind]} any more.`}
      tiny
      action={async () => {
        await api.delete('/v1/auth/second-factors/{id}', { params: { path: { id: factor.id } } });
        await refresh('second-factors');
      }}
    />
  );
}
