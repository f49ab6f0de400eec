/** The entries of an account in a period, between its opening and closing balance. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { asCaller, EVERY_ROLE } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { problem } from '../schemas/answers.ts';
import { AnyAccountId, pathId } from '../schemas/ids.ts';
import { Entry, entryJson } from '../schemas/journal.ts';
import { minorUnits } from '../schemas/money.ts';
import { named, ref } from '../schemas/named.ts';
import { nextCursor, pageJson, pageQuery, pageRequest, query } from '../schemas/page.ts';
import { emptyAsNull, nullableText, time, timeInput, timeJson, timeOf } from '../schemas/text.ts';

const Statement = named(
  'Statement',
  Type.Object({
    account_id: ref(AnyAccountId),
    currency: nullableText('ISO 4217; null if the account has no entries.'),
    from: time('Start of the period, inclusive.'),
    to: time('End of the period, exclusive.'),
    opening_balance: minorUnits('Posted balance before the period, the same on every page.'),
    closing_balance: minorUnits('Posted balance after the period, the same on every page.'),
    data: Type.Array(
      Type.Object({ entry: ref(Entry), balance: minorUnits('Posted balance after this entry.') }),
      {
        description: 'Posted entries, oldest first.',
      },
    ),
    next_cursor: nextCursor,
  }),
);

export const statementSchemas = [Statement];

interface Options {
  ledger: Neighbours['ledger'];
}

export const statementRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { ledger }) => {
  app.get('/v1/ledger/accounts/:id/statement', {
    config: { access: EVERY_ROLE, scope: 'ledger:read' },
    schema: {
      tags: ['ledger'],
      operationId: 'getStatement',
      summary: 'Get the entries that changed an account’s posted balance in a period, oldest first',
      params: pathId(ref(AnyAccountId)),
      querystring: query({
        ...pageQuery,
        from: Type.Optional(
          timeInput('Start of the period, inclusive; the account’s first entry if absent.'),
        ),
        to: Type.Optional(timeInput('End of the period, exclusive; now if absent.')),
      }),
      response: { 200: ref(Statement), 404: problem(['ACCOUNT_NOT_FOUND']) },
    },
    handler: async (request) => {
      const { id } = request.params;
      const message = {
        ...pageRequest(request.query),
        accountId: id,
        from: timeOf('/from', request.query.from),
        to: timeOf('/to', request.query.to),
      };
      const statement = await ledger.getStatement(message, asCaller(request));
      const lines = statement.lines.map(({ entry, balanceMinor }) => {
        if (!entry) throw new Error('The ledger returned a statement line without its entry.');
        return { entry: entryJson(entry), balance: balanceMinor };
      });
      return {
        account_id: id,
        currency: emptyAsNull(statement.currency),
        from: timeJson(statement.from),
        to: timeJson(statement.to),
        opening_balance: statement.openingMinor,
        closing_balance: statement.closingMinor,
        ...pageJson(lines, statement.nextPageToken),
      };
    },
  });
};
