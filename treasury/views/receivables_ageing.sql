-- Receivables by how long they are past due, a row a customer; credits stand in the bucket of
-- their own date, below zero.
--
-- $as_of date = (select as_of from books): the day
-- as_of: Day that the ages are counted to.
-- entity: Own company.
-- party_id: Customer.
-- party_name: Its name.
-- currency: Currency, ISO 4217.
-- items: Open items.
-- current: Not past due, or without a date.
-- days_1_30: 1 to 30 days past due.
-- days_31_60: 31 to 60 days past due.
-- days_61_90: 61 to 90 days past due.
-- days_over_90: More than 90 days past due.
-- total: All of them.
-- on_account: Cash of the customer that is not applied to items, booked by that day; not in total.
with cash as (
  select party_id, currency, sum(on_account) as on_account
  from payments
  where on_account <> 0 and booking_date <= $as_of and direction = 'CRDT'
  group by party_id, currency
), aged as (
  select entity, party_id, party_name, currency, open_amount, coalesce(days_past_due, 0) as late
  from items_open($as_of)
  where side = 'receivable'
), buckets as (
  select entity, party_id, party_name, currency, count(*) as items,
    coalesce(sum(open_amount) filter (where late <= 0), 0) as current,
    coalesce(sum(open_amount) filter (where late between 1 and 30), 0) as days_1_30,
    coalesce(sum(open_amount) filter (where late between 31 and 60), 0) as days_31_60,
    coalesce(sum(open_amount) filter (where late between 61 and 90), 0) as days_61_90,
    coalesce(sum(open_amount) filter (where late > 90), 0) as days_over_90,
    sum(open_amount) as total,
    row_number() over (partition by party_id, currency order by entity nulls last) as place
  from aged
  group by entity, party_id, party_name, currency
)
select $as_of as as_of, b.entity, b.party_id, b.party_name, b.currency, b.items,
  b.current, b.days_1_30, b.days_31_60, b.days_61_90, b.days_over_90, b.total,
  -- Cash knows no entity; it stands with the first of a customer's rows, once.
  case when b.place = 1 then coalesce(c.on_account, 0) else 0 end as on_account
from buckets b
left join cash c on c.party_id = b.party_id and c.currency = b.currency
