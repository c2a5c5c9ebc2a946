-- What analysts ask of bank lines, payments and items; the same text for each engine.
-- :payment is the identity of a payment, :day its booking day.

-- name: a day's lines by account and code
select account, direction, type_code, count(*) as lines, sum(amount) as amount
from transactions
where booking_date = date '2026-02-17' and feed = 'statement'
group by account, direction, type_code

-- name: money in and out by month and currency
select date_trunc('month', booking_date) as month, currency,
  sum(case when direction = 'CRDT' then amount else 0 end) as money_in,
  sum(case when direction = 'DBIT' then amount else 0 end) as money_out
from transactions
where feed = 'statement' and status = 'BOOK'
group by 1, 2

-- name: the twenty customers who paid most in a year
select p.party_id, c.name, count(*) as payments, sum(p.amount) as amount
from payments p
join parties c on c.party_id = p.party_id
where p.booking_date >= date '2025-04-01' and p.status = 'applied' and p.currency = 'USD'
group by p.party_id, c.name
order by amount desc, p.party_id
limit 20

-- name: a payment of this amount, when and from whom
select payment_id, booking_date, payer_name, status, party_id
from payments
where amount = 2500.00 or amount between 99999.00 and 100010.00

-- name: one payment with what it was applied to
select p.payment_id, p.booking_date, p.payer_name, p.amount, p.status, a.item_number, a.applied, a.deduction
from payments p
left join applications a on a.payment_id = p.payment_id
where p.payment_id = ':payment'

-- name: lines whose text names an invoice
select transaction_id, booking_date, amount, remittance_text
from transactions
where remittance_text like '%INV-00012345%'

-- name: the fifty largest debits of a quarter
select transaction_id, booking_date, account, counterparty_name, currency, amount
from transactions
where direction = 'DBIT' and booking_date between date '2025-10-01' and date '2025-12-31'
order by amount desc, transaction_id
limit 50

-- name: exceptions by reason and month
select e.reason, date_trunc('month', p.booking_date) as month, count(*) as payments, sum(e.amount) as amount
from exceptions e
join payments p on p.payment_id = e.payment_id
group by 1, 2

-- name: days from invoice to cash by customer
select i.party_id, count(*) as items, sum(a.applied) as applied, sum(p.booking_date - i.issue_date) as days
from applications a
join payments p on p.payment_id = a.payment_id
join open_items i on i.item_id = a.item_id
where a.status = 'applied' and p.booking_date >= date '2025-10-01'
group by i.party_id
order by applied desc, i.party_id
limit 50

-- name: customers who keep back more than three in a hundred
select party_id, sum(applied) as applied, sum(deduction) as deduction
from applications
where status = 'applied'
group by party_id
having sum(deduction) * 1000 > sum(applied) * 3

-- name: the same amount to the same vendor on one day
select counterparty_name, currency, amount, booking_date, count(*) as lines
from transactions
where direction = 'DBIT' and counterparty_name is not null
group by counterparty_name, currency, amount, booking_date
having count(*) > 1

-- name: money in by account and month, added up
select account, month, amount, sum(amount) over (partition by account order by month) as so_far
from (
  select account, date_trunc('month', booking_date) as month, sum(amount) as amount
  from transactions
  where direction = 'CRDT' and channel = 'statement' and status = 'BOOK'
  group by 1, 2
) m

-- name: payments by size and channel
select channel, case when amount < 100 then 1 when amount < 1000 then 2 when amount < 10000 then 3 else 4 end as size,
  count(*) as payments, sum(amount) as amount, sum(case when status = 'applied' then 1 else 0 end) as applied
from payments
group by 1, 2

-- name: invoices that nobody ever paid
select i.currency, count(*) as items, sum(i.open_amount) as amount
from open_items i
where i.kind = 'invoice' and i.due_date < date '2026-01-01'
  and not exists (select 1 from applications a where a.item_id = i.item_id)
group by i.currency
