/** Every command with its arguments and options. */
import { Command } from 'commander';
import { accountCommands } from './commands/accounts.ts';
import { auditCommands } from './commands/audit.ts';
import { apiClientCommands } from './commands/clients.ts';
import { addCompletion } from './commands/completion.ts';
import { contextCommands } from './commands/contexts.ts';
import { deadLetterCommands } from './commands/dead-letters.ts';
import { eventCommands } from './commands/events.ts';
import { ledgerCommands } from './commands/ledger.ts';
import { loginCommands } from './commands/login.ts';
import { mandateCommands } from './commands/mandates.ts';
import { captureCommands, refundCommands } from './commands/operations.ts';
import { paymentCommands } from './commands/payments.ts';
import { pipelineCommand } from './commands/pipeline.ts';
import { reconcileCommand } from './commands/reconcile.ts';
import { ruleCommands } from './commands/rules.ts';
import { searchCommand } from './commands/search.ts';
import { statusCommand } from './commands/status.ts';
import { userCommands } from './commands/users.ts';
import { webhookCommands } from './commands/webhooks.ts';
import { addGlobalOptions } from './environment.ts';
import { EXIT_CODES_HELP } from './exit.ts';

export function createProgram(): Command {
  const program = new Command('payflowx')
    .description('PayFlowX in a terminal: payments, accounts, rules, the ledger and its proof.')
    .showHelpAfterError('Run the command with --help for its options.')
    .addHelpText('after', EXIT_CODES_HELP);
  addGlobalOptions(program);
  program.exitOverride();
  const groups = [
    ...[loginCommands, contextCommands, statusCommand, pipelineCommand, searchCommand],
    ...[paymentCommands, captureCommands, refundCommands, mandateCommands, accountCommands],
    ...[ruleCommands, ledgerCommands, reconcileCommand],
    ...[deadLetterCommands, eventCommands, webhookCommands, userCommands, apiClientCommands, auditCommands],
  ];
  for (const add of groups) add(program);
  addCompletion(program);
  return program;
}
