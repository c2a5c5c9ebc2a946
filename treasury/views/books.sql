-- One row: the day up to which the ledger knows bank lines, and the currency of most of them. Views
-- are as of that day and in that currency unless they are called with others.
--
-- as_of: Last booking day of a bank line; today in a ledger without any.
-- reporting_currency: Currency of most bank lines; of most open items in a ledger without lines.
select
  coalesce((select max(booking_date) from transactions), current_date) as as_of,
  nullif(coalesce(
    (select currency from transactions group by currency order by count(*) desc, currency limit 1),
    (select currency from open_items group by currency order by count(*) desc, currency limit 1)
  ), '') as reporting_currency
