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
  select account, currency, position_date from lines
  union
  select account, currency, position_date from stated_balances
  where current_ledger is not null or current_available is not null
), opened as (
  select d.account, d.currency, d.position_date, p.closing_ledger,
    row_number() over (partition by d.account, d.currency, d.position_date order by p.position_date desc) as place
  from days d
  join stated_balances p on p.account = d.account and p.currency = d.currency
    and p.position_date < d.position_date and p.closing_ledger is not null
)
select o.entity, o.bank, d.account, d.currency, d.position_date,
  coalesce(s.opening_ledger, e.closing_ledger) as opening_ledger,
  coalesce(l.credits, 0) as credits, coalesce(l.debits, 0) as debits,
  coalesce(l.pending_credits, 0) as pending_credits, coalesce(l.pending_debits, 0) as pending_debits,
  coalesce(l.lines, 0) as lines,
  s.current_ledger,
  coalesce(s.opening_ledger, e.closing_ledger) + coalesce(l.credits, 0) - coalesce(l.debits, 0) as projected_ledger,
  s.current_available
from days d
left join lines l on l.account = d.account and l.currency = d.currency and l.position_date = d.position_date
left join stated_balances s on s.account = d.account and s.currency = d.currency and s.position_date = d.position_date
left join opened e on e.account = d.account and e.currency = d.currency and e.position_date = d.position_date and e.place = 1
left join own_accounts o on o.account = d.account
