-- How much was applied, and how much of that without a person: by day, lockbox or account, and
-- recipe. Payments out of scope are not counted.
--
-- booking_date: Day on which the bank booked them.
-- channel: Where they came in: lockbox, statement, ...
-- account: Lockbox or own account.
-- recipe: Recipe and version that decided.
-- currency: Currency, ISO 4217.
-- payments: Payments that came in.
-- amount: Their amount.
-- applied_payments: Payments applied in full.
-- applied_amount: Amount applied to items.
-- straight_through_payments: Payments applied in full by the engine, without a person.
-- straight_through_amount: Their amount.
-- match_rate: applied_amount of amount.
-- straight_through_rate: straight_through_payments of payments.
-- straight_through_value_rate: straight_through_amount of amount.
with counted as (
  select booking_date, channel, account, recipe, currency, count(*) as payments, sum(amount) as amount,
    count(*) filter (where status = 'applied') as applied_payments,
    sum(applied) as applied_amount,
    count(*) filter (where status = 'applied' and rule <> 'person') as straight_through_payments,
    coalesce(sum(amount) filter (where status = 'applied' and rule <> 'person'), 0) as straight_through_amount
  from payments
  where status <> 'out_of_scope' and direction = 'CRDT'
  group by booking_date, channel, account, recipe, currency
)
select booking_date, channel, account, recipe, currency, payments, amount,
  applied_payments, applied_amount, straight_through_payments, straight_through_amount,
  case when amount <> 0 then round(cast(applied_amount as decimal(28, 5)) / amount, 4) end as match_rate,
  round(cast(straight_through_payments as decimal(20, 5)) / payments, 4) as straight_through_rate,
  case when amount <> 0 then round(cast(straight_through_amount as decimal(28, 5)) / amount, 4) end
    as straight_through_value_rate
from counted
