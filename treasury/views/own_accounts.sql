-- Every own account that bank files name, with its entity and bank.
--
-- account: Account as bank files write it.
-- entity: Own company, by the table accounts; none where that does not have the account.
-- bank: Bank, by the table accounts; else the ABA number in front of the account.
-- name: What people call it, by the table accounts.
select k.account, a.entity,
  coalesce(a.bank, case when k.account like '%:%' then split_part(k.account, ':', 1) end) as bank,
  a.name
from (
  select account from transactions where account is not null and channel <> 'lockbox'
  union
  select account from balances
  union
  select account from accounts
) k
left join accounts a on a.account = k.account
