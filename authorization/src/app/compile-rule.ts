/** Compiles a rule, and refuses what its action makes unsafe. */
import { compileExpression, type Expression } from '../cel/expression.ts';
import { PayerTextError } from '../cel/expression-error.ts';
import type { RuleTerms } from '../domain/rule.ts';

/**
 * Throws ExpressionError. For an ALLOW rule that reads a text of the payer it is a PayerTextError: with such a rule, payers could
 * exempt themselves from every rule that declines.
 */
export function compileRule({ expression, action }: Pick<RuleTerms, 'expression' | 'action'>): Expression {
  const compiled = compileExpression(expression);
  if (action === 'ALLOW' && compiled.payerText !== undefined) throw new PayerTextError(compiled.payerText);
  return compiled;
}
