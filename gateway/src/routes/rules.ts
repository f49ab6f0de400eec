/** Saves rules and lists their versions. Rules decide on payments. backtests.ts tries a rule on past payments. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { RuleAction } from '@payflowx/proto/authorization';
import { Type } from 'typebox';
import { asCaller } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { problem } from '../schemas/answers.ts';
import { keyOf, optionalKey } from '../schemas/idempotency.ts';
import { pathId, RuleId } from '../schemas/ids.ts';
import { named, ref } from '../schemas/named.ts';
import { pageJson, pageOf, pageQuery, pageRequest, query } from '../schemas/page.ts';
import { ACTIONS, expressionInput, messageInput, Rule, ruleJson } from '../schemas/rule.ts';
import { requiredVersion, versionOf, withETag } from '../schemas/versions.ts';

const NewRule = named(
  'NewRule',
  Type.Object(
    {
      name: Type.String({
        minLength: 1,
        maxLength: 100,
        pattern: '^[^\\u0000]*$',
        description: 'A name that is unique among rules.',
        examples: ['large-at-night'],
      }),
      expression: expressionInput,
      action: ACTIONS.schema,
      message: Type.Optional(messageInput),
      enabled: Type.Optional(
        Type.Boolean({ default: true, description: 'True if the rule takes part in decisions.' }),
      ),
    },
    { additionalProperties: false },
  ),
);

const RuleChanges = named(
  'RuleChanges',
  Type.Object(
    {
      expression: Type.Optional(expressionInput),
      action: Type.Optional(ACTIONS.schema),
      message: Type.Optional(messageInput),
      enabled: Type.Optional(Type.Boolean({ description: 'True if the rule takes part in decisions.' })),
    },
    { additionalProperties: false, description: 'Absent fields keep their value.' },
  ),
);

const RulePage = pageOf('RulePage', Rule);

export const ruleSchemas = [Rule, RulePage, NewRule, RuleChanges];

interface Options {
  rules: Neighbours['rules'];
}

export const ruleRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { rules }) => {
  app.post('/v1/rules', {
    config: { access: ['operator'], scope: 'rules:write', recentLogin: true },
    schema: {
      tags: ['rules'],
      operationId: 'createRule',
      summary: 'Create a rule; it applies from the next decision on',
      description: 'If the expression has a mistake, the error names its position.',
      headers: optionalKey,
      body: ref(NewRule),
      response: {
        201: ref(Rule),
        409: problem(['RULE_NAME_TAKEN']),
        422: problem(['IDEMPOTENCY_KEY_REUSED']),
      },
    },
    handler: async (request, reply) => {
      const { name, expression, action, message = '', enabled = true } = request.body;
      const requestId = keyOf(request.headers);
      const wanted = { requestId, name, expression, action: ACTIONS.numberOf(action), message, enabled };
      const { rule } = await rules.createRule(wanted, asCaller(request));
      const body = withETag(ruleJson(rule), reply);
      return reply.code(201).header('location', `/v1/rules/${body.id}`).send(body);
    },
  });

  app.get('/v1/rules', {
    config: { access: ['operator', 'auditor'], scope: 'rules:read' },
    schema: {
      tags: ['rules'],
      operationId: 'listRules',
      summary: 'List the newest version of every rule, newest rule first',
      querystring: query(pageQuery),
      response: { 200: ref(RulePage) },
    },
    handler: async (request) => {
      const page = await rules.listRules(pageRequest(request.query), asCaller(request));
      return pageJson(page.rules.map(ruleJson), page.nextPageToken);
    },
  });

  app.get('/v1/rules/:id', {
    config: { access: ['operator', 'auditor'], scope: 'rules:read' },
    schema: {
      tags: ['rules'],
      operationId: 'getRule',
      summary: 'Get the newest version of a rule',
      params: pathId(ref(RuleId)),
      response: { 200: ref(Rule), 404: problem(['RULE_NOT_FOUND']) },
    },
    handler: async (request, reply) => {
      const { rule } = await rules.getRule({ ruleId: request.params.id }, asCaller(request));
      return withETag(ruleJson(rule), reply);
    },
  });

  app.patch('/v1/rules/:id', {
    config: { access: ['operator'], scope: 'rules:write', recentLogin: true },
    schema: {
      tags: ['rules'],
      operationId: 'updateRule',
      summary: 'Save the next version of a rule; older versions do not change',
      params: pathId(ref(RuleId)),
      headers: requiredVersion,
      body: ref(RuleChanges),
      response: {
        200: ref(Rule),
        404: problem(['RULE_NOT_FOUND']),
        412: problem(['VERSION_MISMATCH']),
        428: problem(['PRECONDITION_REQUIRED']),
      },
    },
    handler: async (request, reply) => {
      const { expression, action, message, enabled } = request.body;
      const changes = {
        ruleId: request.params.id,
        expectedVersion: versionOf(request.headers['if-match']),
        expression,
        action: action ? ACTIONS.numberOf(action) : RuleAction.UNSPECIFIED,
        message,
        enabled,
      };
      const { rule } = await rules.updateRule(changes, asCaller(request));
      return withETag(ruleJson(rule), reply);
    },
  });

  app.get('/v1/rules/:id/versions', {
    config: { access: ['operator', 'auditor'], scope: 'rules:read' },
    schema: {
      tags: ['rules'],
      operationId: 'listRuleVersions',
      summary: 'List all versions of a rule, with their times and authors, newest first',
      params: pathId(ref(RuleId)),
      querystring: query(pageQuery),
      response: { 200: ref(RulePage), 404: problem(['RULE_NOT_FOUND']) },
    },
    handler: async (request) => {
      const message = { ruleId: request.params.id, ...pageRequest(request.query) };
      const page = await rules.listRuleVersions(message, asCaller(request));
      return pageJson(page.versions.map(ruleJson), page.nextPageToken);
    },
  });
};
