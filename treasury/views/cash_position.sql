-- Cash by entity, bank, account, currency and day: the booked balance, how much of it can be used,
-- and how much one or more days later. A figure that neither the bank states nor the lines give
-- is null.
--
-- entity: Own company, by the table accounts.
-- bank: Bank, by the table accounts; else the ABA number in front of the account.
-- account: Own account.
-- currency: Currency, ISO 4217.
-- position_date: Day.
-- opening_ledger: Booked balance at the day's beginning.
-- credits: Money in, by the booked lines of the day.
-- debits: Money out, by the booked lines of the day.
-- ledger: Booked balance at the day's end.
-- ledger_basis: stated by the bank, or rolled forward from the opening balance by the lines.
-- available: Part of ledger that can be used.
-- available_basis: stated by the bank, or value_dates: ledger less lines whose value date is later.
-- float_0: Credits of the day that can be used at once.
-- float_1: Part of ledger that can be used one business day later.
-- float_2_or_more: Part of ledger that can be used two or more business days later.
with lines as (
  select account, currency, booking_date, value_date,
    coalesce(sum(amount) filter (where direction = 'CRDT'), 0) as credits,
    coalesce(sum(amount) filter (where direction = 'DBIT'), 0) as debits
  from transactions
  where channel = 'statement' and feed = 'statement' and status = 'BOOK' and account is not null
    and booking_date is not null
  group by account, currency, booking_date, value_date
), spans as (
  -- Days on which something is booked and not of value yet. There are few, whatever the lines.
  select d.position_date, s.booking_date, s.value_date, business_days(d.position_date, s.value_date) as away
  from (
    select as_of_date as position_date from balances where as_of_date is not null
    union
    select booking_date from transactions where booking_date is not null
  ) d
  join (select distinct booking_date, value_date from transactions where value_date > booking_date) s
    on s.booking_date <= d.position_date and s.value_date > d.position_date
), movements as (
  -- What is booked, on its day; what is not of value yet, on each day until it is.
  select l.account, l.currency, coalesce(s.position_date, l.booking_date) as position_date,
    sum(l.credits) filter (where coalesce(s.position_date, l.booking_date) = l.booking_date) as credits,
    sum(l.debits) filter (where coalesce(s.position_date, l.booking_date) = l.booking_date) as debits,
    sum(l.credits) filter (where coalesce(l.value_date, l.booking_date) <= l.booking_date) as at_once,
    sum(l.credits - l.debits) filter (where s.away = 1) as float_1,
    sum(l.credits - l.debits) filter (where s.away > 1) as float_2_or_more,
    sum(l.credits - l.debits) filter (where s.away is not null) as later
  from lines l
  left join spans s on s.booking_date = l.booking_date and s.value_date = l.value_date
  group by l.account, l.currency, coalesce(s.position_date, l.booking_date)
), days as (
  select coalesce(s.account, m.account) as account, coalesce(s.currency, m.currency) as currency,
    coalesce(s.position_date, m.position_date) as position_date,
    s.opening_ledger, s.closing_ledger, s.closing_available, s.float_0, s.float_1, s.float_2_or_more,
    m.credits, m.debits, m.at_once, m.float_1 as lines_1, m.float_2_or_more as lines_2_or_more, m.later
  from stated_balances s
  full join movements m on m.account = s.account and m.currency = s.currency
    and m.position_date = s.position_date
  -- A day on which nothing is booked counts if the bank states a balance.
  where s.position_date is not null or m.credits is not null
), put_together as (
  select account, currency, position_date, opening_ledger,
    coalesce(credits, 0) as credits, coalesce(debits, 0) as debits,
    coalesce(closing_ledger, opening_ledger + coalesce(credits, 0) - coalesce(debits, 0)) as ledger,
    case when closing_ledger is not null then 'stated'
      when opening_ledger is not null then 'rolled forward' end as ledger_basis,
    closing_available,
    coalesce(float_0, at_once, 0) as float_0,
    coalesce(float_1, lines_1, 0) as float_1,
    coalesce(float_2_or_more, lines_2_or_more, 0) as float_2_or_more,
    coalesce(float_1 + coalesce(float_2_or_more, 0), later, 0) as not_yet
  from days
)
select a.entity, coalesce(a.bank, case when p.account like '%:%' then split_part(p.account, ':', 1) end) as bank,
  p.account, p.currency, p.position_date, p.opening_ledger, p.credits, p.debits, p.ledger, p.ledger_basis,
  coalesce(p.closing_available, p.ledger - p.not_yet) as available,
  case when p.closing_available is not null then 'stated'
    when p.ledger is not null then 'value_dates' end as available_basis,
  p.float_0, p.float_1, p.float_2_or_more
from put_together p
left join accounts a on a.account = p.account
