-- The morning tied out by a SQL engine the way one would write it in an afternoon: fast, and
-- content with what is easy. Variables as in thorough.sql.

CREATE MACRO plain(name) AS trim(regexp_replace(regexp_replace(upper(name), '[^A-Z0-9 ]', '', 'g'),
    ' (INC|LLC|CO|CORP|LTD)$', ''));

CREATE TEMP TABLE party AS
SELECT substr(party_id, 2)::INT AS party, coalesce(substr(parent_id, 2)::INT, party) AS root, plain(name) AS name, accounts
FROM read_csv(getvariable('books') || '/parties.csv', header = true, auto_detect = false,
    quote = '"', escape = '"', columns = {
    'party_id': 'VARCHAR', 'role': 'VARCHAR', 'name': 'VARCHAR', 'aliases': 'VARCHAR',
    'parent_id': 'VARCHAR', 'accounts': 'VARCHAR'});

CREATE TEMP TABLE account AS
SELECT split_part(listed, ':', 1) || ':' || lpad(split_part(listed, ':', 2), 10, '0') AS account, party, root
FROM (SELECT party, root, unnest(string_split(accounts, '|')) AS listed FROM party);

CREATE TEMP TABLE item AS
WITH book AS (
    SELECT substr(item_id, 3)::INT AS item, substr(party_id, 2)::INT AS party, number, currency,
           CASE WHEN kind IN ('credit_memo', 'on_account') THEN -open_amount ELSE open_amount END AS open,
           CASE WHEN discount_date >= DATE '2026-03-16' THEN coalesce(discount_amount, 0) ELSE 0 END AS discount,
           right(number, 7)::BIGINT AS digits
    FROM read_csv(getvariable('books') || '/open_items.csv', header = true, auto_detect = false,
        quote = '"', escape = '"', columns = {
        'item_id': 'VARCHAR', 'entity': 'VARCHAR', 'party_id': 'VARCHAR', 'kind': 'VARCHAR',
        'number': 'VARCHAR', 'po_number': 'VARCHAR', 'currency': 'VARCHAR', 'amount': 'VARCHAR',
        'open_amount': 'DECIMAL(18,2)', 'issue_date': 'VARCHAR', 'due_date': 'VARCHAR',
        'discount_amount': 'DECIMAL(18,2)', 'discount_date': 'DATE'}))
SELECT b.*, p.root FROM book b JOIN party p USING (party);

CREATE TEMP TABLE payment AS
SELECT substr(payment_key, 2)::INT AS pid, file, line, booking_date, r.currency, amount,
       payer_name, payer_account, check_number, remittance_text, a.party, a.root
FROM read_csv(getvariable('bank') || '/payments.csv', header = true, auto_detect = false,
    quote = '"', escape = '"', columns = {
    'payment_key': 'VARCHAR', 'file': 'VARCHAR', 'line': 'INT', 'booking_date': 'DATE',
    'currency': 'VARCHAR', 'amount': 'DECIMAL(18,2)', 'payer_name': 'VARCHAR',
    'payer_account': 'VARCHAR', 'check_number': 'VARCHAR', 'remittance_text': 'VARCHAR'}) r
LEFT JOIN account a ON a.account = r.payer_account;

CREATE TEMP TABLE resubmitted AS
SELECT p.pid FROM payment p
JOIN (SELECT payer_account, check_number, amount, min(pid) AS pid FROM payment
      WHERE payer_account IS NOT NULL AND check_number IS NOT NULL GROUP BY ALL HAVING count(*) > 1) f
ON p.payer_account = f.payer_account AND p.check_number = f.check_number AND p.amount = f.amount AND p.pid > f.pid;

-- The last run of digits of each document, with its amount where one is given.
CREATE TEMP TABLE reference AS
WITH line AS (
    SELECT substr(payment_key, 2)::INT AS pid, regexp_extract(document_number, '[0-9]+$') AS digits, net, deduction
    FROM read_csv(getvariable('bank') || '/remittance_lines.csv', header = true, auto_detect = false,
        quote = '"', escape = '"', columns = {
        'payment_key': 'VARCHAR', 'document_number': 'VARCHAR', 'net': 'DECIMAL(18,2)',
        'deduction': 'DECIMAL(18,2)', 'reason': 'VARCHAR'})),
written AS (
    FROM line UNION ALL
    SELECT pid, unnest(regexp_extract_all(remittance_text, '[0-9]{4,}')), NULL, NULL
    FROM payment ANTI JOIN line USING (pid) WHERE remittance_text IS NOT NULL)
SELECT pid, row_number() OVER () AS ref, TRY_CAST(right(digits, 7) AS BIGINT) AS digits, net, deduction
FROM written ANTI JOIN resubmitted USING (pid);

-- Of several items with these digits, the one whose whole number is written.
CREATE TEMP TABLE found AS
SELECT r.pid, r.ref, arg_max(i.item, contains(p.remittance_text, i.number)) AS item,
       arg_max(i.party, contains(p.remittance_text, i.number)) AS party,
       arg_max(i.open, contains(p.remittance_text, i.number)) AS open,
       arg_max(i.discount, contains(p.remittance_text, i.number)) AS discount,
       any_value(r.net) AS net, any_value(r.deduction) AS deduction
FROM reference r JOIN payment p USING (pid)
JOIN item i ON i.digits = r.digits AND i.currency = p.currency AND (p.root = i.root OR p.root IS NULL)
GROUP BY r.pid, r.ref HAVING count(*) = 1 OR count_if(contains(p.remittance_text, i.number)) = 1;

