#!/bin/bash
# A session of an operator in a terminal: opens an account, pays into it, freezes it, and checks the books.
#
#     GATEWAY=… OPERATOR_PASSWORD=… OWNER=usr_… ./session.sh <name of the account>
#
# It may be killed and started again: it finds the account by its name, and the key of the deposit follows from the account.
# payflowx exits with 0 only if the platform did it, so `set -e` ends the session at the first failure.
set -euo pipefail
export name=$1
# Reads JSON from standard input, as `it`, and prints an expression of it.
pick() { node -p "const it = JSON.parse(require('fs').readFileSync(0)); $1"; }

# The password comes on standard input, and is stored nowhere.
payflowx login --gateway "$GATEWAY" --user "${OPERATOR:-operator}" --password-stdin <<< "$OPERATOR_PASSWORD" > /dev/null

account=$(payflowx accounts list --owner "$OWNER" --name "$name" -o json | pick "it[0]?.id ?? ''")
if [ -z "$account" ]; then
  account=$(payflowx accounts create --owner "$OWNER" --currency EUR --name "$name" --daily 500.00 -o json | pick it.id)
fi
echo "account   $account"

# The same key again: the first deposit, and no second one.
payflowx accounts deposit "$account" --amount 120.00 --reference opening --key "opening-$account" -o json | pick '`deposit   ${it.id} ${it.state}`'

# A frozen account neither pays nor receives. Freezing it twice changes nothing.
payflowx accounts freeze "$account" --reason 'reported stolen' -o json | pick '`status    ${it.status}`'
payflowx accounts unfreeze "$account" --reason 'found again' -o json | pick '`status    ${it.status}`'

# By gRPC, the same account. Names differ: docs/integrators/grpc.md.
if command -v grpcurl > /dev/null && [ -n "${GRPC_CA:-}" ]; then
  login=$(node -p "JSON.stringify({ username: process.env.OPERATOR ?? 'operator', password: process.env.OPERATOR_PASSWORD })")
  token=$(grpcurl -cacert "$GRPC_CA" -d @ "$GRPC_AUTH" payflowx.auth.v1.AuthService/Login <<< "$login" | pick it.tokens.accessToken)
  grpcurl -cacert "$GRPC_CA" -H "authorization: Bearer $token" -d "{\"account_id\":\"$account\"}" \
    "$GRPC_AUTHORIZATION" payflowx.authorization.v1.AccountService/GetAccount | pick '`by gRPC   ${it.account.state} ${it.account.balance.postedMinor}`'
fi

# Who did it, and whether the books are right. The proof exits with another code while it is unsettled or broken.
payflowx audit accounts --account "$account" -o json | pick '`audit     ${it.length} records`'
payflowx ledger proof -o json | pick '`proof     ${it.verdict}`'
