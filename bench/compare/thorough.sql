-- The morning tied out by a SQL engine as well as it can be: from ready-made CSV to written
-- decisions.
--
-- Variables: books (parties.csv, open_items.csv), bank (payments.csv, remittance_lines.csv),
-- out. The order: the same check again, customer by account, references with amounts,
-- references by sum, damaged references by amount, then names and amounts alone. Every step
-- applies only what fits in one way. Identifiers are integers while joining, texts are joined
-- back when writing; payments are numbered in the order of arrival.

-- 1. The books ----------------------------------------------------------------------------

CREATE MACRO plain(name) AS trim(regexp_replace(regexp_replace(upper(name), '[^A-Z0-9 ]', '', 'g'),
    ' (INC|LLC|CO|CORP|LTD)$', ''));

CREATE TEMP TABLE party AS
SELECT substr(party_id, 2)::INT AS party, coalesce(substr(parent_id, 2)::INT, party) AS root,
       plain(name) AS name, plain(aliases) AS alias, accounts
FROM read_csv(getvariable('books') || '/parties.csv', header = true, auto_detect = false,
    quote = '"', escape = '"', columns = {
    'party_id': 'VARCHAR', 'role': 'VARCHAR', 'name': 'VARCHAR', 'aliases': 'VARCHAR',
    'parent_id': 'VARCHAR', 'accounts': 'VARCHAR'});

CREATE TEMP TABLE account AS
SELECT split_part(listed, ':', 1) || ':' || lpad(split_part(listed, ':', 2), 10, '0') AS account,
       party, root
FROM (SELECT party, root, unnest(string_split(accounts, '|')) AS listed FROM party);

CREATE TEMP TABLE item AS
WITH book AS (
    SELECT substr(item_id, 3)::INT AS item, substr(party_id, 2)::INT AS party, number, currency,
           due_date < DATE '2026-03-16' AS late,
           kind IN ('credit_memo', 'on_account') AS credit, kind = 'credit_memo' AS memo,
           CASE WHEN kind IN ('credit_memo', 'on_account') THEN -open_amount ELSE open_amount END AS open,
           CASE WHEN discount_date >= DATE '2026-03-16' THEN coalesce(discount_amount, 0) ELSE 0 END AS discount,
           po_number AS purchase_order, string_split(number, '-') AS parts
    FROM read_csv(getvariable('books') || '/open_items.csv', header = true, auto_detect = false,
        quote = '"', escape = '"', columns = {
        'item_id': 'VARCHAR', 'entity': 'VARCHAR', 'party_id': 'VARCHAR', 'kind': 'VARCHAR',
        'number': 'VARCHAR', 'po_number': 'BIGINT', 'currency': 'VARCHAR', 'amount': 'DECIMAL(18,2)',
        'open_amount': 'DECIMAL(18,2)', 'issue_date': 'DATE', 'due_date': 'DATE',
        'discount_amount': 'DECIMAL(18,2)', 'discount_date': 'DATE'}))
SELECT b.item, b.party, p.root, b.number, b.currency, b.late, b.credit, b.memo, b.open, b.discount,
       ltrim(b.parts[-1], 'ABCDEFGHIJKLMNOPQRSTUVWXYZ')::BIGINT AS digits,
       CASE WHEN len(b.parts) = 3 THEN b.parts[2] END AS year, b.purchase_order
FROM book b JOIN party p USING (party);

-- Numbers are compared as integers: the last run of digits, and for numbers with a year also
-- the year in front of it, with and without leading zeros.
CREATE TEMP TABLE item_key AS
SELECT digits AS key, item FROM item
UNION ALL SELECT (year || lpad(digits::VARCHAR, 7, '0'))::BIGINT, item FROM item WHERE year IS NOT NULL
UNION ALL SELECT (year || digits::VARCHAR)::BIGINT, item FROM item WHERE year IS NOT NULL
UNION ALL SELECT purchase_order, item FROM item WHERE purchase_order IS NOT NULL;

-- 2. The bank, the payer by account, the same check again -----------------------------------

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
      WHERE payer_account IS NOT NULL AND check_number IS NOT NULL
      GROUP BY ALL HAVING count(*) > 1) f
