-- The open items that fit a payment best, ranked, for a person to choose from.
--
-- $payment_id text: the payment, by its whole identifier
-- place: Rank, from 1; the items of one candidate share it.
-- item_id: Identity of the item.
-- likelihood: How likely the engine holds it, 0 to 1.
-- number: Document number.
-- party_id: Customer.
-- party_name: Its name.
-- currency: Currency, ISO 4217.
-- open_amount: Open of it.
-- due_date: Day on which it is due.
with ranked as (
  select n.value as place, split_part(e.candidates, '|', n.value) as candidate
  from exceptions e
  cross join generate_series(1, 64) n
  where e.payment_id = $payment_id and split_part(e.candidates, '|', n.value) <> ''
), named as (
  -- A candidate may be several items: ITEM+ITEM=0.5.
  select r.place, split_part(split_part(r.candidate, '=', 1), '+', n.value) as item_id,
    cast(nullif(split_part(r.candidate, '=', 2), '') as double) as likelihood
  from ranked r
  cross join generate_series(1, 64) n
  where split_part(split_part(r.candidate, '=', 1), '+', n.value) <> ''
)
select n.place, n.item_id, n.likelihood,
  i.number, i.party_id, i.party_name, i.currency, i.open_amount, i.due_date
from named n
left join items_open i on i.item_id = n.item_id
order by n.place, n.item_id
