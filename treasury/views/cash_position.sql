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
with days as (
  select account, currency, position_date from stated_balances
  union
  select account, currency, booking_date from transactions
  where channel = 'statement' and feed = 'statement' and status = 'BOOK'
    and account is not null and booking_date is not null
), lines as (
  select account, currency, booking_date, value_date,
    case when direction = 'CRDT' then amount else cast(0 as decimal(23, 5)) end as credit,
    case when direction = 'DBIT' then amount else cast(0 as decimal(23, 5)) end as debit
  from transactions
  where channel = 'statement' and feed = 'statement' and status = 'BOOK' and account is not null
), movements as (
  select account, currency, booking_date as position_date, sum(credit) as credits, sum(debit) as debits,
    sum(credit) filter (where coalesce(value_date, booking_date) <= booking_date) as at_once
  from lines group by account, currency, booking_date
), later as (
  -- Booked by then, and of value only afterwards.
  select d.account, d.currency, d.position_date,
    sum(l.credit - l.debit) filter (where business_days(d.position_date, l.value_date) = 1) as float_1,
    sum(l.credit - l.debit) filter (where business_days(d.position_date, l.value_date) > 1) as float_2_or_more,
    sum(l.credit - l.debit) as total
  from days d
  join lines l on l.account = d.account and l.currency = d.currency
    and l.value_date > l.booking_date and l.booking_date <= d.position_date
    and l.value_date > d.position_date
  group by d.account, d.currency, d.position_date
), put_together as (
  select d.account, d.currency, d.position_date, s.opening_ledger,
    coalesce(m.credits, 0) as credits, coalesce(m.debits, 0) as debits,
    coalesce(s.closing_ledger, s.opening_ledger + coalesce(m.credits, 0) - coalesce(m.debits, 0)) as ledger,
    case when s.closing_ledger is not null then 'stated'
      when s.opening_ledger is not null then 'rolled forward' end as ledger_basis,
    s.closing_available,
    coalesce(s.float_0, m.at_once, 0) as float_0,
    coalesce(s.float_1, l.float_1, 0) as float_1,
    coalesce(s.float_2_or_more, l.float_2_or_more, 0) as float_2_or_more,
    coalesce(s.float_1 + coalesce(s.float_2_or_more, 0), l.total, 0) as not_yet
  from days d
  left join stated_balances s on s.account = d.account and s.currency = d.currency
    and s.position_date = d.position_date
  left join movements m on m.account = d.account and m.currency = d.currency
    and m.position_date = d.position_date
  left join later l on l.account = d.account and l.currency = d.currency
    and l.position_date = d.position_date
)
select o.entity, o.bank, p.account, p.currency, p.position_date, p.opening_ledger,
  p.credits, p.debits, p.ledger, p.ledger_basis,
  coalesce(p.closing_available, p.ledger - p.not_yet) as available,
  case when p.closing_available is not null then 'stated'
    when p.ledger is not null then 'value_dates' end as available_basis,
  p.float_0, p.float_1, p.float_2_or_more
from put_together p
left join own_accounts o on o.account = p.account
