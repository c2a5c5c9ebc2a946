-- Payments that a person has to look at, by reason, age and owner.
--
-- $as_of date = (select as_of from books): the day that ages are counted to
-- reason: Why, of the closed list.
-- age: Days since the bank booked them: 0-1, 2-5, 6-10, 11-30, over 30, or unknown.
-- owner: Who is to see to it, as assigned last; none where nobody was.
-- currency: Currency, ISO 4217.
-- payments: How many.
-- amount: Amount that waits for a decision.
-- oldest: Booking day of the oldest.
with owners as (
  select payment_id, owner,
    row_number() over (partition by payment_id order by sequence desc) as place
  from journal where owner is not null and payment_id is not null
), waiting as (
  select e.reason, e.amount, p.currency, p.booking_date, nullif(o.owner, '') as owner,
    $as_of - p.booking_date as age_days
  from exceptions e
  join payments p on p.payment_id = e.payment_id
  left join owners o on o.payment_id = e.payment_id and o.place = 1
)
select reason,
  case when age_days is null then 'unknown' when age_days <= 1 then '0-1' when age_days <= 5 then '2-5'
    when age_days <= 10 then '6-10' when age_days <= 30 then '11-30' else 'over 30' end as age,
  owner, currency, count(*) as payments, sum(amount) as amount, min(booking_date) as oldest
from waiting
group by 1, 2, 3, 4
