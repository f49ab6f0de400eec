/** One user: roles, state, password, second factors and sessions. */
import type { Schema } from '@payflowx/client';
import { Link, useParams } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { api, reads, refresh, usePages, useRead } from '../api/api.ts';
import { useRoles } from '../session/session.ts';
import { ConfirmButton, Dialog, TextField, useRun } from '../ui/form.tsx';
import { Badge, Card, ErrorNote, Facts, Id, Loaded, PageHead, Time } from '../ui/parts.tsx';
import { SecretOnce } from '../ui/secret-once.tsx';
import { List } from '../ui/table.tsx';
import { RoleFields } from './users.tsx';

type User = Schema<'User'>;

export function UserPage() {
  const { id } = useParams({ from: '/users/$id' });
  const { has } = useRoles();
  const user = useRead(['user', id], () => reads.get('/v1/users/{id}', { params: { path: { id } } }));
  return (
    <Loaded query={user} rows={8}>
      {(data) => (
        <>
          <PageHead
            title={data.username}
            crumb={<Link to="/users">Users</Link>}
            actions={
              <>
                <Badge state={data.state} />
                {has('admin') && <UserActions user={data} />}
              </>
            }
          />
          <div className="halves">
            <Card title="Details" pad>
              <Facts
                of={[
                  ['Id', <Id key="id" id={data.id} whole />],
                  ['Roles', data.roles.join(', ')],
                  ['Mail', data.email && `${data.email}${data.email_verified ? '' : ' (not confirmed)'}`],
                  ['Language', data.language],
                  ['External id', data.external_id],
                  ...Object.entries(data.metadata).map(([name, value]): [string, string] => [
                    `Metadata: ${name}`,
                    value,
                  ]),
                  ['Password', data.has_password ? 'yes' : 'no: only API clients act for this user'],
                  ['Second factor', data.second_factor ? 'yes' : 'no'],
                  ['Created', <Time key="created" at={data.created_at} />],
                  ['Last sign-in', <Time key="last" at={data.last_login_at} />],
                ]}
              />
            </Card>
            {has('admin') && <EditForm key={data.version} user={data} />}
          </div>
          {has('admin') && <Sessions id={id} />}
        </>
      )}
    </Loaded>
  );
}

function EditForm({ user }: { user: User }) {
  const [roles, setRoles] = useState(user.roles);
  const { busy, error, run } = useRun();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const textOf = (name: string) => String(form.get(name) ?? '').trim() || null;
    const changes = { email: textOf('email'), external_id: textOf('external_id') };
    void run(async () => {
      await api.patch('/v1/users/{id}', {
        params: { path: { id: user.id }, header: { 'if-match': `"${user.version}"` } },
        body: {
          roles,
          ...(changes.email !== user.email && { email: changes.email }),
          ...(changes.external_id !== user.external_id && { external_id: changes.external_id }),
        },
      });
      await refresh('user', 'users');
    });
  };
  return (
    <Card title="Edit" pad>
      <form className="stack" onSubmit={submit}>
        <RoleFields roles={roles} onChange={setRoles} />
        <TextField label="Mail address" name="email" type="email" defaultValue={user.email ?? ''} />
        <TextField
          label="External id"
          name="external_id"
          maxLength={100}
          defaultValue={user.external_id ?? ''}
        />
        {error !== undefined && <ErrorNote error={error} />}
        <div className="actions">
          <button type="submit" className="button" disabled={busy}>
            Save
          </button>
        </div>
      </form>
    </Card>
  );
}

function UserActions({ user }: { user: User }) {
  const [password, setPassword] = useState('');
  const params = { path: { id: user.id } };
  const after = () => refresh('user', 'users');
  return (
    <>
      <ConfirmButton
        label="Reset password…"
        confirm="Reset the password"
        title={`Reset the password of ${user.username}?`}
        effect="The old password does not work any more, and all sessions end. You get a one-time password for the person."
        action={async () => {
          const { data } = await api.post('/v1/users/{id}/reset-password', { params, body: {} });
          setPassword(data.one_time_password);
          await after();
        }}
      />
      {user.second_factor && (
        <ConfirmButton
          label="Remove second factors…"
          confirm="Remove them"
          title="Remove all second factors?"
          effect="The person signs in with the password alone. Make sure that it is really them who asks."
          action={async () => {
            await api.delete('/v1/users/{id}/second-factors', { params });
            await after();
          }}
        />
      )}
      {user.state === 'enabled' ? (
        <ConfirmButton
          label="Disable…"
          confirm="Disable the user"
          title={`Disable ${user.username}?`}
          effect="The person cannot sign in, all sessions end, and the API clients of the person stop working."
          action={async () => {
            await api.post('/v1/users/{id}/disable', { params, body: {} });
            await after();
          }}
        />
      ) : (
        <ConfirmButton
          label="Enable…"
          confirm="Enable the user"
          title={`Enable ${user.username}?`}
          effect="The person can sign in again."
          danger={false}
          action={async () => {
            await api.post('/v1/users/{id}/enable', { params, body: {} });
            await after();
          }}
        />
      )}
      {password && (
        <Dialog title="One-time password" onClose={() => setPassword('')}>
          <SecretOnce name="one-time password" secret={password} onClose={() => setPassword('')} />
        </Dialog>
      )}
    </>
  );
}

function Sessions({ id }: { id: string }) {
  const pages = usePages(['user', id, 'sessions'], (cursor) =>
    reads.get('/v1/users/{id}/sessions', { params: { path: { id }, query: cursor } }),
  );
  return (
    <Card
      title="Sessions"
      actions={
        <ConfirmButton
          label="End all…"
          confirm="End all sessions"
          title="End all sessions?"
          effect="The person is signed out everywhere within seconds."
          tiny
          action={async () => {
            await api.post('/v1/users/{id}/logout-everywhere', { params: { path: { id } }, body: {} });
            await refresh('user');
          }}
        />
      }
    >
      <List
        caption="Sessions"
        pages={pages}
        keyOf={(session) => session.id}
        columns={[
          { head: 'Session', cell: (session) => <Id id={session.id} /> },
          { head: 'Began', cell: ({ created_at }) => <Time at={created_at} /> },
          { head: 'Last used', cell: ({ last_used_at }) => <Time at={last_used_at} /> },
          { head: 'Ends', cell: ({ expires_at }) => <Time at={expires_at} /> },
          {
            head: 'End',
            cell: (session) => (
              <ConfirmButton
                label="End…"
                confirm="End the session"
                title="End this session?"
                effect="The person is signed out there within seconds."
                tiny
                action={async () => {
                  const path = { id, session_id: session.id };
                  await api.post('/v1/users/{id}/sessions/{session_id}/revoke', {
                    params: { path },
                    body: {},
                  });
                  await refresh('user');
                }}
              />
            ),
          },
        ]}
        empty="No sessions"
      />
    </Card>
  );
}
