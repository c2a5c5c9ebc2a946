-- What banks and processors charge: lines of statements that are fees by their code, charges taken
-- off other lines, and fees of settlement reports. One row each; a refund is below zero.
--
-- booking_date: Day.
-- entity: Own company, by the table accounts.
-- bank: Bank, by the table accounts, or processor.
-- account: Own account.
-- kind: fee (a line of its own), charges (taken off another line) or processor fee.
-- type_code: The bank's code for it.
-- description: What the code means, or the text of the line.
-- currency: Currency, ISO 4217.
-- fee: Amount.
-- source_file: File that the row was read from.
-- source_line: Line in that file.
with fees as (
  select t.booking_date, t.account, cast(null as varchar) as processor, 'fee' as kind, t.type_code,
    coalesce(bai_type(t.type_code), iso_code(t.type_code), t.remittance_text) as description,
    t.currency, case when t.direction = 'DBIT' then t.amount else -t.amount end as fee,
    t.source_file, t.source_line
  from transactions t
  where t.feed = 'statement' and t.status = 'BOOK' and (
    (t.type_code in ('564', '567', '661', '698') and t.direction = 'DBIT')
    or (t.type_code = '398' and t.direction = 'CRDT')
    -- Few codes end or begin so; only those are held against the pattern.
    or ((t.type_code like '%-CHRG' or t.type_code like '%-FEES' or t.type_code like '%-COMM'
        or t.type_code like '%-COME' or t.type_code like '%-COMI' or t.type_code like '%-COMT')
      and regexp_like(t.type_code, '^[A-Z]{4}-[A-Z]{4}-[A-Z]{4}$'))
    or t.type_code like 'NCHG%' or t.type_code like 'SCHG%' or t.type_code like 'FCHG%'
    or t.type_code like 'NCOM%' or t.type_code like 'SCOM%' or t.type_code like 'FCOM%')
  union all
  select t.booking_date, t.account, null, 'charges', t.type_code,
    'charges of ' || coalesce(t.bank_reference, t.end_to_end_id, t.transaction_id),
    t.currency, t.charges, t.source_file, t.source_line
  from transactions t
  where t.charges is not null and t.charges <> 0
  union all
  select coalesce(s.settlement_date, s.booking_date), s.merchant_account, s.processor, 'processor fee',
    s.line_type, s.description, s.currency, s.fee, s.source_file, s.source_line
  from settlement_lines s
  where s.fee <> 0
)
select f.booking_date, a.entity,
  coalesce(a.bank, f.processor, case when f.account like '%:%' then split_part(f.account, ':', 1) end) as bank,
  f.account, f.kind, f.type_code, f.description, f.currency, f.fee, f.source_file, f.source_line
from fees f
left join accounts a on a.account = f.account
