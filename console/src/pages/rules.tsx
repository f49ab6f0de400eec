/** The rules that decide on payments besides balance and limits. */
import { Link } from '@tanstack/react-router';
import { reads, usePages } from '../api/api.ts';
import { useRoles } from '../session/session.ts';
import { Badge, Card, Empty, PageHead, Time } from '../ui/parts.tsx';
import { List } from '../ui/table.tsx';

export function RulesPage() {
  const { has } = useRoles();
  const pages = usePages(['rules', 'all'], (cursor) => reads.get('/v1/rules', { params: { query: cursor } }));
  return (
    <>
      <PageHead
        title="Rules"
        actions={
          has('operator') && (
            <Link to="/rules/new" className="button primary">
              New rule
            </Link>
          )
        }
      >
        A rule is an expression in CEL and an action. A shadow rule only records what it would have done.
      </PageHead>
      <Card>
        <List
          caption="Rules"
          pages={pages}
          keyOf={({ id }) => id}
          hrefOf={({ id }) => `/rules/${id}`}
          columns={[
            {
              head: 'Name',
              cell: ({ id, name }) => (
                <Link to="/rules/$id" params={{ id }}>
                  {name}
                </Link>
              ),
            },
            { head: 'Action', cell: ({ action }) => <Badge state={action} /> },
            { head: 'State', cell: ({ enabled }) => <Badge state={enabled ? 'enabled' : 'disabled'} /> },
            { head: 'Expression', cell: ({ expression }) => <code>{clipped(expression)}</code> },
            { head: 'Version', right: true, cell: ({ version }) => version },
            { head: 'Saved', cell: ({ created_at }) => <Time at={created_at} /> },
          ]}
          empty={<Empty title="No rules">Balance and limits alone decide on payments.</Empty>}
        />
      </Card>
    </>
  );
}

function clipped(expression: string): string {
  const line = expression.replaceAll(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
