-- Rates that are missing: days and currencies of bank lines and of what is open, for which the
-- ledger has no exchange rate to the reporting currency.
--
-- $as_of date = (select as_of from books): the day up to which lines count, and that open items are of
-- $reporting_currency text = (select reporting_currency from books): the currency to convert to
-- rate_date: Day without a rate.
-- currency: Currency that cannot be converted.
-- reporting_currency: Currency to convert to.
-- lines: Bank lines of that day and currency.
-- open_items: Open items in that currency, on the day itself.
-- action: What to do.
with needed as (
  select booking_date as rate_date, currency, count(*) as lines, 0 as open_items
  from transactions
  where booking_date is not null and booking_date <= $as_of
  group by booking_date, currency
  union all
  select $as_of, currency, 0, count(*) from items_open($as_of) group by currency
), days as (
  select rate_date, currency, sum(lines) as lines, sum(open_items) as open_items
  from needed group by rate_date, currency
)
select rate_date, currency, $reporting_currency as reporting_currency, lines, open_items,
  'add a row for ' || rate_date || ', ' || currency || ' and ' || $reporting_currency
    || ' to a file with the columns rate_date, base_currency, quote_currency, rate, and run it' as action
from days
where exchange_rate(currency, $reporting_currency, rate_date) is null
