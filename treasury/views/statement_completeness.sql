-- Whether an account's statements are all there and lead from one balance to the next: one row a
-- statement, on the day of its closing balance.
--
-- entity: Own company, by the table accounts.
-- bank: Bank, by the table accounts.
-- account: Own account.
-- currency: Currency, ISO 4217.
-- statement_date: Day.
-- opening_ledger: Opening balance as stated, on an earlier day for a statement of several.
-- credits: Booked lines since the opening balance.
-- debits: Booked lines since the opening balance.
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
    and booking_date is not null
  group by account, currency, booking_date
), days as (
  -- Each day of an account with what was booked up to then.
  select coalesce(s.account, l.account) as account, coalesce(s.currency, l.currency) as currency,
    coalesce(s.position_date, l.booking_date) as position_date, s.opening_ledger, s.closing_ledger,
    coalesce(l.credits, 0) as credits, coalesce(l.debits, 0) as debits
  from stated_balances s
  full join lines l on l.account = s.account and l.currency = s.currency
    and l.booking_date = s.position_date
), added as (
  select *,
    sum(credits) over (partition by account, currency order by position_date) as credits_so_far,
    sum(debits) over (partition by account, currency order by position_date) as debits_so_far
  from days
), stated as (
  select account, currency, position_date, opening_ledger, closing_ledger, credits_so_far, debits_so_far,
    credits_so_far - credits as credits_then, debits_so_far - debits as debits_then,
    lag(position_date) over (partition by account, currency order by position_date) as day_before,
    lag(opening_ledger) over (partition by account, currency order by position_date) as opening_before,
    lag(closing_ledger) over (partition by account, currency order by position_date) as closing_before,
    lag(credits_so_far - credits) over (partition by account, currency order by position_date) as credits_before,
    lag(debits_so_far - debits) over (partition by account, currency order by position_date) as debits_before
  from added
  where opening_ledger is not null or closing_ledger is not null
), told as (
  -- A statement of several days opens on one and closes on another.
  select *, opening_ledger is null and closing_before is null and day_before is not null as is_of_several
  from stated
), whole as (
  select account, currency, position_date as statement_date, closing_ledger,
    case when is_of_several then opening_before else opening_ledger end as opening_ledger,
    case when is_of_several then day_before else position_date end as first_date,
    credits_so_far - case when is_of_several then credits_before else credits_then end as credits,
    debits_so_far - case when is_of_several then debits_before else debits_then end as debits
  from told
  where closing_ledger is not null
), followed as (
  select *,
    lag(statement_date) over (partition by account, currency order by statement_date) as previous_date,
    lag(closing_ledger) over (partition by account, currency order by statement_date) as previous_closing_ledger
  from whole
), checked as (
  select *, closing_ledger - (opening_ledger + credits - debits) as roll_forward_difference,
    opening_ledger - previous_closing_ledger as opening_difference,
    case when previous_date is null then 0
      else greatest(business_days(previous_date, first_date) - 1, 0) end as missing_days
  from followed
)
select a.entity, coalesce(a.bank, case when c.account like '%:%' then split_part(c.account, ':', 1) end) as bank,
  c.account, c.currency, c.statement_date, c.opening_ledger, c.credits, c.debits, c.closing_ledger, c.roll_forward_difference, c.previous_date, c.previous_closing_ledger,
  c.opening_difference, c.missing_days,
  case when c.roll_forward_difference <> 0 then 'roll_forward_break'
    when c.opening_difference <> 0 and c.missing_days > 0 then 'missing_statement'
    when c.opening_difference <> 0 then 'opening_break'
    when c.roll_forward_difference is null then 'no_balance'
    else 'complete' end as state
from checked c
left join accounts a on a.account = c.account
