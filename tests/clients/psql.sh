#!/usr/bin/env bash
# What an analyst types into psql.
set -eu
ask() { psql -X -v ON_ERROR_STOP=1 "$@"; }
has() { grep -q -- "$1" || { echo "missing: $1"; exit 1; }; }

ask -Atc 'select count(*) > 0 from payments' | has '^t$'
ask -c '\d' | has 'payments'
ask -c '\dt' | has 'open_items'
ask -c '\dt history.*' | has 'payments'
ask -c '\d payments' | has 'numeric(23,5)'
ask -c '\d+ payments' | has 'payment_id'
ask -c '\dn' | has 'history'
ask -c '\l' | has 'tieout'
ask -c '\du' | has 'tieout'
ask -c '\df' >/dev/null
ask -c '\conninfo' | has 'SSL'
ask -c '\copy (select payment_id, amount from payments order by 1 limit 3) to stdout with (format csv, header)' | has '^payment_id,amount$'
ask -v FETCH_COUNT=7 -Atc 'select payment_id from payments limit 20' | wc -l | has '^ *20$'
ask -Atc "begin; select 1; commit" | has '^1$'
PGPASSWORD=wrong ask -c 'select 1' 2>&1 | has 'password authentication failed' || true
PGSSLMODE=verify-full PGSSLROOTCERT=$ROOT_CERTIFICATE PGHOST=localhost ask -Atc 'select 1' | has '^1$'
PGUSER=clerk ask -Atc 'select count(*) > 0 from payments' | has '^t$'
! PGUSER=clerk ask -c 'select * from parties' 2>/dev/null
! ask -c 'delete from payments' 2>/dev/null
