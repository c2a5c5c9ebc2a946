-- Cash that is not applied to items: on account of a known customer, or nobody's yet. One row a
-- payment; duplicates that are held are in duplicates_prevented.
--
-- $as_of date = (select as_of from books): the day that ages are counted to
-- payment_id: Identity of the payment.
-- booking_date: Day on which the bank booked it.
-- age_days: Days since.
-- account: Own account or lockbox.
-- entity: Own company, by the table accounts.
-- party_id: Customer, if known.
-- party_name: Its name; else the payer's, as the bank writes it.
-- currency: Currency, ISO 4217.
-- amount: Amount of the payment.
-- on_account: Part that is kept for the customer.
-- unapplied: Part that nobody has yet.
-- status: What became of the payment.
-- reason: Why it is an exception.
select p.payment_id, p.booking_date, $as_of - p.booking_date as age_days, p.account, a.entity,
  p.party_id, coalesce(c.name, p.payer_name) as party_name, p.currency, p.amount,
  p.on_account, p.unapplied, p.status, p.reason
from payments p
left join accounts a on a.account = p.account
left join parties c on c.party_id = p.party_id
where p.direction = 'CRDT' and p.status not in ('out_of_scope', 'duplicate')
  and (p.on_account <> 0 or p.unapplied <> 0)
  and (p.booking_date is null or p.booking_date <= $as_of)
