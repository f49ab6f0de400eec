/** The users: people who can sign in, and those for whom only API clients act. */
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, reads, refresh, usePages } from '../api/api.ts';
import { type Role, useRoles } from '../session/session.ts';
import { AddButton } from '../ui/add-button.tsx';
import { CheckGroup, TextField } from '../ui/form.tsx';
import { Badge, Card, PageHead, Time } from '../ui/parts.tsx';
import { List } from '../ui/table.tsx';

export const ROLES: Role[] = ['customer', 'operator', 'auditor', 'admin'];

export function UsersPage() {
  const { has } = useRoles();
  const pages = usePages(['users', 'all'], (cursor) => reads.get('/v1/users', { params: { query: cursor } }));
  return (
    <>
      <PageHead title="Users" actions={has('admin') && <AddUser />}>
        Nobody can sign up: an administrator creates every user.
      </PageHead>
      <Card>
        <List
          caption="Users"
          pages={pages}
          keyOf={({ id }) => id}
          hrefOf={({ id }) => `/users/${id}`}
          columns={[
            {
              head: 'Username',
              cell: ({ id, username }) => (
                <Link to="/users/$id" params={{ id }}>
                  {username}
                </Link>
              ),
            },
            { head: 'Roles', cell: ({ roles }) => roles.join(', ') },
            { head: 'State', cell: ({ state }) => <Badge state={state} /> },
            { head: 'Second factor', cell: ({ second_factor }) => (second_factor ? 'yes' : 'no') },
            { head: 'Last sign-in', cell: ({ last_login_at }) => <Time at={last_login_at} /> },
          ]}
          empty="No users"
        />
      </Card>
    </>
  );
}

function AddUser() {
  const navigate = useNavigate();
  const [roles, setRoles] = useState<Role[]>(['customer']);
  const add = async (form: FormData, key: string) => {
    const password = String(form.get('password'));
    const body = { username: String(form.get('username')), ...(password && { password }), roles };
    const { data } = await api.post('/v1/users', { body, key });
    await refresh('users');
    await navigate({ to: '/users/$id', params: { id: data.id } });
    return undefined;
  };
  return (
    <AddButton label="Add a user…" title="Add a user" submit="Add" add={add}>
      <TextField label="Username" name="username" required autoComplete="off" />
      <TextField
        label="First password"
        hint="Without one the user cannot sign in. Only its API clients act for it."
        name="password"
        type="password"
        autoComplete="new-password"
      />
      <RoleFields roles={roles} onChange={setRoles} />
    </AddButton>
  );
}

export function RoleFields({ roles, onChange }: { roles: Role[]; onChange: (roles: Role[]) => void }) {
  return <CheckGroup legend="Roles" options={ROLES} chosen={roles} onChange={onChange} />;
}
