-- Days sales outstanding over 90 days, and the best possible if nothing were past due. Sales are
-- the invoices and debit memos less credit memos of those 90 days that the ledger was given, the
-- settled ones too: a source that leaves them out makes both figures too high.
--
-- $as_of date = (select as_of from books): the day
-- as_of: Last of the 90 days.
-- entity: Own company.
-- currency: Currency, ISO 4217.
-- receivables: Open receivables, credits off.
-- not_yet_due: Part of them that is not past due.
-- sales: Invoiced in the 90 days.
-- dso: Days sales outstanding: receivables of sales, times 90; null without sales.
-- best_possible_dso: not_yet_due of sales, times 90.
-- average_days_delinquent: The difference.
with sold as (
  select entity, currency,
    sum(case when kind = 'credit_memo' then -abs(amount) else amount end) as sales
  from open_items
  where kind in ('invoice', 'debit_memo', 'credit_memo')
    and issue_date > $as_of - 90 and issue_date <= $as_of
  group by entity, currency
), owed as (
  select entity, currency, sum(open_amount) as receivables,
    coalesce(sum(open_amount) filter (where coalesce(days_past_due, 0) <= 0), 0) as not_yet_due
  from items_open($as_of)
  where side = 'receivable'
  group by entity, currency
), both_of_them as (
  select coalesce(o.entity, s.entity) as entity, coalesce(o.currency, s.currency) as currency,
    coalesce(o.receivables, 0) as receivables, coalesce(o.not_yet_due, 0) as not_yet_due,
    coalesce(s.sales, 0) as sales
  from owed o
  full join sold s on s.currency = o.currency and s.entity is not distinct from o.entity
), rated as (
  select *,
    case when sales > 0 then round(cast(receivables as decimal(28, 5)) * 90 / sales, 1) end as dso,
    case when sales > 0 then round(cast(not_yet_due as decimal(28, 5)) * 90 / sales, 1) end as best_possible_dso
  from both_of_them
)
select $as_of as as_of, entity, currency, receivables, not_yet_due, sales, dso, best_possible_dso,
  dso - best_possible_dso as average_days_delinquent
from rated
