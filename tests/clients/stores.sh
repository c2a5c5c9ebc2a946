#!/usr/bin/env bash
# A ledger whose history lies in a bucket, against a server that speaks S3 (moto, from PyPI): compact,
# SQL, verification, purge, tables of one's own, and what goes wrong.
#
#   cargo build --release -p tieout-cli --features cloud && bash tests/clients/stores.sh
#
# Skipped, in so many words, where tieout is built without the feature or moto cannot be had. With
# CI=true it is skipped only for want of the feature, which CI does not build.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
tieout=${TIEOUT_BIN:-$root/target/release}/tieout
work=$root/target/clients
mkdir -p "$work"

fail() { echo "s3             FAILED: $*"; exit 1; }
skip() { echo "s3             skipped: $*"; exit "${2:-0}"; }

books=$(mktemp -d)
server=
trap '[ -n "$server" ] && kill "$server" 2>/dev/null; rm -rf "$books"' EXIT
export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing AWS_REGION=eu-central-1 AWS_ALLOW_HTTP=true
export TIEOUT_LEDGER=$books/ledger

"$tieout" run "$root/datasets/distributor" --ledger "$TIEOUT_LEDGER" --quiet || fail "the run"
# An account that nobody names: nothing is asked over the network.
told=$(env -u AZURE_STORAGE_ACCOUNT_NAME "$tieout" audit compact --history az://books/history 2>&1)
case $told in *"--features cloud"*) skip "this tieout is built without the feature cloud" ;; esac

moto=${MOTO:-$work/moto}
if [ ! -x "$moto/bin/moto_server" ]; then
    python3 -m venv "$moto" >/dev/null 2>&1 &&
        timeout 300 "$moto/bin/pip" -q install 'moto[server]>=5' >"$work/moto.log" 2>&1
fi
[ -x "$moto/bin/moto_server" ] || skip "pip cannot install moto" "$([ "${CI:-}" = true ] && echo 1 || echo 0)"

"$moto/bin/moto_server" -H 127.0.0.1 -p 0 >"$books/moto.log" 2>&1 &
server=$!
for _ in $(seq 300); do
    port=$(sed -n 's/.*Running on http:\/\/127\.0\.0\.1:\([0-9]*\).*/\1/p' "$books/moto.log" | head -1)
    [ -n "$port" ] && break
    sleep 0.1
done
[ -n "$port" ] || fail "moto did not start: $(cat "$books/moto.log")"
export AWS_ENDPOINT_URL=http://127.0.0.1:$port

cat >"$books/s3.py" <<'PY'
import os, sys
import boto3
s3 = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
def keys(bucket):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [o["Key"] for page in pages for o in page.get("Contents", [])]
verb, *rest = sys.argv[1:]
if verb == "bucket":
    s3.create_bucket(Bucket=rest[0], CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
elif verb == "put":
    s3.upload_file(rest[0], rest[1], rest[2])
elif verb == "get":
    s3.download_file(rest[1], rest[2], rest[0])
elif verb == "delete":
    s3.delete_object(Bucket=rest[0], Key=rest[1])
elif verb == "list":
    print("\n".join(keys(rest[0])))
PY
s3() { "$moto/bin/python" "$books/s3.py" "$@" || fail "s3 $*"; }
ask() { "$tieout" sql "$1" --format csv "${@:2}" || fail "$1"; }
# What fails, and must say so.
refused() {
    local word=$1
    shift
    told=$("$@" 2>&1) && fail "$* succeeded"
    case $told in *"$word"*) ;; *) fail "$* does not say $word: $told" ;; esac
}

TOTALS="select status, count(*), sum(amount), sum(applied) from payments group by 1 order by 1"
VIEWS="select * from receivables_ageing order by 1, 2, 3"
s3 bucket books
before=$(ask "$TOTALS"; ask "$VIEWS")
payment=$(ask "select payment_id from applications order by 1 limit 1" | tail -1)
explained=$("$tieout" explain "$payment")

"$tieout" audit compact --history s3://books/history || fail "compact"
s3 list books | grep -c '^history/.*/payments.parquet$' >/dev/null || fail "no objects: $(s3 list books)"
[ -z "$(find "$TIEOUT_LEDGER" -name '*.parquet')" ] || fail "files are left in the ledger's folder"
[ "$(ask "$TOTALS"; ask "$VIEWS")" = "$before" ] || fail "other answers from the bucket"
[ "$("$tieout" explain "$payment")" = "$explained" ] || fail "another explanation from the bucket"
"$tieout" audit verify >/dev/null || fail "verify"

# Many files, one day after the other, joined in the bucket again.
party=$(ask "select party_id from payments where status = 'applied' and party_id is not null order by 1 limit 1" | tail -1)
"$tieout" audit purge --party "$party" --by Ada --reason "asked" || fail "purge"
"$tieout" audit compact || fail "compact again"
"$tieout" audit verify >/dev/null || fail "verify after the purge"
[ "$(ask "$TOTALS")" = "$(printf '%s\n' "$before" | head -"$(ask "$TOTALS" | wc -l)")" ] || fail "totals after the purge"
named=$(grep -c '"digest"' "$TIEOUT_LEDGER/ledger.json")
there=$(s3 list books | grep -c parquet)
# The manifest has one digest of its own.
[ "$there" = $((named - 1)) ] || fail "$there objects for $((named - 1)) files"

# Wrong objects are named.
key=$(s3 list books | grep '/payments.parquet$' | sed -n 1p)
s3 get "$books/good" books "$key"
head -c 1000 "$books/good" >"$books/short"
s3 put "$books/short" books "$key"
refused "$key" "$tieout" sql "select sum(amount) from payments"
refused "$key" "$tieout" audit verify
s3 delete books "$key"
refused "$key" "$tieout" sql "select sum(amount) from payments"
refused "$key" "$tieout" audit verify
"$tieout" audit compact >/dev/null || fail "an object that is missing is not made again"
"$tieout" audit verify >/dev/null || fail "verify after that"

# Tables of one's own.
printf 'party_id,region\n%s,north\n' "$party" >"$books/regions.csv"
s3 put "$books/regions.csv" books own/regions.csv
own() {
    printf '%s\n' "create external table regions stored as csv location '$1' options ('format.has_header' 'true');" \
        "select region, count(*) > 0 from payments join regions using (party_id) group by 1;" |
        "$tieout" sql --format csv --allow-url s3://books/own 2>&1
}
own s3://books/own/regions.csv | grep -q '^north,true$' || fail "a table of one's own: $(own s3://books/own/regions.csv)"
own "s3://books/$key" | grep -q 'beneath no URL' || fail "a table beyond what was allowed"

# A server that is gone, and back to the ledger's folder.
AWS_ENDPOINT_URL=http://127.0.0.1:9 refused "s3://books/history" "$tieout" audit verify
"$tieout" audit compact --history "$TIEOUT_LEDGER" || fail "back"
[ -z "$(s3 list books | grep '^history/')" ] || fail "left in the bucket: $(s3 list books)"
"$tieout" audit verify >/dev/null || fail "verify at last"
echo "s3             ok"
