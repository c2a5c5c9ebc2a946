-- Payments that repeat an earlier one and were held, so that nothing was applied twice.
--
-- payment_id: Payment that is held.
-- booking_date: Its booking day.
-- account: Own account or lockbox.
-- party_id: Customer of the earlier payment.
-- payer_name: Who paid, as the bank writes it.
-- currency: Currency, ISO 4217.
-- amount: Amount that was not applied a second time.
-- duplicate_of: Payment that it repeats.
-- first_booking_date: Booking day of that one.
-- evidence: Which kind of evidence: resubmitted_payment, items_already_paid, ...
-- detail: What the two have in common.
select d.payment_id, p.booking_date, p.account, coalesce(e.party_id, p.party_id) as party_id, p.payer_name,
  p.currency, p.amount, d.duplicate_of, e.booking_date as first_booking_date,
  split_part(d.evidence, ': ', 1) as evidence,
  substr(d.evidence, strpos(d.evidence, ': ') + 2) as detail
from duplicates d
join payments p on p.payment_id = d.payment_id
left join payments e on e.payment_id = d.duplicate_of
where p.status = 'duplicate'
