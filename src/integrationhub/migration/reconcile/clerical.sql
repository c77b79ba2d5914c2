-- What the newest clerical book says, in the shape in which the hub holds it (clerical.md). A case whose keyings disagree
-- is held all the same, by its first keying, and is an exception; it is compared like any other.

CREATE VIEW now_rows AS SELECT * FROM raw_rows WHERE seq = (SELECT max(seq) FROM raw_rows);

CREATE VIEW said_cases AS
SELECT source_ref AS grp, source_ref, 1 AS nth, scheme, effective_date, effective_date_mark, liability_end,
       liability_end_mark, keyed_as_at AS last_charged, keyed_as_at_mark AS last_charged_mark,
       coalesce(custodian_pence, 0) AS source_custodian_pence, notes AS note
FROM now_rows;

CREATE OR REPLACE VIEW held_cases AS
SELECT g.source_ref AS grp, c.source_ref, 1 AS nth, c.scheme, c.effective_date, c.effective_date_mark, c.liability_end,
       c.liability_end_mark, c.last_charged, c.last_charged_mark, c.source_custodian_pence, c.note
FROM hub_cases c LEFT JOIN group_refs g USING (group_id) WHERE c.state = 'IN_BOOK';

CREATE VIEW said_clerical_totals AS
SELECT NULL AS grp, source_ref, 1 AS nth, key_no, former_case_ref, pwc_address_confidential, children, effective_date,
       effective_date_mark, liability_end, liability_end_mark, weekly_pence, charged_rp_pence, charged_sos_pence,
       received_rp_pence, received_sos_pence, balance_rp_pence, balance_sos_pence, custodian_pence, last_payment,
       last_payment_mark, last_contact, last_contact_mark, keyed_as_at, keyed_as_at_mark, notes
FROM now_rows;

CREATE VIEW held_clerical_totals AS
SELECT NULL AS grp, t.source_ref, 1 AS nth, t.key_no, t.former_case_ref, t.pwc_address_confidential, t.children,
       t.effective_date, t.effective_date_mark, t.liability_end, t.liability_end_mark, t.weekly_pence, t.charged_rp_pence,
       t.charged_sos_pence, t.received_rp_pence, t.received_sos_pence, t.balance_rp_pence, t.balance_sos_pence,
       t.custodian_pence, t.last_payment, t.last_payment_mark, t.last_contact, t.last_contact_mark, t.keyed_as_at,
       t.keyed_as_at_mark, t.notes
FROM hub_clerical_totals t JOIN hub_cases c USING (case_id) WHERE c.state = 'IN_BOOK';

CREATE VIEW said_parties AS
SELECT NULL AS grp, source_ref || ':NRP' AS source_ref, 1 AS nth, nrp_surname AS surname, nrp_forenames AS forenames,
       nrp_birth_date AS birth_date, nrp_birth_date_mark AS birth_date_mark, nrp_nino AS nino,
       is_usable(nrp_nino) AS nino_usable
FROM now_rows
UNION ALL
SELECT NULL, source_ref || ':PWC', 1, pwc_surname, pwc_forenames, pwc_birth_date, pwc_birth_date_mark, pwc_nino,
       is_usable(pwc_nino)
FROM now_rows;

-- The hub keeps a party that an older book had; only those of the newest book are compared.
CREATE OR REPLACE VIEW held_parties AS
SELECT NULL AS grp, p.source_ref, 1 AS nth, p.surname, p.forenames, p.birth_date, p.birth_date_mark, p.nino, p.nino_usable
FROM hub_parties p JOIN hub_cases c ON c.source_ref = left(p.source_ref, length(p.source_ref) - 4) AND c.state = 'IN_BOOK';

CREATE VIEW figures AS
SELECT source_ref, scheme, effective_date, 'RECEIVING_PARENT' AS legal_owner, 'PWC' AS payee_role, charged_rp_pence AS charged,
       received_rp_pence AS received, balance_rp_pence AS balance
FROM now_rows
UNION ALL
SELECT source_ref, scheme, effective_date, 'SECRETARY_OF_STATE', 'SECRETARY_OF_STATE', charged_sos_pence, received_sos_pence,
       balance_sos_pence
FROM now_rows;
CREATE VIEW debts_there AS
SELECT * FROM figures WHERE coalesce(charged, 0) <> 0 OR coalesce(received, 0) <> 0 OR coalesce(balance, 0) <> 0;

CREATE VIEW said_debts AS
SELECT source_ref AS grp, source_ref || ' ' || legal_owner AS source_ref, 1 AS nth, source_ref AS own_case, scheme, legal_owner,
       payee_role, 'CHILD_MAINTENANCE_ARREARS' AS kind, effective_date AS opened
FROM debts_there;

CREATE OR REPLACE VIEW held_debts AS
SELECT g.source_ref AS grp, d.source_ref || ' ' || d.legal_owner AS source_ref, 1 AS nth, c.source_ref AS own_case, d.scheme,
       d.legal_owner, d.payee_role, d.kind, d.opened
FROM hub_debts d JOIN hub_cases c ON c.case_id = d.case_id AND c.state = 'IN_BOOK'
LEFT JOIN group_refs g ON g.group_id = d.group_id
WHERE d.status <> 'REMOVED';

CREATE VIEW said_balances AS
SELECT source_ref AS grp, source_ref || ' ' || legal_owner AS source_ref, 1 AS nth, coalesce(balance, 0) AS pence,
       0 AS suspended_pence
FROM debts_there;

CREATE OR REPLACE VIEW held_balances AS
SELECT g.source_ref AS grp, r.source_ref, 1 AS nth, b.pence, b.suspended_pence
FROM hub_balances b JOIN hub_debts d USING (debt_id) JOIN hub_cases c ON c.case_id = d.case_id AND c.state = 'IN_BOOK'
JOIN debt_refs r USING (debt_id) LEFT JOIN group_refs g ON g.group_id = b.group_id
WHERE b.kind = 'SOURCE' AND d.status <> 'REMOVED';

-- Where each row stands, in whichever file: what a row's provenance must point to.
CREATE VIEW places AS
SELECT kind, seq, record_no, byte_offset, r.source_ref || suffix AS source_ref
FROM raw_rows r, (VALUES ('cases', ''), ('clerical_totals', ''), ('debts', ''), ('balances', ''), ('parties', ':NRP'),
                         ('parties', ':PWC')) AS kinds(kind, suffix);
