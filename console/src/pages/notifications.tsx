/** The inbox, and which events come by mail. */
import type { Schema } from '@payflowx/client';
import { useState } from 'react';
import { api, reads, refresh, usePages, useRead } from '../api/api.ts';
import { useRoles } from '../session/session.ts';
import { CheckField, useRun } from '../ui/form.tsx';
import { PaymentLink } from '../ui/links.tsx';
import { Card, Empty, ErrorNote, Id, Loaded, Money, PageHead, Time } from '../ui/parts.tsx';
import { List } from '../ui/table.tsx';

type Preferences = Schema<'NotificationPreferences'>;

export function NotificationsPage() {
  const { has } = useRoles();
  const staff = has('operator', 'auditor');
  const pages = usePages(
    ['notifications', 'all'],
    (cursor) => reads.get('/v1/notifications', { params: { query: cursor } }),
    { everyMs: 5_000 },
  );
  return (
    <>
      <PageHead title="Notifications">
        {staff ? 'Notifications of all people.' : 'News of your payments, the newest first.'}
      </PageHead>
      <div className="split">
        <Card>
          <List
            caption="Notifications"
            pages={pages}
            keyOf={({ id }) => id}
            columns={[
              {
                head: 'News',
                cell: ({ title, body }) => (
                  <>
                    <strong>{title}</strong>
                    <div className="quiet small">{body}</div>
                  </>
                ),
              },
              ...(staff
                ? [
                    {
                      head: 'To',
                      cell: ({ recipient_id }: Schema<'Notification'>) => <Id id={recipient_id} />,
                    },
                  ]
                : []),
              { head: 'Payment', cell: ({ payment_id }) => <PaymentLink id={payment_id} /> },
              { head: 'Time', cell: ({ created_at }) => <Time at={created_at} /> },
              {
                head: 'Amount',
                right: true,
                cell: ({ amount, currency }) => <Money amount={amount} currency={currency} />,
              },
            ]}
            empty={<Empty title="No notifications yet">News of payments appears here.</Empty>}
          />
        </Card>
        <PreferencesCard />
      </div>
    </>
  );
}

function PreferencesCard() {
  const preferences = useRead(['preferences'], () => reads.get('/v1/notification-preferences'));
  return (
    <Card title="Your preferences" pad>
      <Loaded query={preferences}>{(data) => <PreferencesForm saved={data} />}</Loaded>
    </Card>
  );
}

function PreferencesForm({ saved }: { saved: Preferences }) {
  const [channels, setChannels] = useState(saved.channels);
  const [events, setEvents] = useState(saved.events);
  const [done, setDone] = useState(false);
  const { busy, error, run } = useRun();
  const save = async () => {
    setDone(false);
    await api.put('/v1/notification-preferences', { body: { channels, events, language: saved.language } });
    await refresh('preferences');
    setDone(true);
  };
  const names = Object.keys(events) as (keyof Preferences['events'])[];
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void run(save);
      }}
    >
      <CheckField
        label="Inbox"
        checked={channels.inbox}
        onChange={(event) => setChannels({ ...channels, inbox: event.target.checked })}
      />
      <CheckField
        label="Mail"
        checked={channels.mail}
        onChange={(event) => setChannels({ ...channels, mail: event.target.checked })}
      />
      <h3>Mail for</h3>
      {names.map((name) => (
        <CheckField
          key={name}
          label={name.replace('payment.', '')}
          disabled={!channels.mail}
          checked={events[name].mail}
          onChange={(event) =>
            setEvents({ ...events, [name]: { ...events[name], mail: event.target.checked } })
          }
        />
      ))}
      {error !== undefined && <ErrorNote error={error} />}
      {done && (
        <p className="note good" role="status">
          Saved.
        </p>
      )}
      <div className="actions">
        <button type="submit" className="button" disabled={busy}>
          Save
        </button>
      </div>
    </form>
  );
}
