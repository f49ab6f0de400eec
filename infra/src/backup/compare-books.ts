/**
 * The comparison of the ledger's proof, by SQL, for restored databases without running services. All databases are of one moment. So
 * authorization and the journal differ at most by events that had not reached the ledger.
 */
import type pg from 'pg';
import type { Note } from '../progress.ts';
import { withClient } from './restored-server.ts';

interface Difference {
  account: string;
  text: string;
}

/** Returns what is wrong. `url` is of a superuser. */
export async function compareBooks(url: string, note: Note): Promise<string[]> {
  const inDatabase = <T>(name: string, work: (client: pg.Client) => Promise<T>) =>
    withClient(Object.assign(new URL(url), { pathname: `/payflowx_${name}` }).href, work);
  const { sums, balances } = await inDatabase('authorization', readBalances);
  const journal = await inDatabase('ledger', foldJournal);
  const differences = compare(balances, journal);
  const explained = await inDatabase('payment', (payment) =>
    inDatabase('ledger', (ledger) => accountsWithUnseenEvents(payment, ledger, differences)),
  );
  note(`${balances.size} accounts compared, ${explained.size} with events that had not reached the ledger`);
  const problems = differences.filter(({ account }) => !explained.has(account));
  return [...sums, ...problems.map(({ account, text }) => `${account}: ${text}`)];
}

type Balances = Map<string, { posted: bigint; held: bigint }>;

async function readBalances(client: pg.Client): Promise<{ sums: string[]; balances: Balances }> {
  const { rows: sums } = await client.query<{ currency: string; sum: string }>(
    'select a.currency, sum(b.posted) as sum from balances as b join accounts as a on a.id = b.account_id group by 1 having sum(b.posted) <> 0',
  );
  return {
    sums: sums.map(({ currency, sum }) => `all balances in ${currency} sum to ${sum}, not to 0`),
    balances: toBalances(
      await client.query('select account_id as account, posted::text, held::text from balances'),
    ),
  };
}

const FOLD = `select account, sum(posted)::text as posted, sum(held)::text as held from (
    select debit_account as account, case kind when 'transfer' then -amount_minor else 0 end as posted,
      case kind when 'hold' then amount_minor else 0 end as held from postings
    union all
    select credit_account, case kind when 'transfer' then amount_minor else 0 end,
      case kind when 'release' then -amount_minor else 0 end from postings
  ) as sides group by account`;

const foldJournal = async (client: pg.Client) => toBalances(await client.query(FOLD));

function toBalances({ rows }: { rows: { account: string; posted: string; held: string }[] }): Balances {
  return new Map(
    rows.map(({ account, posted, held }) => [account, { posted: BigInt(posted), held: BigInt(held) }]),
  );
}

function compare(balances: Balances, journal: Balances): Difference[] {
  const none = { posted: 0n, held: 0n };
  return [...new Set([...balances.keys(), ...journal.keys()])].flatMap((account) => {
    const { posted, held } = balances.get(account) ?? none;
    const folded = journal.get(account) ?? none;
    if (posted === folded.posted && held === folded.held) return [];
    const text = `authorization has ${posted} and ${held} on hold, the journal ${folded.posted} and ${folded.held}`;
    return [{ account, text }];
  });
}

/** Payments and steps without an outcome, and events that the journal has no transaction of. */
const UNFINISHED = `select 1 from payments as p left join operations as o on o.payment_id = p.id and o.state = 'PENDING'
  where $1 in (p.from_account, p.to_account) and (p.state = 'INITIATED' or o.id is not null) limit 1`;
const EVENTS = `select e.id from payments as p left join operations as o on o.payment_id = p.id and o.state = 'COMPLETED'
  cross join lateral (values (p.decided_event_id), (o.event_id)) as e (id)
  where $1 in (p.from_account, p.to_account) and p.state <> 'FAILED' and e.id is not null`;
const MISSING = `select 1 from unnest($1::text[]) as e (id)
  where not exists (select from transactions as t where t.id = 'txn_' || substr(e.id, 5)) limit 1`;

async function accountsWithUnseenEvents(
  payment: pg.Client,
  ledger: pg.Client,
  differences: readonly Difference[],
): Promise<Set<string>> {
  const found = new Set<string>();
  for (const { account } of differences) {
    const isUnfinished = (await payment.query(UNFINISHED, [account])).rowCount !== 0;
    const { rows } = await payment.query<{ id: string }>(EVENTS, [account]);
    const { rowCount } = await ledger.query(MISSING, [rows.map(({ id }) => id)]);
    if (isUnfinished || rowCount !== 0) found.add(account);
  }
  return found;
}
