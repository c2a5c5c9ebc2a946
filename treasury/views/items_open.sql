-- What is open of each open item at the end of a day: what the source gave, less what payments
-- booked by then have taken, and again what was opened by a reversal. Items that are settled are
-- not here.
--
-- $as_of date = (select as_of from books): the day
-- as_of: Day that the amounts are of.
-- item_id: Identity of the item.
-- entity: Own company.
-- party_id: Customer or vendor.
-- party_name: Its name.
-- kind: invoice, debit_memo, credit_memo, on_account, bill, refund, payout, entry.
-- side: receivable for what customers owe or have credit for, payable for what is owed to vendors,
--   other for payouts and entries of the books.
-- number: Document number.
-- currency: Currency, ISO 4217.
-- amount: Amount of the document.
-- open_amount: Open, below zero for a credit to the party.
-- issue_date: Day of the document.
-- due_date: Day on which it is due; the document's own day where none is given.
-- days_past_due: Days since it was due, below zero before; null without any date.
with anew as (
  -- Items that a later posting gave again; the others stand as they were given once.
  select i.item_id, i.posting
  from open_items i
  where i.item_id in (select id from reversals where what = 'item')
), later as (
  -- Postings that have payments of later days, so that only there each payment is looked at.
  select posting from history.payments where booking_date > $as_of group by posting
), holding as (
  select a.item_id, a.posting, a.status, a.applied, a.discount, a.write_off, a.deduction
  from applications a
  where not exists (select 1 from later l where l.posting = a.posting)
  union all
  select a.item_id, a.posting, a.status, a.applied, a.discount, a.write_off, a.deduction
  from applications a
  join later l on l.posting = a.posting
  where not exists (
    select 1 from history.payments p
    where p.payment_id = a.payment_id and p.posting = a.posting and p.booking_date > $as_of)
), changes as (
  -- Applied since the item was given last, and taken back of what was applied before.
  select h.item_id, case when h.status = 'reversed' then 1 else -1 end
    * abs(h.applied + h.discount + h.write_off + h.deduction) as amount
  from holding h
  left join anew n on n.item_id = h.item_id
  where h.status in ('applied', 'reversed') and h.posting >= coalesce(n.posting, 0)
  union all
  select a.item_id, case when a.status = 'reversed' then -1 else 1 end
    * abs(a.applied + a.discount + a.write_off + a.deduction)
  from history.applications a
  join anew n on n.item_id = a.item_id and n.posting > a.posting
  join reversals r on r.what = 'payment' and r.id = a.payment_id and r.reversed_posting = a.posting
    and r.posting >= n.posting
  where a.status in ('applied', 'reversed') and not exists (
    select 1 from history.payments p
    where p.payment_id = a.payment_id and p.posting = a.posting and p.booking_date > $as_of)
), added as (
  select item_id, sum(amount) as amount from changes group by item_id
), standing as (
  select i.*, abs(i.open_amount) + coalesce(c.amount, 0) as left_open, coalesce(i.due_date, i.issue_date) as due,
    case when i.kind in ('credit_memo', 'on_account') or i.open_amount < 0 then -1 else 1 end as sign
  from open_items i
  left join added c on c.item_id = i.item_id
  where i.issue_date is null or i.issue_date <= $as_of
)
select $as_of as as_of, s.item_id, s.entity, s.party_id, p.name as party_name, s.kind,
  case when s.kind in ('invoice', 'debit_memo', 'credit_memo', 'on_account') then 'receivable'
    when s.kind in ('bill', 'refund') then 'payable' else 'other' end as side,
  s.number, s.currency, s.amount,
  cast(s.sign * s.left_open as decimal(23, 5)) as open_amount,
  s.issue_date, s.due as due_date, $as_of - s.due as days_past_due
from standing s
left join parties p on p.party_id = s.party_id
where s.left_open <> 0
