-- What stands in each currency: cash, receivables, payables, and all of it in one currency with the
-- rate that was used. Without a rate the amount in that currency is null, never guessed.
--
-- $as_of date = (select as_of from books): the day
-- $reporting_currency text = (select reporting_currency from books): the currency of the sum
-- as_of: Day that the amounts are of.
-- currency: Currency, ISO 4217.
-- cash: Booked balances, the last of each account up to that day.
-- receivables: Open receivables, credits off.
-- unapplied_cash: Money in that is not applied to items, taken off the net.
-- payables: Open bills and refunds.
-- net: cash + receivables - unapplied_cash - payables.
-- reporting_currency: Currency of the next columns.
-- rate: Units of it for one of currency.
-- rate_used: Which rates those are: day, file and line; none says that there is no rate.
-- net_in_reporting_currency: net at that rate.
with balances_of as (
  select currency, ledger,
    row_number() over (partition by account, currency order by position_date desc) as place
  from cash_position
  where position_date <= $as_of and ledger is not null
), parts as (
  select currency, ledger as cash, cast(0 as decimal(38, 5)) as receivables,
    cast(0 as decimal(38, 5)) as unapplied_cash, cast(0 as decimal(38, 5)) as payables
  from balances_of where place = 1
  union all
  select currency, 0, open_amount, 0, 0 from items_open($as_of) where side = 'receivable'
  union all
  select currency, 0, 0, on_account + unapplied, 0 from unapplied_cash($as_of)
  union all
  select currency, 0, 0, 0, open_amount from items_open($as_of) where side = 'payable'
), summed as (
  select currency, sum(cash) as cash, sum(receivables) as receivables,
    sum(unapplied_cash) as unapplied_cash, sum(payables) as payables,
    cast(sum(cash + receivables - unapplied_cash - payables) as decimal(23, 5)) as net
  from parts group by currency
)
select $as_of as as_of, currency, cash, receivables, unapplied_cash, payables, net,
  $reporting_currency as reporting_currency,
  exchange_rate(currency, $reporting_currency, $as_of) as rate,
  coalesce(exchange_rate_source(currency, $reporting_currency, $as_of), 'none') as rate_used,
  convert(net, currency, $reporting_currency, $as_of) as net_in_reporting_currency
from summed