CREATE TEMP TABLE reading AS
SELECT f.pid, CASE WHEN f.open = p.amount THEN 'gross' WHEN f.open - f.discount = p.amount THEN 'net'
        WHEN f.net = p.amount AND f.fitting = f.items THEN 'lines'
        WHEN f.items = 1 AND f.open - p.amount BETWEEN 0.01 AND 1 THEN 'short' END AS how, p.amount
FROM (SELECT pid, count(DISTINCT item) AS items, sum(open) AS open, sum(discount) AS discount, sum(net) AS net,
             count(*) FILTER (net + deduction = open OR net = open - discount) AS fitting
      FROM found GROUP BY pid) f
JOIN (SELECT pid, count(*) AS refs FROM reference GROUP BY pid) r USING (pid) JOIN payment p USING (pid)
WHERE f.items = r.refs;

CREATE TEMP TABLE claim AS
SELECT pid, item, party, CASE how WHEN 'lines' THEN net WHEN 'net' THEN open - discount WHEN 'short' THEN amount ELSE open END AS cash,
       CASE WHEN how = 'net' OR how = 'lines' AND net = open - discount THEN discount ELSE 0 END AS discount,
       CASE WHEN how = 'short' THEN open - amount ELSE 0 END AS write_off,
       CASE WHEN how = 'lines' AND net <> open - discount THEN deduction ELSE 0 END AS deduction
FROM found JOIN reading USING (pid) WHERE how IS NOT NULL;

CREATE TEMP TABLE beaten AS
SELECT DISTINCT c.pid FROM claim c
JOIN (SELECT item, min(pid) AS pid FROM claim GROUP BY item HAVING count(*) > 1) f ON f.item = c.item AND f.pid < c.pid;

-- By name, then by amount, where no document was named.
CREATE TEMP TABLE payer AS
SELECT pid, party, root FROM payment WHERE party IS NOT NULL
UNION ALL
SELECT n.pid, arg_max(b.party, jaro_winkler_similarity(n.name, b.name)),
       arg_max(b.root, jaro_winkler_similarity(n.name, b.name))
FROM (SELECT pid, plain(payer_name) AS name FROM payment ANTI JOIN claim USING (pid)
      WHERE party IS NULL AND payer_name IS NOT NULL) n
JOIN party b ON left(n.name, 6) = left(b.name, 6)
GROUP BY n.pid HAVING max(jaro_winkler_similarity(n.name, b.name)) >= 0.95;

CREATE TEMP TABLE single AS
SELECT p.pid, any_value(i.item) AS item, any_value(i.party) AS party, any_value(p.amount) AS cash,
       any_value(i.open - p.amount) AS discount, count(*) AS readings
FROM payment p JOIN payer y USING (pid)
JOIN (SELECT item, party, root, currency, open, open AS value FROM item ANTI JOIN claim USING (item)
      UNION ALL SELECT item, party, root, currency, open, open - discount FROM item ANTI JOIN claim USING (item)
      WHERE discount > 0) i
ON i.root = y.root AND i.currency = p.currency AND i.value = p.amount
ANTI JOIN reference r ON r.pid = p.pid ANTI JOIN resubmitted s ON s.pid = p.pid
GROUP BY p.pid;

CREATE TEMP TABLE application AS
SELECT pid, item, party, cash, discount, write_off, deduction, 'references' AS rule FROM claim ANTI JOIN beaten USING (pid)
UNION ALL
SELECT pid, item, party, cash, discount, 0, 0, 'single_item' FROM single
WHERE readings = 1 QUALIFY row_number() OVER (PARTITION BY item ORDER BY pid) = 1;

COPY (
    WITH total AS (SELECT pid, sum(cash) AS cash, any_value(rule) AS rule, any_value(party) AS party
                   FROM application GROUP BY pid),
    repeated AS (SELECT pid, true AS yes FROM resubmitted UNION SELECT pid, true FROM beaten),
    held AS (SELECT pid, true AS yes FROM reference UNION SELECT pid, true FROM single),
    decided AS (
        SELECT p.*, coalesce(y.party, t.party) AS customer, coalesce(t.cash, 0) AS applied, t.rule, CASE
            WHEN t.cash = p.amount THEN 'applied'
            WHEN d.yes THEN 'duplicate'
            WHEN h.yes THEN 'proposed'
            WHEN y.party IS NOT NULL THEN 'on_account'
            ELSE 'unidentified' END AS status
        FROM payment p LEFT JOIN payer y USING (pid) LEFT JOIN total t USING (pid)
        LEFT JOIN repeated d USING (pid) LEFT JOIN held h USING (pid))
    SELECT 'P' || lpad(pid::VARCHAR, 8, '0') AS payment_id, file AS source_file, line AS source_line,
           payer_account AS account, booking_date, booking_date AS value_date, currency, amount, payer_name,
           check_number, NULL AS bank_reference, NULL AS end_to_end_id, status, 'C' || customer AS party_id,
           applied, CASE WHEN status = 'on_account' THEN amount ELSE 0 END AS on_account,
           CASE WHEN status IN ('on_account', 'applied') THEN 0 ELSE amount END AS unapplied,
           NULL AS reason, coalesce(rule, 'none') AS rule, (status = 'applied')::INT AS score, 0 AS margin
    FROM decided) TO (getvariable('out') || '/payments.csv') (HEADER);

COPY (
    SELECT 'P' || lpad(pid::VARCHAR, 8, '0') AS payment_id, 'OI' || lpad(i.item::VARCHAR, 8, '0') AS item_id,
           NULL AS item_number, 'C' || i.party AS party_id, i.currency, a.cash AS applied, a.discount, a.write_off,
           a.deduction, NULL AS deduction_reason, a.rule, 1 AS score, 'applied' AS status
    FROM application a JOIN item i USING (item)) TO (getvariable('out') || '/applications.csv') (HEADER);
