-- Cash expected from open items: each on its due date, later by what its customer is usually late.
-- What should have come already is expected on the next business day.
--
-- $as_of date = (select as_of from books): the day
-- as_of: Day of the forecast.
-- expected_date: Day on which the money is expected.
-- entity: Own company.
-- party_id: Customer or vendor.
-- party_name: Its name.
-- currency: Currency, ISO 4217.
-- items: Open items, credits among them.
-- inflow: Money in.
-- outflow: Money out.
-- overdue: Part of inflow whose due date has passed.
-- days_late: Days that were added for the customer; 0 for one without a history.
with expected as (
  select i.entity, i.party_id, i.party_name, i.currency, i.side, i.open_amount, i.days_past_due,
    case when i.side = 'receivable' then greatest(coalesce(l.days_late, 0), 0) else 0 end as days_late,
    coalesce(i.due_date, $as_of) as due_date
  from items_open($as_of) i
  left join payer_lateness($as_of) l on l.party_id = i.party_id and l.currency = i.currency
), placed as (
  select *, float_date(greatest(due_date + cast(days_late as int), $as_of + 1), 0) as expected_date
  from expected
)
select $as_of as as_of, expected_date, entity, party_id, party_name, currency, count(*) as items,
  coalesce(sum(open_amount) filter (where side <> 'payable'), 0) as inflow,
  coalesce(sum(open_amount) filter (where side = 'payable'), 0) as outflow,
  coalesce(sum(open_amount) filter (where side <> 'payable' and days_past_due > 0), 0) as overdue,
  max(days_late) as days_late
from placed
group by expected_date, entity, party_id, party_name, currency
