-- Why a payment ended as it did: the decision, its items, the evidence and the alternatives.
--
-- $payment_id text: the payment, by its whole identifier
-- place: Order of the rows.
-- what: decision, application, evidence or alternative.
-- name: Status, item, kind of evidence, or the alternative's rule.
-- amount: Amount of the payment, or cash applied to the item.
-- weight: Log-odds that the evidence adds.
-- score: How certain, 0 to 1.
-- detail: What was found.
select row_number() over (order by part, sequence, name) as place, what, name, amount, weight, score, detail
from (
  select 1 as part, cast(0 as bigint) as sequence, 'decision' as what, status as name, amount,
    cast(null as double) as weight, score,
    'rule ' || rule || coalesce(', reason ' || reason, '') || coalesce(', party ' || party_id, '')
      || ', by ' || recipe || ', from ' || source_file || ':' || source_line as detail
  from payments where payment_id = $payment_id
  union all
  select 2, row_number() over (order by item_id), 'application', item_id, applied, null, score,
    status || ', document ' || coalesce(item_number, '?') || ', discount ' || discount || ', write-off '
      || write_off || ', deduction ' || deduction
  from applications where payment_id = $payment_id
  union all
  select case when kind = 'evidence' then 3 else 4 end, cast(sequence as bigint), kind, name, null, weight,
    score, concat_ws(' ', detail, items)
  from evidence where payment_id = $payment_id
) e