ON p.payer_account = f.payer_account AND p.check_number = f.check_number AND p.amount = f.amount
   AND p.pid > f.pid;

-- 3. References: from lines with amounts, else out of the text -------------------------------

CREATE TEMP TABLE line AS
SELECT substr(payment_key, 2)::INT AS pid, document_number AS written, net, deduction, reason
FROM read_csv(getvariable('bank') || '/remittance_lines.csv', header = true, auto_detect = false,
    quote = '"', escape = '"', columns = {
    'payment_key': 'VARCHAR', 'document_number': 'VARCHAR', 'net': 'DECIMAL(18,2)',
    'deduction': 'DECIMAL(18,2)', 'reason': 'VARCHAR'});

CREATE TEMP TABLE reference AS
WITH written AS (
    SELECT pid, written, net, deduction FROM line
    UNION ALL
    SELECT pid, unnest(regexp_extract_all(
            CASE WHEN contains(remittance_text, 'STMT') THEN regexp_replace(remittance_text, 'STMT [0-9/]+', '')
                 ELSE remittance_text END,
            '(?:[A-Z]{1,3}[-_. #]?)?(?:[0-9]{2}[-_. ])?[0-9][0-9A-Z]{2,}(?:[-.][0-9A-Z]{4})?')), NULL, NULL
    FROM payment p ANTI JOIN (SELECT DISTINCT pid FROM line) l USING (pid)
    WHERE remittance_text IS NOT NULL)
SELECT pid, row_number() OVER () AS ref, net, deduction, translate(written, '-_. #', '') AS bare,
       TRY_CAST(regexp_replace(written, '[^0-9]', '', 'g') AS BIGINT) AS all_digits,
       TRY_CAST(regexp_extract(written, '[0-9]+$') AS BIGINT) AS last_digits
FROM written ANTI JOIN resubmitted USING (pid);

-- Each reference to the items whose number it can be, inside the payer's family if that is
-- known by account, else by likeness of names.
CREATE TEMP TABLE candidate AS
WITH hit AS (
    SELECT DISTINCT ref, item FROM (
        SELECT ref, all_digits AS key FROM reference
        UNION ALL SELECT ref, last_digits FROM reference WHERE last_digits <> all_digits) r
    JOIN item_key USING (key))
SELECT r.pid, h.ref, h.item, i.party, i.root, i.open, i.discount, r.net, r.deduction,
       2 * (translate(i.number, '-', '') = r.bare)::INT
       + (r.net IS NOT NULL AND (r.net + coalesce(r.deduction, 0) IN (i.open, i.open - i.discount)))::INT
       + CASE WHEN p.root IS NOT NULL THEN 4
              WHEN greatest(jaro_winkler_similarity(plain(p.payer_name), q.name),
                            coalesce(jaro_winkler_similarity(plain(p.payer_name), q.alias), 0)) >= 0.88 THEN 4
              ELSE 0 END AS points
FROM hit h
JOIN reference r USING (ref)
JOIN payment p USING (pid)
JOIN item i ON i.item = h.item AND i.currency = p.currency AND (p.root IS NULL OR p.root = i.root)
JOIN party q ON q.party = i.party;

DROP TABLE item_key;

CREATE TEMP TABLE found AS
WITH best AS (
    SELECT ref, max(points) AS points, arg_max(item, points) AS item FROM candidate GROUP BY ref),
ties AS (SELECT c.ref FROM candidate c JOIN best b USING (ref) WHERE c.points = b.points AND c.item <> b.item)
SELECT c.* FROM candidate c JOIN best b ON b.ref = c.ref AND b.item = c.item
ANTI JOIN ties t ON t.ref = c.ref;

DROP TABLE candidate;

-- 4. A damaged reference: the one item of the family that has the missing amount and a number
--    like the one written -------------------------------------------------------------------

-- Payers still unknown although a document or an amount needs one: by name, blocked by the
-- first letters, and by all words in order of the alphabet.
CREATE TEMP TABLE known AS
SELECT p.pid, any_value(f.root) AS root, any_value(f.party) AS party
FROM found f JOIN payment p USING (pid) WHERE p.root IS NULL AND points >= 4
GROUP BY p.pid HAVING count(DISTINCT f.root) = 1;

