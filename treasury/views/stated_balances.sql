-- What banks say of an account's day: one row an account, currency and day, whatever words each
-- format has for its balances. Of several reports of one day the last counts, for opening
-- balances the first.
--
-- account: Own account.
-- currency: Currency, ISO 4217.
-- position_date: Day of the balances.
-- opening_ledger: Booked balance at the day's beginning.
-- closing_ledger: Booked balance at its end.
-- closing_available: Of which can be used at its end.
-- current_ledger: Booked balance during the day.
-- current_available: Of which can be used during the day.
-- float_0: Credits of the day that can be used at once.
-- float_1: Part of the booked balance that can be used one business day later.
-- float_2_or_more: Part that can be used two or more business days later.
-- total_credits: Credits of the day as the bank adds them up.
-- total_debits: Debits of the day as the bank adds them up.
select account, currency, as_of_date as position_date,
  first_value(amount order by posting, source_file, source_line) filter (where word in
    ('opening ledger', 'opening booked', 'opening', 'opening balance', 'previously closed booked')) as opening_ledger,
  last_value(amount order by posting, source_file, source_line) filter (where word in
    ('closing ledger', 'closing booked', 'closing', 'closing balance', 'ledger balance',
     'balance after the last line')) as closing_ledger,
  last_value(amount order by posting, source_file, source_line) filter (where word in
    ('closing available', 'available balance')) as closing_available,
  last_value(amount order by posting, source_file, source_line) filter (where word in
    ('current ledger', 'interim booked')) as current_ledger,
  last_value(amount order by posting, source_file, source_line) filter (where word in
    ('current available', 'interim available')) as current_available,
  last_value(amount order by posting, source_file, source_line) filter (where word = 'float 0 day') as float_0,
  last_value(amount order by posting, source_file, source_line) filter (where word = 'float 1 day') as float_1,
  last_value(amount order by posting, source_file, source_line) filter (where word = 'float 2 or more days') as float_2_or_more,
  last_value(amount order by posting, source_file, source_line) filter (where word = 'total credits') as total_credits,
  last_value(amount order by posting, source_file, source_line) filter (where word = 'total debits') as total_debits
from (
  select *, replace(balance_type, '_', ' ') as word from balances where as_of_date is not null
) b
group by account, currency, as_of_date
