#!/usr/bin/env bash
# What an analyst types into psql.
set -eu
ask() { psql -X -v ON_ERROR_STOP=1 "$@"; }
has() { grep -q -- "$1" || { echo "missing: $1"; exit 1; }; }
# What is not done, and what is said of it. (The shell does not end at a command with ! before it.)
refused() { # WORDS COMMAND...
    local words=$1
    shift
    if "$@" 2>"$said"; then
        echo "not refused: $*"
        exit 1
    fi
    has "$words" <"$said"
}
said=$(mktemp)
trap 'rm -f "$said"' EXIT

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
ask -c '\copy (select payment_id, amount from payments order by 1 limit 3) to stdout csv header' | has '^payment_id,amount$'
ask -At -c "prepare found (text, date) as select count(*) from payments where status = \$1 and booking_date > \$2" \
    -c "execute found('applied', '2000-01-01')" -c 'deallocate found' | has '^[1-9]'
ask -At -c 'begin' -c "set local statement_timeout = '5s'" -c 'commit' -c 'show statement_timeout' | has '^0$'
ask -v FETCH_COUNT=7 -Atc 'select payment_id from payments limit 20' | wc -l | has '^ *20$'
ask -Atc "begin; select 1; commit" | has '^1$'
PGPASSWORD=wrong refused 'password authentication failed' ask -c 'select 1'
PGSSLMODE=verify-full PGSSLROOTCERT=$ROOT_CERTIFICATE PGHOST=localhost ask -Atc 'select 1' | has '^1$'
PGUSER=clerk ask -Atc 'select count(*) > 0 from payments' | has '^t$'
PGUSER=clerk refused 'may not read public.parties' ask -c 'select * from parties'
refused 'is refused' ask -c 'delete from payments'
