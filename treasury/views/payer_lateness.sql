-- How late each customer pays in each currency, by the items that its payments settled up to a day: days after the
-- due date, weighted by the cash.
--
-- $as_of date = (select as_of from books): the day
-- party_id: Customer.
-- party_name: Its name.
-- currency: Currency, ISO 4217.
-- items: Items with a due date that were paid.
-- paid: Cash applied to them.
-- days_late: Average days after the due date, weighted by cash, to the whole day; below zero for
--   paying early.
-- latest: The most days after a due date.
-- on_time_rate: Items paid by their due date, of all.
with settled as (
  select a.party_id, a.currency, p.booking_date - coalesce(i.due_date, i.issue_date) as late, abs(a.applied) as paid
  from applications a
  join payments p on p.payment_id = a.payment_id
  join open_items i on i.item_id = a.item_id
  where a.status = 'applied' and i.kind in ('invoice', 'debit_memo') and p.booking_date <= $as_of
    and coalesce(i.due_date, i.issue_date) is not null
)
select s.party_id, c.name as party_name, s.currency, count(*) as items, sum(s.paid) as paid,
  case when sum(s.paid) <> 0
    then cast(round(cast(sum(cast(s.paid as decimal(30, 5)) * s.late) as decimal(38, 5)) / sum(s.paid), 0) as bigint)
  end as days_late,
  max(s.late) as latest,
  round(cast(count(*) filter (where s.late <= 0) as decimal(20, 5)) / count(*), 4) as on_time_rate
from settled s
left join parties c on c.party_id = s.party_id
group by s.party_id, c.name, s.currency
