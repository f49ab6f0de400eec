/** The roles of callers in the contracts. */
import type { Caller, RoleName } from '@payflowx/chassis';
import { Role } from '@payflowx/proto/auth';

export const ROLE_CODES = {
  customer: Role.CUSTOMER,
  operator: Role.OPERATOR,
  admin: Role.ADMIN,
  auditor: Role.AUDITOR,
} as const satisfies Record<Caller['roles'][number], Role>;

const NAMES = new Map<Role, RoleName>(
  Object.entries(ROLE_CODES).map(([name, code]) => [code, name as RoleName]),
);

/** Throws for an unknown role. */
export function roleNames(codes: readonly Role[]): RoleName[] {
  return codes.map((code) => {
    const name = NAMES.get(code);
    if (!name) throw new Error(`There is no role ${code}.`);
    return name;
  });
}
