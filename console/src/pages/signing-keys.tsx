/** The keys that sign access tokens. */
import { useState } from 'react';
import { api, reads, refresh, useRead } from '../api/api.ts';
import { useRoles } from '../session/session.ts';
import { ConfirmButton } from '../ui/form.tsx';
import { Card, Id, Loaded, PageHead, Time } from '../ui/parts.tsx';
import { Table } from '../ui/table.tsx';

export function SigningKeysPage() {
  const { has } = useRoles();
  const [activatesAt, setActivatesAt] = useState('');
  const keys = useRead(['keys'], () => reads.get('/.well-known/jwks.json'));
  return (
    <>
      <PageHead
        title="Signing keys"
        actions={
          has('admin') && (
            <ConfirmButton
              label="Rotate…"
              confirm="Make a new key"
              title="Rotate the signing key?"
              effect="A new key is published at once, and signs tokens a moment later. Tokens of the old key stay valid until they expire."
              action={async () => {
                const { data } = await api.post('/v1/signing-keys/rotate', { body: {} });
                setActivatesAt(data.activates_at);
                await refresh('keys');
              }}
            />
          )
        }
      >
        These public keys verify access tokens. Anybody may read them.
      </PageHead>
      {activatesAt && (
        <p className="note good" role="status">
          A new key is published. It signs from <Time at={activatesAt} />.
        </p>
      )}
      <Card>
        <Loaded query={keys}>
          {(data) => (
            <Table
              caption="Public keys"
              items={data.keys}
              keyOf={({ kid }) => kid}
              columns={[
                { head: 'Key', cell: ({ kid }) => <Id id={kid} whole /> },
                { head: 'Algorithm', cell: ({ alg, crv }) => `${alg}, ${crv}` },
                { head: 'Public key', cell: ({ x }) => <code>{x}</code> },
              ]}
            />
          )}
        </Loaded>
      </Card>
    </>
  );
}
