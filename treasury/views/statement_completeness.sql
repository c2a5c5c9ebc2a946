-- Whether an account's statements are all there and lead from one balance to the next: one row a
-- day with a stated balance.
--
-- entity: Own company, by the table accounts.
-- bank: Bank, by the table accounts.
-- account: Own account.
-- currency: Currency, ISO 4217.
-- statement_date: Day.
-- opening_ledger: Opening balance as stated.
-- credits: Booked lines of the day.
-- debits: Booked lines of the day.
-- closing_ledger: Closing balance as stated.
-- roll_forward_difference: closing_ledger less (opening_ledger + credits - debits); null where a
--   balance is not stated.
-- previous_date: Day of the statement before.
-- previous_closing_ledger: Its closing balance.
-- opening_difference: opening_ledger less previous_closing_ledger.
-- missing_days: Business days without a statement since the one before.
-- state: complete, roll_forward_break, opening_break, missing_statement, or no_balance where nothing
--   can be checked.
with lines as (
  select account, currency, booking_date,
    coalesce(sum(amount) filter (where direction = 'CRDT'), 0) as credits,
    coalesce(sum(amount) filter (where direction = 'DBIT'), 0) as debits
  from transactions
  where channel = 'statement' and feed = 'statement' and status = 'BOOK' and account is not null
  group by account, currency, booking_date
), stated as (
  select s.account, s.currency, s.position_date as statement_date, s.opening_ledger, s.closing_ledger,
    coalesce(l.credits, 0) as credits, coalesce(l.debits, 0) as debits,
    lag(s.position_date) over (partition by s.account, s.currency order by s.position_date) as previous_date,
    lag(s.closing_ledger) over (partition by s.account, s.currency order by s.position_date) as previous_closing_ledger
  from stated_balances s
  left join lines l on l.account = s.account and l.currency = s.currency and l.booking_date = s.position_date
  where s.opening_ledger is not null or s.closing_ledger is not null
), checked as (
  select *, closing_ledger - (opening_ledger + credits - debits) as roll_forward_difference,
    opening_ledger - previous_closing_ledger as opening_difference,
    case when previous_date is null then 0
      else greatest(business_days(previous_date, statement_date) - 1, 0) end as missing_days
  from stated
)
select o.entity, o.bank, c.account, c.currency, c.statement_date, c.opening_ledger, c.credits, c.debits,
  c.closing_ledger, c.roll_forward_difference, c.previous_date, c.previous_closing_ledger,
  c.opening_difference, c.missing_days,
  case when c.roll_forward_difference <> 0 then 'roll_forward_break'
    when c.opening_difference <> 0 and c.missing_days > 0 then 'missing_statement'
    when c.opening_difference <> 0 then 'opening_break'
    when c.roll_forward_difference is null then 'no_balance'
    else 'complete' end as state
from checked c
left join own_accounts o on o.account = c.account
