-- The day's position while it goes on: the opening balance and what reports during the day have
-- brought so far. A day whose statement has come is still here, with what was known before it.
--
-- entity: Own company, by the table accounts.
-- bank: Bank, by the table accounts.
-- account: Own account.
-- currency: Currency, ISO 4217.
-- position_date: Day.
-- opening_ledger: Booked balance at the day's beginning: stated that day, else the last closing
--   balance before it.
-- credits: Money in so far, booked.
-- debits: Money out so far, booked.
-- pending_credits: Money in that is announced and not booked.
-- pending_debits: Money out that is announced and not booked.
-- lines: How many lines the reports have.
-- current_ledger: Booked balance as the bank states it during the day.
-- projected_ledger: opening_ledger + credits - debits.
-- current_available: What can be used, as the bank states it during the day.
with lines as (
  select account, currency, booking_date as position_date, count(*) as lines,
    coalesce(sum(amount) filter (where direction = 'CRDT' and status = 'BOOK'), 0) as credits,
    coalesce(sum(amount) filter (where direction = 'DBIT' and status = 'BOOK'), 0) as debits,
    coalesce(sum(amount) filter (where direction = 'CRDT' and status = 'PDNG'), 0) as pending_credits,
    coalesce(sum(amount) filter (where direction = 'DBIT' and status = 'PDNG'), 0) as pending_debits
  from transactions
  where feed = 'interim' and account is not null and booking_date is not null
  group by account, currency, booking_date
), days as (
  select coalesce(s.account, l.account) as account, coalesce(s.currency, l.currency) as currency,
    coalesce(s.position_date, l.position_date) as position_date,
    s.opening_ledger, s.closing_ledger, s.current_ledger, s.current_available,
    l.lines, l.credits, l.debits, l.pending_credits, l.pending_debits
  from stated_balances s
  full join lines l on l.account = s.account and l.currency = s.currency
    and l.position_date = s.position_date
), placed as (
  select *, max(case when closing_ledger is not null then position_date end) over (
    partition by account, currency order by position_date
    rows between unbounded preceding and 1 preceding) as closed_on
  from days
)
select a.entity, coalesce(a.bank, case when d.account like '%:%' then split_part(d.account, ':', 1) end) as bank,
  d.account, d.currency, d.position_date,
  coalesce(d.opening_ledger, e.closing_ledger) as opening_ledger,
  coalesce(d.credits, 0) as credits, coalesce(d.debits, 0) as debits,
  coalesce(d.pending_credits, 0) as pending_credits, coalesce(d.pending_debits, 0) as pending_debits,
  coalesce(d.lines, 0) as lines,
  d.current_ledger,
  coalesce(d.opening_ledger, e.closing_ledger) + coalesce(d.credits, 0) - coalesce(d.debits, 0) as projected_ledger,
  d.current_available
from placed d
left join stated_balances e on e.account = d.account and e.currency = d.currency and e.position_date = d.closed_on
left join accounts a on a.account = d.account
where d.lines is not null or d.current_ledger is not null or d.current_available is not null