CREATE TEMP TABLE nameless AS
SELECT p.pid, plain(payer_name) AS name FROM payment p ANTI JOIN known USING (pid)
WHERE p.root IS NULL AND payer_name IS NOT NULL;

CREATE TEMP TABLE by_name AS
WITH books AS (SELECT party, root, name FROM party UNION ALL SELECT party, root, alias FROM party WHERE alias IS NOT NULL),
names AS (SELECT DISTINCT name FROM nameless),
scored AS (
    SELECT n.name, b.party, b.root, jaro_winkler_similarity(n.name, b.name) AS likeness
    FROM names n JOIN books b ON left(n.name, 5) = left(b.name, 5)
    UNION ALL
    SELECT n.name, b.party, b.root, 1.0
    FROM names n JOIN books b ON list_sort(string_split(n.name, ' ')) = list_sort(string_split(b.name, ' '))),
best AS (
    SELECT name, party, any_value(root) AS root, max(likeness) AS likeness FROM scored
    WHERE likeness >= 0.91 GROUP BY name, party)
SELECT name, party, root FROM best
QUALIFY row_number() OVER (PARTITION BY name ORDER BY likeness DESC, party) = 1 AND likeness >= 0.93
    AND coalesce(likeness - lead(likeness) OVER (PARTITION BY name ORDER BY likeness DESC, party) >= 0.02, true);

CREATE TEMP TABLE payer AS
SELECT pid, party, root FROM payment WHERE root IS NOT NULL
UNION ALL SELECT pid, party, root FROM known
UNION ALL SELECT pid, party, root FROM nameless JOIN by_name USING (name);

CREATE TEMP TABLE lost AS
WITH unfit AS (
    SELECT r.pid, r.ref, r.bare, r.net FROM reference r
    ANTI JOIN (SELECT ref FROM found WHERE points >= 4
               AND (net IS NULL OR net + coalesce(deduction, 0) BETWEEN open - discount - 1 AND open
                    OR open < 0 OR points >= 6)) f USING (ref))
SELECT u.*, y.root FROM unfit u JOIN payer y USING (pid)
JOIN (SELECT pid FROM unfit GROUP BY pid HAVING count(*) = 1) USING (pid);

CREATE TEMP TABLE recovered AS
WITH others AS (
    SELECT l.pid, sum(f.open) AS open FROM lost l JOIN found f ON f.pid = l.pid AND f.ref <> l.ref AND f.points >= 4
    GROUP BY l.pid),
rest AS (
    SELECT l.*, p.currency, coalesce(l.net, p.amount - coalesce(o.open, 0)) AS due
    FROM lost l JOIN payment p USING (pid) LEFT JOIN others o USING (pid)),
fit AS (
    SELECT r.pid, r.ref, i.item, i.party, i.root, i.open, i.discount, r.net,
           translate(i.number, '-', '') AS number, r.bare
    FROM rest r JOIN item i ON i.root = r.root AND i.currency = r.currency AND i.open = r.due)
SELECT pid, ref, item, party, root, open, discount, net, NULL::DECIMAL(18,2) AS deduction, 5 AS points FROM fit
WHERE contains(number, bare) OR contains(number, ltrim(regexp_replace(bare, '[^0-9]', '', 'g'), '0'))
   OR levenshtein(number, bare) <= 3
QUALIFY count(*) OVER (PARTITION BY ref) = 1;

CREATE TEMP TABLE cited AS
WITH every AS (
    SELECT pid, ref, item, party, open, discount, net, deduction, points FROM recovered
    UNION ALL
    SELECT pid, ref, item, party, open, discount, net, deduction, points FROM found ANTI JOIN recovered USING (ref)),
twice AS (SELECT pid, item, max(ref) AS ref FROM every GROUP BY pid, item HAVING count(*) > 1)
SELECT * FROM every b ANTI JOIN twice t ON t.pid = b.pid AND t.ref = b.ref;

DROP TABLE found;

-- 5. Do the parts add up? --------------------------------------------------------------------

