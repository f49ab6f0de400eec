/** One message that was given up, with its content. */
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { api, reads, refresh, useRead } from '../api/api.ts';
import { useRoles } from '../session/session.ts';
import { ConfirmButton } from '../ui/form.tsx';
import { Badge, Card, Facts, Id, Loaded, PageHead, Time } from '../ui/parts.tsx';

export function DeadLetterPage() {
  const { id } = useParams({ from: '/dead-letters/$id' });
  const { has } = useRoles();
  const navigate = useNavigate();
  const params = { path: { id } };
  const letter = useRead(['dead-letter', id], () => reads.get('/v1/dead-letters/{id}', { params }));
  const redrive = async () => {
    await api.post('/v1/dead-letters/{id}/redrive', { params, body: {} });
    await refresh('dead-letters');
    await navigate({ to: '/dead-letters' });
  };
  return (
    <Loaded query={letter} rows={8}>
      {(data) => (
        <>
          <PageHead
            title={data.event_type ?? 'A message that is no event'}
            crumb={<Link to="/dead-letters">Dead letters</Link>}
            actions={
              has('operator') && (
                <ConfirmButton
                  label="Send back…"
                  confirm="Send it back"
                  title="Send this message back?"
                  effect="Its consumer gets it again. It is safe to repeat: a consumer skips an event that it has applied."
                  danger={false}
                  action={redrive}
                />
              )
            }
          />
          <div className="halves">
            <Card title="Details" pad>
              <Facts
                of={[
                  ['Reason', <Badge key="reason" state={data.reason} tone="bad" />],
                  ['Error', data.error],
                  ['From', data.source],
                  ['Event', data.event_id && <Id key="event" id={data.event_id} />],
                  ['Key', data.key && <Id key="key" id={data.key} />],
                  ['Given up', <Time key="failed" at={data.failed_at} />],
                  ['Bytes', data.payload_size],
                ]}
              />
            </Card>
            <Card title="Headers" pad>
              <Facts of={Object.entries(data.headers)} />
            </Card>
          </div>
          <Card title={data.payload ? 'Payload' : 'Payload in base64'} pad>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard. */}
            <pre tabIndex={0}>
              {data.payload ? JSON.stringify(data.payload, null, 2) : data.payload_base64}
            </pre>
          </Card>
        </>
      )}
    </Loaded>
  );
}
