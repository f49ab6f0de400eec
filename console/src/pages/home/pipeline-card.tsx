/** How far each stage of the events is behind, and the messages that were given up. */
import type { Schema } from '@payflowx/client';
import { Link } from '@tanstack/react-router';
import { reads, useRead } from '../../api/api.ts';
import { Badge, Card, Loaded } from '../../ui/parts.tsx';
import { Table } from '../../ui/table.tsx';

type Stage = Schema<'Pipeline'>['stages'][number];

/** A stage that is later than this is shown as late. The alerts allow more. */
const LATE_MS = 10_000;

export function usePipeline() {
  return useRead(['pipeline'], () => reads.get('/v1/pipeline'), { everyMs: 5_000 });
}

export function PipelineCard() {
  const pipeline = usePipeline();
  return (
    <Card title="Events on their way" actions={<Link to="/dead-letters">Dead letters</Link>}>
      <Loaded query={pipeline} rows={7}>
        {({ stages, dead_letters: letters, incomplete }) => (
          <>
            {incomplete.length > 0 && (
              <div className="body">
                <p className="note warn">No answer from {incomplete.join(', ')}.</p>
              </div>
            )}
            <Table
              caption="Stages of the events"
              items={stages}
              keyOf={({ service, activity, source }) => service + activity + source}
              columns={[
                { head: 'Stage', cell: (stage) => <StageName stage={stage} /> },
                { head: 'State', cell: (stage) => <Lateness stage={stage} /> },
                { head: 'Waiting', right: true, cell: ({ waiting }) => countText(waiting) },
                { head: 'Oldest', right: true, cell: ({ oldest_age_ms: ms }) => ageText(ms) },
              ]}
            />
            <Letters letters={letters} />
          </>
        )}
      </Loaded>
    </Card>
  );
}

function StageName({ stage: { service, activity, source } }: { stage: Stage }) {
  return (
    <>
      {service} {activity === 'publish' ? 'publishes' : 'applies'}
      <div className="quiet small">{source}</div>
    </>
  );
}

function Lateness({ stage: { oldest_age_ms: ms } }: { stage: Stage }) {
  if (ms === null) return <Badge state="unknown" />;
  return ms > LATE_MS ? (
    <Badge state="late" tone="warn" />
  ) : (
    <Badge state="current" tone="good">
      In step
    </Badge>
  );
}

function Letters({ letters }: { letters: Schema<'Pipeline'>['dead_letters'] }) {
  const count = letters.reduce((sum, each) => sum + (each.count ?? 0), 0);
  const unknown = letters.filter((each) => each.count === null).map(({ source }) => source);
  return (
    <p className="body small">
      {count === 0 ? (
        <span className="quiet">No dead letters.</span>
      ) : (
        <Link to="/dead-letters">
          <Badge state="dead letters" tone="bad">
            {count === 1 ? '1 dead letter' : `${count.toLocaleString('en-GB')} dead letters`}
          </Badge>
        </Link>
      )}
      {unknown.length > 0 && <span className="quiet"> Not known: {unknown.join(', ')}.</span>}
    </p>
  );
}

const countText = (count: number | null) => (
  <span className="num">{count === null ? '–' : count.toLocaleString('en-GB')}</span>
);

function ageText(ms: number | null) {
  if (ms === null) return '–';
  return (
    <span className="num">
      {ms < 60_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`}
    </span>
  );
}