CREATE TEMP TABLE sums AS
SELECT pid, p.amount, p.currency, s.* EXCLUDE (pid), r.refs
FROM (SELECT pid, count(*) AS items, min(points) AS points, sum(open)::DECIMAL(18,2) AS open,
             sum(discount)::DECIMAL(18,2) AS discount, sum(net)::DECIMAL(18,2) AS net, count(net) AS priced,
             count(*) FILTER (net = open OR net = open - discount OR deduction > 0 AND net + deduction = open
                 OR open - net BETWEEN 0.01 AND 1.00) AS fitting
      FROM cited GROUP BY pid) s
JOIN (SELECT pid, count(*) AS refs FROM reference GROUP BY pid) r USING (pid)
JOIN payment p USING (pid);

-- A payment short by exactly one credit memo of its family.
CREATE TEMP TABLE silent AS
SELECT s.pid, any_value(i.item) AS item, any_value(i.open) AS open, any_value(i.party) AS party FROM sums s
JOIN payer y USING (pid)
JOIN item i ON i.root = y.root AND i.currency = s.currency AND i.memo AND i.open = s.amount - s.open
WHERE s.priced = 0 AND s.items = 1 AND s.refs = 1 AND s.open > s.amount AND s.open - s.discount <> s.amount
GROUP BY s.pid HAVING count(*) = 1;

CREATE TEMP TABLE reading AS
SELECT pid, amount, CASE
    WHEN items < refs THEN NULL
    WHEN points < 4 AND NOT (items = 1 AND points >= 2 AND open = amount) THEN NULL
    WHEN priced = items AND net = amount AND fitting = items THEN 'lines'
    WHEN priced = items AND net = amount AND items = 1 AND open > 0 THEN 'one'
    WHEN priced > 0 THEN NULL
    WHEN open = amount THEN 'gross'
    WHEN open - discount = amount THEN 'net'
    WHEN k.pid IS NOT NULL THEN 'credit'
    WHEN items = 1 AND open > 0 THEN 'one'
    END AS how
FROM sums LEFT JOIN (SELECT pid FROM silent) k USING (pid);

CREATE TEMP TABLE claim AS
SELECT c.pid, c.item, c.party,
    CASE WHEN how = 'lines' THEN c.net
         WHEN how = 'net' THEN c.open - c.discount
         WHEN how = 'one' THEN least(r.amount, c.open)
         ELSE c.open END AS cash,
    CASE WHEN how = 'lines' AND c.net = c.open - c.discount OR how = 'net' THEN c.discount ELSE 0 END AS discount,
    CASE WHEN how = 'lines' AND c.net < c.open AND c.net <> c.open - c.discount AND coalesce(c.deduction, 0) = 0
              THEN c.open - c.net
         WHEN how = 'one' AND c.open - r.amount BETWEEN 0.01 AND 1.00 THEN c.open - r.amount
         ELSE 0 END AS write_off,
    CASE WHEN how = 'lines' AND c.net <> c.open - c.discount THEN coalesce(c.deduction, 0) ELSE 0 END AS deduction
FROM cited c JOIN reading r USING (pid) WHERE how IS NOT NULL
UNION ALL
SELECT s.pid, s.item, s.party, s.open, 0, 0, 0 FROM silent s JOIN reading r USING (pid) WHERE how = 'credit';

-- An item is paid once: the first claim stands, a later one is a duplicate.
CREATE TEMP TABLE beaten AS
SELECT DISTINCT c.pid FROM claim c
JOIN (SELECT item, min(pid) AS pid FROM claim GROUP BY item HAVING count(*) > 1) f ON f.item = c.item AND f.pid < c.pid;

CREATE TEMP TABLE paid AS SELECT * FROM claim ANTI JOIN beaten USING (pid);

-- 6. Amounts alone, over what is still open ---------------------------------------------------

CREATE TEMP TABLE mute AS
SELECT p.pid, p.amount, p.currency, y.party, y.root FROM payment p JOIN payer y USING (pid)
ANTI JOIN reference r ON r.pid = p.pid ANTI JOIN resubmitted s ON s.pid = p.pid;

CREATE TEMP TABLE still_open AS
SELECT item, party, root, currency, open, discount, credit, late FROM item
SEMI JOIN mute USING (root) ANTI JOIN paid ON paid.item = item.item;

