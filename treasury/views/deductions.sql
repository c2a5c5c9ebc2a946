-- What customers kept back, by reason and customer.
--
-- entity: Own company.
-- reason: Why, as the customer or the rule says.
-- party_id: Customer.
-- party_name: Its name.
-- currency: Currency, ISO 4217.
-- items: Items that were paid short.
-- deduction: Amount kept back.
-- applied: Cash that was applied to the same items.
-- first_date: Booking day of the first.
-- last_date: Booking day of the last.
select i.entity, coalesce(a.deduction_reason, 'none given') as reason, a.party_id, c.name as party_name,
  a.currency, count(distinct a.item_id) as items, sum(a.deduction) as deduction, sum(a.applied) as applied,
  min(p.booking_date) as first_date, max(p.booking_date) as last_date
from applications a
join payments p on p.payment_id = a.payment_id
left join open_items i on i.item_id = a.item_id
left join parties c on c.party_id = a.party_id
where a.status = 'applied' and a.deduction <> 0
group by 1, 2, 3, 4, 5