CREATE TEMP TABLE single AS
SELECT m.pid, any_value(i.item) AS item, any_value(i.party) AS party, any_value(m.amount) AS cash,
       any_value(i.open - m.amount) AS discount, count(*) AS readings
FROM mute m JOIN (
    SELECT item, party, root, currency, open, open AS value FROM still_open WHERE NOT credit
    UNION ALL SELECT item, party, root, currency, open, open - discount FROM still_open WHERE discount > 0) i
ON i.root = m.root AND i.currency = m.currency AND i.value = m.amount GROUP BY m.pid;

CREATE TEMP TABLE whole AS
SELECT m.pid, b.party, bool_and(b.late) AS late FROM mute m JOIN (
    SELECT party, currency, sum(open) AS sum, count(*) AS items, false AS late FROM still_open GROUP BY ALL
    UNION ALL
    SELECT party, currency, sum(open), count(*), true FROM still_open WHERE late GROUP BY ALL) b
ON b.party = m.party AND b.currency = m.currency AND b.sum = m.amount AND b.items > 1
ANTI JOIN single s ON s.pid = m.pid GROUP BY ALL;

CREATE TEMP TABLE application AS
SELECT pid, item, party, cash, discount, write_off, deduction, 'references' AS rule FROM paid
UNION ALL
SELECT pid, item, party, cash, discount, 0, 0, 'single_item' FROM single
WHERE readings = 1 QUALIFY row_number() OVER (PARTITION BY item ORDER BY pid) = 1
UNION ALL
SELECT w.pid, o.item, o.party, o.open, 0, 0, 0, CASE WHEN w.late THEN 'clear_past_due' ELSE 'clear_account' END
FROM whole w JOIN still_open o USING (party) WHERE NOT w.late OR o.late;

-- 7. The decisions ------------------------------------------------------------------------------

COPY (
    WITH total AS (SELECT pid, sum(cash) AS cash, any_value(rule) AS rule, any_value(party) AS party
                   FROM application GROUP BY pid),
    repeated AS (SELECT pid, true AS yes FROM resubmitted UNION SELECT pid, true FROM beaten),
    held AS (SELECT pid, true AS yes FROM reference UNION SELECT pid, true FROM single),
    decided AS (
        SELECT p.*, coalesce(y.party, t.party) AS customer, coalesce(t.cash, 0) AS applied, t.rule, CASE
            WHEN t.cash = p.amount THEN 'applied'
            WHEN t.cash IS NOT NULL THEN 'partially_applied'
            WHEN d.yes THEN 'duplicate'
            WHEN h.yes THEN 'proposed'
            WHEN y.party IS NOT NULL THEN 'on_account'
            ELSE 'unidentified' END AS status
        FROM payment p LEFT JOIN payer y USING (pid) LEFT JOIN total t USING (pid)
        LEFT JOIN repeated d USING (pid) LEFT JOIN held h USING (pid))
    SELECT 'P' || lpad(pid::VARCHAR, 8, '0') AS payment_id, file AS source_file, line AS source_line,
           payer_account AS account, booking_date, booking_date AS value_date, currency, amount, payer_name,
           check_number, NULL AS bank_reference, NULL AS end_to_end_id, status, 'C' || customer AS party_id,
           applied, CASE WHEN status IN ('on_account', 'partially_applied') THEN amount - applied ELSE 0 END AS on_account,
           CASE WHEN status IN ('on_account', 'partially_applied', 'applied') THEN 0 ELSE amount END AS unapplied,
           NULL AS reason, coalesce(rule, 'none') AS rule, (status IN ('applied', 'partially_applied'))::INT AS score,
           0 AS margin
    FROM decided) TO (getvariable('out') || '/payments.csv') (HEADER);

COPY (
    SELECT 'P' || lpad(pid::VARCHAR, 8, '0') AS payment_id, 'OI' || lpad(i.item::VARCHAR, 8, '0') AS item_id,
           i.number AS item_number, 'C' || i.party AS party_id, i.currency, a.cash AS applied, a.discount, a.write_off,
           a.deduction, NULL AS deduction_reason, a.rule, 1 AS score, 'applied' AS status
    FROM application a JOIN item i USING (item)) TO (getvariable('out') || '/applications.csv') (HEADER);
